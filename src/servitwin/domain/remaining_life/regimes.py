"""Operating regimes found in the settings of a machine type, and each signal seen against what its regime expects."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Floats, Int64s

MOST_REGIMES = 12
EXPLAINED = 0.95  # share of the settings' scatter that regimes must explain
SHARPEST = 4.0  # by how much one more regime must cut the scatter; cutting one cloud in two gives less than three
FEWEST = 30  # rows of a regime below which its own mean and spread say nothing


class Regimes(msgspec.Struct, frozen=True):
    """Centres of the regimes and what each signal does in them.

    Attributes:
        scale: spread of each setting, (k,); distances are in these units.
        centres: (regimes, k) in those units.
        reach: largest distance of a training row from its centre, (regimes,).
        mean, spread: of each signal in each regime, (regimes, signals).
        low, high: of each signal in each regime over all training rows, in standard deviations, (regimes, signals).
        used: indices of the signals that vary in at least one regime.
    """

    scale: list[float]
    centres: list[list[float]]
    reach: list[float]
    mean: list[list[float]]
    spread: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]
    used: list[int]

    def of(self, settings: Floats) -> tuple[Int64s, Floats]:
        """Regime of each row of settings (n, k), and how far it is from that regime in units of its reach."""
        scaled = (settings if settings.shape[1] else np.zeros((len(settings), 1))) / np.array(self.scale)
        apart = _distances(scaled, np.array(self.centres))
        regime = apart.argmin(1)
        reach = np.maximum(np.array(self.reach)[regime], 0.05)
        return regime.astype(np.int64), apart[np.arange(len(scaled)), regime] / reach

    def normal(self, signals: Floats, regime: Int64s) -> Floats:
        """Used signals (n, used) as deviations from their regime's mean in its standard deviations."""
        used = np.array(self.used, np.int64)
        mean, spread = np.array(self.mean)[:, used], np.array(self.spread)[:, used]
        return np.asarray((signals[:, used] - mean[regime]) / spread[regime])


def find_regimes(settings: Floats, signals: Floats) -> Regimes:
    """Regimes of rows of settings (n, k) with signals (n, d).

    The settings are clustered by k-means (Lloyd) from farthest-first starts; that number of clusters is taken whose
    last one cut the scatter most sharply. Where none cuts it sharply the settings wander freely: one regime.
    """
    if not settings.shape[1]:
        settings = np.zeros((len(settings), 1))  # nothing says how it runs: one regime
    scale = np.where(settings.std(0) > 1e-12 * (1 + np.abs(settings).max(0)), settings.std(0), 1.0)
    scaled = settings / scale
    centres, regime = scaled.mean(0, keepdims=True), np.zeros(len(scaled), np.int64)
    total = within = float(((scaled - centres) ** 2).sum())
    best = SHARPEST
    for count in range(2, MOST_REGIMES + 1) if total > 1e-9 * len(scaled) else ():
        tried, of = _k_means(scaled, count)
        if np.bincount(of, minlength=count).min() < FEWEST:
            break
        rest = float(((scaled - tried[of]) ** 2).sum()) + 1e-9 * total
        if rest < (1 - EXPLAINED) * total and within / rest > best:
            centres, regime, best = tried, of, within / rest
        within = rest
    apart = np.sqrt(((scaled - centres[regime]) ** 2).sum(1))
    count, d = len(centres), signals.shape[1]
    mean, spread = np.zeros((count, d)), np.ones((count, d))
    low, high, varies = np.zeros((count, d)), np.zeros((count, d)), np.zeros(d, np.bool_)
    reach = np.zeros(count)
    for r in range(count):
        rows = signals[regime == r]
        mean[r], sd = rows.mean(0), rows.std(0)
        real = sd > 1e-9 * (1 + np.abs(mean[r]))
        varies |= real
        spread[r] = np.where(real, sd, np.inf)
        low[r], high[r] = ((rows - mean[r]) / spread[r]).min(0), ((rows - mean[r]) / spread[r]).max(0)
        reach[r] = apart[regime == r].max()
    spread = np.where(np.isinf(spread), 1e300, spread)  # what stands still in a regime deviates by nothing there
    used = [int(i) for i in np.flatnonzero(varies)]
    return Regimes(
        scale.tolist(),
        centres.tolist(),
        reach.tolist(),
        mean.tolist(),
        spread.tolist(),
        low.tolist(),
        high.tolist(),
        used,
    )


def _k_means(rows: Floats, count: int) -> tuple[Floats, Int64s]:
    centres = rows.mean(0, keepdims=True)
    start = [rows[int(_distances(rows, centres)[:, 0].argmax())]]
    while len(start) < count:
        start.append(rows[int(_distances(rows, np.array(start)).min(1).argmax())])
    centres = np.array(start)
    of = _distances(rows, centres).argmin(1)
    for _ in range(50):
        centres = np.array([rows[of == r].mean(0) if (of == r).any() else centres[r] for r in range(count)])
        again = _distances(rows, centres).argmin(1)
        if (again == of).all():
            break
        of = again
    return centres, of.astype(np.int64)


def _distances(rows: Floats, centres: Floats) -> Floats:
    return np.stack([np.sqrt(((rows - c) ** 2).sum(1)) for c in centres], 1)
