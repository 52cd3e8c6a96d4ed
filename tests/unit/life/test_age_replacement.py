"""When to replace a part: against the oracle of the domain file, the closed form and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.age_replacement import best_replacement, cost_per_hour, fails_within
from servitwin.domain.error import InvalidInputError
from servitwin.domain.failure_law import Family, Law, draw


def law(family: Family, scale: float, shape: float) -> Law:
    return Law(family, scale, shape, 50, 0, 50 * scale, ((0.0, 0.0), (0.0, 0.0)), family)


def test_the_oracle() -> None:
    best = best_replacement(law("weibull", 1000, 2.5), 1000, 5000)
    assert best.age_h == pytest.approx(493.05, abs=0.005)
    assert best.cost_per_h == pytest.approx(3.462, abs=0.0005)
    assert best.run_to_failure_per_h == pytest.approx(5.635, abs=0.0005)
    assert best.saving == pytest.approx(0.3856, abs=0.0005)


def test_parts_that_do_not_wear_out_run_to_failure() -> None:
    for one in (law("exponential", 1000, 1), law("weibull", 1000, 0.8), law("weibull", 1000, 1.0)):
        best = best_replacement(one, 1000, 5000)
        assert best.age_h is None
        assert best.cost_per_h == best.run_to_failure_per_h == pytest.approx(5000 / one.mean)
    assert best_replacement(law("weibull", 1000, 3), 5000, 5000).age_h is None


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["weibull", "lognormal"]),
    st.floats(10, 1e5),
    st.floats(0.3, 4),
    st.floats(1, 1e4),
    st.floats(1, 50),
)
def test_no_age_is_cheaper_and_scale_only_scales(
    family: Family, scale: float, shape: float, preventive: float, times: float
) -> None:
    one = law(family, scale, shape)
    best = best_replacement(one, preventive, preventive * times)
    for age in np.geomspace(one.mean / 50, one.mean * 3, 60):
        assert cost_per_hour(one, float(age), preventive, preventive * times) >= best.cost_per_h * (1 - 2e-3)
    assert best.cost_per_h <= best.run_to_failure_per_h
    double = best_replacement(law(family, 2 * scale, shape), preventive, preventive * times)
    assert double.cost_per_h == pytest.approx(best.cost_per_h / 2, rel=1e-3)


def test_simulated_parts_cost_what_the_formula_says() -> None:
    one, random = law("weibull", 1000, 2.5), np.random.default_rng(1)
    lives = draw("weibull", np.full(400_000, 1000.0), np.full(400_000, 2.5), random)
    cost = np.where(lives < 400, 5000.0, 1000.0).sum() / np.minimum(lives, 400).sum()
    assert cost_per_hour(one, 400, 1000, 5000) == pytest.approx(cost, rel=0.01)


def test_the_chance_to_fail_within_a_horizon() -> None:
    assert fails_within(law("exponential", 100, 1), 5000, 10) == pytest.approx(1 - math.exp(-0.1))
    assert fails_within(law("weibull", 1000, 2.5), 900, 100) > fails_within(law("weibull", 1000, 2.5), 100, 100)


def test_all_faults_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        cost_per_hour(law("weibull", 1000, 2.5), -1, 0, math.nan)
    assert {f.where for f in caught.value.faults} == {"preventive", "failure", "age_h"}
