"""Intervals that cost least, what waiting costs, and grouping that no choice of visits beats."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.failure_law import Law
from servitwin.domain.instant import DAY
from servitwin.domain.maintenance_grouping import GroupTask, group
from servitwin.domain.maintenance_interval import (
    RunToFailure,
    best_age,
    best_block,
    best_limit,
    law_of,
    renewals,
    waiting_cost,
)
from servitwin.domain.maintenance_task import Life

WEAR = Life(2.5, 1000)


def exponential(mean: float) -> Law:
    return Law("exponential", mean, 1.0, 5, 0, 0.0, ((0, 0), (0, 0)), "")


def test_the_best_age_is_told_in_words_and_there_is_none_without_wear() -> None:
    best, why = best_age(WEAR, 1000, 5000)
    assert best.age_h == pytest.approx(493.05, abs=0.01) and "493 h" in why
    for shape in (0.9, 1.0):
        none, why = best_age(Life(shape, 1000), 1000, 5000)
        assert none.age_h is None and "Run to failure is best" in why
    assert "one failure or none" in best_age(Life(2.5, 1000, failures=1), 1000, 5000)[1]
    assert "saves nothing" in best_age(WEAR, 5000, 5000)[1]


def test_failures_of_a_life_without_memory_come_at_a_constant_rate() -> None:
    times, count = renewals(exponential(100.0), 400.0)
    np.testing.assert_allclose(count, times / 100.0, atol=1e-3)


def test_the_renewal_function_is_what_a_simulation_counts() -> None:
    random = np.random.default_rng(1)
    ends = np.cumsum(1000 * random.weibull(2.5, (40_000, 8)), axis=1)
    _, count = renewals(law_of(WEAR), 3000.0)
    for k in (200, 400, 600):
        assert count[k] == pytest.approx((ends <= 3000 * k / 600).sum(axis=1).mean(), abs=0.02)


def test_a_block_costs_a_little_more_than_the_best_age_and_less_than_running_to_failure() -> None:
    block, age = best_block(law_of(WEAR), 1000, 5000), best_age(WEAR, 1000, 5000)[0]
    assert age.cost_per_h < block.cost_per_h < age.run_to_failure_per_h
    assert block.every_h is not None and 450 < block.every_h < 500
    assert best_block(exponential(100.0), 1000, 5000).every_h is None


def test_waiting_costs_least_until_the_best_age_whatever_the_age_now() -> None:
    best = best_age(WEAR, 1000, 5000)[0]
    wait = np.arange(0.0, 1200.0, 0.5)
    for age in (0.0, 100.0, 400.0):
        cost = waiting_cost(law_of(WEAR), age, wait, 1000, 5000, best.cost_per_h)
        assert cost[0] == pytest.approx(0, abs=1e-9)
        assert best.age_h is not None and age + wait[np.argmin(cost)] == pytest.approx(best.age_h, abs=0.6)
    late = waiting_cost(law_of(WEAR), 700.0, wait, 1000, 5000, best.cost_per_h)
    assert (np.diff(late[:500]) > 0).all(), "past the best age every hour costs"


def test_a_whole_life_of_waiting_costs_what_the_law_says() -> None:
    best = best_age(WEAR, 1000, 5000)[0]
    whole = waiting_cost(law_of(WEAR), 0.0, np.array([20_000.0]), 1000, 5000, best.cost_per_h)[0]
    assert whole == pytest.approx(4000 - best.cost_per_h * law_of(WEAR).mean, rel=2e-3)


def test_a_perfect_prediction_needs_a_limit_of_one_step_and_a_useless_one_runs_to_failure() -> None:
    random = np.random.default_rng(2)
    lives = np.round(1000 * random.weibull(2.5, 60)) + 11
    perfect = [RunToFailure(tuple(a := np.arange(0.0, life, 10.0)), tuple(life - a), float(life)) for life in lives]
    limit = best_limit(perfect, 1000, 5000)
    assert limit.failures == 0 and limit.limit_h is not None and limit.limit_h <= 11
    useless = [RunToFailure(r.age_h, tuple(500.0 for _ in r.age_h), r.failed_at_h) for r in perfect]
    assert best_limit(useless, 1000, 5000).limit_h is None
    by_age = best_limit([RunToFailure(r.age_h, tuple(-np.array(r.age_h)), r.failed_at_h) for r in perfect], 1000, 5000)
    assert by_age.limit_h == pytest.approx(-493, abs=120), "a limit on the age is age replacement"
    for few in ([], perfect[:1]):
        with pytest.raises(InvalidInputError, match="cannot set a limit"):
            best_limit(few, 1000, 5000)
    with pytest.raises(InvalidInputError, match="cost"):
        best_limit(perfect, -1, 5000)


_TASK = st.tuples(
    st.integers(0, 20),
    st.integers(0, 6),
    st.integers(0, 6),
    st.sampled_from([0, 1, 3, 10]),
    st.sampled_from([0, 1, 20]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(_TASK, min_size=1, max_size=5), st.sampled_from([0.0, 5.0, 20.0]))
def test_no_choice_of_visits_is_cheaper(made: list[tuple[int, int, int, int, int]], set_up: float) -> None:
    tasks = [
        GroupTask(str(n), (b - e) * DAY, b * DAY, (b + late) * DAY, early, after)
        for n, (b, e, late, early, after) in enumerate(made)
    ]
    found = group(tasks, set_up)
    assert sorted(t for v in found.visits for t in v.tasks) == [t.id for t in tasks]
    assert found.cost == pytest.approx(_least(tasks, set_up)) and found.saving >= -1e-9


def _least(tasks: list[GroupTask], set_up: float) -> float:
    def cost(task: GroupTask, at: int) -> float:
        if not task.earliest <= at <= task.latest:
            return math.inf
        days = (at - task.best) / DAY
        return -days * task.early_per_day if days < 0 else days * task.late_per_day

    times = sorted({t for x in tasks for t in (x.earliest, x.best, x.latest)})
    return min(
        size * set_up + sum(min(cost(x, t) for t in chosen) for x in tasks)
        for size in range(1, len(tasks) + 1)
        for chosen in itertools.combinations(times, size)
    )


def test_faults_of_a_grouping_are_told_at_once() -> None:
    with pytest.raises(InvalidInputError) as e:
        group([GroupTask("a", 5, 1, 9), GroupTask("b", 0, 1, 2, -1.0)], -4)
    assert [f.code for f in e.value.faults] == [
        "grouping:cost-negative", "grouping:window-reversed", "grouping:cost-negative",
    ]  # fmt: skip
    assert group([], 100).cost == 0
