"""Shapes of robots, their fleets, transport tasks and closed zones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape

_PLACE = Field(max_length=200, description="name of a station, or id of a place of the map")


class RobotErrorShape(Shape):
    """An error that a robot reports."""

    type: str
    level: Literal["WARNING", "URGENT", "CRITICAL", "FATAL"]
    description: str = ""
    references: dict[str, str] = Field(default_factory=dict)


class RobotShape(Shape):
    """A robot as its master knows it."""

    robot: str = Field(description="id of its twin")
    title: str
    fleet: str
    manufacturer: str
    serial: str
    version: str = Field(description="of VDA 5050", examples=["3.0.0"])
    condition: str = Field(
        description="ready, person, paused, cancelling, untrusted, failed, manual, lost, hibernating or unseen"
    )
    activity: str = Field(description="what it does, in words")
    x: float | None = Field(description="m")
    y: float | None = Field(description="m")
    theta: float | None = Field(description="rad")
    battery: float | None = Field(description="%")
    charging: bool
    driving: bool
    speed: float | None = Field(description="m/s now, as it reports")
    speed_max: float | None = Field(description="m/s that it can drive, by its factsheet")
    pace: float = Field(description="m/s with which it is planned: measured over its ways, turns and starts included")
    arrives: Instant | None = Field(description="when it will probably be where it has something to do next")
    loads: int | None
    place: str = Field(description="last place it has passed")
    held: list[str] = Field(description="places that are its own now: where it is, and as far as it may drive")
    plan: list[str] = Field(description="places that will probably follow")
    task: str
    waits: str = Field(description="why it does not get on; empty if it does")
    doubt: str = Field(description="why its positions are not believed; empty if they are")
    errors: list[RobotErrorShape]
    heard_s: float | None = Field(description="seconds since it was heard")


class TaskShape(Shape):
    """A transport task."""

    id: str
    from_: str = Field(alias="from")
    to: str
    priority: int
    load: str
    due: Instant | None
    created: Instant
    state: Literal["waiting", "assigned", "loaded", "done", "failed", "cancelled"]
    robot: str
    reason: str
    ended: Instant | None
    expected: Instant | None = Field(description="when it will probably be done, by lengths of ways and measured paces")
    order: str = Field(description="of the production plan that it serves; empty: it was asked for by itself")
    operation: str = Field(description="of that order, which waits for it or has made it")
    not_before: Instant | None = Field(description="from when on it can be fetched, by the plan")
    planned: bool = Field(description="that time has not come yet")


class TaskIn(Shape):
    """A load to be carried. The same ``id`` with the same content counts once."""

    id: str = Field(min_length=1, max_length=100)
    from_: str = Field(alias="from", max_length=200, description="station or place where it is picked up")
    to: str = _PLACE
    priority: int = Field(0, ge=-100, le=100, description="a higher one goes first")
    load: str = Field("", max_length=200)
    due: InstantIn | None = None


class CancelIn(Shape):
    """Why a task is given up."""

    reason: str = Field("", max_length=400)


class ZoneShape(Shape):
    """Places that are closed."""

    id: str
    places: list[str]
    kind: Literal["blocked", "person"]
    reason: str
    since: Instant


class ZoneIn(Shape):
    """Places to close: a blocked aisle, or somebody is in there and every robot in it stops."""

    id: str = Field(min_length=1, max_length=60)
    places: list[str] = Field(max_length=5000)
    kind: Literal["blocked", "person"] = "blocked"
    reason: str = Field("", max_length=400)


class FleetEventShape(Shape):
    """What happened, why, and what was done about it."""

    number: int
    at: Instant
    kind: str
    text: str
    weight: Literal["info", "warning", "alarm"]
    robot: str
    place: str


class ConflictShape(Shape):
    """What the independent checker found in what was really driven."""

    kind: str
    robots: list[str]
    at: Instant
    where: str
    detail: str


class FleetSummary(Shape):
    """A fleet of robots."""

    id: str
    title: str
    may_command: bool = Field(description="whether you may give tasks and close zones")


class Fleets(Shape):
    """Fleets that the caller may read."""

    items: list[FleetSummary]


class FleetShape(FleetSummary):
    """A fleet now."""

    robots: list[RobotShape]
    tasks: list[TaskShape] = Field(
        description="open ones, the most urgent first, then the next ones of the plan, then those that are over"
    )
    planned: int = Field(description="transports of the production plan whose time has not come yet")
    zones: list[ZoneShape]
    events: list[FleetEventShape] = Field(description="the newest first")
    conflicts: list[ConflictShape]
    checked: int = Field(description="reports of robots that the checker has looked at")
    planning_ms: float = Field(description="time of the last planning step")


class Robots(Shape):
    """Robots of all fleets that the caller may read."""

    items: list[RobotShape]


class MapPlace(Shape):
    """A place of the map."""

    id: str
    x: float = Field(description="m")
    y: float = Field(description="m")


class FleetMap(Shape):
    """The map on which a fleet drives."""

    id: str
    places: list[MapPlace]
    ways: list[list[str]] = Field(description="pairs of places: from, to")
    stations: dict[str, str]
    chargers: list[str]
    parking: list[str]
    unreachable: list[str] = Field(description="places that cannot be reached from the others and back")
