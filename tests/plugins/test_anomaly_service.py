"""Service anomaly: what it says of a load that rises, and of a stretch that it cannot learn from."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.instant import MINUTE
from servitwin.domain.observation import Observation
from servitwin.sdk.checks import EvaluatorCase, read_cases
from servitwin.sdk.checks.evaluator import run_in_steps
from servitwin.sdk.discovery import Plugin, plugins
from servitwin.sdk.service import Outcome

PLUGIN: Plugin = next(p for p in plugins("service") if p.name == "anomaly")


def run(name: str, steps: int = 7, **changes: Any) -> Outcome:
    case = msgspec.structs.replace(read_cases(PLUGIN.folder, EvaluatorCase)[name], **changes)
    marks = [case.end * (i + 1) // steps for i in range(steps)]
    return run_in_steps(PLUGIN.load(), case.view, case.parameters, case.observations, marks, reopen=True)


def test_a_load_that_rises_is_told_once_with_its_signal_and_since_when() -> None:
    outcome = run("load-rises")
    learnt, began = outcome.results
    assert learnt["anomaly_model"]["regimes"] == {"on": 45}
    told = began["anomaly"]
    assert (told["kind"], told["from"], told["to"]) == ("deviates", 55 * MINUTE, None)
    assert told["signals"][0]["signal"] == "load"
    assert abs(told["signals"][0]["usual"] - 60) < 2 and told["signals"][0]["value"] > 68
    assert outcome.usage["machine_hours"] == 21 / 60  # after the 45 minutes, until the mode that was never seen


def test_a_rise_that_ends_is_told_again_with_its_end() -> None:
    case = read_cases(PLUGIN.folder, EvaluatorCase)["load-rises"]
    calm = [o for o in case.observations["load"] if o.time < 55 * MINUTE]
    back = [Observation(o.time + 15 * MINUTE, o.value, seq=o.seq + 500) for o in calm if o.time >= 45 * MINUTE]
    load = [o for o in case.observations["load"] if o.time < 60 * MINUTE] + back
    mode = case.observations["mode"][:1]
    outcome = run("load-rises", observations={**case.observations, "load": load, "mode": mode})
    began, over = (r["anomaly"] for r in outcome.results if "anomaly" in r)
    assert began["from"] == over["from"] == 55 * MINUTE
    assert 59 * MINUTE <= over["to"] <= 64 * MINUTE and over["peak"] >= began["peak"]


def test_a_stretch_that_teaches_nothing_says_why_and_the_next_is_tried() -> None:
    outcome = run("too-little-is-known")
    first, second = (r["anomaly_model"] for r in outcome.results)
    assert {f["code"] for f in first["failed"]} == {"anomaly:signal-constant", "anomaly:signal-unknown"}
    assert second["from"] == first["to"]
