"""Truth over time as lists of runs: what :mod:`servitwin.proof.monitor.truth` says, fast where runs are few.

A run is (start, true, base, slope): true from ``start`` to the next run, decided at ``base + slope * t`` for an
instant t. Conjunction and disjunction are one walk, and so are "throughout" and "somewhere": what decides in one of
them is false, in the other one true.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from servitwin.proof.monitor.algebra import Algebra, Stretches
from servitwin.proof.monitor.changes import CHANGED, FAR, UNKNOWN, change_parts
from servitwin.proof.monitor.truth import FIRST, LAST, WIDEST, Truth

Row = tuple[int, bool, int, int]
Line = tuple[int, int]
_NEVER: Line = (LAST, 0)


@dataclass(slots=True, eq=False)
class Runs:
    """Truth over all time; the first run begins at FIRST. ``at_once``: decided at each instant itself."""

    rows: list[Row]
    at_once: bool = False


def present(changes: Iterable[tuple[int, bool]]) -> Runs:
    """A truth that is decided at each instant itself, from (instant, truth); the first instant is FIRST."""
    rows: list[Row] = []
    for at, true in changes:
        if not rows or rows[-1][1] != true:
            rows.append((at, true, 0, 1))
    return Runs(rows, at_once=True)


def as_arrays(a: Runs) -> Truth:
    """The same truth as arrays."""
    start, true, base, slope = zip(*a.rows, strict=True)
    return Truth(
        np.array(start, np.int64), np.array(true, np.bool_), np.array(base, np.int64), np.array(slope, np.int64),
        a.at_once,
    )  # fmt: skip


class Lists(Algebra[Runs]):
    """The algebra on lists of runs."""

    def constant(self, value: bool) -> Runs:
        """As the algebra says."""
        return Runs([(FIRST, value, FIRST, 0)])

    def negation(self, a: Runs) -> Runs:
        """As the algebra says."""
        return Runs([(s, not true, b, k) for s, true, b, k in a.rows], a.at_once)

    def both(self, a: Runs, b: Runs) -> Runs:
        """As the algebra says."""
        return _joined(a, b, False)

    def either(self, a: Runs, b: Runs) -> Runs:
        """As the algebra says."""
        return _joined(a, b, True)

    def shifted(self, a: Runs, by: int) -> Runs:
        """As the algebra says."""
        if not by:
            return a
        out: list[Row] = []
        for start, true, base, slope in a.rows:
            at = start - by
            if at >= LAST and out:
                break
            if at <= FIRST or start == FIRST:
                out.clear()
                at = FIRST
            _add(out, at, true, (_clip(base + slope * by), slope))
        return Runs(out)

    def throughout(self, a: Runs, low: int, high: int) -> Runs:
        """As the algebra says."""
        return self._over(a, low, high, good=True)

    def somewhere(self, a: Runs, low: int, high: int) -> Runs:
        """As the algebra says."""
        return self._over(a, low, high, good=False)

    def settled(self, a: Runs) -> Runs:
        """As the algebra says."""
        return a if a.at_once else present((row[0], row[1]) for row in a.rows)

    def with_past(self, a: Runs, cut: int, value: bool) -> Runs:
        """As the algebra says."""
        i = _index(a.rows, cut)
        out: list[Row] = [(FIRST, value, 0, 1)]
        for start, true, base, slope in a.rows[i:]:
            _add(out, max(start, cut), true, (base, slope))
        return Runs(out)

    def at_least(self, a: Runs, past: int, need: int) -> Runs:
        """As the algebra says: instants enter the window at its front, and leave it ``past`` later."""
        past = min(past, WIDEST)
        if need <= 0 or need > past:
            return present([(FIRST, need <= 0)])
        rows = a.rows
        turns = [n for n in range(1, len(rows)) if rows[n][1] != rows[n - 1][1]]
        rates = [(rows[n][0], 1 if rows[n][1] else -1) for n in turns]
        edges = sorted([*rates, *((at + past, -rate) for at, rate in rates if at + past < LAST)])
        count, rate = (past if a.rows[0][1] else 0), 0
        found = [(FIRST, count >= need)]
        for n, (at, change) in enumerate(edges):
            rate += change
            stop = edges[n + 1][0] if n + 1 < len(edges) else LAST
            if at == stop:
                continue
            first = count + rate
            found.append((at, first >= need))
            # The count moves by one each nanosecond: it crosses ``need`` at most once.
            if rate > 0 and first < need:
                found.append((at + need - first, True))
            elif rate < 0 and first >= need:
                found.append((at + first - need + 1, False))
            if found[-1][0] >= stop:
                found.pop()
            count += rate * (stop - at)
        return present(found)

    def until_ever(self, hold: Runs, goal: Runs) -> Runs:
        """As the algebra says, from the end backwards; see :func:`servitwin.proof.monitor.binding.until_ever`."""
        parts = aligned(hold, goal)
        caps: list[tuple[bool, int]] = []
        after, value = False, LAST
        for at, stop, (_, holds, hb, hk), (_, goals, gb, gk) in reversed(parts):
            hl, gl = _clip(hb + hk * (stop - 1)), _clip(gb + gk * (stop - 1))
            if goals:
                cap = max(hl, value) if holds and after else LAST
                value, after = min(_clip(gb + gk * at), cap), True
            elif holds:
                cap = value = max(hl if after else gl, value)
            else:
                cap = LAST if after else max(gl, value)
                value, after = min(max(_clip(gb + gk * at), _clip(hb + hk * at)), cap), False
            caps.append((after, cap))
        out: list[Row] = []
        for (at, stop, (_, holds, *h), (_, goals, *g)), (true, cap) in zip(parts, reversed(caps), strict=True):
            goal_line, hold_line = (g[0], g[1]), (h[0], h[1])
            if goals:
                _decide(out, at, stop, true, goal_line, (cap, 0), latest=False)
            elif holds:
                _decide(out, at, stop, true, _NEVER, (cap, 0), latest=False)
            else:
                for begin, end, line in _extreme(at, stop, goal_line, hold_line, latest=True):
                    _decide(out, begin, end, true, line, (cap, 0), latest=False)
        return Runs(out)

    def since_ever(self, hold: Runs, goal: Runs) -> Runs:
        """As the algebra says, from the beginning on; see :func:`servitwin.proof.monitor.binding.since_ever`."""
        out: list[Row] = []
        before, value = False, FIRST
        for at, stop, (_, holds, hb, hk), (_, goals, gb, gk) in aligned(hold, goal):
            hl, gl = _clip(hb + hk * (stop - 1)), _clip(gb + gk * (stop - 1))
            gf, hf = _clip(gb + gk * at), _clip(hb + hk * at)
            if goals:
                cap = (min(gf, value) if before else gf) if holds else LAST
                value, before = (min(gl, max(cap, hl)) if holds else gl), True
            elif holds:
                cap = value
                value = max(value, hl if before else gl)
            else:
                cap = hf if before else min(hf, value)
                value, before = max(gl, cap), False
            line = (hb, hk) if holds and (goals or before) else (gb, gk)
            other = (gb, gk) if goals else _NEVER
            for begin, end, later in _extreme(at, stop, line, (cap, 0), latest=True):
                _decide(out, begin, end, before, later, other, latest=False)
        return Runs(out)

    def next_change(self, at: Stretches, then: Runs, low: int, high: int, *, unknown: bool) -> Runs:
        """As the algebra says."""
        start, run, part = change_parts(at, low, high)
        ends, known = [*at.start[1:].tolist(), LAST - 1], at.known.tolist()
        out: list[Row] = []
        for begin, r, p in zip(start.tolist(), run.tolist(), part.tolist(), strict=True):
            end = ends[r]
            if p == CHANGED:
                _, true, base, slope = then.rows[_index(then.rows, end)]
                _add(out, begin, true, (max(end, base + slope * end), 0))
            elif p == FAR:
                _add(out, begin, False, (high, 1))
            else:
                line = (0, 1) if p == UNKNOWN and not known[r] else (end, 0)
                _add(out, begin, p == UNKNOWN and unknown, line)
        return Runs(out)

    def value_before(self, a: Runs, cut: int) -> bool:
        """As the algebra says."""
        return a.rows[_index(a.rows, cut - 1)][1]

    def occurs_before(self, a: Runs, cut: int, value: bool) -> bool:
        """As the algebra says."""
        return any(row[1] == value for row in a.rows[: _index(a.rows, cut - 1) + 1])

    def _over(self, a: Runs, low: int, high: int, *, good: bool) -> Runs:
        """Whether ``a`` is ``good`` at every instant of a window: ``good`` then, and else its contrary."""
        low, high = max(low, -WIDEST), min(high, WIDEST)
        if low == high:
            return self.shifted(a, low)
        if a.at_once:
            return _over_at_once(a.rows, low, high, good)
        rows = a.rows
        if len(rows) == 1:
            _, true, base, slope = rows[0]
            return Runs([(FIRST, true, _clip(base + slope * (high if true == good else low)), slope)])
        starts = [row[0] for row in rows]
        ends = [*starts[1:], LAST]
        at_end = [_clip(b + k * (e - 1)) for (_, _, b, k), e in zip(rows, ends, strict=True)]
        at_start = [LAST if true == good else _clip(b + k * s) for s, true, b, k in rows]
        bad = [true != good for _, true, _, _ in rows]
        moved = {FIRST, *(s - by for s in starts[1:] for by in (low, high))}
        at = [t for t in sorted(moved) if FIRST <= t < LAST]
        out: list[Row] = []
        for t, stop in zip(at, [*at[1:], LAST], strict=True):
            head = max(bisect_right(starts, t + low) - 1, 0)
            tail = max(bisect_right(starts, t + high) - 1, 0)
            if True not in bad[head : tail + 1]:
                # Decided when the last of the window is: runs that end inside it, and the instant at its end.
                _, _, base, slope = rows[tail]
                latest = max(at_end[head:tail], default=FIRST)
                _decide(out, t, stop, good, (latest, 0), (_clip(base + slope * high), slope), latest=True)
            else:
                # Decided when the earliest bad one is: runs that begin inside it, and the instant at its beginning.
                _, true, base, slope = rows[head]
                earliest = min(at_start[head + 1 : tail + 1], default=LAST)
                line = _NEVER if true == good else (_clip(base + slope * low), slope)
                _decide(out, t, stop, not good, (earliest, 0), line, latest=False)
        return Runs(out)


def _over_at_once(rows: list[Row], low: int, high: int, good: bool) -> Runs:
    """The same for a truth that is decided at each instant: each bad run [s, e) makes three parts.

    [s - high, s - low) waits for s, [s - low, e - low) is bad at its first instant, and what follows is good when its
    window has run out.
    """
    out: list[Row] = []
    before = FIRST
    for i, (s, true, _, _) in enumerate(rows):
        if true == good:
            continue
        e = rows[i + 1][0] if i + 1 < len(rows) else LAST
        begin = _clip(s - low) if s > FIRST else FIRST
        end = _clip(e - low) if e < LAST else LAST
        first = max(_clip(s - high) if s > FIRST else FIRST, before)
        if before < first:
            _add(out, before, good, (high, 1))
        if first < begin:
            _add(out, first, not good, (s, 0))
        if begin < end:
            _add(out, begin, not good, (low, 1))
        before = end
    if before < LAST:
        _add(out, before, good, (high, 1))
    return Runs(out)


def _joined(a: Runs, b: Runs, strong: bool) -> Runs:
    """``strong`` where one is, as soon as one is decided to be; else both are decided."""
    once = a.at_once and b.at_once
    out: list[Row] = []
    last = None
    for at, stop, (_, p, *x), (_, q, *y) in aligned(a, b):
        if once:
            true = strong if strong in (p, q) else not strong
            if true is not last:
                out.append((at, true, 0, 1))
                last = true
        elif p == q:
            _decide(out, at, stop, p, (x[0], x[1]), (y[0], y[1]), latest=p != strong)
        elif p == strong:
            _add(out, at, strong, (x[0], x[1]))
        else:
            _add(out, at, strong, (y[0], y[1]))
    return Runs(out, once)


def aligned(a: Runs, b: Runs) -> list[tuple[int, int, Row, Row]]:
    """The runs of both on [at, stop)."""
    x, y = a.rows, b.rows
    i, j, n, m = 0, 0, len(x) - 1, len(y) - 1
    found = []
    at = FIRST
    while True:
        one = x[i + 1][0] if i < n else LAST
        two = y[j + 1][0] if j < m else LAST
        stop = one if one < two else two
        found.append((at, stop, x[i], y[j]))
        if stop == LAST:
            return found
        i += one == stop
        j += two == stop
        at = stop


def _decide(out: list[Row], at: int, stop: int, true: bool, one: Line, two: Line, *, latest: bool) -> None:
    """Add [at, stop), decided at the later or the earlier of two lines."""
    if one[1] == two[1]:
        _add(out, at, true, max(one, two) if latest else min(one, two))
        return
    for begin, _, line in _extreme(at, stop, one, two, latest=latest):
        _add(out, begin, true, line)


def _extreme(at: int, stop: int, one: Line, two: Line, *, latest: bool) -> list[tuple[int, int, Line]]:
    """The later or the earlier of two lines on [at, stop), cut where they cross."""
    if one[1] == two[1]:
        return [(at, stop, max(one, two) if latest else min(one, two))]
    flat, rising = (one, two) if one[1] == 0 else (two, one)
    crossing = flat[0] - rising[0]  # from here on the rising one is the later one
    before, after = (flat, rising) if latest else (rising, flat)
    if crossing <= at:
        return [(at, stop, after)]
    endless = min(flat[0], rising[0]) <= FIRST or max(flat[0], rising[0]) >= LAST
    if crossing >= stop or endless:
        return [(at, stop, before)]
    return [(at, crossing, before), (crossing, stop, after)]


def later(at: int, stop: int, one: Line, two: Line) -> list[tuple[int, int, Line]]:
    """The later of two lines on [at, stop), cut where they cross: (from, to, line)."""
    return _extreme(at, stop, one, two, latest=True)


def _add(out: list[Row], at: int, true: bool, line: Line) -> None:
    """Add a run, unless it is the same as the one before; of runs that begin at one instant the last one holds."""
    if out:
        last = out[-1]
        if last[1] == true and last[2] == line[0] and last[3] == line[1]:
            return
    out.append((at, true, line[0], line[1]))


def _index(rows: list[Row], t: int) -> int:
    i = len(rows) - 1
    while i and rows[i][0] > t:
        i -= 1
    return i


def _clip(t: int) -> int:
    return FIRST if t < FIRST else LAST if t > LAST else t
