"""Placement: no other choice of begins is cheaper, each plan is looked at independently, reasons and bad input."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import DAY, HOUR, NS
from servitwin.domain.machine_occupation import LostCost, MachineOccupation, Taken, check_occupation, occupied
from servitwin.domain.maintenance_placement import LEAVING_OUT, PlacementPlan, check_plan, read_placement
from servitwin.sdk.anytime import newest
from servitwin.sdk.service import Plan
from servitwin.services.maintenance.maintenance_plan import plugin

T0 = 1_764_000_000 // 3600 * 3600 * NS


def machine(name: str, taken: list[tuple[float, float]], busy: str = "120", **more: Any) -> dict[str, Any]:
    return {
        "machine": name, "currency": "EUR", "busy_cost_per_hour": busy, "working": [[T0, T0 + 20 * HOUR]],
        "taken": [{"start": at(a), "end": at(b), "order": f"o{n}"} for n, (a, b) in enumerate(taken)], **more,
    }  # fmt: skip


def task(id: str, on: str, hours: float, window: tuple[float, float], **more: Any) -> dict[str, Any]:
    return {
        "id": id, "machine": on, "duration_s": round(hours * 3600), "earliest": at(window[0]), "latest": at(window[1]),
        **more,
    }  # fmt: skip


def person(id: str, *shifts: tuple[float, float], skills: tuple[str, ...] = ()) -> dict[str, Any]:
    pairs = [[at(a), at(b)] for a, b in shifts]
    return {"id": id, "skills": skills, "shifts": pairs, "rate_per_hour": "60"}


def at(hours: float) -> int:
    return T0 + round(hours * HOUR)


def problem(**parts: Any) -> dict[str, Any]:
    return {"now": T0, "currency": "EUR", "step_s": 1800, **parts}


def last(asked: dict[str, Any], seconds: float = 10.0, seed: int = 1) -> tuple[Plan, PlacementPlan]:
    plans = list(plugin.solve(asked, round(seconds * NS), seed, lambda: False))
    assert all(p.bound <= plans[-1].value + 1e-6 for p in plans)
    plan = msgspec.convert(plans[-1].plan, PlacementPlan, strict=False)
    assert check_plan(read_placement(asked), plan) == []
    return plans[-1], plan


def some_problem(seed: int) -> dict[str, Any]:
    rnd = random.Random(seed)
    tasks = []
    for n in range(3):
        a = rnd.choice([0, 1, 2])
        rise = [(at(h), float(rnd.choice([-30, 0, 20]) * h)) for h in (0, 5, 12)]
        tasks.append(
            task(f"t{n}", rnd.choice("ab"), rnd.choice([1, 1.5, 2]), (a, a + rnd.choice([3, 6, 9])), waiting=rise,
                 parts=[{"part": "seal", "quantity": 1}] if n else [], site=rnd.choice(["", "hall"]))
        )  # fmt: skip
    return problem(
        machines=[machine("a", [(0, rnd.choice([1, 2, 4])), (5, 8)]), machine("b", [(2, 6)], "40")],
        tasks=tasks,
        technicians=[person("x", (0, 4), (4.5, 8)), person("y", (1, 7))],
        parts=[{"id": "seal", "stock": 1, "arrives": at(rnd.choice([3, 4]))}],
        visit_cost="90",
        visit_s=1800,
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_other_choice_of_begins_is_cheaper(seed: int) -> None:
    asked = some_problem(seed)
    plan, _ = last(asked)
    assert plan.value == pytest.approx(_least(asked), abs=0.02) and plan.bound == pytest.approx(plan.value, abs=0.02)


def _least(asked: dict[str, Any]) -> float:
    """The least value over all begins at half hours, each combination judged by the rules themselves."""
    read = read_placement(asked)
    lost = {m.machine: LostCost(m) for m in read.machines}
    options: list[list[tuple[float, str, int, int, int] | None]] = []
    for item in read.tasks:
        length = item.duration_s * NS
        found: list[tuple[float, str, int, int, int] | None] = [None]
        for who in read.technicians:
            for shift, end in who.shifts:
                for start in range(max(shift, item.earliest), min(end, item.latest) - length + 1, HOUR // 2):
                    one = np.array([start])
                    cost = lost[item.machine].of(one, length)[0] + item.risk(one)[0] + 60 * length / HOUR
                    found.append((float(cost), who.id, start, start + length, shift))
        options.append(found)
    least = float("inf")
    for combination in itertools.product(*options):
        done = [(i, c) for i, c in zip(read.tasks, combination, strict=True) if c is not None]
        if _allowed(done, read.parts[0].arrives or 0):
            visits = {(c[1], i.site or i.machine, c[4]) for i, c in done}
            value = sum(c[0] for _, c in done) + 90 * len(visits) + float(LEAVING_OUT) * (3 - len(done))
            least = min(least, value)
    return least


def _allowed(done: list[tuple[Any, tuple[float, str, int, int, int]]], arrives: int) -> bool:
    if sum(1 for i, c in done if i.parts and c[2] < arrives) > 1:
        return False
    for (i, a), (j, b) in itertools.combinations(done, 2):
        gap = HOUR // 2 if (i.site or i.machine) != (j.site or j.machine) else 0
        if i.machine == j.machine and a[2] < b[3] and b[2] < a[3]:
            return False
        if a[1] == b[1] and a[2] < b[3] + gap and b[2] < a[3] + gap:
            return False
    stays: dict[tuple[str, int], list[str]] = {}
    for i, c in sorted(done, key=lambda d: d[1][2]):
        stays.setdefault((c[1], c[4]), []).append(i.site or i.machine)
    return all(len([k for k, _ in itertools.groupby(s)]) == len(set(s)) for s in stays.values())


def test_a_task_goes_where_the_machine_is_not_needed_and_says_so() -> None:
    asked = problem(
        machines=[machine("mill", [(0, 6), (8, 16)])],
        tasks=[task("oil", "mill", 2, (0, 14), title="Oil change")],
        technicians=[person("x", (0, 12))],
    )
    _, plan = last(asked)
    placed = plan.placed[0]
    assert placed.start == at(6) and placed.chosen.lost == 0 and placed.chosen.cost == 120
    assert placed.at_once.start == at(0) and placed.at_once.cost == 120 + 240
    assert "no production is lost" in placed.why[0]
    assert any(w == "At once it would cost 240.00 EUR more in lost production" for w in placed.why)


def test_a_visit_that_is_shared_is_worth_a_dearer_begin() -> None:
    base = dict(
        machines=[machine("a", [(0, 3)]), machine("b", [(3, 8)])],
        tasks=[task("one", "a", 1, (0, 8), site="hall"), task("two", "b", 1, (0, 8), site="hall")],
        technicians=[person("x", (0, 2.5), (3, 8))],
    )
    _, apart = last(problem(**base))
    assert len(apart.visits) == 2 and apart.cost == 120
    _, shared = last(problem(**base, visit_cost="300"))
    assert len(shared.visits) == 1 and shared.cost == 120 + 120 + 300
    why = [w for p in shared.placed for w in p.why]
    assert any("Shares the visit of" in w and "300.00 EUR" in w for w in why)
    assert any("put off to share the visit" in w for w in why)


def test_what_has_no_place_is_told_with_its_reason() -> None:
    asked = problem(
        machines=[
            machine("a", [(0, 20)]),
            {**machine("b", []), "taken": [{"start": at(0), "end": at(20), "fixed": True}]},
        ],
        tasks=[
            task("laser", "a", 1, (0, 8), skills=["laser"]),
            task("overhaul", "a", 9, (0, 18)),
            task("night", "a", 1, (12, 18)),
            task("unknown-part", "a", 1, (0, 8), parts=[{"part": "hook", "quantity": 1}]),
            task("late-part", "a", 1, (0, 4), parts=[{"part": "rope", "quantity": 2}]),
            task("promised", "b", 1, (0, 8)),
        ],
        technicians=[person("x", (0, 8))],
        parts=[{"id": "hook", "stock": 0}, {"id": "rope", "stock": 1, "arrives": at(6)}],
    )
    _, plan = last(asked)
    assert {x.task: x.code for x in plan.left_out} == {
        "laser": "task:skill-missing", "overhaul": "task:longer-than-a-shift", "night": "task:outside-all-shifts",
        "unknown-part": "part:no-lead-time", "late-part": "part:too-late", "promised": "task:no-room",
    }  # fmt: skip


def test_every_fault_of_a_problem_is_told_at_once() -> None:
    asked = problem(
        machines=[machine("a", [], busy="-5", working=[])],
        tasks=[
            task("past", "a", 1, (-9, -1)), task("short", "a", 5, (0, 4)),
            task("where", "z", 1, (0, 4), parts=[{"part": "nut", "quantity": 0}]),
            task("curve", "a", 1, (0, 4), waiting=[[at(2), 1.0], [at(1), 2.0]]),
        ],
        technicians=[{**person("x", (0, 8)), "rate_per_hour": "-1"}],
        visit_cost="-1",
        step_s=1,
    )  # fmt: skip
    with pytest.raises(InvalidInputError) as e:
        next(iter(plugin.solve(asked, NS, 1, lambda: False)))
    assert {f.code for f in e.value.faults} == {
        "occupation:cost-negative", "occupation:no-working-time", "task:due-in-the-past", "task:window-too-short",
        "placement:machine-unknown", "part:unknown", "task:quantity-invalid", "task:waiting-invalid",
        "technician:rate-negative", "placement:cost-negative", "placement:step-invalid",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("busy", "1e999", "occupation:cost-negative"), ("visit_cost", "1e999", "placement:cost-negative"),
        ("waiting", -1e308, "task:waiting-invalid"), ("rate_per_hour", "1e300", "technician:rate-negative"),
        ("step_s", {}, "placement:not-understood"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_money_are_refused_with_their_place(field: str, value: Any, code: str) -> None:
    busy = value if field == "busy" else "5"
    waiting = [[at(1), 1.0], [at(2), value]] if field == "waiting" else []
    asked = problem(
        machines=[machine("a", [], busy=busy)],
        tasks=[task("t", "a", 1, (0, 8), waiting=waiting)],
        technicians=[person("x", (0, 8)) | ({field: value} if field == "rate_per_hour" else {})],
        **({field: value} if field in ("visit_cost", "step_s") else {}),
    )
    (fault,) = plugin.check(asked)
    assert (fault.code, bool(fault.hint)) == (code, True)
    assert fault.where.rpartition(".")[2] == {"busy": "busy_cost_per_hour", "rate_per_hour": "technicians[0]"}.get(
        field, field
    )


def test_a_month_of_a_hall_is_placed_and_without_shared_visits_proved_to_be_best() -> None:
    asked = {**month(10, 2), "visit_cost": "0"}
    plan, told = last(asked, 20)
    assert not told.left_out and plan.value == pytest.approx(plan.bound, abs=0.02)
    assert plan.value < 0.5 * told.at_once


def month(tasks: int, technicians: int) -> dict[str, Any]:
    """Machines that work two shifts a day for four weeks, and tasks with windows of one to three weeks."""
    rnd = random.Random(7)
    names = [f"m{n}" for n in range(8)]
    working = [[at(24 * d), at(24 * d + 16)] for d in range(28)]
    machines = [
        machine(m, [(24 * d + (s := rnd.uniform(0, 8)), 24 * d + s + rnd.uniform(4, 8)) for d in range(28)],
                str(rnd.choice([80, 150, 400])), working=working)
        for m in names
    ]  # fmt: skip
    made = []
    for n in range(tasks):
        a = rnd.uniform(0, 14) * 24
        rise = [(at(a), 0.0), (at(a + 24 * 14), float(rnd.choice([50, 300, 900])))]
        window = (a, a + 24 * rnd.choice([7, 14]))
        made.append(task(f"t{n}", rnd.choice(names), rnd.choice([1, 2, 4]), window, waiting=rise, site="hall"))
    people = [person(f"p{n}", *[(24 * d + 6, 24 * d + 14) for d in range(28)]) for n in range(technicians)]
    return problem(machines=machines, tasks=made, technicians=people, visit_cost="180", visit_s=1800)


def test_a_search_that_is_cancelled_ends_with_what_it_has() -> None:
    assert list(plugin.solve(month(40, 3), 3600 * NS, 1, lambda: True))


_STRETCH = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda p: (p[0], p[0] + p[1]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_STRETCH, min_size=1, max_size=3),
    st.lists(st.tuples(_STRETCH, st.sampled_from([None, 5, 80])), max_size=4),
    _STRETCH,
    st.integers(0, 50),
)
def test_a_stop_costs_the_sum_of_its_hours(
    working: list[tuple[int, int]], taken: list[tuple[tuple[int, int], int | None]], stop: tuple[int, int], known: int
) -> None:
    occupation = MachineOccupation(
        "m", "EUR", Decimal(40), Decimal(7), tuple((a * HOUR, b * HOUR) for a, b in working),
        tuple(Taken(a * HOUR, b * HOUR, cost_per_hour=None if c is None else Decimal(c)) for (a, b), c in taken),
        known * HOUR,
    )  # fmt: skip
    total = 0.0
    for hour in range(*stop):
        if any(a <= hour < b for a, b in working):
            rates = [40 if c is None else c for (a, b), c in taken if a <= hour < b]
            rates += [40] if known and hour >= known else []
            total += max(rates, default=7)
    found = LostCost(occupation).of(np.array([stop[0] * HOUR]), (stop[1] - stop[0]) * HOUR)
    assert found[0] == pytest.approx(total)


def test_operations_of_a_schedule_take_their_machines_alone() -> None:
    plain = MachineOccupation("m", "EUR", Decimal(40), working=((0, DAY),))
    found = occupied([("m", 5, 9, "A"), ("other", 0, 9, "B"), ("m", 1, 4, "C")], [plain])
    assert [(t.start, t.order) for t in found[0].taken] == [(1, "C"), (5, "A")]
    reversed_ = msgspec.structs.replace(plain, currency="XXQ", working=((5, 1),), taken=(Taken(9, 3, "", Decimal(-1)),))
    assert [f.code for f in check_occupation(reversed_)] == [
        "money:currency-unknown", "occupation:stretch-reversed", "occupation:stretch-reversed",
        "occupation:cost-negative",
    ]  # fmt: skip


def test_what_a_search_raises_is_raised_where_its_answers_are_read() -> None:
    def work(put: Callable[[int], None], closed: threading.Event) -> None:
        put(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(newest(work, "test"))
