"""Shapes of the minutes of routine that shifts say, and of what changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Provenance, Shape

PartyIn = Annotated[str, Field(max_length=100, description="default: the caller's")]
Minutes = Annotated[
    dict[str, int], Field(description="by kind of routine; of one workplace", examples=[{"what-next": 15}])
]
Day = Annotated[str, Field(max_length=10, description="local day on which the shift began", examples=["2026-03-02"])]


class RoutineKindShape(Shape):
    """A kind of routine that is asked for."""

    id: str
    title: str


class SaidRoutine(Shape):
    """What a shift said; nothing of who said it is kept."""

    place: str
    day: Day
    shift: str
    begins: Instant
    shift_minutes: int = Field(description="without breaks")
    minutes: Minutes
    whole: bool
    period: Literal["", "before", "after"] = Field(description="said; empty: by the day since the assistant is used")
    products: list[str]


class ShiftToSayShape(Shape):
    """A shift that has begun."""

    day: Day
    shift: str
    start: Instant
    end: Instant
    minutes: int = Field(description="without breaks")
    said: SaidRoutine | None = Field(description="null: nothing yet")


class ShiftsToSay(Shape):
    """What a shift is asked, and the last shifts at a place, newest first."""

    place: str
    kinds: list[RoutineKindShape]
    shifts: list[ShiftToSayShape]


class RoutineIn(Shape):
    """What a shift says."""

    place: str = Field(max_length=100, description="id of the machine, workplace or line")
    day: Day
    shift: str = Field(max_length=100, description="name in the calendar")
    minutes: Annotated[dict[str, int], Field(max_length=100, description="each kind that is asked for, 0 for none")]
    whole: bool = Field(True, description="false: the shift was covered in part; it is not compared")
    period: Literal["", "before", "after"] = Field("", description="empty: by the day since the assistant is used")
    products: list[str] = Field([], max_length=50, description="empty: those of the answers to the plan")
    party: PartyIn = ""


class MomentsShape(Shape):
    """Shifts of one side, in minutes."""

    count: int
    mean: float
    deviation: float


class RoutineDifference(Shape):
    """After less before, in minutes a shift."""

    mean: float
    low: float
    high: float
    clear: bool = Field(description="zero lies outside of the interval")


class KindChangeShape(Shape):
    """A kind of routine on both sides."""

    kind: str = Field(description="empty: all together")
    title: str
    asked: bool = Field(description="false: shifts said it, and are not asked for it (any more)")
    before: MomentsShape
    after: MomentsShape
    difference: RoutineDifference | None
    refused: FaultShape | None = Field(description="why there is no difference")


class RoutineMoney(Shape):
    """What a shift spends less on routine, at the stated rate an hour; decimal texts."""

    currency: str
    rate: str
    per_shift: str
    low: str
    high: str


class RoutineComparison(Shape):
    """Minutes of routine before and after the assistant."""

    party: str
    place: str = Field(description="with all below it; empty: everything")
    from_: Instant = Field(alias="from", description="shifts that began from here on")
    to: Instant = Field(description="and before that")
    places: list[str] = Field(description="where shifts of the period said anything")
    since: str = Field(description="empty: nobody has said so")
    note: str
    rule: str
    source: str
    confidence: float
    least: int = Field(description="shifts on each side below which no difference is told")
    total: KindChangeShape
    kinds: list[KindChangeShape]
    money: RoutineMoney | None
    warnings: list[FaultShape] = Field(description="how the two sides differ beside the assistant")
    left_out: list[FaultShape]
    provenance: Provenance
