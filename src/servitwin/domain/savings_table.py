"""What contracts saved, brought together by service and by customer: sums of counted savings, by currency."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Literal

import msgspec

from servitwin.domain.contract import Contract
from servitwin.domain.money import Money, sum_money

Service = Literal["availability-guarantee", "metered-use", "subscription"]


class CountedSavings(msgspec.Struct, frozen=True):
    """What one contract saves its customer a year: fewer hours down, money with its 90 % range, and after the fee."""

    contract: str
    service: Service
    customer: str
    hours: Decimal
    money: Money
    after_fee: Money


class SavingsSum(msgspec.Struct, frozen=True):
    """Savings of the contracts of one service or one customer, in one currency.

    It has no range: ranges of contracts do not add up, because their errors need not lie on the same side.
    """

    name: str
    contracts: tuple[str, ...]
    hours: Decimal
    money: Money
    after_fee: Money


def service_of(contract: Contract) -> Service:
    """What a contract sells, by its terms: a guarantee comes first, then what is metered."""
    if contract.guarantee is not None:
        return "availability-guarantee"
    return "metered-use" if contract.price.usage else "subscription"


def sums_by(rows: Iterable[CountedSavings], name: Callable[[CountedSavings], str]) -> list[SavingsSum]:
    """Sums by a name and currency, in order of them."""
    groups: dict[tuple[str, str], list[CountedSavings]] = {}
    for row in rows:
        groups.setdefault((name(row), row.money.currency), []).append(row)
    return [
        SavingsSum(
            key,
            tuple(r.contract for r in found),
            sum((r.hours for r in found), Decimal(0)),
            sum_money((r.money for r in found), currency),
            sum_money((r.after_fee for r in found), currency),
        )
        for (key, currency), found in sorted(groups.items())
    ]
