"""Shapes of models of failures within days."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, Shape
from servitwin.web.api.shapes.remaining_life import WorthShape
from servitwin.web.api.shapes.trainings import CostsIn, DriftShape, TeacherShape


class FailureTeacherShape(TeacherShape):
    """Whether a machine may teach, and what it has to teach."""

    days: int = Field(description="whole days of its history that teach")
    since: Instant | None = Field(description="the first of them; null: none")
    failures: dict[str, int] = Field(description="in these days, of each component")


class FailureModelShape(Shape):
    """A machine type with the model in use, if there is one."""

    machine_type: str
    artefact: str
    summary: dict[str, Any] | None = Field(description="learnt from what, how good, and against what")
    drift: DriftShape | None
    teachers: list[FailureTeacherShape]
    failures: dict[str, int] = Field(description="on machines that may teach, of each component")
    needed: int = Field(description="failures of a component that it takes to learn of it")
    worth: dict[str, WorthShape] = Field(description="of acting on alarms, by component")


class FailureModels(Shape):
    """Models in use, and watched types that have none yet."""

    party: str
    items: list[FailureModelShape]


class FailureTrainingIn(CostsIn):
    """Train a model from the history of all machines of a type that may teach."""

    machine_type: str = Field(max_length=100)
    party: str = Field("", max_length=100)
    horizon_days: int | None = Field(
        None, ge=1, le=90, description="default: of the model in use, else two; so are the costs"
    )
