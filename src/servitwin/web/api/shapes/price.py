"""Shapes of prices and forecasts of a guarantee: fitted laws, levers, what giving it costs."""

from __future__ import annotations

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, Shape
from servitwin.web.api.shapes.contract import Decimal


class LawShape(Shape):
    """A fitted law, in hours, with the data that it rests on."""

    family: str
    mean_h: float
    scale_h: float
    shape: float
    failures: int
    censored: int
    hours: float
    note: str


class LeverShape(Shape):
    """What would help, and how much."""

    name: str
    missed: float
    expected_credit: Decimal


class MachineForecastShape(Shape):
    """Where a machine will end, simulated."""

    twin: str
    value: dict[str, float] = Field(description="final availability (0 to 1) by probability")
    missed: float = Field(description="probability that the level is missed")
    expected_credit: Decimal
    best: float
    worst: float
    levers: list[LeverShape]


class ForecastShape(Shape):
    """A forecast of a period."""

    contract: str
    period: str
    known_at: Instant
    currency: str
    level: Decimal
    machines: list[MachineForecastShape]
    up: LawShape | None
    down: LawShape | None
    paths: int
    seed: int


class PriceShape(Shape):
    """What a guarantee costs to give; money for all machines and one settlement period."""

    contract: str
    currency: str
    period_fee: Decimal
    expected_credit: Decimal
    expected_share: float
    standard_error: float
    missed: float
    premium: Decimal
    premium_share: float
    confidence: float
    process_sd: float
    parameter_sd: float
    mean_availability: float
    availability: dict[str, float]
    credit: dict[str, float]
    up: LawShape
    down: LawShape
    years: int
    seed: int
    from_: Instant = Field(alias="from")
    to: Instant
    machines: list[str]
    notes: list[str]


class CalibrationShape(Shape):
    """How often premiums covered what came due, over simulated portfolios."""

    promised: float
    achieved: float
    low: float
    high: float
    portfolios: int
    machines: int
    fleet_hours: float
