"""Availability by named formulas: oracles, and the documented table against the code."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.availability import FORMULAS, availability, availability_by_words, formula, state_totals
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import HOUR, parse_instant
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import Observation
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import series_of

ROOT = Path(__file__).parents[3]
EN_HOURS = {
    State.PRODUCING: 500 * HOUR,
    State.STANDBY: 60 * HOUR,
    State.EXTERNAL: 20 * HOUR,
    State.REPAIR: 20 * HOUR,
    State.PREVENTIVE: 40 * HOUR,
}
VDI_HOURS = {
    State.PRODUCING: 80 * HOUR,
    State.STANDBY: 10 * HOUR,
    State.STARVED: 5 * HOUR,
    State.FAILED: 3 * HOUR,
    State.REPAIR: 1 * HOUR,
    State.PREVENTIVE: 1 * HOUR,
}


@pytest.mark.parametrize(
    ("key", "hours", "percent"),
    [
        ("en15341-m10@1", EN_HOURS, 96.67),
        ("en15341-m12@1", EN_HOURS, 96.15),
        ("en15341-pha8@1", EN_HOURS, 89.29),
        ("vdi3423@1", VDI_HOURS, 96.0),
        ("vdi3423-use@1", VDI_HOURS, 80.0),
        ("iso22400@1", {State.PRODUCING: 360 * HOUR, State.SETUP: 30 * HOUR, State.STANDBY: 90 * HOUR}, 75.0),
    ],
)
def test_oracles_of_each_formula(key, hours, percent):
    figure = availability(key, hours)
    assert figure.value is not None
    assert round(figure.value * 100, 2) == percent
    assert figure.formula == key


def test_terms_are_named_as_in_the_formula():
    assert availability("en15341-m10@1", EN_HOURS).terms["TTR"] == 20 * HOUR
    terms = availability("vdi3423@1", VDI_HOURS).terms
    assert {name: ns // HOUR for name, ns in terms.items()} == {"TB": 100, "TN": 80, "TO": 15, "TT": 4, "TW": 1}


def test_what_cannot_be_divided_is_undefined_with_a_reason():
    for hours, reason in (
        ({}, "no-time"),
        ({State.UNKNOWN: HOUR}, "all-unknown"),
        ({State.PLANNED_STOP: HOUR}, "no-required-time"),
    ):
        figure = availability("iso22400@1", hours)
        assert (figure.value, figure.reason) == (None, reason)
    with pytest.raises(InvalidInputError, match="iso22400@1"):
        formula("iso22400")


@given(st.dictionaries(st.sampled_from(list(State)), st.integers(0, 10**18)), st.integers(1, 1000))
def test_every_figure_is_a_share_of_known_time_and_does_not_depend_on_the_unit(hours, factor):
    for key in FORMULAS:
        figure = availability(key, hours)
        assert figure.unknown == hours.get(State.UNKNOWN, 0)
        assert figure.denominator <= sum(ns for s, ns in hours.items() if s is not State.UNKNOWN)
        if figure.value is not None:
            assert 0 <= figure.value <= 1
            assert availability(key, {s: ns * factor for s, ns in hours.items()}).value == figure.value


def test_the_documented_table_is_what_the_code_does():
    lines = (ROOT / "docs/concepts/state.md").read_text("utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    header = next(row for row in table if row[0] == "state")
    documented = {row[0].strip("`"): row[1:] for row in table if row[0].strip("`") in set(State)}
    assert set(documented) == set(State)
    for column, key in enumerate(header[1:]):
        name = key.strip("`")
        if name not in FORMULAS:
            continue
        for state in State:
            terms = {t for t, states in FORMULAS[name].terms.items() if state in states}
            cell = documented[state][column]
            written = set() if cell == "-" else {t.strip() for t in cell.split(",")}
            assert written == terms, f"{state} under {name}"
    assert {h.strip("`") for h in header[1:]} >= set(FORMULAS)


def test_totals_inside_planned_time_are_exact():
    intervals = [StateInterval(0, 10, State.PRODUCING), StateInterval(10, 30, State.FAILED)]
    assert state_totals(intervals, Spans.of([(5, 12), (20, 21)])) == {State.PRODUCING: 5, State.FAILED: 3}
    assert state_totals(intervals) == {State.PRODUCING: 10, State.FAILED: 20}


def test_one_recording_gives_three_availabilities_under_three_definitions():
    data = Path(os.environ.get("SERVITWIN_SHARED_DATA", ROOT / "../shared/data"))
    path = data / "nist_sms_mtconnect/events/Mazak01.csv.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there: the NIST recording comes separately")
    definition = SignalDefinition("execution", "text")
    words = {"ACTIVE": State.PRODUCING, "READY": State.STANDBY, "STOPPED": State.STANDBY}
    words |= {"INTERRUPTED": State.FAILED, "FEED_HOLD": State.FAILED}
    rules = tuple(StateRule((SignalTest("execution", equals=(word,)),), state) for word, state in words.items())
    mapping = StateMapping(rules, word="execution", needs=("execution",))
    mazak = MachineType("mazak", 1, signals=(definition,), states=mapping)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        observed = [
            Observation(parse_instant(row["timestamp"]), None if row["value"] == "UNAVAILABLE" else row["value"])
            for row in csv.DictReader(file)
            if row["dataitem"] == "execution"
        ]
    start, end = observed[0].time, parse_instant("2019-01-01T00:00:00Z")
    intervals = derive_states(mazak, {"execution": series_of(observed, definition)}, [], start, end)
    assert sum(i.duration for i in intervals) == end - start

    def percent(*good: str) -> float:
        value = availability_by_words(intervals, frozenset(good), "custom@1").value
        assert value is not None
        return round(value * 100, 1)

    assert percent("ACTIVE", "READY", "STOPPED") == 96.8
    assert percent("ACTIVE", "READY") == 62.3
    assert percent("ACTIVE") == 13.7
    unknown = state_totals(intervals)[State.UNKNOWN]
    assert int(unknown / (end - start) * 100) == 88
