"""From observations to time of state: the rules of a machine type, applied at every change of any signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping
from servitwin.domain.observation import CONNECTION, Bools, Int64s, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.signal_test import holds
from servitwin.domain.state_time import Gap, State, StateInterval, unknown
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import REASONS, Active, Track, offline_spans, series_of, track_of

_GAP = -5
_NOT_ASKED = -6
_NO, _YES, _UNKNOWN = 0, 1, 2
Trileans = npt.NDArray[np.int8]
Outcome = tuple[State, str, str, str]  # state, cause, party, reason


def signals_needed(mapping: StateMapping) -> tuple[str, ...]:
    """Names of all signals that decide the state, the reserved ``_connection`` included."""
    tested = [t.signal for rule in mapping.rules for t in rule.when]
    names = [*mapping.needs, *tested, *([mapping.word] if mapping.word else []), CONNECTION]
    return tuple(dict.fromkeys(names))


def derive_states(
    machine_type: MachineType,
    series: Mapping[str, Series],
    gaps: Sequence[Gap],
    start: int,
    end: int,
) -> list[StateInterval]:
    """State intervals that cover [start, end) exactly, without overlap, merged where nothing differs.

    The answer depends on the observations alone, not on the order in which they came. Without ``needs`` in the
    mapping the state is unknown while none of the rules' signals is known; a test on an unknown signal does not
    hold. Where ``needs`` are unknown the reason is that of the first of them.

    Args:
        machine_type: the type in force, with its mapping and signal definitions.
        series: by signal name, in order, each with the last observation before ``start`` (a condition signal with
            all that were still active); signals that are missing have no data.
        gaps: declared gaps; they override what was observed.
        start: ns UTC, inclusive.
        end: ns UTC, exclusive.
    """
    mapping = machine_type.states
    if end <= start:
        return []
    if mapping is None:
        return unknown(start, end, "no-mapping")
    p = _derive(machine_type, mapping, series, gaps, start, end)
    changed = np.ones(len(p.time), np.bool_)
    changed[1:] = (np.diff(p.outcome) != 0) | (np.diff(p.word) != 0)
    starts = p.time[changed].tolist()
    rows = zip(starts, [*starts[1:], end], p.outcome[changed].tolist(), p.word[changed].tolist(), strict=True)
    intervals = []
    for begin, finish, o, w in rows:
        state, cause, party, reason = p.outcomes[o]
        intervals.append(StateInterval(begin, finish, state, cause, party, p.words[w], reason))
    return intervals


def time_in_states(
    machine_type: MachineType, series: Mapping[str, Series], gaps: Sequence[Gap], edges: Sequence[int]
) -> list[dict[State, int]]:
    """Nanoseconds per state between neighbouring ``edges`` (rising, ns UTC): the sums of :func:`derive_states`.

    Much faster than its intervals, where only sums are wanted.
    """
    start, end = edges[0], edges[-1]
    mapping = machine_type.states
    if mapping is None:
        return [{State.UNKNOWN: b - a} for a, b in pairwise(edges)]
    p = _derive(machine_type, mapping, series, gaps, start, end)
    return sums_between(p, np.array(edges[:-1], np.int64), end)


def sums_between(p: Points, inner: Int64s, end: int) -> list[dict[State, int]]:
    """Nanoseconds per state from each of the rising ``inner`` edges to the next, the last one to ``end``."""
    bounds = _merged([p.time, inner])
    states = list(State)
    number = np.array([states.index(state) for state, *_ in p.outcomes], np.int64)
    state_at = number[p.outcome[np.searchsorted(p.time, bounds, side="right") - 1]]
    cell = (np.searchsorted(inner, bounds, side="right") - 1) * len(states) + state_at
    sums = np.zeros(len(inner) * len(states), np.int64)
    np.add.at(sums, cell, np.diff(bounds, append=end))
    rows = sums.reshape(len(inner), len(states)).tolist()
    return [{state: ns for state, ns in zip(states, row, strict=True) if ns} for row in rows]


@dataclass(slots=True, eq=False)
class Points:
    """Where states begin: at ``time[i]`` the outcome ``outcomes[outcome[i]]``, the word ``words[word[i]]``."""

    time: Int64s
    outcome: Int64s
    outcomes: list[Outcome]
    word: Int64s
    words: list[str]


def _derive(
    machine_type: MachineType,
    mapping: StateMapping,
    series: Mapping[str, Series],
    gaps: Sequence[Gap],
    start: int,
    end: int,
) -> Points:
    tracks = _tracks(machine_type, mapping, series, end)
    declared = Spans.of((g.start, g.end) for g in gaps).clip(start, end)
    return derive_on_tracks(mapping, tracks, declared, np.array([start], np.int64), end)


def derive_on_tracks(
    mapping: StateMapping, tracks: Mapping[str, Track], declared: Spans, starts: Int64s, end: int
) -> Points:
    """Outcomes from the first of ``starts`` to ``end``, with a point at each of ``starts``; ``declared`` are gaps."""
    points = _points([t.time for t in tracks.values()], declared, starts, end)
    codes = {name: track.at(points) for name, track in tracks.items()}
    outcome, outcomes = _decide(mapping, tracks, codes, len(points))
    _explain(mapping, codes, outcome, outcomes)
    in_gap = declared.contain(points)
    if in_gap.any():
        outcome[in_gap] = _known_as(outcomes, (State.UNKNOWN, "", "", "declared-gap"))
    word, words = _words(tracks[mapping.word], codes[mapping.word]) if mapping.word else (np.zeros_like(points), [""])
    word[in_gap] = 0
    return Points(points, outcome, list(outcomes), word, words)


def _words(track: Track, code: Int64s) -> tuple[Int64s, list[str]]:
    """The machine's own words at each point as numbers, and the words; 0 is none."""
    words = {"": 0}
    values = track.values.tolist() if isinstance(track.values, np.ndarray) else track.values
    number = [words.setdefault(_said(value), len(words)) for value in values]
    return np.array([*number, *([0] * -_NOT_ASKED)], np.int64)[code], list(words)


