"""Checks a plan against its problem, independently of whoever made it: every plan that is shown or served has passed.

It shares no arithmetic with the planner: working time is summed span by span, stock and crews are swept over time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from servitwin.domain.error import Fault
from servitwin.domain.instant import format_instant
from servitwin.domain.schedule.problem import (
    Machine,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    SetupTable,
    TransportTable,
    predecessors,
)


def check_plan(problem: ScheduleProblem, placements: Sequence[Placement]) -> list[Fault]:
    """Everything in which a plan breaks its problem: none for a plan that can be carried out.

    Checked are completeness, routing order with transport, one operation at a time on a machine with the set-up that
    its neighbour demands, shifts and blocked time of machine and crew, skills, the number of people, stock, release,
    deadlines, and that what is fixed stays. A due date that is missed is no fault: it costs.
    """
    return _Check(problem, placements).faults()


def _name(p: Placement) -> str:
    return f"{p.order}/{p.operation}"


class _Check:
    def __init__(self, problem: ScheduleProblem, placements: Sequence[Placement]) -> None:
        self._problem = problem
        self._machines = {m.id: m for m in problem.machines}
        self._crews = {c.id: c for c in problem.crews}
        self._fixed = {p.key: p for p in problem.fixed}
        self._operations: dict[tuple[str, str], tuple[Order, Operation]] = {
            (o.id, s.id): (o, s) for o in problem.orders for s in o.operations
        }
        self._all = list(placements)
        self._by_key: dict[tuple[str, str], Placement] = {}
        self._faults: list[Fault] = []

    def faults(self) -> list[Fault]:
        for p in self._all:
            if p.key not in self._operations:
                self._say("unknown-operation", p, f"There is no operation {_name(p)}", "Plan what the problem names")
            elif p.key in self._by_key:
                self._say("planned-twice", p, f"{_name(p)} is planned twice", "Keep one of them")
            else:
                self._by_key[p.key] = p
        for key in self._operations.keys() - self._by_key.keys():
            name = "/".join(key)
            self._faults.append(Fault("plan:not-planned", f"{name} is not planned", "Place it on a machine", name))
        for p in self._by_key.values():
            self._fits(p)
        for order in self._problem.orders:
            self._routing(order)
        for machine in self._problem.machines:
            self._one_at_a_time(machine)
        self._people()
        self._stock()
        return self._faults

    def _say(self, code: str, p: Placement, message: str, hint: str) -> None:
        self._faults.append(Fault(f"plan:{code}", message, hint, _name(p)))

    def _fits(self, p: Placement) -> None:
        """Machine, duration, skill, shifts, blocked time and limits of one operation by itself."""
        problem, (order, operation) = self._problem, self._operations[p.key]
        fixed = self._fixed.get(p.key)
        if fixed is not None and (fixed.machine, fixed.start, fixed.end) != (p.machine, p.start, p.end):
            self._say("fixed-moved", p, f"{_name(p)} is fixed and was moved", "Leave started and frozen work in place")
        if fixed is not None and fixed.started:
            return
        mode = next((m for m in operation.modes if m.machine == p.machine and self._attended(m.skill, p)), None)
        machine = self._machines.get(p.machine)
        if mode is None or machine is None:
            hint = (
                f"It can be done on {', '.join(sorted({m.machine for m in operation.modes}))}, with the skill it needs"
            )
            who = (
                f" by {p.crew!r}"
                if p.crew
                else " unattended"
                if p.machine in {m.machine for m in operation.modes}
                else ""
            )
            self._say("wrong-machine-or-crew", p, f"{_name(p)} cannot be done on {p.machine}{who}", hint)
            return
        earliest = max(problem.start, order.release if order.release is not None else problem.start)
        if p.begin < problem.start or p.start < earliest:
            self._say("too-early", p, f"{_name(p)} starts before {format_instant(earliest)}", "Start it later")
        if p.end > problem.end:
            self._say("beyond-calendar", p, f"{_name(p)} ends after the calendars do", "Plan over a longer time")
        if order.deadline is not None and p.end > order.deadline:
            message = f"{_name(p)} ends after the deadline of {order.id}, {format_instant(order.deadline)}"
            self._say("deadline-missed", p, message, "Start it earlier or move the deadline")
        if p.setup < 0 or p.end < p.start:
            self._say("reversed", p, f"{_name(p)} ends before it starts", "Swap its times")
            return
        for blocked in machine.blocked:
            if blocked.start < p.end and p.begin < blocked.end:
                what = blocked.why or blocked.kind
                self._say("blocked", p, f"{_name(p)} is on {p.machine} while it is blocked ({what})", "Move it")
        windows = _meet(machine.windows, self._crews[p.crew].windows if p.crew else None)
        worked, before = _worked(windows, p.start, p.end), _worked(windows, p.begin, p.start)
        if before != p.setup or (not operation.pausable and worked != p.end - p.start):
            self._say("outside-shifts", p, f"{_name(p)} is on {p.machine} outside shifts", "Move it into a shift")
        if windows is not None and not (_inside(windows, p.start) and _inside(windows, p.end - 1)):
            self._say("outside-shifts", p, f"{_name(p)} begins or ends outside shifts", "Move it into a shift")
        if not mode.duration <= worked < mode.duration + problem.tick:
            message = f"{_name(p)} gets {worked} ns of work, it takes {mode.duration}"
            self._say("wrong-duration", p, message, "Give it the time of its routing, rounded up to the tick")

    def _attended(self, skill: str, p: Placement) -> bool:
        if not skill:
            return p.crew == ""
        return p.crew in self._crews and skill in self._crews[p.crew].skills

    def _routing(self, order: Order) -> None:
        transport = TransportTable(self._problem.transport)
        for operation, before in predecessors(order).items():
            p = self._by_key.get((order.id, operation))
            if p is None or p.started:
                continue
            for name in before:
                q = self._by_key.get((order.id, name))
                if q is not None and p.start < q.end + transport.between(q.machine, p.machine):
                    message = f"{_name(p)} starts before {_name(q)} has ended and its part has arrived"
                    self._say("too-early-for-routing", p, message, "Start it later")

    def _one_at_a_time(self, machine: Machine) -> None:
        table = SetupTable(machine)
        family, last = table.first, None
        for p in sorted((p for p in self._by_key.values() if p.machine == machine.id), key=lambda p: (p.begin, p.end)):
            after = self._operations[p.key][1].family
            if last is not None and p.begin < last.end and not (p.started and last.started):
                message = f"{_name(p)} and {_name(last)} are on {machine.id} at the same time"
                self._say("machine-taken", p, message, "Put one after the other")
            needed = table.between(family, after)
            if not p.started and (p.setup < needed if p.key in self._fixed else p.setup != needed):
                message = f"{_name(p)} has a set-up of {p.setup} ns, from {family or 'nothing'} it takes {needed}"
                self._say("wrong-set-up", p, message, "Give it the set-up its predecessor demands")
            family, last = after or family, p

    def _people(self) -> None:
        for crew in self._problem.crews:
            taken = [p for p in self._by_key.values() if p.crew == crew.id]
            for at, level in _levels((p.begin, p.end, 1) for p in taken):
                if level > crew.count and not all(p.started for p in taken if p.begin <= at < p.end):
                    busy = sorted(_name(p) for p in taken if p.begin <= at < p.end)
                    message = f"{crew.id} would attend {', '.join(busy)} at {format_instant(at)}: they are {crew.count}"
                    self._faults.append(Fault("plan:crew-taken", message, "Move one of them", crew.id))

    def _stock(self) -> None:
        for material in self._problem.materials:
            changes = [(a.time, 0, a.amount, "") for a in material.arrivals]
            for p in self._by_key.values():
                if not p.started:
                    used = sum(n.amount for n in self._operations[p.key][1].needs if n.material == material.id)
                    changes.append((p.start, 1, -used, _name(p)))
            left = material.stock
            for at, _, amount, name in sorted(changes):
                left += amount
                if left < 0 and amount < 0:
                    message = f"{name} starts at {format_instant(at)} without {material.id}: {-left} missing"
                    self._faults.append(Fault("plan:material-missing", message, "Start it after the arrival", name))


def _meet(
    a: tuple[tuple[int, int], ...] | None, b: tuple[tuple[int, int], ...] | None
) -> tuple[tuple[int, int], ...] | None:
    if a is None or b is None:
        return b if a is None else a
    both = ((max(s, u), min(e, v)) for s, e in a for u, v in b)
    return tuple(sorted((s, e) for s, e in both if s < e))


def _worked(windows: tuple[tuple[int, int], ...] | None, start: int, end: int) -> int:
    if windows is None:
        return end - start
    return sum(max(0, min(e, end) - max(s, start)) for s, e in windows)


def _inside(windows: tuple[tuple[int, int], ...], at: int) -> bool:
    return any(s <= at < e for s, e in windows)


def _levels(taken: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Instants at which the load rises, with the load from there on."""
    changes: dict[int, int] = {}
    rises = set()
    for start, end, count in taken:
        if start < end:
            changes[start] = changes.get(start, 0) + count
            changes[end] = changes.get(end, 0) - count
            rises.add(start)
    level, found = 0, []
    for at in sorted(changes):
        level += changes[at]
        if at in rises:
            found.append((at, level))
    return found
