"""A table's file list at its newest version, read from the Delta log itself.

A reader needs only which files count, their statistics and the application transactions; reading the log
(Delta protocol: "Delta Log Entries", "Checkpoints") costs one file existence test per refresh where nothing changed.
Only what our writers produce is read: tables without deletion vectors, column mapping or sidecar checkpoints.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file that counts, with the smallest and largest values of its columns."""

    path: str
    day: str
    size: int
    rows: int
    low: Mapping[str, Any]
    high: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The table at one version: never changed once made, so that threads may share it."""

    version: int = -1
    files: Mapping[str, DataFile] = field(default_factory=dict)
    transactions: Mapping[str, int] = field(default_factory=dict)


class TableLog:
    """Follows one table; :meth:`snapshot` is its newest version, empty while the table does not exist."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._log = table / "_delta_log"
        self._snapshot = Snapshot()
        self._lock = threading.Lock()

    def path(self, file: DataFile) -> str:
        """Where the file lies."""
        return str(self._table / file.path)

    def snapshot(self) -> Snapshot:
        """The newest version."""
        with self._lock:
            known = self._snapshot
            if known.version < 0 and (checkpoint := self._last_checkpoint()) >= 0:
                known = self._load(checkpoint)
            if known is self._snapshot and not self._commit(known.version + 1).exists():
                checkpoint = self._last_checkpoint()
                if checkpoint <= known.version:
                    return known
                known = self._load(checkpoint)  # the commits in between have been cleaned away
            self._snapshot = self._follow(known)
            return self._snapshot

    def at(self, version: int) -> Snapshot | None:
        """The table at an earlier version; None if the log no longer leads there."""
        checkpoints = [int(p.name[:20]) for p in self._log.glob("*.checkpoint.parquet")]
        first = max((v for v in checkpoints if v <= version), default=-1)
        known = Snapshot() if first < 0 else self._load(first)
        if version < 0 or any(not self._commit(v).exists() for v in range(known.version + 1, version + 1)):
            return None
        return self._follow(known, version)

    def _commit(self, version: int) -> Path:
        return self._log / f"{version:020d}.json"

    def _last_checkpoint(self) -> int:
        try:
            return int(json.loads((self._log / "_last_checkpoint").read_bytes())["version"])
        except FileNotFoundError:
            return -1

    def _load(self, version: int) -> Snapshot:
        table = pq.read_table(self._log / f"{version:020d}.checkpoint.parquet", columns=["add", "txn"])
        adds = (a for a in table["add"].to_pylist() if a is not None)
        files = {a["path"]: _data_file(a, dict(a["partitionValues"])) for a in adds}
        transactions = {t["appId"]: t["version"] for t in table["txn"].to_pylist() if t is not None}
        return Snapshot(version, files, transactions)

    def _follow(self, known: Snapshot, last: int | None = None) -> Snapshot:
        """``known`` with the commits after it, up to ``last`` or the newest."""
        files, transactions, version = dict(known.files), dict(known.transactions), known.version
        while version != last:
            try:
                lines = self._commit(version + 1).read_bytes().splitlines()
            except FileNotFoundError:
                break
            _apply((json.loads(line) for line in lines), files, transactions)
            version += 1
        return Snapshot(version, files, transactions)


def _apply(actions: Iterable[dict[str, Any]], files: dict[str, DataFile], transactions: dict[str, int]) -> None:
    for action in actions:
        if add := action.get("add"):
            files[add["path"]] = _data_file(add, add["partitionValues"])
        elif remove := action.get("remove"):
            files.pop(remove["path"], None)
        elif txn := action.get("txn"):
            transactions[txn["appId"]] = txn["version"]


def _data_file(add: Mapping[str, Any], partition: Mapping[str, str]) -> DataFile:
    stats = json.loads(add["stats"]) if add.get("stats") else {}
    return DataFile(
        unquote(add["path"]),
        partition["day"],
        add["size"],
        stats.get("numRecords", 0),
        stats.get("minValues", {}),
        stats.get("maxValues", {}),
    )
