"""Shapes of services and of what they bring."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from servitwin.web.api.shapes.base import Cut, Instant, InstantIn, Shape


class ServiceShape(Shape):
    """An installed service, as its manifest tells."""

    name: str = Field(examples=["oee"])
    version: str
    kind: str = Field(examples=["evaluator"], description="evaluator, planner or trainer")
    summary: str
    stage: str = Field(examples=["operation"])
    benefits: list[str]
    value: str = Field(description="What the customer gets, in one sentence")
    reads: list[str]
    writes: list[str]
    meters: list[str]
    journey: list[str]


class ServiceList(Shape):
    """All installed services."""

    items: list[ServiceShape]


class AssignmentIn(Shape):
    """Parameters of a service on a twin."""

    parameters: dict[str, Any] = Field(default_factory=dict, examples=[{"signal": "spindle.temperature", "above": 80}])
    since: InstantIn | None = Field(None, description="From when on; default: now")


class AssignmentShape(Shape):
    """A service that runs on a twin."""

    service: str
    twin: str
    parameters: dict[str, Any]
    since: Instant
    failure: str = Field("", description="Why it does not run now; empty if it does")


class AssignmentList(Shape):
    """Services of a twin."""

    items: list[AssignmentShape]


class OutcomeShape(Shape):
    """What a service found in an interval; a higher revision replaces a lower one after data came late."""

    from_: Instant = Field(alias="from")
    to: Instant
    version: str
    parameters: dict[str, Any]
    revision: int
    results: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    usage: dict[str, float]
    cut: Cut


class OutcomeList(Shape):
    """Outcomes of a service on a twin, in order of time."""

    items: list[OutcomeShape]
