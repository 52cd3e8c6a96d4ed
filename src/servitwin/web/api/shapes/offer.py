"""Shapes of offers that nobody has kept yet."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Shape
from servitwin.web.api.shapes.contract import EstimateShape, TrialShape
from servitwin.web.api.shapes.money import Decimal
from servitwin.web.api.shapes.price import PriceShape

_NOTHING = EstimateShape(low="0", likely="0", high="0")


class CostsIn(Shape):
    """What the customer says of itself, a year and for all machines of the offer."""

    cost_per_hour: EstimateShape = Field(description="what an hour down costs it")
    visits: EstimateShape = Field(_NOTHING, description="visits that it pays for today, and that the fee covers")
    cost_per_visit: EstimateShape = _NOTHING


class OfferIn(Shape):
    """An offer as it stands on a form."""

    file: str = Field(max_length=1_000_000, description="contract file: YAML or JSON")
    costs: CostsIn | None = Field(None, description="for the customer's gain")
    from_: str | None = Field(None, alias="from", description="first day of the trial; default: twelve months ago")
    to: str | None = Field(None, description="day after the last; default: today")


class GainShape(Shape):
    """What the offer is worth to the customer in a year, against the twelve months of the trial."""

    down_hours: Decimal = Field(description="unavailable in the trial by the offer's terms, brought to a year")
    allowed_hours: Decimal = Field(description="what the level allows")
    saved_hours: Decimal = Field(description="if the level is kept exactly; none where the machines did better")
    saved: Decimal = Field(description="worth of these hours and of the visits that the fee covers")
    low: Decimal = Field(description="with `high` the range of `saved` in 90 of 100 cases")
    high: Decimal
    fee: Decimal
    credit: Decimal = Field(description="of the trial, brought to a year")
    bonus: Decimal
    if_kept: Decimal = Field(description="saved less fee")
    as_last_year: Decimal = Field(description="down as in the trial: visits and credit, less bonus and fee")
    currency: str


class OfferShape(Shape):
    """An offer evaluated."""

    contract: str
    digest: str = Field(description="of what would be signed")
    terms: dict[str, Any] = Field(description="all terms, with what the file leaves to defaults")
    price: PriceShape | None
    price_problem: FaultShape | None
    trial: TrialShape | None
    trial_problem: FaultShape | None
    gain: GainShape | None = Field(description="null without `costs`, or where nothing was measured")
    overlaps: list[str] = Field(description="guarantees of equal rank for one of its machines in the same time")
