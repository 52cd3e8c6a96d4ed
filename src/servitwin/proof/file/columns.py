"""Columns of an excerpt, packed: differences of whole numbers, compressed. Unpacked they are exact.

The form is described beside its reader, ``servitwin.proof.verifier.columns``, which shares no code with this.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

from servitwin.domain.observation import Floats, Int64s

_FORMS = (("b", np.int8), ("h", np.int16), ("i", np.int32), ("q", np.int64))
_SAFE = 2**60  # below it differences of differences stay inside 64 bits
_EXACT = 2**53
_MOST_DECIMALS = 9


class ColumnPool:
    """All columns of an excerpt, each distinct one once: signals that came together share their times."""

    def __init__(self) -> None:
        self.columns: list[dict[str, Any]] = []
        self._places: dict[tuple[str, bytes], int] = {}

    def whole(self, values: Int64s) -> int:
        """Place of a column of whole numbers."""
        return self._add("q", np.ascontiguousarray(values, "<i8"))

    def real(self, values: Floats) -> int:
        """Place of a column of numbers."""
        return self._add("d", np.ascontiguousarray(values, "<f8"))

    def _add(self, kind: str, values: Any) -> int:
        key = (kind, values.tobytes())
        if key not in self._places:
            self._places[key] = len(self.columns)
            self.columns.append(pack_whole(values) if kind == "q" else pack_real(values))
        return self._places[key]


def pack_whole(values: Int64s) -> dict[str, Any]:
    """Whole numbers by the order of differences that packs best."""
    found: list[dict[str, Any]] = []
    small = len(values) > 0 and int(values.max()) - int(values.min()) < _SAFE
    start: list[int] = []
    rest = values
    for order in range(min(3, len(values) + 1) if small else 1):
        if order:
            start.append(int(rest[0]))
            rest = np.diff(rest)
        form, kind = next((f, k) for f, k in _FORMS if _fits(rest, k))
        data = zlib.compress(rest.astype(np.dtype(kind).newbyteorder("<")).tobytes(), 9)
        found.append({"n": len(values), "form": form, "order": order, "start": [*start], "data": _base64(data)})
    return min(found, key=lambda c: len(c["data"]))


def pack_real(values: Floats) -> dict[str, Any]:
    """Numbers as whole numbers of a decimal scale if they are such exactly, else as doubles."""
    for scale in range(_MOST_DECIMALS + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(values * 10.0**scale)
        if not np.all(np.abs(scaled) < _EXACT):
            break
        minus = np.flatnonzero((values == 0) & np.signbit(values))  # a whole number has no negative zero
        again = scaled.astype(np.int64) / 10.0**scale
        again[minus] = -0.0
        if again.tobytes() == values.tobytes():
            return {**pack_whole(scaled.astype(np.int64)), "scale": scale, "minus_zero": minus.tolist()}
    data = zlib.compress(values.astype("<f8").tobytes(), 9)
    return {"n": len(values), "form": "d", "order": 0, "start": [], "data": _base64(data)}


def _fits(values: Int64s, kind: type[np.signedinteger[Any]]) -> bool:
    if not len(values):
        return True
    limits = np.iinfo(kind)
    return bool(limits.min <= values.min() and values.max() <= limits.max)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
