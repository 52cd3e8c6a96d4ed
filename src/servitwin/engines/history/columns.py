"""Observations between the two forms they travel in: ``Rows`` with codes, and Arrow with dictionaries."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from servitwin.domain.observation import Cut, Int32s, PackedRows, Rows

Strings = list[str]
AnyRows = Rows | PackedRows
# How the codes of a packed batch lie in its (message, signal, sample).
_PLACE_IN_PACK = {"twin": (-1, 1, 1), "signal": (1, -1, 1)}


def _merged(rows: Sequence[AnyRows], column: str, names: str) -> tuple[list[Int32s], Strings]:
    """Codes of each batch, translated so that they mean the same in all, and the names in use in ascending order."""
    used: set[str] = set()
    per_batch: list[list[int]] = []
    for r in rows:
        words = getattr(r, names)
        present = np.flatnonzero(np.bincount(getattr(r, column), minlength=len(words))).tolist()
        per_batch.append(present)
        used.update(words[i] for i in present)
    ordered = sorted(used)
    place = {name: i for i, name in enumerate(ordered)}
    out: list[Int32s] = []
    for r, present in zip(rows, per_batch, strict=True):
        words = getattr(r, names)
        translate = np.zeros(len(words), dtype=np.int32)
        translate[present] = [place[words[i]] for i in present]
        out.append(translate[getattr(r, column)])
    return out, ordered


def _joined(
    rows: Sequence[AnyRows], column: str, dtype: npt.DTypeLike, given: Sequence[npt.NDArray[np.generic]] | None = None
) -> npt.NDArray[np.generic]:
    """One column over all rows, written once into its place; ``given`` instead of what the batches hold."""
    out: npt.NDArray[np.generic] = np.empty(sum(map(len, rows)), dtype)
    at = 0
    for i, r in enumerate(rows):
        part = out[at : at + len(r)]
        at += len(r)
        if isinstance(r, PackedRows):
            source = r.view(column) if given is None else given[i].reshape(_PLACE_IN_PACK[column])
            part.reshape(r.number.shape)[...] = source
        else:
            part[...] = getattr(r, column) if given is None else given[i]
    return out


def _dictionary(rows: Sequence[AnyRows], column: str, names: str) -> pa.DictionaryArray:
    codes, words = _merged(rows, column, names)
    joined = _joined(rows, column, np.int32, codes)
    return pa.DictionaryArray.from_arrays(pa.array(joined), pa.array(words, pa.string()))


def table_of(rows: Sequence[AnyRows]) -> pa.Table:
    """Several batches as one Arrow table with the columns of ``observations``; twin and signal are dictionaries.

    The dictionaries are in ascending order and hold the names in use only. Values that a row does not have are null.
    """
    rows = [r for r in rows if len(r)]
    if not rows:
        return empty_table()
    n = sum(len(r) for r in rows)
    number = _joined(rows, "number", np.float64)
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
            "twin": _dictionary(rows, "twin", "twins"),
            "signal": _dictionary(rows, "signal", "signals"),
            "time": _joined(rows, "time", np.int64),
            "received": _joined(rows, "received", np.int64),
            "number": pa.array(number, pa.float64(), mask=np.isnan(number)),
            "text": texts,
            "flag": flags,
            "quality": _joined(rows, "quality", np.int8),
            "replayed": _joined(rows, "replayed", np.bool_),
            "shard": _joined(rows, "shard", np.int32),
            "seq": _joined(rows, "seq", np.int64),
            "idx": _joined(rows, "idx", np.int32),
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


def ipc_of(rows: Sequence[AnyRows], cut: Cut, after: Cut) -> bytes:
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
