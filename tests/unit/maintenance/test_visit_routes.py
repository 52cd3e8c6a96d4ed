"""Routes: a published optimum, all orders of a few visits tried, an independent look at each plan, reasons."""

from __future__ import annotations

import itertools
import math
import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.visit_problem import VisitPlan, VisitProblem, check_plan, read_visit_problem, roads
from servitwin.sdk.service import Plan
from servitwin.services.maintenance.visit_routes import plugin
from tests.unit.maintenance import solomon_c101

T0 = 1_764_000_000 * NS
BASE = {"lat": 61.5, "lon": 23.8}


def last(problem: dict[str, Any], seconds: float, seed: int = 1) -> tuple[Plan, VisitPlan]:
    plans = list(plugin.solve(problem, round(seconds * NS), seed, lambda: False))
    values = [p.value for p in plans]
    assert values == sorted(values, reverse=True), "each plan is better than the one before"
    assert all(p.bound <= plans[-1].value + 1e-6 for p in plans)
    plan = msgspec.convert(plans[-1].plan, VisitPlan, strict=False)
    assert check_plan(read_visit_problem(problem), plan) == []
    return plans[-1], plan


def visit(id: str, lat: float, lon: float, start: float, end: float, hours: float = 1.0, **more: Any) -> dict[str, Any]:
    windows = [[T0 + round(start * HOUR), T0 + round(end * HOUR)]]
    return {"id": id, "place": {"lat": lat, "lon": lon}, "work_s": round(hours * 3600), "windows": windows, **more}


def technician(id: str, skills: list[str], start: float = 0, end: float = 8, **more: Any) -> dict[str, Any]:
    shifts = [[T0 + round(start * HOUR), T0 + round(end * HOUR)]]
    rates = {"rate_per_hour": "62.00", "rate_per_km": "0.45"}
    return {"id": id, "skills": skills, "base": BASE, "shifts": shifts, **rates, **more}


def some_problem(seed: int, visits: int, technicians: int) -> dict[str, Any]:
    rnd = random.Random(seed)
    skills = ["mechanics", "hydraulics", "electrics"]
    return {
        "currency": "EUR",
        "visits": [
            visit(
                f"v{n}", 61.5 + rnd.uniform(-0.3, 0.3), 23.8 + rnd.uniform(-0.6, 0.6), a := rnd.choice([0, 0, 2, 4]),
                a + rnd.choice([2, 3, 8]), rnd.choice([0.5, 1, 1.5]), skills=rnd.sample(skills, rnd.choice([0, 1, 1])),
                priority=rnd.choice([1, 2, 3, 4]),
            )
            for n in range(visits)
        ],
        "technicians": [
            technician(f"t{n}", rnd.sample(skills, 2), rnd.choice([0, 1]), rnd.choice([6, 8]))
            for n in range(technicians)
        ],
    }  # fmt: skip


def best_by_trying(problem: VisitProblem) -> float:
    """The least value over all ways to share out and order the visits, each route leaving as late as it may."""
    _, seconds = roads(problem)
    metres = roads(problem)[0]
    people, count = len(problem.technicians), len(problem.visits)

    def route_value(person: int, order: tuple[int, ...]) -> float:
        if not order:
            return 0.0
        who = problem.technicians[person]
        best = math.inf
        for shift_start, shift_end in who.shifts:
            # Leaving later never ends earlier: try the times at which some wait disappears or some window closes.
            candidates = [shift_start]
            drive = 0
            here = person
            for v in order:
                drive += int(seconds[here, people + v]) * NS
                ends = [t for a, b in problem.visits[v].windows for t in (a, b - problem.visits[v].work_s * NS)]
                candidates += [t - drive for t in ends if t - drive > shift_start]
                drive += problem.visits[v].work_s * NS
                here = people + v
            for leave in candidates:
                at, here, far, fits = leave, person, 0, True
                for v in order:
                    at += int(seconds[here, people + v]) * NS
                    far += int(metres[here, people + v])
                    here = people + v
                    item = problem.visits[v]
                    begin = [max(at, a) for a, b in item.windows if max(at, a) + item.work_s * NS <= b]
                    if not begin or not set(item.skills) <= set(who.skills):
                        fits = False
                        break
                    at = min(begin) + item.work_s * NS
                if not fits:
                    continue
                at += int(seconds[here, person]) * NS
                far += int(metres[here, person])
                if at <= shift_end:
                    cost = float(who.rate_per_hour) * (at - leave) / HOUR + float(who.rate_per_km) * far / 1000
                    best = min(best, cost)
        return best

    cheapest: list[dict[frozenset[int], float]] = []
    for person in range(people):
        table = {}
        for size in range(count + 1):
            for chosen in itertools.combinations(range(count), size):
                table[frozenset(chosen)] = min(route_value(person, o) for o in itertools.permutations(chosen))
        cheapest.append(table)
    least = math.inf
    for share in itertools.product(range(people + 1), repeat=count):
        value = sum(problem.visits[v].worth for v in range(count) if share[v] == people)
        for person in range(people):
            value += cheapest[person][frozenset(v for v in range(count) if share[v] == person)]
        least = min(least, value)
    return least


