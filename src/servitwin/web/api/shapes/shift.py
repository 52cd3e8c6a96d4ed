"""Shapes of work that the shift moves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, Shape
from servitwin.web.api.shapes.schedule import PartyIn

HOW = "`first`: before what is next at the machine; `later`: behind the one that follows it"


class AgainstShape(Shape):
    """Why a move needs a planner."""

    code: str = Field(description="`shift:order-late` or `shift:other-machine-moves`")
    message: str
    where: str = Field(description="the order, or the machine")


class ShiftMoveShape(Shape):
    """What a move changes in the published plan."""

    machine: str
    ahead: str = Field(description="ORDER/OPERATION that goes first")
    behind: str = Field(description="ORDER/OPERATION that waits for it")
    start: Instant = Field(description="when what goes first begins")
    lines: list[str] = Field(description="what happens, in sentences")
    allowed: bool = Field(description="the shift may do it; else whoever plans is asked")
    against: list[AgainstShape]
    revision: int = Field(description="of the published plan that was looked at; a move names it")


class ShiftMoveIn(Shape):
    """A move, as it was looked at."""

    machine: str = Field(max_length=100)
    order: str = Field(max_length=200)
    operation: str = Field(max_length=200)
    how: Literal["first", "later"] = Field(description=HOW)
    reason: str = Field("", max_length=100, description="why what waits has to wait; a word of `reasons` of the tasks")
    text: str = Field("", max_length=500, description="own words, beside a reason or instead of one")
    revision: int = Field(ge=1, le=2**31 - 1, description="of the published plan that was looked at")
    ask: bool = Field(False, description="keep it as a proposal for whoever plans, instead of doing it")
    party: PartyIn = ""


class ShiftMoved(Shape):
    """What was done."""

    plan: str = Field(description="`published` where it holds now, else the id of the proposal")
    move: ShiftMoveShape
