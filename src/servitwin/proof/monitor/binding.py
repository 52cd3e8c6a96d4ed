"""Until and since: a goal, and what binds the instants up to it or after it."""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Bools, Int64s
from servitwin.proof.monitor.truth import (
    FIRST,
    LAST,
    Truth,
    clip,
    extreme,
    instants,
)


def until_ever(hold: Truth, goal: Truth) -> Truth:
    """U(t) = goal(t) or (hold(t) and U(t + 1)), from the end backwards.

    Decisions follow the same recursion with the earlier (or) and the later (and) of the parts; inside a run both
    decisions never fall, which gives one clamp for each run.
    """
    at = instants(hold.start, goal.start)
    i, j = hold.index(at), goal.index(at)
    h, g = hold.true[i], goal.true[j]
    stop = np.append(at[1:], LAST)
    hb, hk, gb, gk = hold.base[i], hold.slope[i], goal.base[j], goal.slope[j]
    h_last, g_last = clip(hb + hk * (stop - 1)), clip(gb + gk * (stop - 1))
    g_first, h_first = clip(gb + gk * at), clip(hb + hk * at)
    n = len(at)
    true, cap = [False] * n, [0] * n
    after, value = False, LAST
    rows = zip(
        h.tolist(), g.tolist(), h_last.tolist(), g_last.tolist(), h_first.tolist(), g_first.tolist(), strict=True
    )
    for r, (holds, goals, hl, gl, hf, gf) in reversed(list(enumerate(rows))):
        # ``cap``: when what comes after this run decides it, at any instant of the run.
        if goals:
            cap[r] = max(hl, value) if holds and after else LAST
            value, after = min(gf, cap[r]), True
        elif holds:
            cap[r] = max(hl if after else gl, value)
            value = cap[r]
        else:
            cap[r] = LAST if after else max(gl, value)
            value, after = min(max(gf, hf), cap[r]), False
        true[r] = after
    truth, bound = np.array(true), np.array(cap, np.int64)
    return _settle(at, truth, (h, g), (hb, hk), (gb, gk), bound, forward=False)


def since_ever(hold: Truth, goal: Truth) -> Truth:
    """S(t) = goal(t) or (hold(t) and S(t - 1)), from the beginning on; decisions as in :func:`until_ever`."""
    at = instants(hold.start, goal.start)
    i, j = hold.index(at), goal.index(at)
    h, g = hold.true[i], goal.true[j]
    stop = np.append(at[1:], LAST)
    hb, hk, gb, gk = hold.base[i], hold.slope[i], goal.base[j], goal.slope[j]
    h_last, g_last = clip(hb + hk * (stop - 1)), clip(gb + gk * (stop - 1))
    g_first, h_first = clip(gb + gk * at), clip(hb + hk * at)
    n = len(at)
    true, cap = [False] * n, [0] * n
    before, value = False, FIRST
    rows = zip(
        h.tolist(), g.tolist(), h_last.tolist(), g_last.tolist(), h_first.tolist(), g_first.tolist(), strict=True
    )
    for r, (holds, goals, hl, gl, hf, gf) in enumerate(rows):
        # ``cap``: the decision that the run took over from what was before it.
        if goals:
            cap[r] = (min(gf, value) if before else gf) if holds else LAST
            value, before = (min(gl, max(cap[r], hl)) if holds else gl), True
        elif holds:
            cap[r] = value
            value = max(value, hl if before else gl)
        else:
            cap[r] = hf if before else min(hf, value)
            value, before = max(gl, cap[r]), False
        true[r] = before
    return _settle(at, np.array(true), (h, g), (hb, hk), (gb, gk), np.array(cap, np.int64), forward=True)


def _settle(
    at: Int64s,
    true: Bools,
    parts: tuple[Bools, Bools],
    hold: tuple[Int64s, Int64s],
    goal: tuple[Int64s, Int64s],
    cap: Int64s,
    *,
    forward: bool,
) -> Truth:
    """Decisions of until and since from the clamps of their runs; see the table of cases in the code."""
    h, g = parts
    zero = np.zeros(len(at), np.int64)
    if not forward:
        # goal: min(goal, cap). hold alone: cap. neither: min(max(goal, hold), cap).
        neither = ~h & ~g
        later = extreme(at, true, goal, hold, latest=np.ones(len(at), np.bool_))
        at2 = instants(at, later.start)
        k = np.searchsorted(at, at2, side="right") - 1
        m = later.index(at2)
        base = np.where(neither[k], later.base[m], np.where(g[k], goal[0][k], LAST))
        slope = np.where(neither[k], later.slope[m], np.where(g[k], goal[1][k], 0))
        return extreme(at2, true[k], (base, slope), (cap[k], zero[k]), latest=np.zeros(len(at2), np.bool_))
    # goal with hold: min(goal, max(cap, hold)). goal alone: goal. hold alone: true max(cap, hold), false
    # max(cap, goal). neither: max(goal, cap).
    with_hold = h & (g | true)
    line = (np.where(with_hold, hold[0], goal[0]), np.where(with_hold, hold[1], goal[1]))
    later = extreme(at, true, line, (cap, zero), latest=np.ones(len(at), np.bool_))
    at2 = instants(at, later.start)
    k = np.searchsorted(at, at2, side="right") - 1
    m = later.index(at2)
    other = (np.where(g[k], goal[0][k], LAST), np.where(g[k], goal[1][k], 0))
    return extreme(at2, true[k], (later.base[m], later.slope[m]), other, latest=np.zeros(len(at2), np.bool_))
