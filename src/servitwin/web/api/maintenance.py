"""Maintenance: what is due, where it costs least, and what became of what was recommended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.instant import DAY
from servitwin.domain.maintenance_placement import PlacementPlan, PlacementProblem
from servitwin.domain.visit_problem import VisitPlan, VisitProblem
from servitwin.usecases.follow_recommendation import Answer
from servitwin.usecases.plan_maintenance import ABOUT as MAINTENANCE
from servitwin.usecases.plan_maintenance import PLANNER as PLACING
from servitwin.usecases.plan_visits import ABOUT as VISITS
from servitwin.usecases.plan_visits import PLANNER as ROUTING
from servitwin.web.api.answers import answer, at, full, range_of, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.jobs import shown_job
from servitwin.web.api.maintenance_parts import (
    Maintenance,
    choice_out,
    due_out,
    part_out,
    recommendation_out,
)
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.maintenance import (
    AnswerIn,
    DueTasks,
    MaintenancePlan,
    PlanIn,
    Proposals,
    Recommendations,
    RecommendationShape,
    Routes,
    VisitCounts,
)
from servitwin.web.api.shapes.planning import JobShape

router = router_of("maintenance", prefix="/maintenance")
Party = Annotated[str, Query(max_length=100, description="provider; default: the caller's party")]


@router.get("/tasks", response_model=DueTasks)
def list_due_tasks(maintenance: Maintenance, me: Me, party: Party = "") -> Response:
    """Maintenance tasks with their windows, the most urgent first, and spare parts with what to order."""
    service = maintenance.due.service(me, party)
    return answer(
        {
            "party": service.party,
            "items": [due_out(t, service) for t in maintenance.due.due(service)],
            "parts": [part_out(p) for p in maintenance.due.parts(service)],
        }
    )


@router.post("/plans", response_model=JobShape, status_code=202)
async def ask_maintenance_plan(parts: Parts, maintenance: Maintenance, me: Me, body: PlanIn) -> Response:
    """Let the service `maintenance_plan` place what is due into the production schedule. The answer is its job."""
    job = await run_in_threadpool(maintenance.plan.ask, me, body.party, body.days, body.budget_s, body.seed)
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.get("/plan", response_model=MaintenancePlan)
def read_maintenance_plan(parts: Parts, me: Me) -> Response:
    """The newest plan of maintenance, with the machines' planned time that it was made from."""
    job = next(iter(parts.jobs.of(me, PLACING, MAINTENANCE, 1)), None)
    said: Any = parts.jobs.result(job) if job is not None else None
    empty: dict[str, Any] = {
        "job": shown_job(job) if job else None, "currency": "", "cost": None, "at_once": None, "placed": [],
        "visits": [], "left_out": [], "machines": [],
    }  # fmt: skip
    if job is None or not isinstance(said, Mapping):
        return answer(empty)
    plan = msgspec.convert(said, PlacementPlan, strict=False)
    problem = msgspec.convert(parts.jobs.problem(job), PlacementProblem, strict=False)
    tasks = {t.id: t for t in problem.tasks}
    return answer(
        {
            **empty, "currency": plan.currency, "cost": plan.cost, "at_once": plan.at_once,
            "placed": [
                {
                    "task": p.task, "title": tasks[p.task].title, "twin": tasks[p.task].machine,
                    "technician": p.technician, "from": at(p.start), "to": at(p.end),
                    "chosen": choice_out(p.chosen), "at_once": choice_out(p.at_once),
                    "at_last": choice_out(p.at_last), "cheapest": choice_out(p.cheapest), "why": p.why,
                }
                for p in plan.placed
            ],
            "visits": [{**full(v), "shift": at(v.shift)} for v in plan.visits],
            "left_out": [
                {"id": x.task, "title": tasks[x.task].title, "code": x.code, "why": x.why} for x in plan.left_out
            ],
            "machines": [
                {
                    "machine": m.machine, "busy_cost_per_hour": str(m.busy_cost_per_hour),
                    "working": [{"from": at(a), "to": at(b)} for a, b in m.working],
                    "taken": [{"from": at(t.start), "to": at(t.end), "order": t.order} for t in m.taken],
                }
                for m in problem.machines
            ],
        }
    )  # fmt: skip


@router.post("/plans/{job}/recommendations", response_model=Proposals, status_code=201)
async def propose_recommendations(parts: Parts, maintenance: Maintenance, me: Me, job: str) -> Response:
    """Propose what a plan says to the customers; a task with an open recommendation keeps that one."""
    found = await run_in_threadpool(maintenance.follow.propose, me, job)
    await maintenance.publish(parts)
    return answer({"made": [r.id for r in found.made], "open_already": found.open_already}, 201)


