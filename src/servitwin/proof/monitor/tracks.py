"""The truth of every part of a formula: certain and possible, with the instants at which both were decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple, Protocol

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
    Expression,
    Formula,
    Historically,
    Implies,
    Is,
    Named,
    NextChange,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    parts_of,
    walk,
)
from servitwin.domain.observation import Bools, Int64s
from servitwin.proof.monitor.binding import since, since_ever, until
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.truth import (
    FIRST,
    LAST,
    Truth,
    at_least,
    both,
    constant,
    either,
    negation,
    present,
    settled,
    shifted,
    somewhere,
    throughout,
    tidy,
    with_past,
)

SECOND = 1_000_000_000


class Pair(NamedTuple):
    """What is certainly true and what may be true; the same object where nothing is inconclusive."""

    certain: Truth
    possible: Truth


@dataclass(slots=True, eq=False)
class Stretches:
    """Runs of one value of a signal: neighbouring known runs differ in value. The first one begins at FIRST."""

    start: Int64s
    known: Bools


class Carried(NamedTuple):
    """What counts of all instants before ``cut``: whether the operator's goal holds from there on, or everywhere."""

    cut: int
    certain: bool
    possible: bool


class Source(Protocol):
    """Where the truth of comparisons comes from: a trace, or what an online monitor keeps."""

    def leaf(self, node: Compare | Is | Active) -> Pair:
        """The truth of a comparison of signals."""
        ...

    def stretches(self, signal: str) -> Stretches:
        """The values of a signal as runs."""
        ...


def runs(times: Int64s, flags: Bools, before: bool) -> Truth:
    """A truth from samples that hold, ``before`` until the first of them."""
    if not len(times):
        return present(np.array([FIRST]), np.array([before]))
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    first = times[:1] if bool(flags[0]) != before else times[:0]
    start = np.concatenate([np.array([FIRST]), first, times[changes]])
    true = np.empty(len(start), np.bool_)
    true[0::2], true[1::2] = before, not before
    return Truth(start, true, np.zeros(len(start), np.int64), np.ones(len(start), np.int64), at_once=True)


class Order(NamedTuple):
    """The parts of a formula, each after its own parts, with whether an operator of the future reads it."""

    nodes: list[Formula | Expression]
    ahead: list[bool]


def order_of(formula: Formula) -> Order:
    """In which order parts are evaluated; any depth."""
    ahead: dict[int, bool] = {id(formula): False}
    nodes = list(walk(formula))
    for node in nodes:
        below = ahead[id(node)] or isinstance(node, Always | Eventually | Until | NextChange)
        for part in parts_of(node):
            ahead[id(part)] = ahead.get(id(part), False) or below
    once = list({id(n): n for n in reversed(nodes)}.values())
    return Order(once, [ahead[id(n)] for n in once])


def truths(
    formula: Formula, source: Source, carried: Mapping[int, Carried] | None = None, order: Order | None = None
) -> dict[int, Pair]:
    """The truth of every part, by the ``id`` of its node; any depth.

    Args:
        formula: checked (:func:`servitwin.proof.monitor.check.check_formula`).
        source: the truth of its comparisons.
        carried: for an online monitor, by the ``id`` of an operator with an unbounded past, what it has given up.
        order: of :func:`order_of`, if it is at hand.
    """
    found: dict[int, Pair] = {}
    carried = carried or {}
    for node, ahead in zip(*(order or order_of(formula)), strict=True):
        pair = _truth(node, found, source, carried.get(id(node)))
        if pair is not None:
            # An operator of the past is decided before its instant; that counts only where the future is asked for.
            if isinstance(node, Historically | Once | Since) and not ahead and _at_once(node, found):
                pair = _map(settled, pair)
            found[id(node)] = pair
    return found


def _at_once(node: Historically | Once | Since, found: Mapping[int, Pair]) -> bool:
    return all(side.at_once for part in parts_of(node) for side in found[id(part)])


def remembered(node: Once | Historically | Since, found: Mapping[int, Pair], old: Carried | None, cut: int) -> Carried:
    """What an operator with an unbounded past has to know of all instants before ``cut``."""
    if isinstance(node, Since):
        hold, goal = found[id(node.hold)], _with_past(found[id(node.goal)], old)
        sides = [since_ever(h, g) for h, g in zip(hold, goal, strict=True)]
        certain, possible = (bool(s.true[s.index(np.array([cut - 1]))[0]]) for s in sides)
        return Carried(cut, certain, possible)
    of = _with_past(found[id(node.of)], old)
    fold = np.any if isinstance(node, Once) else np.all
    certain, possible = (bool(fold(a.true[: a.index(np.array([cut - 1]))[0] + 1])) for a in of)
    return Carried(cut, certain, possible)


def _with_past(pair: Pair, carried: Carried | None) -> Pair:
    if carried is None:
        return pair
    return Pair(
        with_past(pair.certain, carried.cut, carried.certain), with_past(pair.possible, carried.cut, carried.possible)
    )


