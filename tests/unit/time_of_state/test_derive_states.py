"""Time of state: exact cover, order of arrival, gaps, staleness, conditions, against a slow reference."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.condition import apply_condition, parse_condition
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import Observation, Quality, Series
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.signal_test import holds
from servitwin.domain.state_time import Gap, State, StateInterval, clip, join, same_kind, totals
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.state_time_track import series_of

EXECUTION = SignalDefinition("execution", "text", reporting=Reporting(max_gap=40))
LOAD = SignalDefinition("load", "number", "1", accuracy=0.5)
DOOR = SignalDefinition("door", "flag")
ALARM = SignalDefinition("system", "condition")
LINK = SignalDefinition("_connection", "text")
RULES = (
    StateRule((SignalTest("system", equals=("fault",)),), State.FAILED, "fault:system", "maker"),
    StateRule((SignalTest("execution", equals=("STOP",)), SignalTest("door", equals=(True,))), State.SETUP),
    StateRule((SignalTest("execution", equals=("ACTIVE",)), SignalTest("load", above=10.0)), State.PRODUCING),
    StateRule((SignalTest("execution", equals=("ACTIVE",)),), State.STARVED),
)
MILL = MachineType(
    "mill",
    1,
    signals=(EXECUTION, LOAD, DOOR, ALARM),
    states=StateMapping(RULES, word="execution", needs=("execution",), otherwise=State.STANDBY),
)
DEFINITIONS = {d.name: d for d in (EXECUTION, LOAD, DOOR, ALARM, LINK)}
VALUES: dict[str, list[Any]] = {
    "execution": ["ACTIVE", "STOP", "READY", None],
    "load": [5.0, 10.0, 15.0, None],
    "door": [True, False, None],
    "system": ["fault|7||", "warning|8||", "normal|7||", "normal||||", "unavailable||||", None],
    "_connection": ["online", "offline"],
}

observations = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.integers(-50, 250),
            st.sampled_from(VALUES[name]),
            st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD]),
        )
    ),
    max_size=40,
)
gap_lists = st.lists(
    st.tuples(st.integers(-20, 220), st.integers(1, 60)).map(lambda p: Gap(p[0], p[0] + p[1], "declared")), max_size=3
)


def as_observations(rows: list[tuple[str, int, Any, Quality]]) -> list[tuple[str, Observation]]:
    return [(n, Observation(t, v, q, seq=i)) for i, (n, t, v, q) in enumerate(rows)]


def as_series(named: list[tuple[str, Observation]]) -> dict[str, Series]:
    return {name: series_of([o for n, o in named if n == name], d) for name, d in DEFINITIONS.items()}


def slow_state(named: list[tuple[str, Observation]], gaps: list[Gap], at: int) -> tuple[State, str, str]:
    """State, cause and reason at one instant, by reading the rules as a person would."""
    if any(g.start <= at < g.end for g in gaps):
        return State.UNKNOWN, "", "declared-gap"
    past = sorted((o for o in named if o[1].time <= at), key=lambda o: (o[1].time, o[1].seq))
    lost = None
    for name, o in past:
        same_time_later = any(n == "_connection" and p.time == o.time and p.seq > o.seq for n, p in past)
        if name == "_connection" and o.value is not None and not same_time_later:
            lost = (o.time if lost is None else lost) if o.value == "offline" else None

    def known(signal: str) -> tuple[Any, str]:
        mine = [o for n, o in past if n == signal]
        if lost is not None and not any(o.time >= lost for o in mine):
            return None, "disconnected"
        if not mine:
            return None, "no-data"
        last = mine[-1]
        level = parse_condition(last.value) if signal == "system" and last.value else None
        gone = last.value is None or last.quality == Quality.BAD or (level is not None and level.level == "unavailable")
        gap = DEFINITIONS[signal].reporting.max_gap
        if gone:
            return None, "unavailable"
        return (None, "stale") if gap is not None and at - last.time >= gap else (last.value, "")

    def active() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for n, o in past:
            if n == "system":
                c = parse_condition(o.value) if o.value and o.quality != Quality.BAD else None
                found = apply_condition(found, c) if c is not None else {}
        return found

    value, reason = known("execution")
    if value is None:
        return State.UNKNOWN, "", reason
    for rule in RULES:
        verdicts = []
        for test in rule.when:
            v, _ = known(test.signal)
            if test.signal == "system":
                verdicts.append(None if v is None else holds(test, None, active=active()))
            else:
                verdicts.append(holds(test, v))
        if all(verdicts):
            return rule.state, rule.cause, ""
    return State.STANDBY, "", ""


def check_cover(intervals: list[StateInterval], start: int, end: int) -> None:
    assert intervals[0].start == start
    assert intervals[-1].end == end
    for a, b in itertools.pairwise(intervals):
        assert a.end == b.start
        assert not same_kind(a, b), "neighbours that differ in nothing must be one interval"
    assert all(i.start < i.end for i in intervals)
    assert sum(totals(intervals).values()) == end - start
    assert all((i.state is State.UNKNOWN) == bool(i.reason) for i in intervals)


@settings(max_examples=120, deadline=None)
@given(observations, gap_lists, st.integers(0, 2**32))
def test_each_instant_has_the_state_that_a_slow_reading_of_the_rules_gives(rows, gaps, seed):
    named = as_observations(rows)
    intervals = derive_states(MILL, as_series(named), gaps, 0, 200)
    check_cover(intervals, 0, 200)
    for interval in intervals:
        for at in {interval.start, (interval.start + interval.end) // 2, interval.end - 1}:
            assert (interval.state, interval.cause, interval.reason) == slow_state(named, gaps, at), at
    shuffled = named[:]
    random.Random(seed).shuffle(shuffled)
    assert derive_states(MILL, as_series(shuffled), gaps, 0, 200) == intervals


@settings(max_examples=60, deadline=None)
@given(observations, gap_lists, st.lists(st.integers(1, 199), max_size=4, unique=True))
def test_a_range_in_pieces_equals_the_whole(rows, gaps, cuts):
    series = as_series(as_observations(rows))
    edges = [0, *sorted(cuts), 200]
    pieces = [derive_states(MILL, series, gaps, a, b) for a, b in itertools.pairwise(edges)]
    whole = derive_states(MILL, series, gaps, 0, 200)
    assert join(pieces) == whole
    assert clip(whole, 50, 120) == derive_states(MILL, series, gaps, 50, 120)


def test_the_last_of_a_time_holds_by_shard_sequence_and_index():
    rows = [
        Observation(10, "READY", shard=1, seq=3, idx=0),
        Observation(10, "ACTIVE", shard=1, seq=3, idx=1),
        Observation(10, "STOP", shard=0, seq=9, idx=9),
    ]
    for order in (rows, rows[::-1], [rows[1], rows[2], rows[0]]):
        assert series_of(order, EXECUTION).text == ["ACTIVE"]


def test_buffered_data_fill_the_time_offline_and_values_hold_again_afterwards():
    named = [
        ("execution", Observation(0, "READY")),
        ("_connection", Observation(10, "offline")),
        ("_connection", Observation(30, "online")),
    ]
    quiet = derive_states(MILL, as_series(named), [], 0, 39)
    assert [(i.start, i.end, i.state, i.reason) for i in quiet] == [
        (0, 10, State.STANDBY, ""),
        (10, 30, State.UNKNOWN, "disconnected"),
        (30, 39, State.STANDBY, ""),
    ]
    late = [*named, ("execution", Observation(20, "STOP", replayed=True))]
    assert [(i.start, i.state, i.word) for i in derive_states(MILL, as_series(late), [], 0, 39)] == [
        (0, State.STANDBY, "READY"),
        (10, State.UNKNOWN, ""),
        (20, State.STANDBY, "STOP"),
    ]


def test_without_a_mapping_or_without_data_nothing_is_guessed():
    bare = MachineType("bare", 1)
    assert derive_states(bare, {}, [], 5, 9) == [StateInterval(5, 9, State.UNKNOWN, reason="no-mapping")]
    assert derive_states(MILL, {}, [], 5, 9) == [StateInterval(5, 9, State.UNKNOWN, reason="no-data")]
    assert derive_states(MILL, {}, [], 9, 9) == []
    loose = MachineType("loose", 1, signals=(EXECUTION,), states=StateMapping(RULES[3:], otherwise=State.STANDBY))
    assert derive_states(loose, {}, [], 5, 9)[0].reason == "no-data"


@pytest.mark.parametrize(
    ("test", "value", "verdict"),
    [
        (SignalTest("x", equals=("a",)), "a", True),
        (SignalTest("x", equals=("a",)), "b", False),
        (SignalTest("x", equals=(1,)), True, False),
        (SignalTest("x", equals=(True,)), True, True),
        (SignalTest("x", equals=(1,)), 1.0, True),
        (SignalTest("x", above=1.0), 1.0, False),
        (SignalTest("x", above=1.0, below=2.0), 1.5, True),
        (SignalTest("x", above=1.0, below=2.0), 2.5, False),
        (SignalTest("x", above=1.0), "hot", None),
        (SignalTest("x", above=1.0), None, None),
    ],
)
def test_signal_tests_are_three_valued(test, value, verdict):
    assert holds(test, value) is verdict


def test_a_parameter_is_compared_within_the_accuracy():
    test = SignalTest("speed", parameter="target")
    assert holds(test, 10.4, parameters={"target": 10.0}, accuracy=0.5) is True
    assert holds(test, 10.6, parameters={"target": 10.0}, accuracy=0.5) is False
    assert holds(test, 10.0, parameters={}) is None
