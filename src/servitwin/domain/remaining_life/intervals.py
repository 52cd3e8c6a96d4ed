"""Intervals of remaining life that contain it as often as they say, near the end of life as well.

Split conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005) with residuals of
machines that the model had not seen. The residuals are those whose prediction was nearest: errors shrink towards the
end of life, and one quantile for all would be far too wide there and too narrow at the beginning.
"""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats

NEAREST = 80
FEWEST = 20


class Calibration(msgspec.Struct, frozen=True):
    """Predictions for machines kept out, in rising order, and what was true of them."""

    predicted: list[float]
    true: list[float]

    def interval(self, predicted: Floats, confidence: float, cap: float) -> tuple[Floats, Floats]:
        """Lower and upper end for each prediction, within 0 and ``cap``.

        Each end leaves out half of what the confidence leaves, with the finite-sample correction of split conformal
        prediction; with fewer residuals than that takes the largest one is the end. Where the upper end is the cap no
        life can be beyond it, and the lower end leaves out all (:meth:`last_longer` says which).
        """
        known = np.array(self.predicted)
        off = np.array(self.true) - known
        take = min(len(known), max(NEAREST, len(known) // 12))
        middle = np.searchsorted(known, predicted)
        begin = np.clip(middle - take // 2, 0, len(known) - take)
        sorted_off = np.sort(off[begin[:, None] + np.arange(take)], 1)
        tail = (1 - confidence) / 2
        both, one = (min(take, int(np.ceil((take + 1) * (1 - t)))) for t in (tail, 2 * tail))
        high = np.clip(predicted + sorted_off[:, both - 1], 0, cap)
        rank = np.where(high >= cap, one, both)
        low = np.clip(predicted + sorted_off[np.arange(len(predicted)), take - rank], 0, cap)
        return np.minimum(low, predicted), np.maximum(high, np.minimum(predicted, cap))

    @staticmethod
    def last_longer(high: float, confidence: float, cap: float) -> float:
        """Share of lives that are longer than the lower end of an interval with that upper end."""
        return confidence if high >= cap else (1 + confidence) / 2

    def chance(self, predicted: float, true: float) -> float:
        """Conformal p-value of a life that ended: share of residuals that were at least as extreme, both sides."""
        known = np.array(self.predicted)
        off = np.array(self.true) - known
        take = min(len(known), max(NEAREST, len(known) // 12))
        begin = int(np.clip(np.searchsorted(known, predicted) - take // 2, 0, len(known) - take))
        near = off[begin : begin + take]
        above = (np.sum(near >= true - predicted) + 1) / (take + 1)
        below = (np.sum(near <= true - predicted) + 1) / (take + 1)
        return float(min(1.0, 2 * min(above, below)))


def calibrate(predicted: Floats, true: Floats) -> Calibration:
    """A calibration from predictions for machines kept out and their true remaining lives."""
    order = np.argsort(predicted, kind="stable")
    return Calibration(predicted[order].tolist(), true[order].tolist())
