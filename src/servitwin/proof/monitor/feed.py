"""What a monitor holds of a signal between steps: its last value, and when it goes stale."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.monitor.check import check_signal
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.tracks import Stretches, stretches
from servitwin.proof.monitor.truth import FIRST


class SignalSettings(msgspec.Struct, frozen=True):
    """How a signal is read. ``max_gap``: nanoseconds after which a value is stale; None: it holds for ever.

    ``words`` of text, state and condition signals come with each step's samples.
    """

    accuracy: float = 0.0
    max_gap: int | None = None


_NONE = Stretches(np.zeros(0, np.int64), np.zeros(0, np.bool_))


@dataclass(slots=True, eq=False)
class Told:
    """The held value and the new samples as one trace, what is held after them, and the changes of the value."""

    trace: SignalTrace
    held: Held
    changes: Stretches


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
        self,
        name: str,
        samples: SignalTrace | None,
        settings: SignalSettings,
        now: int,
        watermark: int,
        *,
        changes: bool,
    ) -> Told | None:
        """What is new in [now, watermark): samples, and values that went stale. None if nothing is.

        ``changes``: whether anyone asks for the changes of the value.
        """
        count = 0 if samples is None else len(samples.times)
        gap = settings.max_gap
        if samples is None or not count:
            if gap is None or not self.known or self.since + gap >= watermark:
                return None
            samples = SignalTrace(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_))
        else:
            check_signal(name, samples)
            _inside(name, samples, now, watermark)
        words = samples.words
        if self.word is not None and self.word not in words:
            words = (*words, self.word)
        code = self.value if self.word is None else float(words.index(self.word))
        times = np.concatenate([np.array([FIRST]), samples.times])
        values = np.concatenate([np.array([code]), samples.values])
        known = np.concatenate([np.array([self.known]), samples.known])
        if gap is not None:
            spoken = times.copy()
            spoken[0] = self.since
            until = np.append(spoken[1:], watermark)
            stale = np.flatnonzero(known & (until - gap > spoken))
            if len(stale):
                times = np.insert(times, stale + 1, spoken[stale] + gap)
                values, known = np.insert(values, stale + 1, 0), np.insert(known, stale + 1, False)
        trace = SignalTrace(times, values, known, settings.accuracy, words)
        word = words[int(values[-1])] if words and known[-1] else None
        last = int(samples.times[-1]) if count else self.since
        return Told(trace, Held(last, float(values[-1]), word, bool(known[-1])), _moves(trace) if changes else _NONE)


def _moves(trace: SignalTrace) -> Stretches:
    """Runs of one value that begin after the held one."""
    runs = stretches(trace)
    keep = runs.start > FIRST
    return Stretches(runs.start[keep], runs.known[keep])


def _inside(name: str, samples: SignalTrace, now: int, watermark: int) -> None:
    if samples.times[0] < now:
        raise InvalidInputError(
            Fault(
                "monitor:late",
                f"{name} at {samples.times[0]} comes after the watermark {now}",
                "Step again from an earlier snapshot",
                name,
            )
        )
    if samples.times[-1] >= watermark:
        raise InvalidInputError(
            Fault(
                "monitor:ahead",
                f"{name} at {samples.times[-1]} is not before the watermark {watermark}",
                "Keep it for the next step",
                name,
            )
        )