def _tracks(
    machine_type: MachineType, mapping: StateMapping, series: Mapping[str, Series], end: int
) -> dict[str, Track]:
    offline = offline_spans(series.get(CONNECTION), end)
    definitions = {s.name: s for s in machine_type.signals}
    tracks = {}
    for name in signals_needed(mapping):
        if name == CONNECTION:
            continue
        definition = definitions.get(name) or SignalDefinition(name, "text")
        tracks[name] = track_of(series[name] if name in series else series_of([], definition), definition, end, offline)
    return tracks


def _points(times: Sequence[Int64s], declared: Spans, starts: Int64s, end: int) -> Int64s:
    every = _merged([*times, declared.start, declared.end, starts])
    inside: Int64s = every[(every >= starts[0]) & (every < end)]
    return inside


def _merged(sorted_times: Sequence[Int64s]) -> Int64s:
    """Each instant once, in order. A stable sort merges runs that are in order; ``np.unique`` is slow on them."""
    every = np.concatenate(sorted_times)
    every.sort(kind="stable")
    once: Int64s = every[np.append(every[1:] != every[:-1], True)[: len(every)]]
    return once


def _decide(
    mapping: StateMapping, tracks: Mapping[str, Track], codes: Mapping[str, Int64s], count: int
) -> tuple[Int64s, dict[Outcome, int]]:
    """Per point the number of the outcome: that of the first rule of which every test holds."""
    outcomes: dict[Outcome, int] = {}
    reason = "no-rule" if mapping.otherwise is State.UNKNOWN else ""
    outcome = np.full(count, _known_as(outcomes, (mapping.otherwise, "", "", reason)), np.int64)
    open_points: Bools = np.ones(count, np.bool_)
    for rule in mapping.rules:
        applies = open_points.copy()
        for test in rule.when:
            applies &= _verdicts(test, tracks[test.signal])[codes[test.signal]] == _YES
        reason = "rule" if rule.state is State.UNKNOWN else ""
        outcome[applies] = _known_as(outcomes, (rule.state, rule.cause, rule.party, reason))
        open_points &= ~applies
    return outcome, outcomes


def _verdicts(test: SignalTest, track: Track) -> Trileans:
    """Verdict for each value of the signal, and ``_UNKNOWN`` in the last places, where negative codes point."""
    values = track.values
    padding = np.full(-_NOT_ASKED, _UNKNOWN, np.int8)
    if isinstance(values, np.ndarray) and not test.equals and not test.parameter:
        yes = ~np.isnan(values)
        if test.above is not None:
            yes &= values > test.above
        if test.below is not None:
            yes &= values < test.below
        return np.concatenate([yes.astype(np.int8), padding])
    verdicts = [_verdict(test, value) for value in (values.tolist() if isinstance(values, np.ndarray) else values)]
    return np.concatenate([np.array(verdicts, np.int8), padding])


def _verdict(test: SignalTest, value: float | str | bool | Active) -> int:
    verdict = holds(test, None, active=value) if isinstance(value, dict) else holds(test, value)
    return _UNKNOWN if verdict is None else int(verdict)


def _explain(mapping: StateMapping, codes: Mapping[str, Int64s], outcome: Int64s, outcomes: dict[Outcome, int]) -> None:
    """Mark as unknown the points where a needed signal has no value, with the reason of the first such signal."""
    if mapping.needs:
        for name in reversed(mapping.needs):
            _mark(codes[name], codes[name] < 0, outcome, outcomes)
        return
    tested = list(dict.fromkeys(t.signal for rule in mapping.rules for t in rule.when))
    if tested:
        none_known = np.logical_and.reduce([codes[name] < 0 for name in tested])
        _mark(codes[tested[0]], none_known, outcome, outcomes)


def _mark(code: Int64s, where: Bools, outcome: Int64s, outcomes: dict[Outcome, int]) -> None:
    for number, reason in REASONS.items():
        hit = where & (code == number)
        if hit.any():
            outcome[hit] = _known_as(outcomes, (State.UNKNOWN, "", "", reason))


def _known_as(outcomes: dict[Outcome, int], outcome: Outcome) -> int:
    return outcomes.setdefault(outcome, len(outcomes))


def _said(value: object) -> str:
    """A value as the machine's own word; of a condition the most severe level."""
    if isinstance(value, dict):
        levels = {c.level for c in value.values()}
        return "fault" if "fault" in levels else "warning" if levels else "normal"
    if isinstance(value, float | np.floating):
        return f"{value:.15g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
