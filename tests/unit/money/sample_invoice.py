"""A seller, buyers in every VAT case, and an invoice between them."""

from __future__ import annotations

from decimal import Decimal

from servitwin.domain.invoice import Invoice, VatTreatment, line, totals
from servitwin.domain.money import money
from servitwin.domain.party import Business
from servitwin.formats.vat import treatment

AURORA = Business(
    "Aurora Machines Oy", "FI", "Konetie 1", "Tampere", "33100", "FI12345678", "1234567-8", "invoices@aurora.example",
    "FI2112345600000785",
)  # fmt: skip
BUYERS = {
    "S": Business(
        "Kivi Castings Oy", "FI", "Valimontie 4", "Tampere", "33200", "FI87654321", "8765432-1", "ap@kivi.example"
    ),
    "AE": Business(
        "Polder Staal BV", "NL", "Kade 3", "Rotterdam", "3011", "NL123456789B01", "12345678", "ap@polder.example"
    ),
    "O": Business("Bogaz Makina AS", "TR", "Liman 7", "Izmir", "35000", "", "998877", "ap@bogaz.example"),
}


def invoice(buyer: str, kind: str = "380", vat: VatTreatment | None = None, net: str = "7612.50") -> Invoice:
    taxed = vat or treatment(AURORA, BUYERS[buyer], "2026-04-01")
    lines = (line("Availability guarantee, March 2026", Decimal(1), "C62", money(net, "EUR"), taxed, "availability"),)
    breakdown, total_net, tax, total = totals(lines, "EUR")
    return Invoice(
        "2026-00001", kind, "2026-04-01", "2026-05-01", "aurora", buyer.lower(), AURORA, BUYERS[buyer], "EUR",  # type: ignore[arg-type]
        lines, breakdown, total_net, tax, total, "crane-98", "2026-03-01", "2026-03-31", "settlement",
        "2026-00000" if kind == "381" else "", "Settlement sha256:ab" if kind == "381" else "",
    )  # fmt: skip
