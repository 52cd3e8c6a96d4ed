"""How far every place is from a goal: one table for each goal, made when it is first asked for and kept."""

from __future__ import annotations

import heapq
from array import array
from collections import OrderedDict

from servitwin.domain.fleet.road_map import Graph

FAR = 2**31 - 1  # from there the goal cannot be reached
KEPT_ENTRIES = 60_000_000  # numbers of four bytes kept in all tables


class Distances:
    """Tables of distances to goals on a graph of which some places are closed.

    Breadth-first search backwards from the goal where all ways are equal, else Dijkstra (1959). A table is an array of
    whole numbers: steps, or millimetres of way; :data:`FAR` where there is no way.
    """

    def __init__(self, graph: Graph, closed: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        self.closed = closed
        self._tables: OrderedDict[int, array[int]] = OrderedDict()
        self._most = max(64, KEPT_ENTRIES // max(1, graph.size))

    def to(self, goal: int) -> array[int]:
        """Distances from every place to that goal. A goal that is closed is reached from nowhere but itself."""
        table = self._tables.get(goal)
        if table is None:
            table = self._steps(goal) if self.graph.cost is None else self._lengths(goal)
            self._tables[goal] = table
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
        cost = self.graph.cost or {}
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
