"""Placing maintenance into the production schedule where it costs least: the problem and the plan that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError, shape_fault
from servitwin.domain.instant import NS
from servitwin.domain.machine_occupation import MOST_COST, MachineOccupation, check_occupation
from servitwin.domain.maintenance_task import PartNeed
from servitwin.domain.money import CURRENCIES
from servitwin.domain.observation import Floats, Int64s

MOST_TASKS = 500
LEAVING_OUT = Decimal(100_000)  # what it counts to leave a task out: far above what a good place costs


class PlacementTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task to be placed.

    Attributes:
        duration_s: seconds of work, without a break. earliest, latest: ns UTC; it begins and ends within.
        waiting: (ns UTC, cost) in order of time: what the risk of beginning then costs, linear between; it may be
            negative.
        site: tasks of one site that a technician does in one shift share a visit.
    """

    id: str
    machine: str
    duration_s: int
    earliest: int
    latest: int
    title: str = ""
    skills: tuple[str, ...] = ()
    parts: tuple[PartNeed, ...] = ()
    waiting: tuple[tuple[int, float], ...] = ()
    stops_machine: bool = True
    site: str = ""

    def risk(self, starts: Int64s) -> Floats:
        """What waiting until each start costs."""
        if not self.waiting:
            return np.zeros(len(starts))
        at, cost = zip(*self.waiting, strict=True)
        # Relative to the first instant: nanoseconds since 1970 are beyond what a float can tell apart.
        return np.asarray(np.interp((starts - at[0]).astype(np.float64), np.array(at) - at[0], cost))


class PlacementTechnician(msgspec.Struct, frozen=True, omit_defaults=True):
    """A technician: ``shifts`` in ns UTC, each a stretch of work without a break."""

    id: str
    skills: tuple[str, ...]
    shifts: tuple[tuple[int, int], ...]
    rate_per_hour: Decimal = Decimal(0)


class PlacementPart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A spare part: pieces at hand, and when (ns UTC) more are there if they are ordered now; None: not known."""

    id: str
    stock: int
    arrives: int | None = None


class PlacementProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tasks, machines, technicians and parts at ``now`` (ns UTC).

    Attributes:
        visit_cost: of each visit (a technician's stay at a site) beside the work; site_cost: where it differs, by site.
        visit_s: the drive between two sites.
        step_s: begin of work is looked for at multiples of it, and where the cost of an hour changes.
    """

    now: int
    currency: str
    machines: tuple[MachineOccupation, ...]
    tasks: tuple[PlacementTask, ...]
    technicians: tuple[PlacementTechnician, ...]
    parts: tuple[PlacementPart, ...] = ()
    visit_cost: Decimal = Decimal(0)
    site_cost: dict[str, Decimal] = {}
    visit_s: int = 0
    step_s: int = 900

    def fee(self, site: str) -> Decimal:
        """What a visit to a site costs."""
        return self.site_cost.get(site, self.visit_cost)


class Choice(msgspec.Struct, frozen=True):
    """A begin (ns UTC) and what it costs: lost production, risk of waiting, labour, and all of these; no visit."""

    start: int
    lost: float
    risk: float
    labour: float
    cost: float


class PlacedTask(msgspec.Struct, frozen=True):
    """A task with its place, what it costs there, at once and as late as it may be (by itself), and why there."""

    task: str
    technician: str
    start: int
    end: int
    chosen: Choice
    at_once: Choice
    at_last: Choice
    cheapest: Choice
    why: tuple[str, ...]


class PlacedVisit(msgspec.Struct, frozen=True):
    """Tasks that one technician does at one site in one shift (``shift``: its begin)."""

    technician: str
    site: str
    shift: int
    tasks: tuple[str, ...]
    cost: float


class NotPlaced(msgspec.Struct, frozen=True):
    """A task without a place, and why."""

    task: str
    code: str
    why: str


class PlacementPlan(msgspec.Struct, frozen=True):
    """The whole plan: ``cost`` of tasks and visits; ``at_once``: of doing each task alone as soon as it can be."""

    placed: tuple[PlacedTask, ...]
    visits: tuple[PlacedVisit, ...]
    left_out: tuple[NotPlaced, ...]
    cost: float
    at_once: float
    currency: str


def read_placement(problem: Mapping[str, Any]) -> PlacementProblem:
    """The problem of plain data, checked.

    Raises:
        InvalidInputError: ``placement:not-understood``, or every fault of what it says.
    """
    try:
        found = msgspec.convert(problem, PlacementProblem, strict=False)
    except msgspec.ValidationError as e:
        hint = "Compare it with the README of the service maintenance_plan"
        raise InvalidInputError(shape_fault("placement:not-understood", e, hint)) from e
    faults = check_placement(found)
    if faults:
        raise InvalidInputError(faults)
    return found


