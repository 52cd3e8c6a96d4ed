"""Shapes of a machine's acceptance."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape

Result = Literal["passed", "failed", "open"]


class CriterionShape(Shape):
    """A criterion that both parties signed, and its result."""

    step: Literal["site_readiness", "commissioning", "factory_test", "site_test", "training"]
    name: str
    measured: bool = Field(description="the twin measures it; else people say so")
    result: Result
    evidence: str
    value: str | None = Field(description="decimal text, in the unit of the signal or in percent")
    from_: Instant | None = Field(alias="from", description="start of what was measured")
    to: Instant | None


class AcceptanceIn(Shape):
    """A party's word on a machine's acceptance."""

    twin: str
    answer: Literal["accepted", "refused"]
    criteria: list[tuple[str, Result, str]] = Field(
        [], max_length=200, description="criterion that people judge, result, what it rests on or what is left to do"
    )
    until: InstantIn | None = Field(
        None, description="end of the test run; default: of the run that the other party accepted, else now"
    )
    text: str = Field("", max_length=4000)


class AcceptanceShape(Shape):
    """Where the acceptance of a machine stands."""

    twin: str
    accepted_at: Instant | None
    accepted_by: int | None = Field(description="version of the contract by whose criteria it was accepted")
    other_criteria: bool = Field(description="the version that holds now has other criteria; it stays accepted")
    warranty_until: Instant | None = Field(description="end of the agreed warranty; null: none is agreed, or not begun")
    steps: list[dict[str, Any]]
