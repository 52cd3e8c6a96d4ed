"""Roll-ups as they lie in their table, and answers made of them and of the rows they do not cover yet.

Each row is the :class:`fold.Partials` of one (twin, signal) and hour or UTC day. A row is never changed: late data
issue it again with a higher ``revision``. A commit carries, as application transactions ``rollups/<shard>``, the
sequence R it covers; what came after R makes an hour *dirty*, and dirty hours are folded from raw rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from servitwin.domain.instant import DAY, HOUR, utc_day
from servitwin.domain.observation import Bools, Cut, Int64s
from servitwin.engines.history.fold import Indices, Partials, Samples, fold, join, merge, take
from servitwin.engines.history.log import Snapshot, TableLog
from servitwin.engines.history.scan import (
    Dirty,
    Engine,
    Found,
    Pair,
    View,
    codes_of,
    committed_cut,
    distinct,
    files_sql,
    key_of,
    wanted_table,
)
from servitwin.engines.history.schema import COLUMNS, ROLLUPS

Words = dict[str, int]
_PLAIN = ("count", "total", "low", "high", "first_time", "last_time", "first", "last", "end_number", "integral", "held")


def samples_of(found: Found, words: Words) -> Samples:
    """Numbers and words of observations; a flag is both. ``words`` collects text -> code over several calls."""
    names = [*found.words, "false", "true"] if (found.flag >= 0).any() else found.words
    translate = np.array([*(words.setdefault(w, len(words)) for w in names), -1], dtype=np.int32)
    code = np.where(found.flag >= 0, len(found.words) + found.flag.astype(np.int64), found.text)
    number = np.where(found.flag >= 0, found.flag, found.number)
    return Samples(found.series, found.time, number, translate[code])


def table_of_partials(
    parts: Partials, pairs: Sequence[Pair], words: Words, width: int, revision: int, max_gap: Int64s
) -> pa.Table:
    """Rows of the roll-up table."""
    names = pa.array([*words, None], pa.string())
    n = len(parts)
    offsets = np.searchsorted(parts.spent_of, np.arange(n + 1)).astype(np.int32)
    twins, signals = pa.array([t for t, _ in pairs]), pa.array([s for _, s in pairs])
    columns = {
        "twin": twins.take(pa.array(parts.series)),
        "signal": signals.take(pa.array(parts.series)),
        "width": np.full(n, width, dtype=np.int64),
        "bucket": parts.bucket,
        "revision": np.full(n, revision, dtype=np.int64),
        "max_gap": max_gap[parts.series],
        **{name: getattr(parts, name) for name in _PLAIN},
        "end_word": names.take(pa.array(parts.end_word % len(names))),
        "words": pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(parts.spent_word))),
        "spent": pa.ListArray.from_arrays(pa.array(offsets), pa.array(parts.spent)),
    }
    return pa.table(columns, COLUMNS[ROLLUPS])


def partials_of_table(table: pa.Table, words: Words) -> Partials:
    """The inverse; ``table`` has ``series`` and is sorted by (series, bucket)."""
    lists = table["words"].combine_chunks()
    lengths = lists.value_lengths().fill_null(0).to_numpy()
    spent_code, spent_names = codes_of(pa.chunked_array([lists.flatten()]))
    end_code, end_names = codes_of(table["end_word"])
    return Partials(
        series=table["series"].to_numpy(),
        bucket=table["bucket"].to_numpy(),
        **{name: table[name].to_numpy() for name in _PLAIN},
        end_word=_translate(end_code, end_names, words),
        spent_of=np.repeat(np.arange(len(table)), lengths),
        spent_word=_translate(spent_code, spent_names, words),
        spent=np.asarray(table["spent"].combine_chunks().flatten().to_numpy()),
    )


def _translate(codes: npt.NDArray[np.int32], names: Sequence[str], words: Words) -> npt.NDArray[np.int32]:
    return np.array([*(words.setdefault(w, len(words)) for w in names), -1], dtype=np.int32)[codes]


class RollupTable:
    """The roll-up table at its newest version."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._log = TableLog(folder / ROLLUPS)
        self._engine = engine

    def covered(self) -> tuple[Snapshot, Cut]:
        """The table's snapshot and the cut R that it covers."""
        snapshot = self._log.snapshot()
        return snapshot, committed_cut(snapshot)

    def read(self, snapshot: Snapshot, pairs: Sequence[Pair], width: int, start: int, end: int) -> pa.Table:
        """Rows of that width with buckets in [start, end), the newest revision of each, by (series, bucket)."""
        first, last = utc_day(start), utc_day(end - 1)
        twins = sorted({t for t, _ in pairs})
        files = [
            f
            for f in snapshot.files.values()
            if first <= f.day <= last
            and f.low["width"] <= width <= f.high["width"]
            and twins[0] <= f.high["twin"]
            and f.low["twin"] <= twins[-1]
        ]
        if not files:
            return _EMPTY
        sql = f"""SELECT series, r.* EXCLUDE (twin, signal, width)
            FROM {files_sql(self._log.path(f) for f in files)} r JOIN wanted USING (twin, signal)
            WHERE width = ? AND bucket >= ? AND bucket < ? AND twin BETWEEN ? AND ?"""
        table = self._engine.table(sql, [width, start, end, twins[0], twins[-1]], wanted=wanted_table(pairs))
        series, bucket, revision = (table[n].to_numpy() for n in ("series", "bucket", "revision"))
        order = np.lexsort((revision, bucket, series))
        series, bucket = series[order], bucket[order]
        newest = np.append((series[1:] != series[:-1]) | (bucket[1:] != bucket[:-1]), True)[: len(order)]
        return table.take(order[newest])


