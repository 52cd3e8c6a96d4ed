"""Shifts on the UTC time line: clock changes, nights, breaks, closed days."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.calendar_shift import check_calendar, planned_spans, shift_intervals
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import DAY, HOUR, MINUTE, parse_instant
from servitwin.domain.state_time_span import Spans

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WHOLE_DAY = Shift("all", EVERY_DAY, 0, 1440)


def around(day: str) -> tuple[int, int]:
    noon = parse_instant(f"{day}T12:00:00Z")
    return noon, noon + 1


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24), ("2026-12-24", 24)]
)
def test_a_local_day_lasts_as_long_as_the_clock_change_makes_it(day, hours):
    calendar = Calendar("c", "Europe/Helsinki", (WHOLE_DAY,))
    [shift] = shift_intervals(calendar, *around(day))
    assert (shift.day, (shift.end - shift.start) / HOUR) == (day, hours)


def test_a_night_shift_lasts_seven_hours_in_spring_and_nine_in_autumn():
    calendar = Calendar("c", "Europe/Berlin", (Shift("night", EVERY_DAY, 22 * 60, 30 * 60),))
    for day, hours in (("2026-03-28", 7), ("2026-10-24", 9), ("2026-05-01", 8)):
        start = parse_instant(f"{day}T21:30:00Z")
        found = [s for s in shift_intervals(calendar, start, start + HOUR) if s.day == day]
        assert [(s.end - s.start) / HOUR for s in found] == [hours]


def test_a_skipped_local_time_is_the_instant_of_the_change():
    calendar = Calendar("c", "Europe/Berlin", (Shift("s", EVERY_DAY, 150, 240),))  # 02:30 to 04:00
    [shift] = shift_intervals(calendar, *(parse_instant(f"2026-03-29T0{h}:00:00Z") for h in (1, 2)))
    assert shift.start == parse_instant("2026-03-29T01:00:00Z")
    assert shift.end == parse_instant("2026-03-29T02:00:00Z")


def test_breaks_and_closed_days_are_not_planned():
    shift = Shift("early", (0, 1, 2, 3, 4), 6 * 60, 14 * 60, ((9 * 60, 9 * 60 + 15), (12 * 60, 12 * 60 + 30)))
    calendar = Calendar("c", "UTC", (shift,), closed=("2026-09-23",))
    start = parse_instant("2026-09-21T00:00:00Z")  # a Monday
    shifts = shift_intervals(calendar, start, start + 7 * DAY)
    assert [s.day for s in shifts] == ["2026-09-21", "2026-09-22", "2026-09-24", "2026-09-25"]
    assert planned_spans(shifts, start, start + 7 * DAY).total() == 4 * (8 * HOUR - 45 * MINUTE)


def test_overlapping_shifts_count_once():
    shifts = (Shift("a", (0,), 360, 840), Shift("b", (0,), 780, 1260))
    start = parse_instant("2026-09-21T00:00:00Z")
    assert planned_spans(
        shift_intervals(Calendar("c", "UTC", shifts), start, start + DAY), start, start + DAY
    ).total() == (15 * HOUR)


def test_all_faults_of_a_calendar_at_once():
    bad = Calendar("c", "Mars/Base", (Shift("s", (7,), 600, 500, ((1, 2),)),), closed=("2026-13-01",))
    assert {f.code for f in check_calendar(bad)} == {
        "calendar:time-zone-unknown",
        "calendar:weekday-out-of-range",
        "calendar:shift-times",
        "calendar:break-outside-shift",
        "calendar:day-not-understood",
    }
    with pytest.raises(InvalidInputError):
        shift_intervals(bad, 0, 1)
    assert check_calendar(Calendar("c", "../etc", ()))[0].code == "calendar:time-zone-unknown"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]
    ),
    st.integers(0, 20_000),
    st.integers(1, 6),
    st.integers(0, 1439),
)
def test_back_to_back_shifts_tile_the_time_line(zone, day, parts, first):
    edges = [first + 1440 * n // parts for n in range(parts + 1)]
    shifts = tuple(Shift(f"s{n}", EVERY_DAY, *_in_day(a, b)) for n, (a, b) in enumerate(itertools.pairwise(edges)))
    start, end = day * DAY, day * DAY + 3 * DAY
    found = shift_intervals(Calendar("c", zone, shifts), start, end)
    assert planned_spans(found, start, end).pairs() == [(start, end)]
    assert all(a.end == b.start for a, b in itertools.pairwise(found)), "no overlap and no hole"
    for shift in found:
        local = datetime.fromtimestamp(shift.start / 1e9, UTC).astimezone(ZoneInfo(zone))
        assert local.date().isoformat() == shift.day


def _in_day(a: int, b: int) -> tuple[int, int]:
    return (a - 1440, b - 1440) if a >= 1440 else (a, b)


small = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


@given(small, small, st.integers(0, 60), st.integers(0, 60))
def test_spans_are_sets_of_instants(first, second, low, high):
    a, b = Spans.of(first), Spans.of(second)

    def members(pairs):
        return {t for s, e in pairs for t in range(s, e)}

    one, two = members(first), members(second)
    assert members(a.pairs()) == one
    assert a.total() == len(one)
    assert members(a.minus(b).pairs()) == one - two
    assert members(a.meet(b).pairs()) == one & two
    assert members(a.clip(low, high).pairs()) == {t for t in one if low <= t < high}
    low, high = min(low, high), max(low, high)
    import numpy as np

    assert int(a.covered(np.array([low]), np.array([high]))[0]) == len({t for t in one if low <= t < high})
