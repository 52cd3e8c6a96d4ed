"""Shapes of deliveries and of what was said of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, InstantIn, Shape


class DeliverySaid(Shape):
    """Whose word it is: an event's, a person's or program's (named to its own company alone), or the register's."""

    party: str
    at: Instant | None
    id: str = Field(description="of the event, or of what somebody said; empty: the register has it")
    event: bool = Field(description="whether it is an event; else somebody said it")
    by: str = Field(description="who said it; empty towards other companies")


class DeliveryShape(Shape):
    """A delivery: announced, under way, or there; by how much late, and by whose word."""

    house: str = Field(description="whose register it is in")
    side: Literal["in", "out"] = Field(description="in: from a supplier; out: to a customer")
    thing: str = Field(description="material or product")
    ref: str = Field(description="its reference; of an order its id")
    partner: str = Field(description="supplier or customer")
    announced: Instant | None = Field(description="announced by the supplier, or promised to the customer")
    announced_amount: int
    unit: str
    state: Literal["announced", "under-way", "came"]
    expected: Instant | None = Field(description="where somebody said otherwise than announced")
    amount: int = Field(description="expected now")
    shipped: Instant | None
    came: Instant | None = Field(description="when it was there; null while a part of it is still to come")
    came_amount: int = Field(description="of it so far")
    counted: bool = Field(description="whether somebody said how much came; else it counts as it was expected")
    late_s: float = Field(description="later than announced; grows while it is under way and overdue")
    reason: str = Field(description="why it is expected otherwise")
    said: DeliverySaid | None = Field(description="whose word the state is; null: it is as announced")
    expected_by: DeliverySaid | None = Field(description="whose word the expectation is")


class DeliveryList(Shape):
    """Deliveries of a company, and those of others from it or to it: what is open, and what came in thirty days."""

    party: str
    own: list[DeliveryShape]
    of_others: list[DeliveryShape]


class NotMatchedShape(Shape):
    """A word that is about no delivery that a register has (or not about all it could be), and how to mend it."""

    id: str
    party: str = Field(description="who said it")
    event: bool
    step: str = Field(description="shipping, arriving, receiving, expected, came")
    refs: list[str]
    at: Instant
    received: Instant
    fault: FaultShape


class NotMatchedList(Shape):
    """Newest first."""

    items: list[NotMatchedShape]
    next: str | None = Field(description="cursor of the next page; null: this is the last")


class DeliveryWordIn(Shape):
    """What is said of a delivery in so many words."""

    said: Literal["expected", "came"]
    ref: str = Field(min_length=1, max_length=400, description="of the delivery; of an order its id")
    house: str = Field("", max_length=100, description="company in whose register it is; default: the caller's")
    thing: str = Field("", max_length=100, description="material or product, where the reference is of several")
    time: InstantIn | None = Field(None, description="when it is expected, or came (default: now)")
    amount: int | None = Field(None, description="how much; default: as it is expected so far")
    reason: str = Field("", max_length=500, description="why it is expected otherwise")
    party: str = Field("", max_length=100, description="for whom the caller speaks; default: its own company")
