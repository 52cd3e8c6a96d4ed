"""How the rows of an excerpt travel: columns of differences, compressed; unpacked they are the exact rows.

A column of n values is ``{"n", "form", "order", "start", "data"}``: ``data`` is base64 of zlib-compressed little-endian
whole numbers of the size ``form`` (``b`` 1, ``h`` 2, ``i`` 4, ``q`` 8 bytes); they are the differences of the given
order (0, 1 or 2), ``start`` the first values that the differences begin from. Numbers have ``scale``: the value is the
whole number divided by ten to that power, rounded to the nearest double (and -0 at the places ``minus_zero``); or
``form`` is ``d``: doubles as they are.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from itertools import accumulate
from typing import Any

from . import shape
from .refusal import RefusedError

MOST_VALUES = 20_000_000  # of all columns of a file
_SIZES = {"b": 1, "h": 2, "i": 4, "q": 8, "d": 8}


def read_columns(value: Any) -> list[list[Any]]:
    """All columns of an excerpt, unpacked.

    Raises:
        RefusedError: ``proof:too-large`` if they unpack to more than is reasonable, ``proof:wrong-shape``.
    """
    found = []
    left = MOST_VALUES
    for i, column in enumerate(shape.items(value, "excerpt.columns", 100_000)):
        where = f"excerpt.columns[{i}]"
        shape.table(column, where, "n", "form", "order", "start", "data")
        left -= shape.whole(column["n"], where)
        if left < 0:
            raise RefusedError("proof:too-large", f"the columns unpack to more than {MOST_VALUES} values", where)
        found.append(_column(column, where))
    return found


def _column(column: dict[str, Any], where: str) -> list[Any]:
    n, form = shape.whole(column["n"], where), shape.text(column["form"], where)
    order = shape.whole(column["order"], where, 0, 2)
    start = [shape.whole(v, where, -(2**63)) for v in shape.items(column["start"], where, 2)]
    if form not in _SIZES or len(start) != order or order > n or (form == "d" and order):
        shape.wrong(where, "a column of a known form")
    raw = _inflated(shape.binary(column["data"], where), (n - order) * _SIZES[form], where)
    values = array(form)
    values.frombytes(raw)
    if sys.byteorder == "big":
        values.byteswap()
    if form == "d":
        return values.tolist()
    found = values.tolist()
    for first in reversed(start):
        found = list(accumulate(found, initial=first))
    scale = column.get("scale")
    if scale is None:
        return found
    divisor = 10 ** shape.whole(scale, where, 0, 22)
    numbers = [v / divisor for v in found]
    for place in shape.items(column.get("minus_zero", []), where, n):
        if numbers[shape.whole(place, where, 0, n - 1)] != 0:
            shape.wrong(where, "a column with zeros where it says so")
        numbers[int(place)] = -0.0
    return numbers


def _inflated(packed: bytes, size: int, where: str) -> bytes:
    unpack = zlib.decompressobj()
    try:
        raw = unpack.decompress(packed, size + 1)
    except zlib.error as e:
        raise RefusedError("proof:wrong-shape", f"the column cannot be unpacked: {e}", where) from None
    if len(raw) != size or not unpack.eof or unpack.unused_data:
        raise RefusedError("proof:wrong-shape", f"the column does not unpack to {size} bytes", where)
    return raw
