"""Work moved by the shift at a machine: what a move changes, and whether it may be done without a planner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE
from servitwin.domain.schedule.by_hand import move_by_hand
from servitwin.domain.schedule.measure import OrderOutcome, measure
from servitwin.domain.schedule.problem import Placement, ScheduleProblem, predecessors
from servitwin.domain.schedule.reason import Reasons, span_words
from servitwin.domain.schedule.standing import Standing

FREEZE = 4 * HOUR
"""What begins on other machines within this time stays, where the company has not said otherwise."""
MOST_LINES = 6
How = Literal["first", "later"]


class ShiftMove(msgspec.Struct, frozen=True):
    """What a move would change.

    Attributes:
        ahead, behind: (order, operation) that goes first, and that waits for it.
        start: when what goes first begins (ns UTC).
        problem, placements: of the plan with it; it has passed the check.
        lines: what happens, in sentences.
        against: why it needs a planner: orders that it makes late, other machines that it disturbs. Empty: it does not.
    """

    machine: str
    ahead: tuple[str, str]
    behind: tuple[str, str]
    start: int
    problem: ScheduleProblem
    placements: tuple[Placement, ...]
    lines: tuple[str, ...]
    against: tuple[Fault, ...]


def move_in_shift(
    standing: Standing, machine: str, order: str, operation: str, how: How, freeze: int = FREEZE
) -> ShiftMove:
    """An operation before the one that is next at its machine (``first``), or behind the one after it (``later``).

    It may be done without a planner if no order is late by it that was in time, none later than it was, nothing changes
    its machine, and nothing on another machine that begins within ``freeze`` ns begins at another time. All of this is
    measured against the plan as it stands without the move, so that what has slipped before is not the move's.

    Raises:
        InvalidInputError: ``plan:unknown-operation``, ``plan:runs-already``, ``shift:...`` why it cannot be moved so,
            ``plan:...`` why it does not fit.
    """
    line = _line(standing, machine)
    key = _known(standing, machine, order, operation)
    at = next((n for n, p in enumerate(line) if p.key == key), None)
    if at is None:
        message = f"{order}/{operation} was rejected on {machine}"
        raise InvalidInputError(Fault("shift:was-rejected", message, "Ask for a plan anew", "operation"))
    if how == "first":
        if at == 0:
            raise InvalidInputError(Fault("shift:is-next", f"{order}/{operation} is next", "Begin it", "operation"))
        ahead, behind = line[at], line[0]
    else:
        if at + 1 == len(line):
            message = f"Nothing is planned on {machine} after {order}/{operation}"
            hint = "If it cannot be done here, reject it with the reason"
            raise InvalidInputError(Fault("shift:nothing-follows", message, hint, "operation"))
        ahead, behind = line[at + 1], line[at]
    _may_change_places(standing.problem, ahead, behind)
    problem, after = _moved(standing, machine, ahead, behind, how, first=behind is line[0])
    new = {p.key: p for p in after}
    problem = msgspec.structs.replace(problem, before=())
    against = tuple(_against(standing, after, machine, freeze))
    return ShiftMove(
        machine, ahead.key, behind.key, new[ahead.key].start, problem, after,
        tuple(_lines(standing, after, machine, ahead.key)), against,
    )  # fmt: skip


def _line(standing: Standing, machine: str) -> list[Placement]:
    """What is to be done at the machine, in its sequence."""
    refused = {(o, s) for o, s, m in standing.refused if m == machine}
    found = (p for p in standing.placements if p.machine == machine and not p.started and p.key not in refused)
    return sorted(found, key=lambda p: (p.begin, p.end))


def _known(standing: Standing, machine: str, order: str, operation: str) -> tuple[str, str]:
    p = next((p for p in standing.placements if p.key == (order, operation)), None)
    name = f"{order}/{operation}"
    if p is None:
        raise InvalidInputError(
            Fault("plan:unknown-operation", f"No {name} is planned", "See the published plan", "order")
        )
    if p.started:
        over = p.end <= standing.problem.start
        message = f"{name} is over by the plan" if over else f"{name} runs already: it stays"
        raise InvalidInputError(Fault("plan:runs-already", message, "Say that it is done, or reject it", "operation"))
    if p.machine != machine:
        message, hint = f"{name} is planned on {p.machine}, not on {machine}", "Whoever plans can put it elsewhere"
        raise InvalidInputError(Fault("shift:other-machine", message, hint, "machine"))
    return p.key


def _may_change_places(problem: ScheduleProblem, ahead: Placement, behind: Placement) -> None:
    if ahead.order != behind.order:
        return
    before = predecessors(next(o for o in problem.orders if o.id == ahead.order))
    waiting, seen = [ahead.operation], {ahead.operation}
    while waiting:
        for b in before[waiting.pop()]:
            if b not in seen:
                seen.add(b)
                waiting.append(b)
    if behind.operation in seen:
        message = f"{ahead.order}/{ahead.operation} is made of what {behind.order}/{behind.operation} gives"
        hint = "Move another one, or reject it with the reason"
        raise InvalidInputError(Fault("shift:comes-before", message, hint, "operation"))


def _moved(
    standing: Standing, machine: str, ahead: Placement, behind: Placement, how: How, *, first: bool
) -> tuple[ScheduleProblem, tuple[Placement, ...]]:
    """The plan in which the one goes ahead of the other; a machine waits only where that is what was asked for."""
    problem, plan = standing.problem, standing.placements
    if _part_there(standing, ahead) < behind.end:
        made, after = move_by_hand(problem, plan, *ahead.key, machine, problem.start if first else behind.begin)
        new = {p.key: p for p in after}
        if new[ahead.key].begin < (behind.end if how == "first" else new[behind.key].begin):
            return made, after
    if how == "first":
        names = "/".join(ahead.key), "/".join(behind.key)
        message = f"{names[0]} cannot begin before {names[1]} is done{_because(standing, ahead)}"
        raise InvalidInputError(Fault("shift:cannot-go-first", message, f"Do {names[1]} meanwhile", "operation"))
    return move_by_hand(problem, plan, *behind.key, machine, ahead.end)


def _part_there(standing: Standing, p: Placement) -> int:
    """When the last operation that it is made of ends by the plan."""
    lead = Reasons(standing.problem, standing.placements).leads_to(p.key)
    return standing.problem.start if lead is None else next(q.end for q in standing.placements if q.key == lead)


def _because(standing: Standing, p: Placement, *, work: bool = False) -> str:
    """What it waits for; with ``work`` also what else its machine does before."""
    reasons = Reasons(standing.problem, standing.placements)
    now, by = standing.problem.start, {q.key: q for q in standing.placements}
    lead = reasons.leads_to(p.key)
    if lead is not None and by[lead].end > now:
        return f": its part comes from {by[lead].machine} in {span_words(by[lead].end - now)}"
    skipped = {"setup", "planned", "fixed"} | (set() if work else {"busy"})
    waits = [w for w in reasons.of(p.key).waits if w.kind not in skipped]
    if waits:
        last = max(waits, key=lambda w: w.end)
        return f": {last.words()}, for another {span_words(max(MINUTE, last.end - now))}"
    return ""


def _against(standing: Standing, after: Sequence[Placement], machine: str, freeze: int) -> list[Fault]:
    faults = []
    before, now = _outcomes(standing.problem, standing.placements), _outcomes(standing.problem, after)
    for id, outcome in now.items():
        was = before[id].late
        if outcome.late > was:
            than = f" instead of {span_words(was)}" if was else "; without the move it is in time"
            message = f"{id} would be {span_words(outcome.late)} late{than}"
            faults.append(Fault("shift:order-late", message, "Ask the planner", id))
    new = {p.key: p for p in after}
    for p in standing.placements:
        q, name = new[p.key], f"{p.order}/{p.operation}"
        if q.machine != p.machine:
            message = f"{name} would go to {q.machine} instead of {p.machine}"
            faults.append(Fault("shift:other-machine-moves", message, "Ask the planner", p.machine))
        elif p.machine != machine and q.start != p.start and p.begin < standing.problem.start + freeze:
            message = (
                f"{p.machine} would begin {name} {_shift(q.start - p.start)}, within the next {span_words(freeze)}"
            )
            faults.append(Fault("shift:other-machine-moves", message, "Ask the planner", p.machine))
    return faults


def _lines(standing: Standing, after: Sequence[Placement], machine: str, ahead: tuple[str, str]) -> list[str]:
    """What happens, told for whoever stands at the machine; what goes first comes first."""
    old, now = {p.key: p for p in standing.placements}, standing.problem.start
    outcomes, due = _outcomes(standing.problem, after), {o.id: o for o in standing.problem.orders}
    first = next(p for p in after if p.key == ahead)
    wait = first.begin - now
    lines = [f"{'/'.join(ahead)} first: it begins {'now' if wait < MINUTE else 'in ' + span_words(wait)}"]
    if wait >= MINUTE and (why := _because(Standing(standing.problem, tuple(after), frozenset()), first, work=True)):
        lines[0] += why
    here = [p for p in after if p.machine == machine and p.key != ahead and p.start != old[p.key].start]
    for p in sorted(here, key=lambda p: p.begin)[:MOST_LINES]:
        word = _promise(outcomes[p.order], due[p.order].due)
        lines.append(f"{p.order}/{p.operation} begins {_shift(p.start - old[p.key].start)}, {word}")
    if len(here) > MOST_LINES:
        lines.append(f"On {machine}, {len(here) - MOST_LINES} more begin at another time")
    more = sum(p.setup for p in after) - sum(p.setup for p in standing.placements)
    if abs(more) >= MINUTE:
        lines.append(f"Change-overs take {span_words(abs(more))} {'more' if more > 0 else 'less'} in all")
    others = sum(1 for p in after if p.machine != machine and p.start != old[p.key].start)
    word = "1 operation begins" if others == 1 else f"{others} operations begin"
    lines.append(f"On other machines {word} at another time" if others else "Nothing moves on other machines")
    return lines


def _promise(outcome: OrderOutcome, due: int | None) -> str:
    if due is None:
        return "nothing is promised for it"
    if outcome.late:
        return f"{span_words(outcome.late)} late"
    spare = due - outcome.end
    return f"still in time by {span_words(spare)}" if spare >= MINUTE else "just in time"


def _shift(ns: int) -> str:
    return f"{span_words(abs(ns))} {'later' if ns > 0 else 'earlier'}"


def _outcomes(problem: ScheduleProblem, placements: Sequence[Placement]) -> dict[str, OrderOutcome]:
    return {o.order: o for o in measure(problem, placements).orders}
