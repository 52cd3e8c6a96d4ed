"""Truth over time with the instant at which it was decided, as run-lengths: the algebra of the monitor.

A :class:`Truth` is two-valued; the three values of Kleene are two of them (certain, and possible). It covers all time:
the last run goes on for ever, as if nothing changed any more, and ``decided`` says from when on data fix a value
whatever comes later. So what is decided before "now" is certain now, and nothing has to be computed again when time
passes without a change. The decision of an instant t is the line ``base + slope * t`` with slope 0 or 1: "when the
goal came", or "so long after t". It never falls inside a run.

Operators with windows are rewritten as in Donzé, Ferrère and Maler, Efficient robust monitoring for STL (2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import Bools, Int64s

#: Stand for minus and plus infinity (the years 1823 and 2116), so that sums of two never overflow.
FIRST = -(1 << 62)
LAST = 1 << 62
#: Ends of the widest window, from the instant that it is about (ns).
WIDEST = LAST - 1
_N = TypeVar("_N", np.int64, np.float64)


@dataclass(slots=True, eq=False)
class Truth:
    """``true[i]`` on [start[i], start[i + 1]); ``start[0]`` is FIRST. Decided at ``base[i] + slope[i] * t``."""

    start: Int64s
    true: Bools
    base: Int64s
    slope: Int64s
    at_once: bool = False  # decided at each instant itself: base 0, slope 1 everywhere

    def index(self, times: Int64s) -> npt.NDArray[np.intp]:
        """Runs that hold at these instants."""
        return np.searchsorted(self.start, times, side="right") - 1

    def decided_at(self, t: int) -> tuple[bool, int]:
        """Truth at an instant and when it was decided."""
        i = int(np.searchsorted(self.start, t, side="right")) - 1
        return bool(self.true[i]), int(self.base[i] + self.slope[i] * t)


def present(start: Int64s, true: Bools) -> Truth:
    """A truth that is decided at each instant itself. Neighbouring equal runs become one."""
    keep = np.ones(len(start), np.bool_)
    np.not_equal(true[1:], true[:-1], out=keep[1:])
    start, true = start[keep], true[keep]
    return Truth(start, true, np.zeros(len(start), np.int64), np.ones(len(start), np.int64), at_once=True)


def constant(value: bool) -> Truth:
    """The same at all times, and always known."""
    one = np.array([FIRST], np.int64)
    return Truth(one, np.array([value]), one.copy(), np.zeros(1, np.int64))


def negation(a: Truth) -> Truth:
    """True where ``a`` is false."""
    return Truth(a.start, ~a.true, a.base, a.slope, a.at_once)


def both(a: Truth, b: Truth) -> Truth:
    """True where both are; false as soon as one is decided to be."""
    at = instants(a.start, b.start)
    i, j = a.index(at), b.index(at)
    p, q = a.true[i], b.true[j]
    if a.at_once and b.at_once:
        return present(at, p & q)
    # Where one alone is false it decides: the other one never comes first.
    by_a, by_b, true = q | ~p, p | ~q, p & q
    one = np.where(by_a, a.base[i], LAST), np.where(by_a, a.slope[i], 0)
    two = np.where(by_b, b.base[j], LAST), np.where(by_b, b.slope[j], 0)
    return extreme(at, true, one, two, latest=true)


def either(a: Truth, b: Truth) -> Truth:
    """True where one is."""
    return negation(both(negation(a), negation(b)))


def shifted(a: Truth, by: int) -> Truth:
    """At t what ``a`` is at t + by."""
    start = moved(a.start, by)
    n = len(start)
    return tidy(start, a.true[:n], clip(a.base[:n] + a.slope[:n] * by), a.slope[:n])


def throughout(a: Truth, low: int, high: int) -> Truth:
    """True at t if ``a`` is true at every instant of [t + low, t + high] (negative: in the past)."""
    low, high = max(low, -WIDEST), min(high, WIDEST)
    if low == high:
        return shifted(a, low)
    if len(a.start) == 1:
        by = high if a.true[0] else low
        return Truth(a.start, a.true, clip(a.base + a.slope * by), a.slope)
    if a.at_once:
        return _throughout_at_once(a, low, high)
    at = instants(moved(a.start, low), moved(a.start, high))
    first = np.searchsorted(a.start, clip(at + low), side="right")
    last = np.searchsorted(a.start, clip(at + high), side="right")
    falses = np.concatenate([np.zeros(1, np.int64), np.cumsum(~a.true)])
    true = falses[last] == falses[first - 1]
    # Decided true when the last of the window is: runs that end inside it, and the instant at its end.
    ends = np.append(a.start[1:] - 1, LAST - 1)
    at_end = clip(a.base + a.slope * ends)
    latest = range_extreme(at_end, first - 1, last - 1, np.maximum, FIRST)
    tail = last - 1
    # Decided false when the earliest false one is: runs that begin inside it, and the instant at its beginning.
    at_start = np.where(a.true, LAST, clip(a.base + a.slope * a.start))
    earliest = range_extreme(at_start, first, last, np.minimum, LAST)
    head = first - 1
    base = np.where(true, a.base[tail] + a.slope[tail] * high, a.base[head] + a.slope[head] * low)
    slope = np.where(true, a.slope[tail], a.slope[head])
    no_head = ~true & a.true[head]
    base, slope = np.where(no_head, LAST, clip(base)), np.where(no_head, 0, slope)
    return extreme(
        at, true, (np.where(true, latest, earliest), np.zeros(len(at), np.int64)), (base, slope), latest=true
    )


def settled(a: Truth) -> Truth:
    """``a``, if no operator of the future reads it and it looks back alone: then it is decided at each instant."""
    return a if a.at_once else present(a.start, a.true)


def _throughout_at_once(a: Truth, low: int, high: int) -> Truth:
    """The same for a truth that is decided at each instant: each false run [s, e) makes three parts.

    [s - high, s - low) waits for s, [s - low, e - low) is false at its first instant, and what follows is true when
    its window has run out.
    """
    false = np.flatnonzero(~a.true)
    s, e = a.start[false], np.append(a.start[1:], LAST)[false]
    n = len(s)
    start = np.full((n + 1, 3), FIRST, np.int64)
    ends = np.where(e < LAST, clip(e - low), LAST)
    begins = np.where(s > FIRST, clip(s - low), FIRST)
    before = np.append(np.array([FIRST]), ends[:-1])[:n]
    start[:n, 0] = np.maximum(np.where(s > FIRST, clip(s - high), FIRST), before)
    start[:n, 1], start[1:, 2] = begins, ends
    # Row i holds what is true before the run, then its two false parts.
    parts = np.stack([start[:, 2], np.append(start[:n, 0], LAST), np.append(start[:n, 1], LAST)], 1)
    true = np.zeros((n + 1, 3), np.bool_)
    true[:, 0] = True
    base = np.full((n + 1, 3), low, np.int64)
    base[:, 0], base[:n, 1] = high, s
    slope = np.ones((n + 1, 3), np.int64)
    slope[:, 1] = 0
    flat = parts.ravel()
    keep = (flat < np.append(flat[1:], LAST)) & (flat < LAST)
    return tidy(flat[keep], true.ravel()[keep], base.ravel()[keep], slope.ravel()[keep])


def somewhere(a: Truth, low: int, high: int) -> Truth:
    """True at t if ``a`` is true at some instant of [t + low, t + high]."""
    return negation(throughout(negation(a), low, high))


def with_past(a: Truth, cut: int, value: bool) -> Truth:
    """``a`` from ``cut`` on, and ``value`` at all instants before."""
    i = int(a.index(np.array([cut]))[0])
    start = np.concatenate([np.array([FIRST, cut]), a.start[i + 1 :]])
    true = np.concatenate([np.array([value]), a.true[i:]])
    base = np.concatenate([np.zeros(1, np.int64), a.base[i:]])
    return tidy(start, true, base, np.concatenate([np.ones(1, np.int64), a.slope[i:]]))


def at_least(a: Truth, past: int, need: int) -> Truth:
    """True at t if ``a`` is true at ``need`` or more instants (nanoseconds) of (t - past, t]; decided at t."""
    past = min(past, WIDEST)
    if need <= 0 or need > past:
        return present(np.array([FIRST], np.int64), np.array([need <= 0]))
    at = instants(a.start, moved(a.start, -past))
    ends = np.append(a.start[1:], LAST)
    # Nanoseconds of truth before each run, counted from the first change (the run before it never ends backwards).
    spans = np.where(a.true, ends - a.start, 0)
    spans[0] = 0
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(spans[:-1])])
    origin = ends[0]

    def total(times: Int64s) -> Int64s:
        """Instants of truth up to ``times``, from ``origin`` on; negative before it where the first run is true."""
        i = a.index(times)
        inside = np.where(a.true[i], times - np.where(i > 0, a.start[i], origin) + 1, 0)
        inside = np.where((i == 0) & a.true[0], times - origin + 1, inside)
        found: Int64s = np.where(i > 0, before[i], 0) + inside
        return found

    def held(times: Int64s) -> Int64s:
        return total(times) - total(clip(times - past))

    at[0] = FIRST
    head = at.copy()
    if len(at) > 1:
        head[0] = at[1] - 1
    now = held(head)
    now[0] = past if a.true[0] else 0
    rising = a.true[a.index(head)].astype(np.int64) - a.true[a.index(clip(head - past))].astype(np.int64)
    # In a run the count moves by one each nanosecond from its first instant on (it is taken at t, so the first
    # instant has already moved): it crosses ``need`` at most once.
    step = np.where(np.arange(len(at)) == 0, 0, rising)
    crossing = np.where(step > 0, at + (need - now), at + (now - need) + 1)
    stop = np.append(at[1:], LAST)
    crosses = (((step > 0) & (now < need)) | ((step < 0) & (now >= need))) & (crossing < stop)
    start = np.concatenate([at, crossing[crosses]])
    true = np.concatenate([now >= need, step[crosses] > 0])
    order = np.argsort(start, kind="stable")
    return present(start[order], true[order])


def instants(*starts: Int64s) -> Int64s:
    """Each instant once, in order. A stable sort merges runs that are in order."""
    every = np.concatenate(starts)
    every.sort(kind="stable")
    keep = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=keep[1:])
    once: Int64s = every[keep]
    return once


def range_extreme(
    values: npt.NDArray[_N], low: npt.NDArray[np.intp], high: npt.NDArray[np.intp], best: np.ufunc, empty: float
) -> npt.NDArray[_N]:
    """``best`` (np.minimum or np.maximum) of values[low:high] for each pair, ``empty`` where there are none.

    A sparse table whose levels are built only as far as the longest range needs, one at a time.
    """
    length = high - low
    found = np.full(len(low), empty, values.dtype)
    longest = int(length.max(initial=0))
    table, width = values, 1
    while width <= longest:
        mine = np.flatnonzero((length >= width) & (length < 2 * width))
        if len(mine):
            found[mine] = best(table[low[mine]], table[high[mine] - width])
        if 2 * width > longest:
            break
        table = best(table[:-width], table[width:])
        width *= 2
    return found


def extreme(at: Int64s, true: Bools, one: tuple[Int64s, Int64s], two: tuple[Int64s, Int64s], *, latest: Bools) -> Truth:
    """Truth decided at the later (where ``latest``) or the earlier of two lines; runs are cut where lines cross."""
    (b1, k1), (b2, k2) = one, two
    if np.any(k1 != k2):
        crossing = np.where(k1 == 0, b1 - b2, b2 - b1)
        stop = np.append(at[1:], LAST)
        cut = (k1 != k2) & (np.minimum(b1, b2) > FIRST) & (np.maximum(b1, b2) < LAST)
        cut &= (crossing > at) & (crossing < stop)
        if cut.any():
            index = np.repeat(np.arange(len(at)), 1 + cut)
            cuts = at[index]
            cuts[np.flatnonzero(cut) + np.cumsum(cut)[cut]] = crossing[cut]
            at, true, latest = cuts, true[index], latest[index]
            b1, k1, b2, k2 = b1[index], k1[index], b2[index], k2[index]
    v1, v2 = b1 + k1 * at, b2 + k2 * at
    larger = (v1 > v2) | ((v1 == v2) & (k1 > k2))
    first = larger == latest
    return tidy(at, true, np.where(first, b1, b2), np.where(first, k1, k2))


def tidy(start: Int64s, true: Bools, base: Int64s, slope: Int64s) -> Truth:
    """Neighbouring runs that are the same become one; of runs that begin at one instant the last one holds."""
    n = len(start)
    if n > 1:
        keep = np.ones(n, np.bool_)
        keep[1:] = (true[1:] != true[:-1]) | (base[1:] != base[:-1]) | (slope[1:] != slope[:-1])
        # Runs that a shift moved to one place: the last one holds.
        alive = np.append(start[1:] != start[:-1], True)
        if not alive.all():
            return tidy(start[alive], true[alive], base[alive], slope[alive])
        start, true, base, slope = start[keep], true[keep], base[keep], slope[keep]
    if start[0] != FIRST:
        start = start.copy()
        start[0] = FIRST
    return Truth(start, true, base, slope)


def moved(start: Int64s, by: int) -> Int64s:
    """Where runs begin when seen from ``by`` earlier; the first one begins before all."""
    if not by:
        return start
    found = clip(start - by)
    found[0] = FIRST
    return found[: int(np.searchsorted(found, LAST))] if found[-1] == LAST else found


def clip(times: Int64s) -> Int64s:
    """Instants kept between FIRST and LAST."""
    found: Int64s = np.minimum(np.maximum(times, FIRST), LAST)
    return found
