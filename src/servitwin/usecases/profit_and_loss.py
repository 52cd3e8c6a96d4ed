"""Profit and loss of services: by contract and customer, from the ledger alone (row E13)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from servitwin.domain.ledger import COSTS, LedgerEntry
from servitwin.domain.money import Money


class ServiceResult(msgspec.Struct, frozen=True):
    """One contract's result in a currency: what came in, what it cost, what is left."""

    contract: str
    customer: str
    currency: str
    revenue: Money
    credits: Money
    visits: Money
    parts: Money
    data: Money
    shares: Money
    margin: Money
    margin_percent: Decimal | None
    entries: int


def profit_and_loss(entries: Sequence[LedgerEntry]) -> list[ServiceResult]:
    """Results by contract, customer and currency, in order of the contract."""
    kinds = ("revenue", "credits", *COSTS, "shares")
    sums: dict[tuple[str, str, str], dict[str, Decimal]] = {}
    counts: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        touched = set()
        for posting in entry.postings:
            kind = posting.account.partition(":")[0]
            if kind not in kinds:
                continue
            key = (entry.contract, entry.customer, posting.amount.currency)
            own = sums.setdefault(key, dict.fromkeys(kinds, Decimal(0)))
            own[kind] += posting.amount.amount
            touched.add(key)
        for key in touched:
            counts[key] = counts.get(key, 0) + 1
    found = []
    for (contract, customer, currency), own in sorted(sums.items()):
        revenue = -own["revenue"]
        spent = sum((own[k] for k in kinds[1:]), Decimal(0))
        margin = revenue - spent
        share = None if revenue == 0 else (margin / revenue * 100).quantize(Decimal("0.1"))
        amounts = {k: Money(own[k], currency) for k in kinds[1:]}
        found.append(
            ServiceResult(
                contract, customer, currency, Money(revenue, currency), **amounts, margin=Money(margin, currency),
                margin_percent=share, entries=counts[(contract, customer, currency)],
            )
        )  # fmt: skip
    return found
