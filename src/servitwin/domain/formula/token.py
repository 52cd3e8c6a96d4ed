"""The text of a formula as tokens. What cannot be a token is told with its place and left out."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from servitwin.domain.error import Fault
from servitwin.domain.instant import NS, parse_duration

MAX_CHARACTERS = 10_000
MAX_FAULTS = 20

#: Words of the language; a signal of such a name is written in backticks.
KEYWORDS = frozenset(
    [
        *("and", "or", "not", "is", "in", "has", "until", "since", "let", "true", "false", "inf"),
        *("always", "eventually", "historically", "once", "next_change", "count", "duration", "abs", "min", "max"),
    ]
)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_SEVERAL = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|ms|s|min|m|h|d|w)){2,}(?![A-Za-z0-9_])", re.ASCII)
_ANNOTATED = r"\[[\w'/]{1,30}\]|\{[^{}\s]{0,30}\}"
_ATOM = rf"(?:[^\W\d]|[%°]|{_ANNOTATED})(?:\w|[%°]|{_ANNOTATED}|[-+][0-9])*"
_UNIT = re.compile(rf"/?{_ATOM}(?:[./](?:{_ATOM}|\({_ATOM}(?:[./]{_ATOM})*\)))*")
_SPACE = re.compile(r"[ \t]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPERATOR = re.compile(r"->|<=|>=|==|!=|[-+*/<>()\[\],;=]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_MEANT = {"&": "and", "|": "or", "!": "not", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2212": "-"}
_MEANT |= {"\u2192": "->", "\u21d2": "->", "\u2227": "and", "\u2228": "or", "\u00ac": "not", "\u00d7": "*"}
_MEANT |= dict.fromkeys("\u2018\u2019\u201c\u201d", "'")

Kind = Literal["number", "name", "keyword", "text", "operator", "end"]


class Token(NamedTuple):
    """One token: what it is, its text (without quotes), and the characters [first, last) that it takes."""

    kind: Kind
    text: str
    first: int
    last: int
    value: float = 0.0
    unit: str = ""

    def is_(self, *texts: str) -> bool:
        """Whether it is one of these operators or keywords."""
        return self.kind in ("operator", "keyword") and self.text in texts


def fault_at(text: str, place: int, code: str, message: str, hint: str = "") -> Fault:
    """A fault at a character of the formula: 1-based line and column of its text."""
    before = text[:place]
    return Fault(code, message, hint, line=before.count("\n") + 1, column=place - (before.rfind("\n") + 1) + 1)


def place_of(text: str, fault: Fault) -> int:
    """The character that a fault of :func:`fault_at` points at."""
    lines = text.split("\n")[: (fault.line or 1) - 1]
    return min(len(text), sum(len(line) + 1 for line in lines) + (fault.column or 1) - 1)


class Tokens:
    """Reads a text once; ``tokens`` ends with one of kind ``end``, ``faults`` says what could not be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.faults: list[Fault] = []
        self._at = 0
        if len(text) > MAX_CHARACTERS:
            hint = f"Keep it below {MAX_CHARACTERS} characters, or make several requirements of it"
            self._say(MAX_CHARACTERS, "formula:too-long", f"The formula has {len(text)} characters", hint)
        else:
            while self._at < len(text):
                self._next()
        self.tokens.append(Token("end", "", len(text), len(text)))

    def _say(self, place: int, code: str, message: str, hint: str = "") -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault_at(self.text, place, code, message, hint))

    def _next(self) -> None:
        text, at = self.text, self._at
        c = text[at]
        if c in " \t\r\n":
            self._at += 1
        elif c in "'\"`":
            self._quoted(c)
        elif found := _NUMBER.match(text, at):
            self._number(found.group())
        elif found := NAME.match(text, at):
            word = found.group()
            self._add(Token("keyword" if word in KEYWORDS else "name", word, at, found.end()))
        elif found := _OPERATOR.match(text, at):
            self._add(Token("operator", found.group(), at, found.end()))
        else:
            meant = _MEANT.get(c)
            hint = f"Did you mean {meant}?" if meant else "Put words in quotes and names of signals in backticks"
            self._say(at, "formula:character", f"The character {c!r} means nothing here", hint)
            doubled = c in "&|" and text.startswith(c + c, at)
            self._at += 2 if doubled else 1

    def _add(self, token: Token) -> None:
        self.tokens.append(token)
        self._at = token.last

    def _number(self, digits: str) -> None:
        start = self._at
        if several := _SEVERAL.match(self.text, start):
            seconds = parse_duration(several.group()) / NS if len(several.group()) < 60 else float("inf")
            return self._measured(Token("number", several.group(), start, several.end(), seconds, "s"))
        end = start + len(digits)
        value = float(digits)
        unit = self._unit(end)
        last = unit[1] if unit else end
        return self._measured(
            Token("number", self.text[start:last], start, last, value, self.text[unit[0] : unit[1]] if unit else "")
        )

    def _measured(self, token: Token) -> None:
        if token.value in (float("inf"), float("-inf")) or token.last - token.first > 100:
            self._say(token.first, "formula:number", "This number is too large", "Write it with fewer digits")
            token = token._replace(value=0.0)
        self._add(token)

    def _unit(self, end: int) -> tuple[int, int] | None:
        """Where the unit behind a number stands. ``/min`` is one after a space; ``80/a`` and ``80 / a`` divide."""
        space = _SPACE.match(self.text, end)
        start = space.end() if space else end
        if self.text.startswith("/", start) and start == end:
            return None
        found = _UNIT.match(self.text, start)
        if found is None:
            return None
        word = _WORD.match(self.text, start)
        if word and word.group() in KEYWORDS - {"min"}:
            return None
        return found.span()

    def _quoted(self, quote: str) -> None:
        start, at, letters = self._at, self._at + 1, []
        text = self.text
        while at < len(text) and text[at] != quote and text[at] != "\n":
            if text[at] == "\\" and quote != "`" and at + 1 < len(text):
                escaped = _ESCAPES.get(text[at + 1])
                if escaped is None:
                    hint = "Known are \\' \\\" \\\\ \\n \\r and \\t; write a backslash as \\\\"
                    self._say(at, "formula:escape", f"{text[at : at + 2]!r} means nothing", hint)
                letters.append(escaped or text[at + 1])
                at += 2
                continue
            letters.append(text[at])
            at += 1
        closed = at < len(text) and text[at] == quote
        if not closed:
            self._say(start, "formula:quote-open", f"Nothing closes this {quote}", f"Add {quote} behind the word")
        last = at + 1 if closed else at
        word = "".join(letters)
        if quote == "`" and closed and not word:
            self._say(start, "formula:name-empty", "There is no name between the backticks", "Write a signal's name")
        self._add(Token("name" if quote == "`" else "text", word, start, last))
