"""Open items: what is paid, set off and left of invoices and credit notes always makes the whole."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.ledger import LedgerEntry, Posting
from servitwin.domain.money import money
from servitwin.domain.open_item import open_items
from tests.unit.money.sample_invoice import invoice

INVOICE = msgspec.structs.replace(invoice("AE", net="5172.00"), number="2026-00001")
NOTE = msgspec.structs.replace(invoice("AE", "381", net="160.00"), number="2026-00002", credits="2026-00001")


def payment(number: str, amount: str) -> LedgerEntry:
    paid = money(amount, "EUR")
    postings = (Posting("bank:aurora", paid), Posting("receivable:ae", -paid))
    return LedgerEntry(f"{number}:{amount}", 1, "payment", "crane-98", "aurora", "ae", "", number, postings)


def states(*entries: LedgerEntry) -> list[tuple[str, str, str]]:
    found = open_items([NOTE, INVOICE], entries)  # in any order
    return [
        (f"{i.paid.amount:.2f}", f"{i.offset.amount:.2f}", f"{i.open.amount:.2f}")
        for i in (found["aurora", n] for n in ("2026-00001", "2026-00002"))
    ]


def test_a_credit_note_takes_off_what_its_invoice_still_owes() -> None:
    assert states() == [("0.00", "160.00", "5012.00"), ("0.00", "160.00", "0.00")]
    assert states(payment("2026-00001", "5012.00")) == [("5012.00", "160.00", "0.00"), ("0.00", "160.00", "0.00")]


def test_what_was_paid_whole_leaves_the_credit_to_be_paid_back() -> None:
    whole = payment("2026-00001", "5172.00")
    assert states(whole) == [("5172.00", "0.00", "0.00"), ("0.00", "0.00", "160.00")]
    assert states(whole, payment("2026-00002", "-160.00"))[1] == ("160.00", "0.00", "0.00")
    partly = payment("2026-00001", "5100.00")
    assert states(partly) == [("5100.00", "72.00", "0.00"), ("0.00", "72.00", "88.00")]


@given(st.decimals(0, 5172, places=2), st.decimals(0, 160, places=2))
def test_paid_set_off_and_open_make_the_whole(paid: Decimal, refunded: Decimal) -> None:
    entries = [payment(INVOICE.number, f"{paid}"), payment(NOTE.number, f"-{refunded}")]
    for invoiced in (INVOICE, NOTE):
        item = open_items([INVOICE, NOTE], entries)["aurora", invoiced.number]
        assert (item.paid + item.offset + item.open).amount == invoiced.total.amount
        assert item.open.amount >= 0
