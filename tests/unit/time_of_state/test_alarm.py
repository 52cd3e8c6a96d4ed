"""Alarms from conditions and flags, and their figures."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.alarm import Alarm, alarms_of, is_alarm
from servitwin.domain.alarm_figure import alarm_figures, alarm_floods, alarm_rate, chattering, standing
from servitwin.domain.instant import DAY, MINUTE, NS
from servitwin.domain.observation import Observation
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_track import series_of

SYSTEM = SignalDefinition("system", "condition")
HOT = SignalDefinition("spindle.hot_alarm", "flag", title="Spindle too hot")


def told(definition: SignalDefinition, *rows: tuple[int, str | bool | None]) -> list[Alarm]:
    return alarms_of(series_of([Observation(t, v, seq=i) for i, (t, v) in enumerate(rows)], definition), definition)


def test_conditions_are_sets_by_native_code():
    alarms = told(
        SYSTEM,
        (0, "normal||||"),
        (1, "Warning|433|||SAME PROGRAM EXISTS"),
        (1, "Fault|7|high||SPINDLE"),
        (2, "Warning|433|||SAME PROGRAM EXISTS"),
        (3, "Normal|433|||"),
        (4, "Warning|7|||SPINDLE"),
        (5, "Unavailable||||"),
        (6, "Fault|9|||DOOR"),
    )
    seen = [(a.code, a.severity, a.start, a.end, a.ended_by) for a in alarms]
    assert seen == [
        ("433", "warning", 1, 3, "normal"),
        ("7", "fault", 1, 4, "escalated"),
        ("7", "warning", 4, 5, "unavailable"),
        ("9", "fault", 6, None, ""),
    ]
    assert alarms[1].native == "high"
    assert [a.text for a in alarms] == ["SAME PROGRAM EXISTS", "SPINDLE", "SPINDLE", "DOOR"]


def test_flags_that_are_alarms():
    assert [(a.start, a.end, a.text, a.ended_by) for a in told(HOT, (0, False), (1, True), (2, True), (3, False))] == [
        (1, 3, "Spindle too hot", "normal")
    ]
    assert told(HOT, (1, True), (4, None))[0].ended_by == "unavailable"
    assert told(HOT, (1, True))[0].end is None


@pytest.mark.parametrize(
    ("definition", "yes"),
    [
        (SignalDefinition("x", "condition"), True),
        (SignalDefinition("a.alarm", "flag"), True),
        (SignalDefinition("a.alarm-hot", "flag"), True),
        (SignalDefinition("x", "flag", semantic="mtconnect:ALARM"), True),
        (SignalDefinition("door", "flag"), False),
        (SignalDefinition("alarm", "text"), False),
        (SignalDefinition("alarmed.door", "flag"), False),
    ],
)
def test_which_signals_tell_of_alarms(definition, yes):
    assert is_alarm(definition) is yes


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["fault|1", "warning|2", "normal|1", "normal|", None]))))
def test_every_alarm_ends_once_and_no_code_is_active_twice(rows):
    alarms = told(SYSTEM, *rows)
    for code in {a.code for a in alarms}:
        mine = [a for a in alarms if a.code == code]
        assert all(a.end is not None and a.end <= b.start for a, b in itertools.pairwise(mine))


def test_eleven_in_ten_minutes_are_a_flood_and_ten_are_not():
    ten = [n * 59 * NS for n in range(10)]
    assert alarm_floods(ten) == []
    eleven = [n * 59 * NS for n in range(11)]
    [flood] = alarm_floods(eleven)
    assert (flood.start, flood.count) == (0, 11)
    assert alarm_floods([n * MINUTE for n in range(11)]) == [], "the eleventh came after ten minutes"
    again = [*eleven, *(DAY + t for t in eleven)]
    assert [f.count for f in alarm_floods(again)] == [11, 11]


def test_rate_chatter_standing_and_figures():
    assert alarm_rate(6, 0, 60 * MINUTE) == 1.0
    assert alarm_rate(6, 5, 5) is None
    busy = [Alarm("s", "7", "", "fault", t * NS, t * NS + 1) for t in (0, 30, 60)]
    calm = [Alarm("s", "8", "", "warning", t * NS, t * NS + 1) for t in (0, 30, 61)]
    assert chattering([*busy, *calm]) == [("s", "7")]
    old = Alarm("s", "9", "", "warning", 0)
    assert standing([old, *busy], 2 * DAY) == [old]
    assert standing([old], DAY) == []
    figures = alarm_figures([old, *busy], 0, 2 * DAY)
    assert (figures.count, figures.by_severity) == (4, {"warning": 1, "fault": 3})
    assert figures.standing == (old,)
    assert figures.in_flood_share == 0
