"""The definition of formulas, instant by instant and without any cleverness: what the monitors are compared with.

Time is a few dozen integers. A part of a formula has four booleans at an instant, known up to ``now``: whether it is
certainly true, at least and at most, and whether it may be true, at least and at most, whatever comes after ``now``.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
    Historically,
    Implies,
    Is,
    Magnitude,
    Measured,
    Named,
    NextChange,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
)
from servitwin.proof.monitor.trace import Trace, Verdict

LOWEST = -40
OPEN = (False, True, False, True)
NO = (False, False, False, False)
YES = (True, True, True, True)
UNKNOWN = (False, False, True, True)
INF = math.inf


class Naive:
    """A formula over a trace of which everything up to and including ``now`` is known."""

    def __init__(self, trace: Trace, now: int) -> None:
        self.trace, self.now = trace, now
        self.memo: dict[tuple[str, int, int], object] = {}

    def sample(self, signal, t):
        """(known, value) at t <= now."""
        s = self.trace.signals[signal]
        held = [i for i in range(len(s.times)) if s.times[i] <= t]
        if not held or not s.known[held[-1]]:
            return False, None
        value = s.values[held[-1]]
        if s.words:
            return True, s.words[int(value)]
        return math.isfinite(value), float(value)

    def truth(self, node, t):
        key = ("truth", id(node), t)
        if key not in self.memo:
            self.memo[key] = self._truth(node, t)
        return self.memo[key]

    def verdict(self, node, t):
        """The verdict at t if it is decided, else None."""
        sure, hope, _, maybe = self.truth(node, t)
        if sure:
            return Verdict.TRUE
        if not maybe:
            return Verdict.FALSE
        return Verdict.INCONCLUSIVE if not hope and self.truth(node, t)[2] else None

    def _window(self, node, t):
        w = node.window
        if isinstance(node, Always | Eventually | Until | NextChange):
            return range(t + w.low, t + w.high + 1)
        return range(min(LOWEST, t - w.low) if w.high is None else t - w.high, t - w.low + 1)

    def _truth(self, node, t):
        match node:
            case Constant():
                return YES if node.value else NO
            case Compare(left=Count() | Duration()):
                return OPEN if t > self.now else self._counted(node, t)
            case Compare() | Is() | Active():
                if t > self.now and self._reads(node):
                    return OPEN
                return self._atom(node, t)
            case Named():
                return self.truth(node.of, t)
            case Not():
                a, b, c, d = self.truth(node.of, t)
                return (not d, not c, not b, not a)
            case And():
                return _all([self.truth(p, t) for p in node.parts])
            case Or():
                return _any([self.truth(p, t) for p in node.parts])
            case Implies():
                a, b, c, d = self.truth(node.condition, t)
                return _any([(not d, not c, not b, not a), self.truth(node.then, t)])
            case Always() | Historically():
                return _all([self.truth(node.of, u) for u in self._window(node, t)])
            case Eventually() | Once():
                return _any([self.truth(node.of, u) for u in self._window(node, t)])
            case Until():
                return _any(
                    _all([self.truth(node.goal, u), *(self.truth(node.hold, v) for v in range(t, u))])
                    for u in self._window(node, t)
                )
            case Since():
                return _any(
                    _all([self.truth(node.goal, u), *(self.truth(node.hold, v) for v in range(u + 1, t + 1))])
                    for u in self._window(node, t)
                )
            case NextChange():
                return self._next_change(node, t)
        raise TypeError(node)

    def _reads(self, node):
        return True if not isinstance(node, Compare) else bool(_signals(node.left) | _signals(node.right))

    def _next_change(self, node, t):
        if t > self.now:
            return OPEN
        known, value = self.sample(node.signal, t)
        if not known:
            return UNKNOWN
        for u in range(t + 1, t + node.window.high + 1):
            if u > self.now:
                return OPEN
            still, new = self.sample(node.signal, u)
            if not still:
                return UNKNOWN
            if new != value:
                return NO if u < t + node.window.low else self.truth(node.then, u)
        return NO

    def _counted(self, node, t):
        left, limit = node.left, Fraction(node.right.value)
        least = most = 0
        for u in range(t - left.past + 1, t + 1):
            sure, _, _, maybe = self.truth(left.of, u)
            if isinstance(left, Count):
                sure_before, _, _, maybe_before = self.truth(left.of, u - 1)
                sure, maybe = sure and not maybe_before, maybe and not sure_before
            least, most = least + sure, most + maybe
        if isinstance(left, Duration):
            limit = Fraction(round(limit * 1_000_000_000))
        yes, maybe = _relate(node.relation, (Fraction(least), Fraction(most)), (limit, limit))
        return (yes, yes, maybe, maybe)

    def _atom(self, node, t):
        if isinstance(node, Is | Active):
            known, value = self.sample(node.signal, t)
            if not known:
                return UNKNOWN
            if isinstance(node, Is):
                word = value if isinstance(value, str) else bool(value)
                return YES if word in node.values else NO
            levels = ("fault", "warning") if node.warnings else ("fault",)
            entries = [e.split("|") for e in value.split("\n") if e]
            return YES if any(e[0] in levels and node.code in ("", e[1]) for e in entries) else NO
        x, y = self.interval(node.left, t), self.interval(node.right, t)
        if x is None or y is None:
            return UNKNOWN
        yes, maybe = _relate(node.relation, x, y)
        return (yes, yes, maybe, maybe)

    def interval(self, node, t):
        """[low, high] of a number at t, or None if it is not known."""
        found = self._interval(node, t)
        return found if found is not None and all(math.isfinite(b) for b in found) else None

    def _interval(self, node, t):
        match node:
            case Number():
                return (node.value, node.value)
            case Measured():
                known, value = self.sample(node.signal, t)
                if not known:
                    return None
                d = self.trace.signals[node.signal].accuracy
                ends = sorted(v * node.factor + node.offset for v in (value - d, value + d))
                return (ends[0], ends[1])
            case Magnitude():
                of = self.interval(node.of, t)
                if of is None:
                    return None
                return (0.0 if of[0] <= 0 <= of[1] else min(map(abs, of)), max(map(abs, of)))
        x, y = self.interval(node.left, t), self.interval(node.right, t)
        if x is None or y is None or (node.operator == "/" and y[0] <= 0 <= y[1]):
            return None
        operate = {
            "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
            "min": min, "max": max,
        }[node.operator]  # fmt: skip
        ends = [operate(a, b) for a, b in product(x, y)]
        return (min(ends), max(ends))

    def margin(self, node, t):
        """Bounds of the robustness at t."""
        key = ("margin", id(node), t)
        if key not in self.memo:
            self.memo[key] = self._margin(node, t)
        return self.memo[key]

    def _margin(self, node, t):
        match node:
            case Constant() | Is() | Active() | Compare(left=Count() | Duration()):
                return _no_measure(self.truth(node, t))
            case Compare():
                if t > self.now and self._reads(node):
                    return (-INF, INF)
                x, y = self.interval(node.left, t), self.interval(node.right, t)
                if x is None or y is None:
                    return (-INF, INF)
                return _distance(node.relation, x[0] - y[1], x[1] - y[0])
            case Named():
                return self.margin(node.of, t)
            case Not():
                return _minus(self.margin(node.of, t))
            case And() | Or():
                return _least([self.margin(p, t) for p in node.parts], min if isinstance(node, And) else max)
            case Implies():
                return _least([_minus(self.margin(node.condition, t)), self.margin(node.then, t)], max)
            case Always() | Historically():
                return _least([self.margin(node.of, u) for u in self._window(node, t)], min)
            case Eventually() | Once():
                return _least([self.margin(node.of, u) for u in self._window(node, t)], max)
            case Until() | Since():
                ways = []
                for u in self._window(node, t):
                    holds = range(t, u) if isinstance(node, Until) else range(u + 1, t + 1)
                    ways.append(_least([self.margin(node.goal, u), *(self.margin(node.hold, v) for v in holds)], min))
                return _least(ways, max)
        known, value = self.sample(node.signal, t) if t <= self.now else (False, None)
        for u in range(t + 1, t + node.window.high + 1):
            still, new = self.sample(node.signal, u) if u <= self.now else (False, None)
            if not known or not still:
                return (-INF, INF)
            if new != value:
                return (-INF, -INF) if u < t + node.window.low else self.margin(node.then, u)
        return (-INF, -INF) if known else (-INF, INF)


def _signals(node):
    if isinstance(node, Measured):
        return {node.signal}
    parts = [getattr(node, name) for name in ("left", "right", "of") if hasattr(node, name)]
    return set().union(*(_signals(p) for p in parts)) if parts else set()


def _all(rows):
    rows = list(rows)
    return tuple(all(r[k] for r in rows) for k in range(4))


def _any(rows):
    rows = list(rows)
    return tuple(any(r[k] for r in rows) for k in range(4))


def _minus(bounds):
    return (-bounds[1], -bounds[0])


def _least(bounds, best):
    return (best(b[0] for b in bounds), best(b[1] for b in bounds))


def _no_measure(truth):
    return (INF if truth[0] else -INF, INF if truth[3] else -INF)


def _relate(relation, x, y):
    """Whether it holds for all, and for some, of the pairs of numbers in two intervals."""
    match relation:
        case ">":
            return x[0] > y[1], x[1] > y[0]
        case ">=":
            return x[0] >= y[1], x[1] >= y[0]
        case "<":
            return x[1] < y[0], x[0] < y[1]
        case "<=":
            return x[1] <= y[0], x[0] <= y[1]
    equal = x[0] == x[1] == y[0] == y[1]
    meet = x[0] <= y[1] and y[0] <= x[1]
    return (equal, meet) if relation == "==" else (not meet, not equal)


def _distance(relation, low, high):
    match relation:
        case ">" | ">=":
            return (low, high)
        case "<" | "<=":
            return (-high, -low)
    near, far = max(low, -high, 0.0), max(abs(low), abs(high))
    return (near, far) if relation == "!=" else (-far, -near)
