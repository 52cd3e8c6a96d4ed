"""Savings over all contracts that a caller sees, per service and per customer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.instant import DAY
from servitwin.domain.savings_table import SavingsSum
from servitwin.formats.settlement_document import amount
from servitwin.usecases.count_savings import ContractSavings
from servitwin.usecases.count_value import Counted
from servitwin.web.api.answers import answer, at, full, range_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.parts import API
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.savings import SavingsAnswer

router = router_of("contracts")


@router.get("/savings", response_model=SavingsAnswer)
def read_savings(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
) -> Response:
    """Hours and money that binding contracts save a year against their baselines, with sums by service and customer.

    Only baselines that both parties signed count in the sums. A contract without a figure says why.
    """
    start, end = range_of(from_, to, parts.now(), 365 * DAY)
    found = contracts.savings.count(me, start, end)
    return answer(
        {
            "from": at(found.from_),
            "to": at(found.to),
            "items": [_row(c) for c in found.contracts],
            "by_service": [_sum(s) for s in found.by_service],
            "by_customer": [_sum(s) for s in found.by_customer],
        }
    )


def _row(c: ContractSavings) -> dict[str, Any]:
    contract = c.contract
    return {
        "contract": contract.id,
        "title": contract.title,
        "service": c.service,
        "provider": contract.provider,
        "customer": contract.customer,
        "currency": contract.currency,
        "counted": None if c.counted is None else _counted(c.counted),
        "why": full(c.why),
        "value": f"{API}/contracts/{contract.id}/value",
    }


def _counted(found: Counted) -> dict[str, Any]:
    saved = found.savings
    return {
        "agreed": found.agreed,
        "from": at(found.from_),
        "to": at(found.to),
        "baseline": found.baseline.number,
        "source": found.baseline.source,
        "saved_hours": decimal_text(round(saved.hours, 4)),
        "saved": amount(saved.money),
        "low": amount(saved.low),
        "high": amount(saved.high),
        "fee": amount(found.fee),
        "after_fee": amount(saved.after_fee),
    }


def _sum(s: SavingsSum) -> dict[str, Any]:
    return {
        "name": s.name,
        "currency": s.money.currency,
        "contracts": list(s.contracts),
        "saved_hours": decimal_text(round(s.hours, 4)),
        "saved": amount(s.money),
        "after_fee": amount(s.after_fee),
    }
