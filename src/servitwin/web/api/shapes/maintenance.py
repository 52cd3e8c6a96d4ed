"""Shapes of maintenance: what is due, plans, recommendations, job sheets, routes, visits counted."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, InstantIn, Shape
from servitwin.web.api.shapes.planning import JobShape


class DueShape(Shape):
    """A task as it stands."""

    id: str
    twin: str
    component: str
    title: str
    owner: str
    site: str
    earliest: Instant | None
    due: Instant | None
    latest: Instant | None
    why: str = Field(description="why it is due then")
    overdue: bool
    unknown: FaultShape | None = Field(description="why it is not known when it is due")
    skills: list[str]
    parts: list[dict[str, Any]]
    duration_hours: float
    stops_machine: bool
    age_h: float | None
    best_age_h: float | None = Field(description="age that costs least; null: run to failure, or no life is known")
    advice: str
    remaining_h: float | None = Field(description="predicted remaining life, lower end, operating hours")


class SparePartShape(Shape):
    """A spare part with what is to be done about it."""

    id: str
    name: str
    stock: int
    ordered: int
    lead_time_days: float | None
    reorder_point: int
    order_quantity: int
    available: int
    order: int = Field(description="pieces to order now")
    cost: str
    currency: str
    why: str


class DueTasks(Shape):
    """What is due, the most urgent first, and the parts."""

    party: str
    items: list[DueShape]
    parts: list[SparePartShape]


class PlanIn(Shape):
    """Ask for a plan."""

    party: str = Field("", max_length=100)
    days: int = Field(35, ge=1, le=120)
    budget_s: float = Field(20.0, gt=0, le=600)
    seed: int = Field(1, ge=0, le=2**31 - 1)


class ChoiceShape(Shape):
    """A begin and what it costs."""

    from_: Instant = Field(alias="from")
    lost: float = Field(description="lost production")
    risk: float = Field(description="risk of waiting; below zero while waiting pays")
    labour: float
    cost: float


class PlacedShape(Shape):
    """A task with its place."""

    task: str
    title: str
    twin: str
    technician: str
    from_: Instant = Field(alias="from")
    to: Instant
    chosen: ChoiceShape
    at_once: ChoiceShape
    at_last: ChoiceShape
    cheapest: ChoiceShape
    why: list[str]


class PlacedVisitShape(Shape):
    """Tasks that share a stay of a technician at a site."""

    technician: str
    site: str
    shift: Instant
    tasks: list[str]
    cost: float


class LeftOutShape(Shape):
    """What has no place, and why."""

    id: str
    title: str
    code: str
    why: str


class StretchOut(Shape):
    """A stretch of time."""

    from_: Instant = Field(alias="from")
    to: Instant


class TakenShape(StretchOut):
    """A stretch that an order takes."""

    order: str


class OccupiedShape(Shape):
    """When a machine is planned to work, and what takes it."""

    machine: str
    busy_cost_per_hour: str
    working: list[StretchOut]
    taken: list[TakenShape]


class MaintenancePlan(Shape):
    """The newest plan."""

    job: JobShape | None
    currency: str
    cost: float | None
    at_once: float | None = Field(description="of doing each task by itself as soon as it can be")
    placed: list[PlacedShape]
    visits: list[PlacedVisitShape]
    left_out: list[LeftOutShape]
    machines: list[OccupiedShape]


class RecommendationStepShape(Shape):
    """A step of a recommendation."""

    action: str
    by: str
    by_party: str
    at: Instant
    from_: Instant | None = Field(alias="from")
    to: Instant | None
    text: str
    work_order: str
    found: str | None


class RecommendationShape(Shape):
    """A recommendation, where it stands, and what the caller may do."""

    id: str
    twin: str
    component: str
    task: str
    title: str
    provider: str
    customer: str
    service: str
    version: str
    basis: str = Field(description="address of the data that it was made from")
    rule: str
    status: str
    waiting_for: str
    from_: Instant = Field(alias="from")
    to: Instant
    latest: Instant
    technician: str
    currency: str
    cost: str
    cost_at_once: str
    cost_at_last: str
    why: list[str]
    work_order: str
    steps: list[RecommendationStepShape]
    may: list[str]


class Recommendations(Shape):
    """Recommendations, the newest first, and how they ended."""

    items: list[RecommendationShape]
    followed: dict[str, Any]


class Proposals(Shape):
    """What a plan brought."""

    made: list[str]
    open_already: list[str]


class AnswerIn(Shape):
    """A step to take."""

    action: Literal["accept", "refuse", "counter", "schedule", "judge", "withdraw"]
    from_: InstantIn | None = Field(None, alias="from", description="window that is proposed or fixed")
    to: InstantIn | None = None
    text: str = Field("", max_length=2000)
    found: Literal["near_failure", "worn", "good", "failed_before"] | None = None


class JobSheetShape(Shape):
    """What a technician has in hand for a work order."""

    order: str
    twin: str
    component: str
    title: str
    technician: str
    task: str
    recommendation: str
    from_: Instant | None = Field(alias="from")
    to: Instant | None
    site: str
    procedure: list[dict[str, Any]]
    planned_parts: list[dict[str, Any]]
    documents: list[str]
    used: list[dict[str, Any]]
    case: str
    proof: str
    note: str
    closed_at: Instant | None
    closed_by: str


class JobSheets(Shape):
    """Job sheets by their time."""

    items: list[JobSheetShape]
    technicians: list[str] = Field(description="ids of technicians whose account is the caller's")


class TickIn(Shape):
    """A step of the procedure that is done."""

    step: int = Field(ge=1, le=1000)
    note: str = Field("", max_length=1000)


class UseIn(Shape):
    """Pieces taken from the shelf."""

    part: str = Field(max_length=100)
    quantity: int = Field(ge=1, le=10_000)


class JobCloseIn(Shape):
    """The end of a job."""

    case: str = Field("", max_length=100, description="case of the machine that the work mends")
    proof: str = Field("", max_length=200, description="address of the proof of repair")
    note: str = Field("", max_length=2000)


class PartTakenShape(Shape):
    """The sheet after pieces were taken, and what to order."""

    sheet: JobSheetShape
    order: int
    why: str


class StopShape(Shape):
    """A visit in a route."""

    visit: str
    title: str
    lat: float
    lon: float
    site: str
    arrive: Instant
    from_: Instant = Field(alias="from")
    to: Instant
    drive_m: int
    drive_s: int
    priority: int


class RouteShape(Shape):
    """One technician's day."""

    technician: str
    name: str
    lat: float
    lon: float
    leave: Instant
    back: Instant
    home_m: int
    home_s: int
    cost: str
    stops: list[StopShape]


class Routes(Shape):
    """The newest routes."""

    job: JobShape | None
    currency: str
    cost: str | None
    routes: list[RouteShape]
    left_out: list[LeftOutShape]


class VisitCountShape(Shape):
    """Visits of one contract's machines."""

    contract: str
    customer: str
    provider: str
    machines: list[str]
    planned: int
    ad_hoc: int
    days: float
    baseline: str | None = Field(description="ad hoc visits a year before the service")
    avoided: str | None
    saved: str | None
    currency: str | None
    agreed: bool = Field(description="both parties signed the baseline: only then it counts")


class VisitCounts(Shape):
    """Visits by contract."""

    from_: Instant = Field(alias="from")
    to: Instant
    items: list[VisitCountShape]
