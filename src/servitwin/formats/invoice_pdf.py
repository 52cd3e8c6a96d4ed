"""Invoices as hybrid PDF (Factur-X / ZUGFeRD, EN 16931): the page for people, the XML inside for programs."""

from __future__ import annotations

from servitwin.domain.canonical_json import decimal_text
from servitwin.domain.invoice import Invoice
from servitwin.domain.money import Money
from servitwin.domain.party import Business
from servitwin.formats.invoice_cii import cii
from servitwin.formats.pdf_page import LEFT, LINE, RIGHT, PdfPage, grouped, wrapped

_QUANTITY, _PRICE, _NAME = RIGHT - 175, RIGHT - 90, RIGHT - 136
_UNITS = {"C62": "", "HUR": " h"}


def hybrid_pdf(invoice: Invoice) -> bytes:
    """The invoice as PDF/A-3 with its CII document attached."""
    from facturx import generate_from_binary  # noqa: PLC0415  # slow to load, and only this needs it

    content: bytes = generate_from_binary(
        visible_pdf(invoice),
        cii(invoice),
        flavor="factur-x",
        level="en16931",
        check_xsd=True,
        check_schematron=False,  # needs a processor that is no part of a running node; tests run it
        pdf_metadata={
            "author": invoice.seller.name,
            "title": f"{_title(invoice)} {invoice.number}",
            "subject": f"{_title(invoice)} of {invoice.seller.name} to {invoice.buyer.name}, {invoice.issued}",
            "keywords": "Factur-X, EN 16931",
        },
        lang="en",
    )
    return content


def visible_pdf(invoice: Invoice) -> bytes:
    """The page that people read."""
    seller = invoice.seller
    who = " · ".join(t for t in (seller.name, seller.company_id, seller.vat_id) if t)
    page = PdfPage(f"{who} · the structured invoice (EN 16931) is attached to this file")
    _head(page, invoice)
    _lines(page, invoice)
    _totals(page, invoice)
    if seller.iban and invoice.type == "380":
        page.down()
        page.text(LEFT, f"Pay to {seller.iban}, reference {invoice.number}, by {invoice.due}", 9, bold=True)
    return page.content()


def _title(invoice: Invoice) -> str:
    return "Credit note" if invoice.type == "381" else "Invoice"


def _head(page: PdfPage, invoice: Invoice) -> None:
    page.text(LEFT, invoice.seller.name, 15, bold=True)
    page.text(RIGHT, _title(invoice), 15, bold=True, right=True)
    page.down(1.5)
    top = page.y
    for text in _address(invoice.seller):
        page.text(LEFT, text, 8.5, soft=True)
        page.down(0.8)
    page.y = top
    facts = [
        ("Number", invoice.number), ("Date", invoice.issued), ("Due", invoice.due), ("Contract", invoice.contract),
        ("Period", f"{invoice.start} to {invoice.end}"), ("Credits invoice", invoice.credits),
    ]  # fmt: skip
    for name, value in facts:
        if value:
            page.row([(_NAME, name, True), (RIGHT, value, True)])
    page.down(2)
    page.text(LEFT, "To", 8.5, soft=True)
    page.down()
    page.text(LEFT, invoice.buyer.name, 10.5, bold=True)
    page.down()
    for text in _address(invoice.buyer):
        page.text(LEFT, text, 8.5)
        page.down(0.85)
    page.down(1.5)


def _lines(page: PdfPage, invoice: Invoice) -> None:
    heads = ((LEFT, "What", False), (_QUANTITY, "Quantity", True), (_PRICE, "Price", True))
    page.row([*heads, (RIGHT, f"Amount {invoice.currency}", True)], soft=True)
    page.y += 0.9 * LINE
    page.rule()
    for entry in invoice.lines:
        first, *rest = wrapped(entry.text, 58) or [""]
        quantity = decimal_text(entry.quantity) + _UNITS.get(entry.unit, f" {entry.unit}")
        page.row(
            [(LEFT, first, False), (_QUANTITY, quantity, True), (_PRICE, grouped(entry.price), True),
             (RIGHT, _amount(entry.net), True)], 9,
        )  # fmt: skip
        for part in rest:
            page.row([(LEFT, part, False)], 9)
    page.y += 0.5 * LINE
    page.rule()


def _totals(page: PdfPage, invoice: Invoice) -> None:
    rows = [("Net", _amount(invoice.net))]
    for vat in invoice.vat:
        rate = "no VAT" if vat.treatment.category in "OE" else f"VAT {decimal_text(vat.treatment.rate)} %"
        rows.append((f"{rate} on {_amount(vat.taxable)}", _amount(vat.tax)))
    for name, value in rows:
        page.row([(RIGHT - 113, name, True), (RIGHT, value, True)], 9)
    page.text(RIGHT - 113, "Credited" if invoice.type == "381" else "Total to pay", 11, right=True, bold=True)
    page.text(RIGHT, f"{_amount(invoice.total)} {invoice.currency}", 11, right=True, bold=True)
    page.down(2)
    for vat in invoice.vat:
        page.paragraph(vat.treatment.reason, 8.5, soft=True)
    page.paragraph(invoice.note, 8.5)


def _address(business: Business) -> list[str]:
    place = f"{business.postcode} {business.city}".strip()
    lines = [business.street, place, business.country, f"VAT {business.vat_id}" if business.vat_id else ""]
    return [text for text in lines if text]


def _amount(money: Money) -> str:
    return grouped(money.rounded().amount)
