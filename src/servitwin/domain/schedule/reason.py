"""Why an operation starts when it does, and why an order is late: what it waited for, stretch by stretch.

The reasons are read off a plan and its problem; they do not depend on who made the plan.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.domain.instant import HOUR, MINUTE
from servitwin.domain.schedule.measure import measure
from servitwin.domain.schedule.problem import (
    Machine,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    TransportTable,
    predecessors,
)

Kind = Literal["busy", "setup", "blocked", "shift", "material", "crew", "release", "planned", "transport", "fixed"]


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch in which an operation could have gone on, and what it waited for.

    Attributes:
        kind: ``busy`` the machine does another order; ``setup`` it is changed over; ``blocked`` down or maintained;
            ``shift`` nobody works; ``material`` not there yet; ``crew`` all who can are elsewhere; ``planned`` held
            back by the plan although nothing hinders it.
        order, operation: the other work that is in the way (``busy``, ``crew``).
        what: machine, material or crew, or the word of the blocked time.
    """

    kind: Kind
    start: int
    end: int
    order: str = ""
    operation: str = ""
    what: str = ""

    def words(self) -> str:
        """In a sentence, without times: a page shows those in its own zone."""
        return {
            "busy": f"{self.what} does {self.order}/{self.operation}",
            "setup": f"{self.what} is set up for {self.order}/{self.operation}",
            "blocked": self.what,
            "shift": f"no shift on {self.what}",
            "material": f"{self.what} is missing",
            "crew": f"{self.what} attends {self.order}/{self.operation}",
            "release": "the order is not released",
            "transport": f"the part is on its way to {self.what}",
            "fixed": "it is fixed there",
            "planned": "held back, so that other work is in time",
        }[self.kind]


class OperationReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an operation starts at ``start`` and not at ``ready``, when it could have begun but for the waits."""

    order: str
    operation: str
    machine: str
    ready: int
    start: int
    waits: tuple[Wait, ...] = ()


class LateOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an order is late.

    Attributes:
        late: ns after ``due``.
        work: ns of pure work on the longest way through its routing; ``hopeless``: it could not be in time even if it
            never waited.
        chain: what decided its end, from the last operation backwards: each with its longest wait.
        shares: ns waited by kind, over its whole routing.
        text: all of that in a sentence or two.
    """

    order: str
    due: int
    end: int
    late: int
    work: int
    hopeless: bool
    chain: tuple[OperationReason, ...]
    shares: dict[str, int]
    text: str


