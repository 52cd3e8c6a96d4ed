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


def asked(rows: Stacked, fewest: int, random: np.random.Generator, count: int = MOMENTS) -> Int64s:
    """Rows at which machines in service are asked, ``count`` for each life that ended: any moment of any of them.

    A fleet seen on any day holds long lives for longer and each age as often as lives reach it (renewal theory: the age
    of a part in service has density S(a) / mean). Equal shares for each life would have too many old machines.
    """
    length = np.diff(np.append(rows.start, len(rows.life)))
    age = np.arange(len(rows.life)) - rows.start[rows.life]
    able = np.flatnonzero(rows.failed[rows.life] & (age >= np.minimum(fewest, length - 1)[rows.life]))
    wanted = min(len(able), count * int(rows.failed.sum()))
    return np.sort(random.choice(able, wanted, replace=False)) if wanted else able
