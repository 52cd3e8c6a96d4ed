"""A map on which robots drive: places (nodes) joined by ways (edges), as VDA 5050 and its layout format see it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

LONGEST_MAP = 250_000  # places; tables of distances are kept per goal


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node. ``x``, ``y``: metres in the map's right-handed system (VDA 5050, maps)."""

    id: str
    x: float
    y: float


class Way(msgspec.Struct, frozen=True, omit_defaults=True):
    """An edge, driven from ``start`` to ``end``; a way in both directions is two. ``speed``: m/s at most, 0: free."""

    id: str
    start: str
    end: str
    speed: float = 0.0


class RoadMap(msgspec.Struct, frozen=True, omit_defaults=True):
    """Places, ways and what they are for.

    Attributes:
        id: ``mapId`` of VDA 5050.
        stations: name of what stands there -> its place.
        chargers: places with a charging point.
        parking: places where a robot without work stands in nobody's way.
    """

    id: str
    places: tuple[Place, ...]
    ways: tuple[Way, ...]
    stations: dict[str, str] = {}
    chargers: tuple[str, ...] = ()
    parking: tuple[str, ...] = ()


def checked_map(road_map: RoadMap) -> RoadMap:
    """The map itself.

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    faults = list(_faults(road_map))
    if faults:
        raise InvalidInputError(faults[:100])
    return road_map


def _faults(road_map: RoadMap) -> Iterable[Fault]:
    if not road_map.places:
        yield Fault("map:empty", "The map has no place where a robot can stand", "Check the file", "places")
    if len(road_map.places) > LONGEST_MAP:
        yield Fault("map:too-large", f"{len(road_map.places)} places", f"Use up to {LONGEST_MAP}", "places")
    seen: set[str] = set()
    for i, place in enumerate(road_map.places):
        if not place.id or place.id in seen:
            yield Fault("map:place-twice", f"Place {place.id!r} is there twice", "Ids are unique", f"places[{i}]")
        if not (math.isfinite(place.x) and math.isfinite(place.y)):
            yield Fault("map:position-wrong", f"{place.id} is at {place.x}, {place.y}", "Give metres", f"places[{i}]")
        seen.add(place.id)
    ways: set[str] = set()
    for i, way in enumerate(road_map.ways):
        where = f"ways[{i}]"
        if way.id in ways:
            yield Fault("map:way-twice", f"Way {way.id!r} is there twice", "Ids are unique", where)
        ways.add(way.id)
        for end in (way.start, way.end):
            if end not in seen:
                yield Fault("map:place-unknown", f"Way {way.id!r} names {end!r}", "Ways join places of this map", where)
        if way.start == way.end:
            yield Fault("map:way-wrong", f"Way {way.id!r} ends where it begins", "Leave it out", where)
    named = [("stations", p) for p in road_map.stations.values()]
    named += [("chargers", p) for p in road_map.chargers] + [("parking", p) for p in road_map.parking]
    for kind, place_id in named:
        if place_id not in seen:
            yield Fault("map:place-unknown", f"{kind} name {place_id!r}", "Name a place of this map", kind)


class Graph:
    """A map made ready for planning: places are numbers 0 to n-1, ways are lists of neighbours.

    Attributes:
        ids: id of each place.
        out: places that can be reached from a place in one way, sorted.
        into: places from which a place is reached.
        length: metres of each way.
        cost: millimetres of each way, or None where all ways are equal (one step each).
        step_m: metres of one step: the length of all ways where they are equal, else what a way in the middle has.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self.road_map = road_map
        self.ids = [p.id for p in road_map.places]
        self.index = {p: i for i, p in enumerate(self.ids)}
        self.x = [p.x for p in road_map.places]
        self.y = [p.y for p in road_map.places]
        self.way: dict[tuple[int, int], Way] = {}
        out: list[set[int]] = [set() for _ in self.ids]
        into: list[set[int]] = [set() for _ in self.ids]
        for way in road_map.ways:
            a, b = self.index[way.start], self.index[way.end]
            out[a].add(b)
            into[b].add(a)
            self.way.setdefault((a, b), way)
        self.out = [tuple(sorted(s)) for s in out]
        self.into = [tuple(sorted(s)) for s in into]
        lengths = {k: math.hypot(self.x[k[0]] - self.x[k[1]], self.y[k[0]] - self.y[k[1]]) for k in self.way}
        even = not lengths or max(lengths.values()) - min(lengths.values()) < 1e-6
        self.length = lengths
        self.cost = None if even else {k: max(1, round(length * 1000)) for k, length in lengths.items()}
        self.step_m = max(0.001, statistics.median(lengths.values())) if lengths else 1.0
        self._limits = {k: w.speed for k, w in self.way.items() if w.speed > 0}

    @property
    def size(self) -> int:
        """Number of places."""
        return len(self.ids)

    def cost_at(self, pace: float) -> dict[tuple[int, int], int] | None:
        """As ``cost``, for a robot of that pace, m/s: a way on which it has to drive slower is as much longer."""
        slower = {k: pace / limit for k, limit in self._limits.items() if limit < pace}
        if not slower:
            return self.cost
        return {k: max(1, round(m * 1000 * slower.get(k, 1.0))) for k, m in self.length.items()}

    def limited(self, start: int, end: int, pace: float) -> bool:
        """Whether a robot of that pace, m/s, has to drive slower on the way."""
        return self._limits.get((start, end), math.inf) < pace

    @property
    def slowest_limit(self) -> float:
        """m/s that the slowest way permits; infinite where no way has a limit."""
        return min(self._limits.values(), default=math.inf)

    def places_of(self, names: Iterable[str]) -> list[int]:
        """Numbers of places given by id or by the name of a station; what is unknown is left out."""
        stations = self.road_map.stations
        found = (self.index.get(stations.get(n, n)) for n in names)
        return [f for f in found if f is not None]

    def regions(self, closed: frozenset[int] = frozenset()) -> list[int]:
        """For each place the number of the region in which every place reaches every other (-1: closed).

        Strongly connected components (Tarjan 1972), without recursion.
        """
        region, low, number = [-1] * self.size, [0] * self.size, [0] * self.size
        stack: list[int] = []
        on_stack = bytearray(self.size)
        counter = found = 0
        for root in range(self.size):
            if number[root] or root in closed:
                continue
            work: list[tuple[int, int]] = [(root, -1)]
            while work:
                v, i = work.pop()
                if i < 0:
                    counter += 1
                    number[v] = low[v] = counter
                    stack.append(v)
                    on_stack[v] = 1
                for j in range(max(i, 0), len(self.out[v])):
                    w = self.out[v][j]
                    if w in closed:
                        continue
                    if not number[w]:
                        work += [(v, j), (w, -1)]
                        break
                    if on_stack[w]:
                        low[v] = min(low[v], low[w])
                else:
                    if low[v] == number[v]:
                        while True:
                            w = stack.pop()
                            on_stack[w] = 0
                            region[w] = found
                            if w == v:
                                break
                        found += 1
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[v])
        return region

    def branches(self, closed: frozenset[int] = frozenset()) -> list[int]:
        """For each place the number of the dead-end branch it lies in, -1 elsewhere.

        A branch is what is left over when places with a single open neighbour are peeled off again and again: who
        drives in can only come out where he went in, so one robot at a time may use it. A map that is a tree as a
        whole is one branch for each place next to its heart.
        """
        around = [
            {w for w in (*self.out[v], *self.into[v]) if w not in closed} if v not in closed else set()
            for v in range(self.size)
        ]
        branch = [-1] * self.size
        ends = [v for v in range(self.size) if v not in closed and len(around[v]) == 1]
        peeled: list[tuple[int, int]] = []
        while ends:
            v = ends.pop()
            if len(around[v]) != 1:
                continue
            (w,) = around[v]
            peeled.append((v, w))
            around[v] = set()
            around[w].discard(v)
            if len(around[w]) == 1:
                ends.append(w)
        gone = {v for v, _ in peeled}
        number = 0
        for v, w in reversed(peeled):  # from the mouth inwards
            if w in gone and branch[w] >= 0:
                branch[v] = branch[w]
            else:
                branch[v] = number
                number += 1
        return branch


