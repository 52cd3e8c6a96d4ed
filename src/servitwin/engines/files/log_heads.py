"""Tree heads beside a log: the newest one, those that others co-signed, time stamps, and forks."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from servitwin.engines.files.log_files import Lines, replace_file


class LogHeads:
    """``head.json``, ``cosigned-*.json``, ``stamps/*.json`` and ``<kind>.jsonl`` in the log's folder.

    Only the log's owner writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def head(self) -> bytes | None:
        """The newest head; None while there is none."""
        try:
            return (self._folder / "head.json").read_bytes()
        except FileNotFoundError:
            return None

    def save_head(self, content: bytes) -> None:
        """Keep the newest head, durably."""
        replace_file(self._folder / "head.json", content)

    def save_cosigned(self, party: str, content: bytes) -> None:
        """Keep the newest co-signature of a party, durably: with what it covers it replaces the one before."""
        replace_file(self._folder / f"cosigned-{hashlib.sha256(party.encode()).hexdigest()[:16]}.json", content)

    def cosigned(self) -> list[bytes]:
        """The newest co-signature of each party."""
        return [path.read_bytes() for path in sorted(self._folder.glob("cosigned-*.json"))]

    def save_stamp(self, size: int, content: bytes) -> None:
        """Keep an authority's time stamp of the head of that size, durably."""
        (self._folder / "stamps").mkdir(exist_ok=True, mode=0o700)
        replace_file(self._folder / "stamps" / f"{size}.json", content)

    def stamped(self) -> list[int]:
        """Sizes of the heads that have a time stamp, ascending."""
        return sorted(int(p.stem) for p in (self._folder / "stamps").glob("*.json") if p.stem.isdecimal())

    def stamp(self, size: int) -> bytes | None:
        """The time stamp of the head of that size."""
        path = self._folder / "stamps" / f"{size}.json"
        return path.read_bytes() if path.exists() else None

    def add(self, kind: str, line: bytes) -> None:
        """Add a line to ``<kind>.jsonl``, durably."""
        Lines(self._folder / f"{kind}.jsonl").add(line)

    def lines(self, kind: str) -> list[bytes]:
        """Lines of ``<kind>.jsonl``, oldest first."""
        return Lines(self._folder / f"{kind}.jsonl").all()


def copy_log(folder: Path, to: Path) -> None:
    """Copy a log that may be written meanwhile: the head before the entries, so that the copy has all that it signs.

    What is derived from the entries is made anew when the copy is opened.
    """
    if not folder.is_dir():
        return
    to.mkdir(parents=True, mode=0o700, exist_ok=True)
    for path in [
        folder / "head.json",
        *sorted(folder.glob("cosigned-*.json")),
        folder / "forks.jsonl",
        folder / "entries",
    ]:
        if path.exists():
            shutil.copy2(path, to / path.name)
    if (folder / "stamps").is_dir():
        shutil.copytree(
            folder / "stamps", to / "stamps", ignore=shutil.ignore_patterns("*.part", "*.new"), dirs_exist_ok=True
        )
