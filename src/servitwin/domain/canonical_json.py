"""Canonical JSON (RFC 8785, JCS): the same value gives the same bytes everywhere, so that a digest can be signed.

JSON numbers are binary doubles: whole numbers beyond 2^53 (nanoseconds since 1970 are) and decimals are written as
text, as I-JSON (RFC 7493, 2.2) asks. Reading back, ``msgspec.convert(..., strict=False)`` takes them as numbers again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import rfc8785

_LARGEST = 2**53 - 1
_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> bytes:
    """Canonical JSON of a struct or of plain data.

    Raises:
        ValueError: for NaN and infinities, which JSON does not have.
    """
    found = plain(value)
    try:
        quick = _encode(_easy(found))
    except (_HardError, UnicodeError):
        return rfc8785.dumps(found)
    # Names in ASCII are in the same order by bytes and by UTF-16 units, which is what RFC 8785 (3.2.3) sorts by.
    return quick if quick.isascii() else rfc8785.dumps(found)


class _HardError(Exception):
    """A number that the quick encoder writes otherwise than RFC 8785 does."""


def _easy(value: Any) -> Any:
    """Plain data in which every number is written alike by both encoders."""
    kind = type(value)
    if kind is dict:
        return {k: v if type(v) is str else _easy(v) for k, v in value.items()}
    if kind is list:
        return [_easy(v) for v in value]
    if kind is float:
        if value.is_integer() and abs(value) <= _LARGEST:
            return int(value)
        if not 1e-4 <= abs(value) < 1e15:
            raise _HardError
    return value


def digest(value: Any) -> str:
    """``sha256:`` and the hex digest of the canonical JSON."""
    return digest_of_bytes(canonical(value))


def digest_of_bytes(content: bytes) -> str:
    """``sha256:`` and the hex digest of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def plain(value: Any) -> Any:
    """Plain data that every JSON reader understands without loss."""
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.to_builtins(value, builtin_types=(Decimal,)))
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value


def decimal_text(value: Decimal) -> str:
    """A decimal without exponent and without zeros that mean nothing: ``48000``, ``97.9``, ``0``."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
