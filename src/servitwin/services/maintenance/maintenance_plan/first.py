"""A first plan within milliseconds: each task in turn, the least room first, at its cheapest begin that is free."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from servitwin.domain.instant import NS
from servitwin.domain.maintenance_placement import PlacementProblem, PlacementTask, site_of
from servitwin.services.maintenance.maintenance_plan.begins import Begins, Shift, able_at

Chosen = dict[str, tuple[str, int]]  # task -> technician, place among its begins


class _Book:
    """What is taken already: by machine, and by technician and shift with the site."""

    def __init__(self, problem: PlacementProblem) -> None:
        self._drive = problem.visit_s * NS
        self._machines: dict[str, list[tuple[int, int]]] = {}
        self._people: dict[tuple[str, Shift], list[tuple[int, int, str]]] = {}
        self._held = {p.id: p.stock for p in problem.parts}
        self._arrives = {p.id: p.arrives for p in problem.parts}

    def free(self, task: PlacementTask, who: str, shift: Shift, start: int, end: int) -> bool:
        """Whether a begin leaves alone what is taken; a technician stays at a site once in a shift."""
        if any(start < b and a < end for a, b in self._machines.get(task.machine, ())):
            return False
        if any(self._held[d.part] < d.quantity for d in task.parts if self._early(d.part, start)):
            return False
        own, others = list[tuple[int, int]](), list[tuple[int, int]]()
        for a, b, site in self._people.get((who, shift), ()):
            (own if site == site_of(task) else others).append((a, b))
        if any(start < b and a < end for a, b in own):
            return False
        begin, over = min([start, *(a for a, _ in own)]), max([end, *(b for _, b in own)])
        return all(over + self._drive <= a or b + self._drive <= begin for a, b in others)

    def take(self, task: PlacementTask, who: str, shift: Shift, start: int, end: int) -> None:
        """Enter a begin."""
        self._machines.setdefault(task.machine, []).append((start, end))
        self._people.setdefault((who, shift), []).append((start, end, site_of(task)))
        for need in task.parts:
            if self._early(need.part, start):
                self._held[need.part] -= need.quantity

    def visited(self, who: str, shift: Shift, site: str) -> bool:
        """Whether the technician is at that site in that shift anyhow."""
        return any(s == site for _, _, s in self._people.get((who, shift), ()))

    def _early(self, part: str, start: int) -> bool:
        arrives = self._arrives[part]
        return arrives is None or start < arrives


def first_plan(problem: PlacementProblem, begins: Mapping[str, Begins]) -> Chosen:
    """The plan; tasks that find no room are not in it."""
    book, chosen = _Book(problem), Chosen()
    for task in sorted(problem.tasks, key=lambda t: (t.latest - t.earliest, t.id)):
        options, fee = begins[task.id], float(problem.fee(site_of(task)))
        best: tuple[float, str, int] | None = None
        for n in np.argsort(options.cost, kind="stable").tolist():
            if best is not None and options.cost[n] > best[0]:
                break
            start, shift = int(options.start[n]), options.shifts[int(options.shift[n])][0]
            for person in able_at(options, n):
                own = 0.0 if book.visited(person.id, shift, site_of(task)) else fee
                cost = float(options.cost[n]) + options.labour(person.id) + own
                better = best is None or cost < best[0]
                if better and book.free(task, person.id, shift, start, start + task.duration_s * NS):
                    best = (cost, person.id, n)
        if best is not None:
            _, who, place = best
            start, shift = int(options.start[place]), options.shifts[int(options.shift[place])][0]
            book.take(task, who, shift, start, start + task.duration_s * NS)
            chosen[task.id] = (who, place)
    return chosen
