"""Questions over all twins: the latest values, and who has new rows since a cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from servitwin.domain.observation import Cut, LastValue
from servitwin.engines.history.log import DataFile
from servitwin.engines.history.scan import Engine, View, codes_of, files_sql
from servitwin.engines.history.schema import COLUMNS, OBSERVATIONS

_LATEST = "twin, signal, time, received, number, text, flag, quality, shard, seq, idx"


def last_values(view: View, engine: Engine, twins: Sequence[str] | None) -> list[LastValue]:
    """The row of each (twin, signal) with the highest (time, shard, seq, idx)."""
    wanted = None if twins is None else sorted(set(twins))
    files = [
        f
        for f in view.snapshot.files.values()
        if wanted is None or any(f.low["twin"] <= t <= f.high["twin"] for t in wanted)
    ]
    names = _LATEST.split(", ")
    plain = pa.schema([COLUMNS[OBSERVATIONS].field(n) for n in names])
    parts = [t.select(names).cast(plain) for t in view.tails()]
    if files:
        chosen = "" if wanted is None else "WHERE twin IN (SELECT twin FROM chosen)"
        sql = f"""SELECT unnest(max_by(row, (time, shard, seq, idx))) FROM (
            SELECT twin, signal, time, shard, seq, idx, {{{", ".join(f"'{n}': {n}" for n in names)}}} AS row
            FROM {files_sql(view.path(f) for f in files)} {chosen}) GROUP BY twin, signal"""
        parts.append(engine.table(sql, chosen=pa.table({"twin": pa.array(wanted or [], pa.string())})))
    if not parts:
        return []
    table = pa.concat_tables([p.cast(plain) for p in parts])
    keep = view.within(table["shard"].to_numpy(), table["seq"].to_numpy())
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table.filter(pa.array(keep)).to_pylist():
        key = row["twin"], row["signal"]
        if (wanted is None or row["twin"] in wanted) and (key not in best or _rank(row) > _rank(best[key])):
            best[key] = row
    return [_last_value(row) for _, row in sorted(best.items())]


def changed_since(view: View, engine: Engine, cut: Cut) -> dict[str, tuple[int, int]]:
    """Twins with rows beyond ``cut``: uid -> (earliest, latest) event time."""
    spans: dict[str, tuple[int, int]] = {}
    for shard in view.cut:
        after = cut.get(shard, -1)
        files = [f for f in view.snapshot.files.values() if holds_shard(f, shard) and f.high["seq"] > after]
        if files:
            sql = f"""SELECT twin, min(time) AS low, max(time) AS high
                FROM {files_sql(view.path(f) for f in files)} WHERE shard = ? AND seq > ? GROUP BY twin"""
            for row in engine.table(sql, [shard, after]).to_pylist():
                _widen(spans, row["twin"], row["low"], row["high"])
    for table in view.tails():
        keep = view.within(table["shard"].to_numpy(), table["seq"].to_numpy())
        for shard, seq in cut.items():
            keep &= (table["shard"].to_numpy() != shard) | (table["seq"].to_numpy() > seq)
        twin, twins = codes_of(table["twin"].filter(pa.array(keep)))
        time = table["time"].to_numpy()[keep]
        for code in np.unique(twin).tolist():
            own = time[twin == code]
            _widen(spans, twins[code], int(own.min()), int(own.max()))
    return spans


def holds_shard(file: DataFile, shard: int) -> bool:
    """Whether rows of that shard may lie in the file."""
    return bool(file.low["shard"] <= shard <= file.high["shard"])


def _widen(spans: dict[str, tuple[int, int]], twin: str, low: int, high: int) -> None:
    known = spans.get(twin, (low, high))
    spans[twin] = min(low, known[0]), max(high, known[1])


def _rank(row: Mapping[str, Any]) -> tuple[int, int, int, int]:
    return row["time"], row["shard"], row["seq"], row["idx"]


def _last_value(row: Mapping[str, Any]) -> LastValue:
    value = next((row[c] for c in ("number", "text", "flag") if row[c] is not None), None)
    return LastValue(row["twin"], row["signal"], row["time"], row["received"], value, row["quality"])
