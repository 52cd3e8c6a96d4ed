"""Files that are wrong, and models that are wrong though their files are right."""

import json
import time

import pytest

from servitwin.formats.controller_file import read_controller
from servitwin.proof.controller.check import Check

# Budgets count processor time: a busy machine makes these slow, not wrong.
pytestmark = pytest.mark.timeout(1200)

GOOD = {
    "controller": "c", "version": 1, "tick": "10ms", "inputs": {"go": "flag", "n": {"range": [0, 3]}},
    "variables": {"count": {"range": [0, 5]}, "mode": {"values": ["auto", "hand"]}}, "timers": {"t": "50ms"},
    "initial": "a", "states": {"a": {"transitions": [{"to": "b", "when": "go"}]}, "b": {"transitions": [{"to": "a"}]}},
    "properties": {"p": {"text": "x", "always": "count < 6"}},
}  # fmt: skip


def changed(**changes):
    return {**GOOD, **changes}


def faults(data):
    found, told = read_controller(json.dumps(data) if isinstance(data, dict) else data, "c.yaml")
    assert (found is None) == bool(told)
    return told


def report(data, seconds=60):
    controller, told = read_controller(json.dumps(data))
    assert told == []
    return Check(controller).report(time.process_time, seconds=seconds)


def test_the_good_file_is_good():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(initial="c"), "controller:state-unknown"), (changed(tick="0s"), "controller:tick"),
        (changed(variables={"count": {"range": [5, 0]}}), "controller:range-empty"),
        (changed(variables={"count": {"range": [0, 5], "initial": 9}}), "controller:value-outside"),
        (changed(variables={"count": {}}), "controller:no-range"), (changed(timers={"t": "15ms"}),
        "expression:not-whole-ticks"),
        (changed(timers={"t": 0}), "file:out-of-range"), (changed(inputs={"a": "flag"}), "controller:name-twice"),
        (changed(inputs={"count": "flag"}), "controller:name-twice"), (changed(inputs={"and": "flag"}),
        "controller:name-twice"),
        (changed(events=["x", "x"]), "controller:name-twice"), (changed(regions={"r": GOOD}), "file:unknown-key"),
        (changed(properties={"p": {"text": "x"}}), "controller:property-form"),
        (changed(properties={"p": {"text": "x", "always": "go", "within": 3}}), "controller:property-form"),
        (changed(properties={"p": {"text": "x", "always": "cuont < 6"}}), "expression:unknown-name"),
        (changed(assume=["go and"]), "expression:syntax"), (changed(observe={"z": "s"}), "controller:observe-unknown"),
        (changed(observe={"mode": {"signal": "s", "values": {"A": "automatic"}}}), "controller:value-outside"),
        (changed(states={}), "file:empty"), ({k: v for k, v in GOOD.items() if k != "states"}, "controller:no-states"),
        (changed(states={"a": {"transitions": [{"to": "b", "event": "tap"}]}, "b": None}), "controller:event-unknown"),
        (changed(states={"a": {"transitions": [{"to": "z"}]}}), "controller:state-unknown"),
        (changed(states={"a": {"entry": "count := n"}}), "controller:initial-reads-input"),
        (changed(variables={"count": {"range": [0, 10**12]}}), "file:out-of-range"),
        (changed(variables={"count": {"range": [0, float("nan")]}}), "file:wrong-type"),
        ("controller: c\nversion: 1\nversion: 2\n", "yaml:duplicate-key"), ("[" * 100, "yaml:too-deep"),
        ("", "yaml:empty"),
        ("x" * 1_100_000, "yaml:too-large"), ("3", "file:wrong-type"), ("controller: [1]\nversion: x\n",
        "file:wrong-type"),
    ],
)  # fmt: skip
def test_faults(data, code):
    told = faults(data)
    assert code in [f.code for f in told], told
    assert all(f.line is not None or f.code in {"yaml:too-large", "yaml:empty"} for f in told)


def test_a_fault_in_an_expression_points_at_its_character_in_the_file():
    text = "controller: c\nversion: 1\ninitial: a\nstates:\n  a:\n    transitions:\n      - {to: a, when: 'not gp'}\n"
    fault = next(f for f in faults(text) if f.code == "expression:unknown-name")
    line = text.splitlines()[fault.line - 1]
    assert line[fault.column - 1 :].startswith("gp")


