"""Whether a formula can be false at all, can be true at all, and whether its triggers can occur.

What is impossible is proven over all cells of its signals (:mod:`~servitwin.domain.formula.cells`): parts with a
temporal operator stand for themselves, bound only by what their inside can be, and by the present where their window
includes it. What is possible is shown by a trace that never changes. Between the two the answer is None: not decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from servitwin.domain.error import Fault
from servitwin.domain.formula.cells import Cell, Range, cells_of, compared, difference, limits_of, range_of
from servitwin.domain.formula.constant_trace import holds
from servitwin.domain.formula.text import text as formula_text
from servitwin.domain.formula.token import fault_at
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
    Measured,
    Named,
    NextChange,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    invariant,
    walk,
)
from servitwin.domain.instant import NS
from servitwin.domain.signal import SignalDefinition

#: Steps that one question may cost; beyond it the signals with most cells are taken as a whole.
BOUND = 60_000
#: Steps that all questions about one formula may cost together.
TOTAL = 400_000

_FALSE, _TRUE, _BOTH = 1, 2, 3  # a truth as the set of what it can be
_Temporal = Always | Eventually | Historically | Once | Until | Since | NextChange


class Possible(NamedTuple):
    """What a formula can be at some instant of some trace within its signals' limits; None: not decided."""

    false: bool | None
    true: bool | None


def possible(tree: Formula, signals: Mapping[str, SignalDefinition]) -> Possible:
    """Whether a checked formula can be false, and can be true, at some instant of some trace."""
    found = _Search(signals)
    bits = found.bits(tree)
    shown = found.shown(tree, bits) if bits == _BOTH else bits
    return Possible(
        false=True if shown & _FALSE else None if bits & _FALSE else False,
        true=True if shown & _TRUE else None if bits & _TRUE else False,
    )


def vacuity_faults(tree: Formula, signals: Mapping[str, SignalDefinition], text: str = "") -> list[Fault]:
    """What makes a checked requirement useless, with the part that does so; nothing where that is not found.

    Faults: ``formula:never-false``, ``formula:never-true``, ``formula:trigger-never``.
    """
    search = _Search(signals)
    bare = invariant(tree)
    found: list[Fault] = []
    for node in walk(bare):
        if isinstance(node, Implies) and search.bits(node.condition) == _FALSE:
            part = search.reason(node.condition, _FALSE)
            message = f"The trigger can never occur: {_quoted(part, text)} is never true"
            found.append(fault_at(text, part.at[0], "formula:trigger-never", message, search.hint(part)))
    bits = _BOTH if found else search.bits(bare)
    if bits == _TRUE:
        part = search.reason(bare, _TRUE)
        message = f"The requirement can never be violated: {_quoted(part, text)} is always true"
        found.append(fault_at(text, part.at[0], "formula:never-false", message, search.hint(part)))
    elif bits == _FALSE:
        part = search.reason(bare, _FALSE)
        message = f"The requirement can never hold: {_quoted(part, text)} is never true"
        if isinstance(bare, Not | Named) or part is not bare:
            message = f"The requirement can never hold because of {_quoted(part, text)}"
        found.append(fault_at(text, part.at[0], "formula:never-true", message, search.hint(part)))
    return list(dict.fromkeys(found))


def _quoted(part: Formula, text: str) -> str:
    written = text[part.at[0] : part.at[1]] or formula_text(part)
    return repr(written if len(written) <= 80 else written[:77] + "...")


