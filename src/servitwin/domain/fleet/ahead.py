"""Plans a few steps ahead for a fleet in which robots come, go, fail, and aisles are closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from servitwin.domain.fleet.distances import Distances
from servitwin.domain.fleet.plan_step import NOWHERE, StepPlanner
from servitwin.domain.fleet.road_map import Graph


class AheadPlanner:
    """Steps of each robot to come, from where it may drive to now; made anew whenever it is asked.

    It remembers from one plan to the next who has waited how long, so that everybody comes to be first at some time,
    and makes its tables anew only when other places are closed.
    """

    def __init__(self, graph: Graph, seed: int) -> None:
        self._graph = graph
        self._seed = seed
        self._closed: frozenset[int] = frozenset()
        self.distances = Distances(graph)
        self._branches = graph.branches()
        self._planner: StepPlanner | None = None
        self._robots: list[str] = []
        self._waited: dict[str, int] = {}

    def close(self, places: frozenset[int]) -> None:
        """From now on these places are closed."""
        if places != self._closed:
            self._closed = places
            self.distances = Distances(self._graph, places)
            self._branches = self._graph.branches(places)
            self._planner = None

    def plan(
        self, at: Mapping[str, int], goals: Mapping[str, int], held: Collection[str], steps: int
    ) -> dict[str, list[int]]:
        """Place of each robot at steps 1, 2, ..., up to its arrival.

        Args:
            at: last place each robot is released to, all different.
            goals: where each wants to be; without one it only makes way.
            held: robots that cannot move now.
            steps: how many steps ahead.
        """
        robots = sorted(at)
        if self._planner is None or robots != self._robots:
            self._robots = robots
            self._planner = StepPlanner(
                self.distances, len(robots), self._seed, rotation=False, branches=self._branches
            )
        planner = self._planner
        planner.waited = [self._waited.get(r, 0) for r in robots]
        now = [at[r] for r in robots]
        wanted = [goals.get(r, NOWHERE) for r in robots]
        still = [i for i, r in enumerate(robots) if r in held]
        paths: dict[str, list[int]] = {r: [] for r in robots}
        arrived = {r for r, a, g in zip(robots, now, wanted, strict=True) if a == g}
        for step in range(steps):
            now = planner.step(now, wanted, still)
            if step == 0:
                self._waited = dict(zip(robots, planner.waited, strict=True))
            for r, place, goal in zip(robots, now, wanted, strict=True):
                if r in arrived and step:
                    continue
                paths[r].append(place)
                if place == goal and r not in held:
                    arrived.add(r)
        return paths
