"""Reasons: why a machine stood, as people see it, with every correction kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from servitwin.domain.instant import DAY
from servitwin.domain.reason import Reason, in_force
from servitwin.domain.reason_tree import choices_of, responsible_for
from servitwin.usecases.give_reason import GiveReason
from servitwin.web.api.answers import answer, full, range_of, time_of
from servitwin.web.api.callers import Me, Parts, permitted_twin
from servitwin.web.api.contract_parts import reason_out
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page
from servitwin.web.api.shapes.contract import ReasonIn, ReasonShape

router = router_of("reasons")


@router.get("/twins/{id}/reasons", response_model=Page[ReasonShape])
def list_reasons(
    parts: Parts,
    me: Me,
    id: str,
    from_: Annotated[str | None, Query(alias="from", description="default: seven days before `to`")] = None,
    to: Annotated[str | None, Query(description="default: now")] = None,
) -> Response:
    """What was said about a machine in the range, in the order in which it was said; corrected ones are kept."""
    twin = permitted_twin(parts, me, id, "read")
    start, end = range_of(from_, to, parts.now(), 7 * DAY)
    found = parts.records.reasons([twin.id], start, end)
    counting = {r.id for r in in_force(found)}
    return answer({"items": [reason_out(r, in_force=r.id in counting) for r in found], "next": None})


@router.get("/twins/{id}/reasons/choices", response_model=list[dict[str, object]])
def list_reason_choices(parts: Parts, me: Me, id: str) -> Response:
    """The machine type's reason tree: two taps from a group to a cause."""
    twin = permitted_twin(parts, me, id, "read")
    return answer([full(c) for c in choices_of(parts.registry.type_at(twin, parts.now()))])


@router.post("/twins/{id}/reasons", response_model=ReasonShape, status_code=201)
def give_reason(parts: Parts, me: Me, id: str, body: ReasonIn) -> Response:
    """Say why a machine stood. A reason in your own party's favour is a ground for a claim, not a fact."""
    twin = permitted_twin(parts, me, id, "command")
    tree = choices_of(parts.registry.type_at(twin, parts.now()))
    reason = Reason(
        parts.new_id(),
        twin.id,
        time_of(body.from_, "from"),
        time_of(body.to, "to"),
        body.cause,
        body.party or responsible_for(tree, body.cause),
        me.id,
        me.party or parts.authoriser.operator(),
        parts.now(),
        body.note,
        body.replaces,
    )
    GiveReason(parts.records, parts.audit).give(reason, tree, me)
    return answer(reason_out(reason, in_force=True), 201)
