"""Time: integer nanoseconds UTC inside, RFC 3339 with up to nine decimals outside; ranges are [from, to)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from servitwin.domain.error import Fault, InvalidInputError

NS = 1_000_000_000
MINUTE = 60 * NS
HOUR = 3600 * NS
DAY = 24 * HOUR
# The range that a signed 64-bit count of nanoseconds can hold, less a margin for arithmetic.
EARLIEST = -(2**63) + DAY * 366
LATEST = 2**63 - DAY * 366

_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|m|h|d|w)", re.ASCII)
_LONGEST_DURATION_TEXT = 100
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NS,
    "m": MINUTE,
    "min": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": 7 * DAY,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_AS_UTC = _EPOCH.replace(tzinfo=None)


def parse_instant(text: str) -> int:
    """Nanoseconds UTC of an RFC 3339 time (section 5.6); decimals beyond nine are cut off.

    Raises:
        InvalidInputError: ``time:not-rfc3339`` if it is no such time, has no offset, or does not exist.
    """
    m = _RFC3339.match(text)
    if m is None:
        raise InvalidInputError(
            Fault(
                "time:not-rfc3339",
                f"{text[:40]!r} is no RFC 3339 time",
                "Write it like 2026-09-21T08:15:00.250Z, with Z or an offset",
            )
        )
    year, month, day, hour, minute, second = (int(g) for g in m.groups()[:6])
    leap = second == 60  # RFC 3339 allows it; UTC nanoseconds have no place for it
    try:
        base = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    except ValueError as e:
        raise InvalidInputError(
            Fault("time:not-rfc3339", f"{text[:40]!r} does not exist: {e}", "Check day, month and hour")
        ) from None
    delta = base - _EPOCH
    ns = (delta.days * 86400 + delta.seconds + (1 if leap else 0)) * NS
    ns += int((m.group(7) or "0").ljust(9, "0")[:9])
    offset = m.group(8)
    if offset not in "Zz":
        sign = 1 if offset[0] == "+" else -1
        ns -= sign * (int(offset[1:3]) * HOUR + int(offset[4:6]) * MINUTE)
    if not EARLIEST <= ns <= LATEST:
        raise InvalidInputError(
            Fault("time:out-of-range", f"{text[:40]!r} is outside the years that can be kept", "Check the clock")
        )
    return ns


def format_instant(ns: int) -> str:
    """RFC 3339 text in UTC with as many decimals (0, 3, 6 or 9) as the value needs."""
    seconds, rest = divmod(ns, NS)
    text = (_EPOCH_AS_UTC + timedelta(seconds=seconds)).isoformat()  # less than half the time that strftime takes
    if not rest:
        return text + "Z"
    for digits, step in ((3, 1_000_000), (6, 1_000), (9, 1)):
        if rest % step == 0:
            return f"{text}.{rest // step:0{digits}d}Z"
    raise AssertionError("unreachable: every integer is a multiple of one")


def format_instants(times: npt.NDArray[np.int64]) -> list[str]:
    """:func:`format_instant` of many instants, thirty times as fast."""
    found = np.datetime_as_string(times.astype("datetime64[ns]"), unit="ns").tolist()
    return [_shortened(text) for text in found]


def _shortened(text: str) -> str:
    if text.endswith("000000000"):
        return text[:-10] + "Z"
    if text.endswith("000000"):
        return text[:-6] + "Z"
    return (text[:-3] if text.endswith("000") else text) + "Z"


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as ``300ms``, ``5s``, ``1h30m`` or ``2d``.

    Raises:
        InvalidInputError: ``duration:not-understood`` or ``duration:too-long``.
    """
    rest = text.strip()
    parts = _DURATION.findall(rest) if len(rest) <= _LONGEST_DURATION_TEXT else []
    if not parts or _DURATION.sub("", rest).strip():
        raise InvalidInputError(
            Fault(
                "duration:not-understood",
                f"{text[:40]!r} is no duration",
                "Write it like 500ms, 5s, 10m, 1h30m or 2d",
            )
        )
    total = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        total += int(whole) * _UNIT_NS[unit]
        if fraction:
            total += int(fraction) * _UNIT_NS[unit] // 10 ** len(fraction)
    if total > LATEST:
        raise InvalidInputError(
            Fault("duration:too-long", f"{text[:40]!r} is longer than all the time that can be kept", "Use less")
        )
    return total


def utc_day(ns: int) -> str:
    """The UTC calendar day of an instant as ``YYYY-MM-DD``: the partition key of history."""
    return (_EPOCH + timedelta(days=ns // DAY)).strftime("%Y-%m-%d")
