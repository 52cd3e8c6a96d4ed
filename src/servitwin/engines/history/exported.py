"""Exports read back: observations of a file in one of our open formats, as the series they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Floats, Int8s, Series
from servitwin.domain.signal import SignalDefinition

_NEEDED = ("time", "twin", "signal", "number", "text", "flag", "quality")


class ExportedObservations:
    """Observations of an exported file (CSV, Parquet or Arrow IPC stream), by twin and signal."""

    def __init__(self, path: Path) -> None:
        table = _table(path)
        missing = [n for n in _NEEDED if n not in table.column_names]
        if missing:
            raise _unreadable(path, f"columns {', '.join(missing)} are missing")
        self._table = table.select(list(_NEEDED))

    def series(self, twin: str, uid: str, definition: SignalDefinition) -> Series | None:
        """One signal of a twin (named by id or uid) in order; the last row of each time holds, conditions keep all.

        None where the file has no row of it.
        """
        table = self._table
        mine = pc.and_(
            pc.is_in(table["twin"], value_set=pa.array([twin, uid])), pc.equal(table["signal"], definition.name)
        )
        rows = table.filter(mine)
        if not len(rows):
            return None
        time = rows["time"].to_numpy()
        order = np.argsort(time, kind="stable")  # rows of one time stay in the order in which they were exported
        if definition.type != "condition":
            last = np.append(time[order][1:] != time[order][:-1], True)
            order = order[last]
        number: Floats | None = None
        text: list[str | None] | None = None
        flag: Int8s | None = None
        if definition.type == "number":
            number = rows["number"].to_numpy(zero_copy_only=False).astype(np.float64)[order]
        elif definition.type == "flag":
            values = [-1 if v is None else int(v) for v in rows["flag"].to_pylist()]
            flag = np.array(values, np.int8)[order]
        else:
            words = rows["text"].to_pylist()
            text = [words[int(i)] for i in order]
        quality = rows["quality"].to_numpy().astype(np.uint8)[order]
        return Series(uid, definition.name, time[order].astype(np.int64), number, text, flag, quality, {})


def _table(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            begin = file.read(8)
        if begin[:4] == b"PAR1":
            table = pq.read_table(path)
        elif begin[:1] == b"#" or begin[:4] == b"time":
            table = _csv(path)
        else:
            with pa.OSFile(str(path)) as source:
                table = pa.ipc.open_stream(source).read_all()
    except (OSError, pa.ArrowException, ValueError) as e:
        raise _unreadable(path, str(e)) from None
    words = {n: table[n].cast(pa.string()) for n in ("twin", "signal", "text") if n in table.column_names}
    for name, column in words.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _csv(path: Path) -> Any:
    with path.open("rb") as file:
        comments = 0
        for line in file:
            if not line.startswith(b"#"):
                break
            comments += 1
    return pcsv.read_csv(
        path,
        pcsv.ReadOptions(skip_rows=comments),
        pcsv.ParseOptions(newlines_in_values=True),
        pcsv.ConvertOptions(
            column_types={
                "time": pa.int64(), "twin": pa.string(), "signal": pa.string(), "number": pa.float64(),
                "text": pa.string(), "flag": pa.bool_(), "quality": pa.int8(),
            },
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )  # fmt: skip


def _unreadable(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        Fault(
            "observations:not-readable",
            f"{path} is no export of observations: {why[:200]}",
            "Make one with `servitwin export`, or GET /api/v1/contracts/{id}/settlements/{period}/observations",
            file=str(path),
        )
    )
