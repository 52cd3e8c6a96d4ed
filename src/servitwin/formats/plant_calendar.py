"""Calendars of a plant file: shifts by name, in local time."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.calendar_shift import check_calendar
from servitwin.formats.machine_type_rules import Say
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 1440
_WEEK = 7 * _DAY


def read_calendar(name: str, entry: Mapping[str, Any], path: Path, say: Say) -> Calendar:
    """The calendar of a checked block; shifts that overlap, breaks outside of their shift are told."""
    shifts = []
    for key, block in entry.get("shifts", {}).items():
        if {"days", "from", "to"} <= block.keys():
            shifts.append(_shift(key, block, (*path, "shifts", key), say))
    calendar = Calendar(name, entry.get("time_zone", "UTC"), tuple(shifts), tuple(entry.get("closed", ())))
    for fault in check_calendar(Calendar(name, calendar.time_zone)):
        say((*path, "time_zone"), fault.code, fault.message, fault.hint)
    _check_overlap(calendar, path, say)
    return calendar


def _shift(name: str, block: Mapping[str, Any], path: Path, say: Say) -> Shift:
    start, end = _minutes(block["from"]) % _DAY, _minutes(block["to"])
    if end <= start:
        end += _DAY
    breaks = []
    for i, text in enumerate(block.get("breaks", ())):
        first, last = (_minutes(t) for t in text.split("-"))
        if first < start:
            first, last = first + _DAY, last + _DAY
        if last <= first:
            last += _DAY
        if not start <= first < last <= end:
            message = f"The break {text} does not lie in the shift {block['from']}-{block['to']}"
            say((*path, "breaks", i), "calendar:break-outside-shift", message, "Move it, or change the shift")
        breaks.append((first, last))
    for i, ((_, before), (after, _)) in enumerate(pairwise(sorted(breaks))):
        if after < before:
            say((*path, "breaks", i + 1), "calendar:breaks-overlap", "Two breaks overlap", "Let them follow each other")
    return Shift(name, read_days(block["days"]), start, end, tuple(sorted(breaks)))


def read_days(said: str | list[str]) -> tuple[int, ...]:
    """Days of the week (0 Monday) of ``mon-fri``, ``fri-mon``, ``mon,wed`` or ``daily``."""
    if said == "daily":
        return tuple(range(7))
    found: set[int] = set()
    for part in said if isinstance(said, list) else said.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {d % 7 for d in range(begin, end + 1 if end >= begin else end + 8)}
    return tuple(sorted(found))


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _check_overlap(calendar: Calendar, path: Path, say: Say) -> None:
    week = sorted(
        (day * _DAY + shift.start, day * _DAY + shift.end, shift.name)
        for shift in calendar.shifts
        for day in shift.days
    )
    told: set[frozenset[str]] = set()
    again = [(start + _WEEK, end + _WEEK, name) for start, end, name in week[:1]]
    for (_, end, first), (start, _, second) in pairwise(week + again):
        pair = frozenset((first, second))
        if start < end and pair not in told:
            told.add(pair)
            message = f"The shifts {first!r} and {second!r} overlap"
            hint = "Let one end before the other begins: each moment belongs to one shift"
            say((*path, "shifts", second), "calendar:shifts-overlap", message, hint, key=True)
