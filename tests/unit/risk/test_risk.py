"""The price of risk: the oracles of a known process, fits that find what was put in, and few failures told honestly."""

from __future__ import annotations

import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.contract import Band, Guarantee, LinearBand, LiquidatedBand, Rounding, Rung, StepBand, TableBand
from servitwin.domain.failure_law import Law, draw, fit
from servitwin.domain.guarantee_credit import credit_of
from servitwin.domain.money import money
from servitwin.domain.renewal import Process, availability_of
from servitwin.domain.risk_calibration import calibrate
from servitwin.domain.risk_price import credit_curve, forecast, price

STEPPED = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
LINEAR = LinearBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
EXACT = Rounding(None)
YEAR = 8760.0


def known(mean: float) -> Law:
    """An exponential law that is known for certain."""
    return Law("exponential", mean, 1.0, 10**9, 0, mean * 1e9, ((0, 0), (0, 0)), "given")


def seen(mean: float, failures: int) -> Law:
    """An exponential law from so many failures."""
    return Law("exponential", mean, 1.0, failures, 0, mean * failures, ((1 / failures, 0), (0, 0)), "given")


def curve(band: Band, rounding: Rounding = EXACT):  # type: ignore[no-untyped-def]
    found = credit_curve(Guarantee(Decimal(98), band, rounding=rounding))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("mttf", "mttr", "start", "sd", "missed", "linear", "stepped"),
    [
        (490, 10, "up", 0.0066, 0.466, 1.300, 1.187),
        (980, 20, "up", 0.0093, 0.453, 1.765, 1.661),
        (490, 10, "stationary", 0.0066, None, 1.305, 1.192),
        (980, 20, "stationary", 0.0093, None, 1.767, 1.663),
    ],
)
def test_a_known_process_costs_what_it_costs(
    mttf: float, mttr: float, start: str, sd: float, missed: float | None, linear: float, stepped: float
) -> None:
    """Own simulation of 400 000 years (domain facts); the standard error of the credit is 0.003 % of the fee."""
    paths = 100_000
    process = Process.fixed(known(mttf), known(mttr), paths)
    found = availability_of(process, YEAR, np.random.default_rng(7), start=start)
    assert found.std() == pytest.approx(sd, abs=0.0002)
    for band, expected in ((LINEAR, linear), (STEPPED, stepped)):
        credit = curve(band)(found) * 100
        error = credit.std() / np.sqrt(paths)
        assert abs(credit.mean() - expected) < 4 * np.hypot(error, 0.003), (band, credit.mean(), error)
    if missed is not None:
        assert (found < 0.98).mean() == pytest.approx(missed, abs=0.006)


@pytest.mark.parametrize(
    "band", [STEPPED, LINEAR, TableBand((Rung(Decimal(98), Decimal(2)), Rung(Decimal(97), Decimal(5))))]
)
@pytest.mark.parametrize("rounding", [Rounding(2), Rounding(1, "down"), Rounding(None)])
@settings(max_examples=40)
@given(value=st.integers(900_000, 1_000_000))
def test_the_simulation_pays_what_the_settlement_pays(band: Band, rounding: Rounding, value: int) -> None:
    exact = credit_of(Guarantee(Decimal(98), band, rounding=rounding), money("1000000", "EUR"), value, 1_000_000)
    simulated = curve(band, rounding)(np.array([value / 1_000_000]))[0]
    assert float(exact.percent or 0) / 100 == pytest.approx(simulated, abs=1e-9)


def test_liquidated_damages_are_no_share_of_the_fee() -> None:
    assert credit_curve(Guarantee(Decimal(97), LiquidatedBand(Decimal(50), "output"))) is None


@pytest.mark.parametrize(
    ("family", "scale", "shape"), [("weibull", 200.0, 1.8), ("lognormal", 5.0, 0.7), ("exponential", 90.0, 1.0)]
)
def test_a_fit_finds_the_law_that_was_put_in(family: str, scale: float, shape: float) -> None:
    random = np.random.default_rng(3)
    true = draw(family, np.full(600, scale), np.full(600, shape), random)  # type: ignore[arg-type]
    limit = random.uniform(scale * 0.5, scale * 4, 600)
    found = fit(np.minimum(true, limit), true <= limit)
    assert found.family == family, found.note
    sds = np.sqrt([max(found.spread[0][0], 1e-9), max(found.spread[1][1], 1e-9)])
    assert abs(np.log(found.scale / scale)) < 4 * sds[0]
    assert abs(np.log(found.shape / shape)) < 4 * sds[1] + 1e-9


