"""Settlements: what a period was worth, each stretch that decided it, and the observations it rests on."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from servitwin.domain.contract_period import Period, period_chosen, periods
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.settlement import Settled
from servitwin.formats.dates import check_day, read_instant
from servitwin.formats.settlement_document import amount, interval_rows, machine_result, read_settlement, result_of
from servitwin.usecases.recompute_settlement import RecomputeSettlement
from servitwin.usecases.run_trial import Trial
from servitwin.web.api.answers import answer, at, full, number_cursor, time_of, to_cursor
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page, Version
from servitwin.web.api.shapes.contract import (
    CategoryName,
    GuaranteeIntervalShape,
    KeyShape,
    SettlementRow,
    TrialShape,
    VerifiedShape,
)

router = router_of("contracts", route_class=APIRoute)
_SETTLEMENT = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The settlement as canonical JSON (RFC 8785): the same bytes, whoever asks",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("/contracts/{id}/intervals", response_model=Page[GuaranteeIntervalShape])
def list_contract_intervals(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    period: str | None = None,
    at_: Annotated[str | None, Query(alias="at")] = None,
    twin: Annotated[str | None, Query(description="only this machine")] = None,
    category: Annotated[CategoryName | None, Query(description="only this category")] = None,
    limit: Annotated[int, Query(ge=1, le=50_000)] = 10_000,
    cursor: str | None = None,
) -> Response:
    """Each stretch of a period with its category and rule, machine by machine, in order of time."""
    agreement = contracts.access.measured(me, id)
    known_at = parts.now() if at_ is None else min(parts.now(), time_of(at_, "at"))
    found = contracts.settle.glance(agreement, period_chosen(agreement.contract, period, known_at), known_at)
    skip, count = max(0, number_cursor(cursor) or 0), 0
    rows: list[dict[str, Any]] = []
    for machine in found.settled.machines:
        if twin in (None, machine.twin):
            places = range(len(machine.time.category)) if category is None else machine.time.places(category)
            part = places[max(0, skip - count) : max(0, skip + limit - count)]
            rows += [{"twin": machine.twin, **row} for row in interval_rows(machine.time, part)]
            count += len(places)
    return answer({"items": rows, "next": to_cursor(str(skip + limit)) if skip + limit < count else None})


@router.get("/contracts/{id}/settlements", response_model=list[SettlementRow])
def list_settlements(parts: Parts, contracts: Contracts, me: Me, id: str) -> Response:
    """Settlements of a contract, every revision, in order."""
    contract = contracts.access.current(me, id).contract
    return answer([{**s, "at": at(s["at"])} for s in parts.records.settlements(contract.id)])


@router.get("/contracts/{id}/settlements/{period}", responses=_DOCUMENT)
def read_settlement_document(
    contracts: Contracts, me: Me, id: str, period: str, revision: Version | None = None
) -> Response:
    """A settlement that was made, to the byte; `servitwin verify` checks it without a server."""
    contract = contracts.access.current(me, id).contract
    content = contracts.settle.settlement_bytes(contract.id, period, revision)
    return Response(content, media_type="application/json")


@router.get(
    "/contracts/{id}/settlements/{period}/document",
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_settlement_pdf(
    contracts: Contracts, me: Me, id: str, period: str, revision: Version | None = None
) -> Response:
    """A settlement as PDF, for people."""
    from servitwin.formats.settlement_pdf import settlement_pdf  # noqa: PLC0415  # only this answer needs it

    contract = contracts.access.current(me, id).contract
    document = contracts.settle.settlement(contract.id, period, revision)
    headers = {"Content-Disposition": f'inline; filename="{contract.id}-{period}.pdf"'}
    return Response(settlement_pdf(document), media_type="application/pdf", headers=headers)


@router.post("/contracts/{id}/settlements/{period}", responses=_DOCUMENT)
def settle_period(contracts: Contracts, me: Me, id: str, period: str) -> Response:
    """Settle a period that has ended. Late data or decisions make a new revision; the same data change nothing."""
    document = contracts.settle.settle(id, period, me)
    content = contracts.settle.settlement_bytes(id, period, document["revision"])
    return Response(content, media_type="application/json")


@router.get(
    "/contracts/{id}/settlements/{period}/observations",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
def export_settlement_observations(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    period: str,
    revision: Version | None = None,
    form: Literal["csv", "parquet", "arrow"] = "parquet",
) -> Response:
    """The observations that a settlement rests on, as they were known then: both parties may have them."""
    contract = contracts.access.measured(me, id).contract
    document, inputs = read_settlement(contracts.settle.settlement_bytes(contract.id, period, revision))
    wanted: list[tuple[str, str]] = []
    first = inputs.start
    for machine in inputs.machines:
        for name, one in document["observations"].get(machine.twin, {}).items():
            wanted.append((machine.uid, name))
            first = min(first, parse_instant(one["first"]))
    cut = {int(shard): sequence for shard, sequence in inputs.cut.items()}
    metadata = {"settlement": document["digest"], "contract": document["contract"], "period": period}
    pieces = parts.history.export(wanted, first, max(inputs.end, first + 1), form, metadata, cut)
    parts.audit.note(me, "history.export", contract.id, {"settlement": document["digest"], "form": form})
    kind = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}.get(
        form, "application/vnd.apache.arrow.stream"
    )
    name = f"{contract.id}-{period}-observations.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=kind, headers=headers)


@router.post("/contracts/recompute", response_model=VerifiedShape, openapi_extra=_SETTLEMENT)
async def recompute_settlement(request: Request, parts: Parts, me: Me) -> Response:
    """Compute a settlement that another node sent again, from this node's own observations."""
    body = await request.body()
    case = RecomputeSettlement(parts.history, parts.registry, parts.records, parts.authoriser)
    return answer(full(await run_in_threadpool(case.recompute, body, me)))


