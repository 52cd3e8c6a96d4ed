"""Production plans: asked for, shown with reasons, compared, changed by hand, published; the operator's shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.formats.job_order import job_list
from servitwin.formats.schedule_csv import plan_to_csv
from servitwin.formats.schedule_files import read_plan
from servitwin.usecases.deliveries import Deliveries
from servitwin.usecases.just_in_time import JustInTime
from servitwin.usecases.keep_deliveries import KeepDeliveries
from servitwin.usecases.move_in_shift import MoveInShift, Why, Wish
from servitwin.usecases.plan_production import PUBLISHED, PlanProduction, plain
from servitwin.usecases.production_shop import DOWN, ProductionShop
from servitwin.usecases.shift_assistant import REASONS, ShiftAssistant
from servitwin.web.api.answers import answer, at, full, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.jobs import shown_job
from servitwin.web.api.live_state import state_now
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.schedule_parts import compared_out, line_out, needs_out, plan_out, shift_move_out, task_out
from servitwin.web.api.shapes.planning import JobShape
from servitwin.web.api.shapes.schedule import (
    ConcerningShape,
    Lessons,
    MovedByHand,
    MoveIn,
    NeedsShape,
    NextTasks,
    Occupations,
    PublishIn,
    ScheduleAsk,
    ScheduleComparison,
    ScheduleList,
    ScheduleShape,
    ShiftAnswerIn,
)
from servitwin.web.api.shapes.shift import HOW, ShiftMoved, ShiftMoveIn, ShiftMoveShape

router = router_of("planning")
_PLAN_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
            },
        },
    }
}
Party = Annotated[str, Query(max_length=100, description="default: the caller's")]
T = TypeVar("T")


class Desk:
    """The use cases for one call, and what they told; made anew for each."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self.told: list[tuple[str, bytes]] = []
        self.shop = ProductionShop(parts.records, parts.registry)
        self.plans = PlanProduction(
            parts.records, self.shop, parts.registers, parts.jobs, parts.authoriser, self.tell, parts.now
        )
        self.just_in_time = JustInTime(parts.records, self.plans, parts.registers, parts.authoriser, parts.now)
        self.keep_deliveries = KeepDeliveries(parts.records, self.tell, parts.now)
        self.deliveries = Deliveries(
            parts.records, parts.registers, parts.authoriser, parts.audit, self.keep_deliveries, parts.now, parts.new_id
        )
        self.shift = ShiftAssistant(parts.records, self.plans, self.shop, parts.registers, parts.now, parts.new_id)
        self.moves = MoveInShift(
            parts.records, self.plans, parts.registers, parts.authoriser, self.tell, parts.now, parts.new_id
        )

    def states(self, party: str) -> dict[str, int | None]:
        """Machines of the party whose state is known: since when they are down by it, None: they are not."""
        found: dict[str, int | None] = {}
        for twin in self.shop.machines(party, self._parts.now()):
            state = state_now(self._parts, twin)
            if state is not None:
                found[twin.id] = time_of(state["since"], "since") if state["state"] in DOWN else None
        return found

    def down(self, party: str) -> dict[str, int]:
        """Machines of the party that are down by their own state, with since when."""
        return {id: since for id, since in self.states(party).items() if since is not None}

    def tell(self, party: str, data: Mapping[str, Any]) -> None:
        """Keep an event of kind ``plan``; ``told`` has it for whoever publishes."""
        now = self._parts.now()
        number = self._parts.records.add_event("plan", party, now, dict(data))
        event = {"id": number, "kind": "plan", "subject": party, "at": now, "data": data}
        self.told.append(("happened", msgspec.json.encode(event)))


async def done(parts: WebParts, work: Callable[[Desk], T]) -> T:
    """Work done in a thread, and what it told published."""
    desk = Desk(parts)
    found = await run_in_threadpool(work, desk)
    for subject, payload in desk.told:
        await parts.bus.publish(subject, payload)
    return found


