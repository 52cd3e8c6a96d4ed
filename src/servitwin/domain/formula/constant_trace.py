"""What a formula is on a trace that never changes: always and eventually are then the same as their inside."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from servitwin.domain.formula.cells import Cell, compared
from servitwin.domain.formula.tree import (
    Active,
    And,
    Arithmetic,
    Compare,
    Constant,
    Count,
    Duration,
    Expression,
    Formula,
    Implies,
    Is,
    Magnitude,
    Measured,
    NextChange,
    Not,
    Number,
    Or,
    Since,
    Until,
)
from servitwin.domain.instant import NS


def holds(node: Formula, cells: Mapping[str, Cell]) -> bool | None:
    """The truth of the formula where every signal is for ever as its cell says; None where that is not known."""
    match node:
        case Constant():
            return node.value
        case Compare():
            left, right = value(node.left, cells), value(node.right, cells)
            return None if left is None or right is None else compared(node.relation, left - right)
        case Is():
            cell = cells.get(node.signal)
            return None if cell is None else cell.word in node.values
        case Active():
            cell = cells.get(node.signal)
            if cell is None:
                return None
            return any((node.warnings or fault) and node.code in ("", code) for code, fault in cell.entries)
        case Not():
            return _not(holds(node.of, cells))
        case And():
            return _all([holds(p, cells) for p in node.parts])
        case Or():
            return _not(_all([_not(holds(p, cells)) for p in node.parts]))
        case Implies():
            return _not(_all([holds(node.condition, cells), _not(holds(node.then, cells))]))
        case Until() | Since():
            goal = holds(node.goal, cells)
            return goal if node.window.low == 0 else _all([goal, holds(node.hold, cells)])
        case NextChange():
            return False
        case _:
            return holds(node.of, cells)


def value(node: Expression, cells: Mapping[str, Cell]) -> Fraction | None:
    """The value of an expression on such a trace, exactly; None where it is not known."""
    match node:
        case Number():
            return Fraction(node.value)
        case Measured():
            cell = cells.get(node.signal)
            known = None if cell is None else cell.number
            return None if known is None else known * Fraction(node.factor) + Fraction(node.offset)
        case Magnitude():
            inside = value(node.of, cells)
            return None if inside is None else abs(inside)
        case Count():
            return None if holds(node.of, cells) is None else Fraction(0)
        case Duration():
            inner = holds(node.of, cells)
            return None if inner is None else Fraction(node.past if inner else 0, NS)
        case Arithmetic():
            left, right = value(node.left, cells), value(node.right, cells)
            return None if left is None or right is None else _combined(node.operator, left, right)


def _combined(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else None
        case "min":
            return min(left, right)
        case _:
            return max(left, right)


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _all(truths: list[bool | None]) -> bool | None:
    if any(t is False for t in truths):
        return False
    return None if any(t is None for t in truths) else True