_EMPTY = pa.schema(
    [("series", pa.int32()), *(f for f in COLUMNS[ROLLUPS] if f.name not in {"twin", "signal", "width"})]
).empty_table()


class Rolled:
    """Partials of wanted pairs at the cut of a view: roll-ups as far as they reach, the rest from raw rows."""

    def __init__(self, table: RollupTable, view: View, pairs: Sequence[Pair], max_gap: Int64s, words: Words) -> None:
        self._table = table
        self._view = view
        self._pairs = pairs
        self._max_gap = max_gap
        self._words = words
        self._snapshot, self.covered = table.covered()
        self.stale: list[int] = []  # series met whose roll-ups were made with another max_gap
        # A cut before R asks for what was known before the roll-ups were made.
        self._usable = bool(self.covered) and all(view.cut.get(s, -1) >= r for s, r in self.covered.items())

    def partials(self, start: int, end: int, *, coarse: bool) -> Partials:
        """Hours that begin in [start, end), or UTC days if ``coarse``; ``start`` is such an edge."""
        who = np.arange(len(self._pairs))
        if not self._usable:
            hours = self.raw(who, start, end)
            return merge(hours, DAY, start, self._max_gap) if coarse else hours
        dirty = self._view.beyond(self.covered, self._pairs, start, end, HOUR)
        return self.days(who, start, end, dirty) if coarse else self.hours(who, start, end, dirty)

    def raw(self, who: Indices, start: int, end: int) -> Partials:
        """Hours of those series, folded from rows."""
        found = self._view.rows([self._pairs[i] for i in who.tolist()], start, end)
        found.series = who[found.series].astype(np.int32)
        return fold(samples_of(found, self._words), HOUR, start // HOUR * HOUR, self._max_gap)

    def hours(self, who: Indices, start: int, end: int, dirty: Dirty) -> Partials:
        """Hours of those series: from the table, and from rows where they are dirty or cut off by ``end``."""
        kept, stale, dirty = self._clean(HOUR, who, start, end, dirty)
        parts = [kept]
        if len(stale):
            parts.append(self.raw(stale, start, end))
        series, bucket = dirty
        for day in np.unique(bucket // DAY).tolist():
            own = bucket // DAY == day
            low, high = int(bucket[own].min()), min(int(bucket[own].max()) + HOUR, end)
            fresh = self.raw(np.unique(series[own]), low, high)
            parts.append(take(fresh, among(fresh, (series[own], bucket[own]))))
        return join(parts)

    def days(self, who: Indices, start: int, end: int, dirty: Dirty) -> Partials:
        """UTC days of those series, each merged from its hours, now or when it was rolled up."""
        kept, stale, (series, bucket) = self._clean(DAY, who, start, end, dirty)
        parts = [kept]
        if len(stale):
            parts.append(merge(self.raw(stale, start, end), DAY, start, self._max_gap))
        for day in np.unique(bucket).tolist():
            own = series[bucket == day]
            parts.append(merge(self.hours(own, day, min(day + DAY, end), dirty), DAY, day, self._max_gap))
        return join(parts)

    def _clean(self, width: int, who: Indices, start: int, end: int, dirty: Dirty) -> tuple[Partials, Indices, Dirty]:
        """What the table has and is right; series whose rows were made with another ``max_gap``; dirty buckets."""
        whole = start + (end - start) // width * width
        pairs = [self._pairs[i] for i in who.tolist()]
        table = self._table.read(self._snapshot, pairs, width, start, whole)
        series = who[table["series"].to_numpy()]
        table = table.set_column(0, "series", pa.array(series.astype(np.int32)))
        stale = np.unique(series[table["max_gap"].to_numpy() != self._max_gap[series]])
        self.stale.extend(stale.tolist())
        d_series, d_bucket = dirty[0], dirty[1] // width * width
        if whole < end:
            d_series = np.concatenate([d_series, who])
            d_bucket = np.concatenate([d_bucket, np.full(len(who), whole)])
        mine = np.isin(d_series, who) & ~np.isin(d_series, stale) & (d_bucket >= start) & (d_bucket < end)
        dirty = distinct(d_series[mine], d_bucket[mine])
        kept = partials_of_table(table, self._words)
        return take(kept, ~among(kept, dirty) & ~np.isin(kept.series, stale)), stale, dirty


def among(parts: Partials, chosen: Dirty) -> Bools:
    """Which partials are of the chosen (series, bucket)."""
    return np.isin(key_of(parts.series, parts.bucket), key_of(*chosen))
