"""The compiled search on pure shops: plans stay right move by move, known optima, the same seed the same search."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.grid import Grid, Spot
from servitwin.domain.schedule.problem import Machine, Mode, Objective, Operation, Order, ScheduleProblem
from servitwin.services.operation.schedule import beside
from servitwin.services.operation.schedule.beside import Beside
from servitwin.services.operation.schedule.population import Population
from servitwin.services.operation.schedule.pure_shop import AFTER, BEFORE, DURATION, NONE, is_pure, least, shop_of
from servitwin.services.operation.schedule.search import built
from servitwin.services.operation.schedule.sequences import (
    FOLLOWING,
    HEAD,
    LENGTH,
    MACHINE,
    ORDER,
    PLACE,
    PREVIOUS,
    TAIL,
    empty_plan,
    lay,
)
from servitwin.services.operation.schedule.tabu import BEST, PRESENT, QUIET, empty_memory, search
from tests.conftest import shared_data
from tests.unit.schedule.instances import flexible, job_shop

DAY_NS = 86_400_000_000_000


def shop_problem(seed: int, orders: int, machines: int) -> ScheduleProblem:
    """Orders with one operation a machine or fewer, about half of them with a choice."""
    random = np.random.default_rng(seed)
    made = []
    for n in range(orders):
        steps = []
        for k in range(int(random.integers(1, machines + 1))):
            chosen = random.permutation(machines)[: int(random.integers(1, 3))]
            ways = tuple(Mode(f"m{m}", int(random.integers(1, 20)) * 60_000_000_000) for m in chosen)
            steps.append(Operation(str(k), ways))
        made.append(Order(f"o{n}", tuple(steps)))
    shops = tuple(Machine(f"m{m}") for m in range(machines))
    return ScheduleProblem(0, 60 * DAY_NS, shops, tuple(made), objective=Objective(makespan=1, tardiness=0))


def start(grid: Grid) -> list[Spot]:
    *_, (_, _, spots) = built(grid, 1)
    return spots


def sequence(spots: list[Spot]) -> tuple[np.ndarray, np.ndarray]:
    order = sorted(range(len(spots)), key=lambda i: (spots[i].start, spots[i].end))
    return np.array(order), np.array([s.machine for s in spots])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(2, 5), st.integers(1, 200))
def test_a_plan_that_was_changed_move_by_move_equals_the_same_plan_laid_anew(
    seed: int, orders: int, machines: int, moves: int
) -> None:
    grid = Grid(shop_problem(seed, orders, machines))
    assert is_pure(grid)
    shop, n = shop_of(grid), len(grid.steps)
    plan, (until, state) = empty_plan(shop), empty_memory(shop, seed)
    state[PRESENT] = state[BEST] = lay(shop, plan, *sequence(start(grid)))
    search(shop, plan, until, state, moves, 10**6, 5, 5)
    anew = empty_plan(shop)
    assert lay(shop, anew, plan[ORDER, :n].copy(), plan[MACHINE, :n].copy()) == state[PRESENT]
    for row in (LENGTH, PREVIOUS, FOLLOWING, HEAD, TAIL, PLACE):
        assert plan[row, :n].tolist() == anew[row, :n].tolist(), row
    for i in range(n):
        assert shop[DURATION + plan[MACHINE, i], i] == plan[LENGTH, i] >= 0
        for before in (shop[BEFORE, i], plan[PREVIOUS, i]):
            assert before == NONE or plan[HEAD, before] + plan[LENGTH, before] <= plan[HEAD, i]
        for after in (shop[AFTER, i], plan[FOLLOWING, i]):
            assert after == NONE or plan[PLACE, after] > plan[PLACE, i]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(2, 5))
def test_each_plan_told_passes_the_check_and_is_as_long_as_said(seed: int, orders: int, machines: int) -> None:
    grid = Grid(shop_problem(seed, orders, machines))
    population = Population(shop_of(grid), start(grid), seed)
    for _ in range(12):
        population.run()
        spots = population.spots()
        assert check_plan(grid.problem, grid.placements(spots)) == []
        assert max(s.end for s in spots) == population.makespan >= least(grid)


@pytest.mark.parametrize(
    ("name", "optimum", "slices", "seed"), [("ft10", 930, 700, 2), ("la16", 945, 400, 1), ("la31", 1784, 50, 1)]
)
def test_published_optima_of_job_shops(name: str, optimum: int, slices: int, seed: int) -> None:
    grid = Grid(job_shop(shared_data("jobshop") / "instances" / name))
    assert optimum == makespan_after(grid, slices, optimum, seed)


@pytest.mark.parametrize(("name", "best", "slices"), [("mk01", 40, 200), ("mk05", 172, 600), ("mk15", 333, 400)])
def test_best_known_plans_of_flexible_job_shops(name: str, best: int, slices: int) -> None:
    grid = Grid(flexible(shared_data("flexible_jobshop") / f"instances/brandimarte/{name}.txt"))
    assert best == makespan_after(grid, slices, best, 1)


def makespan_after(grid: Grid, slices: int, enough: int, seed: int) -> int:
    population = Population(shop_of(grid), start(grid), seed)
    for _ in range(slices):
        if population.makespan <= enough:
            break
        population.run()
    return population.makespan


def test_the_same_seed_is_the_same_search() -> None:
    grid = Grid(shop_problem(3, 9, 5))
    told = []
    for seed in (5, 5, 6):
        population = Population(shop_of(grid), start(grid), seed)
        for _ in range(20):
            population.run()
        told.append([population._state.tolist(), population.spots()])
    assert told[0] == told[1]
    assert told[0][0] != told[2][0], "another seed, other chance"


def test_a_plan_found_elsewhere_is_searched_next() -> None:
    grid = Grid(shop_problem(4, 9, 5))
    good = Population(shop_of(grid), start(grid), 1)
    for _ in range(60):
        good.run()
    worse = start(grid)
    other = Population(shop_of(grid), worse, 2)
    other.offer(good.spots())
    other.run()  # ends the present search for the offer
    other.run()
    assert other.makespan <= good.makespan < max(s.end for s in worse)


def test_a_population_that_is_bred_out_begins_anew_and_the_best_plan_stays() -> None:
    grid = Grid(shop_problem(4, 4, 3))
    population = Population(shop_of(grid), start(grid), 1)
    sizes, best = [], []
    for _ in range(600):
        population.run()
        sizes.append(len(population._kept))
        best.append(population.makespan)
    assert any(later < sooner for sooner, later in pairwise(sizes)), sizes
    assert best == sorted(best, reverse=True)
    assert max(s.end for s in population.spots()) == population.makespan


def test_one_operation_leaves_nothing_to_move() -> None:
    grid = Grid(shop_problem(1, 1, 1))
    population = Population(shop_of(grid), start(grid), 1)
    assert not any(population.run() for _ in range(5))
    assert population.makespan == least(grid)


def test_the_search_beside_tells_better_plans_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "ALONE_S", 0.0)
    grid = Grid(job_shop(shared_data("jobshop") / "instances" / "ft10"))
    told: list[int] = []
    first = start(grid)
    before = threading.active_count()
    search_beside = Beside(grid, first, 1, lambda spots: told.append(max(s.end for s in spots)))
    until = time.monotonic() + 120
    while len(told) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    search_beside.stop()
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() == before, "the thread goes on"
    assert told == sorted(told, reverse=True)
    assert len(told) >= 3
    assert told[0] < max(s.end for s in first)


def test_a_search_without_a_better_plan_says_that_it_is_over() -> None:
    grid = Grid(shop_problem(9, 6, 4))
    shop = shop_of(grid)
    plan, (until, state) = empty_plan(shop), empty_memory(shop, 1)
    state[PRESENT] = state[BEST] = lay(shop, plan, *sequence(start(grid)))
    assert not search(shop, plan, until, state, 300, 300, 5, 5), "300 moves are allowed"
    assert search(shop, plan, until, state, 10**6, 300, 5, 5)
    assert state[QUIET] == 301
