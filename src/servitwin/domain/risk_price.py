"""The price of the risk of a guarantee (row E7), and the forecast of a period that runs.

Both come from simulated contract periods: parameters as uncertain as the fleet's history leaves them, failures and
repairs as chance has them, credits by the contract's own bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.contract import Guarantee, LiquidatedBand, StepBand, TableBand
from servitwin.domain.failure_law import Floats, Law, fit
from servitwin.domain.guarantee_time import Category, GuaranteeTime
from servitwin.domain.instant import HOUR
from servitwin.domain.renewal import Process, common_down_hours, down_hours, runs

Curve = Callable[[Floats], Floats]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_DRAWS = 400


class RiskPrice(msgspec.Struct, frozen=True):
    """What a guarantee costs to give, for one machine and period, as shares of its fee.

    Attributes:
        expected: mean credit; error: standard error of the simulation.
        missed: probability that the level is missed.
        premium: what covers the credits of ``machines`` machines with probability ``confidence``, each its share:
            the quantile of their mean credit, parameter uncertainty and common causes included.
        process_sd, parameter_sd: spread of the credit by chance, and of its mean by what the data leave open.
        availability: quantiles of the final value; credit: quantiles of the credit, keyed by probability.
    """

    expected: float
    error: float
    missed: float
    premium: float
    confidence: float
    machines: int
    process_sd: float
    parameter_sd: float
    mean_availability: float
    availability: dict[str, float]
    credit: dict[str, float]
    up: Law
    down: Law
    years: int
    seed: int


class Lever(msgspec.Struct, frozen=True):
    """What would help: its effect on the probability of missing and on the expected credit (share of the fee)."""

    name: str
    missed: float
    expected: float


class Forecast(msgspec.Struct, frozen=True):
    """Where a period will end: quantiles of the final value, probability of missing, expected credit, levers."""

    value: dict[str, float]
    missed: float
    expected: float
    best: float
    worst: float
    levers: tuple[Lever, ...]
    up: Law
    down: Law
    paths: int
    seed: int


def credit_curve(guarantee: Guarantee) -> Curve | None:
    """Credit as a share of the fee over availability (0 to 1), by the contract's bands; None for liquidated damages.

    The binary figures of a simulation are rounded to a billionth of a percent before bands are applied, so that a
    step is not lost to the last bit.
    """
    band = guarantee.bands
    if isinstance(band, LiquidatedBand):
        return None
    level, cap = float(guarantee.level), float(band.cap) / 100
    places = guarantee.rounding.places

    def worth(availability: Floats) -> Floats:
        value = availability * 100
        if places is not None:
            scale = 10.0**places
            exact = np.round(value * scale, 7)
            mode = guarantee.rounding.mode
            whole = (
                np.floor(exact + 0.5) if mode == "half_away" else np.floor(exact) if mode == "down" else np.ceil(exact)
            )
            value = whole / scale
        missed = np.maximum(0.0, np.round(level - value, 9))
        if isinstance(band, TableBand):
            credit = np.zeros_like(value)
            for rung in band.rungs:
                credit = np.where(value < float(rung.below), np.maximum(credit, float(rung.credit)), credit)
            return np.asarray(np.minimum(np.where(missed > 0, credit, 0.0) / 100, cap))
        steps = np.round(missed / float(band.step), 9)
        if isinstance(band, StepBand):
            steps = np.floor(steps)
        return np.asarray(np.minimum(steps * float(band.credit) / 100, cap))

    return worth


def laws_of(times: Sequence[GuaranteeTime]) -> tuple[Law, Law]:
    """Laws of up and down time by the contract's own categories, from the history of one or more machines."""
    found = [
        runs(t.category.astype(np.float64), t.duration / HOUR, Category.UNAVAILABLE, (Category.AVAILABLE,))
        for t in times
    ]
    up, up_ended, down, down_ended = (np.concatenate([f[n] for f in found]) for n in range(4))
    return fit(up, up_ended.astype(np.bool_)), fit(down, down_ended.astype(np.bool_))


