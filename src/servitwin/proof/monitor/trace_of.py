"""From observations to what a monitor reads, by the rules of the concept page for what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.formula.tree import STATE
from servitwin.domain.observation import Int64s, Observation, Quality, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap, State, StateInterval
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import UNAVAILABLE, Active, Track, series_of, track_of
from servitwin.proof.monitor.trace import SignalTrace, Trace


def trace_of(
    observations: Mapping[str, Iterable[Observation]],
    definitions: Mapping[str, SignalDefinition],
    *,
    gaps: Sequence[Gap] = (),
    offline: Sequence[tuple[int, int]] = (),
    states: Sequence[StateInterval] = (),
    start: int,
    end: int,
) -> Trace:
    """Signals as they were, from what was observed.

    Args:
        observations: by signal, in any order, with the last one before the earliest instant that is read.
        definitions: of all signals that a formula may name; those without observations are never known.
        gaps: stretches that a source declared; they override what was observed.
        offline: stretches [from, to) in ns in which the twin was offline.
        states: intervals of the canonical state, in order; they become the signal ``state``.
        start: ns UTC, inclusive.
        end: ns UTC, exclusive; later observations are left out.

    Raises:
        InvalidInputError: ``trace:signal-unknown`` for observations without a definition.
    """
    strangers = [name for name in observations if name not in definitions]
    if strangers:
        raise InvalidInputError(
            Fault("trace:signal-unknown", f"There is no signal {name!r}", "Name a signal of the machine type", name)
            for name in strangers
        )
    away, declared = Spans.of(offline), Spans.of((g.start, g.end) for g in gaps)
    signals = {
        name: signal_trace(series_of(observations.get(name, ()), definition), definition, declared, away, end)
        for name, definition in definitions.items()
    }
    signals[STATE] = state_trace(states)
    return Trace(start, end, signals)


def signal_trace(
    series: Series, definition: SignalDefinition, declared: Spans, offline: Spans, end: int
) -> SignalTrace:
    """One signal until ``end``. A value of uncertain quality counts as not known, as one of bad quality does."""
    series.quality = np.where(series.quality == Quality.GOOD, series.quality, np.uint8(Quality.BAD)).astype(np.uint8)
    track = _without(track_of(series, definition, end, offline), declared, end)
    known = track.code >= 0
    code = np.where(known, track.code, 0)
    if isinstance(track.values, np.ndarray):
        values = track.values[code] if len(track.values) else np.zeros(len(code))
        return SignalTrace(track.time, np.where(known, values, np.nan), known, definition.accuracy or 0.0)
    if definition.type == "flag":
        return SignalTrace(track.time, code.astype(np.int32), known)
    said = [one if isinstance(one, str) else entries(one) for one in track.values if not isinstance(one, bool)]
    words = {word: n for n, word in enumerate(dict.fromkeys(said))}
    number = np.array([*(words[w] for w in said), 0], np.int32)
    return SignalTrace(track.time, number[code], known, 0.0, tuple(words))


def state_trace(states: Sequence[StateInterval]) -> SignalTrace:
    """The canonical state; not known where it is ``unknown`` and where there is no interval."""
    rows: list[tuple[int, State]] = []
    for interval in states:
        if rows and rows[-1][0] == interval.start:
            rows.pop()
        rows += [(interval.start, interval.state), (interval.end, State.UNKNOWN)]
    words = [str(s) for s in State]
    return SignalTrace(
        np.array([t for t, _ in rows], np.int64),
        np.array([words.index(s) for _, s in rows], np.int32),
        np.array([s is not State.UNKNOWN for _, s in rows], np.bool_),
        0.0,
        tuple(words),
    )


def since(trace: SignalTrace, start: int, until: int) -> SignalTrace:
    """What a trace says of [start, until): its samples there, and what held at ``start`` if it began before."""
    times = trace.times
    first = int(times.searchsorted(start, "left"))
    last = int(times.searchsorted(until, "left"))
    if first > 0 and (first == last or times[first] > start):
        times = times.copy()
        first -= 1
        times[first] = start
    inside = slice(first, last)
    return SignalTrace(times[inside], trace.values[inside], trace.known[inside], trace.accuracy, trace.words)


def entries(active: Active) -> str:
    """The active entries of a condition as ``level|code``, one a line, in the order of their codes."""
    return "\n".join(f"{one.level}|{code}" for code, one in sorted(active.items()))


def _without(track: Track, declared: Spans, end: int) -> Track:
    inside = declared.clip(int(track.time[0]), end) if len(track.time) else declared
    if not len(track.time) or not len(inside.start):
        return track
    edges: Int64s = inside.end[inside.end < end]
    time = np.unique(np.concatenate([track.time, inside.start, edges]))
    return Track(time, np.where(inside.contain(time), UNAVAILABLE, track.at(time)), track.values)