@pytest.mark.parametrize("seed", range(6))
def test_no_way_to_share_out_and_order_a_few_visits_is_cheaper(seed: int) -> None:
    problem = some_problem(seed, 5, 2)
    plan, _ = last(problem, 5)
    assert plan.value == pytest.approx(best_by_trying(read_visit_problem(problem)), abs=0.05)


def test_solomons_first_instance_is_solved_to_its_known_optimum() -> None:
    rows = solomon_c101.rows()
    assert len(rows) == 101 and sum(r[2] for r in rows) == 1810
    drivers = 12  # ten are needed
    points = [rows[0][:2]] * drivers + [r[:2] for r in rows[1:]]
    tenths = tuple(tuple(round(10 * math.dist(a, b)) for b in points) for a in points)
    latest = rows[0][4]
    problem = {
        "currency": "EUR",
        "matrix": {"metres": tenths, "seconds": tenths},
        "visits": [
            {"id": str(n), "place": {"lat": 0, "lon": 0}, "work_s": 10 * r[5], "load": r[2],
             "windows": [[T0 + 10 * r[3] * NS, T0 + 10 * (r[4] + r[5]) * NS]]}
            for n, r in enumerate(rows[1:], 1)
        ],
        "technicians": [
            {"id": f"d{n}", "skills": [], "base": {"lat": 0, "lon": 0}, "capacity": solomon_c101.CAPACITY,
             "shifts": [[T0, T0 + 10 * latest * NS]]}
            for n in range(drivers)
        ],
    }  # fmt: skip
    plans = plugin.solve(problem, 20 * NS, 1, lambda: False)
    for found in plans:
        plan = msgspec.convert(found.plan, VisitPlan, strict=False)
        tours = [[0, *(int(s.visit) for s in r.stops), 0] for r in plan.routes]
        length = sum(math.dist(rows[a][:2], rows[b][:2]) for t in tours for a, b in itertools.pairwise(t))
        if not plan.left_out and round(length, 2) == solomon_c101.OPTIMUM:
            assert check_plan(read_visit_problem(problem), plan) == [] and len(tours) == 10
            plans.close()  # type: ignore[attr-defined]
            return
    pytest.fail(f"the best found is {length:.2f}")


