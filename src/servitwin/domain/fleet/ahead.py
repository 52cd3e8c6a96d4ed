"""Plans a few steps ahead for a fleet in which robots come, go, fail, and aisles are closed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import msgspec

from servitwin.domain.fleet.distances import Distances, Travel
from servitwin.domain.fleet.plan_step import NOWHERE, Mover, StepPlanner, UnderWay
from servitwin.domain.fleet.road_map import Graph

EVER = 1_000_000  # steps: a robot that stands between two places does not leave them within any plan


class Coming(msgspec.Struct, frozen=True):
    """A robot on the way to the last place it is released to.

    Attributes:
        seconds: until it is there; infinite: nobody knows.
        behind: places that it still holds before that, each with the seconds until it has left it.
    """

    seconds: float
    behind: tuple[tuple[int, float], ...] = ()


class AheadPlanner:
    """Steps of each robot to come, from where it may drive to now; made anew whenever it is asked.

    It remembers from one plan to the next who has waited how long, so that everybody comes to be first at some time,
    and makes its tables anew only when other places are closed.

    Attributes:
        travel: seconds from place to place, and the tables behind them.
        step_s: seconds of a step of the newest plan: the fastest robot needs it for a way of usual length.
        arrives: seconds until each robot with a goal is there, by the newest plan and the tables beyond it.
    """

    def __init__(self, graph: Graph, seed: int) -> None:
        self._graph = graph
        self._seed = seed
        self._closed: frozenset[int] = frozenset()
        self.travel = Travel(graph)
        self.step_s = 1.0
        self.arrives: dict[str, float] = {}
        self._branches = graph.branches()
        self._planner: StepPlanner | None = None
        self._robots: list[str] = []
        self._waited: dict[str, float] = {}

    @property
    def distances(self) -> Distances:
        """Tables that say how far places are from each other, whoever drives."""
        return self.travel.all

    def close(self, places: frozenset[int]) -> None:
        """From now on these places are closed."""
        if places != self._closed:
            self._closed = places
            self.travel = Travel(self._graph, places)
            self._branches = self._graph.branches(places)
            self._planner = None

    def plan(
        self,
        at: Mapping[str, int],
        goals: Mapping[str, int],
        held: Collection[str],
        steps: int,
        *,
        paces: Mapping[str, float] | None = None,
        coming: Mapping[str, Coming] | None = None,
    ) -> dict[str, list[int]]:
        """Place of each robot at steps 1, 2, ..., up to its arrival: a place is its own from where its way begins.

        Args:
            at: last place each robot is released to, all different.
            goals: where each wants to be; without one it only makes way.
            held: robots that cannot move now.
            steps: how many steps ahead.
            paces: m/s of each robot; None: all need one step for every way.
            coming: robots that have not come to ``at`` yet; the others stand there.
        """
        robots = sorted(at)
        planner = self._planner_for(robots)
        self._say_how_they_drive(planner, robots, paces)
        coming = coming or {}
        planner.waited = [self._waited.get(r, 0) for r in robots]
        planner.under_way = {}
        for i, r in enumerate(robots):
            way = self._under_way(coming[r]) if r in coming else None
            if way is not None:
                planner.under_way[i] = way
        now = [at[r] for r in robots]
        wanted = [goals.get(r, NOWHERE) for r in robots]
        still = [i for i, r in enumerate(robots) if r in held]
        paths: dict[str, list[int]] = {r: [] for r in robots}
        arrived = {r for r, a, g in zip(robots, now, wanted, strict=True) if a == g}
        ends: dict[str, tuple[int, float]] = {r: (at[r], coming[r].seconds if r in coming else 0.0) for r in goals}
        for step in range(steps):
            now = planner.step(now, wanted, still)
            if step == 0:
                self._waited = dict(zip(robots, planner.waited, strict=True))
            for i, (r, place, goal) in enumerate(zip(robots, now, wanted, strict=True)):
                if r in arrived and step:
                    continue
                paths[r].append(place)
                if r in ends and r not in held and r not in arrived:
                    left = planner.under_way[i].left if i in planner.under_way else 0
                    ends[r] = (place, (step + 1 + left) * self.step_s)
                if place == goal and r not in held:
                    arrived.add(r)
        pace = paces or {}
        self.arrives = {
            r: seconds + self.travel.seconds(pace.get(r, self._graph.step_m), place, goals[r])
            for r, (place, seconds) in ends.items()
        }
        return paths

    def _planner_for(self, robots: list[str]) -> StepPlanner:
        if self._planner is None or robots != self._robots:
            self._robots = robots
            self._planner = StepPlanner(
                self.travel.all, len(robots), self._seed, rotation=False, branches=self._branches
            )
        return self._planner

    def _say_how_they_drive(self, planner: StepPlanner, robots: list[str], paces: Mapping[str, float] | None) -> None:
        planner.movers, self.step_s = None, 1.0
        if not paces or not robots:
            return
        self.step_s = self._graph.step_m / max(paces[r] for r in robots)
        movers = []
        for r in robots:
            distances = self.travel.at(paces[r])
            movers.append(Mover(distances, paces[r] * self.step_s / distances.unit_m))
        if any(m.distances.cost is not None or round(1 / m.reach) > 1 for m in movers):
            planner.movers = movers  # else all need one step for all ways, which is planned faster

    def _under_way(self, coming: Coming) -> UnderWay | None:
        left = self._steps(coming.seconds)
        if left == 0:
            return None
        return UnderWay(left, [(place, max(1, min(left, self._steps(s)))) for place, s in coming.behind])

    def _steps(self, seconds: float) -> int:
        return EVER if math.isinf(seconds) else round(seconds / self.step_s)
