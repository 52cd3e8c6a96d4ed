"""What is in quarantine, and what of it has been replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.observation import Quarantined
from servitwin.engines.history.log import TableLog
from servitwin.engines.history.scan import Engine, files_sql
from servitwin.engines.history.schema import QUARANTINE

_KEY = "shard, seq, idx"


class QuarantineLog:
    """The table ``quarantine``: entries as they came in, and marks of those that have been replayed since."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._log = TableLog(folder / QUARANTINE)
        self._engine = engine

    def page(self, after: str, limit: int, code: str, twin: str) -> list[Quarantined]:
        """Entries not yet replayed, newest (highest received, shard, seq, idx) first, those below ``after``."""
        where, parameters = ["true"], list[Any]()
        if after:
            where.append(f"(received, {_KEY}) < (SELECT (received, {_KEY}) FROM open WHERE ({_KEY}) = (?, ?, ?))")
            parameters += _parse(after)
        for column, value in (("code", code), ("twin", twin)):
            if value:
                where.append(f"{column} = ?")
                parameters.append(value)
        source = self._source()
        if source is None:
            return []
        sql = f"""{_with(source)} SELECT {_KEY}, received, source, twin, code, message, "where", payload FROM open
            WHERE {" AND ".join(where)} ORDER BY received DESC, shard DESC, seq DESC, idx DESC LIMIT ?"""
        return [Quarantined(**row) for row in self._engine.table(sql, [*parameters, limit]).to_pylist()]

    def entry(self, id: str) -> Quarantined | None:
        """The entry ``shard-seq-idx``, also if it has been replayed; None if there never was one."""
        source = self._source()
        key = _parse(id)
        if source is None:
            return None
        sql = f"""SELECT {_KEY}, received, source, twin, code, message, "where", payload FROM (FROM {source})
            WHERE replayed IS NULL AND ({_KEY}) = (?, ?, ?)"""
        rows = self._engine.table(sql, key).to_pylist()
        return Quarantined(**rows[0]) if rows else None

    def counts(self) -> dict[str, int]:
        """Entries of each code that have not been replayed, most frequent first."""
        source = self._source()
        if source is None:
            return {}
        sql = f"{_with(source)} SELECT code, count(*) AS n FROM open GROUP BY code ORDER BY n DESC, code"
        return {row["code"]: row["n"] for row in self._engine.table(sql).to_pylist()}

    def _source(self) -> str | None:
        files = self._log.snapshot().files.values()
        return files_sql(self._log.path(f) for f in files) if files else None


def _with(source: str) -> str:
    """``open``: what came in less what a mark says was replayed."""
    return f"""WITH every AS (FROM {source}), open AS (SELECT * FROM every WHERE replayed IS NULL
        AND ({_KEY}) NOT IN (SELECT ({_KEY}) FROM every WHERE replayed IS NOT NULL))"""


def _parse(id: str) -> list[int]:
    parts = id.split("-")
    if len(parts) != 3 or not all(p.isdecimal() and p.isascii() and len(p) < 19 for p in parts):
        raise InvalidInputError(
            Fault("quarantine:id-malformed", f"{id[:60]!r} is no entry", "Write it as shard-sequence-index", "after")
        )
    return [int(p) for p in parts]
