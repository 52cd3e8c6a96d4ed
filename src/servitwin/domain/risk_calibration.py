"""Whether premiums cover what they promise: simulated portfolios, each with its own truth and its own short history.

One fleet cannot tell: twenty machine-years carry a standard error of a third. So the truth is drawn many times, a
history is simulated from it, the guarantee is priced from that history alone, and the credits that really come due
are compared with the premium.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from servitwin.domain.failure_law import Law
from servitwin.domain.renewal import Process, down_hours
from servitwin.domain.risk_price import Curve, price


class Calibration(msgspec.Struct, frozen=True):
    """How often the premium covered the credits, with the 95 % bounds of that share (Wilson)."""

    promised: float
    achieved: float
    low: float
    high: float
    portfolios: int
    machines: int
    fleet_hours: float


def calibrate(
    up: Law,
    down: Law,
    curve: Curve,
    hours: float,
    *,
    fleet_hours: float,
    machines: int,
    confidence: float = 0.9,
    portfolios: int = 100,
    years: int = 4000,
    seed: int = 1,
) -> Calibration:
    """Price ``portfolios`` fleets of ``fleet_hours`` of history each and compare with what came due.

    True means are drawn from what the laws leave open; times are exponential, so that truth and fit are of one family
    and what is judged is the handling of uncertainty.
    """
    random = np.random.default_rng(seed)
    ups, downs = (
        law.mean * (law.failures + 0.5) / random.gamma(law.failures + 0.5, 1.0, portfolios) for law in (up, down)
    )
    covered = 0
    for number, (mean_up, mean_down) in enumerate(zip(ups.tolist(), downs.tolist(), strict=True)):
        failures = int(random.poisson(fleet_hours / mean_up))
        repairs = float(random.gamma(failures, mean_down)) if failures else mean_down
        quoted = price(
            _exponential(failures, fleet_hours), _exponential(max(failures, 1), repairs), curve, hours,
            years=years, confidence=confidence, machines=machines, seed=seed + number,
        )  # fmt: skip
        truth = Process.fixed(_exponential(1, mean_up), _exponential(1, mean_down), machines)
        lost = down_hours(truth, hours, random, start="stationary")
        covered += bool(curve(1.0 - lost / hours).mean() <= quoted.premium)
    low, high = _wilson(covered, portfolios)
    return Calibration(confidence, covered / portfolios, low, high, portfolios, machines, fleet_hours)


def _exponential(failures: int, total: float) -> Law:
    mean = total / max(failures, 0.5)
    return Law("exponential", mean, 1.0, failures, 0, total, ((0.0, 0.0), (0.0, 0.0)), "")


def _wilson(hits: int, count: int) -> tuple[float, float]:
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half
