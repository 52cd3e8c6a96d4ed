"""From observations to buckets: pure arithmetic on sorted columns, the same for raw rows, roll-ups and the tail.

Rows fold into *partials*, one per series and fine bucket, which know what happened between the first and the last
observation inside the bucket and nothing of its neighbours: a late row changes only its own partial. Partials merge
into coarser ones, and spread into the buckets of an answer; what a value held between two partials is added then.
Sums run in time order, bucket by bucket, so that an answer has the same last digit whether its partials were
computed now or read from the roll-up table.

A value holds from its observation until the next one of the series (UNAVAILABLE ends it too), at most ``max_gap``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Bools, Floats, Int32s, Int64s

Indices = npt.NDArray[np.intp]
FOREVER = 2**62  # ns, about 146 years: a max_gap of None


@dataclass(slots=True, eq=False)
class Samples:
    """Observations sorted by (series, time), one of each time. ``number`` NaN and ``word`` -1: it has none.

    ``series`` are codes from 0; ``word`` are codes into a list of texts kept elsewhere.
    """

    series: Int32s
    time: Int64s
    number: Floats
    word: Int32s

    def __len__(self) -> int:
        return len(self.time)


@dataclass(slots=True, eq=False)
class Partials:
    """One row for each series and bucket that has an observation, sorted by (series, bucket).

    ``bucket`` is the start of the bucket (ns). ``first_time`` and ``last_time`` are of any observation in it,
    ``first`` and ``last`` the first and last number, ``end_number`` and ``end_word`` what the last observation said
    (NaN and -1: nothing). ``integral`` (number x ns) and ``held`` (ns with a number) cover [first_time, last_time).
    ``spent`` rows (partial, word, ns) are the time of each word in the same stretch, sorted.
    """

    series: Int32s
    bucket: Int64s
    count: Int64s
    total: Floats
    low: Floats
    high: Floats
    first_time: Int64s
    last_time: Int64s
    first: Floats
    last: Floats
    end_number: Floats
    end_word: Int32s
    integral: Floats
    held: Int64s
    spent_of: Indices
    spent_word: Int32s
    spent: Int64s

    def __len__(self) -> int:
        return len(self.bucket)


def _starts(*keys: npt.NDArray[np.generic]) -> Indices:
    """Where a new group begins in columns sorted by ``keys``."""
    changed = np.zeros(len(keys[0]), dtype=np.bool_)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def _group_ids(starts: Indices, n: int) -> Indices:
    ids = np.zeros(n, dtype=np.intp)
    ids[starts[1:]] = 1
    return np.cumsum(ids)


def _gather(of: Indices, word: Int32s, spent: Int64s) -> tuple[Indices, Int32s, Int64s]:
    """Add up ``spent`` of equal (of, word), sorted; integers stay exact."""
    keep = (word >= 0) & (spent > 0)
    of, word, spent = of[keep], word[keep], spent[keep]
    if not len(of):
        return of, word, spent
    # Places and words are both counted from 0, so one key holds both and sorts quicker than two.
    order = np.argsort(of.astype(np.int64) * (int(word.max()) + 1) + word, kind="stable")
    of, word, spent = of[order], word[order], spent[order]
    starts = _starts(of, word)
    return of[starts], word[starts], np.add.reduceat(spent, starts)


def fold(samples: Samples, every: int, origin: int, max_gap: Int64s) -> Partials:
    """Partials of buckets ``every`` ns wide, one of which starts at ``origin``; ``max_gap`` by series code."""
    n = len(samples)
    bucket = origin + (samples.time - origin) // every * every
    starts = _starts(samples.series, bucket)
    group = _group_ids(starts, n)
    groups = len(starts)
    ends = np.append(starts[1:], n) - 1 if n else starts
    number = samples.number
    has_number = ~np.isnan(number)
    place = np.arange(n)
    held = np.zeros(n, dtype=np.int64)
    held[:-1] = np.minimum(np.diff(samples.time), max_gap[samples.series[:-1]])
    held[ends] = 0
    first = np.minimum.reduceat(np.where(has_number, place, n), starts) if n else starts
    last = np.maximum.reduceat(np.where(has_number, place, -1), starts) if n else starts
    padded = np.append(number, np.nan)  # index n and -1: no number in the bucket
    zero = np.where(has_number, number, 0.0)
    of, word, spent = _gather(group, samples.word, held)
    return Partials(
        series=samples.series[starts],
        bucket=bucket[starts],
        count=_add(has_number | (samples.word >= 0), starts),
        total=_sums(group, zero, groups),
        low=np.minimum.reduceat(np.where(has_number, number, np.inf), starts) if n else zero,
        high=np.maximum.reduceat(np.where(has_number, number, -np.inf), starts) if n else zero,
        first_time=samples.time[starts],
        last_time=samples.time[ends],
        first=padded[first],
        last=padded[last],
        end_number=number[ends],
        end_word=samples.word[ends],
        integral=_sums(group, zero * held, groups),
        held=_add(np.where(has_number, held, 0), starts),
        spent_of=of,
        spent_word=word,
        spent=spent,
    )


def _sums(group: Indices | Int64s, values: Floats, groups: int) -> Floats:
    """Sums in the order of the values, one after the other: the same values give the same last digit."""
    return np.bincount(group, values, groups).astype(np.float64, copy=False)


def _add(values: npt.NDArray[np.generic], starts: Indices) -> Int64s:
    return np.add.reduceat(values.astype(np.int64), starts) if len(starts) else np.zeros(0, dtype=np.int64)


def merge(parts: Partials, every: int, origin: int, max_gap: Int64s) -> Partials:
    """Coarser partials; ``every`` is a multiple of the finer width and the edges coincide."""
    n = len(parts)
    bucket = origin + (parts.bucket - origin) // every * every
    starts = _starts(parts.series, bucket)
    group = _group_ids(starts, n)
    groups = len(starts)
    ends = np.append(starts[1:], n) - 1 if n else starts
    between = np.zeros(n, dtype=np.int64)
    between[:-1] = np.minimum(parts.first_time[1:] - parts.last_time[:-1], max_gap[parts.series[:-1]])
    between[ends] = 0
    has_end = ~np.isnan(parts.end_number)
    carried = np.where(has_end, parts.end_number, 0.0) * between
    place = np.arange(n)
    first = np.minimum.reduceat(np.where(np.isnan(parts.first), n, place), starts) if n else starts
    last = np.maximum.reduceat(np.where(np.isnan(parts.last), -1, place), starts) if n else starts
    of, word, spent = _gather(
        np.concatenate([group[parts.spent_of], group]),
        np.concatenate([parts.spent_word, parts.end_word]),
        np.concatenate([parts.spent, between]),
    )
    return Partials(
        series=parts.series[starts],
        bucket=bucket[starts],
        count=_add(parts.count, starts),
        total=_sums(group, parts.total, groups),
        low=np.minimum.reduceat(parts.low, starts) if n else parts.low,
        high=np.maximum.reduceat(parts.high, starts) if n else parts.high,
        first_time=parts.first_time[starts],
        last_time=parts.last_time[ends],
        first=np.append(parts.first, np.nan)[first],
        last=np.append(parts.last, np.nan)[last],
        end_number=parts.end_number[ends],
        end_word=parts.end_word[ends],
        integral=_sums(group, parts.integral + carried, groups),
        held=_add(parts.held + np.where(has_end, between, 0), starts),
        spent_of=of,
        spent_word=word,
        spent=spent,
    )


@dataclass(slots=True, eq=False)
class Buckets:
    """The buckets of an answer, arrays of shape (series, buckets); NaN where a bucket has no number.

    ``spent`` rows (cell, word, ns), with cell = series * buckets + bucket, cover what is known of the bucket's time.
    """

    starts: Int64s
    ends: Int64s
    count: Int64s
    total: Floats
    low: Floats
    high: Floats
    first: Floats
    last: Floats
    integral: Floats
    held: Int64s
    spent_of: Indices
    spent_word: Int32s
    spent: Int64s


def spread(parts: Partials, before: Samples, series: int, start: int, end: int, every: int, max_gap: Int64s) -> Buckets:
    """Put partials into buckets [start + k * every, ...) cut off at ``end``.

    ``before`` is the last observation of each series before ``start`` (or none): its value is carried in.
    Each partial must lie inside one bucket.
    """
    starts = np.arange(start, end, every, dtype=np.int64)
    ends = np.minimum(starts + every, end)
    cells = series * len(starts)
    cell = parts.series.astype(np.int64) * len(starts) + (parts.bucket - start) // every
    total = _sums(cell, parts.total, cells)
    count = np.zeros(cells, dtype=np.int64)
    low, high = np.full(cells, np.inf), np.full(cells, -np.inf)
    np.add.at(count, cell, parts.count)
    np.minimum.at(low, cell, parts.low)
    np.maximum.at(high, cell, parts.high)
    first, last = np.full(cells, np.nan), np.full(cells, np.nan)
    some = np.flatnonzero(~np.isnan(parts.first))
    last[cell[some]] = parts.last[some]
    first[cell[some[::-1]]] = parts.first[some[::-1]]
    numbers = np.zeros(cells, dtype=np.bool_)
    numbers[cell[some]] = True
    for column in (total, low, high):
        column[~numbers] = np.nan

    h_cell, h_number, h_word, h_time = _holds(parts, before, starts, ends, max_gap)
    h_has = ~np.isnan(h_number)
    integral = _sums(
        np.concatenate([cell, h_cell]),
        np.concatenate([parts.integral, np.where(h_has, h_number, 0.0) * h_time]),
        cells,
    )
    held = np.zeros(cells, dtype=np.int64)
    np.add.at(held, cell, parts.held)
    np.add.at(held, h_cell[h_has], h_time[h_has])
    of, word, spent = _gather(
        np.concatenate([cell[parts.spent_of], h_cell]),
        np.concatenate([parts.spent_word, h_word]),
        np.concatenate([parts.spent, h_time]),
    )
    shape = (series, len(starts))
    return Buckets(
        starts=starts,
        ends=ends,
        count=count.reshape(shape),
        total=total.reshape(shape),
        low=low.reshape(shape),
        high=high.reshape(shape),
        first=first.reshape(shape),
        last=last.reshape(shape),
        integral=integral.reshape(shape),
        held=held.reshape(shape),
        spent_of=of,
        spent_word=word,
        spent=spent,
    )


def _holds(
    parts: Partials, before: Samples, starts: Int64s, ends: Int64s, max_gap: Int64s
) -> tuple[Int64s, Floats, Int32s, Int64s]:
    """What values held after the last observation of each partial, cut at bucket edges: cell, number, word, ns."""
    start, end = int(starts[0]), int(ends[-1])
    every = int(ends[0]) - start if len(starts) == 1 else int(starts[1]) - start
    who = np.concatenate([before.series, parts.series])
    since = np.concatenate([before.time, parts.last_time])
    order = np.lexsort((since, who))
    who, since = who[order], since[order]
    number = np.concatenate([before.number, parts.end_number])[order]
    word = np.concatenate([before.word, parts.end_word])[order]
    first = np.concatenate([before.time, parts.first_time])[order]
    until = np.full(len(who), end, dtype=np.int64)
    until[:-1] = np.where(who[1:] == who[:-1], first[1:], end)
    until = np.minimum(np.minimum(until, since + max_gap[who]), end)
    since = np.maximum(since, start)
    keep = (until > since) & (~np.isnan(number) | (word >= 0))
    who, since, until, number, word = (c[keep] for c in (who, since, until, number, word))
    a, b = (since - start) // every, (until - 1 - start) // every
    pieces = b - a + 1
    owner = np.repeat(np.arange(len(who)), pieces)
    k = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + a[owner]
    time = np.minimum(until[owner], ends[k]) - np.maximum(since[owner], starts[k])
    return who[owner].astype(np.int64) * len(starts) + k, number[owner], word[owner], time


def take(parts: Partials, keep: Bools) -> Partials:
    """Those partials for which ``keep`` is true, in order."""
    place = np.cumsum(keep) - 1
    spent = keep[parts.spent_of]
    columns = {f.name: getattr(parts, f.name)[keep] for f in fields(Partials) if not f.name.startswith("spent")}
    return Partials(
        **columns,
        spent_of=place[parts.spent_of[spent]],
        spent_word=parts.spent_word[spent],
        spent=parts.spent[spent],
    )


def join(parts: Sequence[Partials]) -> Partials:
    """Partials of different sources, no two of the same series and bucket, in order again."""
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Partials)}
    offset = np.cumsum([0, *(len(p) for p in parts)])[:-1]
    columns["spent_of"] = np.concatenate([p.spent_of + o for p, o in zip(parts, offset, strict=True)])
    order = np.lexsort((columns["bucket"], columns["series"]))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    spent = ("spent_of", "spent_word", "spent")
    of, word, time = _gather(place[columns["spent_of"]], columns["spent_word"], columns["spent"])
    return Partials(
        **{n: c[order] for n, c in columns.items() if n not in spent}, spent_of=of, spent_word=word, spent=time
    )
