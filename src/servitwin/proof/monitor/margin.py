"""Robustness over time: bounds [least, most] of the margin of every part of a formula, from a trace.

After Donzé and Maler (2010) with intervals for what is not known (Deshmukh and others, 2017). The rewriting of until
and since that is exact for truth is exact for margins too: both live in a chain with minimum and maximum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
    Formula,
    Historically,
    Implies,
    Is,
    Named,
    NextChange,
    Not,
    Once,
    Or,
    Since,
    Until,
    Window,
    signals_of,
    walk,
)
from servitwin.domain.observation import Floats, Int64s
from servitwin.proof.monitor.algebra import Stretches
from servitwin.proof.monitor.changes import CHANGED, UNKNOWN, change_parts, stretches
from servitwin.proof.monitor.overlay import extremes, least_between, overlay
from servitwin.proof.monitor.reading import margin
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.tracks import Pair
from servitwin.proof.monitor.truth import FIRST, LAST, Truth, instants, moved


@dataclass(slots=True, eq=False)
class Margin:
    """Bounds ``least[i]`` and ``most[i]`` on [start[i], start[i + 1]); ``start[0]`` is FIRST."""

    start: Int64s
    least: Floats
    most: Floats

    def index(self, times: Int64s) -> npt.NDArray[np.intp]:
        """Runs that hold at these instants."""
        return np.searchsorted(self.start, times, side="right") - 1

    def least_of(self, starts: Int64s, end: int) -> tuple[Floats, Floats]:
        """The smallest of each bound over each of the pieces that begin at ``starts``; the last one ends at ``end``."""
        if not len(starts):
            return np.zeros(0), np.zeros(0)
        first = self.index(starts)
        last = np.searchsorted(self.start, np.append(starts[1:], end), side="left")
        return least_between(self.least, first, last), least_between(self.most, first, last)


def margins(formula: Formula, signals: Mapping[str, SignalTrace], end: int, found: Mapping[int, Pair[Truth]]) -> Margin:
    """Robustness of a checked formula with what is known before ``end``.

    Args:
        formula: checked.
        signals: observations before ``end``.
        end: what comes then is not known (ns).
        found: the truth of its parts, for those that have no measure.
    """
    done: dict[int, Margin] = {}
    for node in reversed(list(walk(formula))):
        if id(node) not in done:
            answer = _margin(node, done, signals, end, found)
            if answer is not None:
                done[id(node)] = answer
    return done[id(formula)]


def _margin(
    node: object,
    done: Mapping[int, Margin],
    signals: Mapping[str, SignalTrace],
    end: int,
    found: Mapping[int, Pair[Truth]],
) -> Margin | None:
    match node:
        case Compare() if not isinstance(node.left, Count | Duration):
            times, least, most = margin(node, signals)
            if not signals_of(node):
                return Margin(np.array([FIRST]), least, most)
            return _between(times, least, most, end)
        case Compare() | Is() | Active() | Constant():
            return _without_measure(found[id(node)], None if isinstance(node, Constant) else end)
        case Named():
            return done[id(node.of)]
        case Not():
            return _minus(done[id(node.of)])
        case And() | Or():
            answer = done[id(node.parts[0])] if node.parts else _certain(isinstance(node, And))
            for part in node.parts[1:]:
                answer = _pointwise(np.minimum if isinstance(node, And) else np.maximum, answer, done[id(part)])
            return answer
        case Implies():
            return _pointwise(np.maximum, _minus(done[id(node.condition)]), done[id(node.then)])
        case Always(window=w) | Eventually(window=w):
            return _sliding(np.minimum if isinstance(node, Always) else np.maximum, done[id(node.of)], w.low, w.high)
        case Historically(window=w) | Once(window=w):
            best = np.minimum if isinstance(node, Historically) else np.maximum
            return _sliding(best, done[id(node.of)], _far(w), -w.low)
        case Until(window=w) | Since(window=w):
            return _binary(node, done[id(node.hold)], done[id(node.goal)], w)
        case NextChange(window=w):
            return _next_change(node, w, signals[node.signal], done[id(node.then)], end)
        case _:
            return None


def _between(times: Int64s, least: Floats, most: Floats, end: int) -> Margin:
    """From the first of ``times`` to ``end`` as given; before and after not known."""
    n = int(np.searchsorted(times, end))
    start = np.concatenate([np.array([FIRST]), times[:n], np.array([end])])
    low, high = np.empty(n + 2), np.empty(n + 2)
    low[0] = low[-1] = -np.inf
    high[0] = high[-1] = np.inf
    low[1:-1], high[1:-1] = least[:n], most[:n]
    return _joined(start, low, high)


def _until_end(start: Int64s, least: Floats, most: Floats, end: int) -> Margin:
    """Before ``end`` as given; from then on not known."""
    n = max(int(np.searchsorted(start, end)), 1)
    start = np.append(start[:n], end)
    return _joined(start, np.append(least[:n], -np.inf), np.append(most[:n], np.inf))


def _joined(start: Int64s, least: Floats, most: Floats) -> Margin:
    keep = np.ones(len(start), np.bool_)
    np.not_equal(least[1:], least[:-1], out=keep[1:])
    if keep.all():
        return Margin(start, least, most)
    keep[1:] |= most[1:] != most[:-1]
    return Margin(start[keep], least[keep], most[keep])


def _certain(value: bool) -> Margin:
    bound = np.array([np.inf if value else -np.inf])
    return Margin(np.array([FIRST]), bound, bound)


def _without_measure(pair: Pair[Truth], end: int | None) -> Margin:
    at = instants(pair.certain.start, pair.possible.start)
    least = np.where(pair.certain.true[pair.certain.index(at)], np.inf, -np.inf)
    most = np.where(pair.possible.true[pair.possible.index(at)], np.inf, -np.inf)
    return Margin(at, least, most) if end is None else _until_end(at, least, most, end)


def _minus(a: Margin) -> Margin:
    return Margin(a.start, -a.most, -a.least)


def _pointwise(best: np.ufunc, a: Margin, b: Margin) -> Margin:
    at, i, j = overlay(a.start, b.start)
    return _joined(at, best(i.of(a.least), j.of(b.least)), best(i.of(a.most), j.of(b.most)))


def _far(window: Window) -> int:
    return -LAST if window.high is None else -window.high


def _sliding(best: np.ufunc, a: Margin, low: int, high: int | None) -> Margin:
    """Minimum or maximum over [t + low, t + high]."""
    low, high = max(low, 1 - LAST), min(high or 0, LAST - 1)
    if low == high == 0:
        return a
    at, first, last = overlay(moved(a.start, low), moved(a.start, high))
    return _joined(at, extremes(a.least, first, last, best), extremes(a.most, first, last, best))


def _binary(node: Until | Since, hold: Margin, goal: Margin, w: Window) -> Margin:
    at, i, j = overlay(hold.start, goal.start)
    ahead = isinstance(node, Until)
    least = _chain(i.of(hold.least), j.of(goal.least), ahead=ahead)
    ever = Margin(at, least, _chain(i.of(hold.most), j.of(goal.most), ahead=ahead))
    if ahead:
        high = w.high or 0
        answer = _pointwise(
            np.minimum, _sliding(np.maximum, goal, w.low, high), _sliding(np.minimum, ever, w.low, w.low)
        )
        return _pointwise(np.minimum, answer, _sliding(np.minimum, hold, 0, w.low - 1)) if w.low else answer
    answer = _sliding(np.minimum, ever, -w.low, -w.low)
    if w.high is not None:
        answer = _pointwise(np.minimum, answer, _sliding(np.maximum, goal, -w.high, -w.low))
    return _pointwise(np.minimum, answer, _sliding(np.minimum, hold, 1 - w.low, 0)) if w.low else answer


def _chain(hold: Floats, goal: Floats, *, ahead: bool) -> Floats:
    """u[i] = max(goal[i], min(hold[i], u[i + 1])), or of u[i - 1] for the past."""
    value, found = -np.inf, []
    order = slice(None, None, -1) if ahead else slice(None)
    for h, g in zip(hold[order].tolist(), goal[order].tolist(), strict=True):
        value = max(g, min(h, value))
        found.append(value)
    chain: Floats = np.array(found)[order]
    return chain


def _next_change(node: NextChange, w: Window, signal: SignalTrace, then: Margin, end: int) -> Margin:
    known = stretches(signal)
    n = max(int(np.searchsorted(known.start, end)), 1)
    until = Stretches(np.append(known.start[:n], end), np.append(known.known[:n], False))
    start, run, part = change_parts(until, w.low, w.high or 0)
    i = then.index(np.append(until.start[1:], LAST - 1))[run]
    least = np.where(part == CHANGED, then.least[i], -np.inf)
    most = np.where(part == CHANGED, then.most[i], np.where(part == UNKNOWN, np.inf, -np.inf))
    return _joined(start, least, most)
