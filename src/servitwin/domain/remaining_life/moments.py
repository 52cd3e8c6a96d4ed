"""Lives as rows to learn from, and the moments at which a model is judged."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.domain.remaining_life.lives import Life

MOMENTS = 12  # a life


class Stacked(msgspec.Struct, frozen=True):
    """Rows of lives one after another.

    Attributes:
        settings (n, k), signals (n, d), start: first row of each life; life: number of the life of each row.
        remaining: rows that follow; ``failed``: of each life, whether they are all that follow.
    """

    settings: Floats
    signals: Floats
    start: Int64s
    life: Int64s
    remaining: Floats
    failed: Bools


def stack(lives: list[Life]) -> Stacked:
    """Lives as rows one after another."""
    length = np.array([life.length for life in lives], np.int64)
    return Stacked(
        np.concatenate([life.settings for life in lives]),
        np.concatenate([life.signals for life in lives]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(length)[:-1]]),
        np.repeat(np.arange(len(lives)), length),
        np.concatenate([life.remaining for life in lives]),
        np.array([life.failed for life in lives]),
    )


def moments(rows: Stacked, fewest: int, random: np.random.Generator, count: int = MOMENTS) -> Int64s:
    """Rows at which lives that ended are judged: ``count`` a life, each as likely, not before ``fewest`` rows."""
    length = np.diff(np.append(rows.start, len(rows.life)))
    found = []
    for k in np.flatnonzero(rows.failed):
        low = min(fewest, length[k] - 1)
        found.append(rows.start[k] + np.unique(random.integers(low, length[k], count)))
    return np.concatenate(found) if found else np.zeros(0, np.int64)
