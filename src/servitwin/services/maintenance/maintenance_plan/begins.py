"""When a task could begin, with whom, and what each begin costs by itself."""

from __future__ import annotations

import numpy as np

from servitwin.domain.instant import HOUR, NS
from servitwin.domain.machine_occupation import LostCost
from servitwin.domain.maintenance_placement import (
    Choice,
    PlacementProblem,
    PlacementTask,
    PlacementTechnician,
    parts_ready,
)
from servitwin.domain.observation import Floats, Int64s

MOST = 300  # begins of a task with one technician; beyond it every other one is tried until they are few enough


class Begins:
    """Possible begins of one task with one technician (ns UTC, rising), and the parts of their cost."""

    def __init__(
        self, problem: PlacementProblem, task: PlacementTask, technician: PlacementTechnician, lost: LostCost
    ) -> None:
        length = task.duration_s * NS
        ready = parts_ready(problem, task)
        earliest = max(task.earliest, problem.now)
        starts, shifts = list[Int64s](), list[int]()
        for begin, end in technician.shifts:
            first, last = max(begin, earliest), min(end, task.latest) - length
            if ready is not None and first <= last:
                found = _within(problem, lost, length, first, last, task)
                starts.append(found)
                shifts += [begin] * len(found)
        self.start = np.concatenate(starts) if starts else np.zeros(0, np.int64)
        self.shift = np.array(shifts, np.int64)
        keep = np.ones(len(self.start), np.bool_)
        if task.stops_machine:
            keep &= lost.allowed(self.start, length)
        self.start, self.shift = self.start[keep], self.shift[keep]
        self.lost: Floats = lost.of(self.start, length) if task.stops_machine else np.zeros(len(self.start))
        self.risk = task.risk(self.start)
        self.labour = float(technician.rate_per_hour) * length / HOUR
        self.cost = self.lost + self.risk + self.labour
        self._thin()

    def choice(self, place: int) -> Choice:
        """The begin at ``place`` with its costs, to the cent."""
        lost, risk, labour = float(self.lost[place]), float(self.risk[place]), self.labour
        return Choice(
            int(self.start[place]), round(lost, 2), round(risk, 2), round(labour, 2), round(lost + risk + labour, 2)
        )

    def _thin(self) -> None:
        """Keep the ends and the cheapest of each shift, and of the rest every n-th."""
        count = len(self.start)
        if count <= MOST:
            return
        keep = np.zeros(count, np.bool_)
        keep[:: -(-count // MOST)] = True
        keep[[0, -1]] = True
        for shift in np.unique(self.shift):
            places = np.flatnonzero(self.shift == shift)
            keep[places[np.argmin(self.cost[places])]] = True
        for name in ("start", "shift", "lost", "risk", "cost"):
            setattr(self, name, getattr(self, name)[keep])


def _within(
    problem: PlacementProblem, lost: LostCost, length: int, first: int, last: int, task: PlacementTask
) -> Int64s:
    """Begins in [first, last]: multiples of the step, both ends, where the cost changes, and where parts arrive."""
    step = problem.step_s * NS
    grid = np.arange(-(-first // step) * step, last + 1, step, dtype=np.int64)
    edges = (
        [e for edge in lost.edges() for e in (edge, edge - length) if first <= e <= last] if task.stops_machine else []
    )
    arrivals = [p.arrives for p in problem.parts if p.arrives is not None and first <= p.arrives <= last]
    return np.unique(np.concatenate([grid, np.array([first, last, *edges, *arrivals], np.int64)]))
