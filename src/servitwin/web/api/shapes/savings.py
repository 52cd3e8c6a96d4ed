"""Shapes of savings over contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Shape

Service = Literal["availability-guarantee", "metered-use", "subscription"]


class SavingsFigures(Shape):
    """A contract's value, as `GET /contracts/{id}/value` has it: a year, against its baseline."""

    agreed: bool = Field(description="both parties signed the baseline: it counts in the sums")
    from_: Instant = Field(alias="from", description="counted from here: never before the contract")
    to: Instant
    baseline: int = Field(description="number of the baseline")
    source: str = Field(description="what the baseline rests on")
    saved_hours: Decimal
    saved: Decimal
    low: Decimal
    high: Decimal
    fee: Decimal
    after_fee: Decimal


class SavingsRow(Shape):
    """A binding contract and what it saves its customer."""

    contract: str
    title: str
    service: Service
    provider: str
    customer: str
    currency: str
    counted: SavingsFigures | None
    why: FaultShape | None = Field(description="why nothing is counted")
    value: str = Field(description="address of the contract's value")


class SavingsSumShape(Shape):
    """Savings of several contracts whose baselines are agreed; ranges do not add up, so there is none."""

    name: str = Field(description="the service or the customer")
    currency: str
    contracts: list[str]
    saved_hours: Decimal
    saved: Decimal
    after_fee: Decimal


class SavingsAnswer(Shape):
    """Savings a year, per contract, per service and per customer."""

    from_: Instant = Field(alias="from")
    to: Instant
    items: list[SavingsRow]
    by_service: list[SavingsSumShape]
    by_customer: list[SavingsSumShape]
