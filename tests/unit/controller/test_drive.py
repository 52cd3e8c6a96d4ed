"""Driving a run into a model: its own way, its own version or another one, and what is judged of what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.controller_term import FLAG, Range, words_range
from servitwin.domain.error import InvalidInputError
from servitwin.proof.controller.drive import STEP, Drive, broken_at
from servitwin.proof.controller.report import Counterexample, Step
from servitwin.usecases.check_controller import ControllerText, read

EXAMPLES = Path(__file__).parents[3] / "examples" / "controllers"
DOOR = "no-turning-behind-an-open-door"
NOTHING = {"start": "false", "stop": "false", "request": "false", "pull": "false"}


def controller(name):
    return read(ControllerText((EXAMPLES / name).read_text("utf-8"), name))


def worded(text):
    return read(ControllerText(text, "test.yaml"))


def steps(*inputs, values=None, taken=()):
    """A run as data: the driver takes nothing of it but the beginning, the inputs and the choices."""
    found = [Step(i, values or {}, given, tuple(taken)) for i, given in enumerate(inputs)]
    return Counterexample(tuple(found), shortest=True, replayed=len(found))


def restart():
    """Inputs that lead the delivered interlock into its defect: start, stop, restart while it coasts, open."""
    told = [{**NOTHING, "start": "true"}, {**NOTHING, "stop": "true"}, {**NOTHING, "start": "true"}]
    told += [NOTHING] * 29
    return steps(*told, {**NOTHING, "request": "true"}, *[{**NOTHING, "request": "true", "pull": "true"}] * 2)


def property_of(of, name):
    return next(p for p in of.properties if p.name == name)


def driven(of, run):
    drive = Drive(of, run)
    positions = list(drive.positions())
    return drive, positions


def test_the_delivered_interlock_breaks_and_the_mended_one_keeps_under_the_same_inputs():
    delivered, mended = controller("mill-door.yaml"), controller("mill-door-mended.yaml")
    _, positions = driven(delivered, restart())
    assert broken_at(property_of(delivered, DOOR), [p.values for p in positions]) == len(positions) - 1
    assert positions[-1].signals["state.spindle"] == "turning"
    assert positions[-1].signals["state.door"] == "open"
    assert positions[-1].signals["door_state"] == "OPEN"
    _, positions = driven(mended, restart())
    assert len(positions) == len(restart().steps)
    assert broken_at(property_of(mended, DOOR), [p.values for p in positions]) is None


def test_what_was_recorded_reads_back_as_the_positions_that_were_shown():
    drive, positions = driven(controller("mill-door.yaml"), restart())
    rows = {p.index: p.signals for p in positions}
    assert drive.signals.trace(rows) == [p.values for p in positions]
    assert set(drive.signals.names) <= set(positions[0].signals)


def test_a_recording_ends_where_something_is_missing_or_is_no_value_of_the_model():
    drive, positions = driven(controller("mill-door.yaml"), restart())
    rows = {p.index: p.signals for p in positions}
    for wrong in ({**rows[7], "timer.coast": 99.0}, {**rows[7], "state.door": "ajar"}, {**rows[7], "timer.coast": 0.5}):
        assert len(drive.signals.trace({**rows, 7: wrong})) == 7
    without = {n: v for n, v in rows[7].items() if n != "input.pull"}
    assert len(drive.signals.trace({**rows, 7: without})) == 7
    assert len(drive.signals.trace({k: v for k, v in rows.items() if k != 7})) == 7


def test_a_changed_recording_is_judged_as_it_is_and_not_as_the_run_was():
    delivered = controller("mill-door.yaml")
    drive, positions = driven(delivered, restart())
    rows = {p.index: dict(p.signals) for p in positions}
    rows[len(rows) - 1]["state.spindle"] = "stopped"
    assert broken_at(property_of(delivered, DOOR), drive.signals.trace(rows)) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [({**NOTHING, "lift": "true"}, "lift"), ({"start": "true"}, "pull"), ({**NOTHING, "pull": "perhaps"}, "pull")],
)
def test_inputs_of_another_controller_are_refused_by_name(given, name):
    with pytest.raises(InvalidInputError) as caught:
        Drive(controller("mill-door.yaml"), steps(given))
    assert caught.value.fault.code == "controller:other-inputs"
    assert name in caught.value.fault.message


ASSUMED = """controller: gate
version: 1
inputs: {push: flag, locked: flag}
assume: [not (push and locked)]
variables: {count: {range: [0, 3], initial: any, saturates: true}}
regions:
  gate:
    initial: shut
    states:
      shut:
        transitions:
          - {to: open, when: push, do: count := count + 1, name: softly}
          - {to: open, when: push, do: count := count + 2, name: hard}
      open: {transitions: [{to: shut, when: not push}]}
properties:
  few: {text: few, always: count < 3}
"""


def test_inputs_that_the_world_never_sets_end_the_drive_with_the_step():
    run = steps({"push": "false", "locked": "true"}, {"push": "true", "locked": "true"}, values={"count": "0"})
    with pytest.raises(InvalidInputError) as caught:
        driven(worded(ASSUMED), run)
    assert caught.value.fault.code == "controller:inputs-not-allowed"
    assert "step 1" in caught.value.fault.message


@pytest.mark.parametrize(
    ("taken", "count"), [("gate: shut -> open [hard]", 3), ("gate: shut -> open [softly]", 2), ("else", 2)]
)
def test_the_beginning_and_the_choice_among_competing_transitions_are_those_of_the_run(taken, count):
    given = {"push": "true", "locked": "false"}
    of = worded(ASSUMED)
    _, positions = driven(of, steps(given, given, values={"count": "1"}, taken=[taken]))
    assert [p.values["count"] for p in positions] == [1, count]
    assert broken_at(of.properties[0], [p.values for p in positions]) == (1 if count == 3 else None)


CLASH = """controller: clash
version: 1
inputs: {connection: flag, step: {range: [0, 5]}}
regions:
  lamp: {initial: off, states: {off: {transitions: [{to: on, when: connection}]}, on: {}}}
observe:
  connection: {signal: state.lamp}
  step: {signal: run.step}
"""


def test_signals_of_the_machine_never_replace_those_of_the_model():
    told = {"connection": "true", "step": "4"}
    drive, positions = driven(worded(CLASH), steps(told, told))
    assert [p.signals[STEP] for p in positions] == [0.0, 1.0]
    assert [p.signals["state.lamp"] for p in positions] == ["off", "on"]
    assert drive.signals.trace({p.index: p.signals for p in positions}) == [p.values for p in positions]


RANGES = st.one_of(
    st.just(FLAG),
    st.integers(1, 8).map(lambda n: words_range(tuple(f"w{i}" for i in range(n)))),
    st.tuples(st.integers(-50, 50), st.integers(0, 90)).map(lambda r: Range("integer", r[0], r[0] + r[1])),
)


@given(RANGES, st.data())
def test_a_value_reads_back_as_it_is_shown_and_nothing_else_does(range, data):
    value = data.draw(st.integers(range.low, range.high))
    assert range.read(range.shown(value)) == value
    for other in ("", "w99", "True", str(range.high + 1000), "1.5", "nan"):
        assert range.read(other) is None
