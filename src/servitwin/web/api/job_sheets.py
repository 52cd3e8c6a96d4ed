"""Job sheets: a technician's jobs, their steps, parts and proof."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.error import RefusedError
from servitwin.domain.party import Actor
from servitwin.usecases.list_due_tasks import Service
from servitwin.web.api.answers import answer
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.maintenance_parts import Maintenance, MaintenanceParts, sheet_out
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.maintenance import JobCloseIn, JobSheets, JobSheetShape, PartTakenShape, TickIn, UseIn

router = router_of("maintenance", prefix="/maintenance")


@router.get("/jobs", response_model=JobSheets)
def list_job_sheets(
    parts: Parts,
    maintenance: Maintenance,
    me: Me,
    mine: Annotated[bool, Query(description="only those of technicians whose account is the caller's")] = False,
    closed: Annotated[bool, Query(description="closed ones too")] = False,
) -> Response:
    """Job sheets by their time."""
    service = _service(maintenance, me)
    own = [id for id, t in service.technicians.items() if t.account == me.id] if service else []
    sheets = [s for s in maintenance.sheets.all(me, closed=closed) if not mine or s.technician in own]
    items = sorted((sheet_out(parts, s, service) for s in sheets), key=lambda s: (s["from"] or "", s["order"]))
    return answer({"items": items, "technicians": own})


@router.get("/jobs/{order}", response_model=JobSheetShape)
def read_job_sheet(parts: Parts, maintenance: Maintenance, me: Me, order: str) -> Response:
    """The sheet of a work order."""
    return answer(sheet_out(parts, maintenance.sheets.one(me, order), _service(maintenance, me)))


@router.post("/jobs/{order}/ticks", response_model=JobSheetShape, status_code=201)
def tick_step(parts: Parts, maintenance: Maintenance, me: Me, order: str, body: TickIn) -> Response:
    """A step of the procedure is done."""
    return answer(sheet_out(parts, maintenance.sheets.tick(me, order, body.step, body.note)), 201)


@router.post("/jobs/{order}/parts", response_model=PartTakenShape, status_code=201)
def take_part(parts: Parts, maintenance: Maintenance, me: Me, order: str, body: UseIn) -> Response:
    """Pieces are taken from the shelf: its stock goes down, and what to order now is said."""
    taken = maintenance.sheets.use(me, order, body.part, body.quantity)
    return answer({"sheet": sheet_out(parts, taken.sheet), "order": taken.reorder.order, "why": taken.reorder.why}, 201)


@router.post("/jobs/{order}/close", response_model=JobSheetShape, status_code=201)
async def close_job(parts: Parts, maintenance: Maintenance, me: Me, order: str, body: JobCloseIn) -> Response:
    """The work is done: sheet and work order end now, and the recommendation behind them is done."""
    sheet = await run_in_threadpool(maintenance.follow.close_job, me, order, body.case, body.proof, body.note)
    await maintenance.publish(parts)
    return answer(await run_in_threadpool(sheet_out, parts, sheet), 201)


def _service(maintenance: MaintenanceParts, me: Actor) -> Service | None:
    try:
        return maintenance.due.service(me)
    except RefusedError:
        return None
