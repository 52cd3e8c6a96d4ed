"""Reads the text of a formula into its tree, with every fault at its character.

Precedence, from the tightest: ``* /``; ``+ -``; comparisons, ``is``, ``in``, ``has``; ``not``; ``until`` and ``since``;
``and``; ``or``; ``->`` (from the right). Comparisons and ``until`` do not chain: brackets say what is meant. Text is
hostile: its length, the depth of the tree and its size with all names written out are limited.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.formula.cursor import MAX_NESTED, TRUTHS, Part, StopReading, Unread, Word
from servitwin.domain.formula.token import Token
from servitwin.domain.formula.tree import (
    Always,
    And,
    Arithmetic,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
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
    Relation,
    Since,
    Until,
    Window,
)
from servitwin.domain.formula.word_test import WordTests

_POWERS = {"->": 1, "or": 2, "and": 3, "until": 4, "since": 4, "is": 6, "in": 6, "has": 6}
_POWERS |= {"+": 7, "-": 7, "*": 8, "/": 8}
_POWERS |= {"<": 6, "<=": 6, ">": 6, ">=": 6, "==": 6, "!=": 6}
_NOT, _MINUS = 5, 9
_TEMPORAL = {"always": Always, "eventually": Eventually, "historically": Historically, "once": Once}


class Read(NamedTuple):
    """What came of a text. ``tree`` is complete if there are no faults; else parts of it may be :class:`Unread`."""

    tree: Formula | None
    faults: list[Fault]


def read(text: str) -> Read:
    """The tree of a formula and what is wrong with its text.

    Faults: ``formula:empty``, ``formula:syntax``, ``formula:character``, ``formula:quote-open``, ``formula:escape``,
    ``formula:number``, ``formula:chained``, ``formula:duration``, ``formula:window-missing``, ``formula:not-a-truth``,
    ``formula:not-a-number``, ``formula:name-twice``, ``formula:name-unused``, ``formula:name-empty``,
    ``formula:too-long``, ``formula:too-deep``, ``formula:too-large``.
    """
    return _Reader(text).read()


class _Reader(WordTests):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._names: dict[str, Part] = {}
        self._used: set[str] = set()

    def read(self) -> Read:
        if len(self.tokens) == 1:
            if not self.faults:
                hint = "Write what must hold, such as temperature < 80 Cel"
                self.say(0, "formula:empty", "There is no formula", hint)
            return Read(None, self.faults)
        try:
            tree = self._whole()
        except StopReading:
            tree = None
        self.faults.sort(key=lambda f: (f.line or 0, f.column or 0))
        return Read(tree, self.faults)

    def _whole(self) -> Formula:
        defined: dict[str, Token] = {}
        while self.peek().is_("let"):
            self._definition(defined)
        part = self.truth(self._expression(0))
        rest = self.peek()
        if rest.kind != "end":
            wanted = "and, or, -> or a comparison" if rest.kind != "operator" else "the end, or an operator"
            self.say(rest.first, "formula:syntax", f"{self.shown(rest)} is not expected here", f"Expected {wanted}")
        for name, token in defined.items():
            if name not in self._used and not self.faults:
                self.say(token.first, "formula:name-unused", f"Nothing uses {name!r}", "Use it, or remove its let")
        return part.formula

    def _definition(self, defined: dict[str, Token]) -> None:
        self.take()
        name = self.peek()
        if name.kind != "name" or "." in name.text:
            self.say(name.first, "formula:syntax", "A name must follow let", "Write let hot = temperature > 80;")
            return self._skip_definition()
        self.take()
        if name.text in self._names:
            self.say(name.first, "formula:name-twice", f"{name.text!r} is named twice", "Give one another name")
        defined[name.text] = name
        if self.want("=", "Write let hot = temperature > 80;"):
            self._names[name.text] = self._expression(0)
            if self.want(";", "A let ends with ;"):
                return
        self._names.setdefault(name.text, Part(Unread()))
        self._skip_definition()

    def _skip_definition(self) -> None:
        while self.peek().kind != "end":
            if self.take().is_(";"):
                return

    # expressions ----------------------------------------------------------------------------------------------

    def _expression(self, power: int) -> Part:
        self.nested += 1
        if self.nested > MAX_NESTED:
            self.too_deep(self.peek().first)
        left = self._prefix()
        while True:
            token = self.peek()
            own = _POWERS.get(token.text, 0) if token.kind in ("operator", "keyword") else 0
            if token.is_("not") and self.peek(1).is_("in"):
                own = _POWERS["in"]
            if own <= power:
                break
            left = self._infix(left, token, own)
        self.nested -= 1
        return left

    def _infix(self, left: Part, token: Token, power: int) -> Part:
        match token.text:
            case "and" | "or":
                return self._chain(left, token.text, power)
            case "->":
                condition = self.truth(left)
                self.take()
                then = self.truth(self._expression(power - 1))
                node = Implies(condition.formula, then.formula, at=(left.node.at[0], then.node.at[1]))
                return self.built(node, condition, then)
            case "until" | "since":
                return self._until(left, token.text, power)
            case "is" | "in" | "has" | "not":
                return self._no_chain(self.word_test(left, token.text), power)
            case "+" | "-" | "*" | "/":
                self.take()
                one, other = self.number(left), self.number(self._expression(power))
                at = (left.node.at[0], other.node.at[1])
                return self.built(Arithmetic(token.text, one.expression, other.expression, at=at), one, other)
            case _:
                return self._no_chain(self._comparison(left, power), power)

    def _chain(self, left: Part, word: str, power: int) -> Part:
        parts = [self.truth(left)]
        while self.peek().is_(word):
            self.take()
            parts.append(self.truth(self._expression(power)))
        at = (left.node.at[0], parts[-1].node.at[1])
        kind = And if word == "and" else Or
        return self.built(kind(tuple(p.formula for p in parts), at=at), *parts)

    def _until(self, left: Part, word: str, power: int) -> Part:
        self.take()
        window = self.window(word)
        hold, goal = self.truth(left), self.truth(self._expression(power))
        at = (left.node.at[0], goal.node.at[1])
        kind = Until if word == "until" else Since
        return self._no_chain(self.built(kind(hold.formula, goal.formula, window, at=at), hold, goal), power)

    def _no_chain(self, part: Part, power: int) -> Part:
        token = self.peek()
        if token.kind in ("operator", "keyword") and _POWERS.get(token.text) == power:
            hint = "Write a < b and b < c" if power != _POWERS["until"] else "Put brackets around one of them"
            self.say(token.first, "formula:chained", f"{token.text} cannot follow {self._before(part)} directly", hint)
            return Part(Unread(at=part.node.at))
        return part

    def _before(self, part: Part) -> str:
        return "until or since" if isinstance(part.node, Until | Since) else "a comparison"

    def _comparison(self, left: Part, power: int) -> Part:
        token = self.take()
        right = self._expression(power)
        at = (left.node.at[0], right.node.at[1])
        for word, signal in ((left.node, right.node), (right.node, left.node)):
            if isinstance(word, Word | Constant) and isinstance(signal, Measured) and token.text in ("==", "!="):
                value = word.text if isinstance(word, Word) else word.value
                test = Part(Is(signal.signal, (value,), at=at))
                return test if token.text == "==" else self.built(Not(test.formula, at=at), test)
        one, other = self.number(left), self.number(right)
        return self.built(Compare(one.expression, cast(Relation, token.text), other.expression, at=at), one, other)

    # what begins an expression --------------------------------------------------------------------------------

    def _prefix(self) -> Part:
        token = self.peek()
        match token.kind:
            case "number":
                self.take()
                return Part(Number(token.value, token.unit, at=(token.first, token.last)))
            case "text":
                self.take()
                return Part(Word(token.text, at=(token.first, token.last)))
            case "name":
                return self._name(self.take())
            case "keyword":
                return self._keyword(token)
            case _:
                return self._bracket_or_minus(token)

    def _name(self, token: Token) -> Part:
        at = (token.first, token.last)
        quoted = self.text[token.first] == "`"
        part = None if quoted else self._names.get(token.text)
        if self.peek().is_("(", "["):
            return self._no_function(token)
        if part is None:
            return Part(Measured(token.text, at=at))
        self._used.add(token.text)
        node = part.node
        if isinstance(node, TRUTHS):
            return self.built(Named(token.text, part.formula, at=at), part)
        return part

    def _no_function(self, token: Token) -> Part:
        hint = "Known are always, eventually, historically, once, next_change, count, duration, abs, min and max"
        self.say(token.first, "formula:syntax", f"There is no function {token.text[:40]!r}", hint)
        while self.peek().kind != "end" and not self.peek().is_("(", ";"):
            self.take()  # its window
        if not self.peek().is_("("):
            return Part(Unread(at=(token.first, token.last)))
        self.take()
        if not self.peek().is_(")"):
            self._expression(0)
            while self.peek().is_(","):
                self.take()
                self._expression(0)
        self.close()
        return Part(Unread(at=(token.first, token.last)))

    def _keyword(self, token: Token) -> Part:
        name = token.text
        if name == "not":
            self.take()
            of = self.truth(self._expression(_NOT))
            return self.built(Not(of.formula, at=(token.first, of.node.at[1])), of)
        if name in ("true", "false"):
            self.take()
            return Part(Constant(name == "true", at=(token.first, token.last)))
        if name in _TEMPORAL or name in ("next_change", "count", "duration", "abs", "min", "max"):
            self.take()
            return self._function(token)
        hint = f"If {name!r} is a signal, write `{name}`" if name != "let" else "A let stands before the formula"
        self.say(token.first, "formula:syntax", f"{name!r} is not expected here", hint)
        if token.is_("let", "inf"):
            self.take()
        return Part(Unread(at=(token.first, token.first)))

    def _bracket_or_minus(self, token: Token) -> Part:
        if token.is_("("):
            self.take()
            inside = self._expression(0)
            self.close()
            return inside
        if token.is_("-"):
            self.take()
            of = self.number(self._expression(_MINUS))
            at = (token.first, of.node.at[1])
            if isinstance(of.node, Number):
                return Part(msgspec.structs.replace(of.node, value=-of.node.value, at=at))
            zero = Number(0.0, at=(token.first, token.last))
            return self.built(Arithmetic("-", zero, of.expression, at=at), Part(zero), of)
        hint = "Write a signal, a number, not, or ( ... )"
        self.say(token.first, "formula:syntax", f"A part is missing before {self.shown(token)}", hint)
        if token.is_("[", "="):
            self.take()
        return Part(Unread(at=(token.first, token.first)))

    # functions ------------------------------------------------------------------------------------------------

    def _function(self, token: Token) -> Part:
        name = token.text
        window = self.window(name) if name in _TEMPORAL or name == "next_change" else Window()
        past = self.past(name) if name in ("count", "duration") else 0
        if not self.want("(", f"Write {name}{'' if name in ('abs', 'min', 'max') else '[...]'}( ... )"):
            return Part(Unread(at=(token.first, token.last)))
        if name in ("min", "max"):
            return self._least(token)
        signal = self._changing(token) if name == "next_change" else ""
        inside = self._expression(0)
        last = self.peek().last
        self.close()
        at = (token.first, last)
        if name == "abs":
            of = self.number(inside)
            return self.built(Magnitude(of.expression, at=at), of)
        of = self.truth(inside)
        if name in _TEMPORAL:
            return self.built(_TEMPORAL[name](of.formula, window, at=at), of)
        if name == "next_change":
            return self.built(NextChange(signal, of.formula, window, at=at), of)
        return self.built((Count if name == "count" else Duration)(of.formula, past, at=at), of)

    def _changing(self, token: Token) -> str:
        signal = self.peek()
        if signal.kind == "name":
            self.take()
        else:
            hint = "Write it like next_change[0s, 5s](execution, speed < 10)"
            self.say(signal.first, "formula:syntax", "The signal that changes is expected here", hint)
        self.want(",", "Write it like next_change[0s, 5s](execution, speed < 10)")
        return signal.text if signal.kind == "name" else ""

    def _least(self, token: Token) -> Part:
        parts = [self.number(self._expression(0))]
        while self.peek().is_(","):
            self.take()
            parts.append(self.number(self._expression(0)))
        last = self.peek().last
        if len(parts) < 2:
            place = self.peek().first
            self.say(place, "formula:syntax", f"{token.text} needs two numbers", f"Write {token.text}(a, b)")
        self.close()
        operator: Literal["min", "max"] = "min" if token.text == "min" else "max"
        left = parts[0]
        for right in parts[1:]:
            node = Arithmetic(operator, left.expression, right.expression, at=(token.first, last))
            left = self.built(node, left, right)
        return left
