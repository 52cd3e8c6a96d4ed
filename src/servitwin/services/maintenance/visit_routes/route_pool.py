"""Routes that were seen on the way, and the best plan that can be put together of them.

Local search changes a few routes at a time and keeps a plan or drops it whole; good routes are lost with bad
neighbours. So all feasible routes are kept, of plans that were dropped too, and now and then the best choice among them
is found: each shift drives one route at most and each visit is made at most once (set packing; the heuristic of Foster
and Ryan 1976, as in Rochat and Taillard 1995).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import numpy as np
from ortools.sat.python import cp_model
from pyvrp import ProblemData, Route, Solution
from scipy.optimize import linprog
from scipy.sparse import csc_array

from servitwin.domain.observation import Floats, Int64s

FEW = 4  # routes for each shift and visit that are tried first
NEAR = 1e-3  # of what the routes of a plan cost: how near to the best choice of routes is near enough
MOST, ROOM = 20_000, 3  # routes that are kept, those that fit least go first; how many times as many until then
_Driven = tuple[int, tuple[int, ...]]  # a route: shift, and its visits (as clients) in order


class RoutePool:
    """Routes by shift and visits, each with its cost.

    Args:
        visits: of each client the visit that it stands for; a visit with several windows is several clients.
    """

    def __init__(self, data: ProblemData, visits: Sequence[int]) -> None:
        self._data, self._visits = data, visits
        self._cost: dict[_Driven, int] = {}

    def add(self, solution: Solution) -> None:
        """Keep the routes of a plan that can be driven, whether the plan as a whole can or not."""
        if len(self._cost) > ROOM * MOST:
            return
        for route in solution.routes():
            if route.is_feasible():
                self._cost.setdefault(_driven(route), _cost(route))

    def best(self, known: Solution, limit_s: float) -> Solution:
        """The best plan of the routes kept that is found in time, or ``known`` where none is better.

        A route whose reduced cost in the relaxed problem is more than what a plan costs above the relaxed optimum is
        part of no better plan. So a plan is made of the few routes that fit best, and then, unless that proves it the
        best, of those that a better one could have.
        """
        self.add(known)
        until = time.monotonic() + limit_s
        routes = list(self._cost)
        if not routes:
            return known
        cost = np.array([self._cost[r] for r in routes], np.int64)
        once = self._once(routes)
        ones = np.ones(once.shape[0])
        relaxed = linprog(cost, A_ub=once, b_ub=ones, method="highs", options={"time_limit": limit_s})
        if not relaxed.success:
            self._forget(routes[:-MOST])
            return known
        reduced: Floats = cost - once.T @ relaxed.ineqlin.marginals
        self._forget([routes[n] for n in np.argsort(reduced)[MOST:]])
        total, chosen = cost_of(known), list[int]()
        near = NEAR * (total + sum(r.prizes() for r in known.routes()))
        fitting = np.sort(reduced)[min(len(reduced), FEW * len(ones)) - 1]
        while (left := until - time.monotonic()) > 0:
            among = np.flatnonzero(reduced <= min(fitting, total - relaxed.fun))
            found = _choose(cost[among], once[:, among], near, left)
            if found is not None and found[0] < total:
                total, chosen = found[0], list(among[found[1]])
            if fitting >= total - relaxed.fun:
                break
            fitting = np.inf
        return self._solution([routes[n] for n in chosen]) if chosen else known

    def _once(self, routes: Sequence[_Driven]) -> csc_array:
        """Which shifts and visits (rows) each route (columns) takes."""
        shifts = self._data.num_vehicle_types
        rows = [[shift, *(shifts + self._visits[c] for c in clients)] for shift, clients in routes]
        ends = np.cumsum([0, *map(len, rows)])
        taken = np.concatenate([np.array(r) for r in rows])
        shape = (shifts + max(self._visits) + 1, len(routes))
        return csc_array((np.ones(len(taken)), taken, ends), shape=shape)

    def _forget(self, routes: Sequence[_Driven]) -> None:
        for route in routes:
            del self._cost[route]

    def _solution(self, routes: Sequence[_Driven]) -> Solution:
        return Solution(self._data, [Route(self._data, list(clients), shift) for shift, clients in routes])


def _choose(cost: Int64s, once: csc_array, near: float, limit_s: float) -> tuple[int, list[int]] | None:
    """The cheapest columns with at most one in each row, within ``near`` of the best; None: none found in time."""
    model = cp_model.CpModel()
    taken = [model.new_bool_var("") for _ in cost]
    rows = once.tocsr()
    for start, end in itertools.pairwise(rows.indptr):
        model.add_at_most_one(taken[n] for n in rows.indices[start:end])
    model.minimize(sum(int(c) * t for c, t in zip(cost, taken, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.absolute_gap_limit = near
    # One worker with the whole relaxation beats two that share a machine of two cores, and each says the same again.
    solver.parameters.num_workers, solver.parameters.linearization_level = 1, 2
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return round(solver.objective_value), [n for n, t in enumerate(taken) if solver.boolean_value(t)]


def cost_of(solution: Solution) -> int:
    """What a plan costs less the prizes that it earns, in units of the search."""
    return sum(map(_cost, solution.routes()))


def _cost(route: Route) -> int:
    return route.distance_cost() + route.duration_cost() - route.prizes()


def _driven(route: Route) -> _Driven:
    return route.vehicle_type(), tuple(a.idx for a in route.schedule() if a.is_client())
