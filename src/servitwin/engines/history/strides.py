"""Reading so many observations and no more of a range that may hold any number: days at a time, until enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from servitwin.domain.instant import DAY
from servitwin.engines.history.scan import Pair, View


def strides(view: View, pairs: Sequence[Pair], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Ranges that follow each other and hold all observations of those pairs in [start, end).

    Each has twice as many days with files or uncommitted rows as the one before, so that whoever stops has read about
    twice of what was wanted, and a series of a few observations in many years takes few steps.
    """
    days = {int(np.datetime64(f.day, "D").astype(np.int64)) for f in view.files(pairs, start, end)}
    for tail in view.tails():
        time = tail["time"].to_numpy()
        days.update(np.unique(time[(time >= start) & (time < end)] // DAY).tolist())
    ordered = sorted(days)
    at, many = 0, 1
    while at < len(ordered):
        chosen = ordered[at : at + many]
        yield max(start, chosen[0] * DAY), min(end, (chosen[-1] + 1) * DAY)
        at, many = at + many, many * 2
