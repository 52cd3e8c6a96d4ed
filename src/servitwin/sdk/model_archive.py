"""Model archives: FMUs (FMI 2 and 3) and SSP packages, ZIP files of strangers, opened so that none of them harms.

Everything that can be wrong with such a file becomes one kind of error: a code, which file and entry, and what to do.
Nothing is believed: neither what an entry says of its size, nor where it wants to be written.
"""

from __future__ import annotations

import errno
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from servitwin.domain.error import Fault, InvalidInputError

MOST_ENTRIES, MOST_BYTES = 5000, 400_000_000
_PIECE = 1 << 20
_LINK = 0o120000
_ENCRYPTED = 1
# All that zipfile and the decompressors raise for content that is not as the standard says (PKWARE APPNOTE 6.3):
# RuntimeError for a method that they do not know, OSError for a broken bzip2 stream. The content is in memory, so that
# none of them can come from the node's disk.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, IndexError, OverflowError,
    RuntimeError, OSError,
)  # fmt: skip
_NO_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


class ModelArchive:
    """An archive whose list of entries is sound: no path leads out of it, no name comes twice, it is not too large.

    Attributes:
        names: of its files, as they stand in it; size: bytes that they say they unpack to.
    """

    def __init__(self, content: bytes, where: str, name: str) -> None:
        self._where, self._name = where, name
        if not content.startswith(b"PK"):
            raise self._refused("not-a-zip", "This is no ZIP archive, as FMUs and SSP packages are")
        with self._told("damaged", "The list of its entries cannot be read"):
            if not zipfile.is_zipfile(io.BytesIO(content)):
                hint = "Bring it in once more, and compare its size with the one of the file that was sent"
                raise self._refused("cut-short", "It begins as a ZIP archive and has no end: it was cut short", hint)
            self._archive = zipfile.ZipFile(io.BytesIO(content))
            entries = self._archive.infolist()
        self.size = sum(e.file_size for e in entries)
        if len(entries) > MOST_ENTRIES:
            raise self._refused("too-large", f"It holds {len(entries)} entries; {MOST_ENTRIES} are read at most")
        if self.size > MOST_BYTES:
            raise self._refused("too-large", f"It unpacks to {self.size} bytes; {MOST_BYTES} are taken at most")
        self._files = {e.filename: e for e in entries if not e.is_dir()}
        self._folders = [e for e in entries if e.is_dir()]
        self._sound(entries)
        self.names = tuple(self._files)

    def _sound(self, entries: list[zipfile.ZipInfo]) -> None:
        places = set()
        for entry in entries:
            path = _path(entry)
            if path is None:
                raise self._refused("entry", f"Its entry {entry.filename[:100]!r} leads out of the archive")
            if (entry.external_attr >> 16) & 0o170000 == _LINK:
                raise self._refused("entry", f"Its entry {entry.filename[:100]!r} is a link")
            if entry.flag_bits & _ENCRYPTED:
                raise self._refused("entry", f"Its entry {entry.filename[:100]!r} is encrypted", "Bring it in open")
            if path in places and not entry.is_dir():
                raise self._refused("entry", f"Its entry {entry.filename[:100]!r} is there more than once")
            places.add(path)

    def read(self, name: str, most: int = MOST_BYTES) -> bytes:
        """The first ``most`` bytes of a file that it has.

        Raises:
            InvalidInputError: ``fmu:damaged``.
        """
        read = bytearray()
        for piece in self._pieces(self._files[name]):
            read += piece
            if len(read) >= most:
                break
        return bytes(read[:most])

    def unpack(self, target: Path) -> None:
        """Unpack everything into a new folder; nothing is written outside of it.

        Raises:
            InvalidInputError: ``fmu:damaged``, ``fmu:entry`` (a name that no folder can have), ``fmu:too-large``.
        """
        target.mkdir()
        left = self.size
        for entry in (*self._folders, *self._files.values()):
            place = target.joinpath(*(_path(entry) or PurePosixPath()).parts)
            file = self._opened(entry, place)
            if file is None:
                continue
            with file:
                for piece in self._pieces(entry):
                    left -= len(piece)
                    if left < 0:
                        raise self._refused("too-large", "It unpacks to more bytes than it says")
                    file.write(piece)

    def _opened(self, entry: zipfile.ZipInfo, place: Path) -> BinaryIO | None:
        """A new file there, or a folder; a full disk is the node's fault, not the archive's, and is not caught."""
        try:
            (place if entry.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
            return None if entry.is_dir() else place.open("xb")
        except (OSError, ValueError) as e:
            if isinstance(e, OSError) and e.errno not in _NO_NAME:
                raise
            said = e.strerror if isinstance(e, OSError) else str(e)
            raise self._refused("entry", f"Its entry {entry.filename[:100]!r} cannot be written: {said}") from None

    def _pieces(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        what = f"Its entry {entry.filename[:100]!r} cannot be unpacked"
        with self._told("damaged", what), self._archive.open(entry) as source:
            while piece := source.read(_PIECE):
                yield piece

    @contextmanager
    def _told(self, code: str, what: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as e:
            said = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
            raise self._refused(code, f"{what}: {said[:150] or type(e).__name__}") from None

    def _refused(self, code: str, message: str, hint: str = "Bring in the file as it was made") -> InvalidInputError:
        said = f"{self._name}: {message}" if self._name else message
        return InvalidInputError(Fault(f"fmu:{code}", said, hint, self._where))


def open_model(content: bytes, where: str, name: str = "") -> ModelArchive:
    """Open an FMU or an SSP package.

    Args:
        content: the file.
        where: place of the file in what was asked, for the error.
        name: what the file is called there, for the error.

    Raises:
        InvalidInputError: ``fmu:not-a-zip``, ``fmu:cut-short``, ``fmu:damaged``, ``fmu:too-large``, ``fmu:entry``.
    """
    return ModelArchive(content, where, name)


def _path(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where it lies inside of the archive; None: it would lie outside, or nowhere."""
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or path.parts[0].endswith(":"):
        return None
    return path
