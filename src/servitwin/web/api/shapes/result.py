"""Shapes of results: profit and loss, renewals. Money is decimal text with its currency beside it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, Shape
from servitwin.web.api.shapes.money import Decimal


class ResultShape(Shape):
    """A contract's result."""

    contract: str
    customer: str
    currency: str
    revenue: Decimal
    credits: Decimal
    visits: Decimal
    parts: Decimal
    data: Decimal
    shares: Decimal
    margin: Decimal
    margin_percent: Decimal | None
    entries: int


class EndedMachineShape(Shape):
    """A machine of a contract that ended; `after`: what its follow-up asks for it a year, null where there is none."""

    twin: str
    before: Decimal
    follow_up: str = Field(description="reference of the follow-up, empty where there is none", examples=["crane-27@1"])
    after: Decimal | None
    currency: str | None = Field(description="of `after`")


class EndedContractShape(Shape):
    """A contract that ended; `before`: its fee a year, without what is charged by use."""

    contract: str
    version: int
    customer: str
    end: Instant
    decided: Instant = Field(description="from then on no follow-up can begin within the tolerance")
    outcome: Literal["renewed", "partly", "churned", "open"]
    before: Decimal
    currency: str
    machines: list[EndedMachineShape]


class RenewalCountShape(Shape):
    """Ended contracts counted: of one customer, or of all (`customer` empty), in one currency."""

    customer: str
    currency: str
    ended: int
    renewed: int
    partly: int
    churned: int
    open: int = Field(description="not yet decided: in no percentage, in no fee")
    before: Decimal = Field(description="yearly fee of the decided ones")
    after: Decimal = Field(description="yearly fee of the follow-ups, for the same machines")
    renewal_percent: Decimal | None = Field(description="by count: went on with at least one machine")
    renewal_percent_by_fee: Decimal | None = Field(description="of `before`, the part of machines that go on")
    net_retention_percent: Decimal | None = Field(description="`after` in percent of `before`")
    gross_retention_percent: Decimal | None = Field(description="the same, no machine with more than before")
    other_currency: int = Field(description="followed up in another currency: counted, their fee compared nowhere")


class RenewalsShape(Shape):
    """Renewals over a period."""

    from_: Instant = Field(alias="from")
    to: Instant
    known_at: Instant
    tolerance_days: int
    contracts: list[EndedContractShape]
    customers: list[RenewalCountShape]
    totals: list[RenewalCountShape]
