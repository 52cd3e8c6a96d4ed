"""Time in states of many machines at once equals the intervals of each, to the last nanosecond."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain import state_time_fleet
from servitwin.domain.machine_type import MachineType, StateMapping
from servitwin.domain.observation import Observation, Quality
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State, clip, totals
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.state_time_fleet import time_in_states_of_many
from servitwin.domain.state_time_track import series_of
from tests.unit.time_of_state.test_derive_states import MILL, as_observations, as_series, gap_lists, observations

NO_NEED = MachineType("mill", 2, signals=MILL.signals, states=StateMapping(MILL.states.rules, word="load"))
fleets = st.lists(st.tuples(observations, gap_lists, st.integers(0, 5)), max_size=7)


def machines_of(fleet, scale=1, offset=0):
    machines = []
    for said, gaps, left_out in fleet:
        rows = [(n, t * scale + offset, v, q) for n, t, v, q in said if left_out != 1 or n != "_connection"]
        series = as_series(as_observations(rows))
        if left_out == 2:
            del series["load"]
        if left_out == 3:  # read as another kind than the type says
            series["load"] = series_of([Observation(offset, "high")], SignalDefinition("load", "text"))
        if left_out == 4:  # never offline, so that most are derived together
            del series["_connection"]
        moved = [type(g)(g.start * scale + offset, g.end * scale + offset, g.reason) for g in gaps]
        machines.append((series, moved))
    return machines


def check(machine_type, machines, edges):
    found = time_in_states_of_many(machine_type, machines, edges)
    assert len(found) == len(machines)
    for (series, gaps), sums in zip(machines, found, strict=True):
        intervals = derive_states(machine_type, series, gaps, edges[0], edges[-1])
        for (a, b), own in zip(itertools.pairwise(edges), sums, strict=True):
            assert own == totals(clip(intervals, a, b))
            assert sum(own.values()) == b - a


@given(fleet=fleets, inner=st.sets(st.integers(1, 199), max_size=4), kind=st.sampled_from([MILL, NO_NEED]))
@settings(max_examples=100)
def test_sums_of_many_are_those_of_each(fleet, inner, kind):
    check(kind, machines_of(fleet), [0, *sorted(inner), 200])


@given(fleet=fleets)
@settings(max_examples=30)
def test_a_range_too_long_for_one_axis_is_taken_in_parts(fleet):
    century, start = 10**16, 1_700_000_000_000_000_000
    machines = machines_of(fleet, century, start)
    check(MILL, machines, [start, start + 77 * century, start + 150 * century])


def test_a_type_without_states_is_unknown_for_each():
    bare = MachineType("bare", 1)
    check(bare, [({}, ()), ({}, ())], [0, 5, 9])


def test_machines_that_were_read_as_declared_are_not_derived_one_by_one(monkeypatch):
    """Guards the speed: a fleet whose signals are silent or plain takes one pass."""
    monkeypatch.setattr(state_time_fleet, "time_in_states", None)
    machine = as_series(as_observations([("execution", 10, "ACTIVE", Quality.GOOD)]))
    machine["load"] = series_of([], SignalDefinition("load", "text"))  # silent: its kind was not told
    assert [s[0] for s in time_in_states_of_many(MILL, [(machine, ()), (machine, ())], [0, 30])] == [
        {State.UNKNOWN: 10, State.STARVED: 20}
    ] * 2