def test_what_nobody_can_do_is_told_with_its_reason() -> None:
    problem = {
        "currency": "EUR",
        "technicians": [
            technician("a", ["mechanics"], capacity=10), technician("b", ["hydraulics"], capacity=10)
        ],
        "visits": [
            visit("fine", 61.5, 23.9, 0, 8, skills=["mechanics"]),
            visit("nobody", 61.5, 23.9, 0, 8, skills=["laser"]),
            visit("not-one", 61.5, 23.9, 0, 8, skills=["mechanics", "hydraulics"]),
            visit("night", 61.5, 23.9, 12, 16, skills=["mechanics"]),
            visit("far", 66.5, 25.7, 0, 8, skills=["mechanics"]),
            visit("heavy", 61.5, 23.9, 0, 8, skills=["mechanics"], load=11),
            visit("long-1", 61.5, 23.9, 0, 8, 7, skills=["hydraulics"], priority=1),
            visit("long-2", 61.5, 23.9, 0, 8, 7, skills=["hydraulics"], priority=4),
        ],
    }  # fmt: skip
    _, plan = last(problem, 5)
    assert {x.visit: x.code for x in plan.left_out} == {
        "nobody": "visit:skill-missing", "not-one": "visit:skill-missing", "night": "visit:outside-all-shifts",
        "far": "visit:too-far", "heavy": "visit:too-heavy", "long-2": "visit:no-room",
    }  # fmt: skip
    told = {x.visit: x.why for x in plan.left_out}
    assert told["nobody"] == "Nobody has laser" and "all of" in told["not-one"]


def test_without_visits_or_without_shifts_there_is_a_plan_that_says_so() -> None:
    _, empty = last({"currency": "EUR", "visits": [], "technicians": [technician("a", ["x"])]}, 1)
    assert empty.routes == () and empty.cost == Decimal(0)
    _, alone = last({"currency": "EUR", "visits": [visit("v", 61.5, 23.9, 0, 8)], "technicians": []}, 1)
    assert [x.code for x in alone.left_out] == ["visit:skill-missing"]
    idle = {**technician("a", []), "shifts": []}
    _, off = last({"currency": "EUR", "visits": [visit("v", 61.5, 23.9, 0, 8)], "technicians": [idle]}, 1)
    assert [x.code for x in off.left_out] == ["visit:outside-all-shifts"]


@pytest.mark.parametrize(
    ("kept_away", "code"), [({"skills": ["lasers"]}, "visit:skill-missing"), ({"prize": "0"}, "visit:no-room")]
)
def test_where_no_visit_is_made_although_there_are_shifts_each_has_its_reason(
    kept_away: dict[str, Any], code: str
) -> None:
    problem = {
        "currency": "EUR",
        "visits": [visit(f"v{n}", 61.9, 24.9, 0, 8, **kept_away) for n in range(3)],
        "technicians": [technician("t1", ["mechanics"])],
    }
    _, plan = last(problem, 5)
    assert plan.routes == ()
    assert {(x.visit, x.code) for x in plan.left_out} == {(f"v{n}", code) for n in range(3)}


@pytest.mark.parametrize("seed", range(3))
def test_a_visit_may_be_made_in_one_of_several_windows(seed: int) -> None:
    problem = some_problem(seed, 4, 2)
    for item in problem["visits"]:
        item["windows"] = [[T0, T0 + HOUR], [T0 + 3 * HOUR, T0 + 5 * HOUR], [T0 + 6 * HOUR, T0 + 8 * HOUR]]
    plan, told = last(problem, 5)
    assert plan.value == pytest.approx(best_by_trying(read_visit_problem(problem)), abs=0.05)
    assert any(r.stops for r in told.routes)


def test_every_fault_of_a_problem_is_told_at_once() -> None:
    bad = some_problem(1, 2, 1)
    bad["visits"][0] |= {"priority": 9, "place": {"lat": 91, "lon": 0}}
    bad["visits"][1] |= {"id": "v0", "windows": [[T0 + HOUR, T0]]}
    bad["technicians"][0] |= {"rate_per_hour": "-1"}
    bad["road"] = {"speed_kmh": 0, "detour": 0.5}
    with pytest.raises(InvalidInputError) as e:
        next(iter(plugin.solve(bad, NS, 1, lambda: False)))
    assert {f.code for f in e.value.faults} == {
        "visits:priority-invalid", "travel:place-invalid", "visits:id-twice", "visits:stretch-reversed",
        "technician:rate-negative", "travel:speed-invalid", "travel:detour-invalid",
    }  # fmt: skip


def test_a_search_ends_when_it_is_cancelled() -> None:
    plans = list(plugin.solve(some_problem(2, 60, 5), 3600 * NS, 1, lambda: True))
    assert len(plans) >= 1
