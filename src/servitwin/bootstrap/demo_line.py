"""The demo's line: a model of it, built from two days of its history, and two scenarios that are compared at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from servitwin.domain.instant import NS
from servitwin.domain.job import Job
from servitwin.domain.line_change import Change, Scenario, ScenarioSet
from servitwin.domain.register import RegisterEntry
from servitwin.usecases.ports import Files, Records
from servitwin.usecases.simulate_line import MODELS, SERVICE, comparison_of

_LINE, _PARTY, _BY = "line-1", "kivi", "paula"
_SCENARIOS = ScenarioSet(
    _LINE,
    (
        Scenario("A second robot", (Change("machines", "cell-2", to=2.0),), "60000"),
        Scenario("Set-ups in half the time", (Change("setup", "mill-500", times=0.5),), "15000"),
    ),
    "3.20",
    "EUR",
)
_DAYS, _MOST = 4, 15


def add_demo_line(records: Records, files: Files, model: Path, now: int) -> list[str]:
    """Keep the model and the scenarios and let their comparison wait, once; returns what to tell the visitor."""
    if records.register_entry(MODELS, _PARTY, _LINE) is not None:
        return []
    body: dict[str, Any] = msgspec.json.decode(model.read_bytes())
    scenarios: dict[str, Any] = msgspec.to_builtins(_SCENARIOS)
    records.add_register_entries(
        [
            RegisterEntry(MODELS, _LINE, _PARTY, 1, now, _BY, body),
            RegisterEntry("scenarios", _LINE, _PARTY, 1, now, _BY, scenarios),
        ]
    )
    problem = {
        "do": "compare", "model": body, "seconds": _DAYS * 86400.0, "warm_up_s": 8 * 3600.0, "most": _MOST,
        "half_width": 0.005, "scenarios": scenarios["scenarios"], "worth_per_part": _SCENARIOS.worth_per_part,
        "currency": _SCENARIOS.currency,
    }  # fmt: skip
    content = msgspec.json.encode(problem, order="deterministic")
    job = Job(
        "demo-scenarios-line-1", SERVICE, "1.0.0", "planner", _PARTY, _BY, now, files.put(content), 120 * NS, 1,
        comparison_of(_LINE),
    )  # fmt: skip
    records.save_job(job)
    return [f"demo line: model of {_LINE} and {len(_SCENARIOS.scenarios)} scenarios"]
