"""Controllers as the API shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from servitwin.domain.controller import Controller, State
from servitwin.domain.controller_flat import flatten, input_ranges
from servitwin.domain.controller_meaning import Assignment
from servitwin.domain.controller_term import TRUE, Range, written
from servitwin.domain.kept_controller import ControllerCheck, KeptController
from servitwin.domain.party import Actor
from servitwin.proof.controller.report import Answer, Counterexample, Report
from servitwin.usecases.check_controller import Checked
from servitwin.usecases.keep_controller import KeepController
from servitwin.web.api.answers import at, full
from servitwin.web.api.parts import API, WebParts

_NOT_COMPARED = (
    "The model is not the controller: how well it fits the real machine was not asked. "
    "Name a machine whose observations it is to be compared with."
)
_NOT_YOURS = "It was compared with a machine that you may not read."


def keeper(parts: WebParts) -> KeepController:
    """The use case over the parts of the web."""
    return KeepController(
        parts.records, parts.files, parts.registry, parts.authoriser, parts.audit, parts.now, parts.new_id
    )


def found_of(parts: WebParts, check: ControllerCheck) -> Checked | None:
    """What a check found; None before it is done."""
    content = parts.files.get(check.result) if check.result else None
    return None if content is None else msgspec.json.decode(content, type=Checked)


def finished_check(parts: WebParts, kept: KeptController) -> ControllerCheck | None:
    """The newest check of a version that found something."""
    checks = parts.records.checks_of_controller(kept.name, kept.version)
    return next((c for c in checks if c.result), None)


def summary(parts: WebParts, kept: KeptController, last: ControllerCheck | None) -> dict[str, Any]:
    """A version in a list, with what its last finished check counted."""
    twin = parts.registry.by_uid(kept.twin) if kept.twin else None
    return {
        "name": kept.name, "version": kept.version, "reference": kept.reference, "title": kept.title,
        "machine_type": kept.machine_type, "twin": "" if twin is None else twin.id, "at": at(kept.at), "by": kept.by,
        "properties": kept.properties,
        "proven": None if last is None else last.proven, "violated": None if last is None else last.violated,
        "not_settled": None if last is None else last.not_settled,
    }  # fmt: skip


def outline(controller: Controller) -> dict[str, Any]:
    """States, transitions, names and properties; transitions carry the labels that runs name them by."""
    labels = iter(flatten(controller).labels)
    return {
        "tick_ns": controller.tick,
        "regions": [{"name": r.name, "states": _states(r.states, r.initial, labels)} for r in controller.regions],
        "names": list(_names(controller)),
        "events": list(controller.events),
        "assumptions": [written(a) for a in controller.assumptions],
        "declared": [
            {"name": p.name, "kind": p.kind, "text": p.text, "formula": p.formula, "severity": p.severity}
            for p in controller.properties
        ],
        "observe": [{"name": o.name, "signal": o.signal} for o in controller.observe],
        "limits": list(controller.limits),
    }


def _states(states: Sequence[State], initial: str, labels: Iterator[str]) -> list[dict[str, Any]]:
    """Labels are numbered as states are met, each before those inside it."""
    shown = []
    for state in states:
        own = {
            "name": state.name, "title": state.title, "initial": state.name == initial, "final": state.final,
            "entry": _actions(state.entry), "exit": _actions(state.exit),
            "transitions": [
                {
                    "label": next(labels), "target": t.target, "event": t.event,
                    "guard": "" if t.guard == TRUE else written(t.guard), "actions": _actions(t.actions),
                    "priority": t.priority, "name": t.name, "line": t.line,
                }
                for t in state.transitions
            ],
        }  # fmt: skip
        shown.append({**own, "states": _states(state.states, state.initial, labels)})
    return shown


def _actions(actions: Sequence[Assignment]) -> list[str]:
    return [a.text or f"{a.name} := {written(a.value)}" for a in actions]


def _names(controller: Controller) -> Iterator[dict[str, Any]]:
    for v in controller.variables:
        initial = "any" if v.initial is None else v.range.shown(v.initial)
        yield {"name": v.name, "kind": "variable", "values": _range(v.range), "initial": initial, "title": v.title}
    for t in controller.timers:
        yield {"name": t.name, "kind": "timer", "values": f"0 to {t.limit} ticks", "initial": "stopped", "title": ""}
    titles = {i.name: i.title for i in controller.inputs}
    for name, range in input_ranges(controller).items():
        yield {
            "name": name, "kind": "input", "values": _range(range), "initial": "", "title": titles.get(name, ""),
        }  # fmt: skip


def _range(range: Range) -> str:
    if range.kind == "flag":
        return "true, false"
    return ", ".join(range.words) if range.kind == "word" else f"{range.low} to {range.high}"


def shown_check(parts: WebParts, me: Actor, check: ControllerCheck) -> dict[str, Any]:
    """A check with what it found; what a machine did is shown to those alone who may read it."""
    found = found_of(parts, check)
    machine = keeper(parts).machine_of(me, check)
    conformance, fit = None, _NOT_YOURS if check.twin and machine is None else _NOT_COMPARED
    if found is not None and found.conformance is not None and machine is not None:
        c = found.conformance
        fit = f"The model is not the controller. {machine.title or machine.id}: {c.note}."
        conformance = {
            "twin": machine.id, "note": c.note,
            **{n: full(getattr(c, n)) for n in (
                "changes", "explained", "unknown", "not_asked", "states_seen", "states_of", "transitions_seen",
                "transitions_of",
            )},
            "unexplained": [{**full(u), "first": at(u.first)} for u in c.unexplained],
        }  # fmt: skip
    comparison = None
    if found is not None and found.comparison is not None:
        comparison = {
            "older": _report(found.comparison.older),
            "properties": [
                {
                    "name": p.name, "text": p.text, "older": None if p.older is None else _answer(p.older),
                    "newer": _answer(p.newer), "change": p.change, "meaning": list(p.meaning),
                }
                for p in found.comparison.properties
            ],
            "gone": list(found.comparison.gone),
        }  # fmt: skip
    return {
        "id": check.id, "controller": f"{check.name}@{check.version}", "against": check.against,
        "depth": check.depth, "seconds": check.seconds, "state": check.state, "at": at(check.at), "by": check.by,
        "began": at(check.began), "ended": at(check.ended),
        "fault": None if check.fault is None else full(check.fault),
        "report": None if found is None else _report(found.report), "comparison": comparison,
        "conformance": conformance, "fit": fit,
        "obligations": f"{API}/controllers/checks/{check.id}/obligations" if check.obligations else "",
    }  # fmt: skip


def _report(report: Report) -> dict[str, Any]:
    return {
        **full(report),
        "answers": [_answer(a) for a in report.answers],
        "findings": [
            {
                "kind": f.kind, "subject": f.subject, "message": f.message, "hint": f.hint,
                "counterexample": _run(f.counterexample), "proven": f.proof is not None,
            }
            for f in report.findings
        ],
    }  # fmt: skip


def _answer(answer: Answer) -> dict[str, Any]:
    p = answer.proof
    proof = None if p is None else {
        "method": p.method, "k": p.k, "invariant": list(p.invariant), "rechecked": p.rechecked,
    }  # fmt: skip
    return {**full(answer), "proof": proof, "counterexample": _run(answer.counterexample)}


def _run(run: Counterexample | None) -> dict[str, Any] | None:
    return None if run is None else full(run)
