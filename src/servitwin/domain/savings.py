"""Value argued and counted: what a service saves against an agreed baseline, with its uncertainty, over years.

Net present value discounts each year's flow by (1 + rate)^year (textbook definition); a tornado moves one input at a
time over its range. Value counts only against a baseline that the customer has countersigned.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.money import Money
from servitwin.domain.observation import Floats


class Estimate(msgspec.Struct, frozen=True):
    """A figure that is not known for certain: likely value with a range that holds it in 90 of 100 cases."""

    low: Decimal
    likely: Decimal
    high: Decimal


class Baseline(msgspec.Struct, frozen=True):
    """How it was before the service, agreed between the parties: per year and for the contract's machines.

    Attributes:
        down_hours: unavailable hours a year.
        cost_per_hour: what an unavailable hour costs the customer.
        visits: unplanned visits a year; cost_per_visit: what one costs.
        source: what the figures rest on, for people.
    """

    contract: str
    number: int
    currency: str
    down_hours: Estimate
    cost_per_hour: Estimate
    visits: Estimate
    cost_per_visit: Estimate
    source: str


class Savings(msgspec.Struct, frozen=True):
    """What was saved in a year against a baseline; money with its 90 % range, and what moves it most.

    ``tornado``: input -> savings where it is low and where it is high, all else likely.
    """

    hours: Decimal
    money: Money
    low: Money
    high: Money
    after_fee: Money
    tornado: dict[str, tuple[Money, Money]]


def net_present_value(flows: Sequence[Decimal], rate: Decimal) -> Decimal:
    """Value today of flows at the end of years 0, 1, 2 ...; ``rate`` as a share.

    Raises:
        InvalidInputError: ``value:rate-invalid`` for a rate of -100 % or less.
    """
    if rate <= -1:
        raise InvalidInputError(Fault("value:rate-invalid", f"{rate} is no rate", "Write 10 % as 0.1", "rate"))
    return sum((flow / (1 + rate) ** year for year, flow in enumerate(flows)), Decimal(0))


def payback_years(flows: Sequence[Decimal]) -> Decimal | None:
    """Years until the flows have paid the first one back, within a year in proportion; None if they never do."""
    total = Decimal(0)
    for year, flow in enumerate(flows):
        if total < 0 <= total + flow and flow > 0:
            return year - 1 + -total / flow
        total += flow
    return None if total < 0 else Decimal(0)


def savings(
    baseline: Baseline, down_hours: Decimal, visits: Decimal, fee: Money, *, seed: int, draws: int = 20_000
) -> Savings:
    """Saved in a year with so many unavailable hours and visits; uncertain inputs are drawn (triangular), seeded.

    ``fee`` is what the customer paid for it, less credits.
    """
    likely = _value(baseline, down_hours, visits)
    random = np.random.default_rng(seed)
    drawn = {name: _draw(getattr(baseline, name), random, draws) for name in _INPUTS}
    values = (drawn["down_hours"] - float(down_hours)) * drawn["cost_per_hour"] + (
        drawn["visits"] - float(visits)
    ) * drawn["cost_per_visit"]
    low, high = (Decimal(repr(float(q))) for q in np.quantile(values, (0.05, 0.95)))
    tornado = {}
    for name in _INPUTS:
        estimate: Estimate = getattr(baseline, name)
        ends = [
            _value(msgspec.structs.replace(baseline, **{name: Estimate(v, v, v)}), down_hours, visits)
            for v in (estimate.low, estimate.high)
        ]
        tornado[name] = (_money(ends[0], baseline), _money(ends[1], baseline))
    money = _money(likely, baseline)
    return Savings(
        baseline.down_hours.likely - down_hours,
        money,
        _money(low, baseline),
        _money(high, baseline),
        money - fee,
        tornado,
    )


_INPUTS = ("down_hours", "cost_per_hour", "visits", "cost_per_visit")


def _value(baseline: Baseline, down_hours: Decimal, visits: Decimal) -> Decimal:
    hours = (baseline.down_hours.likely - down_hours) * baseline.cost_per_hour.likely
    return hours + (baseline.visits.likely - visits) * baseline.cost_per_visit.likely


def _draw(estimate: Estimate, random: np.random.Generator, draws: int) -> Floats:
    low, likely, high = float(estimate.low), float(estimate.likely), float(estimate.high)
    if low == high:
        return np.full(draws, likely)
    return random.triangular(low, likely, high, draws)


def _money(value: Decimal, baseline: Baseline) -> Money:
    return Money(value, baseline.currency).rounded()


def check_estimate(estimate: Estimate, where: str) -> Fault | None:
    """The fault of an estimate: out of order, or below nothing."""
    if not estimate.low <= estimate.likely <= estimate.high or estimate.low < 0:
        return Fault("value:estimate-invalid", "low <= likely <= high, none below zero", "Order the figures", where)
    return None
