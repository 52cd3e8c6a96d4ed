"""Levels of a setting: as many as it was held at, one where it varies freely, whatever lies between them."""

from __future__ import annotations

import numpy as np
import pytest

from servitwin.domain.anomaly.levels import levels_of, noise_of_steps, resolution
from servitwin.domain.observation import Floats

COUNT = 2000
LEAST = 40


def held(levels: list[float], seed: int = 1) -> Floats:
    """Twenty bins at a level drawn by chance, then the next one."""
    return np.repeat(np.random.default_rng(seed).choice(levels, COUNT // 20), 20).astype(float)


def found(values: Floats, moves: float = 0.0) -> list[int]:
    noise = max(moves, resolution(values), noise_of_steps(values))
    return [round((low + high) / 2) for low, high in levels_of(values, noise, LEAST)]


@pytest.mark.parametrize("levels", [[1200], [0, 3000], [1, 2, 3, 4, 5, 6], [0, 10_000, 10_050], [1001, 1002, 1007]])
def test_each_value_that_was_held_is_a_level(levels: list[float]) -> None:
    assert found(held(levels)) == levels


@pytest.mark.parametrize("scatter", [0.01, 1.0, 20.0, 100.0])
def test_scatter_around_levels_makes_no_more_of_them(scatter: float) -> None:
    values = held([1200, 3000]) + scatter * np.random.default_rng(2).standard_normal(COUNT)
    assert [round(v, -2) for v in found(values)] == [1200, 3000]


def test_a_level_that_scatters_is_found_beside_one_that_does_not() -> None:
    values = held([0, 3000])
    values += (values > 0) * 50 * np.random.default_rng(3).standard_normal(COUNT)
    assert [round(v, -2) for v in found(values)] == [0, 3000]


@pytest.mark.parametrize("kind", ["uniform", "normal", "heavy tails", "walk", "lognormal", "reading in steps"])
@pytest.mark.parametrize("count", [80, 400, 2000])
def test_what_varies_freely_is_one_level(kind: str, count: int) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values = {
            "uniform": rng.uniform(0, 1, count),
            "normal": rng.standard_normal(count),
            "heavy tails": rng.standard_t(3, count),
            "walk": np.cumsum(rng.standard_normal(count)),
            "lognormal": rng.lognormal(0, 1, count),
            "reading in steps": np.round(rng.normal(0.0005, 0.0003, count), 4),
        }[kind]
        assert len(found(values)) == 1, f"seed {seed}"


def test_values_on_the_way_and_those_set_too_rarely_belong_to_no_level() -> None:
    values = held([0, 3000])
    values[100:112] = 1500
    values[300:900:60] = np.linspace(200, 2800, 10)
    assert levels_of(values, resolution(values), LEAST) == [(0, 0), (3000, 3000)]
    assert levels_of(values[:30], 1.0, LEAST) == []


def test_clouds_that_touch_are_not_parted() -> None:
    rng = np.random.default_rng(4)
    assert len(found(np.concatenate([rng.normal(0, 1, 1000), rng.normal(5, 1, 1000)]))) == 1
    assert len(found(np.concatenate([rng.normal(0, 1, 1000), rng.normal(12, 1, 1000)]))) == 2
