"""Shapes: payloads that look like the one before are decoded and checked in whole columns.

A machine sends the same members in every message. The first payload goes the general way (``general.py``); if it
was without fault, a decoder is made for exactly its members and types. Whatever does not fit it to the letter,
and every message with a value or time that a check on whole columns does not pass, goes the general way again:
so faults are found in one place only, and both ways give the same rows (proven by property tests).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.signal import SignalDefinition
from servitwin.sdk.connector import Batch
from servitwin.sdk.payload import UNAVAILABLE
from servitwin.usecases.ingest.values import MAX_TEXT

_TYPES: dict[str, Any] = {"number": float, "text": str, "flag": bool, "time": int}
_LISTS: dict[str, Any] = {"number": list[float], "text": list[str], "time": list[int]}
_astuple = msgspec.structs.astuple
_times, _values = attrgetter("time"), attrgetter("values")
MAX_MEMBERS = 512


class Shape:
    """One exact form of payloads: names and kinds of its values, single or batch, times as integers or text.

    Attributes:
        names: signals in order of name; ``kinds`` their types as sent (number, text or flag).
        decode: bytes to a struct with ``time``, ``values``, ``session`` and ``seq``; raises where it does not fit.
        number_at, other_at: places of the numbers and of the rest among the names.
    """

    __slots__ = (
        "allowed",
        "batch",
        "codes",
        "decode",
        "high",
        "kinds",
        "low",
        "names",
        "number_at",
        "other_at",
        "textual_time",
        "width",
    )

    def __init__(
        self,
        names: tuple[str, ...],
        kinds: tuple[str, ...],
        definitions: Sequence[SignalDefinition | None],
        codes: Sequence[int],
        *,
        batch: bool,
        textual_time: bool,
    ) -> None:
        self.names, self.kinds, self.batch, self.textual_time = names, kinds, batch, textual_time
        self.width = len(names)
        self.codes = np.array(codes, np.int32)
        self.number_at = [i for i, k in enumerate(kinds) if k == "number"]
        self.other_at = [i for i, k in enumerate(kinds) if k != "number"]
        limits = [(d.limits if d is not None else None) or (-np.inf, np.inf) for d in definitions]
        self.low = np.array([limits[i][0] for i in self.number_at])
        self.high = np.array([limits[i][1] for i in self.number_at])
        self.allowed = [frozenset(d.values) if d is not None and d.values else None for d in definitions]
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(self._struct()).decode

    def _struct(self) -> type:
        """The struct; fields are named by place because signal names are no identifiers."""
        kinds = _LISTS if self.batch else _TYPES
        values: Any = msgspec.defstruct(
            "Values",
            [(f"v{i}", kinds[k]) for i, k in enumerate(self.kinds)],
            rename={f"v{i}": n for i, n in enumerate(self.names)},
            forbid_unknown_fields=True,
            gc=False,
        )
        time: Any = kinds["text"] if self.textual_time else kinds["time"]
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
            ("time", time),
            ("values", values),
            ("session", str, ""),
            ("seq", int | None, None),
            ("source", msgspec.Raw, msgspec.Raw()),
        ]
        renamed = {"time": "times"} if self.batch else None
        return msgspec.defstruct("Payload", fields, rename=renamed, forbid_unknown_fields=True, gc=False)

    def times(self, payloads: Sequence[Any]) -> Int64s:
        """Times of single payloads, of batches all of them in a row; -1 where text is no time."""
        stamps = map(_times, payloads)
        every = list(chain.from_iterable(stamps)) if self.batch else list(stamps)
        if self.textual_time:
            return parse_instants(every)
        try:
            return np.array(every, np.int64)
        except OverflowError:
            return np.array([t if abs(t) < 2**62 else -1 for t in every], np.int64)

    def matrix(self, payloads: Sequence[Any]) -> Floats:
        """Numbers of single payloads, one line a payload."""
        wide = map(_astuple, map(_values, payloads))
        pick = self.number_at
        flat = chain.from_iterable([v[i] for i in pick] for v in wide) if self.other_at else chain.from_iterable(wide)
        width = len(self.number_at)
        return np.fromiter(flat, np.float64, len(payloads) * width).reshape(len(payloads), width)

    def outside(self, numbers: Floats) -> Bools:
        """Which lines hold a number that is not finite or outside its limits."""
        fits = (numbers >= self.low) & (numbers <= self.high) & np.isfinite(numbers)
        bad: Bools = np.asarray(~fits.all(axis=1))
        return bad

    def fits_text(self, place: int, values: Sequence[Any]) -> bool:
        """Whether no text of a column is special: UNAVAILABLE, over-long, or no word of the signal."""
        if self.kinds[place] != "text":
            return True
        distinct = set(values)
        allowed = self.allowed[place]
        if UNAVAILABLE in distinct or (allowed is not None and not distinct <= allowed):
            return False
        return all(len(t) <= MAX_TEXT for t in distinct)


def shape_of(
    batch: Batch,
    content_keys: frozenset[str],
    textual_time: bool,
    signals: Mapping[str, SignalDefinition] | None,
    code: Callable[[str], int],
    *,
    single: bool,
) -> Shape | None:
    """The shape that a faultless batch teaches; None if its payload has members that only the general way knows."""
    if not content_keys <= {"time", "times", "values", "session", "seq", "source"} or not batch.columns:
        return None
    if ("time" if single else "times") not in content_keys or {"time", "times"} <= content_keys:
        return None
    names = tuple(sorted(batch.columns))
    if len(names) > MAX_MEMBERS:
        return None
    kinds = []
    for name in names:
        kind = _kind(batch.columns[name])
        if kind is None or (not single and kind != "number"):
            return None
        kinds.append(kind)
    definitions = [signals.get(n) if signals is not None else None for n in names]
    if any(d is not None and d.type == "condition" for d in definitions):
        return None
    return Shape(
        names, tuple(kinds), definitions, [code(n) for n in names], batch=not single, textual_time=textual_time
    )


def _kind(values: Sequence[object]) -> str | None:
    if all(isinstance(v, bool) for v in values):
        return "flag"
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return "number"
    if all(isinstance(v, str) and v != UNAVAILABLE for v in values):
        return "text"
    return None


_DIGITS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_MARKS = {4: 45, 7: 45, 10: 84, 13: 58, 16: 58}


def parse_instants(texts: Sequence[str]) -> Int64s:
    """RFC 3339 times in UTC (``...Z``) as ns, for many at once; -1 where :func:`parse_instant` has to look."""
    out = np.full(len(texts), -1, np.int64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.unique(lengths):
        if not (length == 20 or 22 <= length <= 30):
            continue
        at = np.flatnonzero(lengths == length)
        joined = "".join([texts[int(i)] for i in at] if len(at) < len(texts) else texts)
        if not joined.isascii():
            continue
        out[at] = _parse_equal(np.frombuffer(joined.encode(), np.uint8).reshape(len(at), length))
    return out


def _parse_equal(chars: npt.NDArray[np.uint8]) -> Int64s:
    length = chars.shape[1]
    places = np.concatenate([_DIGITS, np.arange(20, length - 1)])
    digits = chars[:, places].astype(np.int64) - 48
    good = ((digits >= 0) & (digits <= 9)).all(axis=1) & (chars[:, -1] == 90)
    for place, mark in _MARKS.items():
        good &= chars[:, place] == mark
    if length > 20:
        good &= chars[:, 19] == 46
    year = digits[:, 0] * 1000 + digits[:, 1] * 100 + digits[:, 2] * 10 + digits[:, 3]
    month, day, hour, minute, second = (digits[:, i] * 10 + digits[:, i + 1] for i in (4, 6, 8, 10, 12))
    last = np.where(
        month == 2, 28 + ((year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))), 30 + (month + month // 8) % 2
    )
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= last) & (hour < 24) & (minute < 60) & (second < 60)
    good &= (year >= 1980) & (year < 2200)
    # Days from a civil date, March-based years (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    y = year - (month <= 2)
    era_year = y % 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = (y // 400) * 146097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year - 719468
    ns = np.zeros(len(chars), np.int64)
    for i in range(14, digits.shape[1]):
        ns = ns * 10 + digits[:, i]
    ns *= 10 ** (9 - (digits.shape[1] - 14))
    result = (((days * 24 + hour) * 60 + minute) * 60 + second) * 10**9 + ns
    return np.where(good, result, -1)
