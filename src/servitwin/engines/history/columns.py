"""Observations between the two forms they travel in: ``Rows`` with codes, and Arrow with dictionaries."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from servitwin.domain.observation import Cut, Int32s, Rows

Strings = list[str]


def _merged(rows: Sequence[Rows], names: Sequence[Sequence[str]], codes: Sequence[Int32s]) -> tuple[Int32s, Strings]:
    """One code column over all rows, with the names in use in ascending order, so that codes sort like names."""
    used: set[str] = set()
    per_batch: list[tuple[Int32s, list[int]]] = []
    for words, column in zip(names, codes, strict=True):
        present = np.flatnonzero(np.bincount(column, minlength=len(words))).tolist()
        per_batch.append((column, present))
        used.update(words[i] for i in present)
    ordered = sorted(used)
    place = {name: i for i, name in enumerate(ordered)}
    out: list[Int32s] = []
    for (column, present), words in zip(per_batch, names, strict=True):
        translate = np.zeros(len(words), dtype=np.int32)
        translate[present] = [place[words[i]] for i in present]
        out.append(translate[column])
    return (np.concatenate(out) if len(out) != 1 else out[0]), ordered


def _joined(parts: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def table_of(rows: Sequence[Rows]) -> pa.Table:
    """Several batches as one Arrow table with the columns of ``observations``; twin and signal are dictionaries.

    The dictionaries are in ascending order and hold the names in use only. Values that a row does not have are null.
    """
    rows = [r for r in rows if len(r)]
    if not rows:
        return empty_table()
    n = sum(len(r) for r in rows)
    twin, twins = _merged(rows, [r.twins for r in rows], [r.twin for r in rows])
    signal, signals = _merged(rows, [r.signals for r in rows], [r.signal for r in rows])
    number = _joined([r.number for r in rows])
    texts: pa.Array = pa.nulls(n, pa.string())
    if any(r.text is not None for r in rows):
        texts = pa.concat_arrays(
            [pa.nulls(len(r), pa.string()) if r.text is None else pa.array(r.text, pa.string()) for r in rows]
        )
    flags: pa.Array = pa.nulls(n, pa.bool_())
    if any(r.flag is not None for r in rows):
        flag = np.concatenate([np.full(len(r), -1, np.int8) if r.flag is None else r.flag for r in rows])
        flags = pa.array(flag > 0, pa.bool_(), mask=flag < 0)
    return pa.table(
        {
            "twin": pa.DictionaryArray.from_arrays(pa.array(twin), pa.array(twins, pa.string())),
            "signal": pa.DictionaryArray.from_arrays(pa.array(signal), pa.array(signals, pa.string())),
            "time": _joined([r.time for r in rows]),
            "received": _joined([r.received for r in rows]),
            "number": pa.array(number, pa.float64(), mask=np.isnan(number)),
            "text": texts,
            "flag": flags,
            "quality": _joined([r.quality for r in rows]).astype(np.int8),
            "replayed": _joined([r.replayed for r in rows]),
            "shard": _joined([r.shard for r in rows]),
            "seq": _joined([r.seq for r in rows]),
            "idx": _joined([r.idx for r in rows]),
        }
    )


def empty_table() -> pa.Table:
    """The columns of ``observations`` without a row, as :func:`table_of` types them."""
    words = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("twin", words),
            ("signal", words),
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
    ).empty_table()


def ipc_of(rows: Sequence[Rows], cut: Cut, after: Cut) -> bytes:
    """The answer to ``ask.tail.<shard>``: an Arrow IPC stream of ``rows``.

    Schema metadata ``cut`` and ``after`` (JSON, shard -> sequence) say that every row of those shards with
    ``after < seq <= cut`` is in it. An owner that no longer keeps rows from the sequence asked for gives the
    ``after`` from which it does; the reader then takes the newer snapshot and asks again.
    """
    table = table_of(rows)
    table = table.replace_schema_metadata({"cut": _cut_text(cut), "after": _cut_text(after)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _cut_text(cut: Cut) -> str:
    return json.dumps({str(shard): seq for shard, seq in cut.items()})
