"""The track of one regime: each signal's level, its smoothed deviation, and how unlikely all of them together are.

A step of the Kalman filter of a local level model (Harvey 1989, section 3.2) gives the prediction error of each signal.
Its exponentially weighted mean (Lowry, Woodall, Champ and Rigdon 1992, Technometrics 34: MEWMA) is judged two ways:
Hotelling's T2 over all signals, and the largest single square. Score 1 is the limit of either. A signal that is far off
while the machine is in alarm stops moving its own level, so that a fault is not learnt as normal; the doubt about a
held level grows as slowly as the signal was seen to wander over long times, and lets go of it at last.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from servitwin.domain.anomaly.model import AnomalySettings, RegimeModel, limit_of_one, limit_of_square
from servitwin.domain.observation import Bools, Floats

FARTHEST = 1e6  # standard deviations; what is farther is no farther
LONGEST_WAIT = 1_000_000  # bins without the regime that still count


# Score (NaN: nothing was known); smoothed deviation in standard deviations (NaN: not known); share of each signal in an
# alarm and the level that it was compared with (None: no alarm); which signals are stuck (None: none).
Judged = tuple[float, Floats, tuple[Floats, Floats] | None, Bools | None]


class TrackState(msgspec.Struct):
    """Where a track is: per signal of the regime's ``used``."""

    last: int
    level: list[float]
    doubt: list[float]
    deviation: list[float]
    held: list[bool]
    unchanged: list[int]


class Track:
    """Follows the signals of one regime bin by bin; every bin takes the same arithmetic, whoever came with it."""

    def __init__(
        self, model: RegimeModel, signals: int, settings: AnomalySettings, state: TrackState | None = None
    ) -> None:
        d = len(model.used)
        self.used, self.uses_all = np.array(model.used, np.intp), d == signals
        self._unit = np.array(model.unit)
        self._noise, self._spread = np.array(model.noise), np.array(model.spread)
        self._drift, self._slow = np.array(model.drift), np.array(model.slow_drift)
        self._may_hold = np.array(model.holds, np.bool_)
        self._still = np.array(model.still, np.int64)
        self._covariance = np.array(model.covariance).reshape(d, d)
        self._settings = settings
        # The variance of an EWMA of uncorrelated values is lambda / (2 - lambda) of theirs.
        self._widen = 1 / math.sqrt(settings.smoothing / (2 - settings.smoothing))
        self._per_limit = 1 / model.raised
        self._judges: dict[bytes, tuple[Floats, float, float]] = {}
        s = state or TrackState(model.last, list(model.level), list(model.doubt), [0.0] * d, [False] * d, [0] * d)
        self._last = s.last
        self._level, self._doubt, self._deviation = np.array(s.level), np.array(s.doubt), np.array(s.deviation)
        self._held = np.array(s.held, np.bool_)
        self._unchanged = np.array(s.unchanged, np.int64)
        self._any_held, self._any_unchanged = bool(self._held.any()), bool(self._unchanged.any())
        self._judge_all = self._judge(np.ones(d, np.bool_), d)

    def state(self) -> TrackState:
        """All that is needed to go on."""
        return TrackState(
            self._last,
            self._level.tolist(),
            self._doubt.tolist(),
            self._deviation.tolist(),
            self._held.tolist(),
            self._unchanged.tolist(),
        )

    def step(self, number: int, mean: Floats, unchanged: Bools | None, complete: bool) -> Judged:
        """Take one bin of the regime's signals.

        ``unchanged``: the signal had the same value all through this bin and the one before (None: no signal had).
        ``complete``: every signal has a value.
        """
        if unchanged is None and not self._any_unchanged and number - self._last <= LONGEST_WAIT and complete:
            plain = self._step_plain(number, mean)
            if plain is not None:
                return plain
        return self._step_any(number, mean, unchanged)

    def _step_plain(self, number: int, mean: Floats) -> Judged | None:
        """The step where all signals are known, none is held and nothing is in alarm; None: it is not that one."""
        if self._any_held:
            return None
        doubt = self._doubt + self._drift * max(number - self._last, 1)
        total = doubt + self._noise
        error = mean / self._unit - self._level
        away = error / (np.sqrt(total) * self._spread)
        deviation = self._deviation + self._settings.smoothing * (away - self._deviation)
        u = deviation * self._widen
        inverse, limit_all, limit_one = self._judge_all
        score = max(float(u.dot(inverse.dot(u))) / limit_all, float(np.maximum.reduce(u * u)) / limit_one)
        score *= self._per_limit
        if not score <= 1.0:
            return None
        gain = doubt / total
        self._last, self._deviation = number, deviation
        self._level = self._level + gain * error
        self._doubt = doubt - gain * doubt
        return score, u, None, None

    def _step_any(self, number: int, mean: Floats, unchanged: Bools | None) -> Judged:
        if unchanged is None:
            self._unchanged = np.zeros_like(self._unchanged)
        else:
            self._unchanged = (self._unchanged + 1) * unchanged
        self._any_unchanged = unchanged is not None
        stuck = self._unchanged >= self._still
        known = ~np.isnan(mean) & ~stuck
        gap = min(max(number - self._last, 1), LONGEST_WAIT)
        self._last = number
        doubt = self._doubt + np.where(self._held, self._slow, self._drift) * gap
        total = doubt + self._noise
        error = np.where(known, mean / self._unit - self._level, 0.0)
        away = np.minimum(np.maximum(error / (np.sqrt(total) * self._spread), -FARTHEST), FARTHEST)
        self._deviation = self._deviation + known * (self._settings.smoothing * (away - self._deviation))
        u = self._deviation * self._widen
        count = int(known.sum())
        if not count:
            self._doubt = doubt
            return math.nan, np.full(len(u), math.nan), None, stuck if stuck.any() else None
        inverse, limit_all, limit_one = self._judge(known, count)
        seen = u * known
        parts = seen * (inverse @ seen)
        squares = seen * seen
        score = max(float(seen.dot(inverse.dot(seen))) / limit_all, float(squares.max()) / limit_one)
        score *= self._per_limit
        alarm: tuple[Floats, Floats] | None = None
        if score > 1.0:
            far = (np.abs(seen) > self._settings.freeze) & self._may_hold
            self._held = np.where(known, far, self._held)
            # Partial decomposition contributions (Alcala and Qin 2009, J. Process Control 19, 1593): they add up to T2.
            positive = np.maximum(parts, 0.0)
            alarm = (positive / max(float(positive.sum()), 1e-300), self._level * self._unit)
        else:
            self._held = self._held & ~known
        gain = known * ~self._held * (doubt / total)
        self._level = self._level + gain * error
        self._doubt = doubt - gain * doubt
        self._any_held = bool(self._held.any())
        return score, np.where(known, u, math.nan), alarm, stuck if stuck.any() else None

    def _judge(self, known: Bools, count: int) -> tuple[Floats, float, float]:
        """Inverse covariance of the known signals (zero elsewhere), and both limits for so many."""
        key = known.tobytes()
        found = self._judges.get(key)
        if found is None:
            at = np.flatnonzero(known)
            inverse = np.zeros_like(self._covariance)
            inverse[np.ix_(at, at)] = np.linalg.inv(self._covariance[np.ix_(at, at)])
            chance = self._settings.chance
            found = (inverse, limit_of_square(count, chance), limit_of_one(count, chance))
            if len(self._judges) < 64:
                self._judges[key] = found
        return found
