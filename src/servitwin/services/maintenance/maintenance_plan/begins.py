"""When a task could begin, and what each begin costs by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from servitwin.domain.instant import HOUR, NS
from servitwin.domain.machine_occupation import LostCost
from servitwin.domain.maintenance_placement import (
    Choice,
    PlacementProblem,
    PlacementTask,
    parts_ready,
)
from servitwin.domain.observation import Floats, Int64s

MOST = 240  # begins of a task; beyond it every n-th is tried, and the cheapest of each shift

Shift = tuple[int, int]  # [start, end) in ns UTC; technicians who work the same hours share it


class Begins:
    """Possible begins of one task (ns UTC), by shift and time, with the parts of their cost that no technician changes.

    ``shifts``: with the technicians who could do it then; ``shift``: place among them for each begin.
    """

    def __init__(self, problem: PlacementProblem, task: PlacementTask, lost: LostCost) -> None:
        self.task = task
        self._length = length = task.duration_s * NS
        able = [t for t in problem.technicians if set(task.skills) <= set(t.skills)]
        self.technicians = {t.id: t for t in able}
        self.shifts: list[tuple[Shift, list[str]]] = []
        ready, earliest = parts_ready(problem, task), max(task.earliest, problem.now)
        starts, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for shift in sorted({s for t in able for s in t.shifts}):
            first, last = max(shift[0], earliest), min(shift[1], task.latest) - length
            if ready is not None and first <= last:
                found = _within(problem, lost, task, first, last)
                if task.stops_machine:
                    found = found[lost.allowed(found, length)]
                if len(found):
                    places.append(np.full(len(found), len(self.shifts)))
                    starts.append(found)
                    self.shifts.append((shift, [t.id for t in able if shift in t.shifts]))
        self.start, self.shift = np.concatenate(starts), np.concatenate(places)
        self.lost: Floats = lost.of(self.start, length) if task.stops_machine else np.zeros(len(self.start))
        self.risk = task.risk(self.start)
        self._thin()

    @property
    def cost(self) -> Floats:
        """What each begin costs without labour."""
        return np.asarray(self.lost + self.risk)

    def labour(self, technician: str) -> float:
        """What a technician's time costs."""
        return float(self.technicians[technician].rate_per_hour) * self._length / HOUR

    def choice(self, place: int, technician: str) -> Choice:
        """The begin at ``place`` with its costs, to the cent."""
        lost, risk, labour = float(self.lost[place]), float(self.risk[place]), self.labour(technician)
        return Choice(
            int(self.start[place]), round(lost, 2), round(risk, 2), round(labour, 2), round(lost + risk + labour, 2)
        )

    def choices(self) -> Sequence[Choice]:
        """Every begin with the cheapest technician who could do it then."""
        cheapest = [min(people, key=self.labour) for _, people in self.shifts]
        return [self.choice(n, cheapest[int(place)]) for n, place in enumerate(self.shift)]

    def _thin(self) -> None:
        """Keep the ends and the cheapest of each shift, and of the rest every n-th."""
        count = len(self.start)
        if count <= MOST:
            return
        keep = np.zeros(count, np.bool_)
        keep[:: -(-count // MOST)] = True
        keep[[0, -1]] = True
        for place in range(len(self.shifts)):
            places = np.flatnonzero(self.shift == place)
            keep[places[np.argmin(self.cost[places])]] = True
        for name in ("start", "shift", "lost", "risk"):
            setattr(self, name, getattr(self, name)[keep])


def _within(problem: PlacementProblem, lost: LostCost, task: PlacementTask, first: int, last: int) -> Int64s:
    """Begins in [first, last]: multiples of the step, both ends, where the cost changes, and where parts arrive."""
    step, length = problem.step_s * NS, task.duration_s * NS
    grid = np.arange(-(-first // step) * step, last + 1, step, dtype=np.int64)
    cuts = lost.edges() if task.stops_machine else []
    edges = [e for cut in cuts for e in (cut, cut - length) if first <= e <= last]
    arrivals = [p.arrives for p in problem.parts if p.arrives is not None and first <= p.arrives <= last]
    return np.unique(np.concatenate([grid, np.array([first, last, *edges, *arrivals], np.int64)]))
