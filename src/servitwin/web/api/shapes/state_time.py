"""Shapes of the time of state: intervals, availability, OEE."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Cut, Instant, Provenance, Shape


class SaidShape(Shape):
    """What people said of a stop: a reason under `/twins/{id}/reasons`."""

    id: str
    cause: str
    party: str = Field(description="responsible party as that person sees it; empty: not said")


class IntervalShape(Shape):
    """A stretch [from, to) of one state; `cause` and `party` by the machine's own word, `said` by people's."""

    from_: Instant = Field(alias="from")
    to: Instant
    state: str = Field(examples=["producing"])
    cause: str
    party: str
    word: str
    reason: str
    said: SaidShape | None


class StatesAnswer(Shape):
    """State intervals that cover [from, to) without gap or overlap, and the seconds of each state."""

    twin: str
    from_: Instant = Field(alias="from")
    to: Instant
    intervals: list[IntervalShape]
    totals: dict[str, float] = Field(description="seconds per state", examples=[{"producing": 3204.5}])
    children: dict[str, dict[str, float]] = Field(description="of a group: seconds per state of each machine")
    note: str = Field(description="how the state of a group was found")
    next: str | None = None
    cut: Cut
    provenance: Provenance


class DailyStates(Shape):
    """Seconds per state and UTC day of a fleet; lists run parallel to ``days``."""

    days: list[str] = Field(examples=[["2026-09-21"]])
    twins: dict[str, list[dict[str, float]]]
    cut: Cut
    provenance: Provenance


FormulaName = Literal["iso22400@1", "en15341-m10@1", "en15341-m12@1", "en15341-pha8@1", "vdi3423@1"]


class AvailabilityAnswer(Shape):
    """Availability by a named formula; ``value`` is null with a ``reason`` where it is undefined."""

    twin: str
    from_: Instant = Field(alias="from")
    to: Instant
    value: float | None = Field(examples=[0.9667])
    formula: str = Field(examples=["en15341-m10@1"])
    numerator_s: float
    denominator_s: float
    unknown_s: float
    terms: dict[str, Any] = Field(description="seconds of each term of the formula")
    reason: str = ""
    assumed: list[str] = Field(description="what stood in for what was not known, in sentences")
    cut: Cut
    provenance: Provenance


class LossShape(Shape):
    """A loss in the waterfall from planned time to good output."""

    name: str = Field(examples=["setup"])
    kind: str = Field(description="of what: availability, performance or quality")
    seconds: float
    share: float | None = Field(description="of the planned busy time, 0-1")
    state: str | None = None


class OeeFigures(Shape):
    """OEE after ISO 22400-2 with its losses; called utilisation where planned time or cycle is missing."""

    oee: float | None = Field(examples=[0.65625])
    availability: float | None
    performance: float | None
    quality: float | None
    nee: float | None = Field(description="variant: set-up counts as no loss")
    teep: float | None = Field(description="variant: related to calendar time")
    called: Literal["OEE", "utilisation"]
    losses: list[LossShape]
    assumed: list[str]
    flags: list[str]
    reason: str
    terms: dict[str, Any] = Field(description="what the figures are made of: seconds and parts")


class DefinitionShape(Shape):
    """One definition of available, and its figure over the time in which the machine's word is known."""

    name: str
    title: str
    bad: list[str] = Field(description="words that do not count as available")
    good: list[str] = Field(description="words that alone count as available; empty: all but `bad`")
    value: float | None
    numerator_s: float
    denominator_s: float
    value_without_gaps: float | None = Field(description="the same without the gaps that the recording declares")
    denominator_without_gaps_s: float


class DefinitionsAnswer(Shape):
    """One recording under several definitions: an exercise, no contract."""

    twin: str
    label: str
    signal: str
    from_: Instant = Field(alias="from")
    to: Instant
    definitions: list[DefinitionShape]
    unknown_s: float
    declared_gaps_s: float
    words: dict[str, float]
    cut: Cut
    provenance: Provenance


class OeeAnswer(OeeFigures):
    """OEE of a twin over [from, to)."""

    twin: str
    from_: Instant = Field(alias="from")
    to: Instant
    groups: list[dict[str, Any]] | None = Field(description="the same figures by shift or product, or losses by cause")
    children: dict[str, OeeFigures] = Field(description="of a group: figures of each part that counts")
    cut: Cut
    provenance: Provenance
