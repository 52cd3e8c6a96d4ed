"""How far the scores of a stretch without any fault reach: the limit that normal behaviour passes with a stated rate.

Peaks over a threshold: what lies above the 95th percentile follows a generalised Pareto distribution, fitted by
probability-weighted moments (Hosking and Wallis 1987, Technometrics 29, 339), and read at the stated rate.
"""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Floats

TAIL = 0.05  # share of the stretch that makes the tail
LEAST = 30  # scores in the tail below which its form cannot be told
HEAVIEST = 0.5  # shape of the heaviest tail; beyond it the variance has no bound


def limit_of_tail(scores: Floats, rate: float) -> float:
    """The score that a bin passes with that rate, as the scores of a stretch tell; 0 where they are too few to tell.

    ``rate``: 0 to 1, may lie far beyond what the stretch has seen itself. NaN: nothing was said of that bin.
    """
    known = np.sort(scores[~np.isnan(scores)])
    count = int(TAIL * len(known))
    if count < LEAST:
        return 0.0
    threshold = float(known[-count - 1])
    excess = known[-count:] - threshold
    mean = float(excess.mean())
    if mean <= 0:
        return threshold
    place = (np.arange(1, count + 1) - 0.35) / count
    weighted = float((excess * (1 - place)).mean())
    shape = float(np.clip(2 - mean / (mean - 2 * weighted), 0.0, HEAVIEST)) if mean > 2 * weighted else HEAVIEST
    scale = mean * (1 - shape)  # of a tail of that shape with that mean
    times = count / len(known) / rate
    grown = np.log(times) if shape < 1e-6 else (times**shape - 1) / shape
    return threshold + scale * float(max(grown, 0.0))
