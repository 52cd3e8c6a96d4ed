"""Changes of a signal's reading: runs of one value, and where the first change after an instant lies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Int64s
from servitwin.proof.monitor.algebra import Stretches
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.truth import FIRST, LAST

#: Parts of a run of a signal: the change is too far away, in the window, too near, or nobody knows when it is.
FAR, CHANGED, NEAR, UNKNOWN = 0, 1, 2, 3


def stretches(one: SignalTrace) -> Stretches:
    """Runs of one value; a repeated reading is no change, and a change is a change of the reading."""
    known = one.known & np.isfinite(one.values)
    differs = np.ones(len(one.times), np.bool_)
    differs[1:] = (known[1:] != known[:-1]) | (known[1:] & (one.values[1:] != one.values[:-1]))
    differs[:1] = known[:1]
    start = np.concatenate([np.array([FIRST]), one.times[differs]])
    return Stretches(start, np.concatenate([np.zeros(1, np.bool_), known[differs]]))


def change_parts(at: Stretches, low: int, high: int) -> tuple[Int64s, npt.NDArray[np.intp], npt.NDArray[np.int8]]:
    """Where the first change after t lies, seen from t + low to t + high: runs, of which run of the signal, and what.

    A known run [r, e) has up to three parts: the change at e is too far away, in the window, or too near. Where the
    signal ceases to be known at e, a change may come at any time after it.
    """
    r, n = at.start, len(at.start)
    e = np.append(r[1:], LAST)
    last = np.arange(n) == n - 1
    sure = np.append(at.known[1:], True)
    near = np.where(last, LAST, np.clip(e - high, r, e))
    past = np.where(last | ~sure, e, np.clip(e - low + 1, near, e))
    none = ~at.known
    start = np.stack([r, np.where(none, e, near), np.where(none, e, past)], 1)
    stop = np.stack([np.where(none, e, near), np.where(none, e, past), e], 1)
    part = np.stack([np.where(none, UNKNOWN, FAR), np.where(sure, CHANGED, UNKNOWN), np.full(n, NEAR)], 1)
    keep = np.flatnonzero((start < stop).ravel())
    return start.ravel()[keep], keep // 3, part.ravel()[keep].astype(np.int8)
