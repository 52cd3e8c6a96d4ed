"""Observations in open formats: CSV, Parquet and Arrow, with units and metadata, in chunks of a day."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from servitwin.domain.instant import DAY, format_instant
from servitwin.domain.observation import Bools
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.history.scan import Pair, View

Form = Literal["csv", "parquet", "arrow"]
Define = Callable[[str, str], SignalDefinition | None]  # uid, signal name -> definition in force

_WORDS = pa.dictionary(pa.int32(), pa.string())
_SCHEMA = pa.schema(
    [
        ("time", pa.int64()),
        ("twin", _WORDS),
        ("signal", _WORDS),
        ("number", pa.float64()),
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("unit", _WORDS),
        ("quality", pa.int8()),
        ("received", pa.int64()),
        ("replayed", pa.bool_()),
    ]
)


class _Pipe(io.RawIOBase):
    """Collects what is written until it is taken out; positions count on, as a file's would."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        part = bytes(content)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def drain(self) -> bytes:
        """What was written since the last time."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


class _Sink(Protocol):
    def write(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


def export(
    view: View,
    pairs: Sequence[Pair],
    sets: Bools,
    start: int,
    end: int,
    form: Form,
    metadata: Mapping[str, Any],
    define: Define | None,
) -> Iterator[bytes]:
    """Bytes of the file, as they become ready; see ``DuckReader.export``."""
    definitions = [define(*pair) if define else None for pair in pairs]
    units = [d.unit if d else "" for d in definitions]
    about = {
        **metadata,
        "from": format_instant(start),
        "to": format_instant(end),
        "cut": {str(shard): seq for shard, seq in view.cut.items()},
        "time": "ns since 1970-01-01T00:00:00Z, UTC",
        "quality": "0 good, 1 uncertain, 2 bad; without a value: UNAVAILABLE",
        "units": {signal: unit for (_, signal), unit in zip(pairs, units, strict=True)},
    }
    pipe = _Pipe()
    sink = _open(form, pipe, about)
    for begin in _days(view, start, end):
        table = _chunk(view, pairs, sets, units, max(begin, start), min(begin + DAY, end))
        if len(table):
            sink.write(table)
            yield pipe.drain()
    sink.close()
    yield pipe.drain()


def _days(view: View, start: int, end: int) -> Iterator[int]:
    """Starts of the UTC days in [start, end) that have a file or tail rows."""
    days = {f.low["time"] // DAY for f in view.snapshot.files.values()}
    for table in view.tails():
        days.update(np.unique(table["time"].to_numpy() // DAY).tolist())
    return (day * DAY for day in sorted(days) if day * DAY < end and (day + 1) * DAY > start)


def _chunk(view: View, pairs: Sequence[Pair], sets: Bools, units: Sequence[str], start: int, end: int) -> pa.Table:
    rows = view.table(pairs, start, end, sets)
    order = np.lexsort((rows["series"].to_numpy(), rows["time"].to_numpy()))
    rows = rows.take(order)
    series = rows["series"].to_numpy()
    for name, values in (
        ("twin", [t for t, _ in pairs]),
        ("signal", [s for _, s in pairs]),
        ("unit", list(units)),
    ):
        words = sorted(set(values))
        codes = np.array([words.index(v) for v in values], dtype=np.int32)
        column = pa.DictionaryArray.from_arrays(pa.array(codes[series]), pa.array(words, pa.string()))
        rows = rows.append_column(name, column)
    return rows.select(_SCHEMA.names).cast(_SCHEMA)


def _open(form: Form, pipe: _Pipe, about: Mapping[str, Any]) -> _Sink:
    if form == "csv":
        return _Csv(pipe, about)
    schema = _SCHEMA.with_metadata({k: v if isinstance(v, str) else json.dumps(v) for k, v in about.items()})
    if form == "parquet":
        return _Kept(pq.ParquetWriter(pipe, schema, compression="zstd"), schema)
    return _Kept(pa.ipc.new_stream(pipe, schema), schema)


class _Kept:
    """Parquet and Arrow: the schema says what the columns are."""

    def __init__(self, writer: Any, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table.replace_schema_metadata(self._schema.metadata))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    """Comment lines, one header line, rows; a reader without comments skips lines that begin with ``#``."""

    def __init__(self, pipe: _Pipe, about: Mapping[str, Any]) -> None:
        self._pipe = pipe
        names = ["time", "time_utc", *_SCHEMA.names[1:]]
        head = "".join(f"# {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in about.items())
        pipe.write((head + ",".join(names) + "\n").encode())

    def write(self, table: pa.Table) -> None:
        utc = pa.array([format_instant(t) for t in table["time"].to_pylist()], pa.string())
        plain = pa.table(
            {n: table[n].cast(pa.string()) if n in {"twin", "signal", "unit"} else table[n] for n in table.column_names}
        )
        pc.write_csv(
            plain.add_column(1, "time_utc", utc),
            self._pipe,
            pc.WriteOptions(include_header=False, quoting_style="needed"),
        )

    def close(self) -> None:
        """Nothing follows the last row."""
