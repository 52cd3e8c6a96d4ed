"""Cases: what was found wrong with machines, why, what is done about it, and when it is proven mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.alarm_figure import Flood
from servitwin.domain.case import (
    Acknowledged,
    AlarmsJoined,
    CaseStanding,
    Closed,
    Diagnosed,
    Dismissed,
    Noted,
    Repaired,
    Shelved,
    StepBody,
    Unshelved,
)
from servitwin.domain.case_alarm import JoinedAlarm
from servitwin.domain.case_relation import leads
from servitwin.domain.finding import Explanation
from servitwin.domain.formula.tree import LOGIC
from servitwin.domain.party import Actor
from servitwin.web.api.answers import answer, answer_tagged, at, page_of, time_of
from servitwin.web.api.callers import Me, Parts, known_twin
from servitwin.web.api.case_found import case_text, finding_out, signals_told, told_out, waits_for
from servitwin.web.api.case_parts import CaseParts, Cases
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.case import CaseDetail, CaseSummary, StepIn

router = router_of("cases")
_INSTANTS = {"until", "since", "end", "start", "done_at", "normal_since"}
ProofKind = Literal["violated", "repaired"]
AsOf = Annotated[str | None, Query(description="as known at that instant; default: now")]


@router.get("/cases", response_model=Page[CaseSummary])
def list_cases(
    request: Request,
    parts: Parts,
    cases: Cases,
    me: Me,
    twin: Annotated[str | None, Query(description="cases of this twin and of all below it")] = None,
    open_: Annotated[
        bool, Query(alias="open", description="only those that are neither proven mended nor closed")
    ] = False,
    as_of: AsOf = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> Response:
    """Cases of the machines that you may read, the most urgent first."""
    known_at = _known_at(parts, as_of)
    twins: list[str] = []
    if twin is not None:
        found = known_twin(parts, me, twin)
        twins = [found.uid, *(t.uid for t in parts.registry.descendants(found.id, known_at))]
    standings = cases.act.list(me, twins=twins, only_open=open_, known_at=known_at)
    led = leads(standings)
    place = {s.case.id: n for n, s in enumerate(standings)}
    # Those that another one leads follow it; all else stays in the order of its urgency.
    standings.sort(key=lambda s: (place[led.get(s.case.id, s.case.id)], s.case.id in led, place[s.case.id]))
    numbered = list(enumerate(standings))
    page, following = page_of(numbered, limit, cursor, lambda pair: f"{pair[0]:08d}")
    items = [{**summary_out(parts, cases, s), "part_of": led.get(s.case.id)} for _, s in page]
    return answer_tagged(request, {"items": items, "next": following})


@router.get("/cases/{id}", response_model=CaseDetail)
def read_case(request: Request, parts: Parts, cases: Cases, me: Me, id: str, as_of: AsOf = None) -> Response:
    """A case whole: what is proven, the hypotheses, every step, and what is still missing."""
    standing = cases.act.get(me, id, _known_at(parts, as_of))
    return answer_tagged(request, detail_out(parts, cases, me, standing))


@router.post("/cases/{id}/steps", response_model=CaseDetail, status_code=201)
async def take_case_step(
    parts: Parts,
    cases: Cases,
    me: Me,
    id: str,
    body: StepIn,
    also: Annotated[
        list[str] | None, Query(description="related cases in which the same step is taken; none or all are taken")
    ] = None,
) -> Response:
    """Acknowledge, shelve, diagnose, repair, close or remark; the monitor takes the other steps."""
    said = _said(parts, me.id, body)
    standing = await run_in_threadpool(cases.act.act_together, me, id, also or [], said, body.number)
    for subject, payload in cases.told:
        await parts.bus.publish(subject, payload)
    return answer(await run_in_threadpool(detail_out, parts, cases, me, standing), 201)


@router.get(
    "/cases/{id}/proof",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
def read_case_proof(cases: Cases, me: Me, id: str, kind: ProofKind = "violated") -> Response:
    """The proof file, for `servitwin verify FILE` without a node; made when it is first asked for."""
    standing, content = cases.proof(me, id, kind)
    name = f"{standing.case.requirement}-{kind}-{id[:8]}.proof"
    return Response(content, media_type="application/json", headers=_attached(name))


@router.get(
    "/cases/{id}/certificate",
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_case_certificate(
    request: Request, cases: Cases, me: Me, id: str, kind: ProofKind = "violated"
) -> Response:  # fmt: skip
    """What the proof file proves, in plain words on paper, with a code that leads to it."""
    from servitwin.formats.certificate_pdf import certificate_pdf  # noqa: PLC0415  # only this answer needs it
    from servitwin.proof.verifier import verify  # noqa: PLC0415

    _, content = cases.proof(me, id, kind)
    said = verify(content)
    address = f"{str(request.base_url).rstrip('/')}/api/v1/cases/{id}/proof?kind={kind}"
    title = "Proof of a violation" if kind == "violated" else "Proof of repair"
    pdf = certificate_pdf(content, title, said.proven, said.not_proven, address)
    return Response(pdf, media_type="application/pdf", headers=_attached(f"certificate-{id[:8]}.pdf"))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-cache"}


def _known_at(parts: WebParts, as_of: str | None) -> int:
    return parts.now() if as_of is None else min(parts.now(), time_of(as_of, "as_of"))


def _said(parts: WebParts, by: str, body: Any) -> StepBody:
    match body.kind:
        case "acknowledged":
            return Acknowledged(body.text)
        case "shelved":
            return Shelved(time_of(body.until, "until"), body.text)
        case "unshelved":
            return Unshelved()
        case "diagnosed":
            return Diagnosed(body.component, body.cause, body.text)
        case "repaired":
            done_at = parts.now() if body.done_at is None else time_of(body.done_at, "done_at")
            return Repaired(
                body.component, body.what, body.change, body.done_by or by, done_at, body.version, body.text
            )
        case "closed":
            return Closed(body.text)
        case "dismissed":
            return Dismissed(
                body.text, None if body.normal_since is None else time_of(body.normal_since, "normal_since")
            )
        case _:
            return Noted(body.text)


# how a case is written --------------------------------------------------------------------------------------
def summary_out(parts: WebParts, cases: CaseParts, s: CaseStanding) -> dict[str, Any]:
    """A case as lists show it."""
    twin = parts.registry.by_uid(s.case.twin)
    return {
        "id": s.case.id,
        "twin": twin.id if twin else s.case.twin,
        "twin_title": (twin.title or twin.id) if twin else s.case.twin,
        "requirement": s.case.requirement,
        "text": case_text(cases, s),
        "source": s.case.source,
        "component": s.case.component,
        "severity": s.case.severity,
        "opened": at(s.case.opened),
        "status": s.status,
        "alarm": s.alarm,
        "active": s.active,
        "recurred": s.recurred,
        "shelved_until": at(s.shelved_until),
        "waits_for": waits_for(s),
    }


def detail_out(parts: WebParts, cases: CaseParts, me: Me, s: CaseStanding) -> dict[str, Any]:
    """A case whole."""
    told = cases.requirement(s)
    found = s.found
    progress = cases.progress(s)
    others = cases.act.related(me, s)
    remedies = {c.name: c.remedy for c in told.causes} if told else {}
    units = {s.name: s.unit for s in told.signals.values()} if told else {}
    base = f"/api/v1/cases/{s.case.id}"
    return {
        **summary_out(parts, cases, s),
        "part_of": leads([s, *others]).get(s.case.id),
        "related": [
            {
                "id": o.case.id,
                "requirement": o.case.requirement,
                "text": case_text(cases, o),
                "source": o.case.source,
                "severity": o.case.severity,
                "status": o.status,
                "active": o.active,
            }
            for o in others
        ],
        **({"waits_for": f"Not yet proven: {progress.missing}"} if s.status == "repaired" and progress else {}),
        "formula": told.requirement.formula if told else "",
        "words": told.words if told else "",
        "digest": s.case.digest,
        "logic": LOGIC,
        "signals": list(told.checked.signals) if told else signals_told(s),
        "findings": [finding_out(s, f) for f in s.findings],
        "told": told_out(s.told),
        "dismissed": None
        if s.dismissed is None
        else {"text": s.dismissed.text, "normal_since": at(s.dismissed.normal_since)},
        "explanation": _explanation_out(found.explanation, units)
        if found and found.explanation and _may_be_explained(cases, me, s, found.explanation)
        else None,
        "hypotheses": [
            {
                "kind": h.kind,
                "name": h.name,
                "title": h.title,
                "weight": h.weight,
                "because": list(h.because),
                "remedy": remedies.get(h.name, "") if h.kind == "cause" else "",
            }
            for h in (found.hypotheses if found else ())
        ],
        "diagnosis": msgspec.to_builtins(s.diagnosis) if s.diagnosis else None,
        "repair": {**msgspec.to_builtins(s.repair), "done_at": at(s.repair.done_at)} if s.repair else None,
        "progress": None
        if progress is None
        else {
            "since": at(progress.since),
            "until": at(progress.until),
            "when": told.condition_text if told else "",
            "occurrences": progress.occurrences,
            "needed": progress.needed,
            "lasted_s": progress.lasted / 1e9,
            "lasting_s": progress.lasting / 1e9,
            "unclear": progress.unclear,
            "failed": progress.failed,
            "bound": progress.bound,
            "missing": progress.missing,
        },
        "alarms": [_alarm_out(a) for a in s.alarms.entries],
        "alarms_left_out": s.alarms.more,
        "floods": [_flood_out(f) for f in s.alarms.floods],
        "contracts": cases.contracts_of(me, s.case.twin),
        "proofs": [
            {
                "kind": kind,
                "ready": ready,
                "file": f"{base}/proof?kind={kind}",
                "certificate": f"{base}/certificate?kind={kind}",
            }
            for kind, ready in (("violated", bool(s.findings)), ("repaired", s.verified is not None))
            if not s.case.source
        ],
        "steps": [
            {
                "number": step.number,
                "kind": msgspec.to_builtins(step.body)["kind"],
                "at": at(step.at),
                "by": step.by,
                "said": _step_out(step.body),
            }
            for step in s.steps
        ],
    }


def _alarm_out(a: JoinedAlarm) -> dict[str, Any]:
    return {
        "signal": a.signal,
        "code": a.code,
        "text": a.text,
        "severity": a.severity,
        "component": a.component,
        "from": at(a.start),
        "last": at(a.last),
        "to": at(a.end),
        "count": a.count,
    }


def _flood_out(f: Flood) -> dict[str, Any]:
    return {"from": at(f.start), "to": at(f.end), "count": f.count}


def _may_be_explained(cases: CaseParts, me: Actor, s: CaseStanding, e: Explanation) -> bool:
    """Whether the caller may read all observations that an explanation shows: the machine may have changed hands."""
    return cases.act.may_show(me, s, min([e.at, *(sample.time for sample in e.samples)]), e.at + 1)


def _explanation_out(e: Explanation, units: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": at(e.at),
        "samples": [
            {"signal": s.signal, "time": at(s.time), "value": s.value, "unit": units.get(s.signal, "")}
            for s in e.samples
        ],
        "parts": [{"from": a, "to": b, "verdict": verdict} for a, b, verdict in e.parts],
    }


def _step_out(body: StepBody) -> dict[str, Any]:
    """What a step says; instants as text, and a finding by its own members."""
    if isinstance(body, AlarmsJoined):
        change = body.change
        return {
            "alarms": [_alarm_out(a) for a in change.entries],
            "gone": len(change.gone),
            "floods": [_flood_out(f) for f in change.floods],
        }
    said = msgspec.to_builtins(body)
    del said["kind"]
    finding = said.pop("finding", None)
    if isinstance(finding, dict):
        said["from"], said["severity"] = at(finding["start"]), finding["severity"]
    told = said.pop("told", None)
    if isinstance(told, dict):
        said["text"] = told["text"]
    for name in ("explanation", "hypotheses"):
        said.pop(name, None)
    return {
        k: at(v) if k in {"until", "since", "end", "start", "done_at", "normal_since"} else v for k, v in said.items()
    }
