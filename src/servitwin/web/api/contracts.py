"""Contracts: terms, signatures, status to the second, claims, acceptance."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from servitwin.domain.agreement import Agreement
from servitwin.domain.canonical_json import decimal_text, plain
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period, fee_of, period_chosen, periods, warranty_end
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.exclusion import Evidence
from servitwin.domain.guarantee_credit import credit_per_hour, worst_credit
from servitwin.domain.party import Actor
from servitwin.domain.settlement import MachineResult, contract_end
from servitwin.domain.settlement_inputs import SettlementInputs
from servitwin.formats.settlement_document import amount, machine_result, result_of
from servitwin.usecases.check_files import decode_text
from servitwin.usecases.claim_exclusion import NewClaim
from servitwin.usecases.settle_period import Gathered
from servitwin.web.api.answers import answer, answer_tagged, at, page_of, provenance_url, time_of
from servitwin.web.api.bodies import file_body
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import ContractParts, Contracts, exclusion_out, summary
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Page, Version
from servitwin.web.api.shapes.contract import (
    ContractDetail,
    ContractStatus,
    ContractSummary,
    DecisionIn,
    ExclusionIn,
    ExclusionShape,
    SignIn,
    WithdrawalIn,
)

router = router_of("contracts")
_FILE = file_body(
    "contract: crane-98\nversion: 1\nprovider: maker\ncustomer: plant\nmachines: [crane-1]\n"
    "period: {from: 2026-01-01, to: 2027-01-01, time_zone: Europe/Helsinki}\ncurrency: EUR\nprice: {fee: 48000}\n"
    "guarantee:\n  level: 98\n  credit: {form: stepped, step: 0.1, percent: 0.5, cap: 10}\n"
)


@router.get("/contracts", response_model=Page[ContractSummary])
def list_contracts(
    request: Request,
    parts: Parts,
    contracts: Contracts,
    me: Me,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Contracts of your party by id, each in the version that binds, else in its newest."""
    page, following = page_of(contracts.access.all_current(me), limit, cursor, lambda a: a.contract.id)
    items = [summary(a, parts.now(), contracts.claims.standings(a), me) for a in page]
    return answer_tagged(request, {"items": items, "next": following})


@router.post("/contracts", response_model=ContractDetail, status_code=201, openapi_extra=_FILE)
async def add_contract(
    request: Request,
    parts: Parts,
    contracts: Contracts,
    me: Me,
    name: Annotated[str, Query(max_length=200)] = "contract.yaml",
) -> Response:
    """Bring a contract file in: until both parties sign it runs as a trial, on the same data, without money."""
    body = await request.body()
    faults: list[Fault] = []
    file = decode_text(name, body, None, faults)
    if file is None:
        raise InvalidInputError(faults)
    agreement = await run_in_threadpool(contracts.agree.add, name, file.text, me)
    return answer(await run_in_threadpool(_detail, parts, contracts, me, agreement), 201)


@router.get("/contracts/{id}", response_model=ContractDetail)
def read_contract(
    request: Request, parts: Parts, contracts: Contracts, me: Me, id: str, version: Version | None = None
) -> Response:
    """A contract whole, in the version that binds unless one is named."""
    agreement = contracts.access.current(me, id, version)
    return answer_tagged(request, _detail(parts, contracts, me, agreement))


@router.post("/contracts/{id}/signatures", response_model=ContractDetail)
def sign_contract(parts: Parts, contracts: Contracts, me: Me, id: str, body: SignIn) -> Response:
    """Sign for your party; with both signatures the version binds.

    Send `public_key` and `signature` to sign with a key that this node does not hold.
    """
    made = None
    if body.public_key is not None or body.signature is not None:
        made = (body.public_key or "", body.signature or "")
    agreement = contracts.agree.sign(id, body.version, me, made)
    return answer(_detail(parts, contracts, me, agreement))


@router.post("/contracts/{id}/withdrawal", response_model=ContractDetail)
def withdraw_offer(parts: Parts, contracts: Contracts, me: Me, id: str, body: WithdrawalIn) -> Response:
    """End an offer that only one party has signed: take it back, or decline it."""
    return answer(_detail(parts, contracts, me, contracts.agree.withdraw(id, body.version, body.text, me)))


