"""Calendars: shifts in a time zone, with the days that differ."""

from __future__ import annotations

import msgspec


class Shift(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shift that starts on each of ``days`` (0 Monday ... 6 Sunday) at local minute ``start`` of the day.

    ``end`` in local minutes after midnight of the start day; beyond 1440 it ends on the next day.
    ``breaks`` are [start, end) in the same minutes and are planned stops.
    """

    name: str
    days: tuple[int, ...]
    start: int
    end: int
    breaks: tuple[tuple[int, int], ...] = ()


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a machine is planned to work. ``time_zone`` is an IANA name; local days follow its clock changes."""

    name: str
    time_zone: str
    shifts: tuple[Shift, ...] = ()
    closed: tuple[str, ...] = ()  # local dates YYYY-MM-DD without any shift


class ShiftInterval(msgspec.Struct, frozen=True):
    """One shift on one day in UTC nanoseconds, [start, end), with its breaks."""

    name: str
    day: str
    start: int
    end: int
    breaks: tuple[tuple[int, int], ...] = ()
