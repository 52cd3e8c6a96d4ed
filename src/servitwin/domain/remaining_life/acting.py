"""What it costs to act on predictions, against replacing by age and against waiting for the failure."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.age_replacement import best_replacement
from servitwin.domain.failure_law import fit
from servitwin.domain.observation import Bools, Floats

LIMITS = 40


class Acting(msgspec.Struct, frozen=True):
    """Costs per unit of life of three ways to keep parts alive, on lives that the model had not seen.

    Attributes:
        preventive, failure: cost of a planned replacement and of a failure.
        limit: lower end of the interval at or below which the part is replaced; chosen on other lives than those
            counted here.
        predicted, by_age, at_failure: cost per unit of life; ``age``: at which the age policy replaces (None: never).
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

    @property
    def against_age(self) -> float:
        """Cost of acting on predictions as a ratio of that of replacing by age."""
        return self.predicted / self.by_age


def acting(
    low: list[Floats], ended: Bools, preventive: float, failure: float, random: np.random.Generator
) -> Acting:  # fmt: skip
    """The costs on lives of which each has the lower end of its interval at each row (n,).

    Half of the lives choose the limit, and the age, for the other half, and the other way round.
    """
    ended = np.asarray(ended, np.bool_)
    group = np.zeros(len(low), np.int64)
    group[random.permutation(len(low))] = np.arange(len(low)) % 2
    cost = {"predicted": 0.0, "by_age": 0.0, "at_failure": 0.0}
    time = dict.fromkeys(cost, 0.0)
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
                cost[way] += preventive if planned else failure
                time[way] += at if planned and at is not None else n
                failures += way == "predicted" and not planned
            ends += 1
    rates = {way: cost[way] / time[way] for way in cost}
    known = [a for a in ages if a is not None]
    return Acting(
        preventive, failure, float(np.mean(limits)), rates["predicted"], rates["by_age"], rates["at_failure"],
        float(np.mean(known)) if known else None, failures / ends, time["predicted"] / time["at_failure"],
    )  # fmt: skip


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
