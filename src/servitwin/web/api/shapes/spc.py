"""Shapes of control charts, capability and yield."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Provenance, Shape


class ToleranceShape(Shape):
    """Limits of a characteristic; null: there is none."""

    lower: float | None
    upper: float | None
    nominal: float | None


class CharacteristicShape(Shape):
    """Something that was measured of a product."""

    product: str
    name: str
    unit: str
    tolerance: ToleranceShape
    values: int = Field(description="counted in the last 500 parts of the range")
    last: Instant


class CharacteristicList(Shape):
    """What was measured in a range."""

    items: list[CharacteristicShape]


class LineShape(Shape):
    """Centre line with its limits."""

    centre: float
    lower: float | None
    upper: float | None


class RuleShape(Shape):
    """A control rule."""

    name: str = Field(examples=["nelson-2"])
    says: str = Field(examples=["nine points in a row on one side of the centre"])
    length: int


class SpcPoint(Shape):
    """A subgroup of a chart."""

    start: Instant
    end: Instant
    parts: list[str]
    value: float
    sigmas: float | None = Field(description="from the centre; null: infinitely far")
    rules: list[str] = Field(description="rules that this point breaks, with the points before it")
    spread: float
    spread_rules: list[str]


class EstimateShape(Shape):
    """An index with its confidence interval."""

    value: float
    low: float | None
    high: float | None


class CapabilityShape(Shape):
    """Capability; an index that needs a missing limit is null."""

    count: int
    mean: float
    sigma_within: float
    sigma_overall: float
    cp: EstimateShape | None
    cpk: EstimateShape | None
    pp: EstimateShape | None
    ppk: EstimateShape | None
    cm: EstimateShape | None = Field(description="(USL - LSL) / 6s")
    outside: float = Field(description="share of values outside the tolerance")
    expected_outside: float = Field(description="share by the normal distribution")
    normality: float | None = Field(description="p-value of the Anderson-Darling test; null below eight values")
    warnings: list[FaultShape]


class SpcChart(Shape):
    """A control chart of one characteristic with its capability."""

    product: str
    characteristic: str
    unit: str
    kind: Literal["xbar-r", "xbar-s", "individuals"]
    size: int
    groups: int = Field(description="subgroups that the limits rest on")
    measured: int = Field(description="parts measured")
    tolerance: ToleranceShape
    location: LineShape
    spread: LineShape
    points: list[SpcPoint]
    rules: list[RuleShape]
    capability: CapabilityShape | None
    warnings: list[FaultShape]
    provenance: Provenance


class YieldShape(Shape):
    """First pass yield of a step; value null: nothing entered."""

    step: str
    good: int
    entered: int
    value: float | None
    low: float | None
    high: float | None


class SharePoint(Shape):
    """A point of the p chart: failed of entered in a window, with limits for its size."""

    start: Instant
    failed: int
    entered: int
    value: float
    line: LineShape
    rules: list[str]


class YieldAnswer(Shape):
    """First pass yield by machine, rolled over all, failed parts over time, and why they failed."""

    steps: list[YieldShape]
    rolled: float | None
    points: list[SharePoint]
    reasons: dict[str, int]
    rules: list[RuleShape]
    warnings: list[FaultShape]
    provenance: Provenance
