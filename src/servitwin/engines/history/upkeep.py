"""Keeping the tables small and quick: compaction, clean-up of files, retention, marks of replayed quarantine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from servitwin.domain.instant import DAY, utc_day
from servitwin.engines.history.backlog import FEWEST_FILES, FILE_ROWS, groups_to_compact
from servitwin.engines.history.log import DataFile, TableLog
from servitwin.engines.history.rolled import RollupTable
from servitwin.engines.history.scan import Engine, codes_of, files_sql, is_beyond
from servitwin.engines.history.schema import (
    COLUMNS,
    OBSERVATIONS,
    QUARANTINE,
    ROLLUP_ROW_GROUP,
    ROLLUPS,
    ROW_GROUP,
    statistics,
    write_file,
)
from servitwin.engines.history.tables import open_table

_SORT = {
    OBSERVATIONS: ("twin", "signal", "time"),
    ROLLUPS: ("width", "twin", "signal", "bucket"),
    QUARANTINE: ("received", "seq"),
}
_EDGES = {
    OBSERVATIONS: ("twin", "signal", "time", "shard", "seq"),
    ROLLUPS: ("width", "twin"),
    QUARANTINE: ("received", "seq"),
}


def compact(
    folder: Path | str, *, now: Callable[[], int], fewest: int = FEWEST_FILES, memory: str = "1GB", threads: int = 1
) -> int:
    """Put the small files of each day together, sorted by twin, signal and time; returns how many were replaced.

    Rows are unchanged and keep their sequence. Only files whose rows are all rolled up are touched, so that what
    roll-ups do not cover stays in files of its own. A day's files are replaced in one commit, which fails and is
    left for the next time if somebody else removed one of them; ingest may append meanwhile.
    """
    folder = Path(folder)
    engine = Engine(memory, threads)
    covered = RollupTable(folder, engine).covered()[1]
    replaced = 0
    for table in (OBSERVATIONS, ROLLUPS):
        files = list(TableLog(folder / table).snapshot().files.values())
        for group in groups_to_compact(files, covered if table == OBSERVATIONS else None, fewest):
            replaced += _replace(folder, table, engine, group, _portions(engine, folder / table, group), now)
    return replaced


def _portions(engine: Engine, root: Path, files: Sequence[DataFile]) -> list[str]:
    """Conditions that split the rows by twin into portions of about ``FILE_ROWS``."""
    sql = f"SELECT twin, count(*) AS n FROM {_source(root, files)} GROUP BY twin ORDER BY twin"
    found = engine.table(sql)
    twins = found["twin"].to_pylist()
    portion = (np.cumsum(found["n"].to_numpy()) - 1) // FILE_ROWS
    first = [twins[int(np.argmax(portion == p))] for p in np.unique(portion)]
    edges = [_text(t) for t in first]
    return [
        f"twin >= {low}" + (f" AND twin < {high}" if high else "")
        for low, high in zip(edges, [*edges[1:], ""], strict=True)
    ]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _source(root: Path, files: Iterable[DataFile]) -> str:
    return files_sql(str(root / f.path) for f in files)


def _replace(
    folder: Path,
    table: str,
    engine: Engine,
    files: Sequence[DataFile],
    portions: Sequence[str],
    now: Callable[[], int],
    *,
    changes_data: bool = False,
) -> int:
    """Write the rows of ``files`` that match each portion into a new file, and swap old for new in one commit."""
    delta = open_table(folder, table)
    root, day, started = folder / table, files[0].day, now()
    adds = []
    for part, condition in enumerate(portions):
        rows = engine.table(f"SELECT * FROM {_source(root, files)} WHERE {condition}")
        rows = _in_order(rows, _SORT[table])
        if not len(rows):
            continue
        path = f"day={day}/c{delta.version()}-{part}-{started:x}.parquet"
        size = write_file(root, path, rows, ROLLUP_ROW_GROUP if table == ROLLUPS else ROW_GROUP)
        low, high = edges_of(rows, _EDGES[table])
        stats = statistics(len(rows), low, high)
        adds.append(AddAction(path, size, {"day": day}, started // 1_000_000, changes_data, stats))
    removes = [RemoveAction(f.path, changes_data, started // 1_000_000, f.size, {"day": f.day}) for f in files]
    try:
        delta.create_write_transaction([*adds, *removes], "append", delta.schema(), ["day"])
    except CommitFailedError:  # one of the files has gone meanwhile: nothing was replaced
        return 0
    return len(files)


def _in_order(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """Rows sorted by those columns. Words are compared by their codes: much cheaper than sorting texts."""
    keys: list[npt.NDArray[Any]] = []
    for name in names:
        if not pa.types.is_string(rows.schema.field(name).type):
            keys.append(rows[name].to_numpy())
            continue
        codes, words = codes_of(rows[name])
        order = np.argsort(np.array(words, dtype=object)) if words else np.zeros(0, dtype=np.intp)
        rank = np.empty(len(words), dtype=np.int32)
        rank[order] = np.arange(len(words))
        keys.append(rank[codes])
        column = pa.DictionaryArray.from_arrays(pa.array(keys[-1]), pa.array([words[i] for i in order], pa.string()))
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows.take(np.lexsort(keys[::-1]))


def edges_of(rows: pa.Table, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Smallest and largest value of those columns."""
    spans = {n: _span(rows[n]) for n in names}
    return {n: s["min"] for n, s in spans.items()}, {n: s["max"] for n, s in spans.items()}


