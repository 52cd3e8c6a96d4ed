"""Visits and the technicians who drive to them: the problem of a day or a week, and the plan that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError, shape_fault
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.money import CURRENCIES
from servitwin.domain.observation import Int64s
from servitwin.domain.travel import Place, Road, check_place, check_road, distances_m

MOST_VISITS = 2_000
PRIORITIES = (1, 2, 3, 4)  # 1 must not wait, 4 may
# What leaving a visit out counts, in money: far above what a drive costs, so that a visit is left out only for want of
# time; one of a higher priority outweighs two of the next. Larger steps would drown the cost of a drive in the search.
PRIZE = {1: 81_000.0, 2: 27_000.0, 3: 9_000.0, 4: 3_000.0}

NO_ROOM = "visit:no-room"  # why a visit is left out that somebody could make, had nobody anything else to do


class Visit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A visit to a machine's site.

    Attributes:
        work_s: seconds of work there. ``windows``: [from, to) in ns UTC; the work begins and ends within one of them.
        skills: all that one technician must have.
        priority: 1 (must not wait) to 4. ``prize``: what leaving it out costs; None: by its priority.
        load: of parts to carry, in the unit of the vans' capacity.
        tasks: ids of the maintenance tasks or work orders that are done there.
    """

    id: str
    place: Place
    work_s: int
    windows: tuple[tuple[int, int], ...]
    skills: tuple[str, ...] = ()
    priority: int = 3
    prize: float | None = None
    load: int = 0
    tasks: tuple[str, ...] = ()
    title: str = ""

    @property
    def worth(self) -> float:
        """What leaving it out counts in money."""
        return PRIZE[self.priority] if self.prize is None else self.prize


class Traveller(msgspec.Struct, frozen=True, omit_defaults=True):
    """A technician for the days that are planned: ``shifts`` in ns UTC, each begins and ends at the base.

    ``capacity``: what the van carries, in the unit of the visits' ``load``; 0: it does not matter.
    """

    id: str
    skills: tuple[str, ...]
    base: Place
    shifts: tuple[tuple[int, int], ...]
    rate_per_hour: Decimal = Decimal(0)
    rate_per_km: Decimal = Decimal(0)
    capacity: int = 0
    name: str = ""


class Matrix(msgspec.Struct, frozen=True):
    """Roads of a route planner: metres and seconds from each place to each, technicians' bases first, then visits."""

    metres: tuple[tuple[int, ...], ...]
    seconds: tuple[tuple[int, ...], ...]


class VisitProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Visits, technicians, and how long the roads are: by ``matrix``, or else by ``road``."""

    visits: tuple[Visit, ...]
    technicians: tuple[Traveller, ...]
    currency: str
    road: Road = Road()
    matrix: Matrix | None = None


class Stop(msgspec.Struct, frozen=True):
    """A visit in a route: when the technician is there (ns UTC), when the work begins and ends, and the drive to it."""

    visit: str
    arrive: int
    start: int
    end: int
    drive_m: int
    drive_s: int


class Route(msgspec.Struct, frozen=True):
    """One technician's shift: leaves the base, comes back (ns UTC), what the drive and the hours cost."""

    technician: str
    leave: int
    back: int
    stops: tuple[Stop, ...]
    home_m: int
    home_s: int
    cost: Decimal


class LeftOut(msgspec.Struct, frozen=True):
    """A visit that is in no route, and why."""

    visit: str
    code: str
    why: str


class VisitPlan(msgspec.Struct, frozen=True):
    """Routes, what is left out, and what all routes cost."""

    routes: tuple[Route, ...]
    left_out: tuple[LeftOut, ...]
    cost: Decimal
    currency: str


def read_visit_problem(problem: Mapping[str, Any]) -> VisitProblem:
    """The problem of plain data, checked.

    Raises:
        InvalidInputError: ``visits:not-understood``, or every fault of what it says.
    """
    try:
        found = msgspec.convert(problem, VisitProblem, strict=False)
    except msgspec.ValidationError as e:
        hint = "Compare it with the README of the service visit_routes"
        raise InvalidInputError(shape_fault("visits:not-understood", e, hint)) from e
    faults = check_visits(found)
    if faults:
        raise InvalidInputError(faults)
    return found


