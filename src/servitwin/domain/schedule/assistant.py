"""What an operator does next and why, from the plan that holds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.instant import MINUTE
from servitwin.domain.schedule.problem import Order, Placement, ScheduleProblem, SetupTable, predecessors
from servitwin.domain.schedule.reason import Reasons, span_words


class NextTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operation to do at a machine, with the reasons in the order in which they count.

    Attributes:
        running: it is at work; the next one follows.
        because: sentences.
        missing: why it cannot begin yet, empty if nothing hinders it.
    """

    order: str
    operation: str
    machine: str
    start: int
    end: int
    setup: int
    title: str
    product: str
    quantity: int
    running: bool
    because: tuple[str, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...] = ()


def next_tasks(
    problem: ScheduleProblem, placements: Sequence[Placement], machine: str, now: int, many: int = 3
) -> list[NextTask]:
    """What runs on a machine and what comes next, at most ``many``."""
    line = sorted((p for p in placements if p.machine == machine and p.end > now), key=lambda p: p.begin)
    reasons = Reasons(problem, placements)
    return [_task(problem, placements, reasons, p, line, now) for p in line[:many]]


def _task(
    problem: ScheduleProblem,
    placements: Sequence[Placement],
    reasons: Reasons,
    p: Placement,
    line: Sequence[Placement],
    now: int,
) -> NextTask:
    order = next(o for o in problem.orders if o.id == p.order)
    operation = next(s for s in order.operations if s.id == p.operation)
    machine = next(m for m in problem.machines if m.id == p.machine)
    because: list[str] = []
    because += _promise(order, placements)
    because += _waiting(order, p, placements)
    at = line.index(p)
    table = SetupTable(machine)
    if at and (previous := line[at - 1]):
        family = _family(problem, previous)
        if family and family == operation.family:
            because.append(f"{p.machine} is set up for {family} already: no change-over")
        elif (cost := table.between(family, operation.family)) and p.setup:
            because.append(f"The change-over to {operation.family} takes {span_words(cost)}")
    missing = []
    for b in predecessors(order)[p.operation]:
        q = next((x for x in placements if x.key == (p.order, b)), None)
        if q is not None and q.end > now:
            missing.append(
                f"{b} before it is not done: expected in {span_words(max(MINUTE, q.end - now))} on {q.machine}"
            )
    wait = reasons.of(p.key)
    missing += [
        f"{w.words()}, for another {span_words(max(MINUTE, w.end - now))}"
        for w in wait.waits
        if w.kind in {"material", "blocked", "crew"} and w.end > now
    ]
    others = tuple(sorted({m.machine for m in operation.modes} - {p.machine}))
    return NextTask(
        p.order, p.operation, p.machine, p.start, p.end, p.setup, operation.title or operation.id, order.product,
        order.quantity, p.begin <= now, tuple(because), tuple(missing), others,
    )  # fmt: skip


def _promise(order: Order, placements: Sequence[Placement]) -> list[str]:
    if order.due is None:
        return ["Nothing is promised for this order: it fills the time"]
    slack = order.due - max(p.end for p in placements if p.order == order.id)
    whom = f" to {order.customer}" if order.customer else ""
    if slack < 0:
        return [f"The order is promised{whom} and {span_words(-slack)} late already: it goes first"]
    return [f"The order is promised{whom} and has {span_words(slack)} to spare"]


def _waiting(order: Order, p: Placement, placements: Sequence[Placement]) -> list[str]:
    after = [name for name, before in predecessors(order).items() if p.operation in before]
    following = [q for q in placements if q.order == p.order and q.operation in after]
    if not following:
        return ["It is the last step: the order is done with it"]
    first = min(following, key=lambda q: q.start)
    gap = first.start - p.end
    return [
        f"{first.machine} takes it {'at once' if gap < MINUTE else span_words(gap) + ' later'} for {first.operation}"
    ]


def _family(problem: ScheduleProblem, p: Placement) -> str:
    order = next((o for o in problem.orders if o.id == p.order), None)
    step = next((s for s in order.operations if s.id == p.operation), None) if order is not None else None
    return step.family if step is not None else ""
