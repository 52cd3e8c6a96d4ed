"""Plans: optimal where the optimum is known, and always free of faults for a check that knows nothing of the search."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.schedule.change import compare, reality
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.measure import measure
from servitwin.domain.schedule.problem import (
    Arrival,
    Blocked,
    Crew,
    Machine,
    Material,
    Mode,
    Need,
    Objective,
    Operation,
    Order,
    Placement,
    SchedulePlan,
    ScheduleProblem,
    Setup,
    SetupTable,
    Transport,
)
from servitwin.sdk.service import Plan
from servitwin.services.operation.schedule.plugin import solve
from tests.conftest import shared_data
from tests.unit.schedule.instances import flexible, job_shop, plan_of, small

S = 1_000_000_000


def plans(problem: ScheduleProblem, budget_s: float = 20.0, seed: int = 1) -> list[Plan]:
    return list(solve(msgspec.to_builtins(problem), int(budget_s * S), seed, lambda: False))


def placed(plan: Plan) -> tuple[Placement, ...]:
    return msgspec.convert(plan.plan, SchedulePlan).placements


@pytest.mark.parametrize(("name", "optimum"), [("ft06", 55), ("la01", 666)])
def test_published_optima_of_job_shops(name: str, optimum: int) -> None:
    found = plans(job_shop(shared_data("jobshop") / "instances" / name))
    assert found[-1].value == found[-1].bound == optimum
    values = [p.value for p in found]
    assert values == sorted(values, reverse=True)


def test_published_optimum_of_a_flexible_job_shop() -> None:
    found = plans(flexible(shared_data("flexible_jobshop") / "instances/brandimarte/mk01.txt"))
    assert found[-1].value == found[-1].bound == 40


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_every_plan_served_passes_the_check_and_is_worth_what_it_says(seed: int, orders: int) -> None:
    problem = small(seed, orders)
    for plan in plans(problem, 1.5, seed):
        assert not check_plan(problem, placed(plan))
        assert plan.value == measure(problem, placed(plan)).value
        assert plan.bound <= plan.value


def tiny(seed: int) -> ScheduleProblem:
    """Three operations and twelve ticks: small enough to try every plan."""
    wide = small(seed, 2, 12)
    machines = tuple(
        msgspec.structs.replace(m, windows=None if m.windows is None else ((0, 5), (7, 12))) for m in wide.machines
    )
    orders, left = [], 3
    for n, order in enumerate(wide.orders):
        operations = []
        for s in order.operations[: 2 - n] if left else ():
            modes = tuple(Mode(m.machine, 1 + m.duration % 3, m.skill, m.cost) for m in s.modes)
            operations.append(msgspec.structs.replace(s, modes=modes))
            left -= 1
        orders.append(msgspec.structs.replace(order, operations=tuple(operations), due=4 + n, release=None))
    crews = (Crew("early", ("mill",), 1, windows=((0, 6),)), Crew("all", ("mill", "saw"), 1))
    blocked = (Blocked(3, 4, "maintenance"),) if seed % 2 else ()
    machines = (msgspec.structs.replace(machines[0], blocked=blocked), *machines[1:])
    return msgspec.structs.replace(
        wide,
        machines=machines,
        orders=tuple(orders),
        crews=crews,
        materials=(Material("bar", stock=1, arrivals=(Arrival(2, 9),)),),
    )


def every_plan(problem: ScheduleProblem) -> Iterator[tuple[Placement, ...]]:
    """All plans of a problem that might be meant, with the set-ups that their sequences demand."""
    choices = []
    for order in problem.orders:
        for s in order.operations:
            own = []
            for mode in s.modes:
                crews = [c.id for c in problem.crews if mode.skill in c.skills] if mode.skill else [""]
                longest = mode.duration + (2 if s.pausable else 0)
                for crew, start, length in product(crews, range(12), {mode.duration, longest}):
                    if start + length <= 12:
                        own.append((Placement(order.id, s.id, mode.machine, start, start + length, 0, crew), s.family))
            choices.append(own)
    tables = {m.id: SetupTable(m) for m in problem.machines}
    for chosen in product(*choices):
        lines: dict[str, str] = {m.id: m.family for m in problem.machines}
        made = []
        for p, family in sorted(chosen, key=lambda c: c[0].start):
            setup = tables[p.machine].between(lines[p.machine], family)
            lines[p.machine] = family
            made.append(msgspec.structs.replace(p, setup=setup) if setup else p)
        yield tuple(made)


@pytest.mark.parametrize("seed", range(6))
def test_as_good_as_the_best_of_all_plans(seed: int) -> None:
    problem = tiny(seed)
    best = None
    for candidate in every_plan(problem):
        value = measure(problem, candidate).value
        if (best is None or value < best) and not check_plan(problem, candidate):
            best = value
    if best is None:
        with pytest.raises(InvalidInputError):
            plans(problem)
    else:
        assert plans(problem)[-1].value == best


def test_a_plan_ends_when_it_is_cancelled_and_keeps_what_it_had() -> None:
    problem = msgspec.to_builtins(job_shop(shared_data("jobshop") / "instances/ta41"))
    asked = [0]

    def cancel() -> bool:
        asked[0] += 1
        return asked[0] > 8

    found = list(solve(problem, 60 * S, 1, cancel))
    assert found and asked[0] < 50


def shop(**changes: object) -> ScheduleProblem:
    order = Order("o1", (Operation("10", (Mode("m1", 4),)), Operation("20", (Mode("m1", 4),))))
    base = ScheduleProblem(0, 100, (Machine("m1"),), (order,), tick=1)
    return msgspec.structs.replace(base, **changes)


def codes(problem: ScheduleProblem) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as e:
        plans(problem, 3)
    return {f.code: f.message for f in e.value.faults}


def test_demands_that_contradict_each_other_are_named_and_no_others() -> None:
    first = Order("o1", (Operation("10", (Mode("m1", 6),)),), deadline=10)
    second = Order("o2", (Operation("10", (Mode("m1", 6),)),), deadline=11)
    third = Order("o3", (Operation("10", (Mode("m2", 6),)),), deadline=90)
    found = codes(shop(orders=(first, second, third), machines=(Machine("m1"), Machine("m2"))))
    assert "order o1 has to be done by" in found["schedule:infeasible"]
    assert "order o2 has to be done by" in found["schedule:infeasible"]
    assert "o3" not in found["schedule:infeasible"]
    late = Material("bar", stock=0, arrivals=(Arrival(50, 5, "north"),))
    needs = Order("o1", (Operation("10", (Mode("m1", 6),), needs=(Need("bar", 2),)),), deadline=40)
    found = codes(shop(orders=(needs,), materials=(late,)))
    assert "of bar there are 0, then 5 at" in found["schedule:infeasible"]
    down = Machine("m1", blocked=(Blocked(0, 30, "down", "spindle"),))
    found = codes(shop(machines=(down,), orders=(first,)))
    assert "spindle" in found["schedule:infeasible"] and "schedule:conflict-deadline" in found


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"machines": (Machine("m1", windows=()),)}, "schedule:no-working-time"),
        ({"machines": (Machine("m1", blocked=(Blocked(-1, 10**9, "down", "gone"),)),)}, "schedule:no-time-left"),
        ({"machines": (Machine("m2"),)}, "schedule:machine-unknown"),
        ({"end": 0}, "schedule:no-time"),
        ({"machines": (Machine("m1", windows=((0, 3), (5, 8))),)}, "schedule:fits-nowhere"),
        ({"machines": (Machine("m1", setups=(Setup("a", "b", 1),)),)}, "schedule:family-missing"),
        ({"machines": (Machine("m1", blocked=(Blocked(5, 5),)),)}, "schedule:stretch-reversed"),
        ({"machines": (Machine("m1"), Machine("m1"))}, "schedule:id-twice"),
        ({"orders": (Order("o", ()),)}, "schedule:no-operations"),
        ({"orders": (Order("o", (Operation("1", (Mode("m1", 4),)),), deadline=-5),)}, "schedule:deadline-past"),
        ({"orders": (Order("o", (Operation("1", (Mode("m1", 0),)),)),)}, "schedule:duration"),
        ({"orders": (Order("o", (Operation("1", (Mode("m1", 1, "saw"),)),)),)}, "schedule:skill-unknown"),
        ({"orders": (Order("o", (Operation("1", ()),)),)}, "schedule:no-machine"),
        (
            {"orders": (Order("o", (Operation("1", (Mode("m1", 1),), needs=(Need("x", 1),)),)),)},
            "schedule:material-unknown",
        ),
        (
            {
                "orders": (Order("o", (Operation("1", (Mode("m1", 1),), needs=(Need("x", 3),)),)),),
                "materials": (Material("x", stock=2),),
            },
            "schedule:material-short",
        ),
        (
            {
                "orders": (
                    Order("o", (Operation("1", (Mode("m1", 1),), after=("2",)), Operation("2", (Mode("m1", 1),)))),
                )
            },
            "schedule:routing-cyclic",
        ),
        ({"fixed": (Placement("o9", "1", "m1", 0, 4),)}, "schedule:fixed-unknown"),
        ({"transport": (Transport("a", "b", -1),)}, "schedule:duration"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_searched(changes: dict[str, object], code: str) -> None:
    assert code in codes(shop(**changes))


def test_a_due_date_in_the_past_costs_but_does_not_forbid() -> None:
    order = Order("o1", (Operation("10", (Mode("m1", 4),)),), due=-10)
    problem = shop(orders=(order,), objective=Objective(makespan=0, tardiness=1))
    assert plans(problem)[-1].value == 14


def test_a_problem_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInputError) as e:
        list(solve({"machines": 3}, S, 1, lambda: False))
    assert e.value.fault.code == "schedule:shape"


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([0, 8]))
def test_after_a_breakdown_there_is_a_plan_again(seed: int, freeze: int) -> None:
    problem, now = small(seed, 5), 12
    before = plan_of(problem)
    down = Blocked(now, now + 25, "down", "drive")
    machines = tuple(
        msgspec.structs.replace(m, blocked=(*m.blocked, down)) if m.id == "m1" else m for m in problem.machines
    )
    facts = [
        msgspec.structs.replace(p, end=p.end + 25) if p.machine == "m1" and p.end > now else p
        for p in before
        if p.begin < now
    ]
    asked = reality(msgspec.structs.replace(problem, machines=machines), before, now, started=facts, freeze=freeze)
    after = placed(plans(asked, 1.0)[-1])
    assert not check_plan(asked, after)
    assert all(m.why for m in compare(asked, before, after).moved)
