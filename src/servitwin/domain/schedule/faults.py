"""What is wrong with a problem before anybody tries to solve it: all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR, format_instant
from servitwin.domain.schedule.grid import Grid
from servitwin.domain.schedule.problem import Machine, Operation, Order, ScheduleProblem, predecessors

MOST_TICKS = 20_000_000
MOST_STEPS = 50_000


def problem_faults(problem: ScheduleProblem) -> list[Fault]:
    """Everything that keeps a problem from being planned, found without a search.

    A due date in the past is no fault (the order is late, and the plan says by how much); a deadline in the past is.
    """
    faults = _frame(problem)
    machines = {m.id: m for m in problem.machines}
    for n, machine in enumerate(problem.machines):
        faults += _machine(machine, f"machines[{n}]")
    for n, crew in enumerate(problem.crews):
        faults += _windows(crew.id, crew.windows, f"crews[{n}].windows")
        if crew.count < 1:
            message = f"Crew {crew.id} has {crew.count} people"
            faults.append(Fault("schedule:crew-empty", message, "Give it at least one", f"crews[{n}].count"))
    for n, order in enumerate(problem.orders):
        faults += _order(problem, order, f"orders[{n}]", machines)
    faults += _materials(problem)
    for n, p in enumerate(problem.fixed):
        known = any(o.id == p.order and any(s.id == p.operation for s in o.operations) for o in problem.orders)
        if not known or p.machine not in machines:
            message = f"{p.order}/{p.operation} on {p.machine} is fixed, which the problem does not know"
            faults.append(Fault("schedule:fixed-unknown", message, "Name known work", f"fixed[{n}]"))
    if not faults:
        faults = _too_long(problem)
    return faults


def _frame(problem: ScheduleProblem) -> list[Fault]:
    faults = []
    if problem.tick <= 0 or problem.end <= problem.start:
        hint = "The plan needs a tick above zero and an end after its start"
        return [Fault("schedule:no-time", f"From {problem.start} to {problem.end} there is no time", hint, "end")]
    if (problem.end - problem.start) // problem.tick > MOST_TICKS:
        message = f"There are more than {MOST_TICKS} ticks between start and end"
        faults.append(Fault("schedule:too-fine", message, "Take a longer tick or an earlier end", "tick"))
    count = sum(len(o.operations) for o in problem.orders)
    if count > MOST_STEPS:
        message = f"{count} operations are more than the {MOST_STEPS} that are planned at once"
        faults.append(Fault("schedule:too-many", message, "Plan a nearer part of the orders", "orders"))
    for name, ids in (
        ("machines", [m.id for m in problem.machines]),
        ("orders", [o.id for o in problem.orders]),
        ("crews", [c.id for c in problem.crews]),
        ("materials", [m.id for m in problem.materials]),
    ):
        faults += _twice(ids, name)
    for n, t in enumerate(problem.transport):
        if t.duration < 0:
            message = f"Transport from {t.origin} to {t.target} takes less than nothing"
            faults.append(Fault("schedule:duration", message, "Give zero or more", f"transport[{n}]"))
    return faults


def _twice(ids: Sequence[str], where: str) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for id in ids:
        if id in seen:
            faults.append(Fault("schedule:id-twice", f"{id!r} is there twice", "Give each its own id", where))
        seen.add(id)
    return faults


def _machine(machine: Machine, where: str) -> list[Fault]:
    faults = _windows(machine.id, machine.windows, f"{where}.windows")
    for n, blocked in enumerate(machine.blocked):
        if blocked.end <= blocked.start:
            message = f"Blocked time of {machine.id} ends before it begins"
            faults.append(Fault("schedule:stretch-reversed", message, "Check both times", f"{where}.blocked[{n}]"))
    for n, setup in enumerate(machine.setups):
        if setup.duration < 0:
            message = f"A set-up of {machine.id} takes less than nothing"
            faults.append(Fault("schedule:duration", message, "Give zero or more", f"{where}.setups[{n}]"))
    return faults


def _windows(name: str, windows: tuple[tuple[int, int], ...] | None, where: str) -> list[Fault]:
    if windows is None:
        return []
    faults = [
        Fault(
            "schedule:stretch-reversed", f"A shift of {name} ends before it begins", "Check both times", f"{where}[{n}]"
        )
        for n, (start, end) in enumerate(windows)
        if end <= start
    ]
    if not windows:
        hint = "Give its calendar shifts within the time that is planned, or take it out of the routings"
        faults.append(Fault("schedule:no-working-time", f"The calendar of {name} has no working time", hint, where))
    return faults


def _order(problem: ScheduleProblem, order: Order, where: str, machines: dict[str, Machine]) -> list[Fault]:
    faults = _twice([s.id for s in order.operations], f"{where}.operations")
    if not order.operations:
        message = f"Order {order.id} has no operations"
        faults.append(Fault("schedule:no-operations", message, "Give its product a routing", where))
    if order.weight < 0:
        faults.append(Fault("schedule:weight", f"The weight of {order.id} is negative", "Give zero or more", where))
    if order.deadline is not None and order.deadline <= problem.start:
        message = f"The deadline of {order.id} is over: {format_instant(order.deadline)}"
        hint = "Agree a later one, or make it a due date: those may be missed"
        faults.append(Fault("schedule:deadline-past", message, hint, f"{where}.deadline"))
    if order.release is not None and order.release >= problem.end:
        message = f"Order {order.id} is released after the plan ends"
        faults.append(Fault("schedule:released-too-late", message, "Plan over a longer time", f"{where}.release"))
    skills = {s for c in problem.crews for s in c.skills}
    for n, operation in enumerate(order.operations):
        faults += _operation(order, operation, f"{where}.operations[{n}]", machines, skills)
    return faults + _cycle(order, where)


def _operation(
    order: Order, operation: Operation, where: str, machines: dict[str, Machine], skills: set[str]
) -> list[Fault]:
    name, faults = f"{order.id}/{operation.id}", []
    if not operation.modes:
        message = f"{name} can be done nowhere"
        faults.append(Fault("schedule:no-machine", message, "Name at least one machine", f"{where}.modes"))
    known = {s.id for s in order.operations}
    for other in operation.after or ():
        if other not in known:
            message = f"{name} comes after {other!r}, which {order.id} does not have"
            faults.append(Fault("schedule:operation-unknown", message, "Name an operation of the order", where))
    for n, mode in enumerate(operation.modes):
        machine, at = machines.get(mode.machine), f"{where}.modes[{n}]"
        if machine is None:
            message = f"{name} is to be done on {mode.machine!r}, which nobody knows"
            faults.append(Fault("schedule:machine-unknown", message, f"Known are {_some(machines)}", f"{at}.machine"))
        elif machine.setups and not operation.family:
            message = f"{name} needs no family, but {machine.id} is set up by family"
            faults.append(
                Fault("schedule:family-missing", message, "Say what it has to be set up for", f"{where}.family")
            )
        if mode.duration <= 0:
            message = f"{name} takes {mode.duration} ns on {mode.machine}"
            faults.append(Fault("schedule:duration", message, "Give it a time above zero", f"{at}.duration"))
        if mode.skill and mode.skill not in skills:
            message = f"{name} needs {mode.skill!r}, which nobody can"
            faults.append(Fault("schedule:skill-unknown", message, "Give a crew that skill", f"{at}.skill"))
    return faults


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" ..." if len(listed) > 8 else "") or "none"


def _cycle(order: Order, where: str) -> list[Fault]:
    """The operations that wait for themselves."""
    before = {name: {b for b in wanted} for name, wanted in predecessors(order).items()}
    while free := [name for name, wanted in before.items() if not wanted & before.keys()]:
        for name in free:
            del before[name]
    if not before:
        return []
    at = min(before)
    ring = [at]
    while (at := min(before[at] & before.keys())) not in ring:
        ring.append(at)
    ring = ring[ring.index(at) :]
    message = f"The routing of {order.id} runs in a circle: {' after '.join([*ring, ring[0]])}"
    return [Fault("schedule:routing-cyclic", message, "Take one of these 'after' away", f"{where}.operations")]


def _materials(problem: ScheduleProblem) -> list[Fault]:
    faults, known = [], {m.id: m for m in problem.materials}
    started = {p.key for p in problem.fixed if p.started}
    wanted: dict[str, int] = {}
    for n, order in enumerate(problem.orders):
        for k, operation in enumerate(order.operations):
            for need in operation.needs:
                where = f"orders[{n}].operations[{k}].needs"
                if need.material not in known:
                    message = f"{order.id}/{operation.id} needs {need.material!r}, which nobody knows"
                    faults.append(Fault("schedule:material-unknown", message, f"Known are {_some(known)}", where))
                elif need.amount <= 0:
                    message = f"{order.id}/{operation.id} needs {need.amount} of {need.material}"
                    faults.append(Fault("schedule:amount", message, "Give an amount above zero", where))
                elif (order.id, operation.id) not in started:
                    wanted[need.material] = wanted.get(need.material, 0) + need.amount
    for name, amount in wanted.items():
        material = known[name]
        there = material.stock + sum(a.amount for a in material.arrivals if a.time < problem.end)
        if amount > there:
            message = f"The orders need {amount} of {name}; stock and arrivals within the plan are {there}"
            hint = f"Order {amount - there} more, or leave orders out"
            faults.append(Fault("schedule:material-short", message, hint, f"materials.{name}"))
    return faults


def _too_long(problem: ScheduleProblem) -> list[Fault]:
    """Operations that fit into no shift; where machines have no time left at all, one fault for all that need them."""
    grid, faults, known = Grid(problem), [], set()
    shut: dict[tuple[int, ...], list[str]] = {}
    for step in grid.steps:
        if step.fixed is not None or step.order in known:
            continue
        openings = [grid.openings(c.machine, c.crew) for c in step.candidates]
        if any(
            o.earliest(step.release, c.duration, 0, step.pausable) is not None
            for o, c in zip(openings, step.candidates, strict=True)
        ):
            continue
        known.add(step.order)
        name = "/".join(step.key)
        if all(o.earliest(0, 1, 0, True) is None for o in openings):
            shut.setdefault(tuple(sorted({c.machine for c in step.candidates})), []).append(name)
            continue
        least = min(c.duration for c in step.candidates) * problem.tick / HOUR
        message = f"{name} takes at least {least:.1f} h, and no shift of its machines has that much left in one piece"
        hint = "Let it pause between shifts (pausable), plan over a longer time, or free a longer stretch"
        faults.append(Fault("schedule:fits-nowhere", message, hint, name))
    return [*(_shut(problem, machines, names) for machines, names in shut.items()), *faults]


def _shut(problem: ScheduleProblem, machines: tuple[int, ...], names: list[str]) -> Fault:
    told = []
    for machine in (problem.machines[m] for m in machines):
        why = ", ".join(sorted({b.why or b.kind for b in machine.blocked})) or "no shift with its crew"
        told.append(f"{machine.id} ({why})")
    message = f"There is no time until {format_instant(problem.end)} on {' or '.join(told)}, which {_some(names)} need"
    hint = "Say when it is back (blocked_times), plan over a longer time, or give another machine in the routing"
    return Fault("schedule:no-time-left", message, hint, f"machines.{problem.machines[machines[0]].id}")
