"""Roll-ups: hours and days of every signal, and its last value, brought up to what is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from servitwin.domain.instant import DAY, HOUR, utc_day
from servitwin.domain.observation import Cut
from servitwin.engines.history.export import Define
from servitwin.engines.history.fold import merge, take
from servitwin.engines.history.log import DataFile
from servitwin.engines.history.reader import gaps_of
from servitwin.engines.history.rolled import Rolled, RollupTable, Words, among, table_of_partials
from servitwin.engines.history.scan import Engine, Pair, Scan, View, files_sql, is_beyond
from servitwin.engines.history.schema import ROLLUP_ROW_GROUP, ROLLUPS, statistics, write_file
from servitwin.engines.history.survey import LatestFile
from servitwin.engines.history.tables import open_table

ROWS_AT_ONCE = 1_000_000


def roll_up(
    folder: Path | str, *, now: Callable[[], int], define: Define | None = None, memory: str = "512MB", threads: int = 1
) -> Cut:
    """Roll up all that is committed and not rolled up yet; returns the cut that is covered now.

    Hours that have new rows are folded again whole, and their days merged again: a late row issues its buckets again
    with a higher revision. One commit per call carries the new rows and the cut; a kill leaves it all or nothing.
    Only one process may do this at a time: of two, the later commit is dropped and its work repeated next time.

    Args:
        folder: the ``history`` folder.
        now: nanoseconds UTC, for file names.
        define: definitions of signals, for ``max_gap``; as for :class:`DuckReader`.
        memory: limit of the query engine.
        threads: its threads.
    """
    folder = Path(folder)
    engine = Engine(memory, threads)
    view = Scan(folder, engine, None, ()).view()
    table = RollupTable(folder, engine)
    _, covered = table.covered()
    if all(seq <= covered.get(shard, -1) for shard, seq in view.cut.items()):
        return covered
    delta = open_table(folder, ROLLUPS)
    revision = delta.version() + 1
    adds: list[AddAction | RemoveAction] = []
    for part, (day, pairs, hours) in enumerate(_work(view, engine, covered)):
        rows = _rows_of_day(table, view, define, day, pairs, hours, revision)
        path = f"day={utc_day(day)}/{revision}-{part}-{now():x}.parquet"
        size = write_file(folder / ROLLUPS, path, rows, ROLLUP_ROW_GROUP)
        low, high = {"width": HOUR, "twin": pairs[0][0]}, {"width": DAY, "twin": pairs[-1][0]}
        stats = statistics(len(rows), low, high)
        adds.append(AddAction(path, size, {"day": utc_day(day)}, now() // 1_000_000, True, stats))
    LatestFile(folder).renew(view, engine, now)
    positions = [Transaction(f"{ROLLUPS}/{shard}", seq) for shard, seq in view.cut.items()]
    try:
        delta.create_write_transaction(
            adds, "append", delta.schema(), ["day"], commit_properties=CommitProperties(app_transactions=positions)
        )
    except CommitFailedError:  # another process rolled up at the same time: its commit stands
        return table.covered()[1]
    return view.cut


def _work(view: View, engine: Engine, covered: Cut) -> Iterator[tuple[int, list[Pair], list[list[int]]]]:
    """What has rows beyond ``covered``: day by day, in portions that fit in memory, pairs and their dirty hours."""
    files = [f for f in view.snapshot.files.values() if is_beyond(f, covered)]
    for day in sorted({f.day for f in files}):
        own = [f for f in files if f.day == day]
        known = pa.table({"shard": pa.array(covered, pa.int32()), "r": pa.array(covered.values(), pa.int64())})
        sql = f"""SELECT twin, signal, count(*) AS n, list(DISTINCT time // {HOUR} * {HOUR}) AS hours
            FROM {files_sql(view.path(f) for f in own)} o LEFT JOIN known USING (shard)
            WHERE seq > coalesce(r, -1) GROUP BY twin, signal ORDER BY twin, signal"""
        found = engine.table(sql, known=known)
        counts = np.cumsum(found["n"].to_numpy()) // ROWS_AT_ONCE
        twins, signals, hours = (found[n].to_pylist() for n in ("twin", "signal", "hours"))
        start = _day_start(own[0])
        for portion in np.unique(counts).tolist():
            rows = np.flatnonzero(counts == portion).tolist()
            yield start, [(twins[i], signals[i]) for i in rows], [hours[i] for i in rows]


def _day_start(file: DataFile) -> int:
    start: int = file.low["time"] // DAY * DAY
    return start


def _rows_of_day(
    table: RollupTable,
    view: View,
    define: Define | None,
    day: int,
    pairs: Sequence[Pair],
    hours: Sequence[Sequence[int]],
    revision: int,
) -> pa.Table:
    words: Words = {}
    gaps = gaps_of(define, pairs)
    rolled = Rolled(table, view, pairs, gaps, words)
    dirty = (
        np.repeat(np.arange(len(pairs)), [len(h) for h in hours]),
        np.array([h for own in hours for h in own], dtype=np.int64),
    )
    whole = rolled.hours(np.arange(len(pairs)), day, day + DAY, dirty)
    merged = merge(whole, DAY, day, gaps)
    fresh = take(whole, among(whole, dirty) | np.isin(whole.series, rolled.stale))
    return pa.concat_tables(
        [
            table_of_partials(fresh, pairs, words, HOUR, revision, gaps),
            table_of_partials(merged, pairs, words, DAY, revision, gaps),
        ]
    )
