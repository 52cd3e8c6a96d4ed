"""Questions over all twins: the latest values, and who has new rows since a cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from servitwin.domain.observation import Cut, LastValue
from servitwin.engines.history.log import DataFile
from servitwin.engines.history.scan import Engine, View, codes_of, files_sql, is_beyond
from servitwin.engines.history.schema import COLUMNS, LATEST, OBSERVATIONS, write_file

_NAMES = COLUMNS[OBSERVATIONS].names
Rank = tuple[int, int, int, int]  # time, shard, seq, idx
Latest = dict[tuple[str, str], tuple[Rank, LastValue]]


class LatestFile:
    """The last row of each (twin, signal) as of a cut: a projection that roll-ups renew, replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = (0, 0)
        self._held: tuple[Cut, Latest] = ({}, {})

    def read(self) -> tuple[Cut, Latest]:
        """The cut and what held then; read again only if the file was replaced."""
        path = self._folder / LATEST
        try:
            state = path.stat()
        except FileNotFoundError:
            return {}, {}
        stamp = (state.st_mtime_ns, state.st_ino)
        if stamp != self._stamp:
            table = pq.read_table(path)
            cut = {int(s): seq for s, seq in json.loads(table.schema.metadata[b"cut"]).items()}
            self._held = cut, {(r["twin"], r["signal"]): (_rank(r), _last_value(r)) for r in table.to_pylist()}
            self._stamp = stamp
        return self._held

    def renew(self, view: View, engine: Engine, now: Callable[[], int]) -> None:
        """Bring the file up to the committed cut of ``view``."""
        path = self._folder / LATEST
        tables = [pq.read_table(path)] if path.exists() else []
        covered, _ = self.read()
        tables += _newest(view, engine, covered, None)
        if not tables:
            return
        table = pa.concat_tables([t.replace_schema_metadata(None).cast(COLUMNS[OBSERVATIONS]) for t in tables])
        cut = json.dumps({str(s): seq for s, seq in view.cut.items()})
        table = _winners(engine, "latest", latest=table).replace_schema_metadata({"cut": cut})
        fresh = f"{LATEST}.{now():x}"
        write_file(self._folder, fresh, table)
        (self._folder / fresh).replace(path)


def last_values(view: View, engine: Engine, latest: LatestFile, twins: Sequence[str] | None) -> list[LastValue]:
    """The row of each (twin, signal) with the highest (time, shard, seq, idx)."""
    covered, held = latest.read()
    wanted = None if twins is None else set(twins)
    best = dict(held) if wanted is None else {k: v for k, v in held.items() if k[0] in wanted}
    for table in _newest(view, engine, covered, wanted):
        for row in table.to_pylist():
            key, rank = (row["twin"], row["signal"]), _rank(row)
            if key not in best or rank > best[key][0]:
                best[key] = rank, _last_value(row)
    return [value for _, value in best.values()]


def _newest(view: View, engine: Engine, covered: Cut, twins: set[str] | None) -> list[pa.Table]:
    """The newest row of each pair among the rows beyond ``covered``: of each day of files, and of each tail."""
    files = [f for f in view.snapshot.files.values() if is_beyond(f, covered)]
    if twins is not None:
        files = [f for f in files if any(f.low["twin"] <= t <= f.high["twin"] for t in twins)]
    chosen = pa.table({"twin": pa.array(sorted(twins or ()), pa.string())})
    where = "" if twins is None else "WHERE twin IN (SELECT twin FROM chosen)"
    found = []
    for day in sorted({f.day for f in files}):
        source = files_sql(view.path(f) for f in files if f.day == day)
        found.append(_winners(engine, f"{source} {where}", chosen=chosen))
    for tail in view.tails():
        keep = view.within(tail["shard"].to_numpy(), tail["seq"].to_numpy())
        found.append(_winners(engine, f"tail {where}", chosen=chosen, tail=tail.filter(pa.array(keep))))
    return found


def _winners(engine: Engine, source: str, **tables: pa.Table) -> pa.Table:
    # One pass that keeps one row a pair: ranking by a window or a second pass would hold millions of rows.
    row = ", ".join(f"'{n}': {n}" for n in _NAMES)
    sql = f"""SELECT unnest(row) FROM (SELECT max_by({{{row}}}, (time, shard, seq, idx)) AS row
        FROM {source} GROUP BY twin, signal)"""
    return engine.table(sql, **tables)


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


def _rank(row: Mapping[str, Any]) -> Rank:
    return row["time"], row["shard"], row["seq"], row["idx"]


def _last_value(row: Mapping[str, Any]) -> LastValue:
    value = next((row[c] for c in ("number", "text", "flag") if row[c] is not None), None)
    return LastValue(row["twin"], row["signal"], row["time"], row["received"], value, row["quality"])
