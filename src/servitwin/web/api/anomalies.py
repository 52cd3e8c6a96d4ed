"""Anomalies of machines: what was learnt, what differs from it, and since when something else is normal."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.case import CaseStanding
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.machine_changes import MachineChanges
from servitwin.usecases.read_anomalies import SERVICE, Anomaly, Watch, read_anomalies
from servitwin.usecases.run_service import ServiceQuestion
from servitwin.web.api.answers import answer, at, time_of
from servitwin.web.api.callers import Me, Parts, permitted_twin
from servitwin.web.api.case_parts import Cases
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.services import ask_services
from servitwin.web.api.shapes.anomaly import AnomalyList, AnomalyShape, ChangeIn, ChangeList, ChangeShape

router = router_of("anomalies")
_USUAL = 30 * DAY


@router.get("/twins/{id}/anomalies", response_model=AnomalyList)
async def list_anomalies(
    parts: Parts,
    cases: Cases,
    me: Me,
    id: str,
    from_: Annotated[str | None, Query(alias="from", description="default: 30 days before `to`")] = None,
    to: Annotated[str | None, Query(description="default: now")] = None,
) -> Response:
    """What was learnt of a machine, and the stretches that overlap [from, to) in which it differed."""
    twin = await run_in_threadpool(permitted_twin, parts, me, id, "read")
    end = parts.now() if to is None else time_of(to, "to")
    start = end - _USUAL if from_ is None else time_of(from_, "from")
    if start >= end:
        raise InvalidInputError(Fault("range:empty", "from is not before to", "Give from < to", "from"))
    watches = await run_in_threadpool(read_anomalies, parts.records, twin)
    failure = ""
    if any(w.assignment is not None for w in watches):
        told = await ask_services(parts, ServiceQuestion("assigned", twin=twin.uid))
        failure = told.failures.get(SERVICE, "")
    found = [
        a
        for w in watches
        for a in w.anomalies
        if a.finding.start < end and (a.finding.end is None or a.finding.end > start) and _shown(parts, me, twin, a)
    ]
    held = await run_in_threadpool(_held, cases, me, twin.uid)
    items = [_anomaly(a, held.get(a.id)) for a in sorted(found, key=lambda a: -a.finding.start)]
    return answer({"from": at(start), "to": at(end), "watches": [_watch(w, failure) for w in watches], "items": items})


@router.get("/twins/{id}/anomalies/{anomaly}", response_model=AnomalyShape)
def read_anomaly(parts: Parts, cases: Cases, me: Me, id: str, anomaly: str) -> Response:
    """One stretch."""
    twin = permitted_twin(parts, me, id, "read")
    found = next((a for w in read_anomalies(parts.records, twin) for a in w.anomalies if a.id == anomaly), None)
    if found is None or not _shown(parts, me, twin, found):
        message = f"{id} has no anomaly {anomaly[:80]!r}"
        raise NotFoundError(Fault("anomaly:unknown", message, "See GET /twins/{id}/anomalies", "anomaly"))
    return answer(_anomaly(found, _held(cases, me, twin.uid).get(found.id)))


@router.get("/twins/{id}/changes", response_model=ChangeList)
def list_changes(parts: Parts, me: Me, id: str) -> Response:
    """When the machine was rightly changed: repairs, versions of its type, and what people say is normal."""
    twin = permitted_twin(parts, me, id, "read")
    return answer({"items": [_change(c) for c in MachineChanges(parts.records).of(twin)]})


@router.post("/twins/{id}/changes", response_model=ChangeShape, status_code=201)
def say_normal(parts: Parts, me: Me, id: str, body: ChangeIn) -> Response:
    """Say that what the machine does since an instant is normal: services learn it anew from then on."""
    twin = permitted_twin(parts, me, id, "treat")
    now = parts.now()
    since = now if body.since is None else time_of(body.since, "since")
    changes = MachineChanges(parts.records)
    said = changes.say(me, twin, since, body.text, authoriser=parts.authoriser, audit=parts.audit, now=now)
    return answer(_change(said), 201)


def _shown(parts: WebParts, me: Actor, twin: Twin, a: Anomaly) -> bool:
    """Rights follow ownership at the time: what the machine did at its former owner's is not shown to who bought it."""
    return bool(parts.authoriser.spans(me, twin, "", a.finding.start, a.finding.start + 1))


def _held(cases: Cases, me: Me, uid: str) -> dict[str, CaseStanding]:
    """Cases of the service that the caller may read, by the findings in them."""
    mine = [s for s in cases.act.list(me, twins=[uid]) if s.case.source == SERVICE]
    return {f.id: s for s in mine for f in s.findings}


def _anomaly(a: Anomaly, case: CaseStanding | None) -> dict[str, Any]:
    f = a.finding
    return {
        "id": a.id,
        "kind": f.code.partition(":")[2],
        "from": at(f.start),
        "to": at(f.end),
        "text": f.text,
        "peak": a.peak,
        "component": f.component,
        "signals": [{**msgspec.structs.asdict(s), "since": at(s.since)} for s in f.signals],
        "hints": list(f.hints),
        "units": list(a.units),
        "model": a.model,
        "case": None
        if case is None
        else {
            "id": case.case.id,
            "status": case.status,
            "alarm": case.alarm,
            "dismissed": case.dismissed is not None,
        },
    }


def _watch(w: Watch, failure: str) -> dict[str, Any]:
    return {
        "running": w.assignment is not None,
        "since": at(w.assignment.since) if w.assignment is not None else None,
        "until": at(w.until),
        "parameters": w.parameters,
        "failure": failure if w.assignment is not None else "",
        "models": [
            {
                "version": m.get("version", 1),
                "state": m.get("state", "failed" if "failed" in m else "learnt"),
                "from": at(m["from"]),
                "to": at(m["to"]),
                "because": m.get("because", ""),
                "regimes": m.get("regimes", {}),
                "left_out": m.get("failed", m.get("left_out", [])),
                "notes": m.get("notes", []),
            }
            for m in w.models
        ],
    }


def _change(c: MachineChange) -> dict[str, Any]:
    return {**msgspec.to_builtins(c), "text": c.text, "case": c.case, "by": c.by, "at": at(c.at)}
