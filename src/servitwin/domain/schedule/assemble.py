"""Makes the problem of a plan from what a company knows of its production, and from the plan that holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.instant import DAY, MINUTE, NS, parse_instant
from servitwin.domain.schedule.change import reality
from servitwin.domain.schedule.learned import Lesson, Place
from servitwin.domain.schedule.master_data import (
    CrewEntry,
    ProductionOrder,
    Routing,
    RoutingStep,
    ShiftAnswer,
    StockedMaterial,
    Workplace,
)
from servitwin.domain.schedule.problem import (
    Arrival,
    Blocked,
    Crew,
    Machine,
    Material,
    Mode,
    Need,
    Objective,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    Setup,
    Transport,
)

YEAR = 365 * DAY
MOST_YEARS = 100
FIRST = Objective(makespan=1, tardiness=20, setup=2)
NEXT = Objective(makespan=1, tardiness=20, setup=2, moved=1, moved_machine=15)

COST_OF_REFUSAL = 240
"""Ticks that it costs to plan an operation where it was rejected: four hours later elsewhere are preferred."""

Windows = tuple[tuple[int, int], ...] | None


class Shop(msgspec.Struct, frozen=True):
    """Everything known, by id.

    Attributes:
        machines: title of each machine that may be planned.
        windows: working time of machines and of crews (``None``: around the clock).
        blocked: when machines cannot be used.
        lessons: what was learnt of steps on machines.
        unknown_calendars: (place, calendar) of machines and crews that name a calendar which does not exist.
    """

    orders: Mapping[str, ProductionOrder]
    routings: Mapping[str, Routing]
    materials: Mapping[str, StockedMaterial]
    crews: Mapping[str, CrewEntry]
    workplaces: Mapping[str, Workplace]
    machines: Mapping[str, str]
    windows: Mapping[str, Windows]
    crew_windows: Mapping[str, Windows]
    blocked: Mapping[str, tuple[Blocked, ...]]
    lessons: Mapping[Place, Lesson]
    unknown_calendars: tuple[tuple[str, str], ...] = ()


class Progress(msgspec.Struct, frozen=True):
    """How far the plan that holds has come: operations that are over, and those that run with their expected ends.

    ``refused``: (order, operation, machine) that somebody at the machine has rejected and that is still open.
    """

    done: frozenset[tuple[str, str]]
    running: tuple[Placement, ...]
    refused: frozenset[tuple[str, str, str]] = frozenset()


def progress(
    plan: Sequence[Placement],
    answers: Sequence[ShiftAnswer],
    now: int,
    down: Mapping[str, int],
    over: Collection[tuple[str, str]] = (),
) -> Progress:
    """What has happened by ``now``: as people said, and where they said nothing as the plan has it.

    Args:
        plan: that holds.
        answers: of operators; the last one about an operation counts.
        now: ns UTC.
        down: until when machines are down that are down now: what runs there goes on after that.
        over: order and operation of what was done before the plan was made, which it therefore does not have.
    """
    # A move says when something is done, not how far it is: what was said before it still holds.
    said = {(a.order, a.operation): a for a in sorted(answers, key=lambda a: a.at) if a.answer != "moved"}
    done = {k for k in over if k not in said or said[k].answer == "done"}
    running = []
    for p in plan:
        answer = said.get(p.key)
        if answer is not None and answer.answer == "rejected" and p.machine != answer.machine:
            answer = None  # it was rejected elsewhere; this is its new place
        if answer is not None and answer.answer == "done":
            done.add(p.key)
        elif answer is not None and answer.answer == "begun":
            began = parse_instant(answer.began or answer.at)
            left = max(began + (p.end - p.start), now)
            running.append(_on(p, answer.machine, began, left, now, down))
        elif answer is None or answer.answer != "rejected":
            if p.end <= now:
                done.add(p.key)
            elif p.begin < now:
                running.append(_on(p, p.machine, p.start, p.end, now, down))
    refused = frozenset((a.order, a.operation, a.machine) for a in said.values() if a.answer == "rejected")
    return Progress(frozenset(done), tuple(running), refused)


def _on(p: Placement, machine: str, start: int, end: int, now: int, down: Mapping[str, int]) -> Placement:
    until = down.get(machine)
    if until is not None and end > now:
        end = until + (end - now)
    return msgspec.structs.replace(p, machine=machine, start=start, end=end, setup=p.setup, started=True)


def assemble(
    shop: Shop,
    now: int,
    end: int,
    plan: Sequence[Placement] = (),
    happened: Progress | None = None,
    freeze: int = 0,
    objective: Objective | None = None,
) -> tuple[ScheduleProblem, list[Fault]]:
    """The problem at ``now`` up to ``end`` (ns UTC), and what is wrong with the registers that it is made of.

    Args:
        shop: all registers.
        now: start of the plan, a whole minute.
        end: of the calendars.
        plan: that holds until now, of which the new one disturbs little.
        happened: how far it has come.
        freeze: operations of the plan that begin within this many ns stay where they are.
        objective: default :data:`FIRST`, or :data:`NEXT` with a plan before.
    """
    happened = happened or Progress(frozenset(), ())
    faults = [
        Fault(
            "schedule:calendar-unknown", f"{where} names {name!r}, which is no calendar", "Add it to the plant", where
        )
        for where, name in shop.unknown_calendars
    ]
    orders = []
    for id, order in sorted(shop.orders.items()):
        if order.state != "open":
            continue
        routing = shop.routings.get(order.product)
        if routing is None:
            message = f"Order {id} is for {order.product!r}, which has no routing"
            known = ", ".join(sorted(shop.routings)[:8]) or "none"
            faults.append(Fault("schedule:routing-missing", message, f"Routings: {known}", f"orders.{id}"))
            continue
        made = _order(shop, id, order, routing, happened)
        endless = [] if made is None else _endless(made)
        if endless:
            faults += endless
        elif made is not None:
            orders.append(made)
    keys = {(o.id, s.id) for o in orders for s in o.operations}
    running = tuple(p for p in happened.running if p.key in keys)
    used = {m.machine for o in orders for s in o.operations for m in s.modes} | {p.machine for p in running}
    machines = tuple(_machine(shop, id, running, plan, now) for id in sorted(used & shop.machines.keys()))
    problem = ScheduleProblem(
        now,
        end,
        machines,
        tuple(orders),
        crews=tuple(
            Crew(id, c.skills, c.count, c.title, shop.crew_windows.get(id)) for id, c in sorted(shop.crews.items())
        ),
        materials=tuple(_material(shop, id, m, plan, happened, now) for id, m in sorted(shop.materials.items())),
        transport=tuple(
            Transport(id, t.machine, round(t.minutes * MINUTE))
            for id, w in sorted(shop.workplaces.items())
            for t in w.transport
        ),
        objective=objective or (NEXT if plan else FIRST),
    )
    if plan:
        there = {m.id for m in machines}
        kept = tuple(p for p in plan if p.key in keys and p.machine in there)
        problem = reality(problem, kept, now, started=running, freeze=freeze, objective=problem.objective, assume=False)
    return problem, faults


def _order(shop: Shop, id: str, order: ProductionOrder, routing: Routing, happened: Progress) -> Order | None:
    before: str | None = None
    done = happened.done
    operations = []
    for step in routing.steps:
        waits_for = step.after if step.after is not None else ((before,) if before else ())
        before = step.id
        if (id, step.id) not in done:
            left = tuple(a for a in waits_for if (id, a) not in done)
            operations.append(_operation(shop, (id, order), step, left, happened.refused))
    if not operations:
        return None
    return Order(
        id,
        tuple(operations),
        order.title,
        parse_instant(order.release) if order.release else None,
        parse_instant(order.due) if order.due else None,
        parse_instant(order.deadline) if order.deadline else None,
        order.weight,
        order.customer,
        order.product,
        order.quantity,
    )


def _operation(
    shop: Shop,
    named: tuple[str, ProductionOrder],
    step: RoutingStep,
    after: tuple[str, ...],
    refused: frozenset[tuple[str, str, str]],
) -> Operation:
    id, order = named
    modes = []
    for way in step.ways:
        lesson = shop.lessons.get((order.product, step.id, way.machine))
        factor, cost = (lesson.factor, lesson.cost) if lesson is not None else (1.0, 0)
        if (id, step.id, way.machine) in refused:
            cost += COST_OF_REFUSAL
        seconds = (way.fixed_s + way.per_piece_s * order.quantity) * factor
        seconds = min(seconds, 1e18)  # without end is no number; it is told by :func:`_endless`
        modes.append(Mode(way.machine, round(seconds * NS), way.skill, cost))
    needs = tuple(Need(n.material, n.per_piece * order.quantity) for n in step.needs)
    return Operation(step.id, tuple(modes), after, step.family, needs, step.pausable, step.title)


def _endless(order: Order) -> list[Fault]:
    """Work beyond what anybody plans: a slip of the pen in the time or the number of pieces."""
    return [
        Fault(
            "schedule:lasts-too-long",
            f"{order.id}/{step.id} takes {mode.duration / YEAR:.3g} years on {mode.machine}",
            f"At most {MOST_YEARS}: check the seconds of its routing and the number of pieces",
            f"orders.{order.id}",
        )
        for step in order.operations
        for mode in step.modes
        if mode.duration > MOST_YEARS * YEAR
    ]


def _machine(shop: Shop, id: str, running: Sequence[Placement], plan: Sequence[Placement], now: int) -> Machine:
    place = shop.workplaces.get(id, Workplace())
    setups = tuple(Setup(c.before, c.after, round(c.minutes * MINUTE)) for c in place.changeovers)
    family = place.family
    last = max((p for p in plan if p.machine == id and p.begin < now), key=lambda p: p.begin, default=None)
    if last is not None and last.order in shop.orders:
        routing = shop.routings.get(shop.orders[last.order].product)
        step = next((s for s in routing.steps if s.id == last.operation), None) if routing is not None else None
        family = step.family if step is not None else family
    blocked = tuple(b for b in shop.blocked.get(id, ()) if b.end > now)
    return Machine(id, shop.machines[id], shop.windows.get(id), blocked, family, setups)


def _material(
    shop: Shop, id: str, m: StockedMaterial, plan: Sequence[Placement], happened: Progress, now: int
) -> Material:
    """Stock as it should be now: what was counted, with what arrived and less what was begun since."""
    counted = parse_instant(m.as_of)
    begun = {p.key: p for p in plan if p.key in happened.done} | {p.key: p for p in happened.running}
    used = 0
    for (order, operation), p in begun.items():
        body = shop.orders.get(order)
        routing = shop.routings.get(body.product) if body is not None else None
        if body is None or routing is None or p.start < counted:
            continue
        for step in routing.steps:
            if step.id == operation:
                used += sum(n.per_piece * body.quantity for n in step.needs if n.material == id)
    arrivals = sorted(
        (
            Arrival(
                parse_instant(a.came or a.time), a.came_amount if a.came else a.amount, a.supplier or m.supplier, a.ref
            )
            for a in m.arrivals
        ),
        key=lambda a: a.time,
    )
    stock = m.stock + sum(a.amount for a in arrivals if counted <= a.time <= now) - used
    coming = tuple(a for a in arrivals if a.time > now)
    return Material(id, m.title, max(0, stock), coming)
