"""Cells: the ways in which a signal can be at one instant, as far as a formula can tell them apart.

A number signal is cut at the constants that it is compared with, inside its physical limits; in each cell every
comparison of that signal alone has one answer. A text signal has the words that are spoken of and one cell for all
others. Numbers are exact fractions here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from servitwin.domain.formula.tree import (
    STATE,
    Active,
    Arithmetic,
    Compare,
    Expression,
    Formula,
    Is,
    Magnitude,
    Measured,
    Number,
    Relation,
    walk,
)
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State

Range = tuple[float, float]
_ALL: Range = (-math.inf, math.inf)
_WIDER = 1e-9  # what rounding of floats can hide; ranges are taken wider by it


class Cell(NamedTuple):
    """One way to be: a representative number with the range it stands for, a word or flag, or active entries.

    ``entries`` are (native code, whether a fault); ``word`` None means a word that the formula does not name.
    """

    number: Fraction | None = None
    range: Range = _ALL
    word: str | bool | None = None
    entries: frozenset[tuple[str, bool]] = frozenset()


class Linear(NamedTuple):
    """A sum of signals times factors, plus a constant."""

    factors: dict[str, Fraction]
    constant: Fraction


def linear(node: Expression) -> Linear | None:
    """The expression as a sum, or None if it is none."""
    match node:
        case Number():
            return Linear({}, Fraction(node.value))
        case Measured():
            return Linear({node.signal: Fraction(node.factor)}, Fraction(node.offset))
        case Arithmetic(operator="+" | "-" | "*" | "/"):
            left, right = linear(node.left), linear(node.right)
            return _together(node.operator, left, right) if left is not None and right is not None else None
        case _:
            return None


def _together(operator: str, left: Linear, right: Linear) -> Linear | None:
    if operator in ("+", "-"):
        sign = 1 if operator == "+" else -1
        factors = dict(left.factors)
        for name, factor in right.factors.items():
            factors[name] = factors.get(name, Fraction(0)) + sign * factor
        return Linear({n: f for n, f in factors.items() if f}, left.constant + sign * right.constant)
    if operator == "/":
        if right.factors or right.constant == 0:
            return None
        right = Linear({}, 1 / right.constant)
    if left.factors and right.factors:
        return None
    many, by = (left, right.constant) if left.factors else (right, left.constant)
    return Linear({n: f * by for n, f in many.factors.items() if f * by}, many.constant * by)


def difference(node: Compare) -> Linear | None:
    """Left minus right of a comparison as a sum, or None."""
    left, right = linear(node.left), linear(node.right)
    return _together("-", left, right) if left is not None and right is not None else None


def compared(relation: Relation, value: Fraction | float | int) -> bool:
    """Whether a difference stands in that relation to zero."""
    match relation:
        case "<":
            return value < 0
        case "<=":
            return value <= 0
        case ">":
            return value > 0
        case ">=":
            return value >= 0
        case "==":
            return value == 0
        case _:
            return value != 0


def range_of(node: Expression, cells: Mapping[str, Cell], limits: Mapping[str, Range]) -> Range:
    """Where the value of an expression can lie (closed bounds, never too narrow)."""
    match node:
        case Number():
            return node.value, node.value
        case Measured():
            low, high = cells[node.signal].range if node.signal in cells else limits.get(node.signal, _ALL)
            ends = _scaled(low, node.factor, node.offset), _scaled(high, node.factor, node.offset)
            return _widened(min(ends), max(ends))
        case Magnitude():
            low, high = range_of(node.of, cells, limits)
            return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        case Arithmetic():
            return _combined(node.operator, range_of(node.left, cells, limits), range_of(node.right, cells, limits))
        case _:
            return _ALL


def _scaled(value: float, factor: float, offset: float) -> float:
    return value * factor + offset if factor else offset


def _combined(operator: str, a: Range, b: Range) -> Range:
    if operator == "min":
        return min(a[0], b[0]), min(a[1], b[1])
    if operator == "max":
        return max(a[0], b[0]), max(a[1], b[1])
    if operator == "+":
        return _widened(a[0] + b[0], a[1] + b[1])
    if operator == "-":
        return _widened(a[0] - b[1], a[1] - b[0])
    if operator == "/":
        if b[0] <= 0 <= b[1]:
            return _ALL
        b = (1 / b[1], 1 / b[0])
    ends = [x * y if x and y else 0.0 for x in a for y in b]
    return _widened(min(ends), max(ends))


def _widened(low: float, high: float) -> Range:
    if math.isnan(low) or math.isnan(high):
        return _ALL
    return low - abs(low) * _WIDER if math.isfinite(low) else low, high + abs(high) * _WIDER if math.isfinite(
        high
    ) else high


def cells_of(formula: Formula, signals: Mapping[str, SignalDefinition]) -> dict[str, list[Cell]]:
    """The cells of each signal of a formula that can be told apart by tests of that signal alone."""
    cuts: dict[str, set[Fraction]] = {}
    words: dict[str, set[str | bool]] = {}
    codes: dict[str, set[str]] = {}
    for node in walk(formula):
        match node:
            case Compare():
                sum_ = difference(node)
                if sum_ is not None and len(sum_.factors) == 1:
                    ((name, factor),) = sum_.factors.items()
                    cuts.setdefault(name, set()).add(-sum_.constant / factor)
            case Measured():
                cuts.setdefault(node.signal, set())
            case Is():
                words.setdefault(node.signal, set()).update(node.values)
            case Active():
                codes.setdefault(node.signal, set()).update({node.code} - {""})
    found = {name: list(_numbers(at, limits_of(name, signals))) for name, at in cuts.items()}
    found |= {name: _words(name, said, signals) for name, said in words.items()}
    return found | {name: _conditions(said) for name, said in codes.items()}


def limits_of(name: str, signals: Mapping[str, SignalDefinition]) -> Range:
    """Physical limits of a signal; everything where none are declared."""
    signal = signals.get(name)
    return signal.limits if signal is not None and signal.limits is not None else _ALL


def _numbers(cuts: Iterable[Fraction], limits: Range) -> Iterator[Cell]:
    low = Fraction(limits[0]) if math.isfinite(limits[0]) else None
    high = Fraction(limits[1]) if math.isfinite(limits[1]) else None
    ends = [e for e in (low, high) if e is not None]
    inside = {c for c in cuts if (low is None or c >= low) and (high is None or c <= high)}
    points = sorted({*inside, *ends}) or [Fraction(0)]
    if low is None:
        yield Cell(points[0] - 1, (-math.inf, _up(points[0])))
    for i, point in enumerate(points):
        yield Cell(point, (_down(point), _up(point)))
        if i + 1 < len(points):
            yield Cell((point + points[i + 1]) / 2, (_down(point), _up(points[i + 1])))
    if high is None:
        yield Cell(points[-1] + 1, (_down(points[-1]), math.inf))


def _up(value: Fraction) -> float:
    return math.nextafter(_float(value), math.inf)


def _down(value: Fraction) -> float:
    return math.nextafter(_float(value), -math.inf)


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _words(name: str, said: set[str | bool], signals: Mapping[str, SignalDefinition]) -> list[Cell]:
    if name == STATE:
        return [Cell(word=s.value) for s in State if s is not State.UNKNOWN]
    signal = signals.get(name)
    if signal is not None and signal.type == "flag":
        return [Cell(word=False), Cell(word=True)]
    known = set(signal.values) if signal is not None else set()
    others = [] if known and known <= said else [Cell()]
    return [*(Cell(word=w) for w in sorted(map(str, said))), *others]


def _conditions(codes: set[str]) -> list[Cell]:
    kinds = [(code, fault) for code in (*sorted(codes), "") for fault in (False, True)]
    if len(kinds) > 8:
        return []
    subsets = (c for n in range(len(kinds) + 1) for c in combinations(kinds, n))
    return [Cell(entries=frozenset(s)) for s in subsets]
