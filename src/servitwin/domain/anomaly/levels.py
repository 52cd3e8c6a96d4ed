"""Levels that a setting was held at, found in how its values lie, however many there are.

A level begins where values lie densest and takes in its neighbours until a clear gap parts it from the next ones; the
same is done with what lies below and above it. What remains in the gaps is left out: values on the way from one level
to another, and those that were set too rarely. There is no chance in it, and no number of levels is given.
"""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Floats

CLEAR = 0.5  # a gap parts a level from what is beside it if it is at least so many times as wide as the level
SAME = 1e-3  # share of the largest magnitude below which two values are not told apart
NEAR = 5e-3  # or this share of the setting's whole range
STEPS = 4.0  # smallest steps of a reading within which a setting that is not held is noise

Level = tuple[float, float]  # lowest and highest value


def resolution(values: Floats) -> float:
    """The difference below which two values of a setting are not told apart: what drives and rounding make of one."""
    return max(SAME * float(np.abs(values).max(initial=0.0)), NEAR * float(np.ptp(values)) if len(values) else 0.0)


def noise_of_steps(values: Floats) -> float:
    """How far a setting (values in order of time) scatters by the steps of its reading alone; 0 where it is held."""
    moves = np.abs(np.diff(values))
    if not len(moves) or float(np.median(moves)) <= 0:
        return 0.0
    apart = np.diff(np.sort(values))
    return STEPS * float(apart[apart > 0].min())


def levels_of(values: Floats, noise: float, least: int) -> list[Level]:
    """Levels of at least ``least`` values, rising; one where they vary freely or not at all, none of too few values.

    ``noise``: how far the setting moves while it is held, in its own unit; half of it parts no levels.
    """
    rising = np.sort(values)
    found, todo = [], [(0, len(rising))]
    while todo:
        a, b = todo.pop()
        if b - a < least:
            continue
        i = a + int((rising[a + least - 1 : b] - rising[a : b - least + 1]).argmin())
        i, j = _grown(rising[a:b].tolist(), i - a, i - a + least - 1, noise)
        found.append((float(rising[a + i]), float(rising[a + j])))
        todo += [(a, a + i), (a + j + 1, b)]
    return sorted(found)


def _grown(rising: list[float], i: int, j: int, noise: float) -> tuple[int, int]:
    """First and last index of a level that begins as those of its core, the nearest value taken in first."""
    last = len(rising) - 1
    while i > 0 or j < last:
        below = rising[i] - rising[i - 1] if i > 0 else np.inf
        above = rising[j + 1] - rising[j] if j < last else np.inf
        if min(below, above) > CLEAR * max(rising[j] - rising[i], noise):
            break
        if below <= above:
            i -= 1
        else:
            j += 1
    return i, j
