"""What the service anomaly says of bad data: nothing is made up, nothing is lost, nothing stops."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec
import pytest

from servitwin.domain.instant import HOUR, MINUTE
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.sdk.checks.evaluator import run_in_steps
from servitwin.sdk.discovery import Plugin, plugins
from servitwin.sdk.service import Outcome, TwinView

PLUGIN: Plugin = next(p for p in plugins("service") if p.name == "anomaly")
TYPE = MachineType(
    "oven", 1, signals=(
        SignalDefinition("heat", unit="Cel", title="Heat of the oven"),
        SignalDefinition("flow", unit="l/min", reporting=Reporting("periodic", 5 * MINUTE)),
    ),
)  # fmt: skip
VIEW = TwinView(Twin("019a0000-0000-7000-8000-000000000009", "oven-1", "machine"), TYPE)
PARAMETERS = {"every": "1m", "learn": "1h"}
END = 4 * HOUR
Value = float | str | bool | None


def series(value: Callable[[int, float], Value], level: float = 180.0, seed: int = 1) -> list[Observation]:
    rng = random.Random(seed)
    calm = [(t, level + rng.gauss(0, 1)) for t in range(0, END, 20_000_000_000)]
    return [Observation(t, value(t, v), seq=i) for i, (t, v) in enumerate(calm)]


def run(heat: list[Observation], flow: list[Observation] | None = None, view: TwinView = VIEW) -> Outcome:
    flow = series(lambda _, v: v, 30.0, 2) if flow is None else flow
    marks = [END * n // 48 for n in range(1, 49)]
    return run_in_steps(PLUGIN.evaluator(), view, PARAMETERS, {"heat": heat, "flow": flow}, marks, reopen=True)


def told(outcome: Outcome) -> list[tuple[str, str, int]]:
    first = {f.key: f for f in reversed(outcome.findings)}
    return sorted((f.code, f.signals[0].signal, f.start // MINUTE) for f in first.values())


def test_a_sensor_that_is_stuck_is_named_and_the_other_signal_is_judged_on() -> None:
    heat = series(lambda t, v: 181.25 if t >= 2 * HOUR else v)
    flow = series(lambda t, v: v - 15 if t >= 3 * HOUR else v, 30.0, 2)
    outcome = run(heat, flow)
    (deviates, by, at), (stuck, which, since) = told(outcome)
    assert (stuck, which) == ("anomaly:stuck", "heat") and 130 <= since <= 132
    assert (deviates, by, at) == ("anomaly:deviates", "flow", 180)
    assert any("sensor stuck?" in f.text and "Heat of the oven" in f.text for f in outcome.findings)


def test_a_jump_by_a_known_factor_is_said_to_be_a_likely_change_of_unit() -> None:
    outcome = run(series(lambda t, v: v * 9 / 5 + 32 if t >= 2 * HOUR else v))
    last = outcome.findings[-1]
    assert told(outcome) == [("anomaly:deviates", "heat", 120)]
    assert any("[degF]" in hint for hint in last.hints)
    plain = run(series(lambda t, v: v + 25 if t >= 2 * HOUR else v))
    assert told(plain) == [("anomaly:deviates", "heat", 120)] and not any(f.hints for f in plain.findings)


def test_a_unit_that_changes_with_the_version_of_the_type_is_learnt_anew_and_no_anomaly() -> None:
    change = MachineChange(2 * HOUR, "type", "oven@1 became oven@2")
    view = msgspec.structs.replace(VIEW, changes=(change,))
    outcome = run(series(lambda t, v: v * 9 / 5 + 32 if t >= 2 * HOUR else v), view=view)
    assert outcome.findings == []
    models = [r["anomaly_model"] for r in outcome.results if "anomaly_model" in r]
    assert [(m["version"], m["state"]) for m in models] == [
        (1, "learning"), (1, "learnt"), (2, "learning"), (2, "learnt"),
    ]  # fmt: skip
    assert models[-1]["because"] == "type: oven@1 became oven@2"


def test_a_machine_of_an_unknown_type_is_not_watched_unless_signals_are_named() -> None:
    view = msgspec.structs.replace(VIEW, type=None)
    assert run(series(lambda _, v: v), view=view) == Outcome()
    marks = [END]
    named = {**PARAMETERS, "signals": ["heat"]}
    heat = {"heat": series(lambda t, v: v + 25 if t >= 2 * HOUR else v)}
    outcome = run_in_steps(PLUGIN.evaluator(), view, named, heat, marks)
    assert told(outcome) == [("anomaly:deviates", "heat", 120)]


@pytest.mark.parametrize("value", [None, "UNAVAILABLE", math.nan, True])
def test_what_is_no_number_teaches_nothing_and_the_reason_is_told(value: Value) -> None:
    nothing = series(lambda _, __: value)
    outcome = run(nothing, nothing)
    failed = [r["anomaly_model"] for r in outcome.results if r.get("anomaly_model", {}).get("state") == "failed"]
    assert outcome.findings == [] and failed
    assert {f["code"] for m in failed for f in m["failed"]} == {"anomaly:signal-unknown"}


def test_one_signal_that_is_never_a_number_leaves_the_other_one_watched() -> None:
    flow = series(lambda t, v: v - 15 if t >= 3 * HOUR else v, 30.0, 2)
    outcome = run(series(lambda _, __: None), flow)
    assert told(outcome) == [("anomaly:deviates", "flow", 180)]
    learnt = next(r["anomaly_model"] for r in outcome.results if r["anomaly_model"]["state"] == "learnt")
    assert [(f["code"], f["where"]) for f in learnt["left_out"]] == [("anomaly:signal-unknown", "heat")]


def test_a_clock_that_jumps_ahead_for_hours_makes_no_anomaly_and_no_flood_of_bins() -> None:
    """Between 1:30 and 3:30 nothing was heard: the clock was set ahead, or the machine was away."""
    heat = [o for o in series(lambda _, v: v) if not 90 * MINUTE <= o.time < 210 * MINUTE]
    flow = [o for o in series(lambda _, v: v, 30.0, 2) if not 90 * MINUTE <= o.time < 210 * MINUTE]
    outcome = run(heat, flow)
    assert [f for f in outcome.findings if f.code == "anomaly:deviates"] == []


def test_a_clock_that_was_set_back_gives_one_value_a_time_and_the_last_holds() -> None:
    heat = series(lambda _, v: v)
    again = [Observation(o.time - 30 * MINUTE, o.value, seq=o.seq + 10_000) for o in heat if o.time >= 2 * HOUR]
    merged = {o.time: o for o in (*heat, *again)}  # as history reads: the last of a time counts
    outcome = run(sorted(merged.values(), key=lambda o: o.time))
    assert [f for f in outcome.findings if f.code == "anomaly:deviates"] == []
