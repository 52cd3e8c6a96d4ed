"""The bins of a stretch that is being learnt from, kept between steps."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.anomaly.bins import Bins, SettingBins, unchanged
from servitwin.domain.observation import Bools, Floats

LARGEST_KEPT = 3e38


class LearningBins(msgspec.Struct):
    """Bins of the stretch that is being learnt from: small, for every step keeps them.

    Attributes:
        numbers: runs of (number of the first bin, bins).
        base: first known mean of each signal; ``mean``: means less it, 32-bit floats.
        still: what :func:`unchanged` says, a byte a value; low, high: of the last bin.
        regime: runs of (name, bins).
        count: how many bins.
        names: settings; set_base, set_mean: of these, as of signals; set_span: how far each moved, 32-bit floats.
    """

    numbers: list[tuple[int, int]] = []
    base: list[float | None] = []
    mean: bytes = b""
    still: bytes = b""
    low: list[float | None] = []
    high: list[float | None] = []
    regime: list[tuple[str, int]] = []
    count: int = 0
    names: list[str] = []
    set_base: list[float | None] = []
    set_mean: bytes = b""
    set_span: bytes = b""

    def add(self, part: Bins) -> None:
        """Keep bins that follow those kept; there is at least one."""
        none: list[float | None] = [None] * part.mean.shape[1]
        if not self.count:
            self.base, self.low, self.high = none, list(none), list(none)
        self.mean += _less_base(part.mean, self.base)
        self.still += unchanged(part, _array(self.low), _array(self.high)).tobytes()
        self.low, self.high = _list(part.low[-1]), _list(part.high[-1])
        if part.settings is not None:
            self.names = list(part.settings.names)
            self.set_base = self.set_base or [None] * len(self.names)
            self.set_mean += _less_base(part.settings.mean, self.set_base)
            self.set_span += np.minimum(part.settings.span, LARGEST_KEPT).astype(np.float32).tobytes()
        for number in part.number.tolist():
            if self.numbers and sum(self.numbers[-1]) == number:
                self.numbers[-1] = (self.numbers[-1][0], self.numbers[-1][1] + 1)
            else:
                self.numbers.append((number, 1))
        for name in part.regime:
            if self.regime and self.regime[-1][0] == name:
                self.regime[-1] = (name, self.regime[-1][1] + 1)
            else:
                self.regime.append((name, 1))
        self.count += len(part)

    def bins(self, signals: int) -> tuple[Bins, Bools]:
        """All that was kept, and what :func:`unchanged` says of it."""
        mean = _with_base(self.mean, self.base)
        number = np.concatenate([np.arange(first, first + run, dtype=np.int64) for first, run in self.numbers])
        regime = [name for name, run in self.regime for _ in range(run)]
        settings = None
        if self.names:
            span = np.frombuffer(self.set_span, np.float32).reshape(-1, len(self.names)).astype(np.float64)
            settings = SettingBins(tuple(self.names), _with_base(self.set_mean, self.set_base), span)
        still = np.frombuffer(self.still, np.bool_).reshape(-1, signals)
        return Bins(number, mean, mean, mean, regime, np.zeros(self.count, np.int64), settings), still


def _less_base(mean: Floats, base: list[float | None]) -> bytes:
    """Means less the first one known of each column, which ``base`` is filled with."""
    for i, column in enumerate(mean.T):
        known = column[~np.isnan(column)]
        if base[i] is None and len(known):
            base[i] = float(known[0])
    return np.clip(mean - _array(base), -LARGEST_KEPT, LARGEST_KEPT).astype(np.float32).tobytes()


def _with_base(kept: bytes, base: list[float | None]) -> Floats:
    return np.frombuffer(kept, np.float32).reshape(-1, len(base)) + _array(base)


def _array(values: list[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _list(values: Floats) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]
