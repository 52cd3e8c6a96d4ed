"""Offers before anybody keeps them: what a contract file would mean, and contracts as the file they came from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response

from servitwin.domain.canonical_json import decimal_text, plain
from servitwin.domain.error import Fault
from servitwin.formats.contract_writer import contract_json, contract_yaml
from servitwin.formats.settlement_document import amount
from servitwin.usecases.evaluate_offer import CustomersCosts, CustomersGain
from servitwin.web.api.answers import answer, full
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.prices import price_out
from servitwin.web.api.routers import router_of
from servitwin.web.api.settlements import trial_days, trial_out
from servitwin.web.api.shapes.base import Version
from servitwin.web.api.shapes.offer import CostsIn, OfferIn, OfferShape
from servitwin.web.api.value import estimate_of

router = router_of("contracts")
_FILE = {
    200: {
        "description": "The contract file",
        "content": {"application/yaml": {"schema": {"type": "string"}}, "application/json": {}},
    }
}


@router.post("/contracts/evaluate", response_model=OfferShape)
def evaluate_offer(parts: Parts, contracts: Contracts, me: Me, body: OfferIn) -> Response:
    """What a contract file would mean: price of its risk, trial over the past, customer's gain. Nothing is kept.

    What cannot be computed says why under `price_problem` or `trial_problem`; faults of the file are refused, each
    with the key it concerns as `where`.
    """
    first, last = trial_days(body.from_, body.to, parts.now())
    costs = None if body.costs is None else _costs(body.costs)
    found = contracts.offers.evaluate(body.file, first, last, me, costs)
    return answer(
        {
            "contract": found.offer.contract.reference,
            "digest": found.offer.digest,
            "terms": plain(found.offer.contract),
            "price": None if found.price is None else price_out(found.offer, found.price),
            "price_problem": _problem(found.price_problem),
            "trial": None if found.trial is None else trial_out(found.trial),
            "trial_problem": _problem(found.trial_problem),
            "gain": None if found.gain is None else _gain(found.gain),
            "overlaps": found.overlaps,
        }
    )


@router.get("/contracts/{id}/file", responses=_FILE)  # type: ignore[arg-type]
def read_contract_file(
    contracts: Contracts,
    me: Me,
    id: str,
    version: Version | None = None,
    form: Annotated[Literal["yaml", "json"], Query(description="of the file; both are read alike")] = "yaml",
) -> Response:
    """A contract as its file: change it and bring it in as another version, or keep it elsewhere."""
    contract = contracts.access.current(me, id, version).contract
    content = contract_yaml(contract) if form == "yaml" else contract_json(contract)
    headers = {"Content-Disposition": f'attachment; filename="{contract.id}-{contract.version}.{form}"'}
    return Response(content, media_type=f"application/{form}", headers=headers)


def _costs(body: CostsIn) -> CustomersCosts:
    return CustomersCosts(
        estimate_of(body.cost_per_hour, "costs.cost_per_hour"),
        estimate_of(body.visits, "costs.visits"),
        estimate_of(body.cost_per_visit, "costs.cost_per_visit"),
    )


def _problem(fault: Fault | None) -> Any:
    return None if fault is None else full(fault)


def _gain(found: CustomersGain) -> dict[str, Any]:
    hours = ("down_hours", "allowed_hours", "saved_hours")
    money = ("saved", "low", "high", "fee", "credit", "bonus", "if_kept", "as_last_year")
    return {
        **{n: decimal_text(round(getattr(found, n), 4)) for n in hours},
        **{n: amount(getattr(found, n)) for n in money},
        "currency": found.fee.currency,
    }
