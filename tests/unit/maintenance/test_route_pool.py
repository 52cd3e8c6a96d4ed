"""The best choice among routes that were seen: all choices tried, and what may not be chosen together."""

from __future__ import annotations

import itertools
import random

import pytest
from pyvrp import Route, Solution

from servitwin.domain.visit_problem import read_visit_problem
from servitwin.services.maintenance.visit_routes.route_pool import RoutePool, cost_of
from servitwin.services.maintenance.visit_routes.search import _Model
from tests.unit.maintenance.test_visit_routes import some_problem


def drawn(model: _Model, routes: int, random_: random.Random) -> list[Route]:
    """Routes by chance that can be driven."""
    found = dict[tuple[int, tuple[int, ...]], Route]()
    while len(found) < routes:
        shift = random_.randrange(model.data.num_vehicle_types)
        clients = random_.sample(range(model.data.num_clients), random_.choice([1, 1, 2, 3]))
        route = Route(model.data, clients, shift)
        visits = {model.client_visit[c] for c in clients}
        if route.is_feasible() and len(visits) == len(clients):
            found[shift, tuple(clients)] = route
    return list(found.values())


def cheapest(model: _Model, routes: list[Route]) -> int:
    """All choices tried: one route at most of each shift, each visit once at most."""
    choices = [[None, *(r for r in routes if r.vehicle_type() == v)] for v in range(model.data.num_vehicle_types)]
    best = 0
    for choice in itertools.product(*choices):
        chosen = [r for r in choice if r is not None]
        visits = [model.client_visit[a.idx] for r in chosen for a in r.schedule() if a.is_client()]
        if len(set(visits)) == len(visits):
            best = min(best, cost_of(Solution(model.data, chosen)))
    return best


@pytest.mark.parametrize("seed", range(20))
def test_no_other_choice_among_the_routes_costs_less(seed: int) -> None:
    random_ = random.Random(seed)
    problem = some_problem(seed, 12, 4)
    for visit in problem["visits"][:3]:  # two windows: two clients, of which one is visited
        (start, end) = visit["windows"][0]
        middle = (start + end) // 2
        visit["windows"] = [[start, middle], [middle, end]]
    model = _Model(read_visit_problem(problem))
    routes = drawn(model, 24, random_)
    pool = RoutePool(model.data, model.client_visit)
    for route in routes:
        pool.add(Solution(model.data, [route]))
    nothing = Solution(model.data, [])
    best = pool.best(nothing, 60.0)
    least = cheapest(model, routes)
    assert best.is_feasible()
    spent = least + sum(r.prizes() for r in best.routes())
    assert least <= cost_of(best) <= least + 1e-3 * spent, "a thousandth of what the routes cost is near enough"
    assert cost_of(pool.best(best, 60.0)) <= cost_of(best), "what is known already is not given up"


def test_without_time_the_plan_known_stays() -> None:
    model = _Model(read_visit_problem(some_problem(1, 12, 4)))
    pool = RoutePool(model.data, model.client_visit)
    known = Solution(model.data, drawn(model, 1, random.Random(1)))
    assert pool.best(known, 0.0) is known
