"""What is still open of invoices and credit notes: payments, refunds, and credit set against what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from servitwin.domain.invoice import Invoice
from servitwin.domain.ledger import LedgerEntry
from servitwin.domain.money import Money


class OpenItem(msgspec.Struct, frozen=True):
    """Where an invoice or a credit note stands.

    Attributes:
        paid: paid by the customer, of a credit note paid back to it.
        offset: of an invoice what credit notes took off, of a credit note what it took off its invoice.
        open: what is left to pay; of a credit note, to pay back.
        credited_by: numbers of the credit notes that name the invoice.
    """

    paid: Money
    offset: Money
    open: Money
    credited_by: tuple[str, ...] = ()


def open_items(invoices: Sequence[Invoice], entries: Iterable[LedgerEntry]) -> dict[tuple[str, str], OpenItem]:
    """Open items by seller and number; ``invoices`` holds the invoices that its credit notes credit.

    A credit note is set against what its invoice still owes; only the rest of it is to be paid back.
    """
    paid: dict[tuple[str, str], Decimal] = {}
    for entry in entries:
        if entry.kind == "payment":
            key = (entry.seller, entry.cause)
            paid[key] = paid.get(key, Decimal(0)) + abs(entry.postings[0].amount.amount)
    found: dict[tuple[str, str], OpenItem] = {}
    for invoice in sorted(invoices, key=lambda i: i.type):  # 380, the invoices, before 381, their credit notes
        key = (invoice.seller_party, invoice.number)
        settled, currency = paid.get(key, Decimal(0)), invoice.currency
        left = max(Decimal(0), invoice.total.amount - settled)
        offset = Decimal(0)
        credited = (invoice.seller_party, invoice.credits)
        if invoice.type == "381" and credited in found:
            owed = found[credited]
            offset = min(left, owed.open.amount)
            found[credited] = OpenItem(
                owed.paid, Money(owed.offset.amount + offset, currency), Money(owed.open.amount - offset, currency),
                (*owed.credited_by, invoice.number),
            )  # fmt: skip
        found[key] = OpenItem(Money(settled, currency), Money(offset, currency), Money(left - offset, currency))
    return found
