"""Values that hold until the next one is reported, seen at given instants."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from servitwin.domain.observation import Floats, Int64s

LARGEST = 1e100


def held_on(
    grid: Int64s, before: tuple[int, float | None] | None, new: Sequence[tuple[int, float | None]], hold: int | None
) -> Floats:
    """Value from each instant of the grid (ns UTC, rising) on; NaN: not known.

    ``before``: the last observation before ``new``; ``hold``: longest time that a value holds, ns (None: for ever).
    """
    rows = [*([before] if before is not None else []), *new]
    if not rows:
        return np.full(len(grid), np.nan)
    time = np.array([t for t, _ in rows], np.int64)
    value = np.array([np.nan if v is None else v for _, v in rows])
    at = np.searchsorted(time, grid, side="right") - 1
    held = np.where(at >= 0, value[np.maximum(at, 0)], np.nan)
    if hold is not None:
        held = np.where(grid - time[np.maximum(at, 0)] < hold, held, np.nan)
    return np.asarray(held)


def expiries(
    before: tuple[int, float | None] | None, new: Sequence[tuple[int, float | None]], hold: int | None
) -> list[int]:
    """Instants at which a value ceases to hold because no other followed in time."""
    if hold is None:
        return []
    times = [t for t, _ in [*([before] if before is not None else []), *new]]
    return [t + hold for t, after in pairwise([*times, None]) if t is not None and (after is None or after - t > hold)]


def number_of(value: float | str | bool | None) -> float | None:
    """Numbers within bounds, flags as 0 and 1; the change of a text counts through its hash."""
    if value is None:
        return None
    if isinstance(value, str):
        return float(sum(ord(c) * 31**k for k, c in enumerate(value[:12])) % 1_000_003)
    return min(max(float(value), -LARGEST), LARGEST)
