"""Two step functions laid over each other, and extremes over windows that slide: for margins, sample by sample.

Signals that are sampled together, and windows of whole periods, fall on one grid of instants. Then runs are found by
counting instead of by searching, and all windows but those at the ends are equally wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Floats, Int64s
from servitwin.proof.monitor.truth import FIRST, instants, range_extreme

# Windows that are gone over at a time: what they need stays in the cache of a core.
_CHUNK = 1 << 14


@dataclass(slots=True, eq=False)
class Side:
    """Which run of a function holds from each instant of an overlay on.

    On the first ``grid`` instants they are counted: the first run holds ``before`` instants more, the others one each.
    ``rest`` are the runs that hold from the instants after those on.
    """

    before: int
    grid: int
    rest: npt.NDArray[np.intp]

    def of(self, values: Floats) -> Floats:
        """The values that hold."""
        found = np.empty(self.grid + len(self.rest))
        found[: min(self.before, self.grid)] = values[0]
        if self.before < self.grid:
            found[self.before : self.grid] = values[: self.grid - self.before]
        found[self.grid :] = values[self.rest]
        return found

    def runs(self, begin: int, end: int) -> npt.NDArray[np.intp]:
        """The runs that hold from some of the instants on."""
        counted = np.maximum(np.arange(begin, min(end, self.grid)) - self.before, 0)
        return np.concatenate([counted, self.rest[max(begin - self.grid, 0) : max(end - self.grid, 0)]])


def overlay(a: Int64s, b: Int64s) -> tuple[Int64s, Side, Side]:
    """The instants at which one of two functions changes, and their runs there. Both begin at FIRST."""
    p, q, same = _grid(a, b)
    grid = 1 + max(p, q) + same if same else 0
    skip_a, skip_b = (1 + p + same, 1 + q + same) if same else (0, 0)
    rest = instants(a[skip_a:], b[skip_b:])
    i, j = _held(a, skip_a, rest), _held(b, skip_b, rest)
    longer, skip = (a, skip_a) if p else (b, skip_b)
    at = np.concatenate([longer[:skip], rest]) if same else rest
    return at, Side(q, grid, i), Side(p, grid, j)


def extremes(values: Floats, first: Side, last: Side, best: np.ufunc) -> Floats:
    """``best`` (np.minimum or np.maximum) of the values from run ``first`` to run ``last``, for each instant."""
    count, width = first.grid + len(first.rest), first.before - last.before + 1
    found = np.empty(count)
    # From here to there both ends move by one run each instant.
    begin = end = 0
    if width > 0 and first.before < first.grid:
        begin, end = first.before, first.grid
        found[begin:end] = _equally_wide(values[: end - last.before], width, best)
    for a, b in ((0, begin), (end, count)):
        if a < b:
            low, high = first.runs(a, b), last.runs(a, b) + 1
            at = int(low[0])
            found[a:b] = range_extreme(values[at : int(high[-1])], low - at, high - at, best, np.nan)
    return found


def least_between(values: Floats, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]) -> Floats:
    """The smallest of values[first:last] for each pair; none of them is empty."""
    if len(last) and int(last.max()) == len(values):
        values = np.append(values, np.inf)
    pairs = np.stack([first, last], 1).ravel()
    found: Floats = np.minimum.reduceat(values, pairs)[::2] if len(pairs) else np.zeros(0)
    return found


def _equally_wide(values: Floats, width: int, best: np.ufunc) -> Floats:
    """``best`` of each ``width`` neighbours: of twice as many each time, then of two that overlap."""
    count = len(values) - width + 1
    found = np.empty(max(count, 0))
    for a in range(0, count, _CHUNK):
        b = min(a + _CHUNK, count)
        part, wide = values[a : b + width - 1], 1
        while 2 * wide <= width:
            part, wide = best(part[:-wide], part[wide:]), 2 * wide
        best(part[: b - a], part[width - wide :], out=found[a:b])
    return found


def _held(one: Int64s, skip: int, at: Int64s) -> npt.NDArray[np.intp]:
    """The runs that hold from instants on, all of which from ``skip`` on are among them."""
    own = one[skip:]
    if len(own) == len(at) and np.array_equal(own, at):
        return np.arange(skip, len(one))
    begins = np.concatenate([np.zeros(1, np.intp), np.searchsorted(at, own), np.array([len(at)])])
    return np.repeat(np.arange(skip - 1, len(one)), np.diff(begins))


def _grid(a: Int64s, b: Int64s) -> tuple[int, int, int]:
    """How many instants of each come first, and how many they have in common then; 0 where searching is as good."""
    if len(a) < 2 or len(b) < 2 or a[1] == FIRST or b[1] == FIRST:
        return 0, 0, 0
    p, q = int(np.searchsorted(a[1:], b[1])), int(np.searchsorted(b[1:], a[1]))
    one, two = a[1 + p :], b[1 + q :]
    m = min(len(one), len(two))
    half = m // 2
    if not m or one[half] != two[half]:
        return 0, 0, 0
    differ = one[:m] != two[:m]
    same = int(np.argmax(differ)) if differ.any() else m
    return (p, q, same) if same > half else (0, 0, 0)
