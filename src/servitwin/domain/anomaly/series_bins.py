"""Bins from signals that each report in their own time, with values that hold until they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from servitwin.domain.anomaly.bins import ALONE, BETWEEN, LARGEST, Bins, SettingBins
from servitwin.domain.observation import Floats, Int64s, Observation

SILENT = 1000  # bins after the last report of any signal that are still made
MOST_AT_ONCE = 20_000  # bins made at a time, so that years of history need no more memory than days


class SeriesState(msgspec.Struct):
    """The last observation of each signal before the open bin, and those in it; the number of the next bin.

    ``next`` None: nothing has reported twice yet, so that nothing says when the machine began to report.
    """

    numbers: dict[str, list[tuple[int, float | None]]] = {}
    regime: list[tuple[int, str | None]] = []
    next: int | None = None


@dataclass(slots=True, eq=False)
class _Series:
    time: Int64s
    value: Floats


class SeriesBinning:
    """Makes bins of every span of time, also where nothing was reported, but for long silence of all signals.

    A value holds until the next one, no longer than ``holds`` ns after its own time (None: for ever). The mean of a bin
    is that of the values reported in it; where there is none, it is the value that held. UNAVAILABLE holds as unknown.
    """

    def __init__(
        self,
        holds: Mapping[str, int | None],
        every: int,
        state: SeriesState | None = None,
        settings: Mapping[str, int | None] | None = None,
    ) -> None:
        """``settings``: numbers that say how the machine is run, and how long each holds; one may be a signal too."""
        self._holds, self._settings, self._every = dict(holds), dict(settings or {}), every
        self._state = state or SeriesState()

    def take(self, observations: Mapping[str, list[Observation]], regime: str | None, watermark: int) -> Iterator[Bins]:
        """Observations before ``watermark`` in order of time; bins that are over by then, some thousands at a time.

        ``regime``: name of the text signal that says the regime; None: there is one alone, called ``all``.
        """
        state, every = self._state, self._every
        for name in {**self._holds, **self._settings}:
            kept = state.numbers.setdefault(name, [])
            kept += [(o.time, _number(o.value)) for o in observations.get(name, ())]
        if regime is not None:
            state.regime += [
                (o.time, o.value if isinstance(o.value, str) else None) for o in observations.get(regime, ())
            ]
        if state.next is None:
            second = [rows[1][0] for rows in state.numbers.values() if len(rows) > 1]
            if not second:
                return
            state.next = min(second) // every
        end = watermark // every
        series = {
            name: _Series(
                np.array([t for t, _ in rows], np.int64), np.array([np.nan if v is None else v for _, v in rows])
            )
            for name, rows in state.numbers.items()
        }
        reports = np.sort(np.concatenate([s.time for s in series.values()]))
        while state.next < end:
            following = int(np.searchsorted(reports, state.next * every))
            if following and state.next - int(reports[following - 1]) // every > SILENT:
                state.next = min(end, int(reports[following]) // every) if following < len(reports) else end
                if state.next == end:
                    break
            stop = min(end, state.next + MOST_AT_ONCE)
            numbers = np.arange(state.next, stop, dtype=np.int64)
            newest = reports[np.searchsorted(reports, (numbers + 1) * every) - 1] // every
            numbers = numbers[numbers - newest <= SILENT]
            names = [ALONE] * len(numbers) if regime is None else self._regimes(numbers)
            bins = self._bins(numbers, series, names)
            state.next = stop
            yield bins
        for name, rows in state.numbers.items():
            state.numbers[name] = rows[_from(rows, state.next * every) :]
        state.regime = state.regime[_from(state.regime, state.next * every) :]

    def state(self) -> SeriesState:
        """All that is needed to go on later."""
        return self._state

    def _bins(self, numbers: Int64s, series: Mapping[str, _Series], regime: list[str]) -> Bins:
        mean, low, high, rows = self._columns(numbers, series, self._holds)
        settings = None
        if self._settings:
            middle, lowest, highest, _ = self._columns(numbers, series, self._settings)
            for i, (name, hold) in enumerate(self._settings.items()):  # a bin begins with what was set before it
                began = _held(series[name], numbers * self._every, "right", hold, numbers * self._every)
                lowest[:, i], highest[:, i] = np.fmin(lowest[:, i], began), np.fmax(highest[:, i], began)
            settings = SettingBins(tuple(self._settings), middle, highest - lowest)
        return Bins(numbers, mean, low, high, regime, rows, settings)

    def _columns(
        self, numbers: Int64s, series: Mapping[str, _Series], holds: Mapping[str, int | None]
    ) -> tuple[Floats, Floats, Floats, Int64s]:
        """Mean, low and high of each signal in each bin, and how many values were reported in it."""
        every, m = self._every, len(numbers)
        starts = numbers * self._every
        mean, low, high = (np.full((m, len(holds)), np.nan) for _ in range(3))
        rows = np.zeros(m, np.int64)
        for i, (name, hold) in enumerate(holds.items()):
            s = series[name]
            if not len(s.time):
                continue
            a, b = np.searchsorted(s.time, [starts[0], starts[-1] + every])
            ok = ~np.isnan(s.value[a:b])
            time, value = s.time[a:b][ok], s.value[a:b][ok]
            if len(time):
                at = np.searchsorted(numbers, time // every)
                edges = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
                count = np.diff(np.append(edges, len(at)))
                place = at[edges]
                mean[place, i] = np.add.reduceat(value, edges) / count
                low[place, i], high[place, i] = np.minimum.reduceat(value, edges), np.maximum.reduceat(value, edges)
                rows[place] += count
            # the last value before the bin's end, if the bin itself brought none
            held = _held(s, starts + every, "left", hold, starts)
            silent = np.isnan(mean[:, i])
            for column in (mean, low, high):
                column[silent, i] = held[silent]
        return mean, low, high, rows

    def _regimes(self, numbers: Int64s) -> list[str]:
        times = np.array([t for t, _ in self._state.regime], np.int64)
        words = [w for _, w in self._state.regime]
        begins = np.searchsorted(times, numbers * self._every, side="right").tolist()
        ends = np.searchsorted(times, (numbers + 1) * self._every, side="left").tolist()
        names = []
        for a, b in zip(begins, ends, strict=True):
            inside = set(words[a - 1 : b]) if a else {None}
            names.append((inside.pop() or BETWEEN) if len(inside) == 1 else BETWEEN)
        return names


def _held(s: _Series, at: Int64s, side: Literal["left", "right"], hold: int | None, since: Int64s) -> Floats:
    """The last value before each instant (``right``: or at it), no older than ``hold`` ns by ``since``; NaN: none."""
    if not len(s.time):
        return np.full(len(at), np.nan)
    last = np.searchsorted(s.time, at, side=side) - 1
    age = since - s.time[np.maximum(last, 0)]
    fresh = (last >= 0) & ((age <= hold) if hold is not None else True)
    return np.asarray(np.where(fresh, s.value[np.maximum(last, 0)], np.nan))


def _number(value: float | str | bool | None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(float(value), -LARGEST), LARGEST)


def _from(rows: list[tuple[int, float | None]] | list[tuple[int, str | None]], end: int) -> int:
    """Index of the last row before ``end``; rows from there on are still needed."""
    before = sum(1 for t, _ in rows if t < end)
    return max(before - 1, 0)
