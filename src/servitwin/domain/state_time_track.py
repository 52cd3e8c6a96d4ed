"""What one signal was at every instant: its values with the stretches in which it is not known, and why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np

from servitwin.domain.condition import Condition, apply_condition, parse_condition
from servitwin.domain.observation import Bools, Floats, Int64s, Observation, Quality, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_span import Spans

NO_DATA, UNAVAILABLE, STALE, DISCONNECTED = -1, -2, -3, -4
REASONS = {NO_DATA: "no-data", UNAVAILABLE: "unavailable", STALE: "stale", DISCONNECTED: "disconnected"}
# Active entries of a condition, the value of a condition signal between two observations.
Active = dict[str, Condition]


@dataclass(slots=True, eq=False)
class Track:
    """From ``time[i]`` until the next change the signal has the value ``values[code[i]]``.

    A negative code says why there is no value (see :data:`REASONS`); before the first time it is ``no-data``.
    """

    time: Int64s
    code: Int64s
    values: Floats | list[str] | list[bool] | list[Active]

    def at(self, times: Int64s) -> Int64s:
        """Codes that hold at these instants."""
        if not len(self.time):
            return np.full(len(times), NO_DATA, np.int64)
        index = np.searchsorted(self.time, times, side="right") - 1
        return np.where(index < 0, NO_DATA, self.code[np.maximum(index, 0)])


def series_of(observations: Iterable[Observation], definition: SignalDefinition, twin: str = "") -> Series:
    """Observations in any order as a series: sorted by (time, shard, seq, idx), the last one of a time holds.

    A condition signal keeps all observations of a time, because each of them changes the active set.
    """
    rows = sorted(observations, key=lambda o: (o.time, o.shard, o.seq, o.idx))
    if definition.type != "condition":
        rows = [o for o, after in zip(rows, [*rows[1:], None], strict=False) if after is None or after.time != o.time]
    time = np.array([o.time for o in rows], np.int64)
    quality = np.array([o.quality for o in rows], np.uint8)
    number: Floats | None = None
    text: list[str | None] | None = None
    flag = None
    if definition.type == "number":
        number = np.array([o.value if _is_number(o.value) else np.nan for o in rows], np.float64)
    elif definition.type == "flag":
        flag = np.array([o.value if isinstance(o.value, bool) else -1 for o in rows], np.int8)
    else:
        text = [o.value if isinstance(o.value, str) else None for o in rows]
    return Series(twin, definition.name, time, number, text, flag, quality, {})


def track_of(series: Series, definition: SignalDefinition, end: int, offline: Spans | None = None) -> Track:
    """The signal until ``end``: staleness by its ``max_gap``, and the stretches in which its twin was offline.

    While the twin is offline a signal is not known until it speaks again (buffered data that came later count by
    their own time); when the twin is back, the value it had holds again, because changes must be reported.
    """
    owner, heard = join_series([series], end)
    _, track = tracks_of(owner, heard, definition, end)
    return _with_offline(track, heard.time, offline) if offline is not None and len(offline.start) else track


def join_series(series: Sequence[Series], end: int) -> tuple[Int64s, Series]:
    """The observations before ``end`` of one signal of many twins behind each other, and whose each is (its place)."""
    counts = [int(np.searchsorted(s.time, end, side="left")) for s in series]
    some = [(s, n) for s, n in zip(series, counts, strict=True) if n]
    numbers = [s.number[:n] for s, n in some if s.number is not None]
    flags = [s.flag[:n] for s, n in some if s.flag is not None]
    texts = [s.text[:n] for s, n in some if s.text is not None]
    first = series[0]
    joined = Series(
        first.twin,
        first.signal,
        np.concatenate([np.zeros(0, np.int64), *(s.time[:n] for s, n in some)]),
        np.concatenate(numbers) if numbers else None,
        list(chain.from_iterable(texts)) if texts else None,
        np.concatenate(flags) if flags else None,
        np.concatenate([np.zeros(0, np.uint8), *(s.quality[:n] for s, n in some)]),
        {},
    )
    return np.repeat(np.arange(len(series)), counts), joined


def tracks_of(owner: Int64s, series: Series, definition: SignalDefinition, end: int) -> tuple[Int64s, Track]:
    """What :func:`join_series` gave as one track behind the other, stale by ``max_gap``, and whose each entry is."""
    time = series.time
    code, values = _codes(series, definition, owner)
    ends = np.append(owner[1:] != owner[:-1], True)[: len(time)]
    if definition.type == "condition":
        last = np.append(time[1:] != time[:-1], True)[: len(time)] | ends
        time, code, owner, ends = time[last], code[last], owner[last], ends[last]
    if definition.reporting.max_gap is None or not len(time):
        return owner, Track(time, code, values)
    until = np.where(ends, end, np.append(time[1:], end))
    stale = (until - time > definition.reporting.max_gap) & (code >= 0)
    places = np.flatnonzero(stale) + 1
    since = time[stale] + definition.reporting.max_gap
    track = Track(np.insert(time, places, since), np.insert(code, places, STALE), values)
    return np.insert(owner, places, owner[stale]), track


def observations_of(series: Series) -> list[Observation]:
    """A series as single observations, in its order, which their sequence keeps."""
    values: list[float | str | bool | None] = [None] * len(series)
    if series.number is not None:
        values = [None if math.isnan(v) else v for v in series.number.tolist()]
    elif series.text is not None:
        values = list(series.text)
    elif series.flag is not None:
        values = [None if v < 0 else bool(v) for v in series.flag.tolist()]
    return [
        Observation(t, v, Quality(q), seq=i)
        for i, (t, v, q) in enumerate(zip(series.time.tolist(), values, series.quality.tolist(), strict=True))
    ]


def offline_spans(connection: Series | None, end: int) -> Spans:
    """Stretches in which the text signal ``_connection`` said ``offline``."""
    if connection is None or connection.text is None:
        return Spans.of([])
    spans: list[tuple[int, int]] = []
    since: int | None = None
    for at, word in zip(connection.time.tolist(), connection.text, strict=True):
        if at >= end:
            break
        if word == "offline":
            since = at if since is None else since
        elif word == "online" and since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, end))
    return Spans.of(spans)


def active_sets(texts: Sequence[str | None], qualities: Sequence[int]) -> list[Active | None]:
    """The set of active entries after each observation of a condition signal; None where it is not known."""
    active: Active = {}
    sets: list[Active | None] = []
    for text, quality in zip(texts, qualities, strict=True):
        entry = parse_condition(text) if text is not None and quality != Quality.BAD else None
        if entry is None or entry.level == "unavailable":
            active = {}
            sets.append(None)
        else:
            active = apply_condition(active, entry)
            sets.append(active)
    return sets


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _codes(
    series: Series, definition: SignalDefinition, owner: Int64s
) -> tuple[Int64s, Floats | list[str] | list[bool] | list[Active]]:
    bad: Bools = series.quality == Quality.BAD
    if definition.type == "number" and series.number is not None:
        number = series.number
        values, inverse = np.unique(number, return_inverse=True)
        return np.where(np.isnan(number) | bad, UNAVAILABLE, inverse), values
    if definition.type == "flag" and series.flag is not None:
        flag = series.flag.astype(np.int64)
        return np.where((flag < 0) | bad, UNAVAILABLE, flag), [False, True]
    texts = series.text if series.text is not None else [None] * len(owner)
    if definition.type == "condition":
        quality = series.quality.tolist()
        edges = [*(np.flatnonzero(np.diff(owner, prepend=-1))).tolist(), len(owner)]
        sets = [one for a, b in pairwise(edges) for one in active_sets(texts[a:b], quality[a:b])]
        known = [s for s in sets if s is not None]
        held = np.array([s is not None for s in sets], np.bool_)
        return np.where(held, np.cumsum(held) - 1, UNAVAILABLE), known
    words: dict[str, int] = {}
    raw = [UNAVAILABLE if text is None else words.setdefault(text, len(words)) for text in texts]
    code: Int64s = np.array(raw, np.int64)
    return np.where(bad, UNAVAILABLE, code), list(words)


def _with_offline(track: Track, spoken: Int64s, offline: Spans) -> Track:
    first = np.searchsorted(spoken, offline.start, side="left")
    heard = np.append(spoken, np.iinfo(np.int64).max)[first]
    silent = Spans(offline.start, np.minimum(offline.end, heard))
    keep = silent.end > silent.start
    silent = Spans(silent.start[keep], silent.end[keep])
    if not len(silent.start):
        return track
    time = np.unique(np.concatenate([track.time, silent.start, silent.end]))
    return Track(time, np.where(silent.contain(time), DISCONNECTED, track.at(time)), track.values)
