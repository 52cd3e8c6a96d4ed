"""Numbers of plain data that no instant and no amount can be, found before anything computes with them."""

from __future__ import annotations

from typing import Any

from servitwin.domain.error import Fault
from servitwin.domain.instant import LATEST


def number_faults(data: Any, most: int = 20) -> list[Fault]:
    """Numbers of plain data that no instant and no amount can be, with their places; at most so many.

    Beyond what 64 bits of nanoseconds hold, databases and libraries that plan or learn fail without a word of use.
    """
    faults: list[Fault] = []
    left: list[tuple[str, Any]] = [("", data)]
    while left and len(faults) < most:
        where, found = left.pop()
        if isinstance(found, dict):
            left += [(f"{where}.{key}"[:200] if where else str(key)[:200], value) for key, value in found.items()]
        elif isinstance(found, list):
            left += [(f"{where}[{n}]"[:200], value) for n, value in enumerate(found)]
        elif isinstance(found, (int, float)) and not -LATEST <= found <= LATEST:
            message = f"{found:.3g} is beyond every time and amount that can be kept"
            faults.append(Fault("number:too-large", message, "Check its unit; times are ns UTC", where))
    return faults
