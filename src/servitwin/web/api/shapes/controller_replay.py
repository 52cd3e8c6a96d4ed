"""Shapes of replays of counterexamples in the simulator."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Shape


class ControllerReplayIn(Shape):
    """Which run to replay: the one that breaks `property` in version `inputs_of`."""

    property: Annotated[str, Field(min_length=1, max_length=200)]
    inputs_of: int | None = Field(None, ge=0, le=2**31 - 1, description="default: the version whose model is run")
    pace: float = Field(2.0, ge=0.2, le=50, allow_inf_nan=False, description="steps each second")


class ControllerReplayShape(Shape):
    """Where a replay stands, and what the recorded signals of the simulated machine say."""

    id: str
    controller: str = Field(examples=["mill-door@1"], description="whose model the simulated machine runs")
    property: str
    inputs_of: int
    check: str = Field(description="id of the check that found the run")
    twin: str = Field(description="id of the simulated machine; it is no machine of anybody's")
    pace: float
    positions: int
    state: Literal["waiting", "running", "done", "failed"]
    at: Instant
    by: str
    began: Instant | None = Field(description="when the first position was shown")
    last: Instant | None = Field(description="when the last position was shown")
    ended: Instant | None
    recorded: int = Field(description="positions that history holds whole")
    broken_at: int | None = Field(description="first recorded position that breaks the property; null: none does")
    same: bool | None = Field(description="all recorded positions are those of the run; null: it is another version's")
    says: str = Field(description="the outcome in one sentence; empty before")
    fault: FaultShape | None


class ControllerReplays(Shape):
    """Replays of a version, newest first."""

    items: list[ControllerReplayShape]
