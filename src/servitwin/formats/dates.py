"""Days and instants as people write them in files."""

from __future__ import annotations

import re
from datetime import date

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def check_day(text: str) -> Fault | None:
    """The fault of a calendar day ``YYYY-MM-DD``, or None."""
    try:
        if _DAY.match(text):
            date.fromisoformat(text)
            return None
    except ValueError:
        pass
    return Fault("date:not-understood", f"{text[:40]!r} is no day", "Write it like 2026-12-24")


def check_instant(text: str) -> Fault | None:
    """The fault of a day (its start in UTC) or of an RFC 3339 time, or None."""
    if _DAY.match(text):
        return check_day(text)
    try:
        parse_instant(text)
    except InvalidInputError as e:
        return Fault(e.fault.code, e.fault.message, "Write a day (2026-12-24) or a time with Z or an offset")
    return None


def read_instant(text: str) -> int:
    """Nanoseconds UTC of a checked day (its start in UTC) or RFC 3339 time."""
    return parse_instant(text + "T00:00:00Z" if _DAY.match(text) else text)
