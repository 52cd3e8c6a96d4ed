"""What the routes of contracts share: the use cases joined over the parts, and how their nouns are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from servitwin.domain.agreement import Agreement
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.exclusion import Standing, Stretch
from servitwin.domain.party import Actor
from servitwin.domain.reason import Reason
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.usecases.accept_machine import AcceptMachine
from servitwin.usecases.agree_contract import AgreeContract
from servitwin.usecases.bill_period import BillPeriod
from servitwin.usecases.book_entry import BookEntry
from servitwin.usecases.claim_exclusion import ClaimExclusion
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.count_savings import CountSavings
from servitwin.usecases.count_value import CountValue
from servitwin.usecases.evaluate_offer import EvaluateOffer
from servitwin.usecases.keep_work_order import KeepWorkOrder
from servitwin.usecases.measure_acceptance import MeasureAcceptance
from servitwin.usecases.measure_levels import MeasureLevels
from servitwin.usecases.partner_share import PartnerShares
from servitwin.usecases.price_guarantee import PriceGuarantee
from servitwin.usecases.run_trial import RunTrial
from servitwin.usecases.settle_period import SettlePeriod
from servitwin.usecases.sign import Sign
from servitwin.usecases.state_evidence import StateEvidence
from servitwin.web.api.answers import at
from servitwin.web.api.callers import Parts
from servitwin.web.api.parts import WebParts


@dataclass(frozen=True, slots=True)
class ContractParts:
    """Use cases of contracts over one node's parts."""

    access: ContractAccess
    agree: AgreeContract
    claims: ClaimExclusion
    accept: AcceptMachine
    settle: SettlePeriod
    trial: RunTrial
    price: PriceGuarantee
    value: CountValue
    savings: CountSavings
    levels: MeasureLevels
    bill: BillPeriod
    book: BookEntry
    orders: KeepWorkOrder
    shares: PartnerShares
    offers: EvaluateOffer


def _joined(parts: Parts) -> ContractParts:
    access = ContractAccess(parts.records, parts.authoriser)
    sign = Sign(parts.records, parts.keys, parts.now)
    evidence = StateEvidence(parts.records, parts.authoriser.operator)
    settle = SettlePeriod(
        parts.history, parts.registry, parts.records, access, parts.audit, parts.now, evidence, parts.past
    )
    measure = MeasureAcceptance(parts.history, parts.registry, settle)
    levels = MeasureLevels(parts.history, parts.registry)
    claims = ClaimExclusion(parts.records, access, parts.audit, parts.now, parts.new_id, evidence)
    agree = AgreeContract(parts.records, parts.registry, access, sign, parts.audit, parts.now)
    trial, price = RunTrial(settle), PriceGuarantee(settle)
    value = CountValue(parts.records, access, settle, sign, parts.now)
    return ContractParts(
        access,
        agree,
        claims,
        AcceptMachine(parts.records, access, measure, parts.audit, parts.now),
        settle,
        trial,
        price,
        value,
        CountSavings(parts.records, access, value, parts.now),
        levels,
        BillPeriod(parts.records, access, settle, levels, parts.audit, parts.now, parts.new_id),
        BookEntry(parts.records, access, parts.audit, parts.now, parts.new_id),
        KeepWorkOrder(
            parts.records, parts.registry, parts.authoriser, access, claims, parts.audit, parts.now, parts.new_id
        ),
        PartnerShares(parts.records, levels, parts.now),
        EvaluateOffer(agree, access, _readable(parts), price, trial, parts.now),
    )


def _readable(parts: WebParts) -> Callable[[Actor, str], bool]:
    def readable(actor: Actor, id: str) -> bool:
        twin = parts.registry.by_id(id)
        return twin is not None and twin.uid in parts.authoriser.readable(actor)

    return readable


Contracts = Annotated[ContractParts, Depends(_joined)]


def summary(agreement: Agreement, now: int, standings: list[Standing], me: Actor) -> dict[str, Any]:
    """A contract as lists show it."""
    contract = agreement.contract
    guarantee = contract.guarantee
    return {
        "id": contract.id,
        "version": contract.version,
        "title": contract.title,
        "provider": contract.provider,
        "customer": contract.customer,
        "machines": contract.machines,
        "from": at(contract_start(contract)),
        "to": at(contract_end(contract)),
        "currency": contract.currency,
        "fee": decimal_text(contract.price.fee),
        "per": contract.price.per,
        "level": decimal_text(guarantee.level) if guarantee else None,
        "formula": guarantee.formula if guarantee else None,
        "life": agreement.life(now, contract_end(contract)),
        "digest": agreement.digest,
        "signed_by": [s.party for s in agreement.signatures],
        "waiting": sum(1 for s in standings if waits_for(s, agreement, me.party)),
    }


def waits_for(standing: Standing, agreement: Agreement, party: str) -> bool:
    """Whether a claim waits for that party."""
    if party not in {agreement.contract.provider, agreement.contract.customer}:
        return False
    return standing.waiting_for == "both" or (standing.waiting_for == "other" and standing.exclusion.proposer != party)


def exclusion_out(standing: Standing, agreement: Agreement) -> dict[str, Any]:
    """A claim and where it stands."""
    claim, contract = standing.exclusion, agreement.contract
    other = contract.customer if claim.proposer == contract.provider else contract.provider
    waiting = {"": "", "other": other, "both": f"{contract.provider} and {contract.customer}"}[standing.waiting_for]
    return {
        "id": claim.id,
        "contract": claim.contract,
        "twin": claim.twin,
        "kind": claim.kind,
        "from": at(claim.start),
        "to": at(claim.end),
        "proposer": claim.proposer,
        "by": claim.by,
        "at": at(claim.at),
        "text": claim.text,
        "evidence": [{"kind": e.kind, "reference": e.reference, "text": e.text} for e in claim.evidence],
        "status": standing.status,
        "accepted": stretches(standing.accepted),
        "undecided": stretches(standing.undecided),
        "deemed_at": at(standing.deemed_at),
        "waiting_for": waiting,
        "steps": [
            {
                "number": s.number, "answer": s.answer, "party": s.party, "by": s.by, "at": at(s.at),
                "parts": stretches(s.parts), "text": s.text,
            }
            for s in standing.steps
        ],
    }  # fmt: skip


def stretches(parts: tuple[Stretch, ...]) -> list[dict[str, str | None]]:
    """Stretches of time as JSON."""
    return [{"from": at(start), "to": at(end)} for start, end in parts]


def reason_out(reason: Reason, *, in_force: bool) -> dict[str, Any]:
    """A reason as JSON."""
    return {
        "id": reason.id, "twin": reason.twin, "from": at(reason.start), "to": at(reason.end), "cause": reason.cause,
        "party": reason.party, "author": reason.author, "author_party": reason.author_party, "at": at(reason.at),
        "note": reason.note, "replaces": reason.replaces, "in_force": in_force,
    }  # fmt: skip
