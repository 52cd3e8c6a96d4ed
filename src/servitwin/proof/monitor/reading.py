"""What signals say at each sample: intervals of numbers, and where comparisons of them are certain and possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from servitwin.domain.formula.tree import (
    Active,
    Arithmetic,
    Compare,
    Expression,
    Is,
    Magnitude,
    Measured,
    Number,
    Relation,
    walk,
)
from servitwin.domain.observation import Bools, Floats, Int64s
from servitwin.proof.monitor.trace import SignalTrace

# Samples that are compared at a time: their intermediate results stay in the cache of a core.
_CHUNK = 1 << 15


class Sampled(NamedTuple):
    """Per instant of change whether something is certain and whether it is possible; before the first: unknown."""

    times: Int64s
    certain: Bools
    possible: Bools


@dataclass(slots=True, eq=False)
class Interval:
    """[low, high] that holds from each of ``times`` on; not ``known`` where a part is not, or is not finite."""

    times: Int64s
    low: Floats
    high: Floats
    known: Bools


def compare(node: Compare, signals: Mapping[str, SignalTrace]) -> Sampled:
    """A comparison of numbers at every sample that it reads. Count and duration are not compared here."""
    if isinstance(node.left, Measured) and isinstance(node.right, Number):
        return _one_signal(node.left, node.relation, node.right.value, signals[node.left.signal])
    left, right = intervals(node, signals)
    return Sampled(left.times, *_related(node.relation, left, right))


def intervals(node: Compare, signals: Mapping[str, SignalTrace]) -> tuple[Interval, Interval]:
    """Both sides of a comparison at the instants at which one of its signals changes."""
    names = list(dict.fromkeys(n.signal for n in walk(node) if isinstance(n, Measured)))
    if not names:
        times = np.zeros(1, np.int64)
    elif len(names) == 1:
        times = signals[names[0]].times
    else:
        every = np.concatenate([signals[n].times for n in names])
        times = np.unique(every)
    done: dict[int, Interval] = {}
    with np.errstate(all="ignore"):
        for part in reversed(list(walk(node))):
            if not isinstance(part, Compare):
                done[id(part)] = _finite(_expression(part, done, signals, times))  # type: ignore[arg-type]
    return done[id(node.left)], done[id(node.right)]


def margin(node: Compare, signals: Mapping[str, SignalTrace]) -> tuple[Int64s, Floats, Floats]:
    """Instants and bounds [least, most] of the robustness of a comparison there; infinite where it is not known."""
    if isinstance(node.left, Measured) and isinstance(node.right, Number):
        exact = _exact_margin(node.left, node.relation, float(node.right.value), signals[node.left.signal])
        if exact is not None:
            return signals[node.left.signal].times, exact, exact
    left, right = intervals(node, signals)
    return left.times, *_margin(node.relation, left, right)


def _exact_margin(node: Measured, relation: Relation, limit: float, trace: SignalTrace) -> Floats | None:
    """The same where readings are exact, known and finite; None where they are not."""
    exact = trace.accuracy == 0.0 and (node.factor, node.offset) == (1.0, 0.0) and relation not in ("==", "!=")
    if not exact or not np.isfinite(limit) or not trace.known.all():
        return None
    values: Floats = trace.values.astype(np.float64, copy=False)
    # A value that is not finite shows in the sum, which is cheaper than asking all; a sum may also overflow.
    with np.errstate(all="ignore"):
        if not np.isfinite(values.sum()):
            return None
        answer: Floats = limit - values if relation in ("<", "<=") else values - limit
    return answer


def _margin(relation: Relation, left: Interval, right: Interval) -> tuple[Floats, Floats]:
    with np.errstate(all="ignore"):
        least, most = left.low - right.high, left.high - right.low
    if relation in ("<", "<="):
        least, most = -most, -least
    elif relation in ("==", "!="):
        near = np.maximum(np.maximum(least, -most), 0.0)
        far = np.maximum(np.abs(least), np.abs(most))
        least, most = (near, far) if relation == "!=" else (-far, -near)
    known = left.known & right.known
    return np.where(known, least, -np.inf), np.where(known, most, np.inf)


def member(node: Is | Active, trace: SignalTrace) -> Sampled:
    """Whether a word, flag, state or condition is one of those asked for, at every sample."""
    if isinstance(node, Is):
        asked = set(node.values)
        table = [w in asked for w in trace.words] or [False in asked, True in asked]
    else:
        table = [_is_active(node, w) for w in trace.words]
    codes = np.where(trace.known, trace.values, -1).astype(np.intp)
    yes = np.array([*table, False], np.bool_)[codes]
    return Sampled(trace.times, yes & trace.known, yes | ~trace.known)


def _is_active(node: Active, entries: str) -> bool:
    for entry in entries.split("\n"):
        level, _, code = entry.partition("|")
        counts = level == "fault" or (level == "warning" and node.warnings)
        if counts and node.code in ("", code):
            return True
    return False


def _one_signal(node: Measured, relation: Relation, value: float, trace: SignalTrace) -> Sampled:
    n = len(trace.times)
    certain = np.empty(n, np.bool_)
    exact = trace.accuracy == 0.0 and bool(np.isfinite(value)) and bool(trace.known.all())
    possible = certain if exact else np.empty(n, np.bool_)
    limit = Interval(trace.times, np.full(1, float(value)), np.full(1, float(value)), np.full(1, np.isfinite(value)))
    with np.errstate(all="ignore"):
        for a in range(0, n, _CHUNK):
            b = min(a + _CHUNK, n)
            part = _finite(_measured(node, trace, slice(a, b)))
            if possible is certain and not part.known.all():
                possible = np.empty(n, np.bool_)
                possible[:a] = certain[:a]
            yes, maybe = _related(relation, part, limit)
            certain[a:b] = yes
            if possible is not certain:
                possible[a:b] = maybe
    return Sampled(trace.times, certain, possible)


def _measured(node: Measured, trace: SignalTrace, where: slice) -> Interval:
    values: Floats = trace.values[where].astype(np.float64, copy=False)
    if trace.accuracy == 0.0 and node.factor == 1.0 and node.offset == 0.0:
        low = high = values
    else:
        low, high = (values + d for d in (-trace.accuracy, trace.accuracy))
        low, high = (v * node.factor + node.offset for v in ((low, high) if node.factor >= 0 else (high, low)))
    return Interval(trace.times[where], low, high, trace.known[where])


def _finite(one: Interval) -> Interval:
    finite = np.isfinite(one.low)
    if one.high is not one.low:
        finite &= np.isfinite(one.high)
    return Interval(one.times, one.low, one.high, finite & one.known)


def _expression(
    node: Expression, done: Mapping[int, Interval], signals: Mapping[str, SignalTrace], times: Int64s
) -> Interval:
    match node:
        case Number():
            constant = np.full(len(times), float(node.value))
            return Interval(times, constant, constant, np.ones(len(times), np.bool_))
        case Measured():
            own = _measured(node, signals[node.signal], slice(None))
            if own.times is times:
                return own
            if not len(own.times):
                nothing = np.full(len(times), np.nan)
                return Interval(times, nothing, nothing, np.zeros(len(times), np.bool_))
            index = np.searchsorted(own.times, times, side="right") - 1
            held = np.maximum(index, 0)
            return Interval(times, own.low[held], own.high[held], own.known[held] & (index >= 0))
        case Magnitude():
            of = done[id(node.of)]
            inside = (of.low <= 0) & (of.high >= 0)
            a, b = np.abs(of.low), np.abs(of.high)
            return Interval(times, np.where(inside, 0.0, np.minimum(a, b)), np.maximum(a, b), of.known)
        case Arithmetic():
            return _combined(node, done[id(node.left)], done[id(node.right)])
        case _:
            raise TypeError(type(node).__name__)  # Count and Duration: refused inside other numbers


def _combined(node: Arithmetic, x: Interval, y: Interval) -> Interval:
    known = x.known & y.known
    match node.operator:
        case "+":
            low, high = x.low + y.low, x.high + y.high
        case "-":
            low, high = x.low - y.high, x.high - y.low
        case "min":
            low, high = np.minimum(x.low, y.low), np.minimum(x.high, y.high)
        case "max":
            low, high = np.maximum(x.low, y.low), np.maximum(x.high, y.high)
        case "*" | "/":
            operate = np.multiply if node.operator == "*" else np.divide
            if node.operator == "/":
                known = known & ~((y.low <= 0) & (y.high >= 0))
            corners = [operate(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
            low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    return Interval(x.times, low, high, known)


def _related(relation: Relation, x: Interval, y: Interval) -> tuple[Bools, Bools]:
    """Where the relation is certain and where it is possible. A bound that is NaN is never known."""
    match relation:
        case ">":
            certain, possible = x.low > y.high, x.high > y.low
        case ">=":
            certain, possible = x.low >= y.high, x.high >= y.low
        case "<":
            certain, possible = x.high < y.low, x.low < y.high
        case "<=":
            certain, possible = x.high <= y.low, x.low <= y.high
        case "==" | "!=":
            certain = (x.low == y.high) & (x.high == y.low)
            possible = (x.low <= y.high) & (x.high >= y.low)
            if relation == "!=":
                certain, possible = ~possible, ~certain
    known = x.known & y.known
    if known.all():
        return certain, possible
    return certain & known, possible | ~known
