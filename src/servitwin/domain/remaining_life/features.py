"""What is seen of a machine at each cycle of its life: recent and early means and trends of each normalised signal."""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Floats, Int64s

BLOCKS = ((0, 5), (5, 10), (10, 20), (20, 35), (35, 60))  # cycles back, newest first
FIRST = 20
TRENDS = (15, 30, 60)


def kinds() -> list[str]:
    """What the columns of :func:`features` are of each signal, in order; after them comes the age."""
    return [f"mean {a}-{b}" for a, b in BLOCKS] + ["first"] + [f"trend {w}" for w in TRENDS] + ["all"]


def features(normal: Floats, start: Int64s, only: Int64s | None = None) -> Floats:
    """Features (n, 10 d + 1) of rows (n, d) of machines that follow one another; machine m begins at ``start[m]``.

    Only the machine's own past is seen. Where the past is shorter than a window, what there is is taken. ``only``: rows
    whose features are wanted, all if left out.
    """
    n, d = normal.shape
    first = np.zeros(n, np.int64)
    first[start[1:]] = np.diff(start)
    first = np.cumsum(first)  # where the row's machine begins
    row = np.arange(n)
    total = np.concatenate([np.zeros((1, d)), np.cumsum(normal, 0)])
    moment = np.concatenate([np.zeros((1, d)), np.cumsum(normal * (row - first)[:, None], 0)])
    if only is not None:
        row, first = only, first[only]
    age = row - first + 1

    def mean(low: Int64s, high: Int64s) -> Floats:
        return np.asarray((total[high] - total[low]) / (high - low)[:, None])

    parts = []
    for newest, oldest in BLOCKS:
        high = np.maximum(row + 1 - newest, first + np.minimum(age, 3))
        low = np.maximum(np.minimum(row + 1 - oldest, high - 1), first)
        parts.append(mean(low, high))
    parts.append(mean(first, first + np.minimum(age, FIRST)))
    for width in TRENDS:
        low = np.maximum(row + 1 - width, first)
        count = row + 1.0 - low
        middle = (low + row) / 2 - first
        own = total[row + 1] - total[low]
        slope = moment[row + 1] - moment[low] - own * middle[:, None]
        spread = count * (count**2 - 1) / 12
        # Shrunk towards none: a trend over few cycles is mostly noise.
        parts.append(slope / (spread + 60.0)[:, None] * width)
    parts.append(mean(first, row + 1))
    return np.concatenate([*parts, age[:, None].astype(np.float64)], 1)