@router.get("/contracts/{id}/trial", response_model=TrialShape)
def read_trial(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    version: Version | None = None,
    from_: Annotated[str | None, Query(alias="from", description="first day; default: twelve months ago")] = None,
    to: Annotated[str | None, Query(description="day after the last; default: today")] = None,
) -> Response:
    """What the contract would have been worth over past months: the same terms on the same data, without money."""
    agreement = contracts.access.measured(me, id, version)
    first, last = trial_days(from_, to, parts.now())
    found = contracts.trial.run(agreement, first, last, parts.now())
    return answer(trial_out(found))


def trial_days(from_: str | None, to: str | None, now: int) -> tuple[str, str]:
    """First day and day after the last; by default the twelve months up to today (UTC)."""
    last = _day(to, "to") or (at(now) or "")[:10]
    return _day(from_, "from") or _year_before(last), last


def trial_out(found: Trial) -> dict[str, Any]:
    """A trial as JSON."""
    contract = found.contract
    return {
        "contract": contract.reference,
        "from": at(periods(contract)[0].start),
        "to": at(periods(contract)[-1].end),
        "currency": contract.currency,
        **{name: amount(found.total(name)) for name in ("fee", "credit", "bonus")},
        "payable": amount(found.total("fee") - found.total("credit") + found.total("bonus")),
        "periods": [_trial_row(period, settled) for period, settled in found.periods],
        "notes": found.notes,
    }


def _trial_row(period: Period, settled: Settled) -> dict[str, Any]:
    machines = [machine_result(m, intervals=False) for m in settled.machines]
    edges = {"period": period.id, "from": at(period.start), "to": at(period.end)}
    return {**edges, **result_of(settled), "machines": machines}


def _day(text: str | None, where: str) -> str:
    """A day, or the day of a time; empty if none is given."""
    day = (text or "")[:10]
    if day:
        try:
            read_instant(day)  # also: a year before it is one that can be kept
        except InvalidInputError as e:
            fault = check_day(day) or e.fault
            raise InvalidInputError(Fault(fault.code, fault.message, fault.hint, where)) from None
    return day


def _year_before(day: str) -> str:
    last = date.fromisoformat(day)
    try:
        return last.replace(year=last.year - 1).isoformat()
    except ValueError:  # the 29th of February
        return last.replace(year=last.year - 1, day=28).isoformat()


@router.get("/parties/{party}/keys", response_model=list[KeyShape])
def list_party_keys(parts: Parts, me: Me, party: str) -> Response:
    """Public keys of a party: with them anybody checks its signatures."""
    del me  # public to all who are signed in
    return answer(
        [
            {"id": k.id, "party": k.party, "public_key": k.public_key, "since": at(k.since), "revoked": at(k.revoked)}
            for k in parts.records.party_keys(party)
        ]
    )