def test_censoring_is_no_failure() -> None:
    """Half of the durations run on: leaving them out, or counting them as failures, would halve the mean."""
    hours = np.array([100.0] * 10 + [1000.0] * 10)
    found = fit(hours, np.array([True] * 10 + [False] * 10))
    assert found.mean > 900
    assert (found.failures, found.censored) == (10, 10)


@pytest.mark.parametrize("failures", [0, 1])
def test_one_failure_or_none_gives_a_wide_and_honest_price(failures: int) -> None:
    up = fit(np.array([4000.0, 4000.0]), np.array([failures > 0, False]))
    down = fit(np.array([8.0] * max(failures, 1)), np.array([True] * max(failures, 1)))
    many = fit(np.full(200, 4000.0), np.array([True, False] * 100))
    scarce = price(up, down, curve(STEPPED), YEAR, years=20_000)
    sure = price(many, fit(np.full(50, 8.0), np.ones(50, np.bool_)), curve(STEPPED), YEAR, years=20_000)
    assert up.family == "exponential"
    assert scarce.parameter_sd > sure.parameter_sd
    assert 0 <= scarce.expected <= 0.1


def test_the_same_seed_gives_the_same_price_and_more_failures_a_higher_one() -> None:
    down = known(10)
    a, b = (price(known(490), down, curve(STEPPED), YEAR, years=20_000, seed=5) for _ in range(2))
    assert a == b
    assert price(known(300), down, curve(STEPPED), YEAR, years=20_000, seed=5).expected > a.expected
    assert a.premium >= a.expected


def test_a_larger_portfolio_needs_less_for_each_machine_unless_causes_are_common() -> None:
    one, many, common = (
        price(known(490), known(10), curve(STEPPED), YEAR, years=20_000, machines=n, common=c).premium
        for n, c in ((1, 0.0), (20, 0.0), (20, 0.5))
    )
    assert many < one
    assert common > 0


def test_the_forecast_narrows_to_what_is_certain() -> None:
    terms = {"available": 8500.0, "counted": 8700.0, "is_down": False, "level": Decimal(98)}
    early = forecast(known(490), known(10), curve(STEPPED), remaining=1000.0, **terms)  # type: ignore[arg-type]
    late = forecast(known(490), known(10), curve(STEPPED), remaining=1.0, **terms)  # type: ignore[arg-type]
    width = lambda f: f.value["0.95"] - f.value["0.05"]  # noqa: E731
    assert width(late) < width(early)
    assert late.missed == 1.0
    assert late.worst <= late.value["0.05"] <= late.best


def test_what_helps_is_told_on_the_same_chance() -> None:
    found = forecast(
        known(490), known(10), curve(STEPPED),
        available=4300.0, counted=4380.0, remaining=4380.0, is_down=True, level=Decimal(98),
    )  # fmt: skip
    for lever in found.levers:
        assert lever.expected <= found.expected, lever
    assert {lever.name for lever in found.levers} == {
        "restored-within-an-hour", "repairs-take-half-the-time", "no-further-failure",
    }  # fmt: skip


def test_a_hundred_thousand_years_take_less_than_two_seconds() -> None:
    began = time.process_time()
    price(known(490), known(10), curve(STEPPED), YEAR, years=100_000)
    assert time.process_time() - began < 6, "three times the floor: something is badly slower"


def test_premiums_cover_what_they_promise_over_many_portfolios() -> None:
    """Not on one fleet: a hundred fleets with their own truth, each priced from its own history."""
    found = calibrate(
        seen(490.0, 40), seen(10.0, 40), curve(LINEAR), YEAR,
        fleet_hours=20 * YEAR, machines=10, confidence=0.8, portfolios=150, years=8000, seed=2,
    )  # fmt: skip
    assert found.low <= found.achieved <= found.high
    assert found.low <= 0.8 <= found.high, found
