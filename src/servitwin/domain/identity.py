"""Permanent identities: UUID version 7 (RFC 9562, section 5.7) from a time and random bytes that are passed in."""

from __future__ import annotations

import uuid

RANDOM_BYTES = 8


def new_uid(now: int, random: bytes) -> str:
    """UUIDv7 of an instant (ns UTC) and eight random bytes; text order is order of time, below a millisecond too.

    The twelve bits after the version hold the fraction of the millisecond (RFC 9562, section 6.2, method 3).

    Raises:
        ValueError: if there are fewer than eight random bytes or the time lies before 1970.
    """
    if len(random) < RANDOM_BYTES or now < 0:
        raise ValueError("new_uid needs a time after 1970 and eight random bytes")
    milliseconds, rest = divmod(now, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    noise = int.from_bytes(random[:8], "big") & ((1 << 62) - 1)
    return str(uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | noise))