def _span(column: pa.ChunkedArray) -> dict[str, Any]:
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    span: dict[str, Any] = pa.compute.min_max(plain).as_py()
    return span


def vacuum(folder: Path | str, *, grace_hours: int = 1) -> int:
    """Delete files that no version needs any more, and what died writers left; returns how many.

    ``grace_hours``: a file that was removed or written within that time stays, for readers and writers at work.
    """
    deleted = 0
    for table in (OBSERVATIONS, QUARANTINE, ROLLUPS):
        if DeltaTable.is_deltatable(str(Path(folder) / table)):
            delta = DeltaTable(str(Path(folder) / table))
            deleted += len(delta.vacuum(grace_hours, dry_run=False, enforce_retention_duration=False, full=True))
    return deleted


@dataclass(frozen=True, slots=True)
class Hold:
    """Rows that must not be dropped: of one twin (uid) or, if empty, of all, with event time in [start, end)."""

    twin: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """What retention dropped of one table and day: rows in all, and how many stay under a hold."""

    table: str
    day: str
    rows: int
    held: int


def retain(
    folder: Path | str,
    *,
    now: Callable[[], int],
    rows_for: int | None,
    rollups_for: int | None = None,
    quarantine_for: int | None = None,
    holds: Sequence[Hold] = (),
    memory: str = "1GB",
) -> list[Dropped]:
    """Drop whole UTC days that ended longer ago than their table is kept (ns; None: for ever).

    Of a day under a hold the held rows stay. Rows that are not rolled up yet are never dropped. Files of a day go
    in one commit, so that a kill leaves the day as it was or without them; :func:`vacuum` frees the space later.
    """
    folder, engine = Path(folder), Engine(memory, 1)
    covered = RollupTable(folder, engine).covered()[1]
    dropped = []
    for table, age in ((OBSERVATIONS, rows_for), (ROLLUPS, rollups_for), (QUARANTINE, quarantine_for)):
        if age is None:
            continue
        last = utc_day(now() - age - DAY)
        files = [f for f in TableLog(folder / table).snapshot().files.values() if f.day <= last]
        if table == OBSERVATIONS:
            files = [f for f in files if not is_beyond(f, covered)]
        for day in sorted({f.day for f in files}):
            own = [f for f in files if f.day == day]
            done = _drop(folder, table, engine, own, _held(table, day, holds), now)
            if done is not None:
                dropped.append(done)
    return dropped


def _held(table: str, day: str, holds: Sequence[Hold]) -> str:
    """The condition for rows of that day under a hold; "" if there is none.

    Quarantine names twins as the sender wrote them, so there a hold keeps every row of its time.
    """
    time = {OBSERVATIONS: "time", ROLLUPS: "bucket", QUARANTINE: "received"}[table]
    parts = []
    for hold in holds:
        if utc_day(hold.start) <= day <= utc_day(hold.end - 1):
            since = hold.start - (
                DAY if table == ROLLUPS else 0
            )  # a bucket that begins before the hold reaches into it
            part = f"{time} >= {since} AND {time} < {hold.end}"
            if hold.twin and table != QUARANTINE:
                part += f" AND twin = {_text(hold.twin)}"
            parts.append(f"({part})")
    return " OR ".join(parts)


def _drop(
    folder: Path, table: str, engine: Engine, files: Sequence[DataFile], held: str, now: Callable[[], int]
) -> Dropped | None:
    total, kept = sum(f.rows for f in files), 0
    if held:
        sql = f"SELECT count(*) AS n FROM {_source(folder / table, files)} WHERE {held}"
        kept = engine.table(sql)["n"][0].as_py()
    if kept == total:
        return None
    gone = _replace(folder, table, engine, files, [held] if kept else [], now, changes_data=True)
    return Dropped(table, files[0].day, total - kept, kept) if gone else None


def mark_replayed(folder: Path | str, ids: Iterable[tuple[int, int, int]], *, now: Callable[[], int]) -> None:
    """Note that the entries (shard, seq, idx) of quarantine were replayed; they are no longer listed or counted."""
    folder, at = Path(folder), now()
    keys = sorted(set(ids))
    if not keys:
        return
    delta = open_table(folder, QUARANTINE)
    empty = {f.name: pa.nulls(len(keys), f.type) for f in COLUMNS[QUARANTINE]}
    columns = {n: [k[i] for k in keys] for i, n in enumerate(("shard", "seq", "idx"))}
    times = dict.fromkeys(("received", "replayed"), [at] * len(keys))
    rows = pa.table({**empty, **columns, **times}, COLUMNS[QUARANTINE])
    path = f"day={utc_day(at)}/r{delta.version()}-{at:x}.parquet"
    size = write_file(folder / QUARANTINE, path, rows)
    low, high = edges_of(rows, _EDGES[QUARANTINE])
    add = AddAction(path, size, {"day": utc_day(at)}, at // 1_000_000, True, statistics(len(rows), low, high))
    delta.create_write_transaction([add], "append", delta.schema(), ["day"])
