"""The second evaluator of ``servitwin-stl@1``: the page ``docs/concepts/requirement.md``, read as simply as it stands.

What is known of a formula at an instant is four values: is it *surely* true, is it *possibly* true, and the *least* and
*most* that its margin can be. Each is a step function of time, and every operator acts on each of them alone.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from . import shape, step
from .refusal import RefusedError
from .step import BEGIN, Step

INF = math.inf
LOGIC = "servitwin-stl@1"
DEEPEST = 60
_FUTURE, _PAST = ("always", "eventually", "until"), ("historically", "once", "since")
Interval = tuple[float, float] | None  # what a number may be; None: not known


class Known(NamedTuple):
    """What is known of a formula, as functions of time."""

    sure: Step
    possible: Step
    least: Step
    most: Step


def evaluate(
    node: Any, held: dict[str, Step], where: str = "requirement.tree", depth: int = 0, *, end: float = INF
) -> Known:
    """What is known of the formula ``node`` (its tagged tree), given what is held of each signal before ``end`` (ns).

    Raises:
        RefusedError: ``proof:formula-wrong`` with the place of the part that is no formula.
    """
    part = shape.table(node, where, "kind")
    kind = part["kind"]
    if depth > DEEPEST:
        raise RefusedError("proof:too-deep", f"a formula is nested deeper than {DEEPEST}", where)

    def of(name: str) -> Known:
        return evaluate(shape.table(part, where, name)[name], held, f"{where}.{name}", depth + 1, end=end)

    def all_of(name: str) -> list[Known]:
        given = shape.items(shape.table(part, where, name)[name], where, 1000)
        if not given:
            raise _wrong(where, "it has no parts")
        return [evaluate(one, held, f"{where}.{name}[{i}]", depth + 1, end=end) for i, one in enumerate(given)]

    if kind == "constant":
        return _certain(step.constant(_flag(part.get("value"), where)))
    if kind == "compare":
        return _compare(part, held, where, depth, end)
    if kind in ("is", "active"):
        return _certain(_word(part, held, where))
    if kind == "not":
        return inverse(of("of"))
    if kind == "named":
        return of("of")
    if kind == "and":
        return _fold(all_of("parts"), min)
    if kind == "or":
        return _fold(all_of("parts"), max)
    if kind == "implies":
        return _fold([inverse(of("condition")), of("then")], max)
    if kind in _FUTURE + _PAST:
        return _temporal(kind, part, of, where)
    if kind == "next_change":
        return _next_change(part, of("then"), held, where)
    raise _wrong(where, f"{kind!r} is no part of {LOGIC}")


def inverse(of: Known) -> Known:
    """Not: what was possible at most is now certain at least."""
    return Known(
        step.each(of.possible, operator.not_),
        step.each(of.sure, operator.not_),
        step.each(of.most, operator.neg),
        step.each(of.least, operator.neg),
    )


def _fold(parts: list[Known], join: Callable[[Any, Any], Any]) -> Known:
    found = parts[0]
    for part in parts[1:]:
        found = Known(*(step.both(a, b, join) for a, b in zip(found, part, strict=True)))
    return found


def _certain(truth: Step) -> Known:
    """Of a function with true, false and None (not known), without a measure."""
    return Known(
        step.each(truth, lambda v: v is True),
        step.each(truth, lambda v: v is not False),
        step.each(truth, lambda v: INF if v is True else -INF),
        step.each(truth, lambda v: -INF if v is False else INF),
    )


# --- time ------------------------------------------------------------------------------------------------------------
def window_of(part: dict[str, Any], where: str, bounded: bool) -> tuple[int, float]:
    """(low, high) of a window in ns; an end that is left out is infinite, which only the past may be."""
    given = shape.table(part.get("window", {}), f"{where}.window")
    low = shape.whole(given.get("low", 0), f"{where}.window.low")
    high = given.get("high")
    if high is None:
        if bounded:
            raise _wrong(where, "its future has no end")
        return low, INF
    return low, shape.whole(high, f"{where}.window.high", low)


def _temporal(kind: str, part: dict[str, Any], of: Callable[[str], Known], where: str) -> Known:
    low, high = window_of(part, where, bounded=kind in _FUTURE)
    if kind in ("until", "since"):
        hold, goal = of("hold"), of("goal")
        if kind == "until":
            return _until(hold, goal, low, high)
        back = [Known(*map(step.reversed_time, k)) for k in (hold, goal)]
        return Known(*map(step.reversed_time, _until(back[0], back[1], low, high)))
    of_all = kind in ("always", "historically")
    inner = inverse(of("of")) if of_all else of("of")  # at every instant: at no instant not
    if kind in _PAST:
        found = Known(*(step.largest(f, -high, -low) for f in inner))
    else:
        found = Known(*(step.largest(f, low, high) for f in inner))
    return inverse(found) if of_all else found


def _until(hold: Known, goal: Known, low: int, high: float) -> Known:
    return Known(
        step.until(hold.sure, goal.sure, low, high, False, True),
        step.until(hold.possible, goal.possible, low, high, False, True),
        step.until(hold.least, goal.least, low, high, -INF, INF),
        step.until(hold.most, goal.most, low, high, -INF, INF),
    )


def _next_change(part: dict[str, Any], then: Known, held: dict[str, Step], where: str) -> Known:
    """The value that holds at t changes for the first time at t', in the window, and ``then`` holds at t'.

    Not known where the signal is not, or ceases to be before it changed and not after the window.
    """
    low, high = window_of(part, where, bounded=True)
    no, unknown = (False, False, -INF, -INF), (False, True, -INF, INF)
    values = step.each(_signal(part, held, where), _whole)
    ends = [*values.starts[1:], INF]
    found: list[tuple[Any, Any]] = []
    for i, (begin, end, value) in enumerate(zip(values.starts, ends, values.values, strict=True)):
        if value is None:
            parts = [(begin, unknown)]
        elif end == INF:
            parts = [(begin, no)]
        elif values.values[i + 1] is None:
            parts = [(begin, no), (end - high, unknown)]
        else:
            parts = [(begin, no), (end - high, tuple(p.at(end) for p in then)), (end - low + 1, no)]
        starts = [max(at, begin) for at, _ in parts]
        for at, until, (_, what) in zip(starts, [*starts[1:], end], parts, strict=True):
            if at < min(until, end):  # the part lies inside the run
                found.append((at, what))
    return Known(*(step.joined([at for at, _ in found], [what[n] for _, what in found]) for n in range(4)))


def _whole(value: Any) -> Any:
    """A value; None for a set of entries of which some may not be known."""
    return None if isinstance(value, frozenset) and ("?", "") in value else value


# --- words -----------------------------------------------------------------------------------------------------------
def _signal(part: dict[str, Any], held: dict[str, Step], where: str) -> Step:
    name = shape.text(shape.table(part, where, "signal")["signal"], where)
    if name not in held:
        raise RefusedError("proof:excerpt-short", f"the formula reads {name}, which the excerpt does not hold", where)
    return held[name]


def _word(part: dict[str, Any], held: dict[str, Step], where: str) -> Step:
    values = _signal(part, held, where)
    if part["kind"] == "is":
        wanted = shape.items(shape.table(part, where, "values")["values"], where, 1000)
        if not all(isinstance(w, str | bool) for w in wanted):
            raise _wrong(where, "a value is neither a text nor a flag")
        pairs = {(type(w), w) for w in wanted}
        return step.each(values, lambda v: None if v is None else (type(v), v) in pairs)
    code = shape.text(part.get("code", ""), where)
    warnings = _flag(part.get("warnings", True), where)

    def active(entries: Any) -> bool | None:
        if entries is None:
            return None
        for level, native in entries:
            if level != "?" and (warnings or level == "fault") and code in ("", native):
                return True
        return None if ("?", "") in entries else False  # entries of before the excerpt may still be there

    return step.each(values, active)


# --- numbers ---------------------------------------------------------------------------------------------------------
def _compare(part: dict[str, Any], held: dict[str, Step], where: str, depth: int, end: float) -> Known:
    shape.table(part, where, "left", "relation", "right")
    relation = part["relation"]
    if relation not in ("<", "<=", ">", ">=", "==", "!="):
        raise _wrong(where, f"{relation!r} is no relation")
    left = shape.table(part["left"], f"{where}.left", "kind")
    if left["kind"] in ("count", "duration"):
        return _compare_measure(left, relation, part["right"], held, where, depth, end)
    a = number(left, held, f"{where}.left", depth + 1)
    b = number(part["right"], held, f"{where}.right", depth + 1)
    pairs = step.both(a, b, lambda x, y: (x, y))
    judged = step.each(pairs, lambda pair: _judge(pair[0], relation, pair[1]))
    return Known(*(step.each(judged, operator.itemgetter(i)) for i in range(4)))


def _judge(a: Interval, relation: str, b: Interval) -> tuple[bool, bool, float, float]:
    """Surely, possibly, least and most margin of ``a relation b``."""
    if a is None or b is None:
        return False, True, -INF, INF
    if relation in ("<", "<="):
        a, b, relation = b, a, {"<": ">", "<=": ">="}[relation]
    least, most = a[0] - b[1], a[1] - b[0]
    if relation == ">":
        return a[0] > b[1], a[1] > b[0], least, most
    if relation == ">=":
        return a[0] >= b[1], a[1] >= b[0], least, most
    meet = a[0] <= b[1] and b[0] <= a[1]
    near = 0.0 if meet else max(least, -most)
    far = max(abs(least), abs(most))
    same = a[0] == a[1] == b[0] == b[1]
    if relation == "==":
        return same, meet, -far, -near
    return not meet, not same, near, far


def number(node: Any, held: dict[str, Step], where: str, depth: int) -> Step:
    """The interval in which a number lies, as a function of time; None where it is not known."""
    part = shape.table(node, where, "kind")
    kind = part["kind"]
    if depth > DEEPEST:
        raise RefusedError("proof:too-deep", f"a formula is nested deeper than {DEEPEST}", where)
    if kind == "number":
        value = shape.real(part.get("value"), where)
        return step.constant((value, value))
    if kind == "signal":
        factor, offset = shape.real(part.get("factor", 1.0), where), shape.real(part.get("offset", 0.0), where)
        values = _signal(part, held, where)
        if (factor, offset) == (1.0, 0.0):
            return step.each(values, _interval)
        return step.each(values, lambda v: _finite(None if v is None else [x * factor + offset for x in v[1:]]))
    if kind == "abs":
        inner = number(shape.table(part, where, "of")["of"], held, f"{where}.of", depth + 1)
        return step.each(inner, _magnitude)
    if kind == "arithmetic":
        shape.table(part, where, "operator", "left", "right")
        sign = shape.text(part["operator"], where)
        if sign not in _OPERATORS:
            raise _wrong(where, f"{sign!r} is no operator")
        of = _OPERATORS[sign]
        a = number(part["left"], held, f"{where}.left", depth + 1)
        b = number(part["right"], held, f"{where}.right", depth + 1)
        return step.both(a, b, lambda x, y: None if x is None or y is None else _finite(of(x, y)))
    raise _wrong(where, f"{kind!r} is no number here")


def _interval(value: Any) -> Interval:
    return None if value is None else (value[1], value[2])


def _finite(ends: Any) -> Interval:
    """The interval between the least and the greatest of some numbers; one that is not finite is not known."""
    if ends is None or not all(map(math.isfinite, ends)):
        return None
    return min(ends), max(ends)


def _magnitude(x: Interval) -> Interval:
    if x is None:
        return None
    return (0.0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))), max(abs(x[0]), abs(x[1]))


def _quotient(x: Any, y: Any) -> Any:
    return None if y[0] <= 0 <= y[1] else [a / b for a in x for b in y]


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: [x[0] + y[0], x[1] + y[1]],
    "-": lambda x, y: [x[0] - y[1], x[1] - y[0]],
    "*": lambda x, y: [a * b for a in x for b in y],
    "/": _quotient,
    "min": lambda x, y: [min(x[0], y[0]), min(x[1], y[1])],
    "max": lambda x, y: [max(x[0], y[0]), max(x[1], y[1])],
}


# --- how often and how long ------------------------------------------------------------------------------------------
def rises(of: Known) -> tuple[Step, Step]:
    """Instants at which a formula surely, and possibly, became true: true there and false just before."""
    was = Known(*(step.moved(f, -1) for f in of))
    surely = step.both(of.sure, was.possible, lambda now, before: now and not before)
    possibly = step.both(of.possible, was.sure, lambda now, before: now and not before)
    return surely, possibly


def _compare_measure(
    left: dict[str, Any], relation: str, right: Any, held: dict[str, Step], where: str, depth: int, end: float
) -> Known:
    of = evaluate(shape.table(left, where, "of", "past")["of"], held, f"{where}.left.of", depth + 1, end=end)
    past = shape.whole(left["past"], f"{where}.left.past", 1)
    limit_node = shape.table(right, f"{where}.right", "kind")
    if limit_node["kind"] != "number":
        raise _wrong(where, "count and duration are compared with a number")
    limit = Fraction(repr(shape.real(limit_node.get("value"), where)))  # the decimal as it is written, 0.1 s
    if left["kind"] == "count":
        surely, possibly = rises(of)
    else:
        surely, possibly = of.sure, of.possible
        limit = Fraction(round(limit * shape.NS))  # in whole nanoseconds
    fewest, most = step.measured(surely, past), step.measured(possibly, past)

    def holds(rel: str, lines: list[tuple[Any, int, int]]) -> Step:
        return _against(lines, _RELATIONS[rel], limit)

    if relation in (">", ">="):
        sure, possible = holds(relation, fewest), holds(relation, most)
    elif relation in ("<", "<="):
        sure, possible = holds(relation, most), holds(relation, fewest)
    else:
        sure = step.both(holds("==", fewest), holds("==", most), operator.and_)
        possible = step.both(holds("<=", fewest), holds(">=", most), operator.and_)
        if relation == "!=":
            sure, possible = step.each(possible, operator.not_), step.each(sure, operator.not_)
    truth = step.both(sure, possible, lambda s, p: True if s else (None if p else False))
    if end != INF:  # a count is not known after the end of what was observed
        truth = step.both(truth, Step([BEGIN, end], [False, True]), lambda t, after: None if after else t)
    return _certain(truth)


_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


def _against(lines: list[tuple[Any, int, int]], relation: Callable[[Any, Any], Any], limit: Fraction) -> Step:
    """Where straight lines with whole values are in a relation to a limit."""
    starts: list[Any] = []
    values: list[bool] = []
    for i, (begin, value, slope) in enumerate(lines):
        end = lines[i + 1][0] if i + 1 < len(lines) else INF
        turns = {begin}
        if slope:
            for level in (math.floor(limit), math.floor(limit) + 1, math.floor(limit) - 1):
                at = begin + (level - value) // slope
                turns.update(t for t in (at, at + 1) if begin < t < end)
        for t in sorted(turns):
            starts.append(t)
            values.append(bool(relation(value + slope * (t - begin) if slope else value, limit)))
    return step.joined(starts, values)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(where, "it is neither true nor false")
    return value


def _wrong(where: str, message: str) -> RefusedError:
    return RefusedError("proof:formula-wrong", message, where)
