"""Shapes of production plans, their reasons, and the operator's shift."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Instant, InstantIn, Shape
from servitwin.web.api.shapes.planning import JobShape

WHY = "what made it necessary, where the platform proposed it by itself or the shift moved work"
PartyIn = Annotated[str, Field(max_length=100, description="default: the caller's")]


class ScheduleAsk(Shape):
    """What a plan is asked for."""

    budget_s: float = Field(20.0, gt=0, le=600, description="seconds to search")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    freeze_minutes: int = Field(0, ge=0, le=7 * 1440, description="what begins within this time stays")
    horizon_days: int = Field(21, ge=1, le=180)
    afresh: bool = Field(False, description="without regard to the plan that holds, but for what runs")
    party: PartyIn = ""


class WaitShape(Shape):
    """A stretch in which an operation waits, and for what."""

    kind: str = Field(description="busy, setup, blocked, shift, material, crew, release, transport, fixed, planned")
    start: Instant
    end: Instant
    order: str
    operation: str
    words: str


class PlacedOperation(Shape):
    """Where and when an operation is done, and what it waits for before."""

    order: str
    operation: str
    title: str
    product: str
    machine: str
    crew: str
    start: Instant
    end: Instant
    setup_s: float
    started: bool
    family: str
    machines: list[str] = Field(description="all that could do it")
    waits: list[WaitShape]


class PlannedOrder(Shape):
    """An order of a plan."""

    order: str
    title: str
    product: str
    quantity: int
    customer: str
    due: Instant | None
    end: Instant
    late_s: float
    why: str = Field(description="why it is late; empty if it is not")
    hopeless: bool = Field(description="late even if it never waited")


class BlockedShape(Shape):
    """Time in which a machine cannot be used."""

    start: Instant
    end: Instant
    kind: Literal["down", "maintenance", "reserved"]
    why: str
    ref: str


class MachineLane(Shape):
    """A machine's time: when it works and when it is blocked."""

    machine: str
    title: str
    windows: list[tuple[Instant, Instant]] | None = Field(description="shifts; null: around the clock")
    blocked: list[BlockedShape]


class ScheduleFigures(Shape):
    """A plan in figures."""

    value: float
    makespan_s: float
    late_orders: int
    lateness_s: float
    setup_s: float
    moved: int
    moved_machine: int


class ScheduleShape(Shape):
    """A plan with its reasons; every one shown has passed the independent check."""

    id: str
    party: str
    title: str
    note: str
    job: str
    revision: int
    at: Instant
    why: list[str] = Field(description=WHY)
    start: Instant
    end: Instant
    figures: ScheduleFigures
    orders: list[PlannedOrder]
    operations: list[PlacedOperation]
    machines: list[MachineLane]


class ScheduleLine(Shape):
    """A plan that is kept, in a line."""

    id: str
    title: str
    note: str
    revision: int
    at: Instant
    why: list[str] = Field(description=WHY)
    figures: ScheduleFigures


class ScheduleList(Shape):
    """Plans that are kept, and the jobs that made or make plans, newest first."""

    kept: list[ScheduleLine]
    jobs: list[JobShape]


class MovedShape(Shape):
    """An operation that is elsewhere in another plan, and why."""

    order: str
    operation: str
    start_before: Instant
    start: Instant
    later_s: float
    machine_before: str
    machine: str
    why: str


class ScheduleComparison(Shape):
    """Two plans side by side."""

    first: ScheduleLine
    second: ScheduleLine
    moved: list[MovedShape]
    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    kept: int


class MoveIn(Shape):
    """An operation put elsewhere by hand."""

    order: str = Field(max_length=200)
    operation: str = Field(max_length=200)
    machine: str = Field(max_length=100)
    start: InstantIn
    party: PartyIn = ""


class MovedByHand(Shape):
    """The plan changed by hand, and what it displaced."""

    plan: ScheduleShape
    comparison: ScheduleComparison


class PublishIn(Shape):
    """Make a plan the one that holds; `replaces`: only if the published one has this revision (0: there is none)."""

    title: str = Field("", max_length=200)
    replaces: int | None = Field(None, ge=0, le=2**31)
    party: PartyIn = ""


class NextTaskShape(Shape):
    """What to do next at a machine, and why."""

    order: str
    operation: str
    machine: str
    title: str
    product: str
    quantity: int
    start: Instant
    end: Instant
    setup_s: float
    running: bool
    because: list[str]
    missing: list[str]
    others: list[str] = Field(description="other machines that could do it")


class NextTasks(Shape):
    """What runs at a machine, and what comes next."""

    machine: str
    tasks: list[NextTaskShape]
    reasons: list[str] = Field(description="words by which a task may be rejected")


class ShiftAnswerIn(Shape):
    """What an operator says of an operation of the published plan."""

    order: str = Field(max_length=200)
    operation: str = Field(max_length=200)
    answer: Literal["begun", "done", "rejected"]
    reason: str = Field("", max_length=100)
    text: str = Field("", max_length=500)
    party: PartyIn = ""


class LessonShape(Shape):
    """What the plan has learnt of a step on a machine."""

    product: str
    step: str
    machine: str
    factor: float = Field(description="measured by planned time; 1 where nothing was learnt")
    times: int
    cost: int
    rejections: int
    reasons: list[str]


class Lessons(Shape):
    """What the plan has learnt."""

    items: list[LessonShape]


class MaterialNeed(Shape):
    """An amount of a material that an operation needs."""

    material: str
    amount: int
    at: Instant
    machine: str
    order: str
    operation: str
    expected: Instant | None = Field(description="when it is there; null: nothing covers it")
    late_s: float | None = Field(description="later than it is needed; null: nothing covers it")
    supplier: str
    ref: str


class PullShape(Shape):
    """What a supplier is told."""

    material: str
    supplier: str
    amount: int
    containers: int
    by: Instant
    cards: int


class OtifShape(Shape):
    """On time in full."""

    counted: int
    kept: int
    late: int
    short: int
    ratio: float | None


class OtifOfShape(OtifShape):
    """On time in full of a supplier, or towards a customer."""

    party: str


class ExpectedOrderShape(Shape):
    """An order and when it is expected."""

    order: str
    product: str
    quantity: int
    customer: str
    due: Instant | None
    expected: Instant
    late_s: float


class NeedsShape(Shape):
    """What is needed when, where and from whom, late first; what is called off; what reaches customers when; OTIF.

    Towards a supplier or customer everything else of the plan is left out: orders and machines are empty then.
    """

    party: str = Field(description="whose plan it is")
    requirements: list[MaterialNeed]
    pull: list[PullShape]
    orders: list[ExpectedOrderShape]
    otif: OtifShape = Field(description="towards all customers, or towards the one that asks")
    suppliers: list[OtifOfShape] = Field(description="as far as somebody has said what came")
    customers: list[OtifOfShape]


class ConcerningShape(Shape):
    """What the published plans of others need of a party and bring to it."""

    items: list[NeedsShape]


class OccupationShape(Shape):
    """A stretch in which an order takes a machine: what maintenance plans around."""

    machine: str
    start: Instant
    end: Instant
    order: str


class Occupations(Shape):
    """The published plan as stretches of machines, by machine and start; `known_until`: later nothing is planned."""

    items: list[OccupationShape]
    known_until: Instant
