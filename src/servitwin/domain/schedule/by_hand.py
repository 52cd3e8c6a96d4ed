"""A plan changed by hand: one operation where somebody wants it, the rest repaired around it and checked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.schedule.build import Builder, Ranking
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.grid import Grid, Step
from servitwin.domain.schedule.problem import Placement, ScheduleProblem


def move_by_hand(
    problem: ScheduleProblem,
    placements: Sequence[Placement],
    order: str,
    operation: str,
    machine: str,
    start: int,
) -> tuple[ScheduleProblem, tuple[Placement, ...]]:
    """The plan with an operation on ``machine`` from ``start`` (ns UTC) on, or as soon after as it can be there.

    What it displaces moves behind it; what need not move stays. The problem that comes back has the old plan as
    ``before``, so that the two can be compared.

    Raises:
        InvalidInputError: ``plan:unknown-operation``, ``plan:runs-already``, ``plan:wrong-machine-or-crew``,
            ``plan:does-not-fit``, or what the check finds.
    """
    old = {p.key: p for p in placements}
    key = (order, operation)
    name = f"{order}/{operation}"
    if key not in old:
        raise InvalidInputError(
            Fault("plan:unknown-operation", f"The plan has no {name}", "See its orders", "operation")
        )
    if old[key].started:
        hint = "Say that it is done, or reject it"
        raise InvalidInputError(Fault("plan:runs-already", f"{name} runs already: it stays", hint, "operation"))
    asked = msgspec.structs.replace(problem, before=tuple(placements), fixed=_others_fixed(problem, key))
    grid = Grid(asked)
    step = grid.steps[grid.index[key]]
    ways = [c for c in step.candidates if c.machine == grid.machine_of.get(machine, -1)]
    if not ways:
        modes = sorted({grid.problem.machines[c.machine].id for c in step.candidates})
        hint = f"It can be done on {', '.join(modes)}"
        raise InvalidInputError(
            Fault("plan:wrong-machine-or-crew", f"{name} cannot be done on {machine}", hint, "machine")
        )
    step.candidates = ways
    wanted = max(step.release, grid.up(start))
    for choose in (True, False):
        floors = _floors(grid, old, key, wanted, choose)
        spots = Builder(grid).build(_before_others(grid, old, key, wanted), _machines(grid, old), floors)
        if spots is not None:
            made = grid.placements(spots)
            faults = check_plan(asked, made)
            if faults:
                raise InvalidInputError(faults)
            return asked, made
    hint = "Choose an earlier time or another machine; see its shifts, blocked time and the deadlines of what follows"
    raise InvalidInputError(Fault("plan:does-not-fit", f"{name} does not fit on {machine} there", hint, "start"))


def _others_fixed(problem: ScheduleProblem, key: tuple[str, str]) -> tuple[Placement, ...]:
    return tuple(p for p in problem.fixed if p.key != key)


def _machines(grid: Grid, old: dict[tuple[str, str], Placement]) -> list[int]:
    return [grid.machine_of.get(old[s.key].machine, -1) if s.key in old else -1 for s in grid.steps]


def _floors(
    grid: Grid, old: dict[tuple[str, str], Placement], key: tuple[str, str], wanted: int, stay: bool
) -> list[int]:
    """Nothing starts earlier than it did, so that what need not move stays; ``stay`` False lets all move up."""
    floors = []
    for s in grid.steps:
        if s.key == key:
            floors.append(wanted)
        else:
            floors.append(max(0, grid.down(old[s.key].start)) if stay and s.key in old else 0)
    return floors


def _before_others(grid: Grid, old: dict[tuple[str, str], Placement], key: tuple[str, str], wanted: int) -> Ranking:
    """In the sequence of the old plan, the moved one just before what began at that time."""

    def ranking(step: Step) -> float:
        if step.key == key:
            return wanted - 0.5
        ahead = _leads(grid, step, key)
        at = float(grid.down(old[step.key].start)) if step.key in old else float(grid.end)
        return min(at, wanted - 0.75) if ahead else at

    return ranking


def _leads(grid: Grid, step: Step, key: tuple[str, str]) -> bool:
    """Whether the step has to be done before the moved one."""
    if grid.problem.orders[step.order].id != key[0]:
        return False
    seen, waiting = set(), list(step.after)
    while waiting:
        i = waiting.pop()
        if grid.steps[i].key == key:
            return True
        if i not in seen:
            seen.add(i)
            waiting += grid.steps[i].after
    return False
