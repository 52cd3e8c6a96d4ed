"""Which demands contradict each other, where no plan exists: a smallest set of them, in words.

Half of the demands are waived first, then smaller pieces, then one by one (deletion filter, Chinneck 2008): the set
that is left has no plan, and without any one of its members it has.
"""

from __future__ import annotations

import time

import msgspec
from ortools.sat.python import cp_model

from servitwin.domain.error import Fault
from servitwin.domain.instant import HOUR, format_instant
from servitwin.domain.schedule.grid import Grid
from servitwin.domain.schedule.problem import Machine, Objective, ScheduleProblem
from servitwin.services.operation.schedule.model import ScheduleModel

LONGER = 3  # how many times the planned time a plan may take if the end of the calendars is waived

Demand = tuple[str, str]
"""(kind, id): ``deadline`` order, ``blocked`` machine, ``shifts`` machine or crew, ``people`` crew, ``stock`` material,
``fixed`` order/operation, ``release`` order."""


def demands(problem: ScheduleProblem) -> list[Demand]:
    """Everything that somebody could waive; machines, durations and routings are as they are."""
    found = [("deadline", o.id) for o in problem.orders if o.deadline is not None]
    found += [("release", o.id) for o in problem.orders if o.release is not None and o.release > problem.start]
    found += [("blocked", m.id) for m in problem.machines if m.blocked]
    found += [("shifts", m.id) for m in problem.machines if m.windows is not None]
    found += [("shifts", c.id) for c in problem.crews if c.windows is not None]
    found += [("people", c.id) for c in problem.crews]
    found += [("stock", m.id) for m in problem.materials]
    found += [("fixed", f"{p.order}/{p.operation}") for p in problem.fixed if not p.started]
    return found


def without(problem: ScheduleProblem, waived: set[Demand]) -> ScheduleProblem:
    """The problem with some demands waived."""
    orders = []
    for o in problem.orders:
        deadline = None if ("deadline", o.id) in waived else o.deadline
        release = None if ("release", o.id) in waived else o.release
        orders.append(msgspec.structs.replace(o, deadline=deadline, release=release))
    machines = tuple(_machine(m, waived) for m in problem.machines)
    total = sum(len(o.operations) for o in problem.orders)
    crews = tuple(
        msgspec.structs.replace(
            c,
            windows=None if ("shifts", c.id) in waived else c.windows,
            count=total if ("people", c.id) in waived else c.count,
        )
        for c in problem.crews
    )
    wanted = sum(n.amount for o in problem.orders for s in o.operations for n in s.needs)
    materials = tuple(
        msgspec.structs.replace(m, stock=wanted) if ("stock", m.id) in waived else m for m in problem.materials
    )
    fixed = tuple(p for p in problem.fixed if ("fixed", f"{p.order}/{p.operation}") not in waived)
    end = problem.end
    if ("end", "") in waived:
        end = problem.start + LONGER * (problem.end - problem.start)
    return msgspec.structs.replace(
        problem,
        orders=tuple(orders),
        machines=machines,
        crews=crews,
        materials=materials,
        fixed=fixed,
        end=end,
        objective=Objective(makespan=0),
    )


def _machine(machine: Machine, waived: set[Demand]) -> Machine:
    return msgspec.structs.replace(
        machine,
        blocked=() if ("blocked", machine.id) in waived else machine.blocked,
        windows=None if ("shifts", machine.id) in waived else machine.windows,
    )


def _possible(problem: ScheduleProblem, seconds: float) -> bool | None:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(ScheduleModel(Grid(problem)).model)
    if status == cp_model.INFEASIBLE:
        return False
    return True if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None


def conflicts(problem: ScheduleProblem, seconds: float) -> list[Fault]:
    """Why there is no plan: the demands that contradict each other; or that the search found none in its time.

    In ``seconds`` the set becomes as small as it can; what was not tried by then stays in it.
    """
    until = time.monotonic() + seconds
    if _possible(without(problem, set()), seconds / 4) is not False:
        hint = "Give it more time, or fewer orders at once"
        return [Fault("schedule:none-found", "No plan was found in the time given; none is ruled out", hint, "budget")]
    kept = [*demands(problem), ("end", "")]
    waived: set[Demand] = set()
    size = max(1, len(kept) // 2)
    while size >= 1:  # large pieces first, then one by one
        for at in range(0, len(kept), size):
            piece = {d for d in kept[at : at + size] if d not in waived}
            left = until - time.monotonic()
            if piece and left > 0 and _possible(without(problem, waived | piece), min(2.0, left)) is False:
                waived |= piece
        kept = [d for d in kept if d not in waived]
        size = size // 2
    listed = "; ".join(_words(problem, d) for d in kept)
    count = len(kept)
    message = (
        f"These {count} demands contradict each other: {listed}" if count > 1 else f"No plan can meet this: {listed}"
    )
    if not kept:
        message = "The operations contradict each other whatever is waived: two of those that run now exclude a third"
    faults = [Fault("schedule:infeasible", message, "Waive or change one of them", "orders")]
    return faults + [Fault(f"schedule:conflict-{kind}", _words(problem, (kind, id)), "", id) for kind, id in kept]


def _words(problem: ScheduleProblem, demand: Demand) -> str:
    kind, id = demand
    if kind == "deadline":
        order = next(o for o in problem.orders if o.id == id)
        return f"order {id} has to be done by {format_instant(order.deadline or 0)}"
    if kind == "release":
        order = next(o for o in problem.orders if o.id == id)
        return f"order {id} cannot start before {format_instant(order.release or 0)}"
    if kind == "blocked":
        machine = next(m for m in problem.machines if m.id == id)
        spans = ", ".join(
            f"{b.why or b.kind} from {format_instant(b.start)} to {format_instant(b.end)}" for b in machine.blocked
        )
        return f"machine {id} is blocked: {spans}"
    if kind == "shifts":
        return f"{id} works only in its shifts"
    if kind == "people":
        crew = next(c for c in problem.crews if c.id == id)
        return f"crew {id} has {crew.count} {'person' if crew.count == 1 else 'people'}"
    if kind == "stock":
        material = next(m for m in problem.materials if m.id == id)
        more = ", ".join(f"{a.amount} at {format_instant(a.time)}" for a in material.arrivals)
        return f"of {id} there are {material.stock}" + (f", then {more}" if more else "")
    if kind == "fixed":
        return f"{id} is fixed where it is"
    return f"the plan ends after {(problem.end - problem.start) / HOUR:.0f} h, where the calendars end"
