"""Invoices and credit notes after the semantic model of EN 16931-1 (secondary): lines, VAT breakdown, totals.

BR-CO-10: the sum of the lines is exact on rounded lines. BR-CO-17: tax is the taxable amount times the rate, rounded
half away from zero. A credit note (type 381) carries positive amounts and names the invoice that it credits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.money import Money, round_half_away, sum_money
from servitwin.domain.party import Business

VatCategory = Literal["S", "AE", "O", "E", "Z", "G", "K"]


class VatTreatment(msgspec.Struct, frozen=True):
    """How a supply is taxed: category (UNTDID 5305), rate in percent, and the reason where no tax is due."""

    category: VatCategory
    rate: Decimal
    reason: str = ""
    reason_code: str = ""


class InvoiceLine(msgspec.Struct, frozen=True):
    """One line.

    Attributes:
        unit: code of UN/ECE recommendation 20 (C62 one, HUR hour).
        net: rounded.
        item: the seller's name for what is sold (BT-155), of a usage line its meter; empty: it has none.
    """

    text: str
    quantity: Decimal
    unit: str
    price: Decimal
    net: Money
    vat: VatTreatment
    item: str = ""


class VatLine(msgspec.Struct, frozen=True):
    """Tax of one category and rate."""

    treatment: VatTreatment
    taxable: Money
    tax: Money


class Invoice(msgspec.Struct, frozen=True):
    """An invoice (``380``) or credit note (``381``). Days are ISO dates.

    Attributes:
        credits: number of the invoice that a credit note refers to; empty otherwise.
        cause: settlement, usage or other record that made it, for provenance.
        start, end: first and last day of what it is for.
    """

    number: str
    type: Literal["380", "381"]
    issued: str
    due: str
    seller_party: str
    buyer_party: str
    seller: Business
    buyer: Business
    currency: str
    lines: tuple[InvoiceLine, ...]
    vat: tuple[VatLine, ...]
    net: Money
    tax: Money
    total: Money
    contract: str
    start: str
    end: str
    cause: str
    credits: str = ""
    note: str = ""


def line(text: str, quantity: Decimal, unit: str, net: Money, vat: VatTreatment, item: str = "") -> InvoiceLine:
    """A line whose price per unit follows from its rounded net amount where that is exact, else one unit of it."""
    rounded = net.rounded()
    if quantity > 0:
        price = rounded.amount / quantity
        if price * quantity == rounded.amount and -int(price.as_tuple().exponent) <= 6:
            return InvoiceLine(text, quantity, unit, price, rounded, vat, item)
    return InvoiceLine(f"{text} ({quantity.normalize():f})", Decimal(1), "C62", rounded.amount, rounded, vat, item)


def totals(lines: Sequence[InvoiceLine], currency: str) -> tuple[tuple[VatLine, ...], Money, Money, Money]:
    """VAT breakdown, net, tax and total of lines.

    Raises:
        InvalidInputError: ``invoice:empty``, ``invoice:negative-line``, ``invoice:outside-scope-mixed`` (BR-O-11).
    """
    if not lines:
        raise InvalidInputError(Fault("invoice:empty", "An invoice needs a line", "There is nothing to invoice"))
    if any(entry.net.amount < 0 for entry in lines):
        raise InvalidInputError(
            Fault("invoice:negative-line", "A line is below zero", "What is given back is a credit note")
        )
    by_treatment: dict[VatTreatment, list[Money]] = {}
    for entry in lines:
        by_treatment.setdefault(entry.vat, []).append(entry.net)
    if len(by_treatment) > 1 and any(v.category == "O" for v in by_treatment):
        raise InvalidInputError(
            Fault("invoice:outside-scope-mixed", "What is outside the scope of VAT stands alone", "Use two documents")
        )
    vat = []
    for treatment, nets in by_treatment.items():
        taxable = sum_money(nets, currency)
        tax = Money(round_half_away(taxable.amount * treatment.rate / 100, 2), currency)
        vat.append(VatLine(treatment, taxable, tax))
    net = sum_money((entry.net for entry in lines), currency)
    tax_total = sum_money((v.tax for v in vat), currency)
    return tuple(vat), net, tax_total, net + tax_total
