"""Just in time: what is needed when and by whom, what is called off from whom, and whether it came on time in full."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, parse_instant
from servitwin.domain.schedule.master_data import KanbanLoop, ProductionOrder, StockedMaterial
from servitwin.domain.schedule.problem import Placement, ScheduleProblem


def kanban_cards(demand_per_hour: float, lead_time_h: float, allowance: float, container: int) -> int:
    """Containers that have to circulate: n = D * L * (1 + alpha) / C, rounded up (Monden 1983).

    Raises:
        InvalidInputError: ``kanban:out-of-range``.
    """
    given = (demand_per_hour, lead_time_h, allowance)
    if container <= 0 or any(not math.isfinite(v) or v < 0 for v in given):
        hint = "Demand, lead time and allowance are zero or more, a container holds at least one piece"
        raise InvalidInputError(Fault("kanban:out-of-range", "A pull loop cannot be like that", hint, "kanban"))
    demand, lead, alpha = (Decimal(repr(float(v))) for v in given)  # as written: 0.1 is a tenth
    return int((demand * lead * (1 + alpha) / container).to_integral_value(ROUND_CEILING))


class Requirement(msgspec.Struct, frozen=True, omit_defaults=True):
    """An amount of a material that an operation needs at an instant.

    Attributes:
        at: when it is needed (ns UTC) on ``machine``.
        expected: when it is there: the arrival that covers it, or ``at`` where stock does; None: nothing covers it.
        supplier, ref: of that arrival.
    """

    material: str
    amount: int
    at: int
    machine: str
    order: str
    operation: str
    expected: int | None = None
    supplier: str = ""
    ref: str = ""


class PullSignal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a supplier is told: this many containers of a material by then.

    Attributes:
        by: when the stock would run below what a lead time's demand needs (ns UTC).
        amount: pieces, in whole containers; ``cards`` containers of the loop in all.
    """

    material: str
    supplier: str
    amount: int
    containers: int
    by: int
    cards: int


def requirements(problem: ScheduleProblem, placements: Sequence[Placement]) -> list[Requirement]:
    """Every need of a plan in order of time, each with the stock or arrival that covers it, first come first served."""
    needs = {(o.id, s.id): s.needs for o in problem.orders for s in o.operations}
    found = []
    for material in problem.materials:
        sources: list[tuple[int | None, int, str, str]] = [(None, material.stock, "", "")]
        sources += [(a.time, a.amount, a.supplier, a.ref) for a in sorted(material.arrivals, key=lambda a: a.time)]
        level = 0
        which = 0
        for p in sorted(placements, key=lambda p: (p.start, p.order, p.operation)):
            if p.started:
                continue
            for need in needs.get(p.key, ()):
                if need.material != material.id:
                    continue
                while level < need.amount and which < len(sources):
                    level += sources[which][1]
                    which += 1
                covered = level >= need.amount
                level -= need.amount
                time, _, supplier, ref = sources[max(0, which - 1)]
                expected = (p.start if time is None else time) if covered else None
                found.append(
                    Requirement(
                        material.id, need.amount, p.start, p.machine, p.order, p.operation, expected, supplier, ref
                    )
                )
    return sorted(found, key=lambda r: (r.at, r.material, r.order, r.operation))


def pull_signals(
    problem: ScheduleProblem, placements: Sequence[Placement], stock: Mapping[str, StockedMaterial]
) -> list[PullSignal]:
    """What has to be called off, loop by loop: when stock and what is under way fall below the loop's own amount.

    A loop of n cards holds n containers; a container that is emptied by the plan is called off a lead time before the
    rest would be used up.
    """
    found = []
    for need in requirements(problem, placements):
        loop = stock[need.material].kanban if need.material in stock else None
        if loop is not None:
            found.append((need, loop))
    signals = []
    for name in sorted({n.material for n, _ in found}):
        entry = stock[name]
        assert entry.kanban is not None
        signals += _loop(name, entry, entry.kanban, [n for n, _ in found if n.material == name], problem)
    return sorted(signals, key=lambda s: (s.by, s.material))


def _loop(
    name: str, entry: StockedMaterial, loop: KanbanLoop, needs: Sequence[Requirement], problem: ScheduleProblem
) -> list[PullSignal]:
    material = next(m for m in problem.materials if m.id == name)
    cards = kanban_cards(loop.demand_per_hour, loop.lead_time_h, loop.allowance, loop.container)
    held = material.stock + sum(a.amount for a in material.arrivals)
    target, lead = cards * loop.container, round(loop.lead_time_h * HOUR)
    signals = []
    for need in needs:
        held -= need.amount
        if held < target - loop.container:
            containers = -(-(target - held) // loop.container)
            amount = containers * loop.container
            signals.append(
                PullSignal(name, entry.supplier, amount, containers, max(problem.start, need.at - lead), cards)
            )
            held += amount
    return signals


class Otif(msgspec.Struct, frozen=True):
    """On time in full: ``kept`` of ``counted`` deliveries; ``ratio`` None where none was due."""

    counted: int
    kept: int
    late: int
    short: int
    ratio: float | None


class Promise(msgspec.Struct, frozen=True):
    """So much by then (ns UTC), and what came when; ``came`` None: nobody has said that anything did."""

    due: int
    amount: int
    came: int | None
    given: int


def promises_of_orders(orders: Mapping[str, ProductionOrder]) -> dict[str, list[Promise]]:
    """What customers were promised, by customer; orders without a customer under the empty name."""
    found: dict[str, list[Promise]] = {}
    for order in orders.values():
        if order.state != "cancelled" and order.due:
            came = parse_instant(order.delivered) if order.delivered else None
            promise = Promise(parse_instant(order.due), order.quantity, came, order.delivered_quantity)
            found.setdefault(order.customer, []).append(promise)
    return found


def promises_of_suppliers(stock: Mapping[str, StockedMaterial]) -> dict[str, list[Promise]]:
    """What suppliers announced, by supplier, as far as somebody has said what came: the rest is not known."""
    found: dict[str, list[Promise]] = {}
    for material in stock.values():
        for a in material.arrivals:
            if a.came:
                promise = Promise(parse_instant(a.time), a.amount, parse_instant(a.came), a.came_amount)
                found.setdefault(a.supplier or material.supplier, []).append(promise)
    return found


def otif(promises: Iterable[Promise], start: int, end: int) -> Otif:
    """Of what was promised for [start, end): there by then and in full. One missing piece is not in full."""
    counted = kept = late = short = 0
    for p in promises:
        if not start <= p.due < end:
            continue
        counted += 1
        on_time = p.came is not None and p.came <= p.due
        full = p.given >= p.amount
        late += not on_time
        short += p.came is not None and not full
        kept += on_time and full
    return Otif(counted, kept, late, short, kept / counted if counted else None)
