"""The block of a signal as it is hashed, read back into columns."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from servitwin.proof.file.excerpt_part import Block

_NUMBER, _TEXT, _FLAG = 1, 2, 3


def block_of(content: bytes) -> Block:
    """Columns of a block (``docs/concepts/evidence.md``, "Observations are bound").

    Raises:
        ValueError: the bytes are no block.
    """
    n = struct.unpack_from("<I", content)[0]
    place = 4

    def column(kind: str, count: int) -> Any:
        nonlocal place
        found = np.frombuffer(content, np.dtype(kind), count, place)
        place += found.nbytes
        return found

    time, sequence, index = column("<i8", n), column("<i8", n), column("<i4", n)
    mark = column("u1", n)
    value = (mark >> 4) & 3
    numbers = column("<f8", int((value == _NUMBER).sum()))
    flags = column("u1", int((value == _FLAG).sum()))
    texts = []
    for _ in range(int((value == _TEXT).sum())):
        length = struct.unpack_from("<I", content, place)[0]
        texts.append(content[place + 4 : place + 4 + length].decode())
        place += 4 + length
    if place != len(content):
        raise ValueError("bytes are left after the block")
    return Block(time, sequence, index, mark, numbers, flags, tuple(texts))