class _Search:
    def __init__(self, signals: Mapping[str, SignalDefinition]) -> None:
        self._signals = signals
        self._known: dict[str, int] = {}  # bits of parts by their text, so that equal parts are asked once
        self._steps = TOTAL
        self._texts: dict[int, tuple[Formula, str]] = {}

    def bits(self, tree: Formula) -> int:
        """What the formula can be, never too little."""
        key = self._key(tree)
        if key not in self._known:
            self._known[key] = self._searched(tree)
        return self._known[key]

    def _key(self, tree: Formula) -> str:
        known = self._texts.get(id(tree))
        if known is None or known[0] is not tree:
            known = self._texts[id(tree)] = (tree, formula_text(tree))
        return known[1]

    def _searched(self, tree: Formula) -> int:
        opaque = {self._key(n): n for n in _outermost(tree)}
        size = sum(1 for _ in walk(tree))
        bits = 0
        for cells in self._cases(tree, size * 2 ** min(len(opaque), 8)):
            allowed = [self._now(n, cells) for n in opaque.values()]
            choices = [[b] if b != _BOTH or len(opaque) > 8 else [_FALSE, _TRUE] for b in allowed]
            for choice in product(*choices):
                bits |= self._value(tree, cells, dict(zip(opaque, choice, strict=True)))
                if bits == _BOTH:
                    return bits
        return bits

    def _cases(self, tree: Formula, size: int) -> Iterator[dict[str, Cell]]:
        """All combinations of cells; signals whose cells would cost too much are left out, and so stay undecided."""
        cells = sorted(((n, c) for n, c in cells_of(tree, self._signals).items() if c), key=lambda nc: len(nc[1]))
        kept: list[tuple[str, list[Cell]]] = []
        cost = size
        for name, options in cells:
            if cost * len(options) > min(BOUND, self._steps):
                break
            cost *= len(options)
            kept.append((name, options))
        self._steps -= cost
        names = [name for name, _ in kept]
        for chosen in product(*(options for _, options in kept)):
            yield dict(zip(names, chosen, strict=True))

    def shown(self, tree: Formula, wanted: int) -> int:
        """What traces that never change show to be possible."""
        bits = 0
        for cells in self._cases(tree, sum(1 for _ in walk(tree))):
            value = holds(tree, cells)
            if value is not None:
                bits |= _TRUE if value else _FALSE
            if bits == wanted:
                break
        return bits

    # one case -------------------------------------------------------------------------------------------------

    def _value(self, node: Formula, cells: Mapping[str, Cell], opaque: Mapping[str, int]) -> int:
        match node:
            case Constant():
                return _TRUE if node.value else _FALSE
            case Compare():
                return self._compared(node, cells)
            case Is():
                cell = cells.get(node.signal)
                return _BOTH if cell is None else _TRUE if cell.word in node.values else _FALSE
            case Active():
                return _active(node, cells.get(node.signal))
            case Named():
                return self._value(node.of, cells, opaque)
            case Not():
                return _not(self._value(node.of, cells, opaque))
            case And():
                return _and([self._value(p, cells, opaque) for p in node.parts])
            case Or():
                return _not(_and([_not(self._value(p, cells, opaque)) for p in node.parts]))
            case Implies():
                condition = self._value(node.condition, cells, opaque)
                return _not(_and([condition, _not(self._value(node.then, cells, opaque))]))
            case _:
                return opaque.get(self._key(node), _BOTH)

    def _now(self, node: _Temporal, cells: Mapping[str, Cell]) -> int:
        """What a temporal part can be where the present is as these cells say."""
        if isinstance(node, NextChange):
            return _FALSE if self.bits(node.then) == _FALSE else _BOTH
        starts_now = node.window.low == 0
        if isinstance(node, Until | Since):
            return self._until_now(node, cells, starts_now)
        bits = self.bits(node.of)
        if bits != _BOTH or not starts_now:
            return bits
        now = self._present(node.of, cells)
        if isinstance(node, Always | Historically):
            return _FALSE if now == _FALSE else _BOTH
        return _TRUE if now == _TRUE else _BOTH

    def _until_now(self, node: Until | Since, cells: Mapping[str, Cell], starts_now: bool) -> int:
        if self.bits(node.goal) == _FALSE:
            return _FALSE
        goal, hold = self._present(node.goal, cells), self._present(node.hold, cells)
        if starts_now and goal == _TRUE:
            return _TRUE
        if hold == _FALSE and (not starts_now or goal == _FALSE):
            return _FALSE
        return _BOTH

    def _present(self, node: Formula, cells: Mapping[str, Cell]) -> int:
        inner = {self._key(n): self._now(n, cells) for n in _outermost(node)}
        return self._value(node, cells, inner)

    def _compared(self, node: Compare, cells: Mapping[str, Cell]) -> int:
        if isinstance(node.left, Count | Duration):
            return self._counted(node, node.left)
        sum_ = difference(node)
        if sum_ is not None:
            values = [(f, cells.get(n)) for n, f in sum_.factors.items()]
            if len(values) <= 1 and all(c is not None and c.number is not None for _, c in values):
                at = sum_.constant + sum((f * c.number for f, c in values if c and c.number is not None), Fraction(0))
                return _TRUE if compared(node.relation, at) else _FALSE
        limits = {n.signal: limits_of(n.signal, self._signals) for n in walk(node) if isinstance(n, Measured)}
        left, right = range_of(node.left, cells, limits), range_of(node.right, cells, limits)
        return _related(node, (left[0] - right[1], left[1] - right[0]))

    def _counted(self, node: Compare, left: Count | Duration) -> int:
        most = math.inf if isinstance(left, Count) else left.past / NS
        least = 0.0
        of = self.bits(left.of)
        if of == _FALSE or (of == _TRUE and isinstance(left, Count)):
            most = 0.0
        elif of == _TRUE:
            least = most
        right = node.right.value if isinstance(node.right, Number) else math.nan
        if isinstance(left, Count) and most == math.inf and node.relation in ("==", "!=") and right != int(right):
            return _FALSE if node.relation == "==" else _TRUE
        return _related(node, (least - right, most - right))

    # why ------------------------------------------------------------------------------------------------------

    def reason(self, node: Formula, bits: int) -> Formula:
        """The smallest part that by itself makes the formula be always what it is, the leftmost of them."""
        match node:
            case Not():
                return self.reason(node.of, _not(bits))
            case Named():
                return self.reason(node.of, bits)
            case Always() | Eventually() | Historically() | Once():
                return self.reason(node.of, bits) if self.bits(node.of) == bits else node
            case Until() | Since() if self.bits(node.goal) == bits == _FALSE:
                return self.reason(node.goal, bits)
            case And() if bits == _FALSE:
                parts = [(p, _FALSE) for p in node.parts]
            case Or() if bits == _TRUE:
                parts = [(p, _TRUE) for p in node.parts]
            case Implies() if bits == _TRUE:
                parts = [(node.condition, _FALSE), (node.then, _TRUE)]
            case _:
                return node
        alone = next(((p, b) for p, b in parts if self.bits(p) == b), None)
        return node if alone is None else self.reason(*alone)

    def hint(self, part: Formula) -> str:
        """The limits that make it so, if there are any."""
        names = dict.fromkeys(n.signal for n in walk(part) if isinstance(n, Measured))
        told = [(n, limits_of(n, self._signals)) for n in names]
        said = [f"{n} lies within [{low:g}, {high:g}]" for n, (low, high) in told if math.isfinite(high - low)]
        return " and ".join(said) or "Check its constants, and what is joined with and, or, ->"


