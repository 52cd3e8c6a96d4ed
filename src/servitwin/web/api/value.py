"""Value: the baseline that both parties sign, and what a contract saved against it."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Annotated, Any

from fastapi import Query, Response

from servitwin.domain.canonical_json import decimal_text, plain
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY
from servitwin.domain.savings import Baseline, Estimate, net_present_value
from servitwin.formats.settlement_document import amount
from servitwin.usecases.count_value import Counted
from servitwin.web.api.answers import answer, at, range_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.contract import BaselineIn, EstimateShape, ValueShape

router = router_of("contracts")
_YEARS = 5


@router.post("/contracts/{id}/baselines", response_model=dict[str, Any], status_code=201)
def propose_baseline(contracts: Contracts, me: Me, id: str, body: BaselineIn) -> Response:
    """Propose a baseline and sign it for your party; the other one countersigns."""
    baseline = Baseline(
        contract=id,
        number=0,
        currency="",
        down_hours=estimate_of(body.down_hours, "down_hours"),
        cost_per_hour=estimate_of(body.cost_per_hour, "cost_per_hour"),
        visits=estimate_of(body.visits, "visits"),
        cost_per_visit=estimate_of(body.cost_per_visit, "cost_per_visit"),
        source=body.source,
    )
    kept, whole = contracts.value.propose(baseline, me)
    return answer({**plain(kept), "digest": whole}, 201)


@router.post("/contracts/{id}/baselines/signatures", response_model=dict[str, Any])
def countersign_baseline(contracts: Contracts, me: Me, id: str) -> Response:
    """Sign the last baseline for your party."""
    signature = contracts.value.countersign(id, me)
    return answer({"party": signature.party, "digest": signature.digest, "at": at(signature.at)})


@router.get("/contracts/{id}/value", response_model=ValueShape)
def read_value(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    from_: Annotated[str | None, Query(alias="from", description="default: a year before `to`")] = None,
    to: str | None = None,
    rate: Annotated[str, Query(description="discount rate of the net present value", max_length=20)] = "0.08",
    seed: Annotated[int, Query(ge=0, le=2**31)] = 1,
) -> Response:
    """What the contract saved its customer, with its uncertainty, and what moves that most."""
    start, end = range_of(from_, to, parts.now(), 365 * DAY)
    return answer(_value(contracts.value.count(id, start, end, me, seed), _decimal(rate, "rate")))


def _value(found: Counted, rate: Decimal) -> dict[str, Any]:
    saved = found.savings
    flows = [Decimal(0), *[saved.after_fee.amount] * _YEARS]
    return {
        "contract": found.baseline.contract,
        "currency": found.baseline.currency,
        "agreed": found.agreed,
        "signed_by": [s.party for s in found.signatures],
        "from": at(found.from_),
        "to": at(found.to),
        "baseline": plain(found.baseline),
        "down_hours": decimal_text(round(found.down_hours, 4)),
        "visits": found.visits,
        "saved_hours": decimal_text(round(saved.hours, 4)),
        "saved": amount(saved.money),
        "low": amount(saved.low),
        "high": amount(saved.high),
        "fee": amount(found.fee),
        "after_fee": amount(saved.after_fee),
        "tornado": {name: [amount(a), amount(b)] for name, (a, b) in saved.tornado.items()},
        "npv": f"{net_present_value(flows, rate):.2f}",
        "rate": decimal_text(rate),
    }


def estimate_of(shape: EstimateShape, where: str) -> Estimate:
    """An estimate as it came in; whether its figures are in order the use case checks."""
    return Estimate(*(_decimal(getattr(shape, n), f"{where}.{n}") for n in ("low", "likely", "high")))


def _decimal(text: str, where: str) -> Decimal:
    try:
        value = Decimal(text)
        if value.is_finite():
            return value
    except DecimalException:
        pass
    raise InvalidInputError(Fault("value:figure-invalid", f"{text[:40]!r} is no figure", "Write it like 12.5", where))
