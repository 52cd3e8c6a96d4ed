"""Rows of a shard between two sequences, as they are committed: what the evidence log binds and checks.

Rows are found by shard and sequence, so that files may have been put together in between: compaction changes no row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from servitwin.domain.observation import Bools, Cut, Int64s
from servitwin.engines.history.log import DataFile, Snapshot, TableLog
from servitwin.engines.history.schema import OBSERVATIONS
from servitwin.proof.log.segment import SegmentRows

_WORDS = ("twin", "signal", "text")
_COLUMNS = ["twin", "signal", "time", "received", "number", "text", "flag", "quality", "replayed", "seq", "idx"]


class CommittedRows:
    """Reads the table of observations without a query engine."""

    def __init__(self, folder: Path) -> None:
        """``folder``: the folder of history."""
        self._log = TableLog(folder / OBSERVATIONS)

    def committed(self) -> Cut:
        """Last sequence of each shard that is committed."""
        found: Cut = {}
        for app, seq in self._log.snapshot().transactions.items():
            shard = app.rpartition("/")[2]
            if shard.isdecimal():
                found[int(shard)] = max(seq, found.get(int(shard), -1))
        return found

    def reach(self, shard: int, first: int, last: int, rows: int) -> int:
        """A sequence up to ``last`` until which there are about ``rows`` rows from ``first``; ``last`` if fewer."""
        files = sorted(_touching(self._log.snapshot(), shard, first, last), key=lambda f: f.high["seq"])
        if sum(f.rows for f in files) <= rows:
            return last
        seen, place = 0, last
        for file in files:
            seen += file.rows
            if seen >= rows:
                place = min(last, file.high["seq"])
                break
        # A file may hold rows of many sequences, and several files rows of the same: those alone are counted.
        found = np.concatenate([self._sequences(f, shard, first, place) for f in files if f.low["seq"] <= place])
        return place if len(found) <= rows else int(np.partition(found, rows - 1)[rows - 1])

    def _sequences(self, file: DataFile, shard: int, first: int, last: int) -> Int64s:
        table = pq.read_table(self._log.path(file), columns=["seq", "shard"], use_threads=False, partitioning=None)
        found: Int64s = table["seq"].to_numpy()[_mask(table, shard, first, last)]
        return found

    def rows(self, shard: int, first: int, last: int) -> SegmentRows:
        """All committed rows of the shard with ``first <= seq <= last``."""
        tables = []
        for file in _touching(self._log.snapshot(), shard, first, last):
            table = pq.read_table(
                self._log.path(file), columns=[*_COLUMNS, "shard"], read_dictionary=list(_WORDS), use_threads=False,
                partitioning=None,
            )  # fmt: skip
            mask = _mask(table, shard, first, last)
            if mask.any():
                tables.append(table.select(_COLUMNS) if mask.all() else table.select(_COLUMNS).filter(pa.array(mask)))
        return _columns(tables)


def _touching(snapshot: Snapshot, shard: int, first: int, last: int) -> list[DataFile]:
    return [
        f
        for f in snapshot.files.values()
        if f.low["shard"] <= shard <= f.high["shard"] and f.low["seq"] <= last and f.high["seq"] >= first
    ]


def _mask(table: pa.Table, shard: int, first: int, last: int) -> Bools:
    seq = table["seq"].to_numpy()
    mask: Bools = (table["shard"].to_numpy() == shard) & (seq >= first) & (seq <= last)
    return mask


def _columns(tables: list[pa.Table]) -> SegmentRows:
    if not tables:
        none = np.zeros(0, np.int64)
        small = none.astype(np.int32)
        return SegmentRows(
            [], [], [], small, small, none, none, small, none.astype(np.uint8), none.astype(bool),
            none.astype(np.float64), small, none.astype(np.int8), none,
        )  # fmt: skip
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    codes = {name: _codes(table[name]) for name in _WORDS}
    return SegmentRows(
        twins=codes["twin"][1],
        signals=codes["signal"][1],
        texts=codes["text"][1],
        twin=codes["twin"][0],
        signal=codes["signal"][0],
        time=table["time"].to_numpy(),
        seq=table["seq"].to_numpy(),
        idx=table["idx"].to_numpy(),
        quality=table["quality"].to_numpy().astype(np.uint8),
        replayed=table["replayed"].to_numpy(),
        number=table["number"].to_numpy(),
        text=codes["text"][0],
        flag=pc.fill_null(table["flag"].cast(pa.int8()), -1).to_numpy(),
        received=table["received"].to_numpy(),
    )


def _codes(column: pa.ChunkedArray) -> tuple[Any, list[str]]:
    """Codes of a column of words, -1 where there is none, and the words."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0)
    return pc.fill_null(whole.indices, -1).to_numpy().astype(np.int32), whole.dictionary.to_pylist()
