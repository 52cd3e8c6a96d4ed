"""Spare parts: what is on the shelf, when to order more and how much.

Reorder point for a cycle service level: the smallest R with P(D <= R) >= level, where D, the demand during the lead
time, is Poisson with mean = yearly demand x lead time (slow movers; Silver, Pyke and Thomas, Inventory and Production
Management in Supply Chains, section 9.3; secondary). Order quantity: the economic order quantity sqrt(2 K D / h) of
Harris, with K the cost of an order and h the cost of holding a part for a year; without these the demand of one lead
time. Demand that is planned already (tasks with a date) is reserved and no part of the random demand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import DAY
from servitwin.domain.money import CURRENCIES, Money

MOST_DEMAND = 10_000.0  # mean during a lead time; beyond it a part is no slow mover


class SparePart(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A spare part on a shelf.

    Attributes:
        stock: pieces on the shelf; ``ordered``: pieces that are under way.
        lead_time_days: from the order to the shelf; None: not known, which is a fault as soon as it must be planned.
        demand_per_year: unplanned demand, pieces.
        service_level: chance that the shelf does not run out during a lead time.
        price: of a piece. ``order_cost``: of placing an order. ``holding_rate``: cost of a year on the shelf / price.
        pack: pieces are sold in multiples of it.
    """

    name: str
    stock: int
    price: Decimal
    currency: str
    lead_time_days: float | None = None
    demand_per_year: float = 0.0
    service_level: float = 0.95
    ordered: int = 0
    order_cost: Decimal = Decimal(0)
    holding_rate: Decimal = Decimal("0.2")
    pack: int = 1
    supplier: str = ""
    place: str = ""


class Reorder(msgspec.Struct, frozen=True):
    """What to do about a part.

    Attributes:
        point: reorder point in pieces, ``quantity``: what an order holds.
        available: on the shelf and under way, less what planned tasks within the lead time need.
        order: pieces to order now; 0: enough is there.
        cost: of that order. ``why``: in words.
    """

    point: int
    quantity: int
    available: int
    order: int
    cost: Money
    why: str


def check_part(part: SparePart) -> list[Fault]:
    """All faults of a spare part at once."""
    faults = []
    if part.currency not in CURRENCIES:
        message = f"There is no currency {part.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    for field in ("price", "order_cost", "holding_rate"):
        value: Decimal = getattr(part, field)
        if not value.is_finite() or value < 0:
            faults.append(Fault("part:cost-negative", f"{value} is no cost", "Give zero or more", field))
    if part.lead_time_days is None:
        hint = "Ask the supplier: without it nobody can say when the part would be there"
        faults.append(Fault("part:no-lead-time", f"{part.name} has no lead time", hint, "lead_time_days"))
    elif not 0 <= part.lead_time_days <= 3650:
        message = f"{part.lead_time_days} days is no lead time"
        faults.append(Fault("part:lead-time-invalid", message, "0 to 3650 days", "lead_time_days"))
    if part.stock < 0 or part.ordered < 0:
        faults.append(Fault("part:stock-negative", "A shelf holds nothing negative", "Count it again", "stock"))
    if not 0 <= part.demand_per_year < math.inf or _mean(part) > MOST_DEMAND:
        message = f"{part.demand_per_year} pieces a year is no demand of a spare part"
        faults.append(Fault("part:demand-invalid", message, "0 to 10 000 during a lead time", "demand_per_year"))
    if not 0 < part.service_level < 1:
        message = f"{part.service_level} is no service level"
        faults.append(Fault("part:service-level-invalid", message, "Between 0 and 1, like 0.95", "service_level"))
    if part.pack < 1:
        faults.append(Fault("part:pack-invalid", f"{part.pack} is no pack", "1 or more pieces", "pack"))
    return faults


def reorder_point(mean: float, level: float) -> int:
    """The smallest R with P(Poisson(mean) <= R) >= level; in logarithms, so that no large mean underflows."""
    if mean <= 0:
        return 0
    log_term, total, count = -mean, math.exp(-mean), 0
    while total < level and count < mean + 40 * math.sqrt(mean) + 40:
        count += 1
        log_term += math.log(mean / count)
        total += math.exp(log_term)
    return count


def order_quantity(part: SparePart) -> int:
    """Pieces of one order: economic order quantity, whole packs, at least one."""
    holding = float(part.price * part.holding_rate)
    if part.order_cost > 0 and holding > 0 and part.demand_per_year > 0:
        wanted = math.sqrt(2 * float(part.order_cost) * part.demand_per_year / holding)
    else:
        wanted = _mean(part)
    return max(1, math.ceil(round(wanted) / part.pack)) * part.pack


def reorder(part: SparePart, planned: Sequence[tuple[int, int]], now: int) -> Reorder:
    """Whether to order, given planned needs (ns UTC when, pieces).

    A need within the lead time must come from what is there or under way; what is left must cover the unplanned
    demand, so an order is due when it is at the reorder point or below.
    """
    lead = (part.lead_time_days or 0.0) * DAY
    reserved = sum(pieces for when, pieces in planned if when <= now + lead)
    point, quantity = reorder_point(_mean(part), part.service_level), order_quantity(part)
    available = part.stock + part.ordered - reserved
    below = available < 0 or (part.demand_per_year > 0 and available <= point)
    # At least one order, and enough to be above the reorder point again.
    order = math.ceil(max(quantity, point + 1 - available) / part.pack) * part.pack if below else 0
    why = (
        f"{part.stock} on the shelf, {part.ordered} under way, {reserved} reserved within the lead time of "
        f"{part.lead_time_days or 0:g} days: {available} free; the reorder point is {point} for "
        f"{part.demand_per_year:g} a year at a service level of {100 * part.service_level:.0f} %"
    )
    return Reorder(point, quantity, available, order, Money(part.price * order, part.currency).rounded(), why)


def arrival(part: SparePart, pieces: int, now: int) -> int | None:
    """When ``pieces`` can be at hand (ns UTC): now from the shelf, else after the lead time; None: not known."""
    if pieces <= part.stock:
        return now
    return None if part.lead_time_days is None else now + round(part.lead_time_days * DAY)


def _mean(part: SparePart) -> float:
    return part.demand_per_year * (part.lead_time_days or 0.0) / 365.25
