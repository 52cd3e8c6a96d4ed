"""A plan in milliseconds: operations placed one after the other, each where it ends first, gaps used.

The serial schedule generation scheme of project scheduling (Kolisch 1996), with calendars, set-ups, crews and stock.
It gives the first answer after a breakdown, and the solver its start.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence

from servitwin.domain.schedule.grid import Candidate, Grid, Spot, Step

Ranking = Callable[[Step], float]


class Builder:
    """Places steps of a grid; made anew for each plan."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._spots: list[Spot | None] = [s.fixed for s in grid.steps]
        self._busy: list[list[tuple[int, int, str, int]]] = [[] for _ in grid.problem.machines]
        self._crews: list[list[tuple[int, int]]] = [[] for _ in grid.problem.crews]
        self._stock = []
        for m in grid.problem.materials:
            events = [(grid.up(a.time), a.amount) for a in m.arrivals]
            self._stock.append(sorted([(0, m.stock), *((max(0, t), a) for t, a in events)]))
        for step in grid.steps:
            if step.fixed is not None:
                self._take(step, step.fixed)

    def build(
        self, ranking: Ranking, keep: Sequence[int] | None = None, floor: Sequence[int] | None = None
    ) -> list[Spot] | None:
        """Places all, always the possible step with the smallest rank; None where one fits nowhere.

        Args:
            ranking: smaller goes first.
            keep: machine per step that is preferred to others (-1: none), for a plan that disturbs little.
            floor: tick per step before which it does not start, for the same reason.
        """
        steps = self._grid.steps
        waiting = [sum(1 for b in s.before if self._spots[b] is None) for s in steps]
        ready = [(ranking(s), s.index) for s in steps if not waiting[s.index] and self._spots[s.index] is None]
        heapq.heapify(ready)
        while ready:
            _, index = heapq.heappop(ready)
            step = steps[index]
            least = step.release if floor is None else max(step.release, floor[index])
            spot = self._best(step, keep[index] if keep is not None else -1, least)
            if spot is None or spot.end > step.deadline:
                return None
            self._spots[index] = spot
            self._take(step, spot)
            for after in step.after:
                waiting[after] -= 1
                if not waiting[after] and self._spots[after] is None:
                    heapq.heappush(ready, (ranking(steps[after]), after))
        placed = [s for s in self._spots if s is not None]
        return placed if len(placed) == len(steps) else None

    def _best(self, step: Step, kept: int, not_before: int) -> Spot | None:
        best: Spot | None = None
        least = (True, 0)
        for candidate in step.candidates:
            spot = self._earliest(step, candidate, not_before)
            if spot is not None:
                key = (kept >= 0 and spot.machine != kept, spot.end + candidate.cost)
                if best is None or key < least:
                    best, least = spot, key
        return best

    def _earliest(self, step: Step, candidate: Candidate, not_before: int) -> Spot | None:
        grid, machine = self._grid, candidate.machine
        openings = grid.openings(machine, candidate.crew)
        at = not_before
        for b in step.before:
            spot = self._spots[b]
            if spot is not None:
                at = max(at, spot.end + grid.move(spot.machine, machine))
        for material, amount in step.needs:
            arrived = self._available(material, amount)
            if arrived is None:
                return None
            at = max(at, arrived)
        busy, setups = self._busy[machine], grid.has_setups(machine)
        k = bisect_left(busy, (at, -1, "", -1))
        if k and busy[k - 1][1] > at:
            k -= 1
        k = max(0, k - 1)
        while k <= len(busy):
            free, family = (busy[k - 1][1], busy[k - 1][2]) if k else (0, grid.first_family(machine))
            limit = busy[k][0] if k < len(busy) else grid.end
            setup = grid.setup(machine, family, step.family) if setups else 0
            low = max(at, free + setup)
            if k < len(busy) and (
                low + candidate.duration > limit or (setups and not self._seamless(step, machine, k))
            ):
                k += 1
                continue
            found = openings.earliest(low, candidate.duration, setup, step.pausable)
            if found is None:
                return None
            start, end = found
            if end > limit:
                k += 1
                continue
            if candidate.crew >= 0:
                free_at = self._crew_free(candidate.crew, start - setup, end)
                if free_at > start - setup:
                    at = max(at + 1, free_at + setup)
                    continue
            return Spot(machine, candidate.crew, start, end, setup)
        return None

    def _seamless(self, step: Step, machine: int, k: int) -> bool:
        """Whether the next one there keeps its set-up if the step comes before it."""
        _, _, family, index = self._busy[machine][k]
        spot = self._spots[index]
        return spot is not None and self._grid.setup(machine, step.family, family) == spot.setup

    def _available(self, material: int, amount: int) -> int | None:
        """First tick from which on the stock never falls below the amount."""
        level, needed_from = 0, 0
        for n, (at, change) in enumerate(self._stock[material]):
            level += change
            last = n + 1 == len(self._stock[material]) or self._stock[material][n + 1][0] > at
            if last and level < amount:
                needed_from = -1
            elif last and needed_from < 0:
                needed_from = at
        return needed_from if needed_from >= 0 else None

    def _crew_free(self, crew: int, begin: int, end: int) -> int:
        """``begin`` if somebody of the crew is free throughout, else when the first of those at work is done."""
        count = self._grid.problem.crews[crew].count
        meets = [(s, e) for s, e in self._crews[crew] if s < end and e > begin]
        if len(meets) < count:
            return begin
        for at in sorted({begin, *(max(s, begin) for s, _ in meets)}):
            if sum(1 for s, e in meets if s <= at < e) >= count:
                return min(e for s, e in meets if s <= at < e)
        return begin

    def _take(self, step: Step, spot: Spot) -> None:
        family = step.family
        insort(self._busy[spot.machine], (spot.begin, spot.end, family, step.index))
        if spot.crew >= 0:
            self._crews[spot.crew].append((spot.begin, spot.end))
        if not step.started:
            for material, amount in step.needs:
                insort(self._stock[material], (spot.start, -amount))


def rankings(grid: Grid, seed: int) -> list[Ranking]:
    """Orders in which to place: what is urgent first, what has most work left first, and mixtures of both."""
    left: list[float] = [0.0] * len(grid.steps)
    due = [float(grid.down(o.due)) if o.due is not None else float(grid.end) for o in grid.problem.orders]
    for step in _backwards(grid):
        own = min((c.duration for c in step.candidates), default=0)
        left[step.index] = own + max((left[a] for a in step.after), default=0.0)
    weight = [max(1, o.weight) for o in grid.problem.orders]
    chance = random.Random(seed)
    noise = [chance.random() for _ in grid.steps]
    longest = max(left, default=1.0) or 1.0
    return [
        lambda s: due[s.order] - left[s.index],
        lambda s: -left[s.index],
        lambda s: (due[s.order] - left[s.index]) / weight[s.order],
        lambda s: -left[s.index] * (0.9 + 0.2 * noise[s.index]),
        lambda s: due[s.order] - left[s.index] + 0.1 * longest * noise[s.index],
    ]


def _backwards(grid: Grid) -> list[Step]:
    """Steps with every successor before them."""
    waiting = [len(s.after) for s in grid.steps]
    ready = [s.index for s in grid.steps if not s.after]
    found = []
    while ready:
        step = grid.steps[ready.pop()]
        found.append(step)
        for b in step.before:
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    return found
