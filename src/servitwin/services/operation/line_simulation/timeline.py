"""When a machine can work: its open hours less stops that come by the calendar, as one function of time."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from servitwin.domain.line_model import WEEK_S, Station, Stop
from servitwin.services.operation.line_simulation.limits import Limits

Floats = npt.NDArray[np.float64]


class Timeline:
    """Spans [start, end) in which a machine cannot work, ascending and apart; ``failed`` is the part of failures."""

    def __init__(self, spans: list[tuple[float, float]], failed: list[tuple[float, float]]) -> None:
        self._starts = [a for a, _ in spans]
        self._ends = [b for _, b in spans]
        self._before = [0.0]  # seconds closed before each span
        self._worked = []  # seconds that could be worked up to each span's start
        for a, b in spans:
            self._worked.append(a - self._before[-1])
            self._before.append(self._before[-1] + b - a)
        self._failed = failed

    def rows(self) -> Floats:
        """Spans and a last column: start, end, seconds closed before it, seconds that could be worked until it."""
        return np.array([[*self._starts, 0.0], [*self._ends, 0.0], self._before, [*self._worked, 0.0]])

    def closed(self, start: float, end: float) -> float:
        """Seconds of [start, end) in which it cannot work."""
        return self._until(end) - self._until(start)

    def failed(self, start: float, end: float) -> float:
        """Those of them that are failures."""
        return sum(max(0.0, min(b, end) - max(a, start)) for a, b in self._failed)

    def finish(self, start: float, work: float) -> float:
        """When work of that many seconds that begins at ``start`` is done."""
        wanted = start - self._until(start) + work
        i = bisect_right(self._worked, wanted - 1e-9)
        return wanted + self._before[i]

    def _until(self, t: float) -> float:
        i = bisect_right(self._starts, t)
        return self._before[i] - max(0.0, self._ends[i - 1] - t) if i else 0.0


def timeline(
    station: Station, end: float, random: np.random.Generator, week_s: float, limits: Limits
) -> Timeline | None:
    """The timeline of one machine of a station up to ``end`` seconds; None: it can always work.

    ``week_s``: second of the week at which the run begins; ``limits`` of all machines of a run together.
    """
    stops = [s for s in station.stops if s.clock == "calendar"]
    if not station.open and not stops:
        return None
    shut = _closed(station.open, end, week_s) if station.open else []
    stopped = [(span, stop.kind == "failure") for stop in stops for span in _stopped(stop, end, random, limits)]
    failed = [piece for span, is_failure in stopped if is_failure for piece in _outside(span, shut)]
    return Timeline(_merged([*shut, *(span for span, _ in stopped)]), _merged(failed))


def _closed(open: tuple[tuple[float, float], ...], end: float, week_s: float) -> list[tuple[float, float]]:
    spans = []
    at = 0.0
    for week in range(int(end // WEEK_S) + 2):
        for a, b in sorted(open):
            begin, over = week * WEEK_S + a - week_s, week * WEEK_S + b - week_s
            if begin > at:
                spans.append((at, begin))
            at = max(at, over)
    return spans


def _stopped(stop: Stop, end: float, random: np.random.Generator, limits: Limits) -> list[tuple[float, float]]:
    at = stop.every.residual(random)
    lasting = float(stop.lasting.draw(1, random)[0])
    spans = [(at, at + lasting)] if lasting > 0 else []
    at += lasting
    while at < end:
        limits.closed(64, at)
        for between, lasting in zip(
            stop.every.draw(64, random).tolist(), stop.lasting.draw(64, random).tolist(), strict=True
        ):
            at += between
            if lasting > 0:
                spans.append((at, at + lasting))
            at += lasting
            if at >= end:
                break
    return spans


def _outside(span: tuple[float, float], shut: list[tuple[float, float]]) -> list[tuple[float, float]]:
    pieces, at = [], span[0]
    for a, b in shut:
        if b <= at or a >= span[1]:
            continue
        if a > at:
            pieces.append((at, a))
        at = max(at, b)
    return [*pieces, (at, span[1])] if at < span[1] else pieces


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for a, b in sorted(spans):
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], b))
        else:
            found.append((a, b))
    return found