def _outermost(node: Formula) -> Iterator[_Temporal]:
    """Temporal parts that are inside no other one, and in no count."""
    if isinstance(node, _Temporal):
        yield node
        return
    match node:
        case And() | Or():
            for part in node.parts:
                yield from _outermost(part)
        case Implies():
            yield from _outermost(node.condition)
            yield from _outermost(node.then)
        case Not() | Named():
            yield from _outermost(node.of)


def _not(bits: int) -> int:
    return (bits & _FALSE) << 1 | (bits & _TRUE) >> 1


def _and(parts: list[int]) -> int:
    if any(p == _FALSE for p in parts):
        return _FALSE
    return _TRUE if all(p == _TRUE for p in parts) else _BOTH


def _active(node: Active, cell: Cell | None) -> int:
    if cell is None:
        return _BOTH
    found = any((node.warnings or fault) and node.code in ("", code) for code, fault in cell.entries)
    return _TRUE if found else _FALSE


def _related(node: Compare, span: Range) -> int:
    """What a comparison can be where left minus right lies in a range."""
    low, high = span
    if math.isnan(low) or math.isnan(high):
        return _BOTH
    if low == high:
        return _TRUE if compared(node.relation, low) else _FALSE
    match node.relation:
        case ">":
            return _TRUE if low > 0 else _FALSE if high <= 0 else _BOTH
        case ">=":
            return _TRUE if low >= 0 else _FALSE if high < 0 else _BOTH
        case "<":
            return _TRUE if high < 0 else _FALSE if low >= 0 else _BOTH
        case "<=":
            return _TRUE if high <= 0 else _FALSE if low > 0 else _BOTH
        case "==":
            return _FALSE if low > 0 or high < 0 else _BOTH
        case _:
            return _TRUE if low > 0 or high < 0 else _BOTH
