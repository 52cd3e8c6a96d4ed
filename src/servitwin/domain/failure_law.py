"""Laws of time to failure and time to restore, fitted to censored durations, with the uncertainty of their parameters.

Maximum likelihood with right censoring: exponential in closed form, Weibull by Newton's method on the profile
likelihood of the shape, lognormal by the EM algorithm (Meeker and Escobar, Statistical Methods for Reliability Data,
chapters 7 and 8; secondary). The law is chosen by Akaike's criterion where there are failures enough to tell.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Family = Literal["exponential", "weibull", "lognormal"]
ENOUGH_TO_CHOOSE = 8
_erfc = np.frompyfunc(math.erfc, 1, 1)


class Law(msgspec.Struct, frozen=True):
    """A fitted law, in hours.

    Attributes:
        scale, shape: exponential: mean and 1; Weibull: scale and shape; lognormal: median and sigma of the logarithm.
        failures: durations that ended; censored: those that were still running.
        hours: all time observed.
        spread: covariance of (ln scale, ln shape), zero shape variance for the exponential law.
        note: how it was chosen, for people.
    """

    family: Family
    scale: float
    shape: float
    failures: int
    censored: int
    hours: float
    spread: tuple[tuple[float, float], tuple[float, float]]
    note: str

    @property
    def mean(self) -> float:
        """Mean duration in hours."""
        return float(_mean(self.family, np.array(self.scale), np.array(self.shape)))

    def draw_parameters(self, count: int, random: np.random.Generator) -> tuple[Floats, Floats]:
        """(scale, shape) as uncertain as the data leave them.

        The exponential rate has the gamma posterior of Jeffreys' prior, honest also for one failure or none; the
        others are normal in their logarithms (observed information).
        """
        if self.family == "exponential":
            rate = random.gamma(self.failures + 0.5, 1.0 / max(self.hours, 1e-9), count)
            return 1.0 / np.maximum(rate, 1e-12), np.ones(count)
        drawn = random.multivariate_normal([math.log(self.scale), math.log(self.shape)], np.array(self.spread), count)
        return np.exp(drawn[:, 0]), np.exp(drawn[:, 1])


def draw(family: Family, scale: Floats, shape: Floats, random: np.random.Generator) -> Floats:
    """One duration in hours for each pair of parameters."""
    if family == "exponential":
        return np.asarray(random.standard_exponential(len(scale)) * scale)
    if family == "weibull":
        return np.asarray(random.standard_exponential(len(scale)) ** (1.0 / shape) * scale)
    return np.asarray(scale * np.exp(random.standard_normal(len(scale)) * shape))


def fit(hours: Floats, ended: Bools) -> Law:
    """The law of durations in hours; ``ended`` False: the duration was still running when the observation ended.

    With fewer than eight ends the exponential law is taken: the data could not tell another from it.
    """
    hours, ended = hours[hours > 0], ended[hours > 0]
    count, total = int(ended.sum()), float(hours.sum())
    simple = _exponential(count, len(hours) - count, total)
    if count < ENOUGH_TO_CHOOSE:
        return simple
    laws = [law for law in (simple, _weibull(hours, ended), _lognormal(hours, ended)) if law is not None]
    scores = [(_aic(law, hours, ended), law) for law in laws]
    best = min(scores, key=lambda s: s[0])[1]
    told = ", ".join(f"{law.family} {score:.1f}" for score, law in scores)
    return msgspec.structs.replace(best, note=f"{best.family} by Akaike's criterion ({told}) from {count} ends")


def _exponential(count: int, censored: int, total: float) -> Law:
    mean = total / max(count, 0.5)
    note = f"exponential, for {count} ends are too few to choose" if count else "no end was seen: the mean is a bound"
    return Law("exponential", mean, 1.0, count, censored, total, ((1 / max(count, 0.5), 0.0), (0.0, 0.0)), note)


def _weibull(hours: Floats, ended: Bools) -> Law | None:
    count = int(ended.sum())
    largest = float(hours.max())
    within = hours / largest  # powers of it cannot overflow
    logs = np.log(within)
    mean_log = float(logs[ended].mean())
    shape = 1.0
    for _ in range(60):
        power = within**shape
        total, first, second = power.sum(), (power * logs).sum(), (power * logs * logs).sum()
        value = first / total - 1 / shape - mean_log
        slope = second / total - (first / total) ** 2 + 1 / shape**2
        step = value / slope
        shape = float(np.clip(shape - step, shape / 3, shape * 3))
        if abs(step) < 1e-10:
            break
    if not 0.05 < shape < 50:
        return None
    scale = largest * float(((within**shape).sum() / count) ** (1 / shape))
    return _with_spread("weibull", scale, shape, hours, ended)


def _lognormal(hours: Floats, ended: Bools) -> Law | None:
    logs = np.log(hours)
    mean, sigma = float(logs.mean()), max(float(logs.std()), 0.05)
    for _ in range(300):
        z = (logs[~ended] - mean) / sigma
        tail = np.maximum(_normal_tail(z), 1e-300)
        hazard = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) / tail
        first = np.concatenate([logs[ended], mean + sigma * hazard])
        second = np.concatenate([logs[ended] ** 2, mean**2 + sigma**2 + sigma * (logs[~ended] + mean) * hazard])
        before = mean, sigma
        mean = float(first.mean())
        sigma = math.sqrt(max(float(second.mean()) - mean**2, 1e-6))
        if abs(mean - before[0]) + abs(sigma - before[1]) < 1e-9:
            break
    return _with_spread("lognormal", math.exp(mean), sigma, hours, ended)


def _with_spread(family: Family, scale: float, shape: float, hours: Floats, ended: Bools) -> Law | None:
    """The law with the inverse of the observed information in (ln scale, ln shape)."""
    at, step = np.array([math.log(scale), math.log(shape)]), 1e-3

    def value(x: Floats) -> float:
        return -_log_likelihood(family, math.exp(x[0]), math.exp(x[1]), hours, ended)

    information = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = np.eye(2)[i] * step, np.eye(2)[j] * step
            information[i, j] = (value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)) / (
                4 * step * step
            )
    try:
        spread = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    if spread[0, 0] <= 0 or spread[1, 1] <= 0 or np.linalg.det(spread) <= 0:
        return None
    count = int(ended.sum())
    both = ((float(spread[0, 0]), float(spread[0, 1])), (float(spread[0, 1]), float(spread[1, 1])))
    return Law(family, scale, shape, count, len(hours) - count, float(hours.sum()), both, family)


def _aic(law: Law, hours: Floats, ended: Bools) -> float:
    parameters = 1 if law.family == "exponential" else 2
    return 2 * parameters - 2 * _log_likelihood(law.family, law.scale, law.shape, hours, ended)


def _log_likelihood(family: Family, scale: float, shape: float, hours: Floats, ended: Bools) -> float:
    if family == "lognormal":
        z = (np.log(hours) - math.log(scale)) / shape
        density = -0.5 * z[ended] ** 2 - np.log(hours[ended] * shape * math.sqrt(2 * math.pi))
        return float(density.sum() + np.log(np.maximum(_normal_tail(z[~ended]), 1e-300)).sum())
    k = 1.0 if family == "exponential" else shape
    x = hours / scale
    return float((math.log(k / scale) + (k - 1) * np.log(x[ended])).sum() - (x**k).sum())


def _normal_tail(z: Floats) -> Floats:
    return np.asarray(_erfc(z / math.sqrt(2)), np.float64) / 2 if len(z) else z


def _mean(family: Family, scale: Floats, shape: Floats) -> Floats:
    if family == "lognormal":
        return np.asarray(scale * np.exp(shape**2 / 2))
    if family == "exponential":
        return scale
    gamma = np.frompyfunc(math.gamma, 1, 1)
    return np.asarray(scale * np.asarray(gamma(1 + 1 / shape), np.float64))
