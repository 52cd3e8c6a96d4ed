"""Work orders of a machine: planned and unplanned work, its cause, and every step of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.party import Actor
from servitwin.domain.work_order import WorkOrder
from servitwin.usecases.keep_work_order import EVER, NewOrder, OrderChange
from servitwin.web.api.answers import answer, at, number_cursor, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import ContractParts, Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.work_order import WorkOrderIn, WorkOrders, WorkOrderShape, WorkOrderStepIn

router = router_of("work orders")


@router.get("/twins/{id}/work-orders", response_model=WorkOrders)
def list_work_orders(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    from_: Annotated[str | None, Query(alias="from", description="default: since ever")] = None,
    to: Annotated[str | None, Query(description="default: without end, planned work included")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Work orders of a machine that meet the range, the newest work first, cancelled ones included."""
    start = -EVER if from_ is None else time_of(from_, "from")
    end = EVER if to is None else time_of(to, "to")
    found = contracts.orders.orders(id, me, start, end)
    skip = max(0, number_cursor(cursor) or 0)
    following = to_cursor(str(skip + limit)) if skip + limit < len(found) else None
    items = [order_out(contracts, me, steps) for steps in found[skip : skip + limit]]
    return answer({"items": items, "may_write": contracts.orders.may_write(id, me), "next": following})


@router.post("/twins/{id}/work-orders", response_model=WorkOrderShape, status_code=201)
def open_work_order(contracts: Contracts, me: Me, id: str, body: WorkOrderIn) -> Response:
    """Open a work order. A cause in your own party's favour is a ground for a claim, not a fact."""
    said = NewOrder(
        body.kind, time_of(body.from_, "from"), None if body.to is None else time_of(body.to, "to"), body.cause,
        body.party, body.text,
    )  # fmt: skip
    return answer(order_out(contracts, me, contracts.orders.open(id, said, me)), 201)


@router.post("/twins/{id}/work-orders/{order}/steps", response_model=WorkOrderShape)
def step_work_order(contracts: Contracts, me: Me, id: str, order: str, body: WorkOrderStepIn) -> Response:
    """Change, close or cancel a work order; what it said before is kept.

    Planned work that the provider of a guarantee closes is proposed as an exclusion, with the order as evidence.
    """
    change = OrderChange(
        body.action,
        None if body.from_ is None else time_of(body.from_, "from"),
        None if body.to is None else time_of(body.to, "to"),
        body.cause,
        body.party,
        body.text,
        body.number,
    )
    return answer(order_out(contracts, me, contracts.orders.step(id, order, change, me)))


def order_out(contracts: ContractParts, me: Actor, steps: Sequence[WorkOrder]) -> dict[str, Any]:
    """A work order as JSON."""
    first, last = steps[0], steps[-1]
    closed = next((s for s in steps if s.action == "close"), None)
    return {
        "id": last.id,
        "twin": last.twin,
        "kind": last.kind,
        "status": last.status,
        "from": at(last.start),
        "to": None if last.end is None else at(last.end),
        "cause": last.cause,
        "party": last.party,
        "opened_by": first.by,
        "opened_at": at(first.at),
        "closed_by": None if closed is None else closed.by,
        "closed_at": None if closed is None else at(closed.at),
        "text": last.text,
        "steps": [_step(s) for s in steps],
        "claims": [
            {"contract": s.exclusion.contract, "exclusion": s.exclusion.id, "status": s.status}
            for s in contracts.orders.claims_of(last, me)
        ],
    }


def _step(step: WorkOrder) -> dict[str, Any]:
    return {
        "number": step.number, "action": step.action, "status": step.status, "from": at(step.start),
        "to": None if step.end is None else at(step.end), "cause": step.cause, "party": step.party,
        "cause_party": step.cause_party, "by": step.by, "by_party": step.by_party, "at": at(step.at),
        "text": step.text,
    }  # fmt: skip
