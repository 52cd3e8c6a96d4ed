"""The search for routes: the problem in PyVRP's terms, and its answers in ours.

A technician's shift is a vehicle; skills are a routing profile in which the way to a visit that needs others is closed;
a visit with several windows is a group of clients of which at most one is visited.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
from pyvrp import (
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    RandomNumberGenerator,
    Solution,
    VehicleType,
)
from pyvrp.constants import MAX_VALUE
from pyvrp.IteratedLocalSearch import (
    IteratedLocalSearch,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
)
from pyvrp.PenaltyManager import PenaltyManager, PenaltyParams
from pyvrp.search import OPERATORS, LocalSearch, NeighbourhoodParams, PerturbationManager, compute_neighbours

from servitwin.domain.instant import NS
from servitwin.domain.observation import Int64s
from servitwin.domain.visit_problem import (
    NO_ROOM,
    LeftOut,
    Route,
    Stop,
    VisitPlan,
    VisitProblem,
    reason_left_out,
    roads,
    route_cost,
)
from servitwin.sdk.anytime import newest
from servitwin.services.maintenance.visit_routes.route_pool import RoutePool, cost_of

UNIT = 10_000  # of money in the search: a hundredth of a cent
CLOSED = 100_000_000  # metres' cost and seconds of a way that is closed: three years, and no overflow times a penalty
PENALTY, HARDEST = 1e5, 1e6  # of a second too late, in units: a visit's worth must not outweigh a few minutes
NEIGHBOURS, HISTORY, BACK_AFTER = 30, 20, 500  # for searches of a second, where the library is set for minutes
TRIES = 3  # for each visit, which makes a search short
SMALL, SEARCHES, SMALL_TRIES = 30, 3, 1_000  # visits of a small problem, and what is enough for it
THREADS = 2
EVERY = 3  # of how many tries one plan's routes are kept: neighbours differ in little
FIRST_S, GROWTH, LONGEST_S = 2.0, 1.5, 20.0  # search before routes are combined; how much longer the next time
SHARE, LAST, LEAST_S = 0.5, 1.5, 0.1  # time to combine: at most, of the search before; at the end, of the last; least
_Shift = tuple[int, int, int]  # technician, start and end in seconds after the origin


class _Model:
    """The problem as PyVRP wants it, with what each of its indices stands for."""

    def __init__(self, problem: VisitProblem) -> None:
        self.problem = problem
        self.metres, self.seconds = roads(problem)
        self.people = len(problem.technicians)
        self.origin = min(s for t in problem.technicians for s, _ in t.shifts)
        self.shifts: list[_Shift] = [
            (n, _up(s - self.origin), (e - self.origin) // NS)
            for n, t in enumerate(problem.technicians)
            for s, e in t.shifts
        ]
        self.client_visit: list[int] = []
        self.data = self._data()

    def _data(self) -> ProblemData:
        problem = self.problem
        clients, groups = list[Client](), list[ClientGroup]()
        for n, visit in enumerate(problem.visits):
            # What nobody could do with nothing else to do stays out: its prize would only mislead the search.
            if reason_left_out(problem, n, self.seconds).code != NO_ROOM:
                continue
            open_ = [w for a, b in visit.windows if (w := self._window(a, b, visit.work_s)) is not None]
            if len(open_) > 1:
                groups.append(ClientGroup(required=False))
            for early, late in open_:
                group = len(groups) - 1 if len(open_) > 1 else None
                if group is not None:
                    groups[group].add_client(len(clients))
                clients.append(
                    Client(
                        self.people + n, delivery=[visit.load], service_duration=visit.work_s, tw_early=early,
                        tw_late=late, prize=round(visit.worth * UNIT), required=False, group=group,
                    )
                )  # fmt: skip
                self.client_visit.append(n)
        free = _free(problem)
        profiles: dict[tuple[tuple[bool, ...], float], int] = {}
        vehicles = []
        for person, start, end in self.shifts:
            technician = problem.technicians[person]
            able = tuple(set(v.skills) <= set(technician.skills) for v in problem.visits)
            metre = 1.0 if free else float(technician.rate_per_km) * UNIT / 1000
            profile = profiles.setdefault((able, metre), len(profiles))
            vehicles.append(
                VehicleType(
                    1, [technician.capacity or MAX_VALUE], person, person, tw_early=start, tw_late=end,
                    unit_duration_cost=0 if free else round(float(technician.rate_per_hour) * UNIT / 3600),
                    profile=profile,
                )
            )  # fmt: skip
        places = [
            Location(p.lon, p.lat) for p in (*(t.base for t in problem.technicians), *(v.place for v in problem.visits))
        ]
        return ProblemData(
            places, clients, [Depot(n) for n in range(self.people)], vehicles,
            [self._closed(np.rint(self.metres * metre).astype(np.int64), able) for able, metre in profiles],
            [self._closed(self.seconds, able) for able, _ in profiles], groups,
        )  # fmt: skip

    def _window(self, start: int, end: int, work_s: int) -> tuple[int, int] | None:
        """When the work may begin, in seconds after the origin; None: not in the time that is planned."""
        early, late = max(0, _up(start - self.origin)), (end - self.origin) // NS - work_s
        return (early, late) if early <= late else None

    def _closed(
        self, matrix: Int64s, able: Sequence[bool]
    ) -> Any:  # the library types its matrices in a form that numpy does not have
        """The matrix with the ways to visits closed for which a skill is missing."""
        found = matrix.copy()
        unable = self.people + np.flatnonzero(~np.array(able, np.bool_))
        found[:, unable] = CLOSED
        found[unable, unable] = 0
        return found

    def told(self, solution: Solution) -> VisitPlan:
        """A solution in our words, with the reason for each visit that it leaves out."""
        routes, seen = [], set[int]()
        for route in solution.routes():
            visits = [self.client_visit[a.idx] for a in route.schedule() if a.is_client()]
            windows = [self.data.client(a.idx).tw_early for a in route.schedule() if a.is_client()]
            seen.update(visits)
            if visits:
                routes.append(self._route(self.shifts[route.vehicle_type()][0], route.start_time(), visits, windows))
        left = [
            reason_left_out(self.problem, n, self.seconds) for n in range(len(self.problem.visits)) if n not in seen
        ]
        routes.sort(key=lambda r: (r.leave, r.technician))
        return _plan(self.problem, routes, left)

    def _route(self, person: int, leave_s: int, visits: list[int], early_s: list[int]) -> Route:
        technician, stops = self.problem.technicians[person], list[Stop]()
        leave = self.origin + leave_s * NS
        at, here = leave, person
        for visit, early in zip(visits, early_s, strict=True):
            to = self.people + visit
            metres, seconds = int(self.metres[here, to]), int(self.seconds[here, to])
            arrive = at + seconds * NS
            start = max(arrive, self.origin + early * NS)
            at, here = start + self.problem.visits[visit].work_s * NS, to
            stops.append(Stop(self.problem.visits[visit].id, arrive, start, at, metres, seconds))
        metres, seconds = int(self.metres[here, person]), int(self.seconds[here, person])
        back = at + seconds * NS
        driven = metres + sum(s.drive_m for s in stops)
        cost = route_cost(technician, back - leave, driven)
        return Route(technician.id, leave, back, tuple(stops), metres, seconds, cost)


def search(problem: VisitProblem, budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[VisitPlan]:
    """Better and better plans; the search ends when the caller stops listening."""
    model = _Model(problem)
    if not model.client_visit:
        yield nothing_to_do(problem)
        return
    until = time.monotonic() + budget / NS

    def work(put: Callable[[Solution], None], closed: threading.Event) -> None:
        def over() -> bool:
            return closed.is_set() or time.monotonic() >= until or cancel()

        searching = _Searching(model, seed, until, over, put)
        if len(problem.visits) <= SMALL:
            searching.once()
        else:
            searching.until_over()

    found = False
    for solution in newest(work, "visit-routes"):
        found = True
        yield model.told(solution)
    if not found:
        yield nothing_to_do(problem)


class _Searching(IteratedLocalSearchCallbacks):
    """Short searches from nothing, each by other chances, and the best choice among all routes that they came by.

    One long search stays near where it began: after ten minutes its plan costs more than what is put together of many
    short ones within ten seconds (docs/decisions/0229).
    """

    def __init__(
        self, model: _Model, seed: int, until: float, over: Callable[[], bool], put: Callable[[Solution], None]
    ) -> None:
        super().__init__()
        self._data, self._until, self._over, self._put = model.data, until, over, put
        self._seeds = itertools.count(seed + 1)  # of each search its own
        self._lock = threading.Lock()
        self._pool = RoutePool(model.data, model.client_visit)
        self._tries = TRIES * len(model.problem.visits)
        self._best, self._steps = Solution(model.data, []), 0

    def on_iteration(self, curr: Solution, cand: Solution, best: Solution, cost_evaluator: object) -> None:
        """Routes of a plan that was tried are kept, whatever becomes of the plan."""
        self._steps += 1
        if self._steps % EVERY == 0:
            self._pool.add(cand)

    def on_best(self, best: Solution) -> None:
        """Pass on what can be done and is better; the rest is only a step of a search."""
        if best.is_feasible():
            self._pool.add(best)
            with self._lock:
                if cost_of(best) < cost_of(self._best):
                    self._best = best
                    self._put(best)

    def once(self) -> None:
        """A few searches, and their routes combined: a small problem gains nothing by more."""
        for _ in range(SEARCHES):
            self._search(None, SMALL_TRIES, self._until)
        self._combine(self._until)

    def until_over(self) -> None:
        """Search and combine in turns; combining takes about a fifth of the time, and the end of it."""
        gather, took = FIRST_S, 0.0
        while not self._over():
            began = time.monotonic()
            end = min(began + gather, self._until - LAST * took)
            self._gather(end)
            if began < end:  # else no time is left to combine once more, and plans are only improved
                began = time.monotonic()
                self._combine(min(self._until, began + SHARE * gather))
                took = time.monotonic() - began
                gather = min(max(GROWTH * gather, 4 * took), LONGEST_S)

    def _gather(self, end: float) -> None:
        """Search until then in threads, which the library lets run at once; one goes on from the best plan first."""

        def anew() -> None:
            while time.monotonic() < end and not self._over():
                self._search(None, self._tries, end)

        with ThreadPoolExecutor(THREADS, "visit-routes") as threads:
            others = [threads.submit(anew) for _ in range(THREADS - 1)]
            self._search(self._best, self._tries, max(end, time.monotonic() + LEAST_S))
            anew()
            for other in others:
                other.result()

    def _search(self, start: Solution | None, tries: int, end: float) -> None:
        """PyVRP's search as its own ``solve`` puts it together, but begun with no visit at all.

        Its own beginning, visits at random, leads through ways that are closed, and milder penalties to plans that
        visit all and keep no time: a visit is worth far more than a late hour costs.
        """
        near = compute_neighbours(self._data, NeighbourhoodParams(num_neighbours=NEIGHBOURS))
        local = LocalSearch(
            self._data, RandomNumberGenerator(seed=next(self._seeds) % 2**32), near, PerturbationManager()
        )
        for operator in OPERATORS:
            if operator.supports(self._data):
                local.add_operator(operator(self._data))
        initial = ([PENALTY] * self._data.num_load_dimensions, PENALTY, PENALTY)
        penalties = PenaltyManager(initial, PenaltyParams(max_penalty=HARDEST))
        if start is None or not start.num_clients():
            start = local(Solution(self._data, []), penalties.max_cost_evaluator(), exhaustive=True)
            self.on_best(start)
        left = tries

        def stop(best_cost: int) -> bool:
            nonlocal left
            left -= 1
            return left < 0 or time.monotonic() >= end or self._over()

        params = IteratedLocalSearchParams(num_iters_no_improvement=BACK_AFTER, history_length=HISTORY, callbacks=self)
        IteratedLocalSearch(self._data, penalties, local, start, params).run(stop, collect_stats=False)

    def _combine(self, until: float) -> None:
        if not self._over():
            self.on_best(self._pool.best(self._best, max(LEAST_S, until - time.monotonic())))


def nothing_to_do(problem: VisitProblem) -> VisitPlan:
    """The plan without any route: what nobody can do, or nothing at all."""
    seconds = roads(problem)[1] if problem.visits else np.zeros((0, 0), np.int64)
    return _plan(problem, [], [reason_left_out(problem, n, seconds) for n in range(len(problem.visits))])


def value_of(problem: VisitProblem, plan: VisitPlan) -> float:
    """What a plan costs with what is left out; where hours and kilometres cost nothing, kilometres count one each."""
    worth = {v.id: v.worth for v in problem.visits}
    value = float(plan.cost) + sum(worth[x.visit] for x in plan.left_out)
    if _free(problem):
        value += sum(r.home_m + sum(s.drive_m for s in r.stops) for r in plan.routes) / 1000
    return round(value, 3)


def lower_bound(problem: VisitProblem) -> float:
    """What no plan can be below: each visit needs a drive to it and its work, or is left out for its prize."""
    if not problem.visits:
        return 0.0
    metres, seconds = roads(problem)
    people, total = len(problem.technicians), 0.0
    for n, visit in enumerate(problem.visits):
        least = visit.worth
        ways = np.delete(np.arange(people + len(problem.visits)), people + n)
        for technician in problem.technicians:
            if set(visit.skills) <= set(technician.skills):
                hour, km = float(technician.rate_per_hour), float(technician.rate_per_km)
                drive = (seconds[ways, people + n] * hour / 3600 + metres[ways, people + n] * km / 1000).min()
                least = min(least, float(drive) + visit.work_s * hour / 3600)
        total += least
    return max(0.0, total - 0.01 * people)  # a route's cost is rounded to the cent


def _plan(problem: VisitProblem, routes: list[Route], left: list[LeftOut]) -> VisitPlan:
    return VisitPlan(tuple(routes), tuple(left), sum((r.cost for r in routes), Decimal(0)), problem.currency)


def _up(ns: int) -> int:
    return -(-ns // NS)


def _free(problem: VisitProblem) -> bool:
    return all(t.rate_per_hour == 0 == t.rate_per_km for t in problem.technicians)
