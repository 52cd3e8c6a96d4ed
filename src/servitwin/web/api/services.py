"""Services: what is installed, on which twins it runs, and what it found."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.instant import EARLIEST, LATEST
from servitwin.sdk.finding import ServiceFinding
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment
from servitwin.usecases.run_service import ServiceAnswer, ServiceQuestion, raise_answered
from servitwin.web.api.answers import answer, at, time_of
from servitwin.web.api.callers import Me, Parts, known_twin, permitted_twin
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.service import AssignmentIn, AssignmentList, AssignmentShape, OutcomeList, ServiceList

router = router_of("services")
_PATIENCE_S = 40.0


@router.get("/services", response_model=ServiceList)
async def list_services(parts: Parts, me: Me) -> Response:
    """What is installed."""
    found = await ask_services(parts, ServiceQuestion("list"))
    fields = (
        "name",
        "version",
        "kind",
        "summary",
        "stage",
        "benefits",
        "value",
        "reads",
        "writes",
        "meters",
        "journey",
    )
    every = sorted([*found.manifests, *parts.jobs.services()], key=lambda m: m.name)
    return answer({"items": [{f: getattr(m, f) for f in fields} for m in every]})


@router.get("/twins/{id}/services", response_model=AssignmentList)
async def list_twin_services(parts: Parts, me: Me, id: str) -> Response:
    """Services that run on a twin, and why one does not."""
    twin = await run_in_threadpool(known_twin, parts, me, id)
    found = await ask_services(parts, ServiceQuestion("assigned", twin=twin.uid))
    return answer({"items": [_shown(a, id, found.failures.get(a.service, "")) for a in found.assignments]})


@router.put("/twins/{id}/services/{service}", response_model=AssignmentShape)
async def assign_service(parts: Parts, me: Me, id: str, service: str, body: AssignmentIn) -> Response:
    """Let a service run on a twin; with other parameters it runs beside the one that is there."""
    twin = await run_in_threadpool(permitted_twin, parts, me, id, "configure")
    since = parts.now() if body.since is None else time_of(str(body.since), "since")
    assignment = Assignment(service, twin.uid, since, body.parameters)
    await ask_services(parts, ServiceQuestion("assign", twin=twin.uid, assignment=assignment))
    await run_in_threadpool(parts.audit.note, me, "service.assign", twin.id, {"service": service, **body.parameters})
    return answer(_shown(assignment, id, ""))


@router.delete("/twins/{id}/services/{service}", status_code=204)
async def withdraw_service(parts: Parts, me: Me, id: str, service: str) -> Response:
    """Let it run no longer; its outcomes stay."""
    twin = await run_in_threadpool(permitted_twin, parts, me, id, "configure")
    await ask_services(parts, ServiceQuestion("withdraw", twin=twin.uid, service=service))
    await run_in_threadpool(parts.audit.note, me, "service.withdraw", twin.id, {"service": service})
    return Response(status_code=204)


@router.get("/twins/{id}/services/{service}/outcomes", response_model=OutcomeList)
def list_outcomes(
    parts: Parts,
    me: Me,
    id: str,
    service: str,
    from_: Annotated[str | None, Query(alias="from", examples=["2026-09-21T00:00:00Z"])] = None,
    to: Annotated[str | None, Query(examples=["2026-09-22T00:00:00Z"])] = None,
) -> Response:
    """What it found, latest revisions alone."""
    twin = permitted_twin(parts, me, id, "read")
    start = EARLIEST if from_ is None else time_of(from_, "from")
    end = LATEST if to is None else time_of(to, "to")
    return answer({"items": [_outcome(o) for o in parts.records.outcomes(service, twin.uid, start, end)]})


def _outcome(kept: dict[str, Any]) -> dict[str, Any]:
    outcome = msgspec.json.decode(kept["outcome"], type=Outcome)
    return {
        "from": at(kept["from"]),
        "to": at(kept["to"]),
        "version": kept["version"],
        "parameters": msgspec.json.decode(kept["parameters"]),
        "revision": kept["revision"],
        "results": outcome.results,
        "findings": [_finding_out(f) for f in outcome.findings],
        "usage": outcome.usage,
        "cut": {str(shard): seq for shard, seq in outcome.cut.items()},
    }


def _finding_out(found: ServiceFinding) -> dict[str, Any]:
    said = msgspec.to_builtins(found)
    signals = [{k: at(v) if k == "since" else v for k, v in s.items()} for s in said.get("signals", ())]
    return {**said, "from": at(found.start), "to": at(found.end), "signals": signals}


def _shown(a: Assignment, id: str, failure: str) -> dict[str, Any]:
    return {"service": a.service, "twin": id, "parameters": a.parameters, "since": at(a.since), "failure": failure}


async def ask_services(parts: WebParts, question: ServiceQuestion) -> ServiceAnswer:
    """Ask the process that runs services."""
    payload = await parts.bus.request("ask.service", msgspec.json.encode(question), _PATIENCE_S)
    return raise_answered(msgspec.json.decode(payload, type=ServiceAnswer))
