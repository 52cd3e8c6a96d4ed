"""Plans of a pure shop that are searched one after another and bred from each other.

A few good plans are kept; the next search begins between two of them (after the path relinking of Peng, Lü and Cheng
2015). Between: operations are put in the sequence of weighted means of their places in both, which keeps every routing,
so that any weights give a plan.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from servitwin.domain.observation import Floats, Int64s
from servitwin.domain.schedule.grid import Spot
from servitwin.services.operation.schedule.pure_shop import BEFORE, DURATION, NONE
from servitwin.services.operation.schedule.sequences import (
    BEST_MACHINE,
    BEST_ORDER,
    HEAD,
    LENGTH,
    MACHINE,
    PLACE,
    empty_plan,
    lay,
)
from servitwin.services.operation.schedule.tabu import BEST, NOW, PRESENT, QUIET, empty_memory, search

SIZE = 8
STALE = 24  # plans in a row that are none of the best so far: all are bred out, and it begins anew
PATIENCE = 12_500  # moves without a better plan before the next search begins
MOVES = 2_000  # between two looks at what others found
ALIKE = 1.0  # places by which operations of one plan are off those of another on average


class Kept(NamedTuple):
    """A plan: how long, place of each operation in its sequence, and machines."""

    makespan: int
    place: Floats
    machine: Int64s


class Population:
    """Searches a slice at a time; ``seed`` decides all chance, time only how far it comes."""

    def __init__(self, shop: Int64s, start: list[Spot], seed: int) -> None:
        machines, orders = len(shop) - DURATION, int(np.count_nonzero(shop[BEFORE] == NONE))
        self._tenure = 10 + orders // max(1, machines)
        self._spread = max(4, int((1.4 if orders <= 2 * machines else 1.5) * self._tenure))
        self._shop, self._plan = shop, empty_plan(shop)
        self._chance, (self._until, self._state) = np.random.default_rng(seed), empty_memory(shop, seed)
        self._kept: list[Kept] = []
        self._born = 0
        self._stale = 0
        self._offers: deque[tuple[Int64s, Int64s]] = deque([_sequence(start)])
        self._best: tuple[Int64s, Int64s] = self._offers[0]
        self.makespan = max(s.end for s in start)
        self._next()

    def offer(self, spots: list[Spot]) -> None:
        """A plan found elsewhere: the next search begins there. May be called while another thread searches."""
        self._offers.append(_sequence(spots))

    def spots(self) -> list[Spot]:
        """The best plan."""
        plan = empty_plan(self._shop)
        lay(self._shop, plan, *self._best)
        rows = (plan[row, : self._shop.shape[1]].tolist() for row in (MACHINE, HEAD, LENGTH))
        return [Spot(machine, NONE, head, head + length) for machine, head, length in zip(*rows, strict=True)]

    def run(self) -> bool:
        """Some moves; true if the best became better."""
        memory = self._until, self._state
        ended = search(self._shop, self._plan, *memory, MOVES, PATIENCE, self._tenure, self._spread)
        found = int(self._state[BEST])
        better = found < self.makespan
        if better:
            self.makespan, self._best = found, self._found()
        if ended or self._offers:
            self._keep()
            self._next()
        return better

    def _found(self) -> tuple[Int64s, Int64s]:
        """The best plan of this search."""
        order, machine = self._plan[[BEST_ORDER, BEST_MACHINE], : self._shop.shape[1]]
        return order, machine

    def _keep(self) -> None:
        order, machine = self._found()
        makespan = lay(self._shop, self._plan, order, machine)
        place = np.empty(len(order))
        place[np.lexsort((self._plan[PLACE, : len(order)], self._plan[HEAD, : len(order)]))] = np.arange(len(order))
        known = any(makespan == k.makespan and _alike(k, place, machine) for k in self._kept)
        worst = max((k.makespan for k in self._kept), default=makespan)
        self._stale = 0 if not known and (makespan < worst or len(self._kept) < SIZE) else self._stale + 1
        if not known:
            self._kept.append(Kept(makespan, place, machine))
        if self._stale > STALE:
            self._kept, self._born, self._stale = [], 0, 0
        if len(self._kept) > SIZE:
            self._kept.remove(max(self._kept, key=lambda k: k.makespan))

    def _next(self) -> None:
        if self._offers:
            order, machine = self._offers.popleft()
        elif self._born < SIZE or len(self._kept) < 2:
            order, machine = self._any()
        else:
            order, machine = self._between()
        self._born += 1
        makespan = lay(self._shop, self._plan, order, machine)
        n = len(order)
        self._plan[BEST_ORDER, :n], self._plan[BEST_MACHINE, :n] = order, machine
        self._until[:] = 0
        self._state[NOW] = self._state[QUIET] = 0
        self._state[PRESENT] = self._state[BEST] = makespan

    def _any(self) -> tuple[Int64s, Int64s]:
        """A plan by chance."""
        shop, chance = self._shop, self._chance
        depth: Floats = chance.random(len(shop[BEFORE]))
        for i, before in enumerate(shop[BEFORE]):  # operations of an order are listed in sequence
            if before != NONE:
                depth[i] += depth[before]
        ways = shop[DURATION:]
        machine = np.where(ways < 0, -math.inf, chance.random(ways.shape)).argmax(0)
        return np.argsort(depth, kind="stable"), machine

    def _between(self) -> tuple[Int64s, Int64s]:
        a, b = (self._kept[k] for k in self._chance.choice(len(self._kept), 2, replace=False))
        weight = self._chance.uniform(0.3, 0.7)
        machine = np.where(self._chance.random(len(a.machine)) < weight, a.machine, b.machine)
        return np.argsort(weight * a.place + (1 - weight) * b.place, kind="stable"), machine


def _sequence(spots: list[Spot]) -> tuple[Int64s, Int64s]:
    order = sorted(range(len(spots)), key=lambda i: (spots[i].start, spots[i].end))
    return np.array(order, np.int64), np.array([s.machine for s in spots], np.int64)


def _alike(kept: Kept, place: Floats, machine: Int64s) -> bool:
    return bool(np.abs(kept.place - place).mean() < ALIKE and (kept.machine == machine).all())
