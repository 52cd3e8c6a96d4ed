"""When to replace a part that wears out: at failure, or at an age that costs least.

Age replacement (Barlow and Proschan, Mathematical Theory of Reliability, 1965, chapter 3; secondary): the part is
replaced when it fails, or unfailed at age T, whichever comes first. By the renewal reward theorem the long-run cost
per hour is [cp R(T) + cf (1 - R(T))] / integral of R from 0 to T, with R the survival function of the life.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_law import Family, Law
from servitwin.domain.observation import Floats

GRID = 400
WORTH_IT = 1e-3  # a saving below a thousandth is within what the grid and the law can tell
_erfc = np.frompyfunc(math.erfc, 1, 1)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


class Replacement(msgspec.Struct, frozen=True):
    """The best age to replace at, and what it costs against waiting for the failure.

    Attributes:
        age_h: hours of use at which the unfailed part is replaced; None: run to failure, no age is cheaper.
        cost_per_h: long-run cost per hour of use of that policy, in the currency of the costs given.
        run_to_failure_per_h: the same of replacing at failure only.
        survives: share of parts that reach ``age_h`` unfailed (0 without an age).
    """

    age_h: float | None
    cost_per_h: float
    run_to_failure_per_h: float
    survives: float

    @property
    def saving(self) -> float:
        """Share of the run-to-failure cost that the policy saves, 0 to 1."""
        return 1 - self.cost_per_h / self.run_to_failure_per_h


def survival(family: Family, scale: float, shape: float, hours: Floats) -> Floats:
    """R(t): the share still alive after ``hours`` (of any shape, 0 or more), for the law's scale and shape."""
    hours = np.asarray(hours, np.float64)
    if family == "lognormal":
        z = (np.log(np.maximum(hours, 1e-300)) - math.log(scale)) / shape
        return np.asarray(_erfc(z / math.sqrt(2)), np.float64) / 2
    power = 1.0 if family == "exponential" else shape
    return np.asarray(np.exp(-((hours / scale) ** power)))


def fails_within(law: Law, age_h: float, horizon_h: float) -> float:
    """Probability that a part that reached ``age_h`` fails within the next ``horizon_h`` hours."""
    now, then = survival(law.family, law.scale, law.shape, np.array([age_h, age_h + horizon_h]))
    return float(1 - then / now) if now > 0 else 1.0


def cost_per_hour(law: Law, age_h: float, preventive: float, failure: float) -> float:
    """Long-run cost per hour of use when the part is replaced at ``age_h``; infinity: at failure only.

    Raises:
        InvalidInputError: costs or age that mean nothing.
    """
    _check(preventive, failure, age_h)
    if math.isinf(age_h):
        return failure / law.mean
    alive = float(survival(law.family, law.scale, law.shape, np.array([age_h]))[0])
    return (preventive * alive + failure * (1 - alive)) / _hours_lived(law, age_h)


def best_replacement(law: Law, preventive: float, failure: float) -> Replacement:
    """The age that costs least per hour of use.

    Args:
        law: fitted law of the part's life in hours of use.
        preventive: cost of one planned replacement (the part, the work, the planned stop).
        failure: cost of one failure (repair, the stop, what it damages), in the same currency.

    Raises:
        InvalidInputError: costs that are not positive.
    """
    _check(preventive, failure, 1.0)
    at_failure = failure / law.mean
    if preventive >= failure or law.family == "exponential":
        return Replacement(None, at_failure, at_failure, 0.0)
    ages = np.geomspace(law.mean * 1e-3, law.mean * 4, GRID)
    costs = [cost_per_hour(law, float(age), preventive, failure) for age in ages]
    k = int(np.argmin(costs))
    age = _narrow(law, float(ages[max(k - 1, 0)]), float(ages[min(k + 1, GRID - 1)]), preventive, failure)
    cost = cost_per_hour(law, age, preventive, failure)
    if cost > at_failure * (1 - WORTH_IT):
        return Replacement(None, at_failure, at_failure, 0.0)
    alive = float(survival(law.family, law.scale, law.shape, np.array([age]))[0])
    return Replacement(age, cost, at_failure, alive)


def _narrow(law: Law, low: float, high: float, preventive: float, failure: float) -> float:
    """Golden section between two ages that enclose the least cost."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = (cost_per_hour(law, age, preventive, failure) for age in (left, right))
    while high - low > 1e-7 * high:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = cost_per_hour(law, left, preventive, failure)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = cost_per_hour(law, right, preventive, failure)
    return (low + high) / 2


def _hours_lived(law: Law, age_h: float) -> float:
    """Integral of R from 0 to ``age_h``: mean hours of use of a part under the policy."""
    middle = age_h / 2
    return float(middle * (_WEIGHTS @ survival(law.family, law.scale, law.shape, middle + middle * _NODES)))


def _check(preventive: float, failure: float, age_h: float) -> None:
    faults = [
        Fault("replacement:cost-not-positive", f"The {what} cost is {cost}.", "Give a cost above zero.", what)
        for what, cost in (("preventive", preventive), ("failure", failure))
        if not (math.isfinite(cost) and cost > 0)
    ]
    if not age_h > 0:
        faults.append(
            Fault("replacement:age-not-positive", f"The age is {age_h} h.", "Give hours of use above zero.", "age_h")
        )
    if faults:
        raise InvalidInputError(faults)
