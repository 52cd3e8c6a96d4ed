"""Stretches: bins in alarm joined into what a person is told: from when to when, which signals, since when each."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np

from servitwin.domain.anomaly.model import AnomalyModel
from servitwin.domain.anomaly.watch import Scores

TOLD_AGAIN = frozenset(4**k for k in range(1, 15))  # bins in alarm after which a stretch that goes on is told again


class SignalPart(msgspec.Struct):
    """What one signal has to do with a stretch.

    Attributes:
        share: mean share in the alarm, 0 to 1.
        since: begin of the first bin in which it was far off by itself (ns UTC); None: it never was, only together
            with others.
        farthest: its largest smoothed deviation, in standard deviations, with its sign.
        value, usual: mean of the bin in which it was farthest, and the level it was compared with (its own unit).
    """

    signal: str
    share: float
    since: int | None
    farthest: float
    value: float | None = None
    usual: float | None = None


class Stretch(msgspec.Struct):
    """A stretch [start, end) of one kind; ``end`` None: it goes on.

    Attributes:
        kind: ``deviates``: the machine is not as it was learnt; ``stuck``: a signal reports one value for too long,
            noticed at ``start``.
        peak: highest score (1 is the limit); nothing for ``stuck``.
        signals: largest share first; those with less than a hundredth are left out.
    """

    kind: Literal["deviates", "stuck"]
    start: int
    end: int | None
    peak: float | None
    signals: tuple[SignalPart, ...]


class OpenStretch(msgspec.Struct):
    """A deviation that goes on, summed up so far."""

    start: int
    end: int  # of the last bin in alarm
    alarms: int
    peak: float
    share: list[float]
    since: list[int | None]
    farthest: list[float]
    value: list[float | None]
    usual: list[float | None]
    quiet: int = 0


class StretchState(msgspec.Struct):
    """What is kept between steps."""

    deviation: OpenStretch | None = None
    stuck: dict[str, int] = {}


class Stretches:
    """Joins judged bins. A deviation is over after as many bins below the limit as the smoothing remembers (1/lambda).

    It ends with its last bin in alarm. Bins that nothing is said of neither prolong nor end it, but for so many that
    the machine is said not to be judged (:meth:`lost_sight`).
    """

    def __init__(self, model: AnomalyModel, state: StretchState | None = None) -> None:
        self._signals, self._settings = model.signals, model.settings
        self._patience = math.ceil(1 / model.settings.smoothing)
        self._state = state or StretchState()

    def take(self, scores: Scores) -> list[Stretch]:
        """What there is to tell, in order: stretches that begin (``end`` None), that go on, and that are over.

        One that goes on is told again, as it is then, whenever it has four times as many bins in alarm.
        """
        told: list[Stretch] = []
        any_stuck: list[bool] = np.any(scores.stuck, axis=1).tolist()
        for k, (start, score) in enumerate(zip(scores.start.tolist(), scores.score.tolist(), strict=True)):
            if any_stuck[k] or self._state.stuck:
                told += self._follow_stuck(scores, k, start)
            if score > 1.0:
                began = self._state.deviation is None
                self._add(scores, k, start, score)
                now = self._state.deviation
                if now is not None and (began or now.alarms in TOLD_AGAIN):
                    told.append(self._deviation(now, over=False))
            elif self._state.deviation is not None and not math.isnan(score):
                self._state.deviation.quiet += 1
                if self._state.deviation.quiet >= self._patience:
                    told.append(self._deviation(self._state.deviation, over=True))
                    self._state.deviation = None
        return told

    def ended(self, at: int) -> list[Stretch]:
        """Stretches that are not over, as they are if nothing is judged from ``at`` (ns UTC) on."""
        return [msgspec.structs.replace(s, end=max(at, s.start + 1)) for s in self.going_on()]

    def lost_sight(self) -> list[Stretch]:
        """The deviation is over with its last bin in alarm: nobody can say that it goes on while nothing is judged."""
        now, self._state.deviation = self._state.deviation, None
        return [] if now is None else [self._deviation(now, over=True)]

    def going_on(self) -> list[Stretch]:
        """Stretches that are not over."""
        open_now = [self._stuck(name, start, None) for name, start in self._state.stuck.items()]
        if self._state.deviation is not None:
            open_now.append(self._deviation(self._state.deviation, over=False))
        return open_now

    def state(self) -> StretchState:
        """All that is needed to go on later."""
        return self._state

    def _add(self, scores: Scores, k: int, start: int, score: float) -> None:
        d = len(self._signals)
        now = self._state.deviation
        if now is None:
            none: list[float | None] = [None] * d
            now = OpenStretch(start, start, 0, 0.0, [0.0] * d, [None] * d, [0.0] * d, none, list(none))
            self._state.deviation = now
        now.end, now.quiet, now.alarms = start + self._settings.every, 0, now.alarms + 1
        now.peak = max(now.peak, score)
        for i, (share, away) in enumerate(zip(scores.share[k].tolist(), scores.deviation[k].tolist(), strict=True)):
            now.share[i] += share
            if abs(away) > abs(now.farthest[i]):
                now.farthest[i] = away
                now.value[i], now.usual[i] = float(scores.mean[k, i]), float(scores.level[k, i])
            if now.since[i] is None and abs(away) > self._settings.freeze:
                now.since[i] = start

    def _deviation(self, now: OpenStretch, over: bool) -> Stretch:
        rows = zip(self._signals, now.share, now.since, now.farthest, now.value, now.usual, strict=True)
        parts = [SignalPart(name, share / now.alarms, *rest) for name, share, *rest in rows]
        told = sorted((p for p in parts if p.share >= 0.01), key=lambda p: (-p.share, p.signal))
        return Stretch("deviates", now.start, now.end if over else None, now.peak, tuple(told))

    def _follow_stuck(self, scores: Scores, k: int, start: int) -> list[Stretch]:
        told = []
        for i, name in enumerate(self._signals):
            stuck, since = bool(scores.stuck[k, i]), self._state.stuck.get(name)
            if stuck and since is None:
                self._state.stuck[name] = start
                told.append(self._stuck(name, start, None))
            elif not stuck and since is not None and not scores.why[k].startswith("regime"):
                del self._state.stuck[name]
                told.append(self._stuck(name, since, start))
        return told

    @staticmethod
    def _stuck(name: str, start: int, end: int | None) -> Stretch:
        return Stretch("stuck", start, end, None, (SignalPart(name, 1.0, start, 0.0),))