class Reasons:
    """Reads reasons off one plan."""

    def __init__(self, problem: ScheduleProblem, placements: Sequence[Placement]) -> None:
        self._problem = problem
        self._by_key = {p.key: p for p in placements}
        self._operations: dict[tuple[str, str], tuple[Order, Operation]] = {
            (o.id, s.id): (o, s) for o in problem.orders for s in o.operations
        }
        self._before = {o.id: predecessors(o) for o in problem.orders}
        self._machines: dict[str, Machine] = {m.id: m for m in problem.machines}
        self._transport = TransportTable(problem.transport)
        self._lines: dict[str, list[Placement]] = {m.id: [] for m in problem.machines}
        for p in sorted(placements, key=lambda p: (p.begin, p.end)):
            self._lines.setdefault(p.machine, []).append(p)
        self._starts = {m: [p.begin for p in line] for m, line in self._lines.items()}
        self._found: dict[tuple[str, str], OperationReason] = {}

    def of(self, key: tuple[str, str]) -> OperationReason:
        """Why the operation starts when it does."""
        if key not in self._found:
            self._found[key] = self._of(key)
        return self._found[key]

    def _of(self, key: tuple[str, str]) -> OperationReason:
        p = self._by_key[key]
        order, operation = self._operations[key]
        ready, last = self._ready(order, operation, p)
        if p.started or ready >= p.start:
            return OperationReason(p.order, p.operation, p.machine, min(ready, p.start), p.start)
        waits: list[Wait] = []
        at = ready
        if last is not None and (moved := self._transport.between(last.machine, p.machine)):
            at = min(p.start, last.end + moved)
            waits.append(Wait("transport", last.end, at, what=p.machine))
        arrived, material = self._arrived(operation, p)
        for low, high, wait in self._machine_waits(p, at):
            waits += self._idle(p, low, high, arrived, material) if wait is None else [wait]
        return OperationReason(p.order, p.operation, p.machine, ready, p.start, tuple(_joined(waits)))

    def leads_to(self, key: tuple[str, str]) -> tuple[str, str] | None:
        """The operation of its order from which it comes, the last to end; None: it is the first."""
        order, operation = self._operations[key]
        _, last = self._ready(order, operation, self._by_key[key])
        return None if last is None else last.key

    def late(self) -> list[LateOrder]:
        """Every late order with its reasons, the latest first."""
        figures = measure(self._problem, list(self._by_key.values()))
        orders = {o.id: o for o in self._problem.orders}
        found = [self._late(orders[o.order], o.end, o.late) for o in figures.orders if o.late]
        return sorted(found, key=lambda late: (-late.late, late.order))

    def _late(self, order: Order, end: int, late: int) -> LateOrder:
        own = [self.of((order.id, s.id)) for s in order.operations if (order.id, s.id) in self._by_key]
        shares: dict[str, int] = {}
        for reason in own:
            for wait in reason.waits:
                shares[wait.kind] = shares.get(wait.kind, 0) + wait.end - wait.start
        chain = self._chain(order)
        work = self._least_work(order)
        first = max(self._problem.start, order.release if order.release is not None else self._problem.start)
        due = order.due if order.due is not None else end
        hopeless = first + work > due
        return LateOrder(
            order.id, due, end, late, work, hopeless, chain, shares, _told(order, late, hopeless, chain, shares)
        )

    def _chain(self, order: Order) -> tuple[OperationReason, ...]:
        """From the operation that ends last back to the first, along what each of them waited for in its routing."""
        mine = [p for p in self._by_key.values() if p.order == order.id]
        at: Placement | None = max(mine, key=lambda p: p.end, default=None)
        chain = []
        while at is not None:
            chain.append(self.of(at.key))
            before = [
                self._by_key[at.order, b] for b in self._before[at.order][at.operation] if (at.order, b) in self._by_key
            ]
            at = max(before, key=lambda p: p.end, default=None)
        return tuple(chain)

    def _least_work(self, order: Order) -> int:
        left: dict[str, int] = {}
        for operation in order.operations:
            p = self._by_key.get((order.id, operation.id))
            own = min(m.duration for m in operation.modes)
            if p is not None and p.started:
                own = max(0, p.end - self._problem.start)
            left[operation.id] = own
        longest: dict[str, int] = {}
        for _ in order.operations:  # as often as the routing is long: it has no circles
            for name, before in self._before[order.id].items():
                longest[name] = left[name] + max((longest.get(b, 0) for b in before), default=0)
        return max(longest.values(), default=0)

    def _ready(self, order: Order, operation: Operation, p: Placement) -> tuple[int, Placement | None]:
        """When its part is there but for transport, and the operation that it comes from."""
        ready, last = self._problem.start, None
        if order.release is not None:
            ready = max(ready, order.release)
        for name in self._before[order.id][operation.id]:
            q = self._by_key.get((order.id, name))
            if q is not None and q.end >= ready:
                ready, last = q.end, q
        return ready, last

    def _arrived(self, operation: Operation, p: Placement) -> tuple[int, str]:
        """From when on its material is there, given what earlier starts of the plan take."""
        latest, which = self._problem.start, ""
        for need in operation.needs:
            material = next((m for m in self._problem.materials if m.id == need.material), None)
            if material is None:
                continue
            taken = sum(
                n.amount
                for q in self._by_key.values()
                if not q.started and q.start < p.start
                for n in self._operations[q.key][1].needs
                if n.material == need.material
            )
            level, at = material.stock - taken - need.amount, self._problem.start
            for arrival in sorted(material.arrivals, key=lambda a: a.time):
                if level >= 0:
                    break
                level, at = level + arrival.amount, arrival.time
            if at > latest:
                latest, which = at, material.title or material.id
        return latest, which

    def _machine_waits(self, p: Placement, at: int) -> list[tuple[int, int, Wait | None]]:
        """[at, start) cut by what the machine does: other work, set-ups, blocked time, no shift, or nothing (None)."""
        found: list[tuple[int, int, Wait | None]] = []
        machine = self._machines[p.machine]
        taken: list[tuple[int, int, Wait]] = []
        line, starts = self._lines[p.machine], self._starts[p.machine]
        k = max(0, bisect_left(starts, at) - 1)
        while k < len(line) and line[k].begin < p.start:
            q = line[k]
            if q.setup and q.key != p.key:
                taken.append((q.begin, q.start, Wait("setup", q.begin, q.start, q.order, q.operation, p.machine)))
            if q.key != p.key:
                taken.append((q.start, q.end, Wait("busy", q.start, q.end, q.order, q.operation, p.machine)))
            else:
                taken.append((q.begin, q.start, Wait("setup", q.begin, q.start, q.order, q.operation, p.machine)))
            k += 1
        for b in machine.blocked:
            word = f"{machine.title or machine.id} is {'down' if b.kind == 'down' else 'blocked'}"
            word += f" ({b.why})" if b.why else f" ({b.kind})"
            taken.append((b.start, b.end, Wait("blocked", b.start, b.end, what=word)))
        for low, high in _closed(machine, at, p.start):
            taken.append((low, high, Wait("shift", low, high, what=p.machine)))
        now = at
        for low, high, wait in sorted(taken, key=lambda t: (t[0], t[1])):
            low_, high_ = max(low, now), min(high, p.start)
            if low_ >= high_:
                continue
            if low_ > now:
                found.append((now, low_, None))
            found.append((low_, high_, msgspec.structs.replace(wait, start=low_, end=high_)))
            now = high_
        if now < p.start:
            found.append((now, p.start, None))
        return found

    def _idle(self, p: Placement, low: int, high: int, arrived: int, material: str) -> list[Wait]:
        """The machine stands by: for material, for people, or because the plan has it so."""
        waits = []
        if material and arrived > low:
            waits.append(Wait("material", low, min(high, arrived), what=material))
            low = min(high, arrived)
        if low < high and p.crew:
            crew = next(c for c in self._problem.crews if c.id == p.crew)
            busy = [
                q
                for q in self._by_key.values()
                if q.crew == p.crew and q.key != p.key and q.begin < high and q.end > low
            ]
            if len(busy) >= crew.count:
                q = max(busy, key=lambda q: q.end)
                waits.append(Wait("crew", low, min(high, q.end), q.order, q.operation, crew.title or crew.id))
                low = min(high, q.end)
        if low < high:
            kind: Kind = "fixed" if any(f.key == p.key for f in self._problem.fixed) else "planned"
            waits.append(Wait(kind, low, high, what=p.machine))
        return waits