def grid_map(
    rows: Sequence[str],
    *,
    map_id: str = "grid",
    cell_m: float = 1.0,
    stations: Mapping[str, tuple[int, int]] | None = None,
    chargers: Sequence[tuple[int, int]] = (),
    parking: Sequence[tuple[int, int]] = (),
) -> RoadMap:
    """A map of square cells: ``.``, ``G`` and ``S`` are free, all else is not (MovingAI benchmark format).

    Places are called ``COLUMN-ROW`` from the upper left; y points up, as VDA 5050 wants it.

    Args:
        rows: the cells, one text a row.
        map_id: id of the map.
        cell_m: length of a cell, m.
        stations: name -> (column, row).
        chargers: cells, (column, row).
        parking: cells, (column, row).
    """
    free = {(c, r) for r, row in enumerate(rows) for c, mark in enumerate(row) if mark in ".GS"}
    places = [
        Place(f"{c}-{r}", c * cell_m, (len(rows) - 1 - r) * cell_m) for c, r in sorted(free, key=lambda p: p[::-1])
    ]
    ways = [
        Way(f"{c}-{r}_{c + dc}-{r + dr}", f"{c}-{r}", f"{c + dc}-{r + dr}")
        for c, r in sorted(free)
        for dc, dr in ((0, -1), (1, 0), (0, 1), (-1, 0))
        if (c + dc, r + dr) in free
    ]
    named = {name: f"{c}-{r}" for name, (c, r) in (stations or {}).items()}
    spots = [tuple(f"{c}-{r}" for c, r in cells) for cells in (chargers, parking)]
    return RoadMap(map_id, tuple(places), tuple(ways), named, *spots)
