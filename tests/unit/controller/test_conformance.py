"""What recordings say of a model: the test bed's machine tools, and hand-made ones."""

import json
import time
from pathlib import Path

import pytest

from servitwin.connectors.recorded.plugin import open_recording
from servitwin.domain.instant import NS
from servitwin.formats.controller_file import read_controller
from servitwin.proof.controller.bound import Bound
from servitwin.proof.controller.conformance import Conform, Seen, meaning
from tests.conftest import shared_data

# Budgets count processor time: a busy machine makes these slow, not wrong.
pytestmark = pytest.mark.timeout(1200)

EXAMPLE = Path(__file__).parents[3] / "examples" / "controllers" / "machine-tool-execution.yaml"
LAMP = {
    "controller": "lamp", "version": 1, "tick": "1s", "inputs": {"button": "flag"}, "timers": {"on": "3s"},
    "initial": "dark",
    "states": {"dark": {"transitions": [{"to": "lit", "when": "button", "do": "start on"}]},
               "lit": {"transitions": [{"to": "dark", "when": "expired(on)", "do": "stop on"}]}},
    "observe": {"state": {"signal": "lamp", "values": {"ON": "lit", "OFF": "dark"}}, "button": "button"},
}  # fmt: skip


def lamp(rows):
    controller, faults = read_controller(json.dumps(LAMP))
    assert faults == []
    lit_with_stopped_timer = (Bound("state", "==", 1), Bound("on", "<=", -1))  # an invariant: never together
    return Conform(controller, [lit_with_stopped_timer]).compare(
        [Seen(t * NS, s, v) for t, s, v in rows], 60, time.process_time
    )


def test_what_the_model_explains_and_what_not():
    rows = [
        (0, "lamp", "OFF"), (0, "button", False), (10, "button", True), (11, "lamp", "ON"), (12, "button", False),
        (15, "lamp", "OFF"), (60, "lamp", "ON"),  # nobody pressed the button
        (90, "lamp", None), (95, "lamp", "DIM"), (99, "lamp", "OFF"), (100, "other", 3),
    ]  # fmt: skip
    found = lamp(rows)
    assert (found.changes, found.explained, found.unknown) == (3, 2, 2)
    assert found.stays == found.stays_explained + 1 == 4  # lit for thirty seconds is longer than the timer allows
    assert found.states_seen == ("state.dark", "state.lit")
    assert len(found.transitions_seen) == found.transitions_of == 2
    told = {(u.before["state"], u.after["state"], u.first) for u in found.unexplained}
    assert told == {("dark", "lit", 60 * NS), ("lit", "lit", 60 * NS)}
    assert "2 of 3" in found.note


def test_disorder_and_repetition_change_nothing():
    rows = [(0, "lamp", "OFF"), (0, "button", True), (11, "lamp", "ON"), (30, "lamp", "OFF"), (31, "lamp", "OFF")]
    assert lamp(rows) == lamp(sorted(rows, key=lambda r: -r[0]))


def test_nothing_recorded_is_nothing_known():
    found = lamp([])
    assert (found.changes, found.states_seen, found.span_ns) == (0, (), 0)
    assert "nothing is known" in found.note


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2.5, "", "x", 1e300])
def test_odd_values_mean_nothing(value):
    controller, _ = read_controller(json.dumps(LAMP | {"variables": {"n": {"range": [0, 9]}}, "observe": {"n": "n"}}))
    assert meaning(controller.observe[0], controller.variables[0].range, value) is None


def test_execution_of_a_real_machine_tool():
    recording = open_recording("nist-sms", shared_data("nist_sms_mtconnect"))
    controller, faults = read_controller(EXAMPLE.read_text("utf-8"))
    assert faults == []
    seen = [
        Seen(line.time, line.signal, None if line.value == "UNAVAILABLE" else line.value)
        for line in recording.lines("gfagie01")
        if line.signal in ("execution", "mode")
    ]
    found = Conform(controller).compare(seen, 120, time.process_time)
    assert found.not_asked == 0
    assert found.changes > 200
    assert 0.85 < found.explained / found.changes < 1
    assert len(found.states_seen) == 3
    assert (
        sum(u.count for u in found.unexplained)
        == found.changes - found.explained + found.others - found.others_explained
    )
