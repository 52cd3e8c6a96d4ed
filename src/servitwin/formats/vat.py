"""How a service between two businesses is taxed: the rules are data (``schemas/vat-rules.json``), this reads them."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.invoice import VatTreatment
from servitwin.domain.party import Business


@cache
def _rules() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        files("servitwin.formats").joinpath("schemas/vat-rules.json").read_text("utf-8")
    )
    return loaded


def treatment(seller: Business, buyer: Business, day: str) -> VatTreatment:
    """Category and rate of a service from one business to another on a day (ISO date).

    In one country its standard rate; between EU countries reverse charge for a buyer with a VAT number, else the
    seller's rate; from the EU to elsewhere outside the scope.

    Raises:
        InvalidInputError: ``vat:rate-unknown`` where no rate of the seller's country is on file.
    """
    rules = _rules()
    abroad = seller.country != buyer.country
    if abroad and buyer.country not in rules["eu"]:
        return VatTreatment("O", Decimal(0), rules["outside"]["reason"], rules["outside"]["code"])
    if abroad and seller.country in rules["eu"] and buyer.vat_id:
        return VatTreatment("AE", Decimal(0), rules["reverse_charge"]["reason"], rules["reverse_charge"]["code"])
    rate = next((r for since, r in rules["standard"].get(seller.country, ()) if since <= day), None)
    if rate is None:
        raise InvalidInputError(
            Fault(
                "vat:rate-unknown",
                f"No VAT rate of {seller.country} on {day} is on file",
                "Add it to vat-rules.json with the day from which on it holds",
                "country",
            )
        )
    return VatTreatment("S", Decimal(rate))


def damages() -> VatTreatment:
    """Damages are no consideration for a supply."""
    rule = _rules()["damages"]
    return VatTreatment("O", Decimal(0), rule["reason"], rule["code"])
