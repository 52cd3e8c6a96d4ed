"""Shifts of a calendar on the UTC time line: local clock changes, nights, breaks and closed days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from servitwin.domain.calendar import Calendar, Shift, ShiftInterval
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, NS
from servitwin.domain.state_time_span import Spans

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 7 * 1440  # minutes; a "shift" beyond a week is a slip of the pen


def check_calendar(calendar: Calendar) -> list[Fault]:
    """All faults of a calendar at once."""
    faults = []
    try:
        ZoneInfo(calendar.time_zone)
    except (KeyError, ValueError, OSError):
        faults.append(
            Fault(
                "calendar:time-zone-unknown",
                f"{calendar.time_zone!r} is no IANA time zone",
                "Write it like Europe/Helsinki",
                "time_zone",
            )
        )
    for place, shift in enumerate(calendar.shifts):
        faults += _check_shift(shift, f"shifts[{place}]")
    for place, day in enumerate(calendar.closed):
        try:
            date.fromisoformat(day)
        except ValueError:
            faults.append(
                Fault("calendar:day-not-understood", f"{day!r} is no date", "Write it YYYY-MM-DD", f"closed[{place}]")
            )
    return faults


def shift_intervals(calendar: Calendar, start: int, end: int) -> list[ShiftInterval]:
    """The whole shifts that touch [start, end), in order of their start; they are not cut at the range.

    A local time that a clock change skips is the instant of the change; one that it repeats is the first of the
    two. So a night shift of eight hours lasts seven or nine on those days.

    Raises:
        InvalidInputError: ``calendar:...`` if the calendar is faulty.
    """
    faults = check_calendar(calendar)
    if faults:
        raise InvalidInputError(faults)
    if end <= start:
        return []
    zone = ZoneInfo(calendar.time_zone)
    closed = set(calendar.closed)
    longest = max((s.end for s in calendar.shifts), default=0) // 1440
    first = _day_of(start) - timedelta(days=longest + 2)
    found = []
    for step in range((_day_of(end) - first).days + 2):
        day = first + timedelta(days=step)
        if day.isoformat() in closed:
            continue
        for shift in calendar.shifts:
            if day.weekday() in shift.days:
                interval = _on_day(shift, day, zone)
                if interval.end > start and interval.start < end and interval.end > interval.start:
                    found.append(interval)
    return sorted(found, key=lambda s: (s.start, s.end, s.name))


def planned_spans(shifts: list[ShiftInterval] | tuple[ShiftInterval, ...], start: int, end: int) -> Spans:
    """Planned busy time in [start, end): the union of the shifts less their own breaks."""
    work: list[tuple[int, int]] = []
    for shift in shifts:
        at = shift.start
        for pause in sorted(shift.breaks):
            work.append((at, max(at, min(pause[0], shift.end))))
            at = max(at, pause[1])
        work.append((at, shift.end))
    return Spans.of((max(s, start), min(e, end)) for s, e in work)


def _check_shift(shift: Shift, where: str) -> list[Fault]:
    faults = []
    if any(day not in range(7) for day in shift.days):
        faults.append(
            Fault("calendar:weekday-out-of-range", f"{shift.days} names no weekdays", "0 is Monday, 6 Sunday", where)
        )
    if not 0 <= shift.start < 1440 or not shift.start < shift.end <= shift.start + _LONGEST:
        faults.append(
            Fault(
                "calendar:shift-times",
                f"shift {shift.name!r} from minute {shift.start} to {shift.end} is none",
                "Start within the day (0-1439); end later, beyond 1440 for the next day",
                where,
            )
        )
    if any(not shift.start <= begin < finish <= shift.end for begin, finish in shift.breaks):
        faults.append(
            Fault(
                "calendar:break-outside-shift",
                f"a break of shift {shift.name!r} lies outside it",
                "Breaks are [start, end) in the same minutes as the shift",
                where,
            )
        )
    return faults


def _day_of(ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=ns // DAY)


def _on_day(shift: Shift, day: date, zone: ZoneInfo) -> ShiftInterval:
    breaks = tuple((_instant(day, begin, zone), _instant(day, finish, zone)) for begin, finish in shift.breaks)
    start, end = _instant(day, shift.start, zone), _instant(day, shift.end, zone)
    return ShiftInterval(shift.name, day.isoformat(), start, end, breaks)


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """UTC nanoseconds of a local minute counted from midnight of ``day`` by the wall clock."""
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 (the zone follows)
    local = naive.replace(tzinfo=zone)
    utc = local.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != naive:
        utc = _clock_change(naive, zone)
    return round((utc - _EPOCH).total_seconds()) * NS


def _clock_change(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the clock change that skips this local time, to the second."""
    after, before = (naive.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (1, 0))
    offset = after.astimezone(zone).utcoffset()
    while before - after > timedelta(seconds=1):
        middle = after + timedelta(seconds=(before - after).total_seconds() // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return before
