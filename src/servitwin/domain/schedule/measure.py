"""What a plan is worth: the terms of its objective, in ticks and in time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.schedule.problem import Objective, Placement, ScheduleProblem


class OrderOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """When an order is done, and by how many ns that is late (0: in time, or nothing was promised)."""

    order: str
    end: int
    due: int | None = None
    late: int = 0


class PlanFigures(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan in figures.

    Attributes:
        value: of the objective, in ticks (each term weighted).
        makespan: ns from the start of the plan to the last end.
        late_orders: how many, ``lateness`` ns in sum.
        setup: ns in sum; ``moved`` operations with another start than before, ``moved_machine`` on another machine.
        orders: one by one, in order of the problem.
    """

    value: int
    makespan: int
    late_orders: int
    lateness: int
    setup: int
    moved: int
    moved_machine: int
    orders: tuple[OrderOutcome, ...]


def measure(problem: ScheduleProblem, placements: Sequence[Placement]) -> PlanFigures:
    """Figures of a plan, exact; the objective counts whole ticks, parts of one as one."""
    tick, goal = problem.tick, problem.objective
    ends: dict[str, int] = {}
    setup = setup_ticks = moved = machines = moved_ticks = mode_cost = 0
    before = {p.key: p for p in problem.before}
    costs = {(o.id, s.id, m.machine): m.cost for o in problem.orders for s in o.operations for m in s.modes if m.cost}
    fixed = {p.key for p in problem.fixed}
    for p in placements:
        ends[p.order] = max(ends.get(p.order, p.end), p.end)
        if p.key in fixed:
            continue
        setup += p.setup
        setup_ticks += -(-p.setup // tick)
        mode_cost += costs.get((p.order, p.operation, p.machine), 0)
        then = before.get(p.key)
        if then is not None:
            away = abs((p.start - problem.start) // tick - (then.start - problem.start) // tick)
            moved_ticks += away
            moved += away > 0
            machines += then.machine != p.machine
    outcomes, tardy, flow = [], 0, 0
    for order in problem.orders:
        end = ends.get(order.id, problem.start)
        late = max(0, end - order.due) if order.due is not None else 0
        outcomes.append(OrderOutcome(order.id, end, order.due, late))
        tardy += order.weight * -(-late // tick)
        flow += max(0, _up(end - max(problem.start, order.release or problem.start), tick))
    last = max(0, *(e - problem.start for e in ends.values())) if ends else 0
    value = _weighted(goal, _up(last, tick), tardy, setup_ticks, flow, moved_ticks, machines) + mode_cost
    late_ones = [o for o in outcomes if o.late]
    return PlanFigures(
        value, last, len(late_ones), sum(o.late for o in late_ones), setup, moved, machines, tuple(outcomes)
    )


def _up(ns: int, tick: int) -> int:
    return -(-ns // tick)


def _weighted(goal: Objective, makespan: int, tardy: int, setup: int, flow: int, moved: int, machines: int) -> int:
    return (
        goal.makespan * makespan
        + goal.tardiness * tardy
        + goal.setup * setup
        + goal.flow * flow
        + goal.moved * moved
        + goal.moved_machine * machines
    )
