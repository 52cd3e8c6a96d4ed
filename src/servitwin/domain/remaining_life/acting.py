"""What it costs to act on predictions, against replacing by age and against waiting for the failure."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.age_replacement import best_replacement
from servitwin.domain.failure_law import fit
from servitwin.domain.observation import Bools, Floats

LIMITS = 40
DRAWS = 500


class Acting(msgspec.Struct, frozen=True):
    """Costs per unit of life of three ways to keep parts alive, on lives that the model had not seen.

    Attributes:
        preventive, failure: cost of a planned replacement and of a failure, in ``currency``; without one a ratio alone.
        limit: lower end of the interval at or below which the part is replaced; chosen on other lives than those
            counted here.
        predicted, by_age, at_failure: cost per unit of life; ``age``: at which the age policy replaces (None: never).
        predicted_range, saved_range: where the cost of acting, and what it saves against the better of the other two
            ways, lie with 90 % confidence: other lives of the same kind might have come (bootstrap over lives).
        failures: share of the lives that failed although predictions were acted on.
        used: share of their lives that the parts were used.
    """

    preventive: float
    failure: float
    limit: float
    predicted: float
    by_age: float
    at_failure: float
    age: float | None
    failures: float
    used: float
    predicted_range: list[float]
    saved_range: list[float]
    currency: str = ""

    @property
    def against_age(self) -> float:
        """Cost of acting on predictions as a ratio of that of replacing by age."""
        return self.predicted / self.by_age


def acting(
    low: list[Floats], ended: Bools, preventive: float, failure: float, random: np.random.Generator,
    currency: str = "",
) -> Acting:  # fmt: skip
    """The costs on lives of which each has the lower end of its interval at each row (n,).

    Half of the lives choose the limit, and the age, for the other half, and the other way round.
    """
    ended = np.asarray(ended, np.bool_)
    group = np.zeros(len(low), np.int64)
    group[random.permutation(len(low))] = np.arange(len(low)) % 2
    cost: dict[str, list[float]] = {"predicted": [], "by_age": [], "at_failure": []}
    time: dict[str, list[float]] = {way: [] for way in cost}
    failures, ends, limits, ages = 0, 0, [], []
    for k in (0, 1):
        others = [low[i] for i in np.flatnonzero((group != k) & ended)]
        mine = [low[i] for i in np.flatnonzero((group == k) & ended)]
        limit = _best_limit(others, preventive, failure)
        law = fit(np.array([float(len(low[i])) for i in np.flatnonzero(group != k)]), ended[group != k])
        age = best_replacement(law, preventive, failure).age_h
        limits.append(limit)
        ages.append(age)
        for life in mine:
            n = float(len(life))
            for way, at in (("predicted", _acted_at(life, limit)), ("by_age", age), ("at_failure", None)):
                planned = at is not None and at < n
                cost[way].append(preventive if planned else failure)
                time[way].append(at if planned and at is not None else n)
                failures += way == "predicted" and not planned
            ends += 1
    rates = {way: sum(cost[way]) / sum(time[way]) for way in cost}
    other = "by_age" if rates["by_age"] <= rates["at_failure"] else "at_failure"
    seed = int(random.integers(2**31))
    drawn = {way: resampled_rates(cost[way], time[way], seed) for way in cost}
    known = [a for a in ages if a is not None]
    return Acting(
        preventive, failure, float(np.mean(limits)), rates["predicted"], rates["by_age"], rates["at_failure"],
        float(np.mean(known)) if known else None, failures / ends, sum(time["predicted"]) / sum(time["at_failure"]),
        middle(drawn["predicted"]), middle(drawn[other] - drawn["predicted"]), currency,
    )  # fmt: skip


def resampled_rates(cost: list[float], time: list[float], seed: int) -> Floats:
    """Cost per time of as many lives (or machines) drawn with replacement; a seed draws the same for all costs."""
    drawn = np.random.default_rng(seed).integers(0, len(cost), (DRAWS, len(cost)))
    return np.asarray(np.array(cost)[drawn].sum(1) / np.maximum(np.array(time)[drawn].sum(1), 1e-12))


def middle(values: Floats) -> list[float]:
    """The ends of the middle nine tenths."""
    return [float(v) for v in np.quantile(values, [0.05, 0.95])]


def _best_limit(lives: list[Floats], preventive: float, failure: float) -> float:
    most = max(float(life.max()) for life in lives)
    limits = np.linspace(0, most, LIMITS)[1:]
    rates = []
    for limit in limits:
        cost = time = 0.0
        for life in lives:
            at = _acted_at(life, float(limit))
            planned = at is not None and at < len(life)
            cost += preventive if planned else failure
            time += at if planned and at is not None else len(life)
        rates.append(cost / time)
    return float(limits[int(np.argmin(rates))])


def _acted_at(low: Floats, limit: float) -> float | None:
    """Age at which the lower end first was at or below the limit."""
    below = np.flatnonzero(low <= limit)
    return float(below[0]) + 1 if len(below) else None
