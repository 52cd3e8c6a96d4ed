"""The tables of history: names, columns, and how their files are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

OBSERVATIONS = "observations"
QUARANTINE = "quarantine"
ROLLUPS = "rollups"
LATEST = "latest.parquet"  # no table but one file: the last row of each (twin, signal) as far as roll-ups reach
PARTITION = "day"

_OBSERVATION = pa.schema(
    [
        ("twin", pa.string()),
        ("signal", pa.string()),
        ("time", pa.int64()),
        ("received", pa.int64()),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("quality", pa.int8()),
        ("replayed", pa.bool_()),
        ("shard", pa.int32()),
        ("seq", pa.int64()),
        ("idx", pa.int32()),
    ]
)
COLUMNS: Mapping[str, pa.Schema] = {
    OBSERVATIONS: _OBSERVATION,
    QUARANTINE: pa.schema(
        [
            ("shard", pa.int32()),
            ("seq", pa.int64()),
            ("idx", pa.int32()),
            ("received", pa.int64()),
            ("source", pa.string()),
            ("twin", pa.string()),
            ("code", pa.string()),
            ("message", pa.string()),
            ("where", pa.string()),
            ("payload", pa.binary()),
            ("replayed", pa.int64()),  # null: as it came in; else this row says that the entry was replayed then
        ]
    ),
    ROLLUPS: pa.schema(
        [
            ("twin", pa.string()),
            ("signal", pa.string()),
            ("width", pa.int64()),  # ns: an hour or a day
            ("bucket", pa.int64()),
            ("revision", pa.int64()),
            ("max_gap", pa.int64()),
            ("count", pa.int64()),
            ("total", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("first_time", pa.int64()),
            ("last_time", pa.int64()),
            ("first", pa.float64()),
            ("last", pa.float64()),
            ("end_number", pa.float64()),
            ("integral", pa.float64()),
            ("held", pa.int64()),
            ("end_word", pa.string()),
            ("words", pa.list_(pa.string())),
            ("spent", pa.list_(pa.int64())),
        ]
    ),
}
# Integers that grow along a file shrink to a few bits as differences; values and flags keep what the writer chooses.
_DELTA_ENCODED = ("time", "received", "seq", "idx", "bucket")
_DICTIONARIES = ("twin", "signal", "text", "number", "code", "source", "end_word")
ROW_GROUP = 64 * 1024
ROLLUP_ROW_GROUP = 8 * 1024  # a question about one signal wants a few dozen rows of many wide ones


def write_file(root: Path, path: str, table: pa.Table, row_group: int = ROW_GROUP) -> int:
    """Write ``table`` as one Parquet file at ``root/path`` and return its size in bytes.

    Until a commit names it nobody reads it: a writer that dies here leaves a file that clean-up removes.
    """
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    names = table.column_names
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=1,
        row_group_size=row_group,
        use_dictionary=[n for n in names if n in _DICTIONARIES],
        column_encoding={n: "DELTA_BINARY_PACKED" for n in names if n in _DELTA_ENCODED},
    )
    return target.stat().st_size


def statistics(rows: int, low: Mapping[str, Any], high: Mapping[str, Any]) -> str:
    """The statistics of a file as the Delta protocol writes them ("Per-file Statistics"), whole and untruncated."""
    return json.dumps({"numRecords": rows, "minValues": low, "maxValues": high, "nullCount": {}})
