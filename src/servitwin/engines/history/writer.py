"""The only writer of history: rows and the place in the streams they came from go into one commit, exactly once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.instant import DAY, utc_day
from servitwin.domain.observation import PackedRows, Quarantined, Rows
from servitwin.engines.history.columns import table_of
from servitwin.engines.history.schema import COLUMNS, OBSERVATIONS, QUARANTINE, statistics, write_file
from servitwin.engines.history.tables import open_table

_SHARD = re.compile(r"(\d+)\Z")
NOTE = "servitwin.note"
POSITIONS = "servitwin.positions"
MARKS = "marks"


def shard_of(app: str) -> int:
    """The shard number that a source's app id ends with (``SERVITWIN/1795392000000000000/1`` -> 1)."""
    match = _SHARD.search(app)
    if match is None:
        raise ValueError(f"app id {app!r} does not end with a shard number")
    return int(match[1])


class DeltaWriter:
    """Appends to ``observations`` and ``quarantine`` (``usecases.ports.HistoryWriter``).

    One writer per shard. A kill at any point leaves either the whole commit or nothing of it: data files are
    written first and count only once the commit names them, and the commit carries the stream positions as Delta
    application transactions. Quarantine is committed before the rows; if the process dies between the two, the
    repetition skips what is in quarantine already.

    De-duplication marks: each commit keeps its ``note``; :meth:`notes_since` gives them back after a restart.
    Commits older than the log's retention (7 days) are cleaned away, so ingest saves its marks whole with
    :meth:`snapshot_note` now and then (hourly is plenty) and starts from :meth:`noted`.
    """

    def __init__(self, folder: Path | str, *, shard: int, now: Callable[[], int], sync: bool = False) -> None:
        """``sync``: a commit has reached the disk, not only the operating system, when :meth:`commit` returns."""
        self._folder = Path(folder)
        self._sync = sync
        self._shard = shard
        self._now = now
        self._observations = open_table(self._folder, OBSERVATIONS)
        self._quarantine = open_table(self._folder, QUARANTINE)
        # Every source of this writer with its position goes into each commit, so that notes_since knows where to stop.
        self._known: dict[str, int] = next((c[POSITIONS] for c in self._own_commits()), {})

    def position(self, app: str) -> int:
        """Last sequence of that source that is in the table; -1 if none."""
        return _or_minus_one(self._observations.transaction_version(app))

    def commit(
        self,
        rows: Sequence[Rows | PackedRows],
        quarantined: Sequence[Quarantined],
        positions: Mapping[str, int],
        note: Mapping[str, str],
    ) -> int:
        """Append rows and positions in one commit, quarantine before it, and return the version of the table.

        Args:
            rows: what was understood; may be empty (a message without a value still moves the position).
            quarantined: what was not.
            positions: app id -> last sequence this commit covers; an app id ends with its shard number.
            note: kept with the commit for :meth:`notes_since`.

        Raises:
            ConflictError: ``history:position-behind`` if a position is not beyond the one in the table, or
                ``history:committed-elsewhere`` if another writer of the same source got in between. Nothing was
                appended; ask :meth:`position` again and go on from there.
        """
        self._check(positions)
        if quarantined:
            self._commit_quarantine(quarantined, positions)
        name = self._file_name(positions)
        actions = self._write_rows(rows, name)
        known = {**self._known, **positions}
        self._append(self._observations, actions, positions, {NOTE: dict(note), POSITIONS: known})
        self._known = known
        return int(self._observations.version())

    def notes_since(self, positions: Mapping[str, int]) -> Iterator[Mapping[str, str]]:
        """Notes of this writer's commits beyond those positions, oldest first, as far back as the log is kept."""
        found: list[Mapping[str, str]] = []
        for commit in self._own_commits():
            reached = commit[POSITIONS]
            if all(reached[app] <= positions.get(app, -1) for app in reached):
                break
            found.append(commit[NOTE])
        yield from reversed(found)

    def snapshot_note(self, positions: Mapping[str, int], content: bytes) -> None:
        """Keep the whole of the marks as they stand at ``positions``; replaces the last one atomically."""
        target = self._marks
        target.parent.mkdir(exist_ok=True)
        fresh = target.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(json.dumps(dict(positions)).encode() + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)

    def noted(self) -> tuple[dict[str, int], bytes] | None:
        """Positions and content given to the last :meth:`snapshot_note`; go on with ``notes_since(positions)``."""
        try:
            head, _, content = self._marks.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        return json.loads(head), content

    def _own_commits(self) -> Iterator[dict[str, Any]]:
        """What this shard's writer kept with its commits, newest first, as far back as the log is kept."""
        for version in range(self._observations.version(), -1, -1):
            commit = _commit_info(self._log_entry(version))
            if commit is None:
                return
            if any(shard_of(app) == self._shard for app in commit.get(POSITIONS, ())):
                yield commit

    def _log_entry(self, version: int) -> Path:
        return self._folder / OBSERVATIONS / "_delta_log" / f"{version:020d}.json"

    @property
    def _marks(self) -> Path:
        return self._folder / MARKS / f"{self._shard}.bin"

    def _check(self, positions: Mapping[str, int]) -> None:
        """Refuse positions that do not move forward; Delta itself accepts them from a fresh snapshot."""
        if self._log_entry(self._observations.version() + 1).exists():
            self._observations.update_incremental()  # somebody else has committed since: compaction, another shard
        for app, seq in positions.items():
            shard_of(app)
            held = self.position(app)
            if seq <= held:
                raise ConflictError(
                    Fault(
                        "history:position-behind",
                        f"sequence {seq} of {app} is not beyond {held}, which is in history already",
                        "Go on from the position in the table",
                        app,
                    )
                )

    def _commit_quarantine(self, quarantined: Sequence[Quarantined], positions: Mapping[str, int]) -> None:
        table = self._quarantine
        table.update_incremental()
        held = {shard_of(app): (app, table.transaction_version(app)) for app in positions}
        fresh = [q for q in quarantined if (done := held.get(q.shard, ("", None))[1]) is None or q.seq > done]
        ahead = {app: seq for app, seq in positions.items() if seq > _or_minus_one(table.transaction_version(app))}
        if not fresh:
            return
        actions = []
        for day in sorted({q.received // DAY for q in fresh}):
            batch = [q for q in fresh if q.received // DAY == day]
            columns = {
                name: [getattr(q, name) for q in batch] for name in COLUMNS[QUARANTINE].names if name != "replayed"
            }
            data = pa.table({**columns, "replayed": pa.nulls(len(batch), pa.int64())}, COLUMNS[QUARANTINE])
            low = {"received": min(columns["received"]), "seq": min(columns["seq"])}
            high = {"received": max(columns["received"]), "seq": max(columns["seq"])}
            path = f"day={utc_day(day * DAY)}/{self._file_name(positions)}"
            actions.append(self._add(QUARANTINE, path, data, day, low, high))
        self._append(table, actions, ahead, {})

    def _write_rows(self, rows: Sequence[Rows | PackedRows], name: str) -> list[AddAction]:
        table = table_of(rows)
        if not len(table):
            return []
        time = table["time"].to_numpy()
        days = time // DAY
        first, last = int(days.min()), int(days.max())
        if first == last:
            return [self._add_rows(table, first, name)]
        order = np.argsort(days, kind="stable")
        table, days = table.take(order), days[order]
        starts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
        return [self._add_rows(table.slice(a, b - a), int(days[a]), name) for a, b in pairwise(starts)]

    def _add_rows(self, table: pa.Table, day: int, name: str) -> AddAction:
        low: dict[str, Any] = {}
        high: dict[str, Any] = {}
        for column in ("twin", "signal"):
            codes = table[column].combine_chunks()
            used, words = codes.indices.to_numpy(), codes.dictionary
            low[column], high[column] = words[int(used.min())].as_py(), words[int(used.max())].as_py()
        for column in ("time", "shard", "seq"):
            values = table[column].to_numpy()
            low[column], high[column] = int(values.min()), int(values.max())
        return self._add(OBSERVATIONS, f"day={utc_day(day * DAY)}/{name}", table, day, low, high)

    def _add(
        self, kind: str, path: str, table: pa.Table, day: int, low: Mapping[str, Any], high: Mapping[str, Any]
    ) -> AddAction:
        size = write_file(self._folder / kind, path, table)
        written = self._now() // 1_000_000
        return AddAction(path, size, {"day": utc_day(day * DAY)}, written, True, statistics(len(table), low, high))

    def _file_name(self, positions: Mapping[str, int]) -> str:
        reached = "-".join(str(seq) for seq in positions.values())
        return f"{self._shard}-{reached}-{self._now():x}-{os.getpid():x}.parquet"

    def _append(
        self, table: DeltaTable, actions: Sequence[AddAction], positions: Mapping[str, int], info: Mapping[str, Any]
    ) -> None:
        root = self._folder / (QUARANTINE if table is self._quarantine else OBSERVATIONS)
        if self._sync:  # what a commit names must be there before it
            for path in {p for a in actions for p in (root / a.path, (root / a.path).parent)} | {root}:
                _to_disk(path)
        try:
            table.create_write_transaction(
                list(actions),
                "append",
                table.schema(),
                ["day"],
                commit_properties=CommitProperties(
                    custom_metadata=dict(info),
                    app_transactions=[Transaction(app, seq) for app, seq in positions.items()],
                ),
            )
        except CommitFailedError as error:
            table.update_incremental()
            raise ConflictError(
                Fault(
                    "history:committed-elsewhere",
                    f"another writer moved {', '.join(positions)} at the same time: {error}",
                    "Only one writer may own a shard; ask for the position again",
                )
            ) from error
        table.update_incremental()
        if self._sync:
            log = root / "_delta_log"
            _to_disk(log / f"{table.version():020d}.json")
            _to_disk(log)


def _to_disk(path: Path) -> None:
    """Until a file's content, or the names in a folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _or_minus_one(version: int | None) -> int:
    return -1 if version is None else version


def _commit_info(path: Path) -> dict[str, Any] | None:
    """``commitInfo`` of one commit file; None if the file has been cleaned away, {} if it has none."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    for line in text.splitlines():
        action = json.loads(line)
        if "commitInfo" in action:
            info: dict[str, Any] = action["commitInfo"]
            return info
    return {}