def price(
    up: Law,
    down: Law,
    curve: Curve,
    hours: float,
    *,
    years: int = 100_000,
    confidence: float = 0.9,
    machines: int = 1,
    common: float = 0.0,
    seed: int = 1,
) -> RiskPrice:
    """Price a guarantee over a period of ``hours`` from ``years`` simulated periods of one machine.

    ``common``: share of the failures that stop all machines of the portfolio at once.
    """
    random = np.random.default_rng(seed)
    # Enough periods of each set of parameters: a portfolio drawn from a few would be wider than it is.
    draws = max(20, min(_DRAWS, years // 250))
    each = max(1, years // draws)
    process = Process.uncertain(up, down, draws, each, random)
    lost = down_hours(process, hours, random, start="stationary") * (1.0 - common)
    if common > 0:
        lost = lost + common_down_hours(common, up, down, hours, len(process), random)
    availability = 1.0 - np.minimum(lost, hours) / hours
    credit = curve(availability)
    by_draw = credit.reshape(draws, each)
    means = by_draw.mean(axis=1)
    # A portfolio shares its parameters and its common causes; the rest averages out over its machines.
    chosen = random.integers(0, each, (draws, 50, machines))
    portfolios = np.take_along_axis(by_draw[:, None, :], chosen, axis=2).mean(axis=2)
    return RiskPrice(
        expected=float(credit.mean()),
        error=float(credit.std() / np.sqrt(len(credit))),
        missed=float((curve(availability) > 0).mean()),
        premium=float(np.quantile(portfolios, confidence)),
        confidence=confidence,
        machines=machines,
        process_sd=float(by_draw.std(axis=1).mean()),
        parameter_sd=float(means.std()),
        mean_availability=float(availability.mean()),
        availability=_quantiles(availability),
        credit=_quantiles(credit),
        up=up,
        down=down,
        years=len(credit),
        seed=seed,
    )


def forecast(
    up: Law,
    down: Law,
    curve: Curve,
    *,
    available: float,
    counted: float,
    remaining: float,
    is_down: bool,
    level: Decimal,
    paths: int = 20_000,
    seed: int = 1,
) -> Forecast:
    """Where a period ends that has ``available`` of ``counted`` hours so far and ``remaining`` hours to come.

    Levers are compared on the same random numbers, so that small effects are not lost in chance.
    """
    draws = min(_DRAWS, paths)
    each = max(1, paths // draws)
    total = counted + remaining
    limit = float(level) / 100

    def run(**change: float) -> tuple[Floats, Floats]:
        random = np.random.default_rng(seed)
        process = Process.uncertain(up, down, draws, each, random)
        lost = down_hours(process, remaining, random, start="down" if is_down else "up", **change)
        value = (available + remaining - lost) / total if total > 0 else np.ones(draws * each)
        return value, curve(value)

    value, credit = run()
    levers = []
    if is_down:
        levers.append(("restored-within-an-hour", run(first_down=1.0)))
    levers.append(("repairs-take-half-the-time", run(repair_scale=0.5)))
    levers.append(("no-further-failure", _none(available, remaining, total, curve, len(value))))
    best = (available + remaining) / total if total > 0 else 1.0
    return Forecast(
        value=_quantiles(value),
        missed=float((np.round(value, 9) < limit).mean()),
        expected=float(credit.mean()),
        best=best,
        worst=available / total if total > 0 else 1.0,
        levers=tuple(Lever(name, float((np.round(v, 9) < limit).mean()), float(c.mean())) for name, (v, c) in levers),
        up=up,
        down=down,
        paths=len(value),
        seed=seed,
    )


def _none(available: float, remaining: float, total: float, curve: Curve, count: int) -> tuple[Floats, Floats]:
    value = np.full(count, (available + remaining) / total if total > 0 else 1.0)
    return value, curve(value)


def _quantiles(values: Floats) -> dict[str, float]:
    found = np.quantile(values, QUANTILES)
    return {f"{q:.2f}": float(v) for q, v in zip(QUANTILES, found, strict=True)}