def check_placement(problem: PlacementProblem) -> list[Fault]:
    """All faults at once. A task that cannot be placed is no fault: the plan says why it is left out."""
    faults = [f for n, m in enumerate(problem.machines) for f in check_occupation(m, f"machines[{n}]")]
    faults += [
        Fault("placement:currency-mixed", f"{m.machine} counts in {m.currency}", "One currency in a plan", "machines")
        for m in problem.machines
        if m.currency != problem.currency
    ]
    if problem.currency not in CURRENCIES:
        message = f"There is no currency {problem.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    for kind, ids in (
        ("tasks", [t.id for t in problem.tasks]), ("technicians", [t.id for t in problem.technicians]),
        ("machines", [m.machine for m in problem.machines]), ("parts", [p.id for p in problem.parts]),
    ):  # fmt: skip
        faults += [
            Fault("placement:id-twice", f"{id!r} is there twice", "Give each its own id", kind)
            for id in sorted({i for i in ids if ids.count(i) > 1})
        ]
    if len(problem.tasks) > MOST_TASKS:
        hint = f"At most {MOST_TASKS}: plan each site by itself"
        faults.append(Fault("placement:too-many", f"{len(problem.tasks)} tasks are too many for a plan", hint, "tasks"))
    machines, parts = {m.machine for m in problem.machines}, {p.id for p in problem.parts}
    for n, task in enumerate(problem.tasks):
        faults += _check_task(task, problem.now, machines, parts, f"tasks[{n}]")
    for n, technician in enumerate(problem.technicians):
        if not technician.rate_per_hour.is_finite() or not 0 <= technician.rate_per_hour <= MOST_COST:
            message, hint = f"{technician.rate_per_hour} is no rate", f"Zero to {MOST_COST:.0e}"
            faults.append(Fault("technician:rate-negative", message, hint, f"technicians[{n}]"))
        if any(end <= start for start, end in technician.shifts):
            message = f"A shift of {technician.id} ends before it begins"
            faults.append(Fault("placement:stretch-reversed", message, "Check both times", f"technicians[{n}].shifts"))
    fees = [problem.visit_cost, *problem.site_cost.values()]
    if not all(f.is_finite() and 0 <= f <= MOST_COST for f in fees) or problem.visit_s < 0:
        hint = f"Zero to {MOST_COST:.0e}"
        faults.append(Fault("placement:cost-negative", "That is no cost of a visit", hint, "visit_cost"))
    if not 60 <= problem.step_s <= 86_400:
        faults.append(Fault("placement:step-invalid", f"{problem.step_s} s is no step", "60 to 86 400", "step_s"))
    return faults


def reason_not_placed(problem: PlacementProblem, task: PlacementTask) -> NotPlaced:
    """Why a task has no place: the first thing that excludes every begin, or else that others count more."""
    able = [t for t in problem.technicians if set(task.skills) <= set(t.skills)]
    if not able:
        nobody = sorted(set(task.skills).difference(*(t.skills for t in problem.technicians)))
        told = f"Nobody has {', '.join(nobody)}" if nobody else f"Nobody has all of {', '.join(task.skills)}"
        return NotPlaced(task.id, "task:skill-missing", told)
    length = task.duration_s * NS
    if not any(min(e, task.latest) - max(s, task.earliest, problem.now) >= length for t in able for s, e in t.shifts):
        longest = max((e - s for t in able for s, e in t.shifts), default=0)
        if longest < length:
            told = "The work is longer than any shift of those who can do it: split it into parts"
            return NotPlaced(task.id, "task:longer-than-a-shift", told)
        return NotPlaced(task.id, "task:outside-all-shifts", "No shift of those who can do it lies in its window")
    ready = parts_ready(problem, task)
    if ready is None:
        missing = _missing(problem, task)
        return NotPlaced(task.id, "part:no-lead-time", f"{missing} is not at hand, and nobody knows when it could be")
    if not any(min(e, task.latest) - max(s, task.earliest, ready) >= length for t in able for s, e in t.shifts):
        told = f"{_missing(problem, task)} comes too late for its window"
        return NotPlaced(task.id, "part:too-late", told)
    told = "No room beside tasks that count more: one more shift, or a wider window, would do"
    return NotPlaced(task.id, "task:no-room", told)


def parts_ready(problem: PlacementProblem, task: PlacementTask) -> int | None:
    """When (ns UTC) all parts of a task can be at hand if no other task takes them; None: nobody knows."""
    at = problem.now
    held = {p.id: p for p in problem.parts}
    for need in task.parts:
        part = held[need.part]
        if need.quantity > part.stock:
            if part.arrives is None:
                return None
            at = max(at, part.arrives)
    return at


