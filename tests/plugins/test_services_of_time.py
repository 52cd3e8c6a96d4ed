"""Services of time: whatever the steps and the order of arrival within them, the outcome is history's answer."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.availability import availability, state_totals
from servitwin.domain.calendar import ShiftInterval
from servitwin.domain.calendar_shift import planned_spans
from servitwin.domain.instant import MINUTE, NS
from servitwin.domain.machine_type import MachineType, Production, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import CONNECTION, Observation, Quality
from servitwin.domain.oee import oee_of, oee_terms
from servitwin.domain.oee_counter import parts_of
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.state_time import Gap, State, StateInterval
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Twin
from servitwin.sdk.service import Outcome, ServiceBatch, TwinView
from servitwin.services.operation.availability import plugin as availability_plugin
from servitwin.services.operation.oee import plugin as oee_plugin
from servitwin.services.operation.state_time import plugin as state_plugin

STEP = MINUTE // 4  # observations fall on quarters of a minute, so that times and window ends meet
SIGNALS = (
    SignalDefinition("execution", "text", reporting=Reporting(max_gap=30 * STEP)),
    SignalDefinition("system", "condition"),
    SignalDefinition("total", "number", "1"),
    SignalDefinition("good", "number", "1"),
    SignalDefinition("product", "text"),
)
RULES = (
    StateRule((SignalTest("system", equals=("fault",)),), State.FAILED, "fault"),
    StateRule((SignalTest("execution", equals=("ACTIVE",)),), State.PRODUCING),
    StateRule((SignalTest("execution", equals=("STOP",)),), State.PLANNED_STOP),
)
MILL = MachineType(
    "mill",
    1,
    signals=SIGNALS,
    states=StateMapping(RULES, word="execution", needs=("execution",), otherwise=State.STANDBY),
    production=Production("total", "good", "", "product", {"": 7.0, "a": 3.0}),
)
DEFINITIONS = {**{s.name: s for s in SIGNALS}, CONNECTION: SignalDefinition(CONNECTION, "text")}
VALUES: dict[str, list[Any]] = {
    "execution": ["ACTIVE", "STOP", "READY", None],
    "system": ["fault|7||", "fault|9||", "warning|7||", "normal|7||", "normal||||", "unavailable||||", None],
    "total": [0.0, 1.0, 2.0, 3.0, 5.0, 9.0, -1.0, None],
    "good": [0.0, 1.0, 2.0, 4.0, None],
    "product": ["a", "b", None],
    CONNECTION: ["online", "offline", "offline"],
}
END = 240
rows_of = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.integers(0, END - 1),
            st.sampled_from(VALUES[name]),
            st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.BAD]),
        )
    ),
    max_size=50,
)
marks_of = st.lists(st.integers(1, END * 2), max_size=8)
gaps_of = st.lists(st.tuples(st.integers(0, END), st.integers(1, 30)), max_size=2)
SHIFTS = (ShiftInterval("early", "d", 20 * STEP, 150 * STEP, ((60 * STEP, 70 * STEP),)),)


def run(plugin: Any, view: TwinView, parameters: dict[str, Any], named: list[Any], marks: list[int]) -> Outcome:
    """Through a snapshot at every mark, with the observations of each step in any order."""
    total = Outcome()
    snapshot = None
    last = -(2**62)
    for mark in sorted({*marks, END * STEP}):
        batch: dict[str, list[Observation]] = {}
        for name, o in named:
            if last <= o.time < mark:
                batch.setdefault(name, []).append(o)
        for observations in batch.values():
            random.Random(mark).shuffle(observations)
        evaluator = plugin.open(view, parameters, snapshot)
        outcome = evaluator.step(ServiceBatch(batch), mark)
        total.results += outcome.results
        for meter, amount in outcome.usage.items():
            total.usage[meter] = total.usage.get(meter, 0.0) + amount
        snapshot = evaluator.snapshot()
        last = mark
    return total


def observed(rows: list[Any]) -> list[tuple[str, Observation]]:
    return [(name, Observation(t * STEP, v, q, seq=i)) for i, (name, t, v, q) in enumerate(rows)]


def history(named: list[Any], gaps: list[Gap], start: int, end: int) -> list[StateInterval]:
    series = {n: series_of([o for name, o in named if name == n], d) for n, d in DEFINITIONS.items()}
    return derive_states(MILL, series, gaps, start, end)


def declared(pairs: list[tuple[int, int]]) -> list[Gap]:
    return [Gap(a * STEP, (a + n) * STEP, "declared") for a, n in pairs]


@settings(max_examples=60, deadline=None)
@given(rows_of, gaps_of, marks_of)
def test_state_time_in_any_steps_is_the_answer_of_history(rows, gaps, marks):
    named = observed(rows)
    view = TwinView(Twin("u", "mill-1", "machine"), MILL, tuple(declared(gaps)))
    outcome = run(state_plugin, view, {"from": 0}, named, [m * STEP // 2 for m in marks])
    whole = history(named, declared(gaps), 0, END * STEP)
    found = [r["state_interval"] for r in outcome.results]
    assert [(f["from"], f["to"], f["state"], f["word"], f["cause"], f["reason"]) for f in found] == [
        (i.start, i.end, i.state.value, i.word, i.cause, i.reason) for i in whole[:-1]
    ]
    assert abs(outcome.usage["machine_hours"] - END * STEP / (3600 * NS)) < 1e-9


@settings(max_examples=50, deadline=None)
@given(rows_of, gaps_of, marks_of, st.sampled_from([(), SHIFTS]))
def test_availability_and_oee_in_any_steps_are_the_answers_of_history(rows, gaps, marks, shifts):
    named = observed(rows)
    view = TwinView(Twin("u", "mill-1", "machine"), MILL, tuple(declared(gaps)), shifts)
    parameters = {"from": 0, "every": "10m"}
    steps = [m * STEP // 2 for m in marks]
    figures = [r["availability"] for r in run(availability_plugin, view, parameters, named, steps).results]
    oees = [r["oee"] for r in run(oee_plugin, view, parameters, named, steps).results]
    edges = list(range(0, END * STEP + 1, 10 * MINUTE))
    assert [f["to"] for f in figures] == edges[1:]
    assert [f["to"] for f in oees] == edges[1:-1], "the end of the last window is not certain yet"
    series = {n: series_of([o for name, o in named if name == n], d) for n, d in DEFINITIONS.items()}
    parts = parts_of(MILL.production, series)
    for place, (start, end) in enumerate(pairwise(edges)):
        intervals = history(named, declared(gaps), start, end)
        planned = planned_spans(shifts, start, end) if shifts else None
        figure = availability("iso22400@1", state_totals(intervals, planned))
        assert figures[place]["value"] == figure.value
        assert figures[place]["unknown_s"] == figure.unknown / NS
        if place < len(oees):
            cycles = MILL.production.ideal_cycle_s
            terms = oee_terms(intervals, parts, cycles, planned, Spans.of([(start, end)]))
            expected = oee_of(terms)
            found = oees[place]
            assert (found["made"], found["good"]) == (terms.made, terms.good)
            assert (found["oee"], found["performance"], found["flags"]) == (
                expected.oee,
                expected.performance,
                list(expected.flags),
            )


def test_memory_does_not_grow_with_what_is_over():
    view = TwinView(Twin("u", "mill-1", "machine"), MILL, (), SHIFTS)
    sizes = []
    for plugin in (state_plugin, availability_plugin, oee_plugin):
        evaluator = plugin.open(view, {}, None)
        for n in range(300):
            at = n * STEP
            batch = {
                "execution": [Observation(at, "ACTIVE" if n % 2 else "READY", seq=n)],
                "system": [Observation(at, f"fault|{n % 3}||" if n % 5 else "normal||||", seq=n)],
                "total": [Observation(at, float(n), seq=n)],
                CONNECTION: [Observation(at, "offline" if n % 7 else "online", seq=n)],
            }
            evaluator.step(ServiceBatch(batch), at + 1)
        sizes.append(len(evaluator.snapshot()))
    assert max(sizes) < 6000, "a snapshot holds what still counts, not what was"


def test_absurd_parameters_are_all_told():
    faults = availability_plugin.check({"formula": 3, "every": "0s", "from": {}, "colour": "red"})
    assert {f.code for f in faults} == {
        "formula:unknown",
        "duration:out-of-range",
        "time:not-rfc3339",
        "availability:parameter-unknown",
    }
    assert oee_plugin.check({}) == []
    assert msgspec.json.encode([list(state_plugin.check({"from": "2026-01-01T00:00:00Z"}))]) == b"[[]]"
