"""Reading parts of a file that a stranger wrote: each value is what it should be, or the file is refused by name."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from typing import Any, NoReturn

from .refusal import RefusedError

NS = 1_000_000_000
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,19}", re.ASCII)


def wrong(where: str, what: str) -> NoReturn:
    """Refuse: the value at ``where`` is not ``what``."""
    raise RefusedError("proof:wrong-shape", f"this is not {what}", where)


def table(value: Any, where: str, *names: str) -> dict[str, Any]:
    """An object that has all of ``names``."""
    if not isinstance(value, dict):
        wrong(where, "an object")
    for name in names:
        if name not in value:
            wrong(where, f"whole: {name} is missing")
    return value


def items(value: Any, where: str, most: int = 1_000_000) -> list[Any]:
    """A list of at most ``most`` items."""
    if not isinstance(value, list) or len(value) > most:
        wrong(where, f"a list of at most {most} items")
    return value


def text(value: Any, where: str, longest: int = 100_000) -> str:
    """A text."""
    if not isinstance(value, str) or len(value) > longest:
        wrong(where, f"a text of at most {longest} characters")
    return value


def whole(value: Any, where: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number, also written as text (beyond 2^53 JSON numbers are not exact)."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    elif isinstance(value, int) and abs(value) >= 2**53:
        wrong(where, "a whole number that is exact: beyond 2^53 it is written as text")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        wrong(where, f"a whole number from {least} to {most}")
    return value


def real(value: Any, where: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        wrong(where, "a finite number")
    return float(value)


def margin(value: Any, where: str) -> float:
    """A number, or the text ``inf`` or ``-inf`` (JSON has no infinity)."""
    return float(value) if value in ("inf", "-inf") else real(value, where)


def hashes(value: Any, where: str, most: int = 1_000_000) -> list[bytes]:
    """A list of SHA-256 hashes in hex."""
    return [one_hash(v, f"{where}[{i}]") for i, v in enumerate(items(value, where, most))]


def one_hash(value: Any, where: str) -> bytes:
    """A SHA-256 hash in lower-case hex."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        wrong(where, "a SHA-256 hash in lower-case hex")
    return bytes.fromhex(value)


def binary(value: Any, where: str, longest: int = 64 * 1024 * 1024) -> bytes:
    """Bytes in base64, written the one right way (no unused bits, no line ends)."""
    raw = text(value, where, longest)
    try:
        found = base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        wrong(where, "base64")
    if base64.b64encode(found).decode() != raw:
        wrong(where, "base64 written the one right way")
    return found


def instant(value: Any, where: str) -> int:
    """Nanoseconds UTC of an RFC 3339 time with ``Z`` and up to nine decimals."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        wrong(where, "a time like 2026-09-21T08:15:00.250000000Z")
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        wrong(where, "a time that exists")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * NS + int((found[2] or "").ljust(9, "0"))


def time_text(ns: int) -> str:
    """RFC 3339 with nine decimals."""
    seconds, rest = divmod(ns, NS)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (OverflowError, ValueError, OSError):
        return f"{ns} ns"
    return f"{moment.isoformat()}.{rest:09d}Z"