def _truth(node: object, found: Mapping[int, Pair], source: Source, carried: Carried | None) -> Pair | None:
    match node:
        case Constant(value=value):
            return _one(constant(value))
        case Compare(left=Count() | Duration(), right=Number()):
            return _counted(node, found)
        case Compare() | Is() | Active():
            return source.leaf(node)
        case Named():
            return found[id(node.of)]
        case Not():
            return denied(found[id(node.of)])
        case And() | Or():
            fold = both if isinstance(node, And) else either
            answer = _one(constant(isinstance(node, And)))
            for n, part in enumerate(node.parts):
                answer = _each(fold, answer, found[id(part)]) if n else found[id(part)]
            return answer
        case Implies():
            return _each(either, denied(found[id(node.condition)]), found[id(node.then)])
        case Always(window=w) | Eventually(window=w):
            over = throughout if isinstance(node, Always) else somewhere
            return _map(lambda a: over(a, w.low, w.high or 0), found[id(node.of)])
        case Historically(window=w) | Once(window=w):
            over = throughout if isinstance(node, Historically) else somewhere
            far = -LAST if w.high is None else -w.high
            return _map(lambda a: over(a, far, -w.low), _with_past(found[id(node.of)], carried))
        case Until(window=w):
            return _each(lambda h, g: until(h, g, w.low, w.high or 0), found[id(node.hold)], found[id(node.goal)])
        case Since(window=w):
            goal = _with_past(found[id(node.goal)], carried)
            return _each(lambda h, g: since(h, g, w.low, w.high), found[id(node.hold)], goal)
        case NextChange(window=w):
            at = source.stretches(node.signal)
            then = found[id(node.then)]
            return Pair(
                _next_change(at, then.certain, w.low, w.high or 0, unknown=False),
                _next_change(at, then.possible, w.low, w.high or 0, unknown=True),
            )
        case _:
            return None


def denied(pair: Pair) -> Pair:
    """The truth of ``not``."""
    return _map(negation, Pair(pair.possible, pair.certain))


def _one(a: Truth) -> Pair:
    return Pair(a, a)


def _map(of: Callable[[Truth], Truth], pair: Pair) -> Pair:
    certain = of(pair.certain)
    return Pair(certain, certain if pair.certain is pair.possible else of(pair.possible))


def _each(of: Callable[[Truth, Truth], Truth], a: Pair, b: Pair) -> Pair:
    certain = of(a.certain, b.certain)
    same = a.certain is a.possible and b.certain is b.possible
    return Pair(certain, certain if same else of(a.possible, b.possible))


def _counted(node: Compare, found: Mapping[int, Pair]) -> Pair:
    """``count`` and ``duration``: instants in a window, of what became true or of what is true."""
    left, right = node.left, node.right
    assert isinstance(left, Count | Duration) and isinstance(right, Number)
    of = found[id(left.of)]
    if isinstance(left, Count):
        before = _map(lambda a: shifted(a, -1), of)
        of = _each(both, of, denied(before))
        limit = Fraction(right.value) if np.isfinite(right.value) else None
    else:
        # The constant is taken in whole nanoseconds, so that 0.1 s is 100 000 000 ns.
        limit = Fraction(round(Fraction(right.value) * SECOND)) if np.isfinite(right.value) else None
    if limit is None:
        return Pair(constant(False), constant(True))

    def reaches(need: int) -> Pair:
        return _map(lambda a: at_least(a, left.past, need), of)

    match node.relation:
        case ">=":
            return reaches(ceil(limit))
        case ">":
            return reaches(floor(limit) + 1)
        case "<":
            return denied(reaches(ceil(limit)))
        case "<=":
            return denied(reaches(floor(limit) + 1))
        case _:
            equal = _each(both, reaches(ceil(limit)), denied(reaches(floor(limit) + 1)))
            return equal if node.relation == "==" else denied(equal)


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


def _next_change(at: Stretches, then: Truth, low: int, high: int, *, unknown: bool) -> Truth:
    """The first change after t lies in [t + low, t + high] and ``then`` holds there.

    Too far away is decided when the window has run out, too near when the change comes, and in the window when the
    change has come and ``then`` is decided. ``unknown`` is what it is where nobody knows the signal.
    """
    start, run, part = change_parts(at, low, high)
    e = np.append(at.start[1:], LAST - 1)[run]
    i = then.index(e)
    true = np.where(part == CHANGED, then.true[i], (part == UNKNOWN) & unknown)
    line = (part == FAR) | ((part == UNKNOWN) & ~at.known[run])
    base = np.where(part == CHANGED, np.maximum(e, then.base[i] + then.slope[i] * e), e)
    base = np.where(line, np.where(part == FAR, high, 0), base)
    return tidy(start, true, base, line.astype(np.int64))
