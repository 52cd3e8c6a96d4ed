"""Shapes of requirements: what a machine must do, checked as it is written and tried out over history."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape
from servitwin.web.api.shapes.case import Margin, Severity, Verdict

Formula = str


class RepairRuleShape(Shape):
    """When a repair of it counts as proven."""

    when: str = Field("", max_length=10_000, description="formula of the condition; empty: the left of `->`")
    times: int = Field(3, ge=1, le=1000)
    lasting_s: float = Field(0.0, ge=0, le=31_622_400)


class RequirementShape(Shape):
    """A requirement of a machine, with its verdict now as far as that is certain."""

    name: str = Field(examples=["brake.holds-the-load"])
    component: str
    text: str
    formula: str
    words: str
    severity: Severity
    signals: list[str]
    source: Literal["type", "twin"]
    horizon_s: float = Field(description="after this time at the latest a verdict is certain")
    digest: str
    verdict: Verdict | None = Field(description="the last one that is certain; null: nothing is known yet")
    since: Instant | None
    violations_30d: int
    case: str | None = Field(description="id of its open case")
    repair: RepairRuleShape


class RequirementsAnswer(Shape):
    """All requirements of a machine."""

    twin: str
    items: list[RequirementShape]


class RequirementIn(Shape):
    """A requirement to add to one machine."""

    text: str = Field(min_length=1, max_length=2000)
    formula: str = Field(min_length=1, max_length=10_000)
    severity: Severity = "medium"
    repair: RepairRuleShape = RepairRuleShape(when="", times=3, lasting_s=0.0)


class FormulaIn(Shape):
    """A formula to check."""

    formula: str = Field(max_length=10_000)
    component: str = Field("", description="component it belongs to, whose signals can be named without it")


class FormulaFault(Shape):
    """What is wrong with characters [from, to) of a formula."""

    code: str
    message: str
    hint: str
    from_: int = Field(alias="from")
    to: int


class FormulaAnswer(Shape):
    """What a formula says, or all that is wrong with it."""

    words: str
    signals: list[str]
    horizon_s: float
    faults: list[FormulaFault]


class TryIn(FormulaIn):
    """A formula to try over history."""

    from_: InstantIn = Field(alias="from")
    to: InstantIn


class PieceShape(Shape):
    """A stretch with one verdict and the bounds of its margin."""

    from_: Instant = Field(alias="from")
    to: Instant
    verdict: Verdict
    least: Margin
    most: Margin


class TryAnswer(Shape):
    """How a formula would have done."""

    from_: Instant = Field(alias="from")
    to: Instant
    violations: list[PieceShape] = Field(description="the first 1 000")
    count: int
    triggered: int | None = Field(description="how often the left of `->` became true; null: it has none")
    seconds: dict[str, float]


class VerdictsAnswer(Shape):
    """Verdicts of a requirement over a stretch, without overlap or hole."""

    twin: str
    requirement: str
    digest: str
    logic: str
    from_: Instant = Field(alias="from")
    to: Instant
    pieces: list[PieceShape]
    cut: dict[str, int]
