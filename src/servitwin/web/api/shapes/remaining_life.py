"""Shapes of remaining life."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Shape
from servitwin.web.api.shapes.trainings import CostsIn, DriftShape, TeacherShape

Urgency = Literal["now", "soon", "sound", "unknown"]


class LifeReasonShape(Shape):
    """What one signal does to a prediction."""

    signal: str
    effect: float = Field(description="units of life that it adds, or takes if negative")
    deviation: float | None = Field(description="standard deviations from usual in its regime")
    trend: float | None
    text: str


class LifePointShape(Shape):
    """An earlier prediction of the same life."""

    at: Instant
    expected: float | None
    low: float | None
    high: float | None


class LearntLifeShape(Shape):
    """What a learnt model says."""

    known: bool = Field(description="false: it does not know; `doubts` say why and there are no numbers")
    unit: str = Field(description="what a unit of life is", examples=["min"])
    row_s: float = Field(description="seconds in use that a unit stands for")
    age: int = Field(description="units of this life that were seen")
    expected: float | None
    low: float | None
    high: float | None
    confidence: float
    at_least: bool = Field(description="no sign of its end: `low` or more is left")
    since: Instant = Field(description="when this life began")
    warn: float | None = Field(description="an event is sent when `low` falls to it")
    model: str = Field(description="address of the artefact; empty: none")
    reasons: list[LifeReasonShape]
    doubts: list[FaultShape]
    course: list[LifePointShape]


class SpectrumShape(Shape):
    """What the loads have used up of the design life (ISO 12482, secondary)."""

    used: float = Field(description="share of the design life")
    remaining: float
    recorded: float = Field(description="part of `used` that was recorded")
    assumed: float = Field(description="part of `used` that stands for the time before recording")
    days: float | None = Field(description="calendar days until nothing remains, at the present use")
    days_low: float | None
    days_high: float | None
    running_h: float
    factor: float | None = Field(description="spectrum factor: mean cube of the share of the rated load while it ran")
    heaviest: float = Field(description="largest share of the rated load")
    over: int = Field(description="starts with more than the rated load")
    unknown_h: float = Field(description="hours in which load or motion was not known")


class ChanceShape(Shape):
    """Chance of a failure within the coming days, from events and daily means."""

    chance: float | None = Field(description="null: not known, `doubts` say why")
    threshold: float | None = Field(description="from which acting costs less than waiting")
    horizon_days: int | None
    reasons: list[str]
    model: str
    doubts: list[FaultShape]


class WearShape(Shape):
    """Class of wear of a tool, from tools that somebody looked at; not one class alone: it is not known."""

    possible: list[Literal["worn", "unworn"]] = Field(description="classes that the confidence leaves")
    chances: dict[str, float] = Field(description="p-value of each class")
    text: str
    confidence: float
    tools: int = Field(description="tools known, each judged by all others")
    held: int = Field(description="of them, how many had their true class among the possible ones")
    sure: int = Field(description="for how many one class alone was named")
    right: int = Field(description="for how many of those the true one")
    doubts: list[FaultShape]


class WorthShape(Shape):
    """What acting on the words costs beside its alternatives, on machines that the model had not seen."""

    currency: str = Field(description="ISO 4217; empty: amounts are in planned replacements, as no costs were given")
    per: str = Field(description="unit of life, or `machine-day`", examples=["min"])
    acting: str = Field(description="decimal: cost per `per` when the words are acted on")
    acting_low: str = Field(description="90 % interval, by other machines of the same kind (bootstrap)")
    acting_high: str
    by_age: str = Field(description="of replacing at the best age")
    waiting: str = Field(description="of waiting for the failure")
    saved_low: str = Field(description="90 % interval of what acting saves against the better of the other two")
    saved_high: str
    judged: int = Field(description="failures it was judged by")
    missed: int = Field(description="of them that came although the words were acted on")
    right: float | None = Field(description="share of alarms that a failure followed; null: there were none")


class ComponentLifeShape(Shape):
    """What is left of one component; `learnt`, `spectrum`, `failure` or `wear` is given once something was said."""

    twin: str
    component: str
    method: Literal["learnt", "spectrum", "chance", "wear"]
    urgency: Urgency
    at: Instant | None
    what_to_do: str
    learnt: LearntLifeShape | None
    spectrum: SpectrumShape | None
    failure: ChanceShape | None
    wear: WearShape | None
    worth: WorthShape | None


class RemainingLifeList(Shape):
    """Components that are followed, the most urgent first."""

    items: list[ComponentLifeShape]


class LifeTeacherShape(TeacherShape):
    """Whether a machine may teach, and how many of its lives ended."""

    lives: int


class LifeModelShape(Shape):
    """A component of a machine type with the model in use, if there is one."""

    machine_type: str
    component: str
    artefact: str
    summary: dict[str, Any] | None = Field(description="learnt from what, how good, and against what")
    drift: DriftShape | None
    teachers: list[LifeTeacherShape]
    worth: WorthShape | None


class LifeModels(Shape):
    """Models in use, and components that have none yet."""

    party: str
    items: list[LifeModelShape]


class LifeTrainingIn(CostsIn):
    """Train a model from all lives that may teach."""

    machine_type: str = Field(max_length=100)
    component: str = Field(max_length=100)
    party: str = Field("", max_length=100)
    life_unit: str = Field("", max_length=20)
    cap: float | None = Field(None, gt=0, le=1e9)
