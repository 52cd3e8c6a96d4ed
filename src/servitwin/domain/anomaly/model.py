"""What is learnt of a machine: how each signal wanders and how much it scatters, per regime.

Each signal is a local level model (Harvey 1989, Forecasting, Structural Time Series Models and the Kalman Filter,
section 2.3): the mean of a bin is ``level + noise``, the level a random walk whose variance grows by ``drift`` a bin.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import msgspec

from servitwin.domain.anomaly.found_regimes import FoundRegimes
from servitwin.domain.error import Fault


class AnomalySettings(msgspec.Struct, frozen=True):
    """How a machine is watched. Every value is set before any data are seen.

    Attributes:
        every: length of a bin in ns; bins begin at multiples of it since 1970 UTC.
        smoothing: weight of the newest bin in the smoothed deviation, 0 to 1 (lambda of an EWMA).
        chance: chance per bin that noise of a normal distribution, exactly known, passes the limit.
        false_rate: how often a bin of a machine without fault may pass it: the limit is raised until the tail of the
            scores of the stretch learnt from says so, where that stretch is long enough to have one.
        shrink: share of the identity in the correlation of deviations, 0 to 1.
        freeze: deviation, in standard deviations, from which a signal in alarm no longer moves its own level.
        least: bins of a regime below which it is not learnt.
    """

    every: int
    smoothing: float = 0.3
    chance: float = 1e-5
    false_rate: float = 1e-4
    shrink: float = 0.3
    freeze: float = 3.0
    least: int = 40

    def faults(self) -> list[Fault]:
        """All values that cannot be used."""
        found = []
        for name, value, low, high in (
            ("every", self.every, 1, math.inf),
            ("smoothing", self.smoothing, 0.01, 1.0),
            ("chance", self.chance, 1e-12, 0.05),
            ("false_rate", self.false_rate, 1e-9, 0.05),
            ("shrink", self.shrink, 0.01, 1.0),
            ("freeze", self.freeze, 1.0, 100.0),
            ("least", self.least, 16, math.inf),
        ):
            if not low <= value <= high:
                message = f"{name} is {value!r}"
                found.append(Fault("anomaly:setting-out-of-range", message, f"From {low} to {high}", name))
        return found


class RegimeModel(msgspec.Struct, frozen=True):
    """What is normal in one regime, for those signals that could be learnt there. Tuples are in the order of ``used``.

    Attributes:
        used: indices of signals.
        bins: how many bins it was learnt from.
        unit: largest magnitude of each signal's means; everything below is in these units.
        noise: variance of a bin's mean around its level.
        drift: growth of the level's variance a bin; slow_drift: the same from long lags, for levels that are held.
        spread: factor by which one-bin prediction errors were larger than the two explain, at least 1.
        holds: whether the level is evidence at all (drift below noise); else only its changes are.
        covariance: of the standardised prediction errors.
        still: bins in a row without any change that are taken for a stuck sensor.
        raised: factor by which the limit was raised for tails heavier than normal, at least 1.
        level, doubt, last: level, its variance and number of the last bin, at the end of the stretch learnt from.
    """

    used: tuple[int, ...]
    bins: int
    unit: tuple[float, ...]
    noise: tuple[float, ...]
    drift: tuple[float, ...]
    slow_drift: tuple[float, ...]
    spread: tuple[float, ...]
    holds: tuple[bool, ...]
    covariance: tuple[tuple[float, ...], ...]
    still: tuple[int, ...]
    level: tuple[float, ...]
    doubt: tuple[float, ...]
    last: int
    raised: float = 1.0


class AnomalyModel(msgspec.Struct, frozen=True):
    """A machine as it was in its first stretch.

    ``left_out``: what could not be learnt and why. ``found``: regimes that numbers tell apart (None: they are named),
    and ``notes`` on them.
    """

    signals: tuple[str, ...]
    settings: AnomalySettings
    regimes: dict[str, RegimeModel]
    left_out: tuple[Fault, ...] = ()
    found: FoundRegimes | None = None
    notes: tuple[Fault, ...] = ()


def chance_of_square(signals: int, value: float) -> float:
    """Chance that a chi-square variable of that many degrees passes a value (Abramowitz and Stegun 26.4.4, 26.4.5)."""
    half = value / 2
    if signals % 2 == 0:
        return math.exp(-half) * sum(math.pow(half, k) / math.factorial(k) for k in range(signals // 2))
    terms = sum(math.pow(half, k + 0.5) / math.gamma(k + 1.5) for k in range((signals - 1) // 2))
    return math.erfc(math.sqrt(half)) + math.exp(-half) * terms


@lru_cache(maxsize=1024)  # every step opens a model, and a fleet has few sizes of them
def limit_of_square(signals: int, chance: float) -> float:
    """Value that a chi-square variable of that many degrees passes with that chance, by bisection."""
    low, high = 0.0, 8.0 * signals + 200.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if chance_of_square(signals, middle) > chance else (low, middle)
    return high


@lru_cache(maxsize=1024)
def limit_of_one(signals: int, chance: float) -> float:
    """The square that the largest of so many normal variables passes with at most that chance (Bonferroni)."""
    return NormalDist().inv_cdf(1 - chance / signals / 2) ** 2
