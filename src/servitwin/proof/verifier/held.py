"""From observations to held values: what was known of a signal at each instant (``docs/concepts/requirement.md``)."""

from __future__ import annotations

import math
from typing import Any

from . import step
from .excerpt import CONNECTION, Excerpt, Signal
from .step import BEGIN, Step

_GOOD = 0
# An entry that stands for all that a condition may have held before the excerpt began.
EARLIER = ("?", "")
_LEVELS = ("normal", "warning", "fault")


def held_values(excerpt: Excerpt, names: set[str]) -> dict[str, Step]:
    """What is held of the named signals; None where it is not known.

    A number is (reading, least, most) with its accuracy; a text is itself, a flag true or false; a condition is the set
    of its active entries (level, native code).
    """
    offline = _offline(excerpt)
    found = {}
    for name in names:
        if name == "state" and excerpt.states is not None:
            found[name] = _states(excerpt)
        elif name in excerpt.signals:
            found[name] = _held(excerpt, excerpt.signals[name], offline)
    return found


def _rows(excerpt: Excerpt, signal: Signal) -> list[tuple[int, int, int, int, int, Any]]:
    """(time, shard, sequence, index, quality, value) inside the excerpt and its cut, in order."""
    columns = (signal.times, signal.shards, signal.sequences, signal.indexes, signal.marks, signal.values)
    return sorted(
        (
            (time, shard, sequence, index, mark & 3, value)
            for time, shard, sequence, index, mark, value in zip(*columns, strict=True)
            if excerpt.begin <= time < excerpt.end and sequence <= excerpt.cut.get(shard, -1)
        ),
        key=lambda row: row[:4],
    )


def _held(excerpt: Excerpt, signal: Signal, offline: list[tuple[int, float]]) -> Step:
    rows = _rows(excerpt, signal)
    readings = _conditions(rows) if signal.type == "condition" else _readings(rows, signal)
    starts: list[Any] = [BEGIN]
    values: list[Any] = [None]
    for i, (time, value) in enumerate(readings):
        starts.append(time)
        values.append(value)
        until = readings[i + 1][0] if i + 1 < len(readings) else excerpt.end
        if signal.max_gap is not None and time + signal.max_gap < until:
            starts.append(time + signal.max_gap)
            values.append(None)
    starts.append(excerpt.end)
    values.append(None)
    held = step.joined(starts, values)
    spans: list[tuple[int, float]] = list(excerpt.gaps)
    for begin, end in offline:
        heard = next((row[0] for row in rows if row[0] > begin), math.inf)
        spans.append((begin, min(end, heard)))
    for begin, end in spans:
        if begin < end:
            held = _without(held, begin, end)
    return held


def _readings(rows: list[Any], signal: Signal) -> list[tuple[int, Any]]:
    """(time, value) of numbers, texts and flags: the last row of an instant holds."""
    last = {}
    for time, _, _, _, quality, value in rows:
        last[time] = value if quality == _GOOD else None
    if signal.type == "number":
        d = signal.accuracy
        return [(t, None if v is None else (v, v - d, v + d)) for t, v in last.items()]
    if signal.type == "flag":
        return [(t, None if v is None else bool(v)) for t, v in last.items()]
    return list(last.items())


def _conditions(rows: list[Any]) -> list[tuple[int, Any]]:
    """(time, active entries) of a condition, ``level|native code|...``: every row counts."""
    active = {EARLIER}
    last = {}
    for time, _, _, _, quality, value in rows:
        level, code = (*(part.strip() for part in (value or "unavailable").split("|", 2)), "")[:2]
        level = level.lower()
        known = quality == _GOOD and level in _LEVELS
        if level not in _LEVELS or (level == "normal" and not code):
            active = set()
        else:
            active = {(kept, native) for kept, native in active if (kept, native) == EARLIER or native != code}
            if level != "normal":
                active.add((level, code))
        last[time] = frozenset(active) if known else None
    return list(last.items())


def _offline(excerpt: Excerpt) -> list[tuple[int, float]]:
    """Times at which the twin had no connection, [from, to) in ns."""
    if CONNECTION not in excerpt.signals:
        return []
    found: list[tuple[int, float]] = []
    since = None
    for time, *_, value in _rows(excerpt, excerpt.signals[CONNECTION]):
        if value == "offline" and since is None:
            since = time
        elif value == "online" and since is not None:
            found.append((since, time))
            since = None
    return found if since is None else [*found, (since, math.inf)]


def _states(excerpt: Excerpt) -> Step:
    starts: list[Any] = [BEGIN]
    values: list[Any] = [None]
    for begin, end, state in excerpt.states or ():
        if begin < excerpt.end and end > excerpt.begin:
            starts += [max(begin, excerpt.begin), min(end, excerpt.end)]
            values += [None if state == "unknown" else state, None]
    order = [i for i in range(len(starts)) if i + 1 == len(starts) or starts[i + 1] != starts[i]]
    return step.joined([starts[i] for i in order], [values[i] for i in order])


def _without(held: Step, begin: int, end: float) -> Step:
    """Not known on [begin, end)."""
    mask = Step([BEGIN, begin], [False, True]) if end == math.inf else Step([BEGIN, begin, end], [False, True, False])
    return step.both(held, mask, lambda value, gap: None if gap else value)
