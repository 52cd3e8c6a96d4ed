"""Services part_trace and process_control: what they say of known parts, and that late data replace it."""

from __future__ import annotations

import msgspec

from servitwin.domain.observation import Observation
from servitwin.domain.trace_event import TraceEvent
from servitwin.sdk.checks import EvaluatorCase, read_cases
from servitwin.sdk.checks.evaluator import run_in_steps
from servitwin.sdk.discovery import plugins
from servitwin.sdk.service import Outcome

PLUGINS = {p.name: p for p in plugins("service")}


def run(service: str, name: str, steps: int = 7, **changes: object) -> Outcome:
    plugin = PLUGINS[service]
    case = msgspec.structs.replace(read_cases(plugin.folder, EvaluatorCase)[name], **changes)
    marks = [case.end * (i + 1) // steps for i in range(steps)]
    return run_in_steps(plugin.load(), case.view, case.parameters, case.observations, marks, reopen=True)


def events(outcome: Outcome) -> list[TraceEvent]:
    return msgspec.convert([r["trace"] for r in outcome.results], list[TraceEvent])


def test_each_part_is_told_once_with_all_that_went_into_it() -> None:
    outcome = run("part_trace", "six-parts")
    told = events(outcome)
    assert [e.kind for e in told].count("made") == 6 and outcome.usage == {"parts": 6}
    first = told[0]
    assert first.parts == ("urn:epc:id:sgtin:614141.1123456.mill-1-000",)
    assert [(u.id, u.kind) for u in first.inputs] == [
        ("urn:epc:class:lgtin:614141.1123456.H1", "batch"), ("urn:servitwin:obj:T1", "tool"),
    ]  # fmt: skip
    assert (first.program, first.role, first.settings, first.time - (first.start or 0)) == (
        "O1", "operator", {"feed.override": 100.0}, 80 * 10**9,
    )  # fmt: skip
    bore = next(m for e in told for m in e.measures)
    assert (bore.name, bore.unit, bore.lower, bore.upper, bore.nominal) == ("bore", "mm", 24.98, 25.02, 25.0)
    [scrapped] = [e for e in told if e.kind == "scrapped"]
    assert scrapped.reason == "porosity" and scrapped.parts[0].endswith("mill-1-004")


def test_a_cell_packs_and_drops() -> None:
    assert [(e.kind, e.parent, e.reason) for e in events(run("part_trace", "packing"))] == [
        ("packed", "urn:servitwin:obj:P1", ""), ("scrapped", "", "dropped"), ("packed", "urn:servitwin:obj:P2", ""),
    ]  # fmt: skip


def test_a_name_that_cannot_be_one_is_no_part() -> None:
    serial = [Observation(i, v) for i, v in enumerate(["", "x" * 500, "a\u0000b", None, 4.0, "good"])]
    assert [e.parts for e in events(run("part_trace", "packing", observations={"part.serial": serial}))] == []
    observations = {"part.serial": serial, "part.container": [Observation(0, "P1")]}
    assert [e.parts for e in events(run("part_trace", "packing", observations=observations))] == [
        ("urn:servitwin:obj:good",)
    ]


def test_a_drift_is_found_with_rule_window_signals_and_parts() -> None:
    outcome = run("process_control", "drifts")
    assert [next(iter(r)) for r in outcome.results] == ["spc_limits"]
    limits = outcome.results[0]["spc_limits"]
    assert limits["groups"] == 25 and limits["location"]["lower"] < 25 < limits["location"]["upper"]
    late = [f for f in outcome.findings if f.end is None and f.start > (100 + 45 * 60) * 10**9]
    assert late and "beyond" in late[-1].text and late[-1].severity == "medium"
    [signal] = late[-1].signals
    assert signal.signal == "part.bore" and signal.value is not None and signal.usual is not None
    assert late[-1].about == "part.bore lid" and late[-1].hints[0].startswith("Parts that show it: p")
    cups = {f"p{i}" for i in range(0, 70, 7)}
    assert cups.isdisjoint({p for f in outcome.findings for p in f.hints[0].split(": ")[1].split(", ")})


def test_what_does_not_vary_says_so_and_the_next_baseline_is_tried() -> None:
    outcome = run("process_control", "does-not-vary")
    codes = [r["spc_limits"]["failed"][0]["code"] for r in outcome.results]
    assert codes == ["spc:no-variation", "spc:no-variation"] and not outcome.findings
