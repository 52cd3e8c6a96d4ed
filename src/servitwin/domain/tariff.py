"""What a quantity costs: each tier prices its own units, then the minimum and the cap of a period."""

from __future__ import annotations

from decimal import Decimal

from servitwin.domain.contract import MeterPrice
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.money import Money


def price_of(price: MeterPrice, quantity: Decimal, currency: str) -> Money:
    """The price of a period's quantity of a meter, rounded once, half away from zero.

    Raises:
        InvalidInputError: ``usage:negative`` for less than nothing.
    """
    if quantity < 0:
        raise InvalidInputError(
            Fault(
                "usage:negative", f"{quantity} {price.meter} cannot be used", "A correction lowers the sum, not below 0"
            )
        )
    total, begin = Decimal(0), Decimal(0)
    for tier in price.tiers:
        end = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if end > begin:
            total += (end - begin) * tier.rate
            begin = end
    if price.minimum is not None:
        total = max(total, price.minimum)
    if price.cap is not None:
        total = min(total, price.cap)
    return Money(total, currency).rounded()
