"""Shapes of traced parts: their lives, recalls, and what was measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Provenance, Shape

VerdictShape = Literal["", "pass", "fail"]
ObjectKindShape = Literal["part", "batch", "tool", "container"]


class PartSummary(Shape):
    """A part, batch, tool or container."""

    id: str = Field(examples=["urn:servitwin:obj:mill-1-000123"])
    name: str = Field(description="what people read and type", examples=["mill-1-000123"])
    kind: ObjectKindShape
    product: str
    machine: str = Field(description="id of the machine that made it; empty: not told, or none of this node")
    made: Instant | None
    verdict: VerdictShape
    reason: str = Field(description="why it failed")


class UsedShape(Shape):
    """What went into a part."""

    id: str
    name: str
    kind: ObjectKindShape
    quantity: float | None
    unit: str


class MeasureShape(Shape):
    """A measured characteristic with its tolerance; `verdict` is what was said, else what the limits say."""

    name: str
    value: float
    unit: str
    lower: float | None
    upper: float | None
    nominal: float | None
    verdict: VerdictShape


class TraceEventShape(Shape):
    """Something that happened to parts."""

    id: str
    kind: Literal["made", "operation", "assembled", "packed", "unpacked", "measured", "scrapped", "observed"]
    time: Instant
    start: Instant | None
    parts: list[str]
    parent: str
    inputs: list[UsedShape]
    machine: str = Field(description="id of the machine, or address of the place")
    product: str
    program: str
    step: str
    role: str = Field(description="task of who did it, never a person", examples=["operator"])
    settings: dict[str, float | bool | str]
    measures: list[MeasureShape]
    verdict: VerdictShape
    reason: str
    document: str


class LinkShape(Shape):
    """By this event `source` became part of `target`."""

    source: str
    target: str
    event: str


class Genealogy(Shape):
    """Everything about one object: what went into it (`up`), what it went into (`down`), and every event."""

    object: PartSummary
    objects: list[PartSummary] = Field(description="all that `up` and `down` name")
    up: list[LinkShape]
    down: list[LinkShape]
    events: list[TraceEventShape] = Field(description="about the object, oldest first")
    around: list[TraceEventShape] = Field(description="that made what went into it")
    circles: list[LinkShape] = Field(description="links that contradict each other: things would be made of themselves")
    withheld: bool = Field(description="whether links end at what belongs to others")
    cut_off: bool = Field(description="whether there is more than is shown: ask for a recall")
    provenance: Provenance


class RecalledPart(PartSummary):
    """An object of a recall; `steps` from where it began."""

    steps: int


class RecallAnswer(Shape):
    """What a recall found, nearest first."""

    start: list[str]
    direction: Literal["down", "up"]
    count: int = Field(description="objects reached, the start not counted")
    parts: int = Field(description="parts among them")
    failed: int = Field(description="parts among them that failed or were scrapped")
    items: list[RecalledPart] = Field(description="at most `limit`; `form=csv` gives all")
    withheld: bool
    cut_off: bool
    provenance: Provenance


class CaptureAnswer(Shape):
    """How a capture went: all of the document is kept."""

    captured: int = Field(description="events that are new")
    known: int = Field(description="events that were there already")
    withdrawn: int = Field(description="events declared never to have been right")
    not_matched: list[FaultShape] = Field(description="why events are about no delivery that a register has")


EpcisBody = Annotated[dict[str, Any], Field(description="EPCIS 2.0, JSON-LD")]


class EpcisQueryDocument(Shape):
    """Answer of an EPCIS query: events in the standard's own words."""

    context: list[Any] = Field(alias="@context")
    type: Literal["EPCISQueryDocument"]
    schemaVersion: Literal["2.0"]  # noqa: N815 - the standard's name
    creationDate: Instant  # noqa: N815
    epcisBody: EpcisBody  # noqa: N815
