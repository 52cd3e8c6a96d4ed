"""Capability of a process: how its spread and place compare with the tolerance, with what is not known.

Cp, Cpk from the spread within subgroups (potential), Pp, Ppk from that of all values (performance), Cm = (USL-LSL)/6s
(machine capability), after NIST/SEMATECH e-Handbook 6.1.6 and ISO 22514-2. Intervals: Cp and Pp by chi-square, Cpk and
Ppk by Bissell (1990), both with the degrees of freedom of the standard deviation used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

LEAST, ENOUGH = 2, 50  # ISO 22514-2 wants at least 50, better 125 values
NOT_NORMAL = 0.05
_NORMAL = NormalDist()


class Tolerance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Limits of a characteristic; None: there is no such limit."""

    lower: float | None = None
    upper: float | None = None
    nominal: float | None = None


class Estimate(msgspec.Struct, frozen=True):
    """An index with its confidence interval; ``low`` and ``high`` None: too few values."""

    value: float
    low: float | None = None
    high: float | None = None


class Capability(msgspec.Struct, frozen=True, omit_defaults=True):
    """Indices that the tolerance permits; those that need a missing limit are None.

    Attributes:
        outside: share of the values outside the tolerance; ``expected_outside``: by the normal distribution.
        normality: p-value of the Anderson-Darling test; None below eight values.
        warnings: why to read the numbers with care.
    """

    count: int
    mean: float
    sigma_within: float
    sigma_overall: float
    cp: Estimate | None
    cpk: Estimate | None
    pp: Estimate | None
    ppk: Estimate | None
    cm: Estimate | None
    outside: float
    expected_outside: float
    normality: float | None
    warnings: tuple[Fault, ...] = ()


def capability(
    values: Sequence[float], tolerance: Tolerance, sigma_within: float, freedom: int, confidence: float = 0.95
) -> Capability:
    """Capability of single values.

    Args:
        values: all measured values, in the unit of the tolerance.
        tolerance: with at least one limit.
        sigma_within: standard deviation within subgroups, as the control chart says.
        freedom: its degrees of freedom.
        confidence: of the two-sided intervals.

    Raises:
        InvalidInputError: ``capability:no-limit``, ``capability:limits-crossed``, ``capability:not-enough-data``,
            ``capability:no-variation``.
    """
    _check(values, tolerance)
    n = len(values)
    mean = math.fsum(values) / n
    overall = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    if overall <= 0 or sigma_within <= 0:
        message = "The values do not differ: an index would be infinite"
        raise InvalidInputError(Fault("capability:no-variation", message, "Look at the resolution of the gauge"))
    lower, upper = tolerance.lower, tolerance.upper
    outside = sum((lower is not None and v < lower) or (upper is not None and v > upper) for v in values) / n
    normality = anderson_darling(values)
    spread = None if lower is None or upper is None else upper - lower
    potential = None if spread is None else _spread_index(spread, sigma_within, freedom, confidence)
    performance = None if spread is None else _spread_index(spread, overall, n - 1, confidence)
    return Capability(
        n, mean, sigma_within, overall,
        potential, _place_index(mean, tolerance, sigma_within, n, freedom, confidence),
        performance, _place_index(mean, tolerance, overall, n, n - 1, confidence),
        performance, outside, _expected(mean, overall, tolerance), normality, _warnings(n, normality),
    )  # fmt: skip


def _check(values: Sequence[float], tolerance: Tolerance) -> None:
    faults = []
    if tolerance.lower is None and tolerance.upper is None:
        faults.append(Fault("capability:no-limit", "There is no tolerance", "Give a lower or an upper limit"))
    elif tolerance.lower is not None and tolerance.upper is not None and tolerance.lower >= tolerance.upper:
        message = f"The lower limit {tolerance.lower} is not below the upper one {tolerance.upper}"
        faults.append(Fault("capability:limits-crossed", message, "Exchange them"))
    if len(values) < LEAST:
        faults.append(Fault("capability:not-enough-data", f"{len(values)} values", f"At least {LEAST}"))
    elif not all(math.isfinite(v) for v in values):
        faults.append(Fault("capability:not-finite", "A value is not a finite number", "Leave it out"))
    if faults:
        raise InvalidInputError(faults)


def _warnings(n: int, normality: float | None) -> tuple[Fault, ...]:
    found = []
    if n < ENOUGH:
        message = f"{n} values: the interval is wide, the index a first guess"
        found.append(Fault("capability:few-values", message, f"{ENOUGH} or more"))
    if normality is not None and normality < NOT_NORMAL:
        message = f"The values are not normally distributed (Anderson-Darling p = {normality:.3g})"
        hint = "Look at the chart for drift and mixed lots before the index is used"
        found.append(Fault("capability:not-normal", message, hint))
    return tuple(found)


