"""Service anomaly with settings: regimes found in numbers, the same in any split, and what bad settings lead to."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.instant import HOUR, MINUTE
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.sdk.checks.evaluator import run_in_steps
from servitwin.sdk.discovery import Plugin, plugins
from servitwin.sdk.service import Outcome, ServiceBatch, TwinView

PLUGIN: Plugin = next(p for p in plugins("service") if p.name == "anomaly")
TYPE = MachineType(
    "mill", 1, signals=(
        SignalDefinition("load", unit="A"),
        SignalDefinition("heat", unit="Cel"),
        SignalDefinition("speed", unit="/min", reporting=Reporting("change", 15 * MINUTE)),
        SignalDefinition("mode", type="text"),
    ),
)  # fmt: skip
VIEW = TwinView(Twin("019a0000-0000-7000-8000-000000000009", "mill-1", "machine"), TYPE)
PARAMETERS = {"every": "1m", "learn": "4h", "settings": ["speed"]}
LEARNT, END = 4 * HOUR, 6 * HOUR
HALF = 30_000_000_000
Value = float | str | bool | None


def speed_at(time: int) -> float:
    """Ten minutes and a half at each of two speeds, so that changes fall within bins."""
    return 3000.0 if time // (21 * HALF) % 2 else 1200.0


def series(value: Callable[[int], Value], every: int = HALF, begin: int = 1_000_000_000) -> list[Observation]:
    return [Observation(t, value(t), seq=i) for i, t in enumerate(range(begin, END, every))]


def mill(speed: Callable[[int], Value] = speed_at, fault: Callable[[int], float] = lambda _: 0.0) -> dict[str, Any]:
    """``speed``: as reported; the signals follow the real one: load 20 +- 1 A slow, 60 +- 4 A fast."""
    rng = random.Random(1)
    fast = {t: speed_at(t) > 2000 for t in range(1_000_000_000, END, HALF)}
    load = series(lambda t: (rng.gauss(60, 4) if fast[t] else rng.gauss(20, 1)) + fault(t))
    heat = series(lambda t: rng.gauss(45, 0.3) if fast[t] else rng.gauss(30, 1.5))
    return {"load": load, "heat": heat, "speed": series(speed)}


def run(observations: Mapping[str, Any], steps: int = 24, **changed: Any) -> Outcome:
    marks = [END * n // steps for n in range(1, steps + 1)]
    return run_in_steps(PLUGIN.load(), VIEW, {**PARAMETERS, **changed}, observations, marks, reopen=steps > 1)


def models(outcome: Outcome) -> list[dict[str, Any]]:
    return [r["anomaly_model"] for r in outcome.results if "anomaly_model" in r]


def told(outcome: Outcome) -> list[tuple[str, str, int]]:
    first = {f.key: f for f in reversed(outcome.findings)}
    return sorted((f.code, f.signals[0].signal, f.start // MINUTE) for f in first.values())


def slow_fault(time: int) -> float:
    return 8.0 if time >= 5 * HOUR and speed_at(time) < 2000 else 0.0


def test_two_speeds_are_learnt_as_two_regimes_and_a_healthy_mill_is_quiet() -> None:
    outcome = run(mill())
    assert [m["state"] for m in models(outcome)] == ["learning", "learnt"]
    learnt = models(outcome)[-1]
    assert list(learnt["regimes"]) == ["speed 1200", "speed 3000"] and min(learnt["regimes"].values()) > 90
    assert [n["code"] for n in learnt["notes"]] == ["anomaly:settings-rare"] and learnt["left_out"] == []
    assert outcome.findings == []
    assert 1.6 < outcome.usage["machine_hours"] < 2.0  # bins in which the speed was changed are not judged


def test_a_load_that_is_normal_at_the_other_speed_is_told_at_this_one() -> None:
    outcome = run(mill(fault=slow_fault))
    assert told(outcome)[0][:2] == ("anomaly:deviates", "load")
    assert 300 <= told(outcome)[0][2] <= 312
    usual = outcome.findings[0].signals[0].usual
    assert usual is not None and abs(usual - 20) < 2
    assert run(mill(fault=slow_fault), settings=None).findings == []  # without settings it is hidden


@cache
def whole() -> Outcome:
    return run(wild(), steps=1)


def wild() -> dict[str, Any]:
    """Everything that may happen to a setting after the stretch was learnt, and a fault."""

    def speed(t: int) -> Value:
        minute = t // MINUTE
        odd: dict[int, Value] = {
            25: None,
            26: 5000.0,
            27: math.nan,
            28: "UNAVAILABLE",
            29: 1e308,
            30: -math.inf,
            31: True,
        }
        return odd.get(minute // 10, speed_at(t))

    return mill(speed, slow_fault)


@given(st.lists(st.integers(1, END), max_size=30), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_split_gives_the_same(cuts: list[int], reopen: bool) -> None:
    marks = [*sorted(set(cuts)), END]
    split = run_in_steps(PLUGIN.load(), VIEW, PARAMETERS, wild(), marks, reopen=reopen)
    assert (split.results, split.findings) == (whole().results, whole().findings)
    assert split.usage["machine_hours"] == pytest.approx(whole().usage["machine_hours"])


def test_a_speed_never_seen_is_not_judged() -> None:
    outcome = run(mill(lambda t: 5000.0 if t >= 5 * HOUR else speed_at(t), fault=slow_fault))
    assert outcome.findings == []
    assert 0.8 < outcome.usage["machine_hours"] < 1.0


@pytest.mark.parametrize("value", [None, "UNAVAILABLE", math.nan, True])
def test_a_setting_that_is_no_number_later_judges_nothing_and_makes_nothing_up(value: Value) -> None:
    outcome = run(mill(lambda t: value if t >= 5 * HOUR else speed_at(t), fault=slow_fault))
    assert outcome.findings == [] and 0.8 < outcome.usage["machine_hours"] <= 1.0


def test_a_setting_that_is_silent_holds_for_its_longest_gap_and_no_longer() -> None:
    """From 5:00 on nothing is heard of the speed: 1200 holds for a quarter of an hour."""
    observations = mill()
    observations["speed"] = [o for o in observations["speed"] if o.time < 5 * HOUR]
    outcome = run(observations)
    assert 1.0 < outcome.usage["machine_hours"] < 1.3


def test_a_setting_that_is_stuck_shows_in_the_signals() -> None:
    outcome = run(mill(lambda t: 1200.0 if t >= 5 * HOUR else speed_at(t)))
    assert told(outcome)[0][0] == "anomaly:deviates" and 300 <= told(outcome)[0][2] <= 322


@pytest.mark.parametrize("value", [None, "fast", math.nan])
def test_a_setting_that_never_was_a_number_teaches_nothing_and_is_named(value: Value) -> None:
    outcome = run(mill(lambda _: value))
    [failed] = [m for m in models(outcome) if m["state"] == "failed"]
    assert [(f["code"], f["where"]) for f in failed["failed"]] == [("anomaly:setting-unknown", "speed")]
    observations = mill()
    del observations["speed"]
    assert [m["state"] for m in models(run(observations))] == ["learning", "failed", "learning"]


def test_a_setting_that_is_constant_is_one_regime_and_another_value_is_not_judged() -> None:
    outcome = run(mill(lambda t: 1200.0 if t < 5 * HOUR else 1500.0))
    assert list(models(outcome)[-1]["regimes"]) == ["speed 1200"]
    assert [n["code"] for n in models(outcome)[-1]["notes"]] == ["anomaly:setting-constant", "anomaly:not-judged"]
    assert 0.9 < outcome.usage["machine_hours"] <= 1.0


def test_a_setting_that_is_judged_too_is_judged_within_its_regime() -> None:
    rng = random.Random(5)

    def speed(t: int) -> float:
        return speed_at(t) + rng.gauss(0, 2) + (8 if t >= 5 * HOUR and speed_at(t) < 2000 else 0)

    both = run(mill(speed), signals=["load", "heat", "speed"])
    assert list(models(both)[-1]["regimes"]) == ["speed 1200", "speed 3000"]
    assert told(both)[0][:2] == ("anomaly:deviates", "speed")
    assert run(mill(speed)).findings == []  # how it is run is no fault of the machine


def test_words_and_numbers_together_name_a_regime() -> None:
    mode = [Observation(t, "auto" if t < 5 * HOUR else "hand", seq=n) for n, t in enumerate((0, 5 * HOUR))]
    outcome = run({**mill(), "mode": mode}, regime="mode")
    assert list(models(outcome)[-1]["regimes"]) == ["auto, speed 1200", "auto, speed 3000"]
    assert 0.8 < outcome.usage["machine_hours"] <= 1.0


def test_wrong_settings_are_told() -> None:
    for wrong in ("speed", [], ["speed", "speed"], [7], [""]):
        [fault] = PLUGIN.evaluator().check({"settings": wrong})
        assert (fault.code, fault.where) == ("anomaly:settings-not-named", "settings") and fault.hint
    assert PLUGIN.evaluator().check({**PARAMETERS, "regime": "mode"}) == []


@pytest.mark.parametrize("at", [2 * HOUR, 5 * HOUR])
def test_snapshots_kept_before_there_were_settings_go_on(at: int) -> None:
    """While it learns, and once it has learnt: without the parts that settings brought, nothing else happens."""
    observations = {"load": mill(fault=slow_fault)["load"]}
    parameters = {"every": "1m", "learn": "4h"}
    first = {"load": [o for o in observations["load"] if o.time < at]}
    rest = {"load": [o for o in observations["load"] if o.time >= at]}
    evaluator = PLUGIN.load().open(VIEW, parameters, None)
    evaluator.step(ServiceBatch(first), at)
    new = evaluator.snapshot()
    old: dict[str, Any] = msgspec.msgpack.decode(new)
    for name in ("names", "set_base", "set_mean", "set_span"):
        del old["learning"][name]
    if old["model"] is not None:
        del old["model"]["found"], old["model"]["notes"]
    after = [
        PLUGIN.load().open(VIEW, parameters, kept).step(ServiceBatch(rest), END)
        for kept in (new, msgspec.msgpack.encode(old))
    ]
    assert after[0] == after[1] and after[0].usage["machine_hours"] > 0
