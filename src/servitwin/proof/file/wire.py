"""How proof files are written: canonical JSON (RFC 8785) in which a margin may be infinite, and digests of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain import canonical_json


def plain(value: Any) -> Any:
    """Structs and tuples as JSON that every reader understands; infinity is the text ``inf`` or ``-inf``.

    Raises:
        ValueError: for NaN, which has no meaning in evidence.
    """
    return canonical_json.plain(_margins_as_words(value))


def _margins_as_words(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _margins_as_words(msgspec.to_builtins(value))
    if isinstance(value, Mapping):
        return {str(k): _margins_as_words(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_margins_as_words(v) for v in value]
    if isinstance(value, float) and math.isnan(value):
        raise ValueError("NaN cannot be evidence")
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value.

    Raises:
        ValueError: for NaN, which has no meaning in evidence.
    """
    return canonical_json.canonical(_margins_as_words(value))


def digest(value: Any) -> str:
    """``sha256:`` and the hex digest of the canonical JSON."""
    return canonical_json.digest_of_bytes(canonical(value))


def hexes(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in lower-case hex."""
    return [h.hex() for h in hashes]
