"""Texts of files that people name."""

from __future__ import annotations

from pathlib import Path

from servitwin.domain.error import Fault, InvalidInputError

_MOST_BYTES = 8_000_000
_MEDIA = {".json": "application/json", ".csv": "text/csv"}


def text_of(path: Path, most: int = _MOST_BYTES) -> str:
    """A file's text.

    Raises:
        InvalidInputError: ``file:not-utf-8``, and what :func:`bytes_of` finds.
    """
    try:
        return bytes_of(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise InvalidInputError(Fault("file:not-utf-8", "This is no UTF-8", "Save it as UTF-8", file=str(path))) from e


def bytes_of(path: Path, most: int = _MOST_BYTES) -> bytes:
    """A file's content.

    Raises:
        InvalidInputError: ``file:too-large`` (more than ``most`` bytes), ``file:unreadable``.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as e:
        raise InvalidInputError(Fault("file:unreadable", e.strerror or str(e), "Check the name", file=str(path))) from e
    if len(content) > most:
        raise InvalidInputError(Fault("file:too-large", "The file is too large", "Divide it", file=str(path)))
    return content


def media_of(path: Path, what: str) -> str:
    """The media type of a file that is JSON or CSV, by the end of its name; ``what``: begins the sentence of a fault.

    Raises:
        InvalidInputError: ``file:kind``.
    """
    if path.suffix.lower() not in _MEDIA:
        raise InvalidInputError(Fault("file:kind", f"{what} .json or .csv", "Rename it", file=str(path)))
    return _MEDIA[path.suffix.lower()]
