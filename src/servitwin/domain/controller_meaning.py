"""What an expression of a controller means: names found, types checked, ranges worked out."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from servitwin.domain.controller_syntax import Raw, RawAction, Reader, wrong
from servitwin.domain.controller_term import (
    FLAG,
    Apply,
    Name,
    Number,
    Op,
    Range,
    Term,
    any_of,
    is_value,
    number,
)
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_duration

MAX_MAGNITUDE = 2**40  # wider numbers than any counter of a machine; keeps the solver's words short
_ORDERS = ("<", "<=", ">", ">=")


class Assignment(msgspec.Struct, frozen=True):
    """``name := value``; ``text`` is how it was written."""

    name: str
    value: Term
    text: str = ""


class Scope(msgspec.Struct, frozen=True):
    """Names that an expression may use.

    Attributes:
        names: range of every region, variable, timer and input.
        composites: for a region, its composite states with the numbers of the leaf states inside.
        timers: which names are timers.
        inputs: which names are inputs: they can be read, never assigned.
        tick: nanoseconds of a step; None where the controller declares none.
    """

    names: Mapping[str, Range]
    composites: Mapping[str, Mapping[str, tuple[int, ...]]] = {}
    timers: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    tick: int | None = None


class _Found(NamedTuple):
    """A term, or a word whose meaning the other side of a comparison decides (``word``)."""

    term: Term | None
    word: str = ""


def read_truth(text: str, scope: Scope) -> Term:
    """A guard, an assumption or a part of a property.

    Raises:
        InvalidInputError: ``expression:...`` with the character at fault in ``column``.
    """
    return _Meaning(text, scope).truth(Reader(text).expression())


def read_actions(text: str, scope: Scope) -> tuple[Assignment, ...]:
    """Actions separated by ``;``. ``start t`` sets a timer to 0, ``stop t`` to -1.

    Raises:
        InvalidInputError: ``expression:...`` with the character at fault in ``column``.
    """
    meaning = _Meaning(text, scope)
    return tuple(meaning.action(raw) for raw in Reader(text).actions())


class _Meaning:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope

    def _wrong(self, raw: Raw | RawAction, code: str, message: str, hint: str = "") -> InvalidInputError:
        return wrong(self._text, raw.at, f"expression:{code}", message, hint)

    def action(self, raw: RawAction) -> Assignment:
        """One assignment with its type checked."""
        scope = self._scope
        target = scope.names.get(raw.name)
        if raw.name in scope.inputs:
            raise self._wrong(raw, "not-assignable", f"{raw.name!r} is an input: only the world sets it")
        if target is None:
            raise self._wrong(raw, "unknown-name", f"There is no variable {raw.name!r}", self._near(raw.name))
        if raw.name in scope.composites:
            raise self._wrong(raw, "not-assignable", f"{raw.name!r} is a region", "A transition changes its state")
        is_timer = raw.name in scope.timers
        if is_timer != (raw.kind in ("start", "stop")):
            hint = "Use `start t` and `stop t` for timers, := for variables"
            raise self._wrong(raw, "timer", f"{raw.name!r} is {'a' if is_timer else 'no'} timer", hint)
        if raw.value is None:
            return Assignment(raw.name, number(0 if raw.kind == "start" else -1), f"{raw.kind} {raw.name}")
        value = self._typed(self._any(raw.value, target), target, raw.value)
        if value.range.kind != target.kind or (target.kind == "word" and value.range.words != target.words):
            message = f"{raw.name!r} is {_kind(target)}, the value is {_kind(value.range)}"
            raise self._wrong(raw.value, "wrong-type", message)
        return Assignment(raw.name, value)

    def truth(self, raw: Raw) -> Term:
        """A term that is true or false."""
        term = self._typed(self._any(raw), FLAG, raw)
        if term.range.kind != "flag":
            hint = "Compare it with something"
            raise self._wrong(raw, "wrong-type", f"This is {_kind(term.range)}, not true or false", hint)
        return term

    def _any(self, raw: Raw, wanted: Range | None = None) -> _Found:
        match raw.kind:
            case "number":
                return _Found(self._constant(raw, int(raw.text) if len(raw.text) < 20 else MAX_MAGNITUDE))
            case "duration":
                return _Found(self._constant(raw, self._ticks(raw)))
            case "name":
                return self._name(raw)
            case "call":
                return _Found(self._call(raw))
            case "not" | "and" | "or" | "implies":
                op: Op = raw.kind
                return _Found(Apply(op, tuple(self.truth(a) for a in raw.args), FLAG))
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return _Found(self._comparison(raw, raw.kind))
            case "if":
                return _Found(self._choice(raw, wanted))
            case "+" | "-" | "*":
                return _Found(self._arithmetic(raw, raw.kind))
        raise self._wrong(raw, "syntax", f"{raw.kind!r} means nothing here")

    def _constant(self, raw: Raw, value: int) -> Term:
        if abs(value) >= MAX_MAGNITUDE:
            raise self._wrong(raw, "too-large", "The number is too large", "Use numbers below 10^12")
        return number(value)

    def _ticks(self, raw: Raw) -> int:
        tick = self._scope.tick
        if tick is None:
            raise self._wrong(raw, "no-tick", "A duration needs the length of a step", "Declare `tick: 10ms`")
        ns = parse_duration(raw.text.removesuffix("min") + "m" if raw.text.endswith("min") else raw.text)
        if ns % tick:
            raise self._wrong(raw, "not-whole-ticks", f"{raw.text} is no whole number of ticks of {tick} ns")
        return ns // tick

    def _name(self, raw: Raw) -> _Found:
        if raw.text in ("true", "false"):
            return _Found(Number(int(raw.text == "true"), FLAG))
        range = self._scope.names.get(raw.text)
        return _Found(None, raw.text) if range is None else _Found(Name(raw.text, range))

    def _near(self, word: str) -> str:
        known = [*self._scope.names, *(w for r in self._scope.names.values() for w in r.words)]
        near = get_close_matches(word, known, 2, 0.6)
        return f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(known[:12])}"

    def _typed(self, found: _Found, wanted: Range | None, raw: Raw) -> Term:
        """The term; a word is looked up among the words of the range that is wanted."""
        if found.term is not None:
            return found.term
        if wanted is not None and found.word in wanted.words:
            return Number(wanted.words.index(found.word), wanted)
        if wanted is not None and wanted.words:
            near = get_close_matches(found.word, wanted.words, 2, 0.6)
            hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"One of: {', '.join(wanted.words)}"
            raise self._wrong(raw, "unknown-word", f"{found.word!r} is none of its values", hint)
        raise self._wrong(raw, "unknown-name", f"There is no {found.word!r}", self._near(found.word))

    def _comparison(self, raw: Raw, op: Op) -> Term:
        left, right = (self._any(a) for a in raw.args)
        inside = self._inside(left, right, op)
        if inside is not None:
            return inside
        first = self._typed(left, right.term.range if right.term is not None else None, raw.args[0])
        second = self._typed(right, first.range, raw.args[1])
        a, b = first.range, second.range
        if a.kind != b.kind or (a.kind == "word" and a.words != b.words):
            raise self._wrong(raw, "wrong-type", f"{_kind(a)} cannot be compared with {_kind(b)}")
        if op in _ORDERS and a.kind != "integer":
            raise self._wrong(raw, "wrong-type", f"{_kind(a)} has no order", "Use == or !=")
        return Apply(op, (first, second), FLAG)

    def _inside(self, left: _Found, right: _Found, op: Op) -> Term | None:
        """``region is composite``: in one of the leaf states inside."""
        if not isinstance(left.term, Name) or op not in ("==", "!="):
            return None
        leaves = self._scope.composites.get(left.term.name, {}).get(right.word)
        if leaves is None:
            return None
        inside = any_of([is_value(left.term.name, left.term.range, leaf) for leaf in leaves])
        return inside if op == "==" else Apply("not", (inside,), FLAG)

    def _call(self, raw: Raw) -> Term:
        if raw.text in ("running", "expired"):
            argument = raw.args[0]
            if len(raw.args) != 1 or argument.kind != "name" or argument.text not in self._scope.timers:
                raise self._wrong(raw, "wrong-type", f"{raw.text}() wants one timer")
            range = self._scope.names[argument.text]
            timer = Name(argument.text, range)
            if raw.text == "running":
                return Apply(">=", (timer, number(0)), FLAG)
            return Apply("==", (timer, number(range.high)), FLAG)
        if raw.text == "In":  # SCXML: the state is looked up in every region
            return self._in_state(raw)
        if raw.text not in ("min", "max") or len(raw.args) < 2:
            hint = "Known: min(a, b), max(a, b), running(timer), expired(timer), In('state')"
            raise self._wrong(raw, "unknown-name", f"There is no function {raw.text!r} of this form", hint)
        args = tuple(self._integer(a) for a in raw.args)
        pick = min if raw.text == "min" else max
        low, high = pick(a.range.low for a in args), pick(a.range.high for a in args)
        return Apply("min" if raw.text == "min" else "max", args, Range("integer", low, high))

    def _in_state(self, raw: Raw) -> Term:
        word = raw.args[0].text
        for region, composites in self._scope.composites.items():
            range = self._scope.names[region]
            if word in range.words:
                return is_value(region, range, range.words.index(word))
            if word in composites:
                return any_of([is_value(region, range, leaf) for leaf in composites[word]])
        raise self._wrong(raw, "unknown-word", f"There is no state {word!r}")

    def _integer(self, raw: Raw) -> Term:
        term = self._typed(self._any(raw), None, raw)
        if term.range.kind != "integer":
            raise self._wrong(raw, "wrong-type", f"This is {_kind(term.range)}, not a number")
        return term

    def _choice(self, raw: Raw, wanted: Range | None) -> Term:
        condition = self.truth(raw.args[0])
        yes, no = self._any(raw.args[1], wanted), self._any(raw.args[2], wanted)
        first = self._typed(yes, no.term.range if no.term is not None else wanted, raw.args[1])
        second = self._typed(no, first.range, raw.args[2])
        a, b = first.range, second.range
        if a.kind != b.kind or a.words != b.words:
            raise self._wrong(raw, "wrong-type", f"One side is {_kind(a)}, the other {_kind(b)}")
        range = Range(a.kind, min(a.low, b.low), max(a.high, b.high), a.words)
        return Apply("if", (condition, first, second), range)

    def _arithmetic(self, raw: Raw, op: Op) -> Term:
        first, second = (self._integer(a) for a in raw.args)
        a, b = first.range, second.range
        if op == "+":
            low, high = a.low + b.low, a.high + b.high
        elif op == "-":
            low, high = a.low - b.high, a.high - b.low
        else:
            corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            low, high = min(corners), max(corners)
        if max(-low, high) >= MAX_MAGNITUDE:
            raise self._wrong(raw, "too-large", "The result can be too large", "Declare smaller ranges")
        if isinstance(first, Number) and isinstance(second, Number):
            return number(low)
        return Apply(op, (first, second), Range("integer", low, high))


def _kind(range: Range) -> str:
    if range.kind == "flag":
        return "a flag"
    return "a number" if range.kind == "integer" else f"one of {', '.join(range.words[:4])}"
