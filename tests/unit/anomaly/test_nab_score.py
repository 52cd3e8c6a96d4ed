"""NAB's score as the benchmark writes it: the fixed points of its own rules."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def score():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import anomaly_nab
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    stamps = np.arange(1000) * 10
    windows = [(5000, 5990), (8000, 8990)]  # rows 500 to 599 and 800 to 899
    return lambda *said: anomaly_nab.nab_score(list(said), stamps, windows, 150)


def test_right_at_the_begin_of_each_window_is_perfect_and_silence_costs_one_each(score) -> None:
    assert score(500, 800).raw == pytest.approx(2.0)
    assert score().raw == -2.0


def test_later_in_a_window_earns_less_and_only_the_earliest_counts(score) -> None:
    half = 2 / (1 + np.exp(-2.5)) - 1  # the sigmoid at the middle, as NAB's own comment has it: 0.84828
    assert half == pytest.approx(0.84828, abs=1e-5)
    assert score(550, 800).raw == pytest.approx(1 + half / 0.98661, abs=1e-4)
    assert score(550, 560, 599, 800).raw == score(550, 800).raw


def test_false_ones_cost_up_to_a_ninth_less_just_after_a_window_and_nothing_while_it_learns(score) -> None:
    assert score(300).raw == pytest.approx(-2.11)
    assert score(600).raw == pytest.approx(-2 + 0.11 * (2 / (1 + np.exp(5 / 99)) - 1))
    assert score(100).raw == -2.0 and score(100).false == 0
    assert score(300, 301).false == 2
