"""Bins: rows of several signals made into means over equal spans of time, the same in any split of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Bools, Floats, Int64s

BETWEEN = ""  # regime of a bin in which the regime changed, or was not known
ALONE = "all"  # regime of a machine that names none
LARGEST = 1e100  # readings beyond are taken for this, so that squares stay finite


@dataclass(slots=True, eq=False)
class SettingBins:
    """The k settings of m bins, by name.

    ``mean``: (m, k), NaN where nothing was known; ``span``: (m, k), from the lowest to the highest value that held at
    any time in the bin, also the one that it began with.
    """

    names: tuple[str, ...]
    mean: Floats
    span: Floats


@dataclass(slots=True, eq=False)
class Bins:
    """m bins of d signals. ``number`` counts from 1970 UTC; a bin without any row is not there.

    Attributes:
        mean, low, high: shape (m, d); NaN where no value of the signal was known.
        regime: name of the regime that held in all of the bin, else :data:`BETWEEN`.
        rows: how many rows were in it.
        settings: numbers that say how the machine was run; None: none are named.
    """

    number: Int64s
    mean: Floats
    low: Floats
    high: Floats
    regime: list[str]
    rows: Int64s
    settings: SettingBins | None = None

    def __len__(self) -> int:
        """Number of bins."""
        return len(self.number)

    def first(self, count: int) -> Bins:
        """The first bins alone."""
        return self._part(slice(0, count))

    def after(self, count: int) -> Bins:
        """All but the first bins."""
        return self._part(slice(count, None))

    def _part(self, s: slice) -> Bins:
        own = self.settings
        settings = None if own is None else SettingBins(own.names, own.mean[s], own.span[s])
        return Bins(self.number[s], self.mean[s], self.low[s], self.high[s], self.regime[s], self.rows[s], settings)


def unchanged(bins: Bins, low: Floats, high: Floats) -> Bools:
    """Whether a signal had one value all through a bin and the one before; ``low``, ``high``: of the bin before all."""
    before_low, before_high = np.vstack([low, bins.low[:-1]]), np.vstack([high, bins.high[:-1]])
    same: Bools = (bins.low == bins.high) & (before_low == before_high) & (bins.low == before_low)
    return same


class OpenBin(msgspec.Struct):
    """Rows of the bin that is not complete yet, as they came, and the time up to which rows were taken."""

    time: list[int] = []
    values: list[list[float | None]] = []
    regime: list[str] = []
    watermark: int | None = None


class Binning:
    """Gathers rows until their bin is over."""

    def __init__(self, signals: int, every: int, held: OpenBin | None = None) -> None:
        held = held or OpenBin()
        self._signals, self._every = signals, every
        self._watermark = held.watermark
        self._time = np.array(held.time, np.int64)
        self._values = np.array(held.values, np.float64).reshape(-1, signals)
        self._regime = list(held.regime)

    def take(self, time: Int64s, values: Floats, regime: list[str], watermark: int) -> Bins:
        """Rows in order of time, none at or after ``watermark`` (ns UTC); the bins that are complete by then.

        ``values``: shape (n, d), NaN: not known. ``regime``: one name a row.

        Raises:
            InvalidInputError: ``anomaly:rows-unequal``, ``anomaly:rows-not-in-order``, ``anomaly:rows-too-late``.
        """
        self._check(time, values, regime, watermark)
        if len(time):
            self._time = np.concatenate([self._time, time])
            self._values = np.concatenate([self._values, np.clip(values, -LARGEST, LARGEST)])
            self._regime += regime
        self._watermark = watermark
        end = int(np.searchsorted(self._time, watermark // self._every * self._every))
        bins = _bins(self._time[:end], self._values[:end], self._regime[:end], self._every)
        self._time, self._values, self._regime = self._time[end:], self._values[end:], self._regime[end:]
        return bins

    def held(self) -> OpenBin:
        """What has to be kept to go on later."""
        values = [[None if math.isnan(v) else v for v in row] for row in self._values.tolist()]
        return OpenBin(self._time.tolist(), values, list(self._regime), self._watermark)

    def _check(self, time: Int64s, values: Floats, regime: list[str], watermark: int) -> None:
        if values.shape != (len(time), self._signals) or len(regime) != len(time):
            message = f"{len(time)} times, {len(regime)} regimes and values of shape {values.shape}"
            hint = f"As many rows as times, {self._signals} signals each"
            raise InvalidInputError(Fault("anomaly:rows-unequal", message, hint))
        if len(time) and (bool(np.any(time[1:] < time[:-1])) or int(time[-1]) >= watermark):
            message = "Rows are not in order of time, or not before the watermark"
            raise InvalidInputError(Fault("anomaly:rows-not-in-order", message, "Sort them by time"))
        known = self._watermark
        if known is not None and (watermark < known or (len(time) and int(time[0]) < known)):
            first = int(time[0]) if len(time) else watermark
            hint = "Go on from a snapshot taken before them"
            raise InvalidInputError(
                Fault("anomaly:rows-too-late", f"Rows of {first}: all before {known} is taken already", hint)
            )


def _bins(time: Int64s, values: Floats, regime: list[str], every: int) -> Bins:
    signals = values.shape[1]
    if not len(time):
        none = np.empty((0, signals))
        return Bins(np.empty(0, np.int64), none, none, none, [], np.empty(0, np.int64))
    numbers = time // every
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    known = ~np.isnan(values)
    rows = np.diff(np.append(starts, len(time)))
    if known.all():
        total, count = np.add.reduceat(values, starts), rows[:, None]
    else:
        total = np.add.reduceat(np.where(known, values, 0.0), starts)
        count = np.add.reduceat(known.astype(np.int64), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
    low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    return Bins(numbers[starts], mean, low, high, _regimes(regime, starts), rows)


def _regimes(regime: list[str], starts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    if regime.count(regime[0]) == len(regime):
        return [regime[0]] * len(starts)
    edges = [*starts.tolist(), len(regime)]
    found = []
    for a, b in pairwise(edges):
        one = regime[a]
        found.append(one if regime[a:b].count(one) == b - a else BETWEEN)
    return found
