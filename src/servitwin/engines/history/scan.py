"""Reading observations at a cut: the files that matter, pruned by day and statistics, and the uncommitted tail."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from servitwin.domain.instant import HOUR, utc_day
from servitwin.domain.observation import Bools, Cut, Floats, Int8s, Int32s, Int64s
from servitwin.engines.history.log import DataFile, Snapshot, TableLog
from servitwin.engines.history.schema import COLUMNS, OBSERVATIONS

Pair = tuple[str, str]  # twin uid, signal name
Dirty = tuple[npt.NDArray[np.intp], Int64s]  # places in the list of wanted pairs, and starts of buckets, in parallel
# Rows of a shard after a sequence, as ``columns.ipc_of`` makes them (bytes) or as a table; None: nobody answers.
Tail = Callable[[int, int], "pa.Table | bytes | None"]
SHARD_END = "/"
_ALL = [n for n in COLUMNS[OBSERVATIONS].names if n not in {"twin", "signal"}]
_VALUES = [n for n in _ALL if n not in {"received", "replayed"}]
_SERIES = pa.field("series", pa.int32())


@dataclass(slots=True, eq=False)
class Found:
    """Observations of wanted pairs, sorted by (series, time), the one that holds of each time.

    ``series`` are places in the list of wanted pairs, ``text`` codes into ``words`` (-1: none), ``flag`` -1: none.
    """

    series: Int32s
    time: Int64s
    number: Floats
    text: Int32s
    flag: Int8s
    quality: Int8s
    words: list[str]

    def __len__(self) -> int:
        return len(self.time)

    def pick(self, rows: npt.NDArray[Any]) -> Found:
        """Those rows, by place or mask."""
        columns = {f.name: getattr(self, f.name)[rows] for f in fields(self)[:-1]}
        return Found(**columns, words=self.words)


class Engine:
    """DuckDB in this process: no extension is ever fetched, memory and threads are bounded, nothing is spilled."""

    def __init__(self, memory: str, threads: int) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "threads": threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "temp_directory": "",
            },
        )
        self._connection.execute("SET GLOBAL parquet_metadata_cache = true")

    def table(self, sql: str, parameters: Sequence[Any] = (), **tables: pa.Table) -> pa.Table:
        """The answer to ``sql``; ``tables`` are visible in it by their names. Safe to call from several threads."""
        with self._connection.cursor() as cursor:
            for name, table in tables.items():
                cursor.register(name, table)
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()


def files_sql(paths: Iterable[str]) -> str:
    """``read_parquet`` over files of one table."""
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{quoted}], hive_partitioning = false)"


class Scan:
    """The table of observations with its tail."""

    def __init__(self, folder: Path, engine: Engine, tail: Tail | None, shards: Iterable[int]) -> None:
        self._log = TableLog(folder / OBSERVATIONS)
        self._engine = engine
        self._tail = tail
        self._shards = tuple(shards)

    def view(self, cut: Cut | None = None, *, tail: bool = True) -> View:
        """What is known now, or was at ``cut``; one view gives one consistent answer however often it is asked."""
        for _ in range(3):
            snapshot = self._log.snapshot()
            committed = committed_cut(snapshot)
            tables, known, gap = self._tails(committed, cut) if tail and self._tail else ([], dict(committed), False)
            if not gap:
                break
        limit = None if cut is None else {s: min(cut.get(s, -1), seq) for s, seq in known.items()}
        return View(self._engine, self._log, snapshot, committed, limit or known, limit is not None, tables)

    def _tails(self, committed: Cut, cut: Cut | None) -> tuple[list[pa.Table], Cut, bool]:
        """Tail tables, the cut they reach, and whether an owner has dropped rows that our snapshot does not have."""
        assert self._tail is not None
        known, tables = dict(committed), []
        for shard in sorted({*self._shards, *committed}):
            after = committed.get(shard, -1)
            if cut is not None and cut.get(shard, -1) <= after:
                continue
            answer = self._tail(shard, after)
            if answer is None:
                continue
            table = pa.ipc.open_stream(answer).read_all() if isinstance(answer, bytes) else pa.table(answer)
            words = {k.decode(): json.loads(v) for k, v in (table.schema.metadata or {}).items() if k in _TAIL_WORDS}
            if words.get("after", {}).get(str(shard), -1) > after:
                return [], known, True
            reached = words.get("cut", {}).get(str(shard), -1)
            newer = table["seq"].to_numpy() > after  # owners keep rows for a while after their commit
            table = table if newer.all() else table.filter(pa.array(newer))
            if len(table):
                tables.append(table)
                reached = max(reached, int(table["seq"].to_numpy().max()))
            if reached > after:
                known[shard] = reached
        return tables, known, False


_TAIL_WORDS = (b"cut", b"after")


def committed_cut(snapshot: Snapshot) -> Cut:
    """Shard -> last sequence committed, from the application transactions (their ids end with the shard)."""
    cut: Cut = {}
    for app, seq in snapshot.transactions.items():
        shard = app.rpartition(SHARD_END)[2]
        if shard.isdecimal():
            cut[int(shard)] = max(seq, cut.get(int(shard), -1))
    return cut


class View:
    """Observations at one cut."""

    def __init__(
        self,
        engine: Engine,
        log: TableLog,
        snapshot: Snapshot,
        committed: Cut,
        cut: Cut,
        limited: bool,
        tails: Sequence[pa.Table],
    ) -> None:
        self._engine = engine
        self._log = log
        self.snapshot = snapshot
        self.committed = committed
        self.cut = cut
        self._limited = limited
        self._tails = tails

    @cached_property
    def earliest(self) -> int:
        """A time before which there is no observation."""
        times = [f.low["time"] for f in self.snapshot.files.values()]
        times += [int(t["time"].to_numpy().min()) for t in self._tails]
        return min(times, default=0)

    def rows(self, wanted: Sequence[Pair], start: int, end: int, sets: Bools | None = None) -> Found:
        """Observations in [start, end) that hold, by series in the order of ``wanted``.

        ``sets`` marks the series (conditions) that are sets of entries: each of their observations holds, several of
        one time too.
        """
        return _found(self._in_order(wanted, start, end, _VALUES, sets))

    def table(self, wanted: Sequence[Pair], start: int, end: int, sets: Bools | None = None) -> pa.Table:
        """The same rows with all their columns, and ``series`` in place of twin and signal."""
        return self._in_order(wanted, start, end, _ALL, sets)

    def _in_order(
        self,
        wanted: Sequence[Pair],
        start: int,
        end: int,
        names: Sequence[str],
        sets: Bools | None = None,
        files: Sequence[DataFile] | None = None,
    ) -> pa.Table:
        schema = pa.schema([_SERIES, *(COLUMNS[OBSERVATIONS].field(n) for n in names)])
        if not wanted:
            return schema.empty_table()
        chosen = self.files(wanted, start, end) if files is None else files
        parts = [self._committed_rows(chosen, wanted, start, end, names)]
        parts += [_from_tail(t, wanted, start, end, schema) for t in self._tails]
        table = pa.concat_tables([p for p in parts if p is not None and len(p)] or [schema.empty_table()])
        if self._limited or self._tails:
            keep = self.within(table["shard"].to_numpy(), table["seq"].to_numpy())
            if not keep.all():
                table = table.filter(pa.array(keep))
        return _that_hold(table, sets)

    def rows_beyond(self, covered: Cut, wanted: Sequence[Pair], end: int) -> Found:
        """Those before ``end`` that may lie beyond ``covered``: of files with later rows, whole, and of the tail."""
        files = [f for f in self.files(wanted, self.earliest, end) if is_beyond(f, covered)]
        return _found(self._in_order(wanted, self.earliest, end, _VALUES, files=files))

    def count_beyond(self, covered: Cut) -> int:
        """How many files may hold rows beyond ``covered``."""
        return sum(is_beyond(f, covered) for f in self.snapshot.files.values())

    def within(self, shard: Int32s, seq: Int64s) -> Bools:
        """Which rows are within the cut."""
        keep = np.zeros(len(seq), dtype=np.bool_)
        for number, last in self.cut.items():
            keep |= (shard == number) & (seq <= last)
        return keep

    def beyond(self, covered: Cut, wanted: Sequence[Pair], start: int, end: int, width: int) -> Dirty:
        """Buckets of wanted pairs in [start, end) that have a row beyond ``covered``, within this view's cut."""
        parts = []
        files = [f for f in self.files(wanted, start, end) if is_beyond(f, covered)]
        if files:
            source = files_sql(self._log.path(f) for f in files)
            sql = f"""SELECT DISTINCT series, time // ? * ? AS bucket, shard, seq FROM {source} JOIN wanted
                USING (twin, signal) WHERE time >= ? AND time < ?"""
            parts.append(self._engine.table(sql, [width, width, start, end], wanted=wanted_table(wanted)))
        schema = pa.schema([_SERIES, *(COLUMNS[OBSERVATIONS].field(n) for n in ("time", "shard", "seq"))])
        for tail in self._tails:
            rows = _from_tail(tail, wanted, start, end, schema)
            if rows is not None:
                bucket = rows["time"].to_numpy() // width * width
                parts.append(rows.drop_columns(["time"]).add_column(1, "bucket", [bucket]))
        if not parts:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64)
        table = pa.concat_tables(parts)
        shard, seq = table["shard"].to_numpy(), table["seq"].to_numpy()
        keep = self.within(shard, seq)
        for number, last in covered.items():
            keep &= (shard != number) | (seq > last)
        series, bucket = table["series"].to_numpy()[keep], table["bucket"].to_numpy()[keep]
        return distinct(series, bucket)

    def files(self, pairs: Sequence[Pair], start: int, end: int) -> list[DataFile]:
        """The files that can hold rows of those pairs in [start, end) within the cut."""
        first, last = utc_day(start), utc_day(max(end - 1, start))
        twins, signals = sorted({t for t, _ in pairs}), sorted({s for _, s in pairs})
        return [
            f
            for f in self.snapshot.files.values()
            if first <= f.day <= last
            and f.low["time"] < end
            and f.high["time"] >= start
            and _between(twins, f.low["twin"], f.high["twin"])
            and _between(signals, f.low["signal"], f.high["signal"])
            and not (
                self._limited and f.low["shard"] == f.high["shard"] and f.low["seq"] > self.cut.get(f.low["shard"], -1)
            )
        ]

    def _committed_rows(
        self, files: Sequence[DataFile], wanted: Sequence[Pair], start: int, end: int, names: Sequence[str]
    ) -> pa.Table | None:
        if not files:
            return None
        source = files_sql(self._log.path(f) for f in files)
        columns = ", ".join(names)
        within = "time >= ? AND time < ?"
        if len(wanted) == 1:
            sql = f"SELECT 0::INTEGER AS series, {columns} FROM {source} WHERE twin = ? AND signal = ? AND {within}"
            return self._engine.table(sql, [*wanted[0], start, end])
        # The range of twins is implied by the join; named, it leaves out row groups before anything is decoded.
        within += " AND twin BETWEEN ? AND ?"
        twins = [t for t, _ in wanted]
        sql = f"SELECT series, {columns} FROM {source} JOIN wanted USING (twin, signal) WHERE {within}"
        return self._engine.table(sql, [start, end, min(twins), max(twins)], wanted=wanted_table(wanted))

    def tails(self) -> Sequence[pa.Table]:
        """The uncommitted rows, not yet limited by the cut."""
        return self._tails

    def path(self, file: DataFile) -> str:
        """Where a file of this view lies."""
        return self._log.path(file)