def _closed(machine: Machine, start: int, end: int) -> list[tuple[int, int]]:
    if machine.windows is None:
        return []
    found, at = [], start
    for low, high in machine.windows:
        if high <= at:
            continue
        if low >= end:
            break
        if low > at:
            found.append((at, low))
        at = max(at, high)
    if at < end:
        found.append((at, end))
    return found


def _joined(waits: list[Wait]) -> list[Wait]:
    """Neighbours that say the same made one."""
    found: list[Wait] = []
    for w in waits:
        last = found[-1] if found else None
        same = last is not None and (last.kind, last.order, last.operation, last.what) == (
            w.kind,
            w.order,
            w.operation,
            w.what,
        )
        if last is not None and same and last.end == w.start:
            found[-1] = msgspec.structs.replace(last, end=w.end)
        elif w.end > w.start:
            found.append(w)
    return found


def span_words(ns: int) -> str:
    """A length of time for people: days and hours, or hours and minutes."""
    if ns >= 48 * HOUR:
        return f"{ns // (24 * HOUR)} d {ns % (24 * HOUR) // HOUR} h"
    if ns >= HOUR:
        return f"{ns // HOUR} h {ns % HOUR // MINUTE} min"
    return f"{max(1, ns // MINUTE)} min"


_SHARE = {
    "busy": "for machines that do other orders",
    "setup": "for set-ups",
    "blocked": "for machines that are down or maintained",
    "shift": "for shifts to begin",
    "material": "for material",
    "crew": "for people",
    "release": "for its release",
    "transport": "on the way",
    "fixed": "because it is fixed",
    "planned": "held back in favour of other orders",
}


def _told(order: Order, late: int, hopeless: bool, chain: tuple[OperationReason, ...], shares: dict[str, int]) -> str:
    text = f"{order.id} is {span_words(late)} late."
    if hopeless:
        text += " It could not be in time even if it never waited."
    if shares:
        listed = sorted(shares.items(), key=lambda s: -s[1])[:3]
        text += " It waits " + ", ".join(f"{span_words(ns)} {_SHARE[kind]}" for kind, ns in listed) + "."
    waits = [(w.end - w.start, r, w) for r in chain for w in r.waits]
    if waits:
        longest, reason, wait = max(waits, key=lambda w: w[0])
        text += f" The longest, {span_words(longest)}, before {reason.operation} on {reason.machine}: {wait.words()}."
    return text