def test_two_regions_may_not_write_one_variable():
    one = {"initial": "a", "states": {"a": {"transitions": [{"do": "count := 1"}]}}}
    two = {"initial": "b", "states": {"b": {"transitions": [{"do": "count := 2"}]}}}
    data = {"controller": "c", "version": 1, "variables": {"count": {"range": [0, 5]}}, "regions": {"x": one, "y": two}}
    assert [f.code for f in faults(data)] == ["controller:written-twice"]


def test_defects_of_a_model_are_found_and_shown():
    states = {
        "a": {"transitions": [{"to": "b", "when": "go"}, {"to": "c", "when": "go and n == 3"},
                              {"to": "d", "when": "count > 5 and not go", "priority": 2}]},
        "b": {"transitions": [{"to": "a", "do": "count := count + 2"}]},
        "c": {"transitions": [{"to": "c", "when": "false"}]},
        "d": None,
    }  # fmt: skip
    data = changed(states=states, properties={
        "vacuous": {"text": "", "whenever": "count == 9", "then": "go", "within": 2},
        "also": {"text": "", "always": "state is d -> go"},
    })  # fmt: skip
    found = report(data)
    told = {(f.kind, f.subject) for f in found.findings}
    assert ("state-unreachable", "state.d") in told
    assert ("property-vacuous", "vacuous") in told
    assert ("property-vacuous", "also") in told
    assert ("out-of-range", "count") in told
    assert ("deadlock", "c") in told
    assert ("transition-never-taken", "state: c -> c") in told
    assert any(f.kind == "non-deterministic" for f in found.findings)
    assert all((f.proof is None) != (f.counterexample is None) for f in found.findings)
    assert all(a.outcome == "proven" and a.vacuous for a in found.answers)
    assert all("says nothing" in a.note for a in found.answers)


def test_assumptions_that_stop_the_world_are_pointed_out():
    found = report(changed(assume=["state is a"]))
    assert "world-stops" in {f.kind for f in found.findings}


def test_saturating_and_final_states_are_meant():
    data = changed(
        variables={"count": {"range": [0, 5], "saturates": True}, "mode": {"values": ["auto", "hand"]}},
        states={"a": {"transitions": [{"to": "b", "do": "count := count + 9"}]}, "b": {"final": True}},
    )
    assert report(data).findings == ()


def test_without_time_nothing_is_claimed():
    controller, _ = read_controller(json.dumps(GOOD))
    for arguments in ({"seconds": 0.0}, {"seconds": -1.0}, {"seconds": 60.0, "cancel": lambda: True}):
        answer = Check(controller).report(time.process_time, **arguments).answers[0]
        assert (answer.outcome, answer.depth) == ("no violation up to depth", -1)
        assert "Nothing is known" in answer.note


def test_a_deep_violation_is_not_called_proven_when_depth_and_time_are_short():
    states = {"a": {"transitions": [{"when": "count < 900", "do": "count := count + 1"}]}}
    data = changed(
        variables={"count": {"range": [0, 1000]}},
        states=states,
        properties={"p": {"text": "", "never": "count == 900"}},
    )
    controller, told = read_controller(json.dumps(data))
    assert told == []
    answer = Check(controller).report(time.process_time, seconds=3, depth=10, defects=False).answers[0]
    assert answer.outcome == "no violation up to depth"
    assert answer.depth < 900


def test_huge_ranges_and_bounds_take_no_time_beyond_the_budget():
    """Nothing is written out that is long: not a range, not a bound of a response, not a timer."""
    variables = {f"v{i}": {"range": [-(10**9), 10**9], "initial": "any"} for i in range(20)}
    properties = {
        "p": {"text": "", "whenever": "v0 == 1", "then": "v1 == 2", "within": 1_000_000},
        "q": {"text": "", "never": "v0 + v1 + v2 == 4000000000"},
    }
    data = changed(variables=variables, timers={"t": 10**9}, properties=properties)
    began = time.process_time()
    found = report(data, seconds=5)
    assert time.process_time() - began < 60
    assert [a.outcome for a in found.answers] == ["no violation up to depth", "proven"]
