"""How far every place is from a goal: one table for each goal, made when it is first asked for and kept."""

from __future__ import annotations

import heapq
import math
from array import array
from collections import OrderedDict

from servitwin.domain.fleet.road_map import Graph

FAR = 2**31 - 1  # from there the goal cannot be reached
KEPT_ENTRIES = 60_000_000  # numbers of four bytes kept in all tables for one set of closed places
_Tables = OrderedDict[tuple[float, int], "array[int]"]  # by pace and goal, the oldest first


class Distances:
    """Tables of distances to goals on a graph of which some places are closed.

    Breadth-first search backwards from the goal where all ways are equal, else Dijkstra (1959). A table is an array of
    whole numbers: steps, or millimetres of way; :data:`FAR` where there is no way.

    Args:
        graph: the map.
        closed: places that are on no way.
        pace: m/s of who drives: ways on which it has to drive slower count as much longer. 0: limits do not matter.
        tables: that are kept already, to share their room; default: none.

    Attributes:
        cost: of each way in units of the tables; None: one each.
        unit_m: metres of one unit.
    """

    def __init__(
        self, graph: Graph, closed: frozenset[int] = frozenset(), pace: float = 0.0, tables: _Tables | None = None
    ) -> None:
        self.graph = graph
        self.closed = closed
        self.cost = graph.cost_at(pace)
        self.unit_m = graph.step_m if self.cost is None else 0.001
        self._pace = pace
        self._tables = _Tables() if tables is None else tables
        self._most = max(64, KEPT_ENTRIES // max(1, graph.size))

    def to(self, goal: int) -> array[int]:
        """Distances from every place to that goal. A goal that is closed is reached from nowhere but itself."""
        table = self._tables.get((self._pace, goal))
        if table is None:
            table = self._steps(goal) if self.cost is None else self._lengths(goal)
            self._tables[self._pace, goal] = table
            if len(self._tables) > self._most:
                self._tables.popitem(last=False)
        return table

    def _steps(self, goal: int) -> array[int]:
        table = array("i", [FAR]) * self.graph.size
        table[goal] = 0
        into, closed = self.graph.into, self.closed
        layer, far = [goal], 0
        if goal in closed:
            return table
        while layer:
            far += 1
            following = []
            for v in layer:
                for w in into[v]:
                    if table[w] == FAR and w not in closed:
                        table[w] = far
                        following.append(w)
            layer = following
        return table

    def _lengths(self, goal: int) -> array[int]:
        cost = self.cost or {}
        table = array("i", [FAR]) * self.graph.size
        table[goal] = 0
        heap = [(0, goal)] if goal not in self.closed else []
        while heap:
            far, v = heapq.heappop(heap)
            if far > table[v]:
                continue
            for w in self.graph.into[v]:
                longer = far + cost[w, v]
                if longer < table[w] and w not in self.closed:
                    table[w] = longer
                    heapq.heappush(heap, (longer, w))
        return table


class Travel:
    """How long robots of some pace need from place to place while some places are closed.

    One set of tables serves all robots, unless ways have limits of speed: then each tenth of a metre per second has
    its own, because a limit is a detour for who is fast and nothing for who is slow.
    """

    def __init__(self, graph: Graph, closed: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        self.closed = closed
        self._tables = _Tables()
        self.all = Distances(graph, closed, 0.0, self._tables)
        self._by_pace: dict[int, Distances] = {}

    def at(self, pace: float) -> Distances:
        """Tables for a robot of that pace, m/s."""
        if pace <= self.graph.slowest_limit:
            return self.all
        tenth = round(pace * 10)
        found = self._by_pace.get(tenth)
        if found is None:
            found = self._by_pace[tenth] = Distances(self.graph, self.closed, tenth / 10, self._tables)
        return found

    def seconds(self, pace: float, start: int, goal: int) -> float:
        """Seconds of driving without a wait; infinite where there is no way."""
        distances = self.at(pace)
        far = distances.to(goal)[start]
        return far * distances.unit_m / pace if far < FAR else math.inf
