"""The tabu search in a thread of its own, beside CP-SAT."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from servitwin.domain.schedule.grid import Grid, Spot
from servitwin.services.operation.schedule.pure_shop import shop_of

ALONE_S = 0.5  # CP-SAT closes small shops in that time, before anything is compiled


class Beside:
    """Searches from ``start`` on until :meth:`stop`, and tells ``say`` of each better plan.

    The search runs as machine code without the interpreter's lock, so that both processors are used.
    """

    def __init__(self, grid: Grid, start: list[Spot], seed: int, say: Callable[[list[Spot]], None]) -> None:
        self._grid, self._start, self._seed, self._say = grid, start, seed, say
        self._offers: deque[list[Spot]] = deque()
        self._over = threading.Event()
        threading.Thread(target=self._search, daemon=True).start()

    def offer(self, spots: list[Spot]) -> None:
        """A plan that may have been found elsewhere."""
        self._offers.append(spots)

    def stop(self) -> None:
        """No more is said soon after; what is being compiled is compiled to its end, and nobody waits for it."""
        self._over.set()

    def _search(self) -> None:
        if self._over.wait(ALONE_S):
            return
        from servitwin.services.operation.schedule.population import Population  # noqa: PLC0415 (compiles)

        population = Population(shop_of(self._grid), self._start, self._seed)
        while not self._over.is_set():
            while self._offers:
                spots = self._offers.popleft()
                if max(s.end for s in spots) < population.makespan:
                    population.offer(spots)
            if population.run():
                self._say(population.spots())
