"""How good predictions of remaining life are."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats

NEAR_END = 30.0  # cycles


class Quality(msgspec.Struct, frozen=True):
    """Predictions against what became true, on machines that the model had not seen.

    Attributes:
        machines, points: how many, and at how many moments of their lives.
        rmse: root mean square error, in the unit of life; score: sum of the asymmetric penalty.
        coverage: share of true lives within the interval; near_end: the same where ``NEAR_END`` or less was left.
        width: mean width of the intervals; width_near_end: likewise near the end.
    """

    machines: int
    points: int
    rmse: float
    score: float
    coverage: float
    near_end: float | None
    width: float
    width_near_end: float | None


def rmse(predicted: Floats, true: Floats) -> float:
    """Root mean square error."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def asymmetric_score(predicted: Floats, true: Floats) -> float:
    """Sum of exp(-d/13)-1 for early and exp(d/10)-1 for late predictions, d = predicted - true.

    Saxena et al., Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation, PHM 2008, equation 11.
    """
    d = predicted - true
    return float(np.where(d < 0, np.expm1(np.minimum(-d / 13, 700)), np.expm1(np.minimum(d / 10, 700))).sum())


def quality(machines: int, predicted: Floats, low: Floats, high: Floats, true: Floats) -> Quality:
    """All figures at once."""
    inside, near = (low <= true) & (true <= high), true <= NEAR_END
    return Quality(
        machines,
        len(true),
        rmse(predicted, true),
        asymmetric_score(predicted, true),
        float(inside.mean()),
        float(inside[near].mean()) if near.any() else None,
        float((high - low).mean()),
        float((high - low)[near].mean()) if near.any() else None,
    )
