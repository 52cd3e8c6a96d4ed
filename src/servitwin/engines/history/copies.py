"""Backup and restore: the files of one version of each table, with the log that leads there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from servitwin.domain.error import ConflictError, Fault, NotFoundError, UnavailableError
from servitwin.domain.observation import Cut
from servitwin.engines.history.log import Snapshot, TableLog
from servitwin.engines.history.scan import committed_cut
from servitwin.engines.history.schema import LATEST, OBSERVATIONS, QUARANTINE, ROLLUPS
from servitwin.engines.history.survey import LatestFile

_ABOUT = "backup.json"
_MARKS = "marks"


def backup(folder: Path | str, to: Path | str, cut: Cut | None = None) -> Cut:
    """Copy the tables as they stood at ``cut`` (None: at their newest) into the new folder ``to``.

    Returns the cut of the copy: the last version of ``observations`` that holds nothing beyond ``cut``. Positions of
    the streams and notes of the commits are part of it, so that ingest goes on from there after a restore. Roll-ups
    that cover more are left out; they are made again. May run beside ingest, roll-ups and compaction.

    Raises:
        ConflictError: ``backup:exists`` if ``to`` is not empty.
        UnavailableError: ``backup:cut-too-old`` if no version that the log still has ends at or before ``cut``.
    """
    folder, to = Path(folder), Path(to)
    _refuse_if_filled(to, "backup:exists")
    to.mkdir(parents=True, exist_ok=True)
    # Quarantine is committed before rows: taken after them it has all of theirs.
    snapshot = _copy(folder, to, OBSERVATIONS, cut)
    reached = committed_cut(snapshot)
    _copy(folder, to, QUARANTINE, None)
    with suppress(UnavailableError):
        _copy(folder, to, ROLLUPS, reached)
        known = LatestFile(folder).read()[0]
        if known and all(seq <= reached.get(shard, -1) for shard, seq in known.items()):
            shutil.copy2(folder / LATEST, to / LATEST)
    if (folder / _MARKS).exists():
        shutil.copytree(folder / _MARKS, to / _MARKS)
    # Written last: a folder without it is a copy that was not finished.
    (to / _ABOUT).write_text(json.dumps({"cut": {str(s): q for s, q in reached.items()}}))
    return reached


def restore(copy: Path | str, folder: Path | str) -> Cut:
    """Put a backup in place of a missing or empty history folder and return the cut it stands at.

    Raises:
        NotFoundError: ``backup:not-finished`` if ``copy`` is no finished backup.
        ConflictError: ``history:exists`` if ``folder`` is not empty.
    """
    copy, folder = Path(copy), Path(folder)
    try:
        about = json.loads((copy / _ABOUT).read_text())
    except FileNotFoundError:
        fault = Fault("backup:not-finished", f"{copy} is no finished backup", "Take another one", str(copy))
        raise NotFoundError(fault) from None
    _refuse_if_filled(folder, "history:exists")
    fresh = folder.with_name(folder.name + ".restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(copy, fresh, ignore=shutil.ignore_patterns(_ABOUT))
    if folder.exists():
        folder.rmdir()
    fresh.rename(folder)
    return {int(shard): seq for shard, seq in about["cut"].items()}


def _refuse_if_filled(folder: Path, code: str) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(Fault(code, f"{folder} is not empty", "Name a new folder, or move it away", str(folder)))


def _copy(folder: Path, to: Path, table: str, cut: Cut | None) -> Snapshot:
    """Copy log and files of the newest version within ``cut``."""
    for snapshot in _versions(folder / table, cut):
        log = to / table / "_delta_log"
        log.mkdir(parents=True)
        for entry in sorted((folder / table / "_delta_log").iterdir()):
            if entry.name[:20].isdecimal() and int(entry.name[:20]) <= snapshot.version:
                shutil.copy2(entry, log / entry.name)
        checkpoint = folder / table / "_delta_log" / "_last_checkpoint"
        if checkpoint.exists() and json.loads(checkpoint.read_bytes())["version"] <= snapshot.version:
            shutil.copy2(checkpoint, log)
        for file in snapshot.files.values():
            target = to / table / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / table / file.path, target)
        return snapshot
    if cut is None:
        return Snapshot()
    raise UnavailableError(
        Fault("backup:cut-too-old", "the log no longer has a version that ends at that cut", "Ask for a newer cut")
    )


def _versions(table: Path, cut: Cut | None) -> Iterator[Snapshot]:
    """The newest version within ``cut``, if there is one."""
    log = TableLog(table)
    snapshot = log.snapshot()
    while snapshot.version >= 0:
        if cut is None or all(seq <= cut.get(shard, -1) for shard, seq in committed_cut(snapshot).items()):
            yield snapshot
            return
        earlier = log.at(snapshot.version - 1)
        if earlier is None:
            return
        snapshot = earlier
