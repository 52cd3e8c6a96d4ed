"""What a monitor holds of a signal between steps: its last value, and when it goes stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.monitor.algebra import Stretches
from servitwin.proof.monitor.changes import stretches
from servitwin.proof.monitor.check import check_signal
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.truth import FIRST


class SignalSettings(msgspec.Struct, frozen=True):
    """How a signal is read. ``max_gap``: nanoseconds after which a value is stale; None: it holds for ever.

    ``words`` of text, state and condition signals come with each step's samples.
    """

    accuracy: float = 0.0
    max_gap: int | None = None


@dataclass(slots=True, eq=False)
class Told:
    """What a signal newly says: ``fresh`` are its samples and the instants at which values went stale.

    ``before`` and ``held`` are what was held before and is held after them.
    """

    fresh: SignalTrace
    before: Held
    held: Held
    settings: SignalSettings
    _trace: SignalTrace | None = None

    @property
    def trace(self) -> SignalTrace:
        """What was held and what is new, as one trace that begins before all time."""
        if self._trace is None:
            old = self.before.alone(self.settings)
            fresh = self.fresh
            words = fresh.words if set(old.words) <= set(fresh.words) else (*fresh.words, *old.words)
            value = np.array([words.index(old.words[0])]) if old.words else old.values
            self._trace = SignalTrace(
                np.concatenate([old.times, fresh.times]),
                np.concatenate([value, fresh.values]),
                np.concatenate([old.known, fresh.known]),
                self.settings.accuracy,
                words,
            )
        return self._trace

    @property
    def changes(self) -> Stretches:
        """Runs of one value that begin after the held one."""
        runs = stretches(self.trace)
        keep = runs.start > FIRST
        return Stretches(runs.start[keep], runs.known[keep])


class Held(msgspec.Struct, frozen=True):
    """The last observation of a signal: ``value`` a number or a code, ``word`` what the code means.

    ``since`` is the instant of the observation, from which ``max_gap`` counts; ``known`` is false once it is stale.
    """

    since: int = FIRST
    value: float = 0.0
    word: str | None = None
    known: bool = False

    def alone(self, settings: SignalSettings) -> SignalTrace:
        """The held value as a trace of one sample, as far back as anyone asks."""
        words = () if self.word is None else (self.word,)
        value = np.zeros(1, np.int32) if words else np.array([self.value])
        return SignalTrace(np.array([FIRST]), value, np.array([self.known]), settings.accuracy, words)

    def told(
        self, name: str, samples: SignalTrace | None, settings: SignalSettings, now: int, watermark: int
    ) -> Told | None:
        """What is new in [now, watermark): samples, and values that went stale. None if nothing is.

        Raises:
            InvalidInputError: ``monitor:late``, ``monitor:ahead``, ``trace:*``.
        """
        gap = settings.max_gap
        if samples is None or not len(samples.times):
            if gap is None or not self.known or self.since + gap >= watermark:
                return None
            fresh = SignalTrace(np.array([self.since + gap]), np.zeros(1), np.zeros(1, np.bool_), settings.accuracy)
            return Told(fresh, self, Held(self.since), settings)
        check_signal(name, samples)
        first, last = int(samples.times[0]), int(samples.times[-1])
        _inside(name, first, last, now, watermark)
        fresh = SignalTrace(samples.times, samples.values, samples.known, settings.accuracy, samples.words)
        if gap is not None:
            fresh = self._aged(fresh, gap, first, last, watermark)
        known, value = bool(fresh.known[-1]), float(fresh.values[-1])
        word = fresh.words[int(value)] if fresh.words and known else None
        return Told(fresh, self, Held(last, value, word, known), settings)

    def _aged(self, fresh: SignalTrace, gap: int, first: int, last: int, watermark: int) -> SignalTrace:
        """With an entry wherever a value, the held one too, went stale before the next one came."""
        times, values, known = fresh.times, fresh.values, fresh.known
        stale = np.zeros(0, np.intp)
        if watermark - last > gap or (len(times) > 1 and int((times[1:] - times[:-1]).max()) > gap):
            until = np.append(times[1:], watermark)
            stale = np.flatnonzero(known & (until - gap > times))
        place, at = stale + 1, times[stale] + gap
        if self.known and first - self.since > gap:
            place, at = np.append(np.zeros(1, np.intp), place), np.append(np.array([self.since + gap]), at)
        if not len(place):
            return fresh
        times = np.insert(times, place, at)
        filled: Any = np.insert(values, place, 0)
        known = np.insert(known, place, False)
        return SignalTrace(times, filled, known, fresh.accuracy, fresh.words)


def _inside(name: str, first: int, last: int, now: int, watermark: int) -> None:
    if first < now:
        raise InvalidInputError(
            Fault(
                "monitor:late",
                f"{name} at {first} comes after the watermark {now}",
                "Step again from an earlier snapshot",
                name,
            )
        )
    if last >= watermark:
        raise InvalidInputError(
            Fault(
                "monitor:ahead",
                f"{name} at {last} is not before the watermark {watermark}",
                "Keep it for the next step",
                name,
            )
        )
