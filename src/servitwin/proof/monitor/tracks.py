"""The truth of every part of a formula: certain and possible, with the instants at which both were decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Generic, NamedTuple, Protocol, TypeGuard

import numpy as np

from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Arithmetic,
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
    parts_of,
    walk,
)
from servitwin.proof.monitor.algebra import Algebra, Stretches, T
from servitwin.proof.monitor.truth import LAST

SECOND = 1_000_000_000
_NUMBERS = Number | Measured | Arithmetic | Magnitude | Count | Duration


class Pair(NamedTuple, Generic[T]):
    """What is certainly true and what may be true; the same object where nothing is inconclusive."""

    certain: T
    possible: T


class Carried(NamedTuple):
    """What counts of all instants before ``cut``: whether the operator's goal holds from there on, or everywhere."""

    cut: int
    certain: bool
    possible: bool


class Source(Protocol[T]):
    """Where the truth of comparisons comes from: a trace, or what an online monitor keeps."""

    @property
    def algebra(self) -> Algebra[T]:
        """How the truth of comparisons is combined."""
        ...

    def leaf(self, node: Compare | Is | Active) -> Pair[T]:
        """The truth of a comparison of signals."""
        ...

    def stretches(self, signal: str) -> Stretches:
        """The values of a signal as runs."""
        ...


class Part(NamedTuple):
    """A part of a formula: a comparison of signals (``leaf``), or what is made of other parts.

    ``settles``: it looks back, and no operator of the future reads it.
    """

    node: Formula
    leaf: bool
    settles: bool


def order_of(formula: Formula) -> list[Part]:
    """The parts of a formula, each after its own parts; any depth."""
    ahead: dict[int, bool] = {id(formula): False}
    nodes = list(walk(formula))
    for node in nodes:
        below = ahead[id(node)] or isinstance(node, Always | Eventually | Until | NextChange)
        for part in parts_of(node):
            ahead[id(part)] = ahead.get(id(part), False) or below
    once = {id(n): n for n in reversed(nodes)}.values()
    return [
        Part(n, is_leaf(n), isinstance(n, Historically | Once | Since) and not ahead[id(n)])
        for n in once
        if not isinstance(n, _NUMBERS)
    ]


def is_leaf(node: Formula | Expression) -> TypeGuard[Compare | Is | Active]:
    """Whether it is a comparison of what signals say; ``count`` and ``duration`` compare what follows from others."""
    if isinstance(node, Compare):
        return not isinstance(node.left, Count | Duration)
    return isinstance(node, Is | Active)


def truths(
    formula: Formula, source: Source[T], carried: Mapping[int, Carried] | None = None, order: list[Part] | None = None
) -> dict[int, Pair[T]]:
    """The truth of every part, by the ``id`` of its node; any depth.

    Args:
        formula: checked (:func:`servitwin.proof.monitor.check.check_formula`).
        source: the truth of its comparisons.
        carried: for an online monitor, by the ``id`` of an operator with an unbounded past, what it has given up.
        order: of :func:`order_of`, if it is at hand.
    """
    found: dict[int, Pair[T]] = {}
    algebra = source.algebra
    carried = carried or {}
    for node, leaf, settles in order or order_of(formula):
        if leaf:
            found[id(node)] = source.leaf(node)  # type: ignore[arg-type]
            continue
        pair = _truth(node, found, source, carried.get(id(node)))
        # An operator of the past is decided before its instant; that counts only where the future is asked for.
        if settles and all(side.at_once for part in parts_of(node) for side in found[id(part)]):
            pair = _map(algebra.settled, pair)
        found[id(node)] = pair
    return found


def remembered(
    algebra: Algebra[T],
    node: Once | Historically | Since,
    *,
    found: Mapping[int, Pair[T]],
    old: Carried | None,
    cut: int,
) -> Carried:
    """What an operator with an unbounded past has to know of all instants before ``cut``."""
    if isinstance(node, Since):
        hold, goal = found[id(node.hold)], _with_past(algebra, found[id(node.goal)], old)
        certain, possible = (
            algebra.value_before(algebra.since_ever(h, g), cut) for h, g in zip(hold, goal, strict=True)
        )
        return Carried(cut, certain, possible)
    once = isinstance(node, Once)
    of = _with_past(algebra, found[id(node.of)], old)
    certain, possible = (algebra.occurs_before(a, cut, once) == once for a in of)
    return Carried(cut, certain, possible)


