"""Deliveries: announced, under way, there; what was said of them, and what matches none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.instant import NS
from servitwin.domain.schedule.delivery import Delivery, Said
from servitwin.domain.schedule.delivery_word import is_reference
from servitwin.web.api.answers import answer, at, bad_cursor, from_cursor, full, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.routers import router_of
from servitwin.web.api.schedules import Desk, done
from servitwin.web.api.shapes.delivery import DeliveryList, DeliveryShape, DeliveryWordIn, NotMatchedList

router = router_of("planning")
Party = Annotated[str, Query(max_length=100, description="default: the caller's")]


@router.get("/deliveries", response_model=DeliveryList)
def list_deliveries(parts: Parts, me: Me, party: Party = "") -> Response:
    """Deliveries of a company and those of others that concern it, by all that events and people said of them.

    The company's own are its announced arrivals (`in`) and its orders (`out`); of others it sees those from or to it.
    """
    mine, own, others = Desk(parts).deliveries.of(me, party)
    now = parts.now()
    return answer(
        {
            "party": mine,
            "own": [_delivery(d, mine, now) for d in own],
            "of_others": [_delivery(d, mine, now) for d in others],
        }
    )


@router.get("/deliveries/not-matched", response_model=NotMatchedList)
def list_not_matched(
    parts: Parts,
    me: Me,
    party: Party = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: str | None = None,
) -> Response:
    """What was said of deliveries and is about none that a register has, with the reason and how to mend it.

    Once the reference is in the register the word counts, and is listed here no more. A page may be short although
    another follows (`next`).
    """
    said_by, _, id = from_cursor(cursor).partition("\n")
    after = (said_by, id) if said_by else None
    if after is not None and not (is_reference(said_by) and is_reference(id)):
        raise bad_cursor()
    found, last = Desk(parts).deliveries.not_matched(me, party, limit, after)
    rows = [
        {
            "id": n.word.id, "party": n.word.party, "event": n.word.event, "step": n.word.step,
            "refs": list(n.word.refs), "at": at(n.word.at), "received": at(n.word.received), "fault": full(n.fault),
        }
        for n in found
    ]  # fmt: skip
    return answer({"items": rows, "next": None if last is None else to_cursor("\n".join(last))})


@router.post("/deliveries/words", response_model=DeliveryShape, status_code=201)
async def say_of_delivery(parts: Parts, me: Me, body: DeliveryWordIn) -> Response:
    """Say when a delivery is expected, with the reason, or that it came.

    A supplier says when what it announced is expected, a customer that its order came, a company both of its own.
    Plans count with it from now on.
    """
    time = None if body.time is None else time_of(body.time, "time")
    found = await done(
        parts,
        lambda desk: desk.deliveries.say(
            me, body.said, body.ref, house=body.house, thing=body.thing, time=time, amount=body.amount,
            reason=body.reason, party=body.party,
        ),
    )  # fmt: skip
    return answer(_delivery(found, parts.registers.party_of(me, body.party), parts.now()), 201)


@router.delete("/deliveries/words/{id:path}", status_code=204)
async def withdraw_word(parts: Parts, me: Me, id: str, party: Party = "") -> Response:
    """Take back what one's own company said, in words or by an event: it counts no more."""
    await done(parts, lambda desk: desk.deliveries.withdraw(me, id, party))
    return Response(status_code=204)


def _delivery(d: Delivery, reader: str, now: int) -> dict[str, Any]:
    a = d.awaited
    return {
        "house": a.house, "side": a.side, "thing": a.thing, "ref": a.ref, "partner": a.partner,
        "announced": at(a.due), "announced_amount": a.amount, "unit": a.unit, "state": d.state,
        "expected": at(d.expected), "amount": d.amount, "shipped": at(d.shipped), "came": at(d.came),
        "came_amount": d.given, "counted": d.counted, "late_s": d.late(now) / NS, "reason": d.reason,
        "said": _said(d.said, reader), "expected_by": _said(d.expected_by, reader),
    }  # fmt: skip


def _said(said: Said | None, reader: str) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "party": said.party, "at": at(said.at), "id": said.id, "event": said.event,
        "by": said.by if said.party == reader else "",
    }  # fmt: skip
