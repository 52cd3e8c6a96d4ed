"""Part of a plan that is left free while the rest keeps its machines and its sequence."""

from __future__ import annotations

import random
from bisect import bisect_left
from itertools import pairwise

from servitwin.domain.schedule.grid import Grid, Spot


class Neighbourhood:
    """``free`` steps may go anywhere; the others stay on their machine in their order, at any time."""

    def __init__(self, grid: Grid, spots: list[Spot], free: set[int]) -> None:
        self.spots, self.free = spots, free
        self._chains: list[list[int]] = [[] for _ in grid.problem.machines]
        for index in sorted(range(len(spots)), key=lambda i: (spots[i].begin, spots[i].end)):
            if index not in free:
                self._chains[spots[index].machine].append(index)
        self._fixed = {s.index for s in grid.steps if s.fixed is not None}
        self._place = {i: n for chain in self._chains for n, i in enumerate(chain)}
        self._starts = [[spots[i].begin for i in chain] for chain in self._chains]

    def chain(self, machine: int) -> list[tuple[int, int]]:
        """Neighbours that stay in this order on the machine."""
        kept = self._chains[machine]
        return [(i, j) for i, j in pairwise(kept) if not {i, j} <= self._fixed]

    def may_follow(self, i: int, j: int) -> bool:
        """Whether ``j`` may come directly after ``i`` on a machine: kept ones follow only their neighbour."""
        if i in self.free or j in self.free:
            return True
        return self._place[j] == self._place[i] + 1


def draw(grid: Grid, spots: list[Spot], size: int, chance: random.Random) -> set[int]:
    """About ``size`` steps to leave free: a stretch of time, some machines, or the orders that are late.

    Three kinds, as in the large-neighbourhood searches for job shops: time windows free everything at work then,
    machines free their neighbours in time, orders free all of their steps.
    """
    free = [s.index for s in grid.steps if s.fixed is None]
    if len(free) <= size:
        return set(free)
    kind = chance.random()
    by_start = sorted(free, key=lambda i: spots[i].start)
    if kind < 0.5:
        at = chance.randrange(len(by_start))
        low = max(0, min(at - size // 2, len(by_start) - size))
        return set(by_start[low : low + size])
    if kind < 0.75:
        machines = list(range(len(grid.problem.machines)))
        chance.shuffle(machines)
        chosen = set(machines[: max(2, len(machines) // 3)])
        there = [i for i in by_start if spots[i].machine in chosen]
        if not there:
            return set(by_start[:size])
        at = bisect_left([spots[i].start for i in there], spots[there[chance.randrange(len(there))]].start)
        low = max(0, min(at - size // 2, len(there) - size))
        return set(there[low : low + size])
    orders = list(range(len(grid.problem.orders)))
    lateness = {n: 0 for n in orders}
    for step, spot in zip(grid.steps, spots, strict=True):
        due = grid.problem.orders[step.order].due
        if due is not None:
            lateness[step.order] = max(lateness[step.order], spot.end - grid.down(due))
    orders.sort(key=lambda n: (lateness[n] <= 0, chance.random()))
    chosen_steps: set[int] = set()
    for n in orders:
        chosen_steps |= {i for i in free if grid.steps[i].order == n}
        if len(chosen_steps) >= size:
            break
    return chosen_steps