def _spread_index(spread: float, sigma: float, freedom: int, confidence: float) -> Estimate:
    value, half = spread / (6 * sigma), (1 - confidence) / 2
    if freedom < 1:
        return Estimate(value)
    ends = [value * math.sqrt(chi_square_quantile(p, freedom) / freedom) for p in (half, 1 - half)]
    return Estimate(value, ends[0], ends[1])


def _place_index(
    mean: float, tolerance: Tolerance, sigma: float, n: int, freedom: int, confidence: float
) -> Estimate | None:
    sides = [] if tolerance.lower is None else [(mean - tolerance.lower) / (3 * sigma)]
    sides += [] if tolerance.upper is None else [(tolerance.upper - mean) / (3 * sigma)]
    if not sides:
        return None
    value = min(sides)
    if freedom < 1:
        return Estimate(value)
    reach = _NORMAL.inv_cdf((1 + confidence) / 2) * math.sqrt(1 / (9 * n) + value**2 / (2 * freedom))
    return Estimate(value, value - reach, value + reach)


def _expected(mean: float, sigma: float, tolerance: Tolerance) -> float:
    below = 0.0 if tolerance.lower is None else _NORMAL.cdf((tolerance.lower - mean) / sigma)
    above = 0.0 if tolerance.upper is None else _NORMAL.cdf((mean - tolerance.upper) / sigma)
    return below + above


def anderson_darling(values: Sequence[float]) -> float | None:
    """p-value of normality with mean and deviation estimated (D'Agostino and Stephens 1986, table 4.9); None: n < 8."""
    n = len(values)
    if n < 8:
        return None
    mean = math.fsum(values) / n
    sigma = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    if sigma <= 0:
        return 0.0
    below = [min(max(_NORMAL.cdf((v - mean) / sigma), 1e-300), 1 - 1e-16) for v in sorted(values)]
    total = math.fsum((2 * i + 1) * (math.log(below[i]) + math.log1p(-below[n - 1 - i])) for i in range(n))
    a = (-n - total / n) * (1 + 0.75 / n + 2.25 / n**2)
    if a >= 0.6:
        return math.exp(min(0.0, 1.2937 - 5.709 * a + 0.0186 * a * a)) if a < 150 else 0.0
    if a >= 0.34:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    if a >= 0.2:
        return 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    return 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)


def chi_square_quantile(p: float, freedom: int) -> float:
    """Value below which a chi-square variable of that many degrees lies with probability ``p`` (bisection)."""
    low, high = 0.0, max(10.0, 4.0 * freedom)
    while _chi_square_below(high, freedom) < p:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if _chi_square_below(middle, freedom) < p:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2


def _chi_square_below(x: float, freedom: int) -> float:
    """Regularised lower incomplete gamma function P(k/2, x/2): series below its mean, continued fraction above."""
    a, z = freedom / 2, x / 2
    if z <= 0:
        return 0.0
    front = math.exp(-z + a * math.log(z) - math.lgamma(a))
    if z < a + 1:
        term = total = 1 / a
        k = a
        while abs(term) > abs(total) * 1e-16:
            k += 1
            term *= z / k
            total += term
        return total * front
    tiny = 1e-300
    b, c = z + 1 - a, 1 / tiny
    d = 1 / b
    h = d
    for i in range(1, 100_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b or tiny)
        c = b + step / c or tiny
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return 1 - front * h


class Yield(msgspec.Struct, frozen=True):
    """First pass yield of a step: parts that were good at once, of those that entered, with Wilson's interval."""

    good: int
    entered: int
    value: float | None
    low: float | None
    high: float | None


def first_pass_yield(good: int, entered: int, confidence: float = 0.95) -> Yield:
    """FPY = good at once / entered (ISO 22400-2 first pass yield); interval after Wilson (1927).

    Raises:
        InvalidInputError: ``yield:impossible``.
    """
    if not 0 <= good <= entered:
        raise InvalidInputError(Fault("yield:impossible", f"{good} good of {entered}", "Count again"))
    if entered == 0:
        return Yield(0, 0, None, None, None)
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    p, n = good / entered, entered
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Yield(good, entered, p, max(0.0, middle - reach), min(1.0, middle + reach))


def rolled_yield(steps: Sequence[Yield]) -> float | None:
    """Rolled throughput yield: the product of the steps' first pass yields; None if one is not known, or none."""
    values = [s.value for s in steps]
    if not values or any(v is None for v in values):
        return None
    return math.prod(v for v in values if v is not None)
