"""Accounts of time of machines, lines and fleets, made from history, registry and records."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from account_plant import DAY_START as D
from account_plant import MILL, TWINS, TYPES, plant, twin

from servitwin.domain.availability import FORMULAS
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.state_time import Gap, State, StateInterval
from servitwin.domain.twin import Dated
from servitwin.usecases.account_daily import daily_states
from servitwin.usecases.account_time import availability, states
from servitwin.usecases.line_time import combine
from servitwin.usecases.list_alarms import list_alarms


def test_states_of_a_machine_with_gaps_and_the_time_to_come():
    history, records, registry = plant()
    history.add("mill-1", "execution", (D - DAY, "READY"), (D + HOUR, "ACTIVE"))
    records.declared["uid-mill-1"] = [Gap(D + 2 * HOUR, D + 3 * HOUR, "file missing")]
    answer = states(history, registry, records, registry.by_id("mill-1"), D, D + 5 * HOUR, now=D + 4 * HOUR)
    assert [(i.start - D, i.state.value, i.reason) for i in answer.intervals] == [
        (0, "standby", ""),
        (HOUR, "producing", ""),
        (2 * HOUR, "unknown", "declared-gap"),
        (3 * HOUR, "producing", ""),
        (4 * HOUR, "unknown", "not-yet"),
    ]
    assert sum(answer.totals.values()) == 5 * HOUR
    assert answer.basis.cut == {0: 41}
    assert ("mill-1", "execution") in answer.basis.inputs
    assert not {s for _, s in answer.basis.inputs} & {"total", "good"}, "only what the mapping needs is read"


def test_a_fault_that_became_active_long_ago_is_found():
    history, records, registry = plant()
    history.add("mill-1", "execution", (D - 200 * DAY, "READY"))
    history.add(
        "mill-1", "system", (D - 100 * DAY, "fault|7||"), (D - 2 * HOUR, "warning|8||"), (D - HOUR, "normal|8||")
    )
    answer = states(history, registry, records, registry.by_id("mill-1"), D, D + HOUR)
    assert [(i.state, i.cause, i.party) for i in answer.intervals] == [(State.FAILED, "fault:system", "maker")]
    alarms = list_alarms(history, registry, records, registry.by_id("mill-1"), D, D + HOUR, active=True)
    assert [(a.alarm.code, a.alarm.start) for a in alarms.items] == [("7", D - 100 * DAY)]
    history.add("mill-1", "system", (D - 50 * DAY, "normal|||"))
    answer = states(history, registry, records, registry.by_id("mill-1"), D, D + HOUR)
    assert [i.state for i in answer.intervals] == [State.STANDBY]


def test_a_type_that_changes_reads_each_stretch_by_its_own_rules():
    loud = msgspec.structs.replace(MILL, version=2, states=msgspec.structs.replace(MILL.states, rules=()))
    changing = msgspec.structs.replace(TWINS[2], type=(Dated("mill@1", 0, D + HOUR), Dated("mill@2", D + HOUR)))
    history, records, registry = plant((*TYPES, loud), [changing])
    history.add("mill-1", "execution", (D, "ACTIVE"))
    answer = states(history, registry, records, changing, D, D + 2 * HOUR)
    assert [(i.start - D, i.state, i.reason) for i in answer.intervals] == [
        (0, State.PRODUCING, ""),
        (HOUR, State.UNKNOWN, "no-rule"),
    ]


def test_a_line_is_in_the_state_of_its_constraint_and_a_factory_sums_up():
    history, records, registry = plant()
    history.add("mill-1", "execution", (D, "ACTIVE"), (D + HOUR, "WAIT"))
    history.add("mill-2", "execution", (D, "WAIT"), (D + 30 * MINUTE, "ACTIVE"), (D + 2 * HOUR, "WAIT"))
    history.add("saw-1", "execution", (D, "ACTIVE"))
    history.add("crane-1", "execution", (D, "READY"))
    line = states(history, registry, records, registry.by_id("line-1"), D, D + 3 * HOUR)
    assert [(i.start - D, i.state) for i in line.intervals] == [(0, State.PRODUCING), (2 * HOUR, State.STARVED)]
    assert "mill-1, mill-2" in line.note
    assert set(line.children) == {"mill-1", "mill-2", "saw-1"}
    factory = states(history, registry, records, registry.by_id("plant"), D, D + 3 * HOUR)
    assert factory.intervals == []
    assert sum(factory.totals.values()) == 4 * 3 * HOUR
    assert factory.totals[State.STANDBY] == 3 * HOUR
    bare = plant(twins=[twin("l", "line"), twin("crane-1", "machine", "crane@1", "l")])
    alone = states(bare[0], bare[2], bare[1], bare[2].by_id("l"), D, D + HOUR)
    assert alone.intervals == [StateInterval(D, D + HOUR, State.UNKNOWN, reason="no-constraint")]


def test_several_machines_as_one_station_cover_the_range_exactly():
    rng = random.Random(3)
    kinds = list(State)
    for _ in range(50):
        lists = []
        for _ in range(3):
            edges = [0, *sorted(rng.sample(range(1, 100), rng.randrange(6))), 100]
            lists.append([StateInterval(a, b, rng.choice(kinds)) for a, b in itertools.pairwise(edges)])
        one = combine(lists)
        assert (one[0].start, one[-1].end) == (0, 100)
        for at in range(100):
            mine = next(i.state for i in one if i.start <= at < i.end)
            theirs = {next(i.state for i in each if i.start <= at < i.end) for each in lists}
            assert mine in theirs
            assert (mine is State.PRODUCING) == (State.PRODUCING in theirs)


def test_availability_counts_planned_time_and_says_what_it_assumed():
    history, records, registry = plant()
    history.add("mill-1", "execution", (D, "READY"), (D + 6 * HOUR, "ACTIVE"), (D + 14 * HOUR, "WAIT"))
    mill = registry.by_id("mill-1")
    planned = availability(history, registry, records, mill, "iso22400@1", D, D + DAY)
    assert (planned.figure.value, planned.figure.denominator, planned.assumed) == (0.5, 16 * HOUR, ())
    free = plant(twins=[twin("mill-1", "machine", "mill@1")])
    free[0].rows = history.rows
    all_time = availability(free[0], free[2], free[1], mill, "iso22400@1", D, D + DAY)
    assert all_time.figure.value == 8 / 24
    assert "No calendar" in all_time.assumed[0]
    running = availability(history, registry, records, mill, "iso22400@1", D, D + DAY, now=D + 10 * HOUR)
    assert (running.end, running.figure.value) == (D + 10 * HOUR, 1.0)
    with pytest.raises(InvalidInputError):
        availability(history, registry, records, mill, "best@1", D, D + DAY)


def test_availability_of_a_group_is_the_ratio_of_sums():
    history, records, registry = plant()
    history.add("mill-1", "execution", (D, "ACTIVE"))
    history.add("mill-2", "execution", (D, "WAIT"))
    for key in FORMULAS:
        figure = availability(history, registry, records, registry.by_id("line-1"), key, D, D + DAY).figure
        one = availability(history, registry, records, registry.by_id("mill-1"), key, D, D + DAY).figure
        two = availability(history, registry, records, registry.by_id("mill-2"), key, D, D + DAY).figure
        assert figure.numerator == one.numerator + two.numerator
        assert figure.denominator == one.denominator + two.denominator
    factory = availability(history, registry, records, registry.by_id("plant"), "iso22400@1", D, D + DAY).figure
    assert (factory.value, factory.unknown) == (0.5, 2 * 16 * HOUR)


def test_days_of_a_fleet_by_the_fast_way_equal_the_exact_one():
    rng = random.Random(11)
    history, records, registry = plant()
    for id in ("mill-1", "saw-1", "crane-1"):
        at = D - HOUR
        while at < D + 3 * DAY:
            history.add(id, "execution", (at, rng.choice(["ACTIVE", "READY", "WAIT", "STOPPED", "ODD", None])))
            at += rng.randrange(MINUTE, 6 * HOUR)
    history.add("saw-1", "_connection", (D + HOUR, "offline"), (D + 2 * HOUR, "online"))
    records.declared["uid-crane-1"] = []
    twins = [registry.by_id(i) for i in ("mill-1", "saw-1", "crane-1")]
    start, end = D + 5 * HOUR, D + 2 * DAY + 3 * HOUR
    answer = daily_states(history, registry, records, twins, start, end)
    assert len(answer.days) == 3
    for t in twins:
        for day, found in enumerate(answer.twins[t.id]):
            a, b = max(start, D + day * DAY), min(end, D + (day + 1) * DAY)
            assert found == states(history, registry, records, t, a, b).totals, (t.id, day)
    records.declared["uid-crane-1"] = [Gap(D + 6 * HOUR, D + 7 * HOUR, "x")]
    gap = daily_states(history, registry, records, twins, start, end).twins["crane-1"][0]
    assert gap[State.UNKNOWN] >= HOUR
    assert daily_states(history, registry, records, twins, D, D).days == []


def test_a_thousand_machines_are_read_in_a_few_reads():
    many = [twin(f"crane-{n}", "machine", "crane@1") for n in range(1000)]
    history, records, registry = plant(twins=many)
    for one in many:
        history.add(one.id, "execution", (D, "ACTIVE"), (D + HOUR, "READY"))
    answer = daily_states(history, registry, records, many, D, D + 2 * DAY)
    assert answer.twins["crane-7"] == [{State.PRODUCING: HOUR, State.STANDBY: 23 * HOUR}, {State.STANDBY: DAY}]
    assert len(history.reads) <= 4


def test_alarms_of_a_line_newest_first_with_figures():
    history, records, registry = plant()
    history.add("mill-1", "system", (D, "fault|1|||HOT"), (D + MINUTE, "normal|1||"))
    history.add("mill-2", "system", (D + HOUR, "warning|2|||LOW OIL"))
    answer = list_alarms(history, registry, records, registry.by_id("line-1"), D, D + 2 * HOUR)
    assert [(a.twin, a.alarm.code, a.alarm.end) for a in answer.items] == [
        ("mill-2", "2", None),
        ("mill-1", "1", D + MINUTE),
    ]
    assert answer.figures.count == 2
    ended = list_alarms(history, registry, records, registry.by_id("line-1"), D, D + 2 * HOUR, active=False)
    assert [a.alarm.code for a in ended.items] == ["1"]
