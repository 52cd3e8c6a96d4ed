"""Terms of controllers as terms of the solver: flags are truths, all else bit vectors just wide enough.

A name with range ``low`` to ``high`` is kept as the unsigned distance from ``low``. Inside a term numbers are signed
and widened to what the range of the result needs, so that nothing wraps around.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import z3

from servitwin.domain.controller_term import Apply, Name, Number, Range, Term


def bits_of(range: Range) -> int:
    """Bits that keep a value of the range."""
    return max((range.high - range.low).bit_length(), 1)


def _signed_bits(low: int, high: int) -> int:
    return max((-low - 1).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0) + 1


class Words:
    """Builds solver terms in one solver context."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.true = z3.BoolVal(True, context)
        self.false = z3.BoolVal(False, context)

    def constant(self, name: str, range: Range) -> Any:
        """An unknown that keeps a value of the range."""
        if range.kind == "flag":
            return z3.Bool(name, self.context)
        return z3.BitVec(name, bits_of(range), self.context)

    def value(self, value: int, range: Range) -> Any:
        """A value as it is kept."""
        if range.kind == "flag":
            return self.true if value else self.false
        return z3.BitVecVal(value - range.low, bits_of(range), self.context)

    def inside(self, constant: Any, range: Range) -> Any:
        """What keeps an unknown inside its range; true where its bits do so already."""
        if range.kind == "flag" or range.size == 1 << bits_of(range):
            return self.true
        return z3.ULE(constant, range.high - range.low)

    def number_of(self, kept: Any, range: Range) -> int:
        """The number behind a kept value."""
        if range.kind == "flag":
            return int(z3.is_true(kept))
        return int(kept.as_long()) + range.low

    def compared(self, name: Any, range: Range, op: str, value: int) -> Any:
        """``name op value`` on the kept form; ``op`` is ``==``, ``<=`` or ``>=``."""
        if value < range.low:
            return self.true if op == ">=" else self.false
        if value > range.high:
            return self.true if op == "<=" else self.false
        if range.kind == "flag":
            return self._flag_compared(name, op, value)
        kept = z3.BitVecVal(value - range.low, bits_of(range), self.context)
        return name == kept if op == "==" else z3.ULE(name, kept) if op == "<=" else z3.UGE(name, kept)

    def _flag_compared(self, name: Any, op: str, value: int) -> Any:
        if op == "==":
            return name if value else z3.Not(name)
        if op == "<=":
            return self.true if value else z3.Not(name)
        return name if value else self.true

    def both(self, *parts: Any) -> Any:
        """All of them."""
        return z3.And(*parts) if len(parts) > 1 else parts[0] if parts else self.true

    def one_of(self, *parts: Any) -> Any:
        """One of them."""
        return z3.Or(*parts) if len(parts) > 1 else parts[0] if parts else self.false

    def truth(self, term: Term, names: Mapping[str, Any]) -> Any:
        """A term of kind flag."""
        if isinstance(term, Number):
            return self.true if term.value else self.false
        if isinstance(term, Name):
            return names[term.name]
        args = term.args
        match term.op:
            case "not":
                return z3.Not(self.truth(args[0], names))
            case "and":
                return self.both(*(self.truth(a, names) for a in args))
            case "or":
                return self.one_of(*(self.truth(a, names) for a in args))
            case "implies":
                return z3.Implies(self.truth(args[0], names), self.truth(args[1], names))
            case "if":
                condition, yes, no = (self.truth(a, names) for a in args)
                return z3.If(condition, yes, no)
        return self._comparison(term, names)

    def _comparison(self, term: Apply, names: Mapping[str, Any]) -> Any:
        left, right = term.args
        if left.range.kind == "flag":
            same = self.truth(left, names) == self.truth(right, names)
            return same if term.op == "==" else z3.Not(same)
        if isinstance(left, Name) and isinstance(right, Number):
            direct = self._against_constant(names[left.name], left.range, term.op, right.value)
            if direct is not None:
                return direct
        a, b = self._same_width(self.number(left, names), self.number(right, names))
        match term.op:
            case "==":
                return a == b
            case "!=":
                return a != b
            case "<":
                return a < b
            case "<=":
                return a <= b
            case ">":
                return a > b
        return a >= b

    def _against_constant(self, name: Any, range: Range, op: str, value: int) -> Any | None:
        match op:
            case "==" | "<=" | ">=":
                return self.compared(name, range, op, value)
            case "!=":
                return z3.Not(self.compared(name, range, "==", value))
            case "<":
                return self.compared(name, range, "<=", value - 1)
            case ">":
                return self.compared(name, range, ">=", value + 1)
        return None

    def _same_width(self, *parts: Any, least: int = 0) -> list[Any]:
        width = max(least, *(p.size() for p in parts))
        return [z3.SignExt(width - p.size(), p) if p.size() < width else p for p in parts]

    def number(self, term: Term, names: Mapping[str, Any]) -> Any:
        """A term of another kind, as a signed bit vector that holds its range."""
        width = _signed_bits(term.range.low, term.range.high)
        if isinstance(term, Number):
            return z3.BitVecVal(term.value, _signed_bits(term.value, term.value), self.context)
        if isinstance(term, Name):
            kept = names[term.name]
            wide = z3.ZeroExt(width - kept.size(), kept) if kept.size() < width else kept
            return wide + term.range.low if term.range.low else wide
        if term.op == "if":
            condition = self.truth(term.args[0], names)
            yes, no = self._same_width(*(self.number(a, names) for a in term.args[1:]))
            return z3.If(condition, yes, no)
        args = self._same_width(*(self.number(a, names) for a in term.args), least=width)
        match term.op:
            case "+":
                return args[0] + args[1]
            case "-":
                return args[0] - args[1]
            case "*":
                return args[0] * args[1]
        found = args[0]
        for other in args[1:]:
            found = z3.If(found <= other if term.op == "min" else found >= other, found, other)
        return found

    def kept(self, term: Term, range: Range, names: Mapping[str, Any]) -> Any:
        """A term that lies inside ``range``, in the form in which the range keeps it."""
        if range.kind == "flag":
            return self.truth(term, names)
        value = self.number(term, names)
        bits = bits_of(range)
        wide = z3.SignExt(max(bits + 1 - value.size(), 0), value)
        moved = wide - range.low if range.low else wide
        return z3.simplify(z3.Extract(bits - 1, 0, moved))
