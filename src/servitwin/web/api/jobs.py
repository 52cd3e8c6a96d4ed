"""Jobs of planners and trainers, and the artefacts that trainers leave behind."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.instant import NS
from servitwin.domain.job import Artefact, Job
from servitwin.web.api.answers import answer, at, full, number_cursor, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.planning import (
    Artefacts,
    ArtefactShape,
    JobDetail,
    JobIn,
    JobList,
    JobShape,
    PromotionIn,
)

router = router_of("planning")


@router.post("/services/{service}/jobs", response_model=JobShape, status_code=202)
async def ask_job(parts: Parts, me: Me, service: str, body: JobIn) -> Response:
    """Let a planner solve a problem, or a trainer learn from a data set.

    The answer comes at once: ask `GET /jobs/{id}` until its `state` is `done`, `failed` or `cancelled`, or listen to
    events `job`. What is wrong with the problem is found by the service, all at once, and stands in `faults`.
    """

    def ask() -> Job:
        return parts.jobs.ask(
            service, body.problem, me, budget_s=body.budget_s, seed=body.seed, about=body.about, party=body.party
        )

    job = await run_in_threadpool(ask)
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.get("/jobs", response_model=JobList)
def list_jobs(
    parts: Parts,
    me: Me,
    service: Annotated[str, Query(max_length=100)] = "",
    about: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Jobs of parties whose plans the caller may see, newest first."""
    found = parts.jobs.of(me, service, about, limit + 1, number_cursor(cursor))
    following = to_cursor(str(found[limit - 1].at)) if len(found) > limit else None
    return answer({"items": [shown_job(j) for j in found[:limit]], "next": following})


@router.get("/jobs/{id}", response_model=JobDetail)
def read_job(parts: Parts, me: Me, id: str) -> Response:
    """Where a job stands, with its best plan so far."""
    job = parts.jobs.one(me, id)
    return answer({**shown_job(job), "plan": parts.jobs.result(job)})


@router.post("/jobs/{id}/cancel", response_model=JobShape)
def cancel_job(parts: Parts, me: Me, id: str) -> Response:
    """End a job early; the best plan so far stays."""
    return answer(shown_job(parts.jobs.cancel(me, id)))


@router.get("/services/{trainer}/artefacts", response_model=Artefacts)
def list_artefacts(parts: Parts, me: Me, trainer: str, party: Annotated[str, Query(max_length=100)] = "") -> Response:
    """What a trainer made for a party (default: the caller's), newest first."""
    return answer({"items": [_artefact(a) for a in parts.jobs.artefacts(me, trainer, party)]})


@router.post("/services/{trainer}/artefacts/{digest}/promote", response_model=ArtefactShape)
def promote_artefact(parts: Parts, me: Me, trainer: str, digest: str, body: PromotionIn) -> Response:
    """Use an artefact from now on instead of the one in use."""
    return answer(_artefact(parts.jobs.promote(me, trainer, digest, body.why, body.party)))


def shown_job(job: Job) -> dict[str, Any]:
    """A job as JSON, without its plan."""
    return {
        "id": job.id, "service": job.service, "version": job.version, "kind": job.kind, "party": job.party,
        "by": job.by, "at": at(job.at), "about": job.about, "state": job.state, "budget_s": job.budget / NS,
        "seed": job.seed, "began": at(job.began), "ended": at(job.ended), "plans": job.plans, "value": job.value,
        "bound": job.bound, "result": job.result, "problem": job.problem, "cancelled_by": job.cancelled_by,
        "faults": [full(f) for f in job.faults], "why": list(job.why),
    }  # fmt: skip


def _artefact(a: Artefact) -> dict[str, Any]:
    return {**full(a), "made": at(a.made), "promoted": at(a.promoted), "retired": at(a.retired)}
