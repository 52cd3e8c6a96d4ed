"""Control charts and capability against published examples: NIST/SEMATECH e-Handbook 6.1.6, 6.3.2, 6.3.3."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.capability import (
    Tolerance,
    anderson_darling,
    capability,
    chi_square_quantile,
    first_pass_yield,
    rolled_yield,
)
from servitwin.domain.error import InvalidInputError
from servitwin.domain.spc_chart import Line, attribute_chart, judge, limits_of, rate_line
from servitwin.domain.spc_constant import group_constants
from servitwin.domain.spc_rule import NELSON, RULES, broken_rules

# A2, D3, D4 of the e-Handbook 6.3.2.1; B3, B4, c4 of ISO 7870-2 / Montgomery, appendix VI.
TABLE = {
    2: (1.880, 0, 3.267, 0, 3.267, 0.7979), 3: (1.023, 0, 2.575, 0, 2.568, 0.8862),
    4: (0.729, 0, 2.282, 0, 2.266, 0.9213),
    5: (0.577, 0, 2.115, 0, 2.089, 0.9400), 6: (0.483, 0, 2.004, 0.030, 1.970, 0.9515),
    7: (0.419, 0.076, 1.924, 0.118, 1.882, 0.9594), 8: (0.373, 0.136, 1.864, 0.185, 1.815, 0.9650),
    10: (0.308, 0.223, 1.777, 0.284, 1.716, 0.9727), 25: (0.153, 0.459, 1.541, 0.565, 1.435, 0.9896),
}  # fmt: skip
FLOW = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)  # 6.3.2.2
WAFERS = (
    12,
    15,
    8,
    10,
    4,
    7,
    16,
    9,
    14,
    10,
    5,
    6,
    17,
    12,
    22,
    8,
    10,
    5,
    13,
    11,
    20,
    18,
    24,
    15,
    9,
    12,
    7,
    13,
    9,
    6,
)  # 6.3.3.2


@pytest.mark.parametrize("n", TABLE)
def test_constants_are_those_of_the_tables(n: int) -> None:
    c = group_constants(n)
    found = (c.a2, c.lower_range, c.upper_range, c.lower_deviation, c.upper_deviation, c.c4)
    assert found == pytest.approx(TABLE[n], abs=1.1e-3)


def test_single_values_of_the_handbook() -> None:
    limits = limits_of("individuals", [[v] for v in FLOW])
    assert limits.location.centre == pytest.approx(50.81)
    assert limits.spread.centre == pytest.approx(1.8778, abs=5e-5)
    assert (limits.location.upper, limits.location.lower) == pytest.approx(
        (55.8041, 45.8159), abs=3e-3
    )  # d2 = 1.128 there


def test_shares_of_the_handbook() -> None:
    points = attribute_chart("p", [(c, 50) for c in WAFERS], NELSON)
    line = points[0].line
    assert (line.centre, line.upper, line.lower) == pytest.approx((0.2313, 0.4102, 0.0524), abs=1e-4)
    assert [i + 1 for i, p in enumerate(points) if "nelson-1" in p.rules] == [15, 23]


def test_counts_of_the_handbook() -> None:
    line = rate_line(400, 25, 1)
    assert (line.centre, line.upper, line.lower) == (16, 28, 4)


def test_capability_of_the_handbook() -> None:
    # USL 20, LSL 8, mean 16, s 2: Cp 1.0, Cpk 0.6667 (6.1.6).
    values = [14.0, 18.0] * 40
    found = capability(values, Tolerance(8, 20), sigma_within=2.0, freedom=79)
    assert found.cp and found.cpk and found.cm
    assert (found.cp.value, found.cpk.value) == pytest.approx((1.0, 2 / 3))
    reach = 1.959964 * math.sqrt(1 / (9 * 80) + (2 / 3) ** 2 / (2 * 79))
    assert (found.cpk.low, found.cpk.high) == pytest.approx((2 / 3 - reach, 2 / 3 + reach), abs=1e-6)
    assert found.cm.value == pytest.approx(12 / (6 * found.sigma_overall))
    assert {f.code for f in found.warnings} == {"capability:not-normal"}


def test_quantiles_and_normality_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for p in (0.005, 0.025, 0.5, 0.975, 0.995):
        for k in (1, 2, 7, 49, 400):
            assert chi_square_quantile(p, k) == pytest.approx(float(stats.chi2.ppf(p, k)), rel=1e-8)
    rng = Random(5)
    for draw in (rng.gauss, lambda a, b: rng.expovariate(1.0)):
        values = [draw(0, 1) for _ in range(60)]
        a = float(stats.anderson(values, method="interpolate").statistic) * (1 + 0.75 / 60 + 2.25 / 3600)
        p = anderson_darling(values)
        assert p is not None
        assert (p < 0.05) == (a > 0.752)  # D'Agostino and Stephens: 5 % point of the corrected statistic


@pytest.mark.parametrize(
    ("rule", "points"),
    [
        ("nelson-1", [3.1]), ("nelson-2", [0.1] * 9), ("nelson-3", [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ("nelson-4", [0.5, -0.5] * 7), ("nelson-5", [2.1, 0, 2.2]), ("nelson-6", [1.1, 1.2, 0, 1.3, 1.4]),
        ("nelson-7", [0.2, -0.3] * 7 + [0.1]), ("nelson-8", [1.1, -1.2] * 4), ("western-electric-4", [-0.1] * 8),
        ("western-electric-2", [-2.1, 0, -2.2]), ("western-electric-3", [-1.1, -1.2, 0, -1.3, -1.4]),
    ],
)  # fmt: skip
def test_a_rule_is_broken_by_its_pattern_and_by_one_point_less_not(rule: str, points: list[float]) -> None:
    assert broken_rules(points, [RULES[rule]]) == (rule,)
    assert broken_rules(points[1:], [RULES[rule]]) == ()
    if RULES[rule].zones:
        assert broken_rules(points, [RULES[rule]], zones=False) == ()


def test_chance_alone_breaks_the_first_rule_as_often_as_it_should() -> None:
    rng = Random(11)
    points = judge([(rng.gauss(0, 1), Line(0, -3, 3)) for _ in range(40_000)], NELSON, zones=True)
    assert sum("nelson-1" in p.rules for p in points) / 40_000 == pytest.approx(0.0027, abs=0.0008)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.data())
def test_a_point_is_judged_by_the_last_fifteen_alone(values: list[float], data: st.DataObject) -> None:
    line = Line(0, -3, 3)
    whole = judge([(v, line) for v in values], NELSON, zones=True)
    i = data.draw(st.integers(0, len(values) - 1))
    part = judge([(v, line) for v in values[max(0, i - 14) : i + 1]], NELSON, zones=True)
    assert part[-1].rules == whole[i].rules


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.floats(-100, 100), st.floats(0.01, 50), st.integers(0, 9999))
def test_limits_follow_shift_and_scale(size: int, shift: float, scale: float, seed: int) -> None:
    rng = Random(seed)
    groups = [[rng.gauss(0, 1) for _ in range(size)] for _ in range(12)]
    for kind in ("xbar-r", "xbar-s"):
        a = limits_of(kind, groups)
        b = limits_of(kind, [[shift + scale * v for v in g] for g in groups])
        assert b.sigma == pytest.approx(scale * a.sigma, rel=1e-6)
        assert b.location.centre == pytest.approx(shift + scale * a.location.centre, rel=1e-6, abs=1e-6)


def test_yields() -> None:
    steps = [first_pass_yield(95, 100), first_pass_yield(90, 100)]
    assert rolled_yield(steps) == pytest.approx(0.855)
    assert rolled_yield([*steps, first_pass_yield(0, 0)]) is None
    low = first_pass_yield(100, 100)
    assert low.low is not None and low.low < 1 and low.high == 1


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("spc:group-size", lambda: group_constants(1)),
        ("spc:not-enough-data", lambda: limits_of("xbar-r", [[1.0, 2.0]])),
        ("spc:groups-differ", lambda: limits_of("xbar-r", [[1.0, 2.0], [1.0]])),
        ("spc:no-variation", lambda: limits_of("individuals", [[1.0]] * 20)),
        ("spc:chart-unknown", lambda: limits_of("p", [[1.0]] * 20)),
        ("spc:count-impossible", lambda: attribute_chart("p", [(3, 2), (1, 2)], NELSON)),
        ("capability:no-limit", lambda: capability([1, 2, 3], Tolerance(), 1, 2)),
        ("capability:limits-crossed", lambda: capability([1, 2, 3], Tolerance(3, 1), 1, 2)),
        ("capability:not-enough-data", lambda: capability([1], Tolerance(0, 1), 1, 2)),
        ("capability:no-variation", lambda: capability([1, 1, 1], Tolerance(0, 2), 1, 2)),
        ("yield:impossible", lambda: first_pass_yield(3, 2)),
    ],
)
def test_bad_input_is_told(code, call) -> None:
    with pytest.raises(InvalidInputError) as told:
        call()
    assert told.value.fault.code == code
