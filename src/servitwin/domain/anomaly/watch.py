"""Watching a machine: rows in, scored bins out, the same in any split of the rows, live and over history."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from servitwin.domain.anomaly.bins import BETWEEN, Binning, Bins, OpenBin, unchanged
from servitwin.domain.anomaly.found_regimes import CHANGED, NOT_LEARNT
from servitwin.domain.anomaly.model import AnomalyModel
from servitwin.domain.anomaly.track import Track, TrackState
from servitwin.domain.observation import Bools, Floats, Int64s


@dataclass(slots=True, eq=False)
class Scores:
    """m bins as they were judged; columns are in the order of the model's signals.

    Attributes:
        start: begin of each bin, ns UTC.
        score: 1 is the limit; NaN where nothing is said: ``why`` names the reason (no text: judged).
        deviation: smoothed deviation in standard deviations, NaN: not known, not learnt or stuck.
        share: of each signal in an alarm, adding up to 1; zero without one.
        mean: of the bin, in the signal's unit; level: what it was compared with in an alarm, NaN without one.
        stuck: signals that report the same value for too long; they do not count in the score.
    """

    start: Int64s
    score: Floats
    deviation: Floats
    share: Floats
    mean: Floats
    level: Floats
    stuck: Bools
    why: list[str]
    rows: Int64s

    def between(self, first: int, end: int) -> Scores:
        """Bins from ``first`` to before ``end``."""
        s = slice(first, end)
        return Scores(
            self.start[s],
            self.score[s],
            self.deviation[s],
            self.share[s],
            self.mean[s],
            self.level[s],
            self.stuck[s],
            self.why[s],
            self.rows[s],
        )


UNKNOWN = "nothing-known"


class WatchState(msgspec.Struct):
    """Everything a watch remembers."""

    open_bin: OpenBin
    tracks: dict[str, TrackState]
    low: list[float | None]
    high: list[float | None]


class AnomalyWatch:
    """Judges the bins of one machine by what was learnt of it."""

    def __init__(self, model: AnomalyModel, state: WatchState | None = None) -> None:
        d = len(model.signals)
        self._model, self._every = model, model.settings.every
        self._binning = Binning(d, self._every, state.open_bin if state else None)
        kept = state.tracks if state else {}
        self._tracks = {n: Track(r, d, model.settings, kept.get(n)) for n, r in model.regimes.items()}
        self._low = _array(state.low if state else [None] * d)
        self._high = _array(state.high if state else [None] * d)

    def take(self, time: Int64s, values: Floats, regime: list[str], watermark: int) -> Scores:
        """Rows before ``watermark`` (see :meth:`Binning.take`); the bins that are complete by then, judged."""
        return self.judge(self._binning.take(time, values, regime, watermark))

    def judge(self, bins: Bins) -> Scores:
        """Bins in order of time, after those judged before."""
        m, d = bins.mean.shape
        scores = Scores(
            bins.number * self._every,
            np.full(m, np.nan),
            np.full((m, d), np.nan),
            np.zeros((m, d)),
            bins.mean,
            np.full((m, d), np.nan),
            np.zeros((m, d), np.bool_),
            [""] * m,
            bins.rows,
        )
        if not m:
            return scores
        same = unchanged(bins, self._low, self._high)
        self._low, self._high = bins.low[-1], bins.high[-1]
        any_same: list[bool] = np.any(same, axis=1).tolist()
        complete: list[bool] = np.all(~np.isnan(bins.mean), axis=1).tolist()
        names, why = bins.regime, scores.why
        if self._model.found is not None:
            names, why = self._model.found.named(bins)
        for k, number in enumerate(bins.number.tolist()):
            name = names[k]
            track = self._tracks.get(name)
            if track is None:
                scores.why[k] = why[k] or (CHANGED if name == BETWEEN else NOT_LEARNT)
                continue
            used = track.used
            mean, still = bins.mean[k], same[k] if any_same[k] else None
            if not track.uses_all:
                mean, still = mean[used], None if still is None else still[used]
            score, deviation, alarm, stuck = track.step(number, mean, still, complete[k])
            if math.isnan(score):
                scores.why[k] = UNKNOWN
            scores.score[k] = score
            if track.uses_all:
                scores.deviation[k] = deviation
            else:
                scores.deviation[k, used] = deviation
            if stuck is not None:
                scores.stuck[k, used] = stuck
            if alarm is not None:
                scores.share[k, used], scores.level[k, used] = alarm
        return scores

    def state(self) -> WatchState:
        """All that is needed to go on later, elsewhere."""
        return WatchState(
            self._binning.held(), {n: t.state() for n, t in self._tracks.items()}, _list(self._low), _list(self._high)
        )


def _array(values: list[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _list(values: Floats) -> list[float | None]:
    return [None if math.isnan(v) else v for v in values.tolist()]