def check_visits(problem: VisitProblem) -> list[Fault]:
    """All faults at once. A visit that nobody can make is no fault: the plan says why it is left out."""
    faults = check_road(problem.road, "road")
    if problem.currency not in CURRENCIES:
        message = f"There is no currency {problem.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    for kind, ids in (("visits", [v.id for v in problem.visits]), ("technicians", [t.id for t in problem.technicians])):
        faults += [
            Fault("visits:id-twice", f"{id!r} is there twice", "Give each its own id", kind)
            for id in sorted({i for i in ids if ids.count(i) > 1})
        ]
    if len(problem.visits) > MOST_VISITS:
        message = f"{len(problem.visits)} visits are too many for a plan"
        faults.append(Fault("visits:too-many", message, f"At most {MOST_VISITS}: plan fewer days", "visits"))
    for n, visit in enumerate(problem.visits):
        faults += _check_visit(visit, f"visits[{n}]")
    for n, technician in enumerate(problem.technicians):
        faults += _check_traveller(technician, f"technicians[{n}]")
    size = len(problem.technicians) + len(problem.visits)
    if problem.matrix is not None:
        for name in ("metres", "seconds"):
            rows: tuple[tuple[int, ...], ...] = getattr(problem.matrix, name)
            if len(rows) != size or any(len(row) != size or min(row, default=0) < 0 for row in rows):
                hint = f"{size} rows of {size} numbers, none negative: technicians' bases first, then visits"
                faults.append(Fault("travel:matrix-invalid", f"{name} is no such matrix", hint, f"matrix.{name}"))
    return faults


def roads(problem: VisitProblem) -> tuple[Int64s, Int64s]:
    """Metres and seconds from each place to each: technicians' bases first, then visits."""
    if problem.matrix is not None:
        return np.array(problem.matrix.metres, np.int64), np.array(problem.matrix.seconds, np.int64)
    places = [t.base for t in problem.technicians] + [v.place for v in problem.visits]
    metres = np.rint(distances_m(places) * problem.road.detour)
    return metres.astype(np.int64), np.ceil(metres * 3.6 / problem.road.speed_kmh).astype(np.int64)


def reason_left_out(problem: VisitProblem, place: int, seconds: Int64s) -> LeftOut:
    """Why the visit at ``place`` is in no route: what nobody could do even with nothing else to do, or no room."""
    visit, first = problem.visits[place], len(problem.technicians)
    able = [n for n, t in enumerate(problem.technicians) if set(visit.skills) <= set(t.skills)]
    if not able:
        held = set[str]().union(*(t.skills for t in problem.technicians))
        nobody = [s for s in visit.skills if s not in held]
        if not problem.technicians:
            return LeftOut(visit.id, "visit:skill-missing", "There is no technician")
        told = f"Nobody has {', '.join(nobody)}" if nobody else f"Nobody has all of {', '.join(visit.skills)}"
        return LeftOut(visit.id, "visit:skill-missing", told)
    carries = [n for n in able if not problem.technicians[n].capacity or visit.load <= problem.technicians[n].capacity]
    if not carries:
        return LeftOut(visit.id, "visit:too-heavy", f"No van carries {visit.load} of parts")
    if not any(
        min(end, late) - max(start, early) >= visit.work_s * NS
        for n in carries
        for start, end in problem.technicians[n].shifts
        for early, late in visit.windows
    ):
        return LeftOut(
            visit.id, "visit:outside-all-shifts", "Its window lies outside the shifts of all who could do it"
        )
    for n in carries:
        there, home = int(seconds[n, first + place]) * NS, int(seconds[first + place, n]) * NS
        for start, end in problem.technicians[n].shifts:
            for early, late in visit.windows:
                begin = max(start + there, early)
                if begin + visit.work_s * NS <= min(late, end - home):
                    told = "No room beside visits that count more: one more shift, or a wider window, would do"
                    return LeftOut(visit.id, NO_ROOM, told)
    return LeftOut(
        visit.id, "visit:too-far", "Drive there, work and drive back do not fit into one shift and its window"
    )


