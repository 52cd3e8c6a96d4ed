"""Intervals that cost least, beside age replacement: in blocks, by condition, and what waiting costs at any age.

Block replacement (Barlow and Proschan 1965, chapter 4; secondary): replaced at every multiple of T and at each failure;
cost per hour [cp + cf M(T)] / T with M the renewal function, computed by the midpoint rule of Xie (1989).

Waiting (marginal cost, Berg 1980; secondary): to put off a planned replacement from age a by u hours costs
(cf - cp) P(failure within u | age a) - g E[hours lived within u | age a], with g the least long-run cost per hour. It
is negative while waiting pays, and least where the age is the best one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from servitwin.domain.age_replacement import Replacement, best_replacement, survival
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.failure_law import Law
from servitwin.domain.maintenance_task import Life
from servitwin.domain.observation import Floats

BLOCK_GRID = 600
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


class BlockReplacement(msgspec.Struct, frozen=True):
    """The best block, in hours of use, and its cost per hour; None: no block is cheaper than run to failure."""

    every_h: float | None
    cost_per_h: float
    run_to_failure_per_h: float


class ControlLimit(msgspec.Struct, frozen=True):
    """Replace as soon as the predicted remaining life is at ``limit_h`` or below; None: never pays.

    ``failures``, ``replaced``: of the records that it was set on; ``cost_per_h``: theirs under the limit.
    """

    limit_h: float | None
    cost_per_h: float
    failures: int
    replaced: int


class RunToFailure(msgspec.Struct, frozen=True):
    """Predictions of one part until it failed: at rising ages (h of use), the remaining life predicted (h)."""

    age_h: tuple[float, ...]
    predicted_h: tuple[float, ...]
    failed_at_h: float


def law_of(life: Life) -> Law:
    """The law of a life as a task states it; its parameters are taken as they are."""
    still = ((0.0, 0.0), (0.0, 0.0))
    return Law("weibull", life.scale_hours, life.shape, life.failures, 0, 0.0, still, "as stated")


def best_age(life: Life, planned: float, failure: float) -> tuple[Replacement, str]:
    """The best age, and in words why; with a shape of 1 or below there is none, for age makes nothing worse.

    Raises:
        InvalidInputError: ``replacement:cost-not-positive``.
    """
    best = best_replacement(law_of(life), planned, failure)
    few = " (fitted from one failure or none: take it as a guess)" if 0 < life.failures < 2 else ""
    if life.shape <= 1:
        return (
            best,
            f"Run to failure is best: with a shape of {life.shape:g} an old part fails no sooner than a new one{few}",
        )
    if best.age_h is None:
        return best, f"Run to failure is best: a planned replacement saves nothing at these costs{few}"
    return best, (
        f"Replace at {best.age_h:.0f} h of use: {best.cost_per_h:.3g} an hour against {best.run_to_failure_per_h:.3g} "
        f"when run to failure; {100 * best.survives:.0f} % reach that age{few}"
    )


def renewals(law: Law, until_h: float, grid: int = BLOCK_GRID) -> tuple[Floats, Floats]:
    """Renewal function: times (grid + 1, from 0) and the expected number of failures up to each."""
    times = np.linspace(0.0, until_h, grid + 1)
    step = until_h / grid
    middle = 1 - survival(law.family, law.scale, law.shape, np.asarray((np.arange(grid) + 0.5) * step))
    failed = 1 - survival(law.family, law.scale, law.shape, np.asarray(times, np.float64))
    count = np.zeros(grid + 1)
    for i in range(1, grid + 1):
        past = float(np.diff(count[:i]) @ middle[i - 1 : 0 : -1]) if i > 1 else 0.0
        count[i] = (failed[i] + past - count[i - 1] * middle[0]) / (1 - middle[0])
    return times, count


def best_block(law: Law, planned: float, failure: float) -> BlockReplacement:
    """The block length that costs least per hour.

    Raises:
        InvalidInputError: ``replacement:cost-not-positive``.
    """
    at_failure = best_replacement(law, planned, failure).run_to_failure_per_h
    times, count = renewals(law, 3 * law.mean)
    costs = (planned + failure * count[1:]) / times[1:]
    k = int(np.argmin(costs))
    if k == len(costs) - 1 or costs[k] >= at_failure * (1 - 1e-3):
        return BlockReplacement(None, at_failure, at_failure)
    return BlockReplacement(float(times[k + 1]), float(costs[k]), at_failure)


def best_limit(records: Sequence[RunToFailure], planned: float, failure: float) -> ControlLimit:
    """The limit on the predicted remaining life that would have cost least per hour on these records.

    Exact: cost per hour changes only at predictions that occurred, so all of them are tried (renewal reward over the
    records). Set it on parts that the predictor has not learnt from.

    Raises:
        InvalidInputError: ``limit:too-few-failures`` for fewer than two records; costs that are not positive.
    """
    if len(records) < 2:
        message = f"{len(records)} run(s) to failure cannot set a limit"
        hint = "Two are the least, twenty a good beginning; until then replace by age"
        raise InvalidInputError(Fault("limit:too-few-failures", message, hint, "records"))
    faults = [
        Fault("replacement:cost-not-positive", f"The {what} cost is {cost}", "Give a cost above zero", what)
        for what, cost in (("planned", planned), ("failure", failure))
        if not (math.isfinite(cost) and cost > 0)
    ]
    if faults:
        raise InvalidInputError(faults)
    # The action is taken at the first prediction at or below the limit: only running minima matter.
    lows = [np.minimum.accumulate(np.array(r.predicted_h)) for r in records]
    best: ControlLimit | None = None
    for limit in [-math.inf, *np.unique(np.concatenate(lows)).tolist()]:
        hours = cost = 0.0
        failures = 0
        for record, low in zip(records, lows, strict=True):
            hit = int(np.argmax(low <= limit)) if low.size and low[-1] <= limit else -1
            hours += record.failed_at_h if hit < 0 else record.age_h[hit]
            cost += failure if hit < 0 else planned
            failures += hit < 0
        rate = cost / hours if hours > 0 else math.inf
        if best is None or rate < best.cost_per_h:
            best = ControlLimit(None if limit == -math.inf else limit, rate, failures, len(records) - failures)
    assert best is not None
    return best


def waiting_cost(law: Law, age_h: float, wait_h: Floats, planned: float, failure: float, best_rate: float) -> Floats:
    """What it costs to put the replacement off by each of ``wait_h`` hours of use from ``age_h`` on.

    ``best_rate``: least long-run cost per hour of use. Zero at no waiting; below zero while waiting pays.
    """
    alive = max(float(survival(law.family, law.scale, law.shape, np.array([age_h]))[0]), 1e-300)
    later = survival(law.family, law.scale, law.shape, age_h + wait_h) / alive
    half = wait_h[:, None] / 2
    lived = (half * _WEIGHTS * survival(law.family, law.scale, law.shape, age_h + half + half * _NODES)).sum(axis=1)
    return np.asarray((failure - planned) * (1 - later) - best_rate * lived / alive)
