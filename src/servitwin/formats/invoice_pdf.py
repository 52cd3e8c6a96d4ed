"""Invoices as hybrid PDF (Factur-X / ZUGFeRD, EN 16931): the page for people, the XML inside for programs."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from servitwin.domain.invoice import Invoice
from servitwin.domain.money import Money
from servitwin.domain.party import Business
from servitwin.formats.canonical_json import decimal_text
from servitwin.formats.invoice_cii import cii

_INK, _SOFT, _RULE = HexColor("#1b1f23"), HexColor("#5c6670"), HexColor("#c9d0d6")
_LEFT, _RIGHT = 20 * mm, 190 * mm
_LINE = 5.2 * mm


def hybrid_pdf(invoice: Invoice) -> bytes:
    """The invoice as PDF/A-3 with its CII document attached; fonts are embedded."""
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
    _register_fonts()
    target = io.BytesIO()
    page = _Page(Canvas(target, pagesize=A4, invariant=1), invoice)
    page.head()
    page.lines()
    page.totals()
    page.foot()
    page.canvas.save()
    return target.getvalue()


def _register_fonts() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", str(folder / "Vera.ttf")))
        pdfmetrics.registerFont(TTFont("VeraBd", str(folder / "VeraBd.ttf")))


def _title(invoice: Invoice) -> str:
    return "Credit note" if invoice.type == "381" else "Invoice"


class _Page:
    def __init__(self, canvas: Canvas, invoice: Invoice) -> None:
        self.canvas = canvas
        self._invoice = invoice
        self._y = 277 * mm

    def head(self) -> None:
        """Seller, title, number and dates, buyer."""
        invoice = self._invoice
        self._text(_LEFT, invoice.seller.name, 15, bold=True)
        self._text(_RIGHT, _title(invoice), 15, bold=True, right=True)
        self._down(1.5)
        for text in _address(invoice.seller):
            self._text(_LEFT, text, 8.5, soft=True)
            self._down(0.8)
        self._y += len(_address(invoice.seller)) * 0.8 * _LINE
        facts = [
            ("Number", invoice.number), ("Date", invoice.issued), ("Due", invoice.due), ("Contract", invoice.contract),
            ("Period", f"{invoice.start} to {invoice.end}"),
        ]  # fmt: skip
        if invoice.credits:
            facts.append(("Credits invoice", invoice.credits))
        for name, value in facts:
            self._text(_RIGHT - 48 * mm, name, 8.5, soft=True, right=True)
            self._text(_RIGHT, value, 8.5, right=True)
            self._down(0.9)
        self._down(2)
        self._text(_LEFT, "To", 8.5, soft=True)
        self._down()
        self._text(_LEFT, invoice.buyer.name, 10.5, bold=True)
        self._down()
        for text in _address(invoice.buyer):
            self._text(_LEFT, text, 8.5)
            self._down(0.85)
        self._down(1.5)

    def lines(self) -> None:
        """The lines, with quantity, price and amount."""
        columns = (_RIGHT - 62 * mm, _RIGHT - 32 * mm, _RIGHT)
        self._text(_LEFT, "What", 8.5, soft=True)
        for x, head in zip(columns, ("Quantity", "Price", f"Amount {self._invoice.currency}"), strict=True):
            self._text(x, head, 8.5, soft=True, right=True)
        self._rule()
        for entry in self._invoice.lines:
            for n, part in enumerate(_wrapped(entry.text, 62)):
                self._text(_LEFT, part, 9)
                if n == 0:
                    unit = "" if entry.unit == "C62" else {"HUR": " h"}.get(entry.unit, f" {entry.unit}")
                    self._text(columns[0], decimal_text(entry.quantity) + unit, 9, right=True)
                    self._text(columns[1], _grouped(entry.price), 9, right=True)
                    self._text(columns[2], _amount(entry.net), 9, right=True)
                self._down(0.95)
                if self._y < 60 * mm:
                    self.canvas.showPage()
                    self._y = 277 * mm
        self._rule()

    def totals(self) -> None:
        """Net, tax by rate, total; why no tax is due where none is."""
        invoice = self._invoice
        rows = [("Net", _amount(invoice.net))]
        for vat in invoice.vat:
            rate = "no VAT" if vat.treatment.category in "OE" else f"VAT {decimal_text(vat.treatment.rate)} %"
            rows.append((f"{rate} on {_amount(vat.taxable)}", _amount(vat.tax)))
        for name, value in rows:
            self._text(_RIGHT - 40 * mm, name, 9, right=True, soft=True)
            self._text(_RIGHT, value, 9, right=True)
            self._down()
        self._text(_RIGHT - 40 * mm, "Credited" if invoice.type == "381" else "Total to pay", 11, right=True, bold=True)
        self._text(_RIGHT, f"{_amount(invoice.total)} {invoice.currency}", 11, right=True, bold=True)
        self._down(2)
        for vat in invoice.vat:
            if vat.treatment.reason:
                for part in _wrapped(vat.treatment.reason, 105):
                    self._text(_LEFT, part, 8.5, soft=True)
                    self._down(0.85)

    def foot(self) -> None:
        """What it rests on, and how to pay."""
        invoice = self._invoice
        self._down()
        for part in _wrapped(invoice.note, 105):
            self._text(_LEFT, part, 8.5)
            self._down(0.85)
        if invoice.seller.iban and invoice.type == "380":
            self._down()
            self._text(
                _LEFT, f"Pay to {invoice.seller.iban}, reference {invoice.number}, by {invoice.due}", 9, bold=True
            )
        self._y = 18 * mm
        self._rule()
        text = f"{invoice.seller.name} · {invoice.seller.company_id} · {invoice.seller.vat_id}".strip(" ·")
        self._text(_LEFT, text, 7.5, soft=True)
        self._text(_RIGHT, "The structured invoice (EN 16931) is attached to this file", 7.5, soft=True, right=True)

    def _text(
        self, x: float, text: str, size: float, *, bold: bool = False, soft: bool = False, right: bool = False
    ) -> None:
        self.canvas.setFont("VeraBd" if bold else "Vera", size)
        self.canvas.setFillColor(_SOFT if soft else _INK)
        (self.canvas.drawRightString if right else self.canvas.drawString)(x, self._y, text)

    def _down(self, lines: float = 1.0) -> None:
        self._y -= lines * _LINE

    def _rule(self) -> None:
        self._down(0.5)
        self.canvas.setStrokeColor(_RULE)
        self.canvas.line(_LEFT, self._y, _RIGHT, self._y)
        self._down(1.1)


def _address(business: Business) -> list[str]:
    place = f"{business.postcode} {business.city}".strip()
    lines = [business.street, place, business.country, f"VAT {business.vat_id}" if business.vat_id else ""]
    return [text for text in lines if text]


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _amount(money: Money) -> str:
    return _grouped(money.rounded().amount)


def _grouped(value: Decimal) -> str:
    return f"{value:,f}".replace(",", " ")
