"""One machine of a station in a run: its chance, its stops, and where its time went."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from servitwin.domain.line_model import Duration, Station, Stop
from servitwin.services.operation.line_simulation.limits import Limits
from servitwin.services.operation.line_simulation.timeline import Timeline, timeline

BLOCK = 2048  # draws that are taken from numpy at once
_NEVER = float("inf")
T = TypeVar("T")
Random = Callable[..., np.random.Generator]


@dataclass(slots=True, frozen=True)
class Draws(Generic[T]):
    """Chance without end, from one source: one ``each`` time, or the next ``block`` of :data:`BLOCK`; not both ways."""

    block: Callable[[], npt.NDArray[Any]]
    each: Iterator[T]


class Machine:
    """One machine of a station.

    Attributes:
        station: number of its station.
        draws: cycle times by product, "" for all others; setup: set-up times; stops: those that come with work.
        due: its time at work at which the next stop comes; worked: its time at work so far.
        plain: its cycle times where nothing but stops lengthens them: one kind of part, no set-up, always open.
        working: seconds of work that needed no further account; blocked: seconds with a finished part on it.
    """

    __slots__ = (
        "_end", "_last", "_limits", "_warm", "accounts", "blocked", "draws", "due", "plain", "setup", "station",
        "stops", "timeline", "worked", "working",
    )  # fmt: skip

    def __init__(
        self,
        station: int,
        draws: dict[str, Draws[float]],
        setup: Draws[float] | None,
        stops: list[ComingStop],
        open_at: Timeline | None,
        warm: float,
        end: float,
        limits: Limits,
    ) -> None:
        self.station, self._limits = station, limits
        self.timeline = open_at
        self.plain = draws[""].each if open_at is None and setup is None and len(draws) == 1 else None
        self.due = min((s.due for s in stops), default=_NEVER)
        self.worked = self.working = self.blocked = 0.0
        self.accounts = dict.fromkeys(("work", "failure", "setup", "pause", "supply", "removal"), 0.0)
        self.draws, self.setup, self.stops = draws, setup, stops
        self._warm, self._end = warm, end
        self._last = ""

    def begin(self, t: float, product: str) -> float:
        """When it will have finished a part that it begins at ``t``; the time goes to its accounts."""
        draws = self.draws
        work = next((draws[product] if product in draws else draws[""]).each)
        setup = 0.0
        if product != self._last:
            if self.setup is not None and self._last:
                setup = next(self.setup.each)
            self._last = product
        self.worked += work
        return self.accounted(t, work, setup)

    def accounted(self, t: float, work: float, setup: float) -> float:
        """When work (that ``worked`` has in it) and set-up that begin at ``t`` are done, with the stops in them."""
        total = work + setup
        stops: list[tuple[str, float]] = []
        if self.worked >= self.due:
            for stop in self.stops:
                while self.worked >= stop.due:
                    lasting = next(stop.lasting.each)
                    stops.append((stop.kind, lasting))
                    total += lasting
                    stop.due += next(stop.every.each)
                    self._limits.stopped(t)
            self.due = min(s.due for s in self.stops)
        finish = t + total if self.timeline is None else self.timeline.finish(t, total)
        share = 1.0
        if t < self._warm or finish > self._end:
            share = max(0.0, min(finish, self._end) - max(t, self._warm)) / (finish - t) if finish > t else 0.0
        accounts = self.accounts
        accounts["work"] += work * share
        if setup:
            accounts["setup"] += setup * share
        for kind, lasting in stops:
            accounts[kind] += lasting * share
        return finish

    def was_blocked(self, since: float, until: float) -> None:
        """A finished part stayed on it from ``since`` to ``until``."""
        begin = max(since, self._warm)
        if until > begin:
            shut = self.timeline.closed(begin, until) if self.timeline is not None else 0.0
            self.blocked += until - begin - shut


@dataclass
class Tally:
    """What a run counts after its warm-up.

    Attributes:
        made, scrapped: parts by station; waited: seconds that parts waited before it.
        good: parts that left, by product; left_scrap: those that left as scrap.
        leads: seconds from in to out of all good parts; inside_time: seconds in the line of all parts.
        steps: works begun and parts brought, warm-up included.
    """

    made: list[int]
    scrapped: list[int]
    waited: list[float]
    good: dict[str, int] = field(default_factory=dict)
    left_scrap: int = 0
    leads: float = 0.0
    inside_time: float = 0.0
    steps: int = 0

    @classmethod
    def of(cls, stations: int) -> Tally:
        """Nothing counted yet."""
        return cls([0] * stations, [0] * stations, [0.0] * stations)


class ComingStop:
    """One kind of stop of a machine: ``due`` is its time at work at which the next one comes."""

    __slots__ = ("due", "every", "kind", "lasting")

    def __init__(self, stop: Stop, random: np.random.Generator) -> None:
        self.every = endless(stop.every, random)
        self.lasting = endless(stop.lasting, random)
        self.kind = stop.kind
        self.due = stop.every.residual(random)


def machines_of(
    j: int, station: Station, random: Random, warm: float, end: float, week_s: float, limits: Limits
) -> list[Machine]:
    """The machines of a station; they draw cycles and set-ups from one stream, stops each from its own."""
    draws = {"": endless(station.cycle, random(station.id, "cycle"))}
    for product, duration in station.by_product.items():
        draws[product] = endless(duration, random(station.id, "cycle", product))
    setup = endless(station.setup, random(station.id, "setup")) if station.setup is not None else None
    found = []
    for m in range(station.machines):
        stops = [ComingStop(s, random(station.id, "stop", s.name, str(m))) for s in station.stops if s.clock == "work"]
        open_at = timeline(station, end, random(station.id, "calendar", str(m)), week_s, limits)
        found.append(Machine(j, draws, setup, stops, open_at, warm, end, limits))
    return found


def streams(seed: int, replication: int) -> Random:
    """A stream of chance by names, of its own for each of them."""

    def random(*names: str) -> np.random.Generator:
        return np.random.default_rng([seed, replication, *(zlib.crc32(n.encode()) for n in names)])

    return random


def endless(duration: Duration, random: np.random.Generator) -> Draws[float]:
    """Durations without end."""
    if duration.family == "fixed":
        value = duration.least + duration.scale
        return Draws(lambda: np.full(BLOCK, value), itertools.repeat(value))
    return draws_of(lambda: duration.draw(BLOCK, random))


def happens(share: float, random: np.random.Generator) -> Draws[bool]:
    """Whether it happens, again and again."""
    return draws_of(lambda: random.random(BLOCK) < share)


def draws_of(block: Callable[[], npt.NDArray[Any]]) -> Draws[Any]:
    """What numpy draws in blocks."""
    return Draws(block, itertools.chain.from_iterable(block().tolist() for _ in itertools.repeat(None)))
