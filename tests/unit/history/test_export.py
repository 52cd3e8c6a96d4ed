"""Export in open formats: every row that holds, with units and metadata."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from model import Row
from worlds import FLAG, NUMBER, T0, TEXT, commit_rows, define

from servitwin.domain.instant import DAY
from servitwin.engines.history import DuckReader

ROWS = [
    Row(*NUMBER, T0 + 250_000_001, 1.5, 0, 1, 0),
    Row(*TEXT, T0 + 5, 'with "quotes", commas\nand lines', 0, 1, 1),
    Row(*NUMBER, T0 + DAY + 7, None, 0, 2, 0, quality=2),
    Row(*FLAG, T0 + DAY + 6, True, 0, 2, 1),
    Row(*NUMBER, T0 + 250_000_001, 2.5, 0, 3, 0),  # the same time again: the last one holds
    Row("twin-a", "unwanted", T0, 9.0, 0, 3, 1),
]
EXPECTED = [
    (T0 + 5, *TEXT, None, 'with "quotes", commas\nand lines', None),
    (T0 + 250_000_001, *NUMBER, 2.5, None, None),
    (T0 + DAY + 6, *FLAG, None, None, True),
    (T0 + DAY + 7, *NUMBER, None, None, None),
]


def exported(folder: Path, form: str) -> bytes:
    commit_rows(folder, ROWS)
    chunks = DuckReader(folder, define=define).export([NUMBER, TEXT, FLAG], T0, T0 + 3 * DAY, form, {"title": "Ä"})  # type: ignore[arg-type]
    return b"".join(chunks)


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    names = ["time", "twin", "signal", "number", "text", "flag"]
    return [tuple(r[n] for n in names) for r in table.to_pylist()]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_parquet_and_arrow_carry_units_in_the_schema(tmp_path: Path, form: str) -> None:
    content = exported(tmp_path, form)
    table = pq.read_table(io.BytesIO(content)) if form == "parquet" else pa.ipc.open_stream(content).read_all()
    assert rows(table) == EXPECTED
    assert table["unit"].to_pylist() == ["kW"] * 4
    about = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert about["title"] == "Ä"
    assert json.loads(about["units"]) == {"power": "kW", "mode": "kW", "door": "kW"}
    assert json.loads(about["cut"]) == {"0": 3}
    assert (about["from"], about["to"]) == ("2026-09-21T00:00:00Z", "2026-09-24T00:00:00Z")


def test_csv_has_comments_nanoseconds_and_rfc_3339(tmp_path: Path) -> None:
    content = exported(tmp_path, "csv")
    lines = content.decode().splitlines(keepends=True)
    comments = [line for line in lines if line.startswith("# ")]
    assert '# title: "Ä"\n' in comments
    body = "".join(lines[len(comments) :])
    assert body.startswith("time,time_utc,twin,signal,number,text,flag,unit,quality,received,replayed\n")
    options = pc.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    read = pc.read_csv(io.BytesIO(body.encode()), None, pc.ParseOptions(newlines_in_values=True), options)
    table = read.drop_columns(["time_utc"])
    assert rows(table) == EXPECTED
    assert body.splitlines()[3].startswith('1789948800250000001,"2026-09-21T00:00:00.250000001Z","twin-a","power",2.5,')


def test_an_empty_export_is_still_a_file(tmp_path: Path) -> None:
    reader = DuckReader(tmp_path)
    content = b"".join(reader.export([NUMBER], T0, T0 + DAY, "parquet", {}))
    assert pq.read_table(io.BytesIO(content)).num_rows == 0
    assert b"time,time_utc" in b"".join(reader.export([NUMBER], T0, T0 + DAY, "csv", {}))
