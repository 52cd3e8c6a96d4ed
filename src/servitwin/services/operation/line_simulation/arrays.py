"""A run of a line on arrays, for the compiled event loop: filled from its machines and streams, read at the end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from servitwin.domain.line_model import LineModel, Source
from servitwin.services.operation.line_simulation import loop as at
from servitwin.services.operation.line_simulation.limits import Limits
from servitwin.services.operation.line_simulation.machine import BLOCK, Draws, Machine, Tally

_PARTS_AT_FIRST = 4096
_NO_END = 1 << 62
_MOST_FALLEN = 256


class BeyondError(Exception):
    """One step took more chance than is held ready: only the event loop in Python can run this line."""


class Arrays:
    """One run.

    Args:
        machines: of each station, as they begin.
        scrap, routes: by station: whether a part is scrap, and where it goes (a station's number, -1 out).
        timed: sources that bring parts by themselves: their number among the model's, and seconds between two parts.
        supplies: by station, the source of endless supply.
    """

    def __init__(
        self,
        model: LineModel,
        machines: Sequence[Sequence[Machine]],
        scrap: Sequence[Draws[bool] | None],
        routes: Sequence[int | Draws[int]],
        timed: Sequence[tuple[int, Draws[float]]],
        supplies: Sequence[int | None],
    ) -> None:
        self._machines = [m for of_station in machines for m in of_station]
        self._firsts = [0, *itertools.accumulate(map(len, machines))]  # number of each station's first machine
        self._draws: list[Draws[Any]] = []
        self._products = ["", *sorted({p for s in model.sources for p, _ in s.lots} - {""})]
        count = len(model.stations)
        self._counts, self._sums = np.zeros(at.COUNTS, np.int64), np.zeros(at.SUMS)
        self._stations, self._rooms = np.zeros((at.STATIONS, count), np.int64), np.zeros((2, count))
        self._cycles = np.zeros((count, len(self._products)), np.int64)
        self._awaited = np.zeros(4 * (count + len(self._machines)) + 64, np.int64)
        for j, station in enumerate(model.stations):
            self._rooms[at.PLACES, j] = np.inf if station.places is None else station.places
            self._add_station(j, machines[j], scrap[j], routes[j], supplies[j])
            self._awaited[j] = j
        self._counts[at.AWAITED] = count
        firsts = itertools.pairwise(self._firsts)
        self._idle = np.array([m for first, past in firsts for m in reversed(range(first, past))], np.int64)
        self._add_machines()
        self._add_sources(model.sources, [s.id for s in model.stations], dict(timed))
        self._make_room(_PARTS_AT_FIRST)
        size = len(self._machines) + len(timed) + 1
        self._heap, self._when = np.zeros((at.EVENT, size), np.int64), np.zeros(size)
        self._fallen = np.zeros((2, _MOST_FALLEN))
        self._streams = np.zeros((at.STREAM, len(self._draws)), np.int64)
        self._blocks = np.zeros((len(self._draws), 2 * BLOCK))
        self._draw()
        for number, (i, _) in enumerate(timed, 1):
            stream = self._sources[at.BETWEEN, i]
            first = self._blocks[stream, self._streams[at.AT, stream]]
            self._streams[at.AT, stream] += 1
            at.push(self._counts, self._heap, self._when, float(first), number, at.NONE, i)
        self._counts[at.NUMBER] = len(timed)

    def run(self, warm: float, end: float, limits: Limits) -> tuple[Tally, int, float]:
        """Run it; what it counted, how it ended (``ENDED``, ``STUCK`` or ``FULL``), and when.

        Raises:
            BeyondError: begin again, by the event loop in Python.
        """
        counts, stops = self._counts, 0
        while True:
            said = at.go_on(
                counts, self._sums, self._streams, self._blocks, self._of_machine, self._times, self._stops, self._due,
                self._stations, self._rooms, self._cycles, self._sources, self._lots, self._good, self._idle,
                self._awaited, self._parts, self._moments, self._heap, self._when, self._spans, self._fallen, warm, end,
            )  # fmt: skip
            if counts[at.BEYOND]:
                raise BeyondError
            limits.count(int(counts[at.STOPS]) - stops)
            stops = int(counts[at.STOPS])
            if said != at.PAUSED:
                return self._tally(warm, end), said, float(self._sums[at.CLOCK])
            limits.look(int(counts[at.NUMBER]), float(self._sums[at.CLOCK]))
            self._draw()
            if counts[at.UNUSED_COUNT] < 2:
                self._make_room(self._parts.shape[1])

    def waiting(self) -> list[int]:
        """Stations for a place in which parts wait."""
        return np.flatnonzero(self._stations[at.OUTSIDE + at.LENGTH]).tolist()

    # filling -------------------------------------------------------------------------------------------------------

    def _stream(self, draws: Draws[Any] | None) -> int:
        if draws is None:
            return at.NONE
        self._draws.append(draws)
        return len(self._draws) - 1

    def _add_station(
        self,
        j: int,
        machines: Sequence[Machine],
        scrap: Draws[bool] | None,
        route: int | Draws[int],
        supply: int | None,
    ) -> None:
        of = self._stations
        of[at.IDLE_FROM, j], of[at.IDLE, j] = self._firsts[j], len(machines)
        of[at.SCRAP, j] = self._stream(scrap)
        of[at.ROUTE, j] = route if isinstance(route, int) else at.NONE
        of[at.WAY, j] = at.NONE if isinstance(route, int) else self._stream(route)
        of[at.SUPPLY, j] = at.NONE if supply is None else supply
        of[at.SETUP, j] = self._stream(machines[0].setup)
        numbers = {name: self._stream(draws) for name, draws in machines[0].draws.items()}
        self._cycles[j] = [numbers.get(product, numbers[""]) for product in self._products]

    def _add_machines(self) -> None:
        of = self._of_machine = np.zeros((at.MACHINE, len(self._machines)), np.int64)
        self._times = np.zeros((at.ACCOUNTS + len(at.KINDS), len(self._machines)))
        stops: list[tuple[int, int, int, float]] = []
        spans = [np.zeros((at.SPAN, 0))]
        for m, machine in enumerate(self._machines):
            of[at.STATION, m], of[at.PLAIN, m] = machine.station, machine.plain is not None
            of[at.STOPS_FROM, m], of[at.STOPS_TO, m] = len(stops), len(stops) + len(machine.stops)
            self._times[at.DUE, m] = machine.due
            for s in machine.stops:  # its two streams share one source of chance: the first is always drawn first
                stops.append((at.KINDS.index(s.kind), self._stream(s.lasting), self._stream(s.every), s.due))
            of[at.SPANS_FROM, m] = sum(s.shape[1] for s in spans)
            of[at.SPANS_COUNT, m] = at.NONE
            if machine.timeline is not None:
                rows = machine.timeline.rows()
                of[at.SPANS_COUNT, m] = rows.shape[1] - 1
                spans.append(rows)
        self._spans = np.concatenate(spans, axis=1)
        self._stops = np.array([s[:3] for s in stops], np.int64).reshape(-1, at.STOP).T.copy()
        self._due = np.array([s[3] for s in stops], np.float64)

    def _add_sources(self, sources: Sequence[Source], names: list[str], timed: dict[int, Draws[float]]) -> None:
        of = self._sources = np.zeros((at.SOURCE, len(sources)), np.int64)
        number = {name: i for i, name in enumerate(self._products)}
        lots: list[tuple[int, int]] = []
        for i, source in enumerate(sources):
            of[at.TO, i], of[at.BETWEEN, i] = names.index(source.to), self._stream(timed.get(i))
            of[at.LOTS_FROM, i] = of[at.LOT, i] = len(lots)
            lots += [(number[p], n) for p, n in source.lots] or [(0, _NO_END)]
            of[at.LOTS_TO, i] = len(lots)
            of[at.LEFT, i] = lots[of[at.LOT, i]][1]
        self._lots = np.array(lots, np.int64).T.copy()
        self._good = np.zeros(len(self._products), np.int64)
        self._parts, self._moments = np.zeros((at.PART, 0), np.int64), np.zeros((2, 0))

    def _make_room(self, more: int) -> None:
        """Room for so many more parts; the unused ones are in a row."""
        count, counts = self._parts.shape[1], self._counts
        self._parts = np.concatenate([self._parts, np.zeros((at.PART, more), np.int64)], axis=1)
        self._moments = np.concatenate([self._moments, np.zeros((2, more))], axis=1)
        self._parts[at.NEXT, count:-1] = np.arange(count + 1, count + more)
        self._parts[at.NEXT, -1] = counts[at.UNUSED] if counts[at.UNUSED_COUNT] else at.NONE
        counts[at.UNUSED] = count
        counts[at.UNUSED_COUNT] += more

    def _draw(self) -> None:
        """More of each stream that has less than a block, in the order in which the loop in Python would draw."""
        of = self._streams
        for s in np.flatnonzero(of[at.DRAWN] - of[at.AT] < BLOCK).tolist():
            left = self._blocks[s, of[at.AT, s] : of[at.DRAWN, s]].copy()
            self._blocks[s, : len(left)] = left
            self._blocks[s, len(left) : len(left) + BLOCK] = self._draws[s].block()
            of[at.AT, s], of[at.DRAWN, s] = 0, len(left) + BLOCK
            of[at.LOW_AT, s] = of[at.DRAWN, s] - at.MARGIN
        self._counts[at.LOW] = 0

    # reading -------------------------------------------------------------------------------------------------------

    def _tally(self, warm: float, end: float) -> Tally:
        """What the run counted, parts that are still in the line until the end; the accounts go to the machines."""
        counts, rooms, of = self._counts, self._rooms, self._stations
        for m, machine in enumerate(self._machines):
            machine.working, machine.blocked = self._times[[at.WORKING, at.BLOCKED], m].tolist()
            machine.accounts = dict(zip(at.KINDS, self._times[at.ACCOUNTS :, m].tolist(), strict=True))
        came, since = self._moments[at.CAME], self._moments[at.SINCE]
        inside = self._sums[at.INSIDE_TIME]
        for j in range(of.shape[1]):
            for part in self._line(at.QUEUE, j):
                rooms[at.WAITED, j] += end - max(since[part], warm)
                inside += end - max(came[part], warm)
            for part in self._line(at.OUTSIDE, j):
                inside += end - max(came[part], warm)
                if self._parts[at.HOLDER, part] != at.NONE:
                    self._machines[self._parts[at.HOLDER, part]].was_blocked(float(since[part]), end)
        for who, part in self._heap[[at.WHO, at.WHAT], : counts[at.HEAP]].T.tolist():
            if who != at.NONE:
                inside += end - max(came[part], warm)
        good = {name: n for name, n in zip(self._products, self._good.tolist(), strict=True) if n}
        return Tally(
            of[at.MADE].tolist(), of[at.SCRAPPED].tolist(), rooms[at.WAITED].tolist(), good,
            int(counts[at.LEFT_SCRAP]), float(self._sums[at.LEADS]), float(inside), int(counts[at.NUMBER]),
        )  # fmt: skip

    def _line(self, queue: int, j: int) -> Iterator[int]:
        part = int(self._stations[queue + at.HEAD, j])
        for _ in range(int(self._stations[queue + at.LENGTH, j])):
            yield part
            part = int(self._parts[at.NEXT, part])
