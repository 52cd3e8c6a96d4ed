"""The search: a built plan first, then the whole model, or where that is too large, part of it after part."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator

from servitwin.domain.schedule.build import Builder, Ranking, rankings
from servitwin.domain.schedule.grid import Grid, Spot, Step
from servitwin.domain.schedule.measure import measure
from servitwin.services.operation.schedule.beside import Beside
from servitwin.services.operation.schedule.pure_shop import is_pure, least

WORKERS = 2
MOST_ARCS = 30_000  # of sequence-dependent set-ups in one model
MOST_STEPS = 2_500
PART = 60  # steps that are free in a part
PART_S = 3.0

Found = tuple[int, float, list[Spot]]


def _value(grid: Grid, spots: list[Spot]) -> int:
    return measure(grid.problem, grid.placements(spots)).value


def built(grid: Grid, seed: int) -> Iterator[Found]:
    """Plans of the builder, each better than the one before; first in the manner of the plan that holds."""
    best: int | None = None
    kept = _kept(grid)
    ways: list[tuple[Ranking, list[int] | None, list[int] | None]] = []
    if kept is not None:
        floor = [max(0, at) for at in _starts(grid)]
        ways += [(_as_before(grid), kept, floor), (_as_before(grid), None, floor), (_as_before(grid), kept, None)]
    ways += [(r, None, None) for r in rankings(grid, seed)]
    for ranking, keep, floor_or_none in ways:
        spots = Builder(grid).build(ranking, keep, floor_or_none)
        if spots is not None:
            value = _value(grid, spots)
            if best is None or value < best:
                best = value
                yield value, 0.0, spots


def _kept(grid: Grid) -> list[int] | None:
    if not grid.problem.before:
        return None
    kept = [-1] * len(grid.steps)
    for p in grid.problem.before:
        if p.key in grid.index:
            kept[grid.index[p.key]] = grid.machine_of.get(p.machine, -1)
    return kept


def _starts(grid: Grid) -> list[int]:
    """Where each step started in the plan before, in ticks; 0 for what is new."""
    found = [0] * len(grid.steps)
    for p in grid.problem.before:
        if p.key in grid.index:
            found[grid.index[p.key]] = grid.down(p.start)
    return found


def _as_before(grid: Grid) -> Ranking:
    """In the sequence of the plan before; what is new goes by what it would have to start by to be in time."""
    at = {grid.index[p.key]: float(grid.down(p.start)) for p in grid.problem.before if p.key in grid.index}
    other = rankings(grid, 0)[0]

    def ranking(step: Step) -> float:
        return at.get(step.index, other(step))

    return ranking


def improved(
    grid: Grid, start: list[Spot] | None, budget: int, seed: int, cancel: Callable[[], bool]
) -> Iterator[Found]:
    """Better and better plans from ``start`` on, with bounds; until the budget (ns) is used or nothing is better."""
    until = time.monotonic_ns() + budget
    arcs = sum(_pairs(grid, m) for m in range(len(grid.problem.machines)))
    if (arcs > MOST_ARCS or len(grid.steps) > MOST_STEPS) and start is not None:
        yield from _by_parts(grid, start, until, seed, cancel)
    else:
        yield from _whole(grid, start, until, seed, cancel)


def _pairs(grid: Grid, machine: int) -> int:
    if not grid.has_setups(machine):
        return 0
    return sum(1 for s in grid.steps if any(c.machine == machine for c in s.candidates)) ** 2


def _whole(grid: Grid, start: list[Spot] | None, until: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Found]:
    """The whole model in CP-SAT; beside it, where sequences are all there is to decide, a tabu search."""
    from ortools.sat.python import cp_model  # noqa: PLC0415 (80 MB, in a job alone)

    from servitwin.services.operation.schedule.model import ScheduleModel  # noqa: PLC0415

    pure = start is not None and is_pure(grid)
    whole = ScheduleModel(grid)
    if start is not None:
        whole.hint(start)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = WORKERS - pure
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_time_in_seconds = max(0.05, (until - time.monotonic_ns()) / 1e9)
    said: queue.SimpleQueue[list[Spot] | None] = queue.SimpleQueue()
    bounds = [float(least(grid)) * grid.problem.objective.makespan if pure else 0.0]

    class Listener(cp_model.CpSolverSolutionCallback):
        """Hands over each solution."""

        def on_solution_callback(self) -> None:
            said.put(whole.spots(self.value))

    def bound(value: float) -> None:
        bounds[0] = max(bounds[0], value)

    solver.best_bound_callback = bound
    listener = Listener()

    def solve() -> None:
        solver.solve(whole.model, listener)
        said.put(None)

    worker = threading.Thread(target=solve, daemon=True)
    worker.start()
    beside = Beside(grid, start, seed, said.put) if pure and start is not None else None
    best, last = (None, None) if start is None else (_value(grid, start), start)
    over, said_bound = False, 0.0
    while not over:
        try:
            found = said.get(timeout=0.1)
            over = found is None
        except queue.Empty:
            found = None
        value = 0 if found is None else _value(grid, found)
        if found is not None and (best is None or value < best):
            best, last, said_bound = value, found, min(bounds[0], value)
            yield best, said_bound, found
            if beside is not None:
                beside.offer(found)
        if cancel() or (best is not None and best <= bounds[0]):
            solver.stop_search()
    worker.join()
    if beside is not None:
        beside.stop()
    final = max(bounds[0], solver.best_objective_bound)
    if last is not None and best is not None and final > said_bound:
        yield best, min(float(best), final), last  # the same plan, of which more is known now


def _by_parts(grid: Grid, start: list[Spot], until: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Found]:
    """Large-neighbourhood search: part of the plan is solved anew, the rest keeps machines and sequence."""
    from ortools.sat.python import cp_model  # noqa: PLC0415 (80 MB, in a job alone)

    from servitwin.services.operation.schedule.model import ScheduleModel  # noqa: PLC0415
    from servitwin.services.operation.schedule.neighbourhood import Neighbourhood, draw  # noqa: PLC0415

    chance, spots, best, size = random.Random(seed), start, _value(grid, start), PART
    while (left := (until - time.monotonic_ns()) / 1e9) > 0.2 and not cancel():
        part = ScheduleModel(grid, Neighbourhood(grid, spots, draw(grid, spots, size, chance)))
        part.hint(spots)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = WORKERS
        solver.parameters.random_seed = chance.randrange(2**31)
        solver.parameters.max_time_in_seconds = min(PART_S, left)
        status = solver.solve(part.model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found = part.spots(solver.value)
            value = _value(grid, found)
            if value <= best:
                spots = found
                if value < best:
                    best = value
                    yield best, 0.0, spots
        size = max(20, int(size * (1.1 if status == cp_model.OPTIMAL else 0.8)))
