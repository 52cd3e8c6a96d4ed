"""The evidence log on a disk: entries in batches that are there whole or not at all, and what is derived from them.

``entries`` alone is the log: batches of ``header | entries``, each on the disk before :meth:`EvidenceLog.append`
returns. ``index`` (where each entry begins), ``level-NN`` (hashes of complete subtrees) and ``catalogue`` (a row of
fixed width for each entry) follow from it and are written again from ``checkpoint`` on when the log is opened. A batch
that a kill or a power cut left unfinished is cut off: nobody was told of it. Any other damage is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from servitwin.domain.error import ConflictError, Fault, UnavailableError
from servitwin.engines.files.log_files import pread, pwrite, replace_file
from servitwin.proof.log.merkle import HASH_BYTES, consistency, grow, inclusion, leaf_hash, root

_MAGIC = 0x5356_4C47
_HEADER = struct.Struct("<IIQI")  # magic, number of entries, bytes after the header, CRC-32 of these
_LENGTH = struct.Struct("<I")
_PLACE = 8
CHECKPOINT_EVERY = 1 << 16
Describe = Callable[[bytes], bytes]  # an entry -> its row in the catalogue


class EvidenceReader:
    """Reads a log that another process may be writing; what it shows was durable before."""

    def __init__(self, folder: Path, row: np.dtype[Any]) -> None:
        """``row``: type of a row of the catalogue."""
        self._folder = folder
        self._row = row
        self._files: dict[str, int] = {}

    def close(self) -> None:
        """Give the files back."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

    def __len__(self) -> int:
        """Number of entries."""
        try:
            return os.fstat(self._file("index")).st_size // _PLACE
        except FileNotFoundError:
            return 0

    def entry(self, index: int) -> bytes:
        """One entry.

        Raises:
            IndexError: there is none of that number.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"the log has no entry {index}")
        return next(self.entries(index, 1))

    def entries(self, first: int, count: int) -> Iterator[bytes]:
        """Entries from ``first`` on, ``count`` of them or fewer where the log ends."""
        count = max(0, min(count, len(self) - first))
        if not count:
            return
        places = np.frombuffer(pread(self._file("index"), first * _PLACE, count * _PLACE), "<u8").tolist()
        file = self._file("entries")
        for begin in range(0, count, 4096):
            chunk = places[begin : begin + 4096]
            last = chunk[-1] + _LENGTH.size
            end = last + _LENGTH.unpack(pread(file, chunk[-1], _LENGTH.size))[0]
            content = pread(file, chunk[0], end - chunk[0])
            for place in chunk:
                at = place - chunk[0]
                yield content[at + _LENGTH.size : at + _LENGTH.size + _LENGTH.unpack_from(content, at)[0]]

    def catalogue(self) -> npt.NDArray[Any]:
        """A row for each entry."""
        count = len(self)
        if not count:
            return np.zeros(0, self._row)
        return np.memmap(self._folder / "catalogue", self._row, "r", shape=(count,))

    def node(self, level: int, place: int) -> bytes:
        """Hash of the complete subtree over the entries [place 2^level, (place + 1) 2^level)."""
        return pread(self._file(f"level-{level:02}"), place * HASH_BYTES, HASH_BYTES)

    def root(self, size: int | None = None) -> bytes:
        """Root over the first ``size`` entries, or all."""
        return root(len(self) if size is None else size, self.node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proof that an entry is among the first ``size``."""
        return inclusion(index, self._within(size), self.node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Proof that the log of ``new`` entries begins with that of ``old``."""
        return consistency(old, self._within(new), self.node)

    def _within(self, size: int) -> int:
        if size > len(self):
            raise ValueError(f"the log has {len(self)} entries, not {size}")
        return size

    def _file(self, name: str) -> int:
        descriptor = self._files.get(name)
        if descriptor is None:
            descriptor = self._files[name] = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
        return descriptor


class EvidenceLog(EvidenceReader):
    """The one writer of a log."""

    def __init__(self, folder: Path, row: np.dtype[Any], describe: Describe, leaf: Describe = leaf_hash) -> None:
        """Take the log, and repair its tail if its last writer was killed.

        ``leaf``: hash of an entry, for copies in which some entries are known by their hash alone.

        Raises:
            ConflictError: ``log:in-use`` if another process writes it.
            UnavailableError: ``log:damaged`` if what was durable is not there any more.
        """
        super().__init__(folder, row)
        self._describe, self._leaf = describe, leaf
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            fault = Fault("log:in-use", f"Another process writes the log in {folder}", "A log has one writer")
            raise ConflictError(fault) from None
        self._size = self._end = self._saved = 0
        try:
            self._recover()
        except BaseException:
            self._release()
            raise

    def __len__(self) -> int:
        """Number of entries."""
        return self._size

    def append(self, entries: Sequence[bytes]) -> int:
        """Add entries in one batch and return the index of the first; they are on the disk when this returns.

        Raises:
            UnavailableError: ``log:not-written`` if the disk does not take them; the log is as it was.
        """
        first = self._size
        if not entries:
            return first
        payload = b"".join(part for e in entries for part in (_LENGTH.pack(len(e)), e))
        batch = _HEADER.pack(_MAGIC, len(entries), len(payload), zlib.crc32(payload)) + payload
        file = self._file("entries")
        try:
            pwrite(file, self._end, batch)
            os.fdatasync(file)
        except OSError as e:
            os.ftruncate(file, self._end)
            fault = Fault("log:not-written", f"The disk does not take the log's entries: {e}", "Make room on the disk")
            raise UnavailableError(fault) from e
        self._derive(entries, self._end + _HEADER.size)
        self._end += len(batch)
        if self._size - self._saved >= CHECKPOINT_EVERY:
            self.checkpoint()
        return first

    def checkpoint(self) -> None:
        """Put what is derived on the disk, so that opening the log begins from here."""
        if self._saved == self._size:
            return
        for name in sorted(self._files):
            os.fsync(self._file(name))
        replace_file(self._folder / "checkpoint", json.dumps({"size": self._size, "end": self._end}).encode())
        self._saved = self._size

    def close(self) -> None:
        """Save and give the log back."""
        self.checkpoint()
        self._release()

    def _release(self) -> None:
        super().close()
        os.close(self._lock)

    def _file(self, name: str) -> int:
        descriptor = self._files.get(name)
        if descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = self._files[name] = os.open(self._folder / name, flags, 0o600)
        return descriptor

    def _derive(self, entries: Sequence[bytes], begin: int) -> None:
        """Write what follows from entries whose first length lies at ``begin``; the index last, for it shows them."""
        places = np.empty(len(entries), "<u8")
        at = begin
        for n, entry in enumerate(entries):
            places[n] = at
            at += _LENGTH.size + len(entry)
        for level, hashes in enumerate(grow(self._size, [self._leaf(e) for e in entries], self.node)):
            pwrite(self._file(f"level-{level:02}"), (self._size >> level) * HASH_BYTES, b"".join(hashes))
        rows = b"".join(map(self._describe, entries))
        pwrite(self._file("catalogue"), self._size * self._row.itemsize, rows)
        pwrite(self._file("index"), self._size * _PLACE, places.tobytes())
        self._size += len(entries)

    # opening -------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        self._size, self._end = self._saved, _ = self._checkpoint()
        file = self._file("entries")
        length = os.fstat(file).st_size
        if length < self._end:
            raise self._damaged(f"it has {length} bytes, {self._end} were on the disk")
        while self._end < length:
            batch = self._batch(file, length)
            if batch is None:
                os.ftruncate(file, self._end)
                os.fsync(file)
                break
            entries, size = batch
            self._derive(entries, self._end + _HEADER.size)
            self._end += size
        self._cut_derived()

    def _checkpoint(self) -> tuple[int, int]:
        """Size and end of the log as they were saved; the beginning where what was derived is not all there."""
        try:
            saved = json.loads((self._folder / "checkpoint").read_bytes())
            size, end = int(saved["size"]), int(saved["end"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0
        held = {f"level-{k:02}": (size >> k) * HASH_BYTES for k in range(size.bit_length())}
        held |= {"index": size * _PLACE, "catalogue": size * self._row.itemsize}
        whole = all(os.fstat(self._file(name)).st_size >= needed for name, needed in held.items())
        return (size, end) if whole else (0, 0)

    def _batch(self, file: int, length: int) -> tuple[list[bytes], int] | None:
        """The batch at the end of what was read, and its bytes; None if it is an unfinished last one."""
        head = pread(file, self._end, min(_HEADER.size, length - self._end))
        if len(head) < _HEADER.size:
            return None
        magic, count, size, check = _HEADER.unpack(head)
        end = self._end + _HEADER.size + size
        if magic != _MAGIC:
            if any(any(pread(file, at, min(1 << 20, length - at))) for at in range(self._end, length, 1 << 20)):
                raise self._damaged(f"at byte {self._end} no batch begins")
            return None  # a file that had grown when the power went, but was not written yet
        if end > length:
            return None
        payload = pread(file, self._end + _HEADER.size, size)
        if zlib.crc32(payload) != check:
            if end < length:
                raise self._damaged(f"the batch at byte {self._end} has changed")
            return None
        entries, at = [], 0
        while at < size:
            (n,) = _LENGTH.unpack_from(payload, at)
            entries.append(payload[at + _LENGTH.size : at + _LENGTH.size + n])
            at += _LENGTH.size + n
        if at != size or len(entries) != count:
            raise self._damaged(f"the batch at byte {self._end} does not hold what it says")
        return entries, _HEADER.size + size

    def _cut_derived(self) -> None:
        for path in self._folder.glob("level-*"):
            os.ftruncate(self._file(path.name), (self._size >> int(path.name[6:])) * HASH_BYTES)
        os.ftruncate(self._file("catalogue"), self._size * self._row.itemsize)
        os.ftruncate(self._file("index"), self._size * _PLACE)

    def _damaged(self, what: str) -> UnavailableError:
        hint = "Restore the folder from a backup, or the log from a witness's copy"
        return UnavailableError(Fault("log:damaged", f"The log in {self._folder}: {what}", hint, "entries"))
