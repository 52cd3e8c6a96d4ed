"""MQTT topic filters (MQTT 3.1.1, 4.7) compared with each other."""

from __future__ import annotations


def filters_overlap(one: str, other: str) -> bool:
    """Whether some topic matches both filters."""
    a, b = one.split("/"), other.split("/")
    for x, y in zip(a, b, strict=False):
        if "#" in (x, y):
            return True
        if "+" not in (x, y) and x != y:
            return False
    short, long = sorted((a, b), key=len)
    return len(a) == len(b) or (len(long) == len(short) + 1 and long[-1] == "#")