def check_plan(problem: VisitProblem, plan: VisitPlan) -> list[str]:
    """What is wrong with a plan, by an independent look at each rule; empty: nothing."""
    seconds = roads(problem)[1]
    number = {v.id: n for n, v in enumerate(problem.visits)}
    people = {t.id: n for n, t in enumerate(problem.technicians)}
    first, wrong, seen = len(people), list[str](), list[str]()
    for route in plan.routes:
        base = people[route.technician]
        technician, at, here = problem.technicians[base], route.leave, base
        if not any(s <= route.leave and route.back <= e for s, e in technician.shifts):
            wrong.append(f"{route.technician} works outside the shift")
        if sum(problem.visits[number[s.visit]].load for s in route.stops) > technician.capacity > 0:
            wrong.append(f"{route.technician} carries too much")
        for stop in route.stops:
            visit, to = problem.visits[number[stop.visit]], first + number[stop.visit]
            seen.append(stop.visit)
            if stop.arrive < at + int(seconds[here, to]) * NS or stop.start < stop.arrive:
                wrong.append(f"{stop.visit} begins before the technician can be there")
            if stop.end - stop.start != visit.work_s * NS:
                wrong.append(f"{stop.visit} is not given its time")
            if not any(a <= stop.start and stop.end <= b for a, b in visit.windows):
                wrong.append(f"{stop.visit} lies outside its windows")
            if not set(visit.skills) <= set(technician.skills):
                wrong.append(f"{route.technician} lacks a skill for {stop.visit}")
            at, here = stop.end, to
        if route.stops and route.back < at + int(seconds[here, base]) * NS:
            wrong.append(f"{route.technician} cannot be back in time")
        if route.cost != route_cost(technician, route.back - route.leave, _driven(route)):
            wrong.append(f"the cost of {route.technician} is not the sum of its parts")
    left = [x.visit for x in plan.left_out]
    if sorted([*seen, *left]) != sorted(number):
        wrong.append("not every visit is planned or left out exactly once")
    if plan.cost != sum((r.cost for r in plan.routes), Decimal(0)):
        wrong.append("the cost is not the sum of the routes")
    return wrong


def route_cost(technician: Traveller, length: int, metres: int) -> Decimal:
    """What a shift costs of ``length`` ns and ``metres`` driven, to the cent."""
    exact = technician.rate_per_hour * length / HOUR + technician.rate_per_km * metres / 1000
    return round(exact, 2)


def _driven(route: Route) -> int:
    return sum(s.drive_m for s in route.stops) + route.home_m


def _check_visit(visit: Visit, where: str) -> list[Fault]:
    faults = check_place(visit.place, f"{where}.place")
    if not 0 <= visit.work_s <= 30 * 86_400:
        faults.append(Fault("visits:work-invalid", f"{visit.work_s} s of work", "0 to 30 days", f"{where}.work_s"))
    if not visit.windows:
        hint = "Give at least one window, however wide"
        faults.append(Fault("visits:no-window", f"{visit.id} has no window", hint, f"{where}.windows"))
    faults += _stretches(visit.windows, visit.id, f"{where}.windows")
    if visit.priority not in PRIORITIES:
        message = f"{visit.priority} is no priority"
        faults.append(Fault("visits:priority-invalid", message, "1 (must not wait) to 4", f"{where}.priority"))
    if visit.load < 0 or (visit.prize is not None and not 0 <= visit.prize <= 1e9):
        hint = "Load and prize are zero or more"
        faults.append(Fault("visits:cost-negative", f"{visit.id} weighs or is worth less than nothing", hint, where))
    return faults


def _check_traveller(technician: Traveller, where: str) -> list[Fault]:
    faults = check_place(technician.base, f"{where}.base")
    faults += _stretches(technician.shifts, technician.id, f"{where}.shifts")
    if min(technician.rate_per_hour, technician.rate_per_km, Decimal(technician.capacity)) < 0:
        message = f"{technician.id} has a negative rate or capacity"
        faults.append(Fault("technician:rate-negative", message, "Give zero or more", where))
    return faults


def _stretches(pairs: Sequence[tuple[int, int]], name: str, where: str) -> list[Fault]:
    return [
        Fault("visits:stretch-reversed", f"A stretch of {name} ends before it begins", "Check both", f"{where}[{n}]")
        for n, (start, end) in enumerate(pairs)
        if end <= start
    ]
