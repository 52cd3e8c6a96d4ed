"""What a company knows of its production, as registers keep it: orders, routings, materials, crews, workplaces.

Times are written RFC 3339, durations in minutes or seconds as the name of the field says; :mod:`assemble` makes a
problem of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.register import RegisterKind
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.delivery_word import LONGEST_REF, MOST_PIECES, is_reference
from servitwin.domain.schedule.problem import Placement, ScheduleProblem

MOST_TRANSIT_H = 8784
"""Hours of the longest year: no way from a supplier takes longer."""

MOST_MINUTES = 60 * MOST_TRANSIT_H
"""Of a set-up, or of a way between machines."""


class ProductionOrder(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """So many of a product for somebody.

    Attributes:
        due: promised; ``deadline``: hard; ``release``: not before. Empty: none.
        weight: what lateness counts against that of others.
        state: an order that is ``done`` or ``cancelled`` is planned no more.
        delivered, delivered_quantity: when and how many good ones reached the customer (for OTIF).
    """

    product: str
    quantity: int
    due: str = ""
    release: str = ""
    deadline: str = ""
    weight: int = 1
    customer: str = ""
    title: str = ""
    state: Literal["open", "done", "cancelled"] = "open"
    delivered: str = ""
    delivered_quantity: int = 0


class Way(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A machine for a step: seconds per piece and fixed seconds per lot; ``skill`` that somebody present must have."""

    machine: str
    per_piece_s: float
    fixed_s: float = 0.0
    skill: str = ""


class PieceNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Material used up per piece."""

    material: str
    per_piece: int


class RoutingStep(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A step of a routing; ``after`` empty list: it waits for nothing, None: for the step before it."""

    id: str
    ways: tuple[Way, ...]
    title: str = ""
    after: tuple[str, ...] | None = None
    family: str = ""
    needs: tuple[PieceNeed, ...] = ()
    pausable: bool = False


class Routing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a product is made; the id of the entry is the product."""

    steps: tuple[RoutingStep, ...]
    title: str = ""


class PlannedArrival(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A delivery that is announced, and once it is there ``came_amount`` pieces that ``came`` then.

    Until somebody says what came, it comes as announced.
    """

    time: str
    amount: int
    supplier: str = ""
    ref: str = ""
    came: str = ""
    came_amount: int = 0


