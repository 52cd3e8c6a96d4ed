"""Usage records: what a meter counted, once and for good. ``(source, id)`` is the identity of a CloudEvent (1.0)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.error import Fault


class UsageRecord(msgspec.Struct, frozen=True):
    """A quantity of a meter (``operating_hours``, ``parts``, ``cycles``) under a contract, at an instant.

    A later correction is a record of its own with a negative quantity; the sum of a period is never below nothing.
    """

    source: str
    id: str
    contract: str
    twin: str
    meter: str
    quantity: Decimal
    at: int
    unit: str = ""


class UsageConflict(msgspec.Struct, frozen=True):
    """A record whose identity was used before with other content: kept and shown, and not billed."""

    record: UsageRecord
    received: int
    message: str


def check_usage(record: UsageRecord) -> Fault | None:
    """The fault of a record by itself."""
    if not record.id or not record.source:
        return Fault("usage:identity-missing", "A usage record needs id and source", "As CloudEvents asks", "id")
    if not record.quantity.is_finite() or abs(record.quantity) > Decimal(10) ** 12:
        return Fault("usage:quantity-invalid", f"{record.quantity} is no quantity", "Give a finite decimal", "quantity")
    return None
