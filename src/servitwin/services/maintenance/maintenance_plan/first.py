"""Plans within milliseconds and seconds: each task at its cheapest begin that is free, then some of them otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from servitwin.domain.instant import NS
from servitwin.domain.maintenance_placement import LEAVING_OUT, PlacementProblem, PlacementTask, site_of
from servitwin.services.maintenance.maintenance_plan.begins import Begins, Shift

PATIENCE = 60  # tries without anything better, for each task, before it is left to the exact search
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


class _Option(NamedTuple):
    cost: float
    technician: str
    place: int
    start: int
    shift: Shift


class FirstPlans:
    """A first plan, and better ones by taking a few tasks out and putting them in again in another order."""

    def __init__(self, problem: PlacementProblem, begins: Mapping[str, Begins]) -> None:
        self._problem = problem
        self._tasks = {t.id: t for t in problem.tasks}
        self._options = {id: _options(b) for id, b in begins.items()}
        self._chosen: dict[str, _Option] = {}

    def first(self) -> Chosen:
        """Each task in turn, the least room first; those that find no room are not in it."""
        order = sorted(self._problem.tasks, key=lambda t: (t.latest - t.earliest, t.id))
        self._chosen = self._put(_Book(self._problem), {}, [t.id for t in order])
        return self._told()

    def better(self, seconds: float, seed: int, stop: Callable[[], bool]) -> Chosen:
        """The best that is found within some seconds (ruin and recreate, Schrimpf and others 2000)."""
        random, until = Random(seed), time.monotonic() + seconds
        best, ids = self._value(self._chosen), sorted(self._tasks)
        idle, patience = 0, PATIENCE * len(ids)
        while idle < patience and time.monotonic() < until and not stop() and len(ids) > 1:
            out = self._some(random, ids)
            book, kept = _Book(self._problem), {i: o for i, o in self._chosen.items() if i not in out}
            for id, option in kept.items():
                self._take(book, id, option)
            random.shuffle(out)
            tried = self._put(book, kept, out)
            value = self._value(tried)
            idle = 0 if value < best - 1e-9 else idle + 1
            if value <= best + 1e-9:
                best, self._chosen = value, tried
        return self._told()

    def _some(self, random: Random, ids: list[str]) -> list[str]:
        """A few tasks: any, or those done near the time of one of them; what has no place is always among them."""
        count = min(len(ids), random.randint(2, 6))
        if random.random() < 0.5 and self._chosen:
            middle = self._chosen[random.choice(sorted(self._chosen))].start
            near = sorted(self._chosen, key=lambda i: abs(self._chosen[i].start - middle))
            out = near[:count]
        else:
            out = random.sample(ids, count)
        return sorted({*out, *(i for i in ids if i not in self._chosen)})

    def _put(self, book: _Book, kept: dict[str, _Option], ids: list[str]) -> dict[str, _Option]:
        found = dict(kept)
        for id in ids:
            task = self._tasks[id]
            site, length = site_of(task), task.duration_s * NS
            fee = float(self._problem.fee(site))
            best: tuple[float, _Option] | None = None
            for option in self._options[id]:
                if best is not None and option.cost >= best[0]:
                    break
                cost = option.cost + (0.0 if book.visited(option.technician, option.shift, site) else fee)
                better = best is None or cost < best[0]
                if better and book.free(task, option.technician, option.shift, option.start, option.start + length):
                    best = (cost, option)
            if best is not None:
                found[id] = best[1]
                self._take(book, id, best[1])
        return found

    def _take(self, book: _Book, id: str, option: _Option) -> None:
        task = self._tasks[id]
        book.take(task, option.technician, option.shift, option.start, option.start + task.duration_s * NS)

    def _value(self, chosen: Mapping[str, _Option]) -> float:
        visits = {(o.technician, site_of(self._tasks[i]), o.shift) for i, o in chosen.items()}
        fees = sum(float(self._problem.fee(site)) for _, site, _ in visits)
        missing = len(self._tasks) - len(chosen)
        return sum(o.cost for o in chosen.values()) + fees + float(LEAVING_OUT) * missing

    def _told(self) -> Chosen:
        return {id: (o.technician, o.place) for id, o in self._chosen.items()}


def _options(begins: Begins) -> list[_Option]:
    """Every begin with every technician, the cheapest first."""
    found = []
    for place, start in enumerate(begins.start.tolist()):
        shift, people = begins.shifts[int(begins.shift[place])]
        cost = float(begins.cost[place])
        found += [_Option(cost + begins.labour(who), who, place, start, shift) for who in people]
    return sorted(found)