def _with_past(algebra: Algebra[T], pair: Pair[T], carried: Carried | None) -> Pair[T]:
    if carried is None:
        return pair
    return Pair(
        algebra.with_past(pair.certain, carried.cut, carried.certain),
        algebra.with_past(pair.possible, carried.cut, carried.possible),
    )


def _truth(node: Formula, found: Mapping[int, Pair[T]], source: Source[T], carried: Carried | None) -> Pair[T]:
    algebra = source.algebra
    match node:
        case Implies():
            return _each(algebra.either, denied(algebra, found[id(node.condition)]), found[id(node.then)])
        case Compare():
            return _counted(algebra, node, found)
        case And() | Or():
            fold = algebra.both if isinstance(node, And) else algebra.either
            answer = found[id(node.parts[0])] if node.parts else _one(algebra.constant(isinstance(node, And)))
            for part in node.parts[1:]:
                answer = _each(fold, answer, found[id(part)])
            return answer
        case Always(window=w) | Eventually(window=w):
            over = algebra.throughout if isinstance(node, Always) else algebra.somewhere
            return _map(lambda a: over(a, w.low, w.high or 0), found[id(node.of)])
        case Historically(window=w) | Once(window=w):
            over = algebra.throughout if isinstance(node, Historically) else algebra.somewhere
            far = -LAST if w.high is None else -w.high
            return _map(lambda a: over(a, far, -w.low), _with_past(algebra, found[id(node.of)], carried))
        case Not():
            return denied(algebra, found[id(node.of)])
        case Named():
            return found[id(node.of)]
        case Constant(value=value):
            return _one(algebra.constant(value))
        case Until(window=w):
            hold, goal = found[id(node.hold)], found[id(node.goal)]
            return _each(lambda h, g: algebra.until(h, g, w.low, w.high or 0), hold, goal)
        case Since(window=w):
            goal = _with_past(algebra, found[id(node.goal)], carried)
            return _each(lambda h, g: algebra.since(h, g, w.low, w.high), found[id(node.hold)], goal)
        case NextChange(window=w):
            at = source.stretches(node.signal)
            then = found[id(node.then)]
            return Pair(
                algebra.next_change(at, then.certain, w.low, w.high or 0, unknown=False),
                algebra.next_change(at, then.possible, w.low, w.high or 0, unknown=True),
            )
        case _:
            raise TypeError(type(node).__name__)  # comparisons of signals: the source tells them


def denied(algebra: Algebra[T], pair: Pair[T]) -> Pair[T]:
    """The truth of ``not``."""
    return _map(algebra.negation, Pair(pair.possible, pair.certain))


def _one(a: T) -> Pair[T]:
    return Pair(a, a)


def _map(of: Callable[[T], T], pair: Pair[T]) -> Pair[T]:
    certain = of(pair.certain)
    return Pair(certain, certain if pair.certain is pair.possible else of(pair.possible))


def _each(of: Callable[[T, T], T], a: Pair[T], b: Pair[T]) -> Pair[T]:
    certain = of(a.certain, b.certain)
    same = a.certain is a.possible and b.certain is b.possible
    return Pair(certain, certain if same else of(a.possible, b.possible))


def _counted(algebra: Algebra[T], node: Compare, found: Mapping[int, Pair[T]]) -> Pair[T]:
    """``count`` and ``duration``: instants in a window, of what became true or of what is true."""
    left, right = node.left, node.right
    assert isinstance(left, Count | Duration) and isinstance(right, Number)
    of = found[id(left.of)]
    if isinstance(left, Count):
        before = _map(lambda a: algebra.shifted(a, -1), of)
        of = _each(algebra.both, of, denied(algebra, before))
        limit = Fraction(right.value) if np.isfinite(right.value) else None
    else:
        # The constant is taken in whole nanoseconds, so that 0.1 s is 100 000 000 ns.
        limit = Fraction(round(Fraction(repr(float(right.value))) * SECOND)) if np.isfinite(right.value) else None
    if limit is None:
        return Pair(algebra.constant(False), algebra.constant(True))

    def reaches(need: int) -> Pair[T]:
        return _map(lambda a: algebra.at_least(a, left.past, need), of)

    match node.relation:
        case ">=":
            return reaches(ceil(limit))
        case ">":
            return reaches(floor(limit) + 1)
        case "<":
            return denied(algebra, reaches(ceil(limit)))
        case "<=":
            return denied(algebra, reaches(floor(limit) + 1))
        case _:
            equal = _each(algebra.both, reaches(ceil(limit)), denied(algebra, reaches(floor(limit) + 1)))
            return equal if node.relation == "==" else denied(algebra, equal)
