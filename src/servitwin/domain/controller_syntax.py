"""The small language of guards, actions and properties: characters to a tree that knows its places.

Grammar, from the weakest to the strongest (``docs/concepts/controller.md`` has examples)::

    implies :=  or ['->' implies]
    or      :=  and {('or' | '||') and}
    and     :=  not {('and' | '&&') not}
    not     :=  ('not' | '!') not | comparison
    comparison := sum [('==' '=' '!=' '<' '<=' '>' '>=' 'is' 'is not') sum]
    sum     :=  product {('+' | '-') product}
    product :=  factor {'*' factor}
    factor  :=  number | duration | name | 'true' | 'false' | '(' implies ')' | '-' factor
              | 'if' implies 'then' implies 'else' implies | name '(' implies {',' implies} ')'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from servitwin.domain.error import Fault, InvalidInputError

MAX_LENGTH = 4_000
MAX_DEPTH = 40
MAX_SUMS = 100
_TOKEN = re.compile(
    r"\s*(?:(?P<duration>\d+(?:\.\d+)?(?:ns|us|ms|s|min|m|h)\b)|(?P<number>\d+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<quoted>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>:=|->|===|!==|==|!=|<=|>=|&&|\|\||[-+*<>=!(),;]))",
    re.ASCII,
)
_SAME = {"&&": "and", "||": "or", "!": "not", "===": "==", "!==": "!=", "=": "=="}
_COMPARES = frozenset({"==", "!=", "<", "<=", ">", ">=", "is"})
KEYWORDS = frozenset({"and", "or", "not", "is", "true", "false", "if", "then", "else"})


class Token(NamedTuple):
    """A word or sign; ``at`` counts characters from 0."""

    kind: str
    text: str
    at: int


class Raw(NamedTuple):
    """A node of the tree: ``kind`` is ``number``, ``duration``, ``name``, ``call`` or an operator."""

    kind: str
    text: str
    args: tuple[Raw, ...]
    at: int


class RawAction(NamedTuple):
    """``kind`` is ``set``, ``start`` or ``stop``; ``value`` is what is assigned."""

    kind: str
    name: str
    value: Raw | None
    at: int


def wrong(text: str, at: int, code: str, message: str, hint: str = "") -> InvalidInputError:
    """An error that points at a character of an expression; ``column`` counts from 1 in the expression."""
    near = text[at : at + 20].strip() or "the end"
    return InvalidInputError(Fault(code, f"{message} (character {at + 1}, at {near!r})", hint, column=at + 1))


def tokens(text: str) -> list[Token]:
    """The words and signs of a text, and an ``end``.

    Raises:
        InvalidInputError: ``expression:too-long`` or ``expression:character``.
    """
    if len(text) > MAX_LENGTH:
        fault = Fault("expression:too-long", f"The expression has {len(text)} characters", "Divide it", column=1)
        raise InvalidInputError(fault)
    found: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            hint = "Use names, whole numbers, durations like 2s, and or not -> == != < <= > >= + - * ( )"
            raise wrong(text, at, "expression:character", f"{text[at]!r} means nothing here", hint)
        kind = match.lastgroup or ""
        word = match.group(kind)
        if kind == "quoted":
            found.append(Token("name", word[1:-1], match.start(kind)))
        else:
            found.append(Token(kind, _SAME.get(word, word), match.start(kind)))
        at = match.end()
    return [*found, Token("end", "", len(text))]


class Reader:
    """Reads one text. Every method raises ``InvalidInputError`` with the character at fault."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0
        self._sums = 0

    def expression(self) -> Raw:
        """The whole text as one expression."""
        found = self._implies()
        self._end("An operator is missing, or this is too much")
        return found

    def actions(self) -> list[RawAction]:
        """The whole text as actions, separated by ``;``."""
        found: list[RawAction] = []
        while self._peek().kind != "end":
            found.append(self._action())
            if not self._take(";"):
                break
        self._end("Actions are separated by ;")
        return found

    def _action(self) -> RawAction:
        first = self._advance()
        if first.text in ("start", "stop") and self._peek().kind == "name":
            return RawAction(first.text, self._advance().text, None, first.at)
        if first.kind != "name" or first.text in KEYWORDS:
            raise self._fault(first, "An action is wanted", "Write `name := value`, `start timer` or `stop timer`")
        sign = self._advance()
        if sign.text != ":=":
            raise self._fault(sign, "':=' is wanted here", f"Write `{first.text} := value`")
        return RawAction("set", first.text, self._implies(), first.at)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _take(self, *texts: str) -> Token | None:
        token = self._peek()
        if token.text in texts and token.kind in ("sign", "name"):
            return self._advance()
        return None

    def _want(self, text: str) -> None:
        if self._take(text) is None:
            raise self._fault(self._peek(), f"{text!r} is wanted here")

    def _end(self, message: str) -> None:
        if self._peek().kind != "end":
            raise self._fault(self._peek(), message)

    def _fault(self, token: Token, message: str, hint: str = "") -> InvalidInputError:
        return wrong(self.text, token.at, "expression:syntax", message, hint)

    def _implies(self) -> Raw:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise wrong(self.text, self._peek().at, "expression:too-deep", f"Nested deeper than {MAX_DEPTH} levels")
        left = self._chain("or", lambda: self._chain("and", self._not))
        sign = self._take("->")
        if sign is not None:
            left = Raw("implies", "->", (left, self._implies()), sign.at)
        self._depth -= 1
        return left

    def _chain(self, op: str, read: Callable[[], Raw]) -> Raw:
        first = read()
        args = [first]
        at = first.at
        while (sign := self._take(op)) is not None:
            at = sign.at
            args.append(read())
        return first if len(args) == 1 else Raw(op, op, tuple(args), at)

    def _not(self) -> Raw:
        signs: list[Token] = []
        while (sign := self._take("not")) is not None:
            signs.append(sign)
            if len(signs) > MAX_DEPTH:
                raise wrong(self.text, sign.at, "expression:too-deep", "Too many negations")
        found = self._comparison()
        for sign in reversed(signs):
            found = Raw("not", "not", (found,), sign.at)
        return found

    def _comparison(self) -> Raw:
        left = self._sum()
        sign = self._take(*_COMPARES)
        if sign is None:
            return left
        op = sign.text
        if op == "is":
            op = "!=" if self._take("not") else "=="
        found = Raw(op, sign.text, (left, self._sum()), sign.at)
        again = self._take(*_COMPARES)
        if again is not None:
            raise self._fault(again, "Two comparisons in a row", "Join them with `and`")
        return found

    def _sum(self) -> Raw:
        left = self._product()
        while (sign := self._take("+", "-")) is not None:
            left = self._calculated(sign, left, self._product())
        return left

    def _product(self) -> Raw:
        left = self._factor()
        while (sign := self._take("*")) is not None:
            left = self._calculated(sign, left, self._factor())
        return left

    def _calculated(self, sign: Token, left: Raw, right: Raw) -> Raw:
        self._sums += 1
        if self._sums > MAX_SUMS:
            raise wrong(self.text, sign.at, "expression:too-long", f"More than {MAX_SUMS} sums and products")
        return Raw(sign.text, sign.text, (left, right), sign.at)

    def _factor(self) -> Raw:
        token = self._advance()
        if token.kind in ("number", "duration"):
            return Raw(token.kind, token.text, (), token.at)
        if token.text == "(" and token.kind == "sign":
            inner = self._implies()
            self._want(")")
            return inner
        if token.text == "-" and token.kind == "sign":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise wrong(self.text, token.at, "expression:too-deep", "Too many signs")
            inner = self._factor()
            self._depth -= 1
            return Raw("-", "-", (Raw("number", "0", (), token.at), inner), token.at)
        if token.text == "if":
            condition = self._implies()
            self._want("then")
            yes = self._implies()
            self._want("else")
            return Raw("if", "if", (condition, yes, self._implies()), token.at)
        if token.kind == "name" and (token.text not in KEYWORDS or token.text in ("true", "false")):
            if self._take("(") is None:
                return Raw("name", token.text, (), token.at)
            args = [self._implies()]
            while self._take(","):
                args.append(self._implies())
            self._want(")")
            return Raw("call", token.text, tuple(args), token.at)
        what = "The expression ends too early" if token.kind == "end" else "A value is wanted here"
        raise self._fault(token, what, "Write a name, a number, true, false or ( )")
