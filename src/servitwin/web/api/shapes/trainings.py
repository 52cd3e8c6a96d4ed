"""Shapes that trainings of all kinds of models share."""

from __future__ import annotations

from pydantic import Field

from servitwin.web.api.shapes.base import Shape


class CostsIn(Shape):
    """Costs of a planned replacement and of a failure: both with their currency, or none."""

    preventive_cost: str = Field("", max_length=30, description="decimal; both costs and the currency, or none")
    failure_cost: str = Field("", max_length=30)
    currency: str = Field("", max_length=3, examples=["EUR"])


class TeacherShape(Shape):
    """Whether a machine may teach, and why."""

    twin: str
    owner: str
    permitted: bool
    why: str


class DriftShape(Shape):
    """Whether machines are still those learnt from, and what the model says still holds."""

    index: float | None = Field(description="population stability index of the signal that moved most")
    signal: str
    evidence: float = Field(description="by how much ended lives, or failures, speak against the model; 1: not at all")
    lives: int
    retrain: bool
    text: str