class KanbanLoop(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A pull loop: demand an hour, lead time in hours, allowance (0.1 is 10 %), pieces a container holds."""

    demand_per_hour: float
    lead_time_h: float
    allowance: float
    container: int


class StockedMaterial(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A material: counted ``as_of``; what operations used since then is taken off by the plan.

    ``transit_h``: hours from the supplier's door to ours, by which a delivery that was sent is expected; None: unknown.
    """

    stock: int
    as_of: str
    title: str = ""
    unit: str = "1"
    supplier: str = ""
    arrivals: tuple[PlannedArrival, ...] = ()
    kanban: KanbanLoop | None = None
    transit_h: float | None = None


class CrewEntry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """So many people with the same skills and calendar (empty: around the clock). No names: tasks, not persons."""

    skills: tuple[str, ...]
    count: int = 1
    title: str = ""
    calendar: str = ""


class Changeover(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes to set up from one family to another; ``*`` is any."""

    before: str
    after: str
    minutes: float


class TransportTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes from this machine to another (``*``: any)."""

    machine: str
    minutes: float


class Workplace(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What planning has to know of a machine beside its twin; the id of the entry is the twin's.

    Attributes:
        family: what it is set up for now.
        calendar: instead of the twin's own.
        lost_per_hour: what an hour costs that is lost while an order takes it, in ``currency``; decimal text.
    """

    family: str = ""
    calendar: str = ""
    changeovers: tuple[Changeover, ...] = ()
    transport: tuple[TransportTo, ...] = ()
    lost_per_hour: str = "0"
    currency: str = "EUR"


class BlockedTime(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A machine that cannot be used for a while: down until it is expected back, maintained, or reserved."""

    machine: str
    start: str
    end: str
    kind: Literal["down", "maintenance", "reserved"] = "reserved"
    why: str = ""
    ref: str = ""


class ShiftAnswer(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an operator answered to the plan: begun, done, not here, or moved behind another, with the reason.

    Attributes:
        at: when it was said; ``began`` and ``ended`` when it happened (measured times of the operation).
        product, step: for learning, which is by product and step and never by person.
        first: of what was moved, ORDER/OPERATION that went before it instead.
    """

    order: str
    operation: str
    machine: str
    answer: Literal["begun", "done", "rejected", "moved"]
    at: str
    product: str = ""
    reason: str = ""
    text: str = ""
    began: str = ""
    ended: str = ""
    planned_s: float = 0.0
    first: str = ""


class KeptPlan(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A plan that somebody published, or changed by hand, with all that it was made from.

    Attributes:
        why: what made it necessary, where the platform proposed it by itself or the shift moved work.
        known: when what it was made from was read (ns UTC); None: when it was written.
        over: order and operation of what was done before it was published, which it does not have any more.
    """

    problem: ScheduleProblem
    placements: tuple[Placement, ...]
    title: str = ""
    job: str = ""
    note: str = ""
    why: tuple[str, ...] = ()
    known: int | None = None
    over: tuple[tuple[str, str], ...] = ()


class Replanning(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """That a new plan is asked for by itself whenever reality is no longer what the published one was made of.

    Attributes:
        on: whether.
        budget_s: seconds to search.
        freeze_minutes: what the published plan begins within this time stays.
    """

    on: bool
    budget_s: float = 20.0
    freeze_minutes: int = 0


def _time_faults(fields: Iterable[tuple[str, str]]) -> list[Fault]:
    faults = []
    for where, text in fields:
        if text:
            try:
                parse_instant(text)
            except InvalidInputError as e:
                faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, where))
    return faults


def _above(values: Iterable[tuple[str, float]], least: float = 0.0, *, strictly: bool = False) -> list[Fault]:
    word = "above" if strictly else "at least"
    hint = f"Give a number {word} {least:g}, at most {MOST_PIECES:g}"
    return [
        Fault("production:amount", f"{where} is {value:g}", hint, where)
        for where, value in values
        if not (value > least if strictly else value >= least) or value > MOST_PIECES
    ]


def _between(values: Iterable[tuple[str, float]], most: float) -> list[Fault]:
    return [
        Fault("production:amount", f"{where} is {value:g}", f"Give a number from 0 to {most:g}", where)
        for where, value in values
        if not 0 <= value <= most
    ]


def _order(o: ProductionOrder) -> Sequence[Fault]:
    times = [("due", o.due), ("release", o.release), ("deadline", o.deadline), ("delivered", o.delivered)]
    return _time_faults(times) + _above([("quantity", o.quantity)], strictly=True) + _above([("weight", o.weight)])


def _routing(r: Routing) -> Sequence[Fault]:
    faults: list[Fault] = []
    if not r.steps:
        faults.append(Fault("routing:empty", "A routing without steps makes nothing", "Give a step", "steps"))
    known = [s.id for s in r.steps]
    for n, step in enumerate(r.steps):
        at = f"steps[{n}]"
        if not step.ways:
            faults.append(Fault("routing:no-machine", f"Step {step.id} can be done nowhere", "Name a machine", at))
        if known.count(step.id) > 1:
            faults.append(Fault("routing:step-twice", f"Step {step.id} is there twice", "Give each its own id", at))
        for other in step.after or ():
            if other not in known:
                message = f"Step {step.id} comes after {other!r}, which is no step"
                faults.append(Fault("routing:step-unknown", message, f"Steps are {', '.join(known)}", f"{at}.after"))
        faults += _above(((f"{at}.ways[{k}].fixed_s", w.fixed_s) for k, w in enumerate(step.ways)))
        faults += _above(
            ((f"{at}.ways[{k}].per_piece_s", w.per_piece_s) for k, w in enumerate(step.ways)), strictly=True
        )
        faults += _above(((f"{at}.needs", x.per_piece) for x in step.needs), strictly=True)
    return faults


def _material(m: StockedMaterial) -> Sequence[Fault]:
    faults = _time_faults(
        [
            ("as_of", m.as_of or "?"),
            *((f"arrivals[{n}].time", a.time or "?") for n, a in enumerate(m.arrivals)),
            *((f"arrivals[{n}].came", a.came) for n, a in enumerate(m.arrivals)),
        ]
    )
    faults += _above([("stock", m.stock)])
    faults += _between(((f"arrivals[{n}].amount", a.amount) for n, a in enumerate(m.arrivals)), MOST_PIECES)
    faults += _between(((f"arrivals[{n}].came_amount", a.came_amount) for n, a in enumerate(m.arrivals)), MOST_PIECES)
    for n, a in enumerate(m.arrivals):
        if a.ref and not is_reference(a.ref):
            hint = f"At most {LONGEST_REF} printable signs, as papers have it"
            faults.append(Fault("delivery:reference", "That is no reference", hint, f"arrivals[{n}].ref"))
    if m.transit_h is not None:
        faults += _between([("transit_h", m.transit_h)], MOST_TRANSIT_H)
    if m.kanban is not None:
        faults += _above([("kanban.container", m.kanban.container)], strictly=True)
        faults += _above(
            [
                ("kanban.demand_per_hour", m.kanban.demand_per_hour),
                ("kanban.lead_time_h", m.kanban.lead_time_h),
                ("kanban.allowance", m.kanban.allowance),
            ]
        )
    return faults


def _crew(c: CrewEntry) -> Sequence[Fault]:
    return _above([("count", c.count)], 1)


def _workplace(w: Workplace) -> Sequence[Fault]:
    return _between(
        [
            *((f"changeovers[{n}].minutes", c.minutes) for n, c in enumerate(w.changeovers)),
            *((f"transport[{n}].minutes", t.minutes) for n, t in enumerate(w.transport)),
        ],
        MOST_MINUTES,
    )


def _blocked(b: BlockedTime) -> Sequence[Fault]:
    faults = _time_faults([("start", b.start or "?"), ("end", b.end or "?")])
    if not faults and parse_instant(b.end) <= parse_instant(b.start):
        faults.append(Fault("production:reversed", f"{b.machine} is blocked until before it begins", "Swap", "end"))
    return faults


def _answer(a: ShiftAnswer) -> Sequence[Fault]:
    faults = _time_faults([("at", a.at or "?"), ("began", a.began), ("ended", a.ended)])
    if a.answer in ("rejected", "moved") and not a.reason.strip():
        what = "A rejection" if a.answer == "rejected" else "A move"
        faults.append(Fault("shift:reason-missing", f"{what} needs its reason", "Say why", "reason"))
    return faults


def _replanning(r: Replanning) -> Sequence[Fault]:
    return _above([("budget_s", r.budget_s)], strictly=True) + _above([("freeze_minutes", r.freeze_minutes)])


def _plan(p: KeptPlan) -> Sequence[Fault]:
    return check_plan(p.problem, p.placements)


def _kind(name: str, title: str, struct: type[msgspec.Struct], check: Any) -> RegisterKind:
    return RegisterKind(name, title, struct, check)


ORDERS = _kind("orders", "Production orders", ProductionOrder, _order)
ROUTINGS = _kind("routings", "Routings: how a product is made", Routing, _routing)
MATERIALS = _kind("materials", "Materials: stock, arrivals, pull loops", StockedMaterial, _material)
CREWS = _kind("crews", "Crews: skills and shifts", CrewEntry, _crew)
WORKPLACES = _kind("workplaces", "Workplaces: set-ups, transport, cost of a lost hour", Workplace, _workplace)
BLOCKED = _kind("blocked_times", "Times in which a machine cannot be used", BlockedTime, _blocked)
ANSWERS = _kind("shift_answers", "What operators answered to the plan", ShiftAnswer, _answer)
PLANS = _kind("production_plans", "Plans that were published or changed by hand", KeptPlan, _plan)
REPLANNING = _kind("replanning", "Whether a new production plan is asked for by itself", Replanning, _replanning)
PRODUCTION_KINDS: tuple[RegisterKind, ...] = (
    ORDERS,
    ROUTINGS,
    MATERIALS,
    CREWS,
    WORKPLACES,
    BLOCKED,
    ANSWERS,
    PLANS,
    REPLANNING,
)