def check_plan(problem: PlacementProblem, plan: PlacementPlan) -> list[str]:
    """What is wrong with a plan, by an independent look at each rule; empty: nothing."""
    tasks, people = {t.id: t for t in problem.tasks}, {t.id: t for t in problem.technicians}
    machines = {m.machine: m for m in problem.machines}
    wrong = list[str]()
    if sorted([p.task for p in plan.placed] + [x.task for x in plan.left_out]) != sorted(tasks):
        wrong.append("not every task is placed or left out exactly once")
    for placed in plan.placed:
        task, person = tasks[placed.task], people[placed.technician]
        if placed.end - placed.start != task.duration_s * NS:
            wrong.append(f"{task.id} is not given its time")
        if placed.start < max(task.earliest, problem.now) or placed.end > task.latest:
            wrong.append(f"{task.id} lies outside its window")
        if not set(task.skills) <= set(person.skills):
            wrong.append(f"{person.id} lacks a skill for {task.id}")
        if not any(s <= placed.start and placed.end <= e for s, e in person.shifts):
            wrong.append(f"{task.id} lies outside the shifts of {person.id}")
        fixed = [t for t in machines[task.machine].taken if t.fixed and task.stops_machine]
        if any(t.start < placed.end and placed.start < t.end for t in fixed):
            wrong.append(f"{task.id} meets a stretch that is fixed")
    for a, b in _neighbours(plan.placed, lambda p: p.technician):
        gap = problem.visit_s * NS if site_of(tasks[a.task]) != site_of(tasks[b.task]) else 0
        if b.start < a.end + gap:
            wrong.append(f"{a.technician} cannot do {a.task} and then {b.task}")
    stays: dict[tuple[str, int], list[str]] = {}
    for placed in sorted(plan.placed, key=lambda p: p.start):
        shift = next((s for s, e in people[placed.technician].shifts if s <= placed.start < e), 0)
        stays.setdefault((placed.technician, shift), []).append(site_of(tasks[placed.task]))
    wrong += [
        f"{who} goes to {site} twice in a shift"
        for (who, _), sites in stays.items()
        for site in sorted(set(sites))
        if len([s for s, before in zip(sites, ["", *sites], strict=False) if s == site != before]) > 1
    ]
    for a, b in _neighbours(plan.placed, lambda p: tasks[p.task].machine):
        if b.start < a.end:
            wrong.append(f"{a.task} and {b.task} meet on one machine")
    for part in problem.parts:
        early = sum(
            need.quantity
            for p in plan.placed
            for need in tasks[p.task].parts
            if need.part == part.id and (part.arrives is None or p.start < part.arrives)
        )
        if early > part.stock:
            wrong.append(f"{early} pieces of {part.id} are used before more arrive")
    return wrong


def site_of(task: PlacementTask) -> str:
    """The site that a task's visit goes to; a machine without one is a site by itself."""
    return task.site or task.machine


def _neighbours(placed: Sequence[PlacedTask], key: Any) -> list[tuple[PlacedTask, PlacedTask]]:
    groups: dict[str, list[PlacedTask]] = {}
    for p in sorted(placed, key=lambda p: p.start):
        groups.setdefault(key(p), []).append(p)
    return [pair for g in groups.values() for pair in pairwise(g)]


def _missing(problem: PlacementProblem, task: PlacementTask) -> str:
    held = {p.id: p.stock for p in problem.parts}
    return ", ".join(n.part for n in task.parts if n.quantity > held[n.part])


def _check_task(task: PlacementTask, now: int, machines: set[str], parts: set[str], where: str) -> list[Fault]:
    faults = []
    if task.machine not in machines:
        hint = "Give its planned time among machines"
        faults.append(Fault("placement:machine-unknown", f"There is no machine {task.machine!r}", hint, where))
    if not 0 < task.duration_s <= 30 * 86_400:
        message = f"{task.duration_s} s is no duration"
        faults.append(Fault("task:duration-invalid", message, "Above 0, at most 30 days", f"{where}.duration_s"))
    if task.latest <= now:
        message = f"{task.id} was due before now"
        hint = "Give it a new window: what is overdue is best done in the next days"
        faults.append(Fault("task:due-in-the-past", message, hint, f"{where}.latest"))
    elif task.latest - max(task.earliest, now) < task.duration_s * NS:
        message = f"The window of {task.id} is shorter than the work"
        faults.append(Fault("task:window-too-short", message, "Widen it", f"{where}.latest"))
    for need in task.parts:
        if need.part not in parts:
            hint = "Put it into the register of spare parts"
            faults.append(Fault("part:unknown", f"{task.id} needs {need.part[:80]!r}, which is no part", hint, where))
        if need.quantity < 1:
            faults.append(Fault("task:quantity-invalid", f"{need.quantity} of {need.part}", "1 or more", where))
    times = [at for at, _ in task.waiting]
    if any(b <= a for a, b in pairwise(times)) or any(not abs(c) <= MOST_COST for _, c in task.waiting):
        message = f"The cost of waiting of {task.id} is no curve"
        faults.append(
            Fault("task:waiting-invalid", message, f"Times rise, costs are up to {MOST_COST:.0e}", f"{where}.waiting")
        )
    return faults
