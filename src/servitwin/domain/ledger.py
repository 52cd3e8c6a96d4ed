"""The ledger: double entry, postings that sum to zero, entries that are never edited.

A positive amount is a debit, a negative one a credit. Accounts are named ``kind:owner``; the kinds are below.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.money import Money

Kind = Literal["fee", "usage", "credit", "bonus", "damages", "share", "cost", "payment", "correction"]
# kind of account -> what it holds
ACCOUNTS = {
    "receivable": "what a customer owes",
    "revenue": "earned under a contract",
    "credits": "given back under a guarantee",
    "vat": "tax owed to a country",
    "payable": "owed to a partner",
    "shares": "partners' shares of a contract",
    "visits": "cost of visits under a contract",
    "parts": "cost of spare parts under a contract",
    "data": "cost of data and telemetry under a contract",
    "suppliers": "owed to suppliers",
    "bank": "money received and paid",
}
COSTS = ("visits", "parts", "data")


class Posting(msgspec.Struct, frozen=True):
    """An amount on an account, debit positive."""

    account: str
    amount: Money


class LedgerEntry(msgspec.Struct, frozen=True):
    """One booking with what caused it: an invoice, a settlement, a visit. ``corrects`` names the entry it mends."""

    id: str
    at: int
    kind: Kind
    contract: str
    seller: str
    customer: str
    text: str
    cause: str
    postings: tuple[Posting, ...]
    corrects: str = ""


def balanced(entry: LedgerEntry) -> LedgerEntry:
    """The entry, checked: known accounts, and a sum of zero in each currency.

    Raises:
        InvalidInputError: ``ledger:not-balanced``, ``ledger:account-unknown``, ``ledger:empty``.
    """
    if len(entry.postings) < 2:
        raise InvalidInputError(Fault("ledger:empty", "An entry has at least two postings", "Say where it comes from"))
    sums: dict[str, Money] = {}
    for posting in entry.postings:
        kind, _, owner = posting.account.partition(":")
        if kind not in ACCOUNTS or not owner:
            hint = f"kind:owner with one of {', '.join(ACCOUNTS)}"
            raise InvalidInputError(
                Fault("ledger:account-unknown", f"There is no account {posting.account!r}", hint, "account")
            )
        before = sums.get(posting.amount.currency)
        sums[posting.amount.currency] = posting.amount if before is None else before + posting.amount
    for currency, total in sums.items():
        if total.amount != 0:
            raise InvalidInputError(
                Fault("ledger:not-balanced", f"The postings leave {total.amount} {currency}", "Debits equal credits")
            )
    return entry


def balances(entries: Iterable[LedgerEntry]) -> dict[str, dict[str, Money]]:
    """Balance of each account by currency; all of them together are zero."""
    found: dict[str, dict[str, Money]] = {}
    for entry in entries:
        for posting in entry.postings:
            account = found.setdefault(posting.account, {})
            before = account.get(posting.amount.currency)
            account[posting.amount.currency] = posting.amount if before is None else before + posting.amount
    return found
