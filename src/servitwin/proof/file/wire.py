"""How evidence is written: canonical JSON (RFC 8785), times with nine decimals, digests."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import rfc8785

from servitwin.domain.instant import NS, format_instant

_LARGEST = 2**53 - 1  # beyond it JSON readers lose digits


def plain(value: Any) -> Any:
    """Structs, tuples and whole numbers of any size as JSON that every reader understands without loss.

    Raises:
        ValueError: for NaN, which has no meaning in evidence. Infinity is the text ``inf`` or ``-inf``.
    """
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.to_builtins(value))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("NaN cannot be evidence")
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return int(value) if value.is_integer() and abs(value) <= _LARGEST else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value."""
    return rfc8785.dumps(plain(value))


def digest(value: Any) -> str:
    """``sha256:`` and the hex digest of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def wire_time(ns: int) -> str:
    """RFC 3339 in UTC with nine decimals."""
    return format_instant(ns - ns % NS)[:-1] + f".{ns % NS:09d}Z"


def hexes(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in lower-case hex."""
    return [h.hex() for h in hashes]