@router.post("/schedules", response_model=JobShape, status_code=202)
async def ask_schedule(parts: Parts, me: Me, body: ScheduleAsk) -> Response:
    """Let a plan be made of what is known now: open orders, machine states, material, shifts, maintenance.

    With a published plan the new one disturbs it little. The answer is a job: its best plan so far is at
    `GET /schedules/{id of the job}`; events `job` tell of better ones.
    """

    def ask(desk: Desk) -> Any:
        down = desk.down(parts.registers.party_of(me, body.party))
        return desk.plans.ask(
            me,
            body.party,
            down,
            budget_s=body.budget_s,
            seed=body.seed,
            freeze_minutes=body.freeze_minutes,
            horizon_days=body.horizon_days,
            afresh=body.afresh,
        )

    job = await done(parts, ask)
    parts.working.wake()
    return answer(shown_job(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.get("/schedules", response_model=ScheduleList)
def list_schedules(
    parts: Parts, me: Me, party: Party = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Response:
    """Plans that are kept (the published one, those changed by hand) and jobs that made plans, newest first."""
    jobs, kept = Desk(parts).plans.plans(me, party, limit)
    return answer({"kept": [line_out(p) for p in kept], "jobs": [shown_job(j) for j in jobs]})


@router.get("/schedules/needs", response_model=NeedsShape)
def list_material_needs(parts: Parts, me: Me, party: Party = "", id: str = PUBLISHED) -> Response:
    """What a plan needs when, where and from whom, against what is known of material now; late first.

    With what is called off from suppliers, when customers' orders are expected, and OTIF of the last 90 days.
    """
    return answer(needs_out(Desk(parts).just_in_time.needs(me, party, id)))


@router.get("/schedules/concerning", response_model=ConcerningShape)
def list_what_concerns_a_party(parts: Parts, me: Me, party: Party = "") -> Response:
    """What the published plans of others need of the caller's party and will bring to it; nothing else of them."""
    return answer({"items": [needs_out(n) for n in Desk(parts).just_in_time.concerning(me, party)]})


@router.get("/schedules/occupation", response_model=Occupations)
def list_occupation(parts: Parts, me: Me, party: Party = "") -> Response:
    """The published plan as stretches in which orders take machines: what maintenance is placed around."""
    plan = Desk(parts).plans.one(me, PUBLISHED, party)
    items = sorted((p.machine, p.begin, p.end, p.order) for p in plan.placements)
    rows = [{"machine": m, "start": at(s), "end": at(e), "order": o} for m, s, e, o in items]
    return answer({"items": rows, "known_until": at(max((p.end for p in plan.placements), default=plan.problem.start))})


@router.get("/schedules/next", response_model=NextTasks)
def list_next_tasks(
    parts: Parts, me: Me, machine: Annotated[str, Query(max_length=100)], party: Party = ""
) -> Response:
    """What runs at a machine and what comes next in the published plan, with the reasons."""
    tasks = Desk(parts).shift.next(me, machine, party)
    return answer({"machine": machine, "tasks": [task_out(t) for t in tasks], "reasons": list(REASONS)})


@router.post("/schedules/answers", response_model=NextTasks, status_code=201)
async def answer_task(parts: Parts, me: Me, body: ShiftAnswerIn) -> Response:
    """Say that an operation was begun, is done, or is rejected with the reason; the next plan learns from it."""

    def say(desk: Desk) -> Any:
        kept = desk.shift.answer(me, body.order, body.operation, body.answer, body.reason, body.text, body.party)
        return kept.machine, desk.shift.next(me, kept.machine, body.party)

    machine, tasks = await done(parts, say)
    return answer({"machine": machine, "tasks": [task_out(t) for t in tasks], "reasons": list(REASONS)}, 201)


@router.get("/schedules/moves", response_model=ShiftMoveShape)
def look_at_shift_move(
    parts: Parts,
    me: Me,
    machine: Annotated[str, Query(max_length=100)],
    order: Annotated[str, Query(max_length=200)],
    operation: Annotated[str, Query(max_length=200)],
    how: Annotated[Literal["first", "later"], Query(description=HOW)],
    party: Party = "",
) -> Response:
    """What would happen if the shift moved an operation of the published plan at its machine; nothing is changed."""
    desk = Desk(parts)
    down = desk.down(parts.registers.party_of(me, party))
    plan, move = desk.moves.look(me, Wish(machine, order, operation, how), down, party)
    return answer(shift_move_out(move, plan.revision))


@router.post("/schedules/moves", response_model=ShiftMoved, status_code=201)
async def move_in_shift(parts: Parts, me: Me, body: ShiftMoveIn) -> Response:
    """Move an operation at its machine: it holds at once where no order is late by it and no other machine disturbed.

    Else nothing is changed (`shift:needs-planner`, 409, with what is against it); with `ask` the plan is kept as a
    proposal `shift-MACHINE` for whoever plans. Events `plan`: `moved-by-shift`, `move-asked`.
    """
    wish, why = Wish(body.machine, body.order, body.operation, body.how), Why(body.reason, body.text)

    def move(desk: Desk) -> Any:
        down = desk.down(parts.registers.party_of(me, body.party))
        act = desk.moves.ask if body.ask else desk.moves.move
        plan, made = act(me, wish, why, body.revision, down, body.party)
        return {"plan": plan.id, "move": shift_move_out(made, body.revision if body.ask else plan.revision)}

    return answer(await done(parts, move), 201)


@router.get("/schedules/lessons", response_model=Lessons)
def list_lessons(parts: Parts, me: Me, party: Party = "") -> Response:
    """What plans have learnt of measured times and rejections, by product, step and machine."""
    return answer({"items": [full(x) for x in Desk(parts).shift.lessons(me, party)]})


@router.get("/schedules/{id}", response_model=ScheduleShape)
def read_schedule(parts: Parts, me: Me, id: str, party: Party = "") -> Response:
    """A plan with the reasons of each wait and each late order: `published`, a job's id, or one changed by hand."""
    return answer(plan_out(Desk(parts).plans.one(me, id, party)))


@router.post("/schedules/import", response_model=ScheduleShape, status_code=201, openapi_extra=_PLAN_FILE)
async def import_schedule(
    request: Request,
    parts: Parts,
    me: Me,
    base: Annotated[
        str, Query(max_length=200, description="plan that was exported and changed; default: what is known now")
    ] = "",
    name: Annotated[str, Query(max_length=200, description="of the file, for people")] = "",
    party: Party = "",
) -> Response:
    """Bring a plan from elsewhere: a table as CSV, a plan as JSON, or a job list of ISA-95 (a JSON array).

    It is checked like every plan and kept as one of your own, whole or not at all; each fault names its line or job.
    """
    content = await request.body()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def take(desk: Desk) -> Any:
        read = read_plan(content, media)
        down = {} if base else desk.down(parts.registers.party_of(me, party))
        return plan_out(desk.plans.take(me, read, name, base, party, down))

    return answer(await done(parts, take), 201)


@router.get("/schedules/{id}/problem", response_model=dict[str, Any])
def export_schedule_problem(parts: Parts, me: Me, id: str, party: Party = "") -> Response:
    """What a plan was made from, as the service `schedule` takes it (`POST /services/schedule/jobs`); times in ns."""
    return answer(plain(Desk(parts).plans.one(me, id, party).problem))


@router.get(
    "/schedules/{id}/table",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def export_schedule_table(parts: Parts, me: Me, id: str, party: Party = "") -> Response:
    """A plan as CSV, one line an operation."""
    plan = Desk(parts).plans.one(me, id, party)
    head = {"Content-Disposition": f'attachment; filename="plan-{plan.id}.csv"'}
    return Response(plan_to_csv(plan.placements), media_type="text/csv", headers=head)


@router.get("/schedules/{id}/job-list", response_model=list[dict[str, Any]])
def export_job_list(parts: Parts, me: Me, id: str, party: Party = "") -> Response:
    """A plan as job list of ISA-95 in the data model of OPC 10031-4 (`ISA95JobOrderAndStateDataType`)."""
    plan = Desk(parts).plans.one(me, id, party)
    return answer(job_list(plan.problem, plan.placements, parts.now()))


@router.get("/schedules/{id}/against/{other}", response_model=ScheduleComparison)
def compare_schedules(parts: Parts, me: Me, id: str, other: str, party: Party = "") -> Response:
    """What moves from one plan to another, and why."""
    first, second, found = Desk(parts).plans.compare(me, id, other, party)
    return answer(compared_out(first, second, found))


@router.post("/schedules/{id}/move", response_model=MovedByHand, status_code=201)
async def move_operation(parts: Parts, me: Me, id: str, body: MoveIn) -> Response:
    """Put an operation elsewhere: the rest is repaired around it and checked; kept as a plan of your own."""
    start = time_of(body.start, "start")

    def move(desk: Desk) -> Any:
        before = desk.plans.one(me, id, body.party)
        after, found = desk.plans.move(me, id, body.order, body.operation, body.machine, start, body.party)
        return {"plan": plan_out(after), "comparison": compared_out(before, after, found)}

    return answer(await done(parts, move), 201)


@router.post("/schedules/{id}/publish", response_model=ScheduleShape)
async def publish_schedule(parts: Parts, me: Me, id: str, body: PublishIn) -> Response:
    """Make a plan the one that holds. Suppliers and customers who are parties here are told by events `plan`."""
    work = done(parts, lambda desk: desk.plans.publish(me, id, body.title, body.party, body.replaces))
    return answer(plan_out(await work))