def is_beyond(file: DataFile, covered: Cut) -> bool:
    """Whether the file can hold a row after ``covered``. Files that do are never compacted with others that do not."""
    shards = range(file.low["shard"], file.high["shard"] + 1)
    return any(file.high["seq"] > covered.get(s, -1) for s in shards)


def key_of(series: npt.NDArray[np.integer[Any]], bucket: Int64s) -> Int64s:
    """One integer for (series, bucket): hours of the representable years need 23 bits and a sign."""
    return series.astype(np.int64) * 2**24 + (bucket // HOUR + 2**23)


def distinct(series: npt.NDArray[np.integer[Any]], bucket: Int64s) -> Dirty:
    """Each (series, bucket) once, in order; buckets begin on full hours."""
    key = np.unique(key_of(series, bucket))
    return key // 2**24, (key % 2**24 - 2**23) * HOUR


def wanted_table(wanted: Sequence[Pair]) -> pa.Table:
    """Pairs with their places, to join with."""
    twins, signals = [t for t, _ in wanted], [s for _, s in wanted]
    return pa.table({"series": pa.array(range(len(wanted)), pa.int32()), "twin": twins, "signal": signals})


def _between(words: Sequence[str], low: str, high: str) -> bool:
    """Whether one of the sorted words lies in [low, high]."""
    place = bisect_left(words, low)
    return place < len(words) and words[place] <= high


def _from_tail(table: pa.Table, wanted: Sequence[Pair], start: int, end: int, schema: pa.Schema) -> pa.Table | None:
    twin, twins = codes_of(table["twin"])
    signal, signals = codes_of(table["signal"])
    place = {name: i for i, name in enumerate(twins)}, {name: i for i, name in enumerate(signals)}
    series_of = np.full((len(twins) + 1, len(signals) + 1), -1, dtype=np.int32)
    for i, (t, s) in enumerate(wanted):
        series_of[place[0].get(t, -1), place[1].get(s, -1)] = i
    series_of[-1, :] = series_of[:, -1] = -1
    series = series_of[twin, signal]
    time = table["time"].to_numpy()
    keep = np.flatnonzero((series >= 0) & (time >= start) & (time < end))
    if not len(keep):
        return None
    return table.select(schema.names[1:]).take(keep).add_column(0, _SERIES, [series[keep]]).cast(schema)


def codes_of(column: pa.ChunkedArray) -> tuple[Int32s, list[str]]:
    """A text column as codes (-1: null) and words."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return np.zeros(0, dtype=np.int32), []
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    return whole.indices.fill_null(-1).to_numpy().astype(np.int32), whole.dictionary.to_pylist()


def _that_hold(table: pa.Table, sets: Bools | None = None) -> pa.Table:
    """Rows by (series, time), of those of one time the one with the highest (shard, seq, idx), of ``sets`` all."""
    series, time = table["series"].to_numpy(), table["time"].to_numpy()
    same = series[1:] == series[:-1]
    rising = (series[1:] > series[:-1]) | (same & (time[1:] > time[:-1]))
    if not rising.all():
        order = _by_series_and_time(series, time)
        s, t = series[order], time[order]
        if ((s[1:] == s[:-1]) & (t[1:] == t[:-1])).any():
            ties = (table[n].to_numpy() for n in ("idx", "seq", "shard"))
            order = np.lexsort((*ties, time, series))
            s, t = series[order], time[order]
            holds = np.append((s[1:] != s[:-1]) | (t[1:] != t[:-1]), True)
            if sets is not None:
                holds |= sets[s]
            order = order[holds]
        table = table.take(order)
    return table


def _by_series_and_time(series: Int32s, time: Int64s) -> npt.NDArray[np.intp]:
    """The order by (series, time): where both fit in one key its sort is quicker; a stable one uses runs in order."""
    first = int(time.min())
    span = int(time.max()) - first + 1
    if int(series.max()) >= 2**62 // span:
        return np.lexsort((time, series))
    return np.argsort(series * np.int64(span) + (time - first), kind="stable")


def _found(table: pa.Table) -> Found:
    text, words = codes_of(table["text"])
    return Found(
        series=table["series"].to_numpy(),
        time=table["time"].to_numpy(),
        number=numbers_of(table["number"]),
        text=text,
        flag=flags_of(table["flag"]),
        quality=table["quality"].to_numpy(),
        words=words,
    )


def numbers_of(column: pa.ChunkedArray) -> Floats:
    """A number column with NaN for null."""
    return np.asarray(column.fill_null(np.nan).to_numpy(), dtype=np.float64)


def flags_of(column: pa.ChunkedArray) -> Int8s:
    """A flag column as 0, 1 and -1 for null."""
    return np.asarray(column.cast(pa.int8()).fill_null(-1).to_numpy(), dtype=np.int8)
