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


def canonical(value: Any) -> bytes:
    """Canonical JSON of a struct or of plain data.

    Raises:
        ValueError: for NaN and infinities, which JSON does not have.
    """
    return rfc8785.dumps(plain(value))


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