@router.get("/recommendations", response_model=Recommendations)
def list_recommendations(parts: Parts, maintenance: Maintenance, me: Me) -> Response:
    """Recommendations that concern the caller's party, as provider or as customer, and how they ended."""
    found = maintenance.follow.all(me)
    return answer(
        {
            "items": [recommendation_out(parts, me, r) for r in found],
            "followed": full(maintenance.follow.followed(me)),
        }
    )


@router.post("/recommendations/{id}/steps", response_model=RecommendationShape, status_code=201)
async def step_recommendation(parts: Parts, maintenance: Maintenance, me: Me, id: str, body: AnswerIn) -> Response:
    """Accept, refuse (with a reason), propose another window, schedule (opens a work order), judge or withdraw."""
    said = Answer(
        body.action, time_of(body.from_, "from") if body.from_ is not None else 0,
        time_of(body.to, "to") if body.to is not None else 0, body.text, body.found,
    )  # fmt: skip
    found = await run_in_threadpool(maintenance.follow.act, me, id, said)
    await maintenance.publish(parts)
    return answer(recommendation_out(parts, me, found), 201)


@router.post("/visits", response_model=JobShape, status_code=202)
async def ask_routes(parts: Parts, maintenance: Maintenance, me: Me, body: PlanIn) -> Response:
    """Let the service `visit_routes` plan who visits what when in the next days. The answer is its job."""
    days = min(body.days, 14)
    job = await run_in_threadpool(maintenance.visits.ask, me, body.party, days, body.budget_s, body.seed)
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.get("/visits", response_model=Routes)
def read_routes(parts: Parts, me: Me) -> Response:
    """The newest routes of the technicians."""
    job = next(iter(parts.jobs.of(me, ROUTING, VISITS, 1)), None)
    said: Any = parts.jobs.result(job) if job is not None else None
    if job is None or not isinstance(said, Mapping):
        shown = shown_job(job) if job else None
        return answer({"job": shown, "currency": "", "cost": None, "routes": [], "left_out": []})
    plan = msgspec.convert(said, VisitPlan, strict=False)
    problem = msgspec.convert(parts.jobs.problem(job), VisitProblem, strict=False)
    visits, people = {v.id: v for v in problem.visits}, {t.id: t for t in problem.technicians}
    routes = [
        {
            "technician": r.technician, "name": people[r.technician].name, "lat": people[r.technician].base.lat,
            "lon": people[r.technician].base.lon, "leave": at(r.leave), "back": at(r.back), "home_m": r.home_m,
            "home_s": r.home_s, "cost": str(r.cost),
            "stops": [
                {
                    "visit": s.visit, "title": visits[s.visit].title, "lat": visits[s.visit].place.lat,
                    "lon": visits[s.visit].place.lon, "site": visits[s.visit].place.name, "arrive": at(s.arrive),
                    "from": at(s.start), "to": at(s.end), "drive_m": s.drive_m, "drive_s": s.drive_s,
                    "priority": visits[s.visit].priority,
                }
                for s in r.stops
            ],
        }
        for r in plan.routes
    ]  # fmt: skip
    left = [{"id": x.visit, "title": visits[x.visit].title, "code": x.code, "why": x.why} for x in plan.left_out]
    return answer(
        {"job": shown_job(job), "currency": plan.currency, "cost": str(plan.cost), "routes": routes, "left_out": left}
    )


@router.get("/visit-counts", response_model=VisitCounts)
def count_visits(
    parts: Parts,
    maintenance: Maintenance,
    me: Me,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
) -> Response:
    """Planned and ad hoc visits by contract, with the money against the baseline that both parties signed."""
    start, end = range_of(from_, to, parts.now(), 365 * DAY)
    items = [
        {
            "contract": v.contract, "customer": v.customer, "provider": v.provider, "machines": v.machines,
            "planned": v.planned, "ad_hoc": v.ad_hoc, "days": round(float(v.days), 2),
            "baseline": None if v.baseline is None else str(v.baseline),
            "avoided": None if v.avoided is None else f"{v.avoided:.2f}",
            "saved": None if v.saved is None else f"{v.saved.amount:.2f}",
            "currency": None if v.saved is None else v.saved.currency, "agreed": v.agreed,
        }
        for v in maintenance.count.count(me, start, end)
    ]  # fmt: skip
    return answer({"from": at(start), "to": at(end), "items": items})