@router.get(
    "/contracts/{id}/document",
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_contract_document(
    parts: Parts, contracts: Contracts, me: Me, id: str, version: Version | None = None
) -> Response:
    """A contract or an offer as PDF, for people."""
    from servitwin.formats.contract_pdf import contract_pdf  # noqa: PLC0415  # only this answer needs it

    agreement = contracts.access.current(me, id, version)
    contract = agreement.contract
    keys = [k for party in (contract.provider, contract.customer) for k in parts.records.party_keys(party)]
    headers = {"Content-Disposition": f'inline; filename="{contract.id}-{contract.version}.pdf"'}
    return Response(contract_pdf(agreement, keys), media_type="application/pdf", headers=headers)


@router.get("/contracts/{id}/status", response_model=ContractStatus)
def read_contract_status(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    period: Annotated[str | None, Query(description="default: the one that runs, else the last")] = None,
    at_: Annotated[str | None, Query(alias="at", description="as known at that instant; default: now")] = None,
    version: Version | None = None,
) -> Response:
    """Where a period stands, to the second, by the contract's own rules; a trial is measured alike, without money."""
    agreement = contracts.access.measured(me, id, version)
    known_at = parts.now() if at_ is None else min(parts.now(), time_of(at_, "at"))
    chosen = period_chosen(agreement.contract, period, known_at)
    found = contracts.settle.glance(agreement, chosen, known_at)
    return answer(status_out(parts.now(), agreement, chosen, found))


def status_out(now: int, agreement: Agreement, period: Period, found: Gathered) -> dict[str, Any]:
    """A period's status as JSON."""
    contract, guarantee = agreement.contract, agreement.contract.guarantee
    assert guarantee is not None
    worst = [worst_credit(guarantee, m.fee) for m in found.settled.machines]
    stake = None if any(w is None for w in worst) else sum(w.amount for w in worst if w is not None)
    return {
        "contract": contract.id,
        "version": contract.version,
        "life": agreement.life(now, contract_end(contract)),
        "period": period.id,
        "from": at(period.start),
        "to": at(period.end),
        "known_at": at(found.inputs.known_at),
        **result_of(found.settled),
        "level": decimal_text(guarantee.level),
        "formula": guarantee.formula,
        "at_stake": None if stake is None else f"{stake:f}",
        "machines": [
            machine_result(m, intervals=False) | {"per_hour": _per_hour(contract, m, period, found.inputs)}
            for m in found.settled.machines
        ],
        "warranty": {m.twin: at(warranty_end(contract, m.accepted_at)) for m in found.inputs.machines}
        if contract.warranty is not msgspec.UNSET
        else None,
        "notes": found.notes(),
        "cut": found.inputs.cut,
        "provenance": provenance_url("contract", contract=contract.id, period=period.id, at=at(found.inputs.known_at)),
    }


def _per_hour(contract: Contract, result: MachineResult, period: Period, inputs: SettlementInputs) -> str | None:
    guarantee = contract.guarantee
    if guarantee is None or not period.start <= inputs.known_at < period.end:
        return None  # no hour of this period is still to come
    machine = next(m for m in inputs.machines if m.twin == result.twin)
    cost = credit_per_hour(
        guarantee,
        result.fee,
        result.numerator,
        result.denominator,
        missed_before=machine.missed_before,
        output=machine.readings.get(getattr(guarantee.bands, "meter", "")),
    )
    return None if cost is None else amount(cost)


# claims ------------------------------------------------------------------------------------------------------
@router.get("/contracts/{id}/exclusions", response_model=Page[ExclusionShape])
def list_exclusions(
    contracts: Contracts,
    me: Me,
    id: str,
    status: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> Response:
    """Claims under a contract and where they stand, oldest first."""
    agreement = contracts.access.current(me, id)
    found = [s for s in contracts.claims.standings(agreement) if status in (None, s.status)]
    page, following = page_of(found, limit, cursor, lambda s: s.exclusion.id)
    return answer({"items": [exclusion_out(s, agreement) for s in page], "next": following})


@router.post("/contracts/{id}/exclusions", response_model=ExclusionShape, status_code=201)
def claim_exclusion(contracts: Contracts, me: Me, id: str, body: ExclusionIn) -> Response:
    """Claim for your party that a stretch should not count; the other party decides it."""
    claimed = NewClaim(
        body.twin,
        body.kind,
        time_of(body.from_, "from"),
        time_of(body.to, "to"),
        body.text,
        tuple(Evidence(e.kind, e.reference, e.text) for e in body.evidence),
    )
    standing = contracts.claims.claim(id, claimed, me)
    return answer(exclusion_out(standing, contracts.access.current(me, id)), 201)


@router.post("/contracts/{id}/exclusions/{exclusion}/decisions", response_model=ExclusionShape)
def decide_exclusion(contracts: Contracts, me: Me, id: str, exclusion: str, body: DecisionIn) -> Response:
    """Accept, accept in part, reject, withdraw, dispute, or end a dispute by saying what both agree on."""
    parts_in = [(time_of(p.from_, "parts.from"), time_of(p.to, "parts.to")) for p in body.parts]
    standing = contracts.claims.decide(
        id, exclusion, body.answer, me, parts=parts_in, number=body.number, text=body.text
    )
    return answer(exclusion_out(standing, contracts.access.current(me, id)))


def _detail(parts: Parts, contracts: ContractParts, me: Actor, agreement: Agreement) -> dict[str, Any]:
    contract = agreement.contract
    settled = {s["period"]: s for s in parts.records.settlements(contract.id)}
    party = me.party or parts.authoriser.operator()
    you = {contract.provider: "provider", contract.customer: "customer"}.get(party, "")
    return {
        **summary(agreement, parts.now(), contracts.claims.standings(agreement), me),
        "terms": plain(contract),
        "signatures": [
            {"party": s.party, "by": s.by, "at": at(s.at), "key": s.key, "signature": s.signature}
            for s in agreement.signatures
        ],
        "withdrawal": None
        if agreement.withdrawal is None
        else {
            "party": agreement.withdrawal.party, "by": agreement.withdrawal.by, "at": at(agreement.withdrawal.at),
            "text": agreement.withdrawal.text,
        },
        "versions": [a.contract.version for a in contracts.access.versions(me, contract.id)],
        "periods": [
            {
                "id": p.id, "from": at(p.start), "to": at(p.end), "fee": amount(fee_of(contract, p)),
                "revision": settled[p.id]["revision"] if p.id in settled else None,
                "digest": settled[p.id]["digest"] if p.id in settled else None,
            }
            for p in periods(contract)
        ],
        "you": you,
    }  # fmt: skip
