"""How a figure was made: rule and version, source, observations it rests on."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.routing import APIRoute

from servitwin.domain.availability import formula as formula_of
from servitwin.domain.twin import Twin
from servitwin.usecases.account_oee import OEE_RULE
from servitwin.usecases.list_alarms import ALARM_RULE
from servitwin.usecases.list_alarms import VERSION as ALARM_VERSION
from servitwin.usecases.machine_time import GROUPS, RULE, VERSION
from servitwin.web.api.answers import answer, at, cut_out, range_of
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.case_parts import Cases
from servitwin.web.api.case_provenance import case_provenance
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.contract_provenance import contract_provenance
from servitwin.web.api.history import readable_signal
from servitwin.web.api.parts import API, WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.routine import routine_provenance
from servitwin.web.api.shapes.system import ProvenanceAnswer
from servitwin.web.api.trace_provenance import trace_provenance

router = router_of("provenance", route_class=APIRoute)
Kind = Literal[
    "signal",
    "query",
    "state",
    "states",
    "states-daily",
    "availability",
    "oee",
    "alarms",
    "contract",
    "case",
    "trace",
    "spc",
    "routine",
]
_TOLD: dict[str, tuple[str, str, str, str]] = {  # kind: title, rule, version, explanation
    "signal": (
        "Observations",
        "observations",
        "1",
        "The last observation of each time holds, in the order (time, shard, sequence, index). Buckets are [from, to); "
        "tw_mean weights a value by how long it held.",
    ),
    "query": ("Observations of several twins", "observations", "1", "As for one signal, in one read at one cut."),
    "state": (
        "Live state",
        "live-state",
        "1",
        "The latest observation of each signal; a value is stale once it is older than its signal's max_gap. "
        "The state follows the machine type's mapping.",
    ),
    "states": (
        "Time of state",
        RULE,
        VERSION,
        "The machine type's mapping turns observations into intervals; the first rule that applies decides. "
        "What is not known is `unknown`, with the reason.",
    ),
    "states-daily": ("Time of state by day", RULE, VERSION, "As time of state, summed by UTC day."),
    "alarms": ("Alarms", ALARM_RULE, ALARM_VERSION, "Active entries of condition signals, and flags that are alarms."),
}
_SOURCES = {"oee": "ISO 22400-2:2014 (secondary)", "alarms": "ISA-18.2 / IEC 62682 (secondary)"}


@router.get("/provenance", response_model=ProvenanceAnswer)
def read_provenance(
    parts: Parts,
    contracts: Contracts,
    cases: Cases,
    me: Me,
    kind: Kind,
    twin: str | None = None,
    signal: str | None = None,
    formula: str | None = None,
    from_: Annotated[str | None, Query(alias="from")] = None,
    to: str | None = None,
    every: str | None = None,
    contract: str | None = None,
    period: str | None = None,
    at_: Annotated[str | None, Query(alias="at")] = None,
    case: str | None = None,
    figures: Annotated[
        Literal["violation", "repair"], Query(alias="of", description="which figures of a case")
    ] = "violation",
    finding: Annotated[str | None, Query(description="default: the latest violation that counts")] = None,
    part: Annotated[list[str] | None, Query(description="traced objects")] = None,
    machine: str = "",
    product: str = "",
    party: Annotated[str, Query(max_length=100, description="whose minutes of routine; default: the caller's")] = "",
) -> Response:
    """How an answer was made, so that it can be recomputed and argued about; every computed answer links here."""
    if kind == "contract":
        return answer(contract_provenance(parts, contracts, me, contract or "", period, at_))
    if kind == "case":
        return answer(case_provenance(parts, cases, me, case or "", figures, finding))
    if kind in ("trace", "spc"):
        return answer(trace_provenance(parts, me, kind, part or [], machine, product, from_, to))
    if kind == "routine":
        return answer(routine_provenance(parts, me, machine, party, from_, to))
    start, end = range_of(from_, to, parts.now(), 1 if kind == "state" else 86_400_000_000_000)
    about = known_twin(parts, me, twin) if twin else None
    if kind == "availability":
        title, rule, version, explanation, source = _availability(formula or "iso22400@1")
    elif kind == "oee":
        rule, _, version = OEE_RULE.partition("@")
        title, source = "Overall equipment effectiveness", _SOURCES["oee"]
        explanation = "Availability x performance x quality; each loss is a part of planned busy time."
    else:
        title, rule, version, explanation = _TOLD[kind]
        source = _SOURCES.get(kind, "")
    inputs = _inputs(parts, me, about, kind, signal, start) if about else []
    return answer(
        {
            "title": f"{title}: {about.title or about.id}" if about else title,
            "rule": rule,
            "version": version,
            "source": source,
            "inputs": inputs,
            "interval": [at(start), at(end)],
            "cut": cut_out(parts.history.cut()),
            "observations_url": _observations_url(about, signal, inputs, at(start), at(end), every),
            "explanation": explanation,
        }
    )


def _availability(key: str) -> tuple[str, str, str, str, str]:
    formula = formula_of(key)
    name, _, version = key.partition("@")
    terms = "; ".join(f"{term} = {' + '.join(states)}" for term, states in formula.terms.items())
    explanation = f"({' + '.join(formula.numerator)}) / ({' + '.join(formula.denominator)}), where {terms}"
    return f"Availability, {formula.title}", name, version, explanation, formula.source


def _inputs(parts: WebParts, me: Me, twin: Twin, kind: str, signal: str | None, start: int) -> list[dict[str, Any]]:
    if signal is not None:
        definition = readable_signal(parts, me, twin, signal)
        return [{"kind": "signal", "name": f"{twin.id}/{signal}", "detail": definition.semantic or definition.unit}]
    known = parts.authoriser.known(me)
    machines = [twin]
    if twin.kind in GROUPS:
        machines = [t for t in parts.registry.descendants(twin.id, start) if t.uid in known and t.kind not in GROUPS]
    inputs: list[dict[str, Any]] = []
    for machine in machines:
        type_ = parts.registry.type_at(machine, start)
        if type_ is None:
            continue
        inputs.append(
            {"kind": "machine type", "name": type_.reference, "detail": f"mapping and signals of {machine.id}"}
        )
        inputs += [
            {"kind": "signal", "name": f"{machine.id}/{name}", "detail": why}
            for name, why in _read_by(type_, kind).items()
        ]
        if machine.calendar and kind in ("availability", "oee"):
            inputs.append({"kind": "calendar", "name": machine.calendar, "detail": "planned time"})
        inputs += [
            {"kind": "declared gap", "name": f"{at(g.start)} to {at(g.end)}", "detail": g.reason}
            for g in parts.records.gaps(machine.uid)[:20]
        ]
    return inputs


def _read_by(type_: Any, kind: str) -> dict[str, str]:
    """Signals that figures of that kind read of a machine of a type."""
    if kind == "alarms":
        return {s.name: "condition" for s in type_.signals if s.type == "condition"}
    if kind == "state":
        return {s.name: "shown" for s in type_.signals}
    read: dict[str, str] = {}
    if type_.states is not None:
        for rule in type_.states.rules:
            read |= {test.signal: "mapping" for test in rule.when}
        read |= {name: "must be known" for name in type_.states.needs}
    if kind == "oee" and type_.production is not None:
        p = type_.production
        read |= {
            name: what for name, what in ((p.total, "parts made"), (p.good, "good parts"), (p.scrap, "scrap")) if name
        }
    return read


def _observations_url(
    twin: Twin | None,
    signal: str | None,
    inputs: list[dict[str, Any]],
    start: str | None,
    end: str | None,
    every: str | None,
) -> str:
    if twin is None:
        return ""
    name, of = signal, twin.id
    if name is None:
        first = next((i["name"] for i in inputs if i["kind"] == "signal"), None)
        if first is None:
            return ""
        of, _, name = first.partition("/")
    query = {"from": start, "to": end} | ({"every": every} if every else {})
    return f"{API}/twins/{of}/signals/{name}/observations?{urlencode(query)}"
