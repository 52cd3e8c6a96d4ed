"""What upkeep has still to do: files to roll up, and small ones to put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from servitwin.domain.instant import NS
from servitwin.domain.observation import Backlog, Cut
from servitwin.engines.history.log import DataFile, TableLog
from servitwin.engines.history.scan import is_beyond
from servitwin.engines.history.schema import OBSERVATIONS

FILE_ROWS = 1_500_000
FEWEST_FILES = 8


def small_files(folder: Path) -> int:
    """How many files of observations are so small that they will be put together; ``folder``: of ``history``."""
    return sum(f.rows < FILE_ROWS // 2 for f in TableLog(folder / OBSERVATIONS).snapshot().files.values())


def groups_to_compact(
    files: Sequence[DataFile], covered: Cut | None, fewest: int = FEWEST_FILES
) -> Iterator[list[DataFile]]:
    """Small files of one day that are worth putting together; with ``covered`` only those that it covers whole."""
    if covered is not None:
        files = [f for f in files if not is_beyond(f, covered)]
    newest = max((f.day for f in files), default="")
    for day in sorted({f.day for f in files}):
        small = [f for f in files if f.day == day and f.rows < FILE_ROWS // 2]
        for group in _tiers(small) if day == newest else [small]:
            if len(group) >= fewest:
                yield group


def _tiers(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Files of about the same size: a day that still grows rewrites each row once for each tier, not each time."""
    tiers: dict[int, list[DataFile]] = {}
    for file in files:
        tiers.setdefault(file.rows.bit_length() // 3, []).append(file)
    return list(tiers.values())


def backlog_of(root: Path, files: Sequence[DataFile], now: int) -> Backlog:
    """Files and rows that wait, and for how long the first of them has; ``root`` is the table's folder."""
    written: list[int] = []
    for file in files:
        with suppress(FileNotFoundError):  # put together and deleted since the list was read
            written.append((root / file.path).stat().st_mtime_ns)
    waited = max(0, now - min(written)) / NS if written else 0.0
    return Backlog(len(files), sum(f.rows for f in files), waited)
