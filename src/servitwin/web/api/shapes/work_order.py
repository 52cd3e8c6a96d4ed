"""Shapes of work orders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.domain.work_order import Action, Kind, Status
from servitwin.web.api.shapes.base import Instant, InstantIn, Shape, Version

_PARTY = "responsible: provider, customer, third or a party's id"


class WorkOrderIn(Shape):
    """A work order as it is opened."""

    kind: Kind
    from_: InstantIn = Field(alias="from")
    to: InstantIn | None = Field(None, description="none while it is not known")
    cause: str = Field(max_length=200, examples=["mechanical"], description="of the machine's reason tree")
    party: str | None = Field(None, max_length=63, description=f"{_PARTY}; default: as the reason tree says")
    text: str = Field("", max_length=4000)


class WorkOrderStepIn(Shape):
    """A step of a work order; what is left out stays as it was."""

    action: Literal["change", "close", "cancel"]
    from_: InstantIn | None = Field(None, alias="from")
    to: InstantIn | None = Field(None, description="`close` without it ends the order now")
    cause: str | None = Field(None, max_length=200)
    party: str | None = Field(None, max_length=63, description=_PARTY)
    text: str = Field("", max_length=4000)
    number: Version | None = Field(None, ge=2, description="the step that you believe to take; default: the next one")


class WorkOrderStep(Shape):
    """What a work order said from a step on, and who took it."""

    number: int
    action: Action
    status: Status
    from_: Instant = Field(alias="from")
    to: Instant | None
    cause: str
    party: str
    cause_party: str = Field(description="party that answers for what the order says of cause, party and time")
    by: str
    by_party: str
    at: Instant
    text: str


class WorkOrderShape(Shape):
    """A work order as it stands, with every step."""

    id: str
    twin: str
    kind: Kind
    status: Status
    from_: Instant = Field(alias="from")
    to: Instant | None
    cause: str
    party: str
    opened_by: str
    opened_at: Instant
    closed_by: str | None
    closed_at: Instant | None
    text: str
    steps: list[WorkOrderStep]
    claims: list[WorkOrderClaim] = Field(description="exclusions for which the order is evidence")


class WorkOrderClaim(Shape):
    """A claim for which a work order is evidence."""

    contract: str
    exclusion: str
    status: str


class WorkOrders(Shape):
    """Work orders of a machine, the newest work first."""

    items: list[WorkOrderShape]
    may_write: bool = Field(description="whether you may open and change them")
    next: str | None = None
