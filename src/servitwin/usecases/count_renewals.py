"""Renewals of a provider's contracts over a period: by count and by fee, by customer and in all (row E13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.follow_up import EndedContract, Outcome, ended_contracts, terms_in_force
from servitwin.domain.money import Money, round_half_away

TOLERANCE_DAYS = 30
_LONGEST_TOLERANCE = 366


class RenewalCount(msgspec.Struct, frozen=True):
    """How the contracts of a customer ("" for all of them) that ended in a currency went on.

    Attributes:
        ended: contracts whose last day lies in the period: ``renewed`` + ``partly`` + ``churned`` + ``open``.
        before: yearly fee of those that are decided, and whose follow-up, if any, is in the same currency.
        after: yearly fee that the follow-ups ask for the same machines; machines that are new in them do not count.
        renewal_percent: of the decided contracts, those that go on with at least one machine.
        renewal_percent_by_fee: of ``before``, the part of machines that go on.
        net_retention_percent: ``after`` in percent of ``before``.
        gross_retention_percent: the same, each machine with no more than it brought before.
        other_currency: contracts whose follow-up is in another currency: counted, their fee compared nowhere.
    """

    customer: str
    currency: str
    ended: int
    renewed: int
    partly: int
    churned: int
    open: int
    before: Money
    after: Money
    renewal_percent: Decimal | None
    renewal_percent_by_fee: Decimal | None
    net_retention_percent: Decimal | None
    gross_retention_percent: Decimal | None
    other_currency: int


class Renewals(msgspec.Struct, frozen=True):
    """Each contract that ended, and the counts by customer and in all; currencies are never added."""

    contracts: tuple[EndedContract, ...]
    customers: tuple[RenewalCount, ...]
    totals: tuple[RenewalCount, ...]
    known_at: int
    tolerance_days: int


def count_renewals(
    agreements: Iterable[Agreement], start: int, end: int, *, known_at: int, tolerance_days: int
) -> Renewals:
    """What ended in ``[start, end)`` of a provider's contracts, by the signatures made until ``known_at`` alone.

    Raises:
        InvalidInputError: ``renewals:tolerance``.
    """
    if not 0 <= tolerance_days <= _LONGEST_TOLERANCE:
        message, hint = f"{tolerance_days} days is no tolerance", f"Say 0 to {_LONGEST_TOLERANCE} days"
        raise InvalidInputError(Fault("renewals:tolerance", message, hint, "tolerance_days"))
    terms = terms_in_force(agreements, known_at)
    ended = ended_contracts(terms, start, end, known_at=known_at, tolerance_days=tolerance_days)
    places = sorted({(e.customer, e.before.currency) for e in ended})
    return Renewals(
        tuple(ended),
        tuple(_count(customer, currency, ended) for customer, currency in places),
        tuple(_count("", currency, ended) for currency in sorted({currency for _, currency in places})),
        known_at,
        tolerance_days,
    )


def _count(customer: str, currency: str, ended: Sequence[EndedContract]) -> RenewalCount:
    own = [e for e in ended if e.before.currency == currency and customer in {"", e.customer}]
    decided = [e for e in own if e.outcome != "open"]
    compared = [e for e in decided if not _in_other_currency(e)]
    machines = [(m.before.amount, m.after) for e in compared for m in e.machines]
    before = sum((b for b, _ in machines), Decimal(0))
    after = sum((a.amount for _, a in machines if a is not None), Decimal(0))
    kept = sum((b for b, a in machines if a is not None), Decimal(0))
    gross = sum((min(b, a.amount) for b, a in machines if a is not None), Decimal(0))

    def number(outcome: Outcome) -> int:
        return sum(1 for e in own if e.outcome == outcome)

    return RenewalCount(
        customer=customer,
        currency=currency,
        ended=len(own),
        renewed=number("renewed"),
        partly=number("partly"),
        churned=number("churned"),
        open=number("open"),
        before=Money(before, currency),
        after=Money(after, currency),
        renewal_percent=_percent(Decimal(number("renewed") + number("partly")), Decimal(len(decided))),
        renewal_percent_by_fee=_percent(kept, before),
        net_retention_percent=_percent(after, before),
        gross_retention_percent=_percent(gross, before),
        other_currency=len(decided) - len(compared),
    )


def _in_other_currency(ended: EndedContract) -> bool:
    return any(m.after is not None and m.after.currency != m.before.currency for m in ended.machines)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """To a tenth of a percent; nothing of nothing is no share."""
    return None if whole == 0 else round_half_away(part / whole * 100, 1)
