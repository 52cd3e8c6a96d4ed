"""What a guarantee costs to give, and where a period that runs will end."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.routing import APIRoute

from servitwin.domain.agreement import Agreement
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.contract_period import period_chosen
from servitwin.domain.failure_law import Law
from servitwin.formats.settlement_document import amount
from servitwin.usecases.price_guarantee import GuaranteePrice, MachineForecast, share_of
from servitwin.web.api.answers import answer, at, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Version
from servitwin.web.api.shapes.price import CalibrationShape, ForecastShape, PriceShape

router = router_of("contracts", route_class=APIRoute)
Seed = Annotated[int, Query(ge=0, le=2**31, description="the same seed gives the same answer")]
Confidence = Annotated[float, Query(gt=0, lt=1)]


@router.get("/contracts/{id}/forecast", response_model=ForecastShape)
def read_forecast(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    period: str | None = None,
    paths: Annotated[int, Query(ge=100, le=200_000)] = 20_000,
    seed: Seed = 1,
) -> Response:
    """Simulated ends of a period: value, probability of missing, expected credit, and what would help most."""
    agreement = contracts.access.measured(me, id)
    now = parts.now()
    chosen = period_chosen(agreement.contract, period, now)
    found = contracts.price.forecast(agreement, chosen, now, paths=paths, seed=seed)
    guarantee = agreement.contract.guarantee
    assert guarantee is not None  # the forecast refuses what guarantees nothing
    first = found[0].forecast if found else None
    return answer(
        {
            "contract": agreement.contract.id,
            "period": chosen.id,
            "known_at": at(now),
            "currency": agreement.contract.currency,
            "level": decimal_text(guarantee.level),
            "machines": [_machine(m) for m in found],
            "up": _law(first.up) if first else None,
            "down": _law(first.down) if first else None,
            "paths": first.paths if first else 0,
            "seed": seed,
        }
    )


@router.get("/contracts/{id}/price", response_model=PriceShape)
def read_price(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    version: Version | None = None,
    from_: Annotated[str | None, Query(alias="from", description="history from; default: a year before `to`")] = None,
    to: Annotated[str | None, Query(description="history to; default: now")] = None,
    years: Annotated[int, Query(ge=1000, le=400_000)] = 100_000,
    confidence: Confidence = 0.9,
    common: Annotated[float, Query(ge=0, le=1, description="share of failures that stop all machines at once")] = 0.0,
    seed: Seed = 1,
) -> Response:
    """The price of the risk, from the machines' own failures and repairs: expected credit, spread, premium."""
    agreement = contracts.access.measured(me, id, version)
    found = contracts.price.price(
        agreement,
        parts.now(),
        start=None if from_ is None else time_of(from_, "from"),
        end=None if to is None else time_of(to, "to"),
        years=years,
        confidence=confidence,
        common=common,
        seed=seed,
    )
    return answer(price_out(agreement, found))


@router.get("/contracts/{id}/calibration", response_model=CalibrationShape)
def read_calibration(
    parts: Parts,
    contracts: Contracts,
    me: Me,
    id: str,
    confidence: Confidence = 0.9,
    portfolios: Annotated[int, Query(ge=20, le=400)] = 60,
    seed: Seed = 1,
) -> Response:
    """Whether such premiums cover what they promise: simulated portfolios, each priced from its own short history."""
    agreement = contracts.access.measured(me, id)
    found = contracts.price.calibrate(agreement, parts.now(), confidence=confidence, portfolios=portfolios, seed=seed)
    return answer(found)


def _machine(one: MachineForecast) -> dict[str, Any]:
    found = one.forecast
    return {
        "twin": one.twin,
        "value": found.value,
        "missed": found.missed,
        "expected_credit": amount(one.expected_credit),
        "best": found.best,
        "worst": found.worst,
        "levers": [
            {"name": v.name, "missed": v.missed, "expected_credit": amount(share_of(one.fee, v.expected))}
            for v in found.levers
        ],
    }


def _law(law: Law) -> dict[str, Any]:
    return {
        "family": law.family, "mean_h": law.mean, "scale_h": law.scale, "shape": law.shape, "failures": law.failures,
        "censored": law.censored, "hours": law.hours, "note": law.note,
    }  # fmt: skip


def price_out(agreement: Agreement, found: GuaranteePrice) -> dict[str, Any]:
    """The price of a guarantee as JSON."""
    risk = found.risk
    return {
        "contract": agreement.contract.reference,
        "currency": agreement.contract.currency,
        "period_fee": amount(found.period_fee),
        "expected_credit": amount(found.expected_credit),
        "expected_share": risk.expected,
        "standard_error": risk.error,
        "missed": risk.missed,
        "premium": amount(found.premium),
        "premium_share": risk.premium,
        "confidence": risk.confidence,
        "process_sd": risk.process_sd,
        "parameter_sd": risk.parameter_sd,
        "mean_availability": risk.mean_availability,
        "availability": risk.availability,
        "credit": risk.credit,
        "up": _law(risk.up),
        "down": _law(risk.down),
        "years": risk.years,
        "seed": risk.seed,
        "from": at(found.from_),
        "to": at(found.to),
        "machines": found.machines,
        "notes": found.notes,
    }
