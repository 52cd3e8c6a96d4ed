"""Reading of recorded tables: gzip or plain, line by line, with the line number of each row."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant

_UNREADABLE = (OSError, EOFError, zlib.error)


def open_text(path: Path) -> IO[str]:
    """The file as text; what is no UTF-8 becomes a replacement character and is seen as a faulty value later."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="")
    return path.open("rt", encoding="utf-8", errors="replace", newline="")


def content_id(paths: Sequence[Path]) -> str:
    """Names the content of files, not their names or how they were packed: 40 hexadecimal digits of SHA-256.

    Raises:
        InvalidInputError: ``recording:unreadable`` where a file is cut off, is no gzip or cannot be opened.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        except _UNREADABLE as e:
            raise _unreadable(path, e) from None
    return digest.hexdigest()[:40]


def whole_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line, without its end.

    Raises:
        InvalidInputError: ``recording:unreadable`` where the file is cut off, is no gzip or cannot be opened.
    """
    number = 0
    try:
        with open_text(path) as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.rstrip("\r\n")
    except _UNREADABLE as e:
        raise _unreadable(path, e, number + 1) from None


def _unreadable(path: Path, e: BaseException, line: int | None = None) -> InvalidInputError:
    said = f"{path.name}: {e}"
    return InvalidInputError(Fault("recording:unreadable", said, "Fetch the file again", file=path.name, line=line))


def rows(path: Path, header: Sequence[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and fields of each row below the header; a row of another length comes as its raw text.

    Raises:
        InvalidInputError: ``recording:other-columns`` if the first line is not the expected header,
            ``recording:empty-file`` if there is none.
    """
    lines = whole_lines(path)
    first = next(lines, None)
    if first is None:
        fault = Fault(
            "recording:empty-file", f"{path.name} is empty", "Fetch it again, or take it away", file=path.name
        )
        raise InvalidInputError(fault)
    found = first[1].strip().split(",")
    if found != list(header):
        raise InvalidInputError(
            Fault(
                "recording:other-columns",
                f"the first line of {path.name} is {','.join(found)[:200]!r}",
                f"It has to be {','.join(header)}",
                file=path.name,
                line=1,
            )
        )
    for number, text in lines:
        if text:
            fields = next(csv.reader([text])) if '"' in text else text.split(",")
            yield number, fields if len(fields) == len(header) else text


def instant_or_text(text: str) -> int | str:
    """Nanoseconds of an RFC 3339 time; anything else stays as found, so that ingest keeps it with the reason."""
    try:
        return parse_instant(text)
    except InvalidInputError:
        return text


class Instants:
    """:func:`instant_or_text` for the lines of a file in their order: many have the time of the line before."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._time = 0

    def read(self, text: str) -> int | str:
        """Nanoseconds of an RFC 3339 time; anything else stays as found."""
        if text != self._text:
            time = instant_or_text(text)
            if not isinstance(time, int):
                return time
            self._text, self._time = text, time
        return self._time

    @property
    def latest(self) -> int:
        """The last time that could be read, 0 before the first."""
        return self._time


def sort_key(time: int | str) -> int:
    """Order of lines while machines are merged: a time that cannot be read comes first."""
    return time if isinstance(time, int) else -(2**63)
