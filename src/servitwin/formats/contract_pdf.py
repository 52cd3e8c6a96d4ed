"""Contracts and offers as PDF: every term in words, what it costs, and who signed which digest."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.acceptance import Criterion
from servitwin.domain.agreement import Agreement, PartyKey
from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.contract import Band, Contract, Guarantee, LinearBand, LiquidatedBand, MeterPrice, StepBand
from servitwin.domain.instant import format_instant
from servitwin.formats.pdf_page import LEFT, RIGHT, PdfPage, grouped


def contract_pdf(agreement: Agreement, keys: list[PartyKey]) -> bytes:
    """The version of a contract as PDF; without both signatures it is headed as an offer.

    ``keys``: public keys of the parties, named beside their signatures.
    """
    contract = agreement.contract
    page = PdfPage(f"{contract.reference} {agreement.digest}")
    page.text(LEFT, "Contract" if agreement.binding else "Offer", 15, bold=True)
    page.text(RIGHT, contract.reference, 12, bold=True, right=True)
    page.down(2)
    page.paragraph(
        f"{contract.title}. {contract.provider} (provider) serves {contract.customer} (customer) from "
        f"{contract.start} until before {contract.end}, local days of {contract.time_zone}."
    )
    page.paragraph(f"Machines: {', '.join(contract.machines)}.")
    _price(page, contract)
    if contract.guarantee is not None:
        _head(page, "Guarantee")
        for sentence in guarantee_words(contract.guarantee):
            page.paragraph(sentence)
    _partners(page, contract)
    if contract.rank:
        page.paragraph(
            f"Rank {contract.rank}: where two contracts hold for a machine at a time, the higher rank counts it."
        )
    _acceptance(page, contract)
    _warranty(page, contract)
    if contract.text:
        _head(page, "Other terms")
        page.paragraph(contract.text)
    _signatures(page, agreement, keys)
    return page.content()


def guarantee_words(terms: Guarantee) -> list[str]:
    """A guarantee in sentences."""
    places = terms.rounding.places
    rounding = (
        "is not rounded" if places is None else f"is rounded to {places} decimals ({_words(terms.rounding.mode)})"
    )
    found = [
        f"{terms.level} % by the formula {terms.formula} over {terms.basis} time, each machine by itself, "
        f"settled by {terms.settle}. The value {rounding} before it is compared.",
        f"A miss is worth {_band(terms.bands)}. A credit is {_words(terms.malus)}.",
        f"A stop that nobody is named for: the {terms.burden_of_proof} bears the burden of proof.",
        f"Time without data counts {_words(terms.gaps.rule)} and never to the gain of the party that lost the data; "
        f"telemetry is the matter of the {terms.gaps.telemetry}.",
        f"A claim is deemed {terms.deemed.decision} after {terms.deemed.days} days of silence; what is not disputed "
        "settles.",
        "A stop that runs at the contract's first or last instant "
        + ("is split there." if terms.crossing == "split" else "belongs whole to the contract in which it began."),
    ]
    if terms.bonus is not None:
        found.insert(2, f"What exceeds the level is worth {_band(terms.bonus)} as a bonus.")
    if terms.exclusions:
        grounds = (
            _words(e.kind)
            + (f" (up to {decimal_text(e.budget_hours)} h a period)" if e.budget_hours is not None else "")
            for e in terms.exclusions
        )
        found.append(f"Stopped time may be left out for: {', '.join(grounds)}; the first has priority.")
    if terms.words:
        found.append(f"Words of the machine that count as available: {', '.join(terms.words)}.")
    if terms.degraded:
        degraded = (f"{word} {decimal_text(percent)} %" for word, percent in sorted(terms.degraded.items()))
        found.append(f"Words that count in part: {', '.join(degraded)}.")
    return found


def _band(band: Band) -> str:
    if isinstance(band, StepBand | LinearBand):
        whole, part = ("whole ", "") if isinstance(band, StepBand) else ("", ", parts in proportion")
        text = (
            f"{decimal_text(band.credit)} % of the fee for each {whole}{decimal_text(band.step)} %{part}, "
            f"at most {decimal_text(band.cap)} %"
        )
    elif isinstance(band, LiquidatedBand):
        cap = "without a cap" if band.cap is None else f"at most {decimal_text(band.cap)} % of the fee"
        rate = f"{decimal_text(band.rate)} a unit of {band.meter}"
        text = f"(guaranteed / measured - 1) x output x {rate}, {cap}"
    else:
        rungs = "; ".join(f"below {decimal_text(r.below)} %: {decimal_text(r.credit)} %" for r in band.rungs)
        text = f"{rungs} of the fee, at most {decimal_text(band.cap)} %"
    more = band.escalation
    if more is None:
        return text
    again = f"a miss that follows a miss weighs {decimal_text(more.factor)} times the one before"
    return f"{text}; {again}, {more.times} times at most"


def _head(page: PdfPage, title: str) -> None:
    page.down(0.5)
    page.text(LEFT, title, 11, bold=True)
    page.down()


def _price(page: PdfPage, contract: Contract) -> None:
    _head(page, "Price")
    currency, price = contract.currency, contract.price
    if price.fee or not price.usage:
        period = "the whole contract" if price.per == "contract" else f"a {price.per}"
        _row(page, f"Fee for {period}", f"{grouped(price.fee)} {currency}")
    for meter in price.usage:
        for text, rate in _tiers(meter):
            _row(page, text, f"{decimal_text(rate)} {currency}")
        for name, bound in (("at least", meter.minimum), ("at most", meter.cap)):
            if bound is not None:
                _row(page, f"  {name}, a period", f"{grouped(bound)} {currency}")
    page.paragraph(f"Invoices are due {price.payment_days} days after their date. VAT is added as the law says.")


def _tiers(meter: MeterPrice) -> list[tuple[str, Decimal]]:
    found, before = [], Decimal(0)
    for tier in meter.tiers:
        upper = "" if tier.up_to is None else f" up to {decimal_text(tier.up_to)}"
        lower = f" above {decimal_text(before)}" if before else ""
        found.append((f"A unit of {_words(meter.meter)}{lower}{upper}", tier.rate))
        before = tier.up_to or before
    return found


def _partners(page: PdfPage, contract: Contract) -> None:
    if not contract.partners:
        return
    _head(page, "Partners")
    for partner in contract.partners:
        _row(page, partner.party, f"{decimal_text(partner.share)} % of the fee")
        for level in partner.levels:
            text = f"  {level.measure} {decimal_text(level.level)} {level.unit} of {', '.join(level.signals) or 'data'}"
            if not isinstance(level.reference, msgspec.UnsetType):
                text += f" against {level.reference}"
            _row(page, text, f"a breach costs {decimal_text(level.malus)} % of it")


def _acceptance(page: PdfPage, contract: Contract) -> None:
    if not contract.waits_for_acceptance:
        return
    _head(page, "Acceptance")
    page.paragraph("The guarantee's clock starts for each machine when both parties have accepted it.")
    for criterion in contract.criteria:
        _row(page, f"{_words(criterion.step)}: {criterion.name}", _measured(criterion))


def _warranty(page: PdfPage, contract: Contract) -> None:
    if isinstance(contract.warranty, msgspec.UnsetType):
        return
    months = contract.warranty.months
    begin = (
        "the local day on which both parties have accepted it"
        if contract.waits_for_acceptance
        else f"the contract's first day, {contract.start}"
    )
    _head(page, "Warranty")
    page.paragraph(f"Each machine has {months} month{'' if months == 1 else 's'} of warranty, counted from {begin}.")


def _measured(criterion: Criterion) -> str:
    if not criterion.measured:
        return "judged by the parties"
    hours = f"over {decimal_text(criterion.hours or Decimal(0))} h"
    if criterion.availability is not None:
        return f"availability at least {decimal_text(criterion.availability)} % {hours}"
    bounds = [
        f"{name} {decimal_text(bound)}"
        for name, bound in (("at least", criterion.at_least), ("at most", criterion.at_most))
        if bound is not None
    ]
    return f"{criterion.statistic} of {criterion.signal} {', '.join(bounds)} {hours}"


def _signatures(page: PdfPage, agreement: Agreement, keys: list[PartyKey]) -> None:
    _head(page, "Signatures")
    contract = agreement.contract
    known = {key.id: key.public_key for key in keys}
    for party in (contract.provider, contract.customer):
        signed = next((s for s in agreement.signatures if s.party == party), None)
        if signed is None:
            _row(page, party, "not signed")
            continue
        _row(page, party, f"{signed.by}, {format_instant(signed.at)[:19]}Z")
        page.paragraph(f"Ed25519 {signed.signature}", 7, soft=True, width=110)
        page.paragraph(f"by the key {signed.key} {known.get(signed.key, '')}".strip(), 7, soft=True, width=110)
    page.paragraph(
        f"What is signed is the text: servitwin contract {agreement.digest}. The digest is the SHA-256 of the "
        "contract's canonical JSON (RFC 8785); this page is a rendering of it and changes nothing.",
        8,
        soft=True,
    )


def _row(page: PdfPage, name: str, text: str) -> None:
    page.row([(LEFT, name, False), (RIGHT, text, True)])


def _words(text: str) -> str:
    return text.replace("_", " ")
