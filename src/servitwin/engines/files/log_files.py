"""Small steps on files that must not be half done: whole reads and writes, replaced files, lines that are added."""

from __future__ import annotations

import os
from pathlib import Path


def pread(descriptor: int, at: int, count: int) -> bytes:
    """``count`` bytes from ``at``.

    Raises:
        OSError: the file ends before.
    """
    content = os.pread(descriptor, count, at)
    while len(content) < count:  # a signal may interrupt a long read
        more = os.pread(descriptor, count - len(content), at + len(content))
        if not more:
            raise OSError(f"the file ends {count - len(content)} bytes too early")
        content += more
    return content


def pwrite(descriptor: int, at: int, content: bytes) -> None:
    """Write all of it at a place."""
    view = memoryview(content)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in place of a file, durably; a kill leaves the old or the new one. Only its owner may read it."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        pwrite(descriptor, 0, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Lines:
    """A file of lines (bytes without a line break) that is only added to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, line: bytes) -> None:
        """Add a line, durably; one that a kill left unfinished is written over."""
        if b"\n" in line:
            raise ValueError("a line has no line break")
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            whole = pread(descriptor, 0, os.fstat(descriptor).st_size).rpartition(b"\n")
            end = len(whole[0]) + len(whole[1])
            os.ftruncate(descriptor, end)
            pwrite(descriptor, end, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def all(self) -> list[bytes]:
        """Every whole line, oldest first."""
        try:
            return self._path.read_bytes().rpartition(b"\n")[0].splitlines()
        except FileNotFoundError:
            return []
