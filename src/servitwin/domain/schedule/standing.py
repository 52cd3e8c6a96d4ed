"""The plan that holds, as it stands now: what is over and what runs are facts, the rest is still to be done."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.schedule.assemble import Progress
from servitwin.domain.schedule.build import Builder
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.grid import Grid, Step
from servitwin.domain.schedule.problem import Operation, Order, Placement, ScheduleProblem, predecessors

MOST_FAULTS = 5


class Standing(msgspec.Struct, frozen=True):
    """A plan at an instant, its problem's start.

    Attributes:
        problem: with what is known now of machines, people and material; facts are ``fixed`` and ``started``.
        placements: of facts and of all that is to be done, none of it in the past.
        refused: (order, operation, machine) that was rejected there and is still open.
    """

    problem: ScheduleProblem
    placements: tuple[Placement, ...]
    refused: frozenset[tuple[str, str, str]]


def stand(
    planned: ScheduleProblem, placements: Sequence[Placement], fresh: ScheduleProblem, happened: Progress
) -> Standing:
    """The plan at the start of ``fresh``; where nothing has slipped, everything to be done is where it was.

    Orders that the plan does not know stay unplanned, and what it knows and the registers no longer do stays planned:
    both are for whoever plans. What has slipped moves on in the sequence that it had.

    Args:
        planned: what the plan was made of.
        placements: of the plan.
        fresh: what is known now.
        happened: how far the plan has come.

    Raises:
        ConflictError: ``plan:outdated`` with what cannot be kept, where it no longer can be carried out at all.
    """
    now = fresh.start
    running = {p.key: msgspec.structs.replace(p, started=True) for p in happened.running}
    facts = {
        p.key: running[p.key] if p.key in running else _over(p, now)
        for p in placements
        if p.key in running or p.key in happened.done
    }
    known = {o.id: o for o in fresh.orders}
    machines = {m.id: m for m in planned.machines} | {m.id: m for m in fresh.machines}
    problem = msgspec.structs.replace(
        fresh,
        machines=tuple(machines[id] for id in sorted(machines)),
        orders=tuple(_order(o, known.get(o.id), {k[1] for k in facts if k[0] == o.id}) for o in planned.orders),
        tick=planned.tick,
        fixed=tuple(facts.values()),
        before=(),
    )
    there = tuple(facts.get(p.key, p) for p in placements)
    faults = check_plan(problem, there)
    if not faults:
        return Standing(problem, there, happened.refused)
    moved_on = _moved_on(problem, there, {(o, s) for o, s, _ in happened.refused})
    if moved_on is None or check_plan(problem, moved_on):
        head = Fault("plan:outdated", "The plan that holds can no longer be carried out", "Ask for a plan anew", "plan")
        raise ConflictError([head, *faults[:MOST_FAULTS]])
    return Standing(problem, moved_on, happened.refused)


def _over(p: Placement, now: int) -> Placement:
    """What is over ended by now, also where it was planned for later."""
    end = min(p.end, now)
    start = min(p.start, end)
    return msgspec.structs.replace(p, start=start, end=end, setup=p.setup if start == p.start else 0, started=True)


def _order(planned: Order, known: Order | None, facts: set[str]) -> Order:
    """Its operations are those of the plan: as they were planned where they are over, else as they are known now."""
    if known is None:
        return planned
    now, led = {s.id: s for s in known.operations}, predecessors(known)
    names, was_led = {s.id for s in planned.operations}, predecessors(planned)

    def as_known(s: Operation) -> Operation:
        newer = now.get(s.id)
        if newer is None or s.id in facts:
            return msgspec.structs.replace(s, after=was_led[s.id])
        return msgspec.structs.replace(newer, after=tuple(a for a in led[s.id] if a in names))

    return msgspec.structs.replace(known, operations=tuple(as_known(s) for s in planned.operations))


def _moved_on(
    problem: ScheduleProblem, placements: Sequence[Placement], refused: set[tuple[str, str]]
) -> tuple[Placement, ...] | None:
    """Everything in its sequence, none earlier than planned; what was rejected, and is late by that, gives way."""
    grid = Grid(problem)
    old = {p.key: p for p in placements}
    floors = [max(0, grid.down(old[s.key].start)) for s in grid.steps]

    def ranking(step: Step) -> float:
        at = grid.down(old[step.key].start)
        return float(grid.end if step.key in refused and at < 0 else at)

    spots = Builder(grid).build(ranking, [grid.machine_of.get(old[s.key].machine, -1) for s in grid.steps], floors)
    return None if spots is None else grid.placements(spots)
