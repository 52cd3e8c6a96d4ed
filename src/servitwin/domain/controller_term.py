"""Terms of controllers: what guards, actions and properties become once they are read and their types are checked.

Every value is a whole number: a flag is 0 or 1, a word is its place in its list, a timer is its age in ticks.
A :class:`Range` says how the number reads. Arithmetic is exact: nothing overflows inside a term.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

Kind = Literal["flag", "integer", "word"]
Op = Literal["not", "and", "or", "implies", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "if", "min", "max"]

TRUTHS: frozenset[str] = frozenset({"not", "and", "or", "implies", "==", "!=", "<", "<=", ">", ">="})


class Range(msgspec.Struct, frozen=True):
    """The values a name can take.

    Attributes:
        kind: ``flag`` (false, true), ``integer`` (``low`` to ``high``, both inside), or ``word`` (one of ``words``).
        low: smallest number.
        high: largest number.
        words: names of the numbers of a ``word``, from 0.
    """

    kind: Kind
    low: int
    high: int
    words: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    def shown(self, value: int) -> str:
        """The value as people read it."""
        if self.kind == "flag":
            return "true" if value else "false"
        return self.words[value] if self.kind == "word" and 0 <= value < len(self.words) else str(value)

    def read(self, text: str) -> int | None:
        """The number that :meth:`shown` writes so; None if the text is none of the range's values."""
        if self.kind == "flag":
            return {"false": 0, "true": 1}.get(text)
        if self.kind == "word":
            return self.words.index(text) if text in self.words else None
        try:
            value = int(text)
        except ValueError:
            return None
        return value if self.low <= value <= self.high else None

    def clamped(self, value: int) -> int:
        """The nearest value inside the range."""
        return min(max(value, self.low), self.high)


FLAG = Range("flag", 0, 1)


def words_range(words: tuple[str, ...]) -> Range:
    """Range of a name that is one of these words."""
    return Range("word", 0, len(words) - 1, words)


class Number(msgspec.Struct, frozen=True, tag="number"):
    """A constant; ``range.kind`` says what it is (a truth is a flag)."""

    value: int
    range: Range


class Name(msgspec.Struct, frozen=True, tag="name"):
    """Value of a region, variable, timer or input."""

    name: str
    range: Range


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """An operator on terms. ``range`` holds every value that it can have, worked out from its arguments."""

    op: Op
    args: tuple[Term, ...]
    range: Range


Term = Number | Name | Apply
TRUE = Number(1, FLAG)
FALSE = Number(0, FLAG)


def number(value: int) -> Number:
    """A whole number."""
    return Number(value, Range("integer", value, value))


def negation(term: Term) -> Term:
    """Not ``term``."""
    return Apply("not", (term,), FLAG)


def all_of(terms: list[Term]) -> Term:
    """True where every term is; true for none."""
    kept = [t for t in terms if t != TRUE]
    return TRUE if not kept else kept[0] if len(kept) == 1 else Apply("and", tuple(kept), FLAG)


def any_of(terms: list[Term]) -> Term:
    """True where one of the terms is; false for none."""
    kept = [t for t in terms if t != FALSE]
    return FALSE if not kept else kept[0] if len(kept) == 1 else Apply("or", tuple(kept), FLAG)


def is_value(name: str, range: Range, value: int) -> Term:
    """``name`` has this value."""
    return Apply("==", (Name(name, range), Number(value, range)), FLAG)


def names_in(term: Term) -> Iterator[str]:
    """Every name that a term reads, as often as it reads it."""
    if isinstance(term, Name):
        yield term.name
    elif isinstance(term, Apply):
        for part in term.args:
            yield from names_in(part)


def constants_against(term: Term) -> Iterator[tuple[str, int]]:
    """(name, constant) of every comparison of a name with a constant: where behaviour changes."""
    if isinstance(term, Apply):
        if term.op in TRUTHS and len(term.args) == 2:
            left, right = term.args
            if isinstance(left, Number):
                left, right = right, left
            if isinstance(right, Number):
                yield from ((n, right.value) for n in names_in(left))
        for part in term.args:
            yield from constants_against(part)


def substituted(term: Term, values: dict[str, Term]) -> Term:
    """The term with names replaced by terms."""
    if isinstance(term, Name):
        return values.get(term.name, term)
    if isinstance(term, Apply) and any(n in values for n in names_in(term)):
        return msgspec.structs.replace(term, args=tuple(substituted(a, values) for a in term.args))
    return term


def written(term: Term) -> str:
    """The term as text that reads back as the same term."""
    return _written(term, 0)


_BINDS = {"implies": 1, "or": 2, "and": 3, "not": 4, "==": 5, "!=": 5, "<": 5, "<=": 5, ">": 5, ">=": 5}
_BINDS |= {"+": 6, "-": 6, "*": 7}


def _written(term: Term, outer: int) -> str:
    if isinstance(term, Number):
        return term.range.shown(term.value)
    if isinstance(term, Name):
        return term.name
    if term.op in ("min", "max"):
        return f"{term.op}({', '.join(_written(a, 0) for a in term.args)})"
    if term.op == "if":
        condition, yes, no = (_written(a, 0) for a in term.args)
        text, binds = f"if {condition} then {yes} else {no}", 0
        return f"({text})" if outer else text
    binds = _BINDS[term.op]
    if term.op == "not":
        text = f"not {_written(term.args[0], binds)}"
    else:
        sign = "->" if term.op == "implies" else term.op
        text = f" {sign} ".join(_written(a, binds + 1) for a in term.args)
    return f"({text})" if binds < outer else text
