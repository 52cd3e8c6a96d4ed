"""Shapes of commands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, Shape

Status = Literal["refused", "sent", "acknowledged", "rejected", "timed_out", "effective", "without_effect"]


class CommandIn(Shape):
    """Parameters of a command; the same ``key`` is one command."""

    parameters: dict[Annotated[str, Field(max_length=200)], float | Annotated[str, Field(max_length=4000)] | bool] = (
        Field({}, max_length=100, examples=[{"speed": 1200.0}])
    )
    key: str | None = Field(None, max_length=200, description="idempotency key; the header of that name does the same")


class CommandAnswer(Shape):
    """One command with its whole life."""

    id: str
    twin: str = Field(description="id of the twin")
    name: str
    parameters: dict[str, float | str | bool]
    issuer: Literal["person", "program"]
    issued_by: str
    issued: Instant
    status: Status
    reason: str = Field("", examples=["command:local-control"])
    reason_text: str = ""
    sent: Instant | None
    answered: Instant | None
    effect_seen: Instant | None
    effect_signal: str
    expires: Instant | None
