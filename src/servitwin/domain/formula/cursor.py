"""Walks the tokens of a formula: what all parts of the reader share, with the limits of depth and size."""

from __future__ import annotations

from typing import NamedTuple, NoReturn, cast

from servitwin.domain.error import InvalidInputError
from servitwin.domain.formula.token import MAX_FAULTS, Token, Tokens, fault_at
from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Compare,
    Constant,
    Eventually,
    Expression,
    Formula,
    Historically,
    Implies,
    Is,
    Measured,
    Named,
    NextChange,
    Node,
    Not,
    Once,
    Or,
    Since,
    Until,
    Window,
)
from servitwin.domain.instant import DAY, parse_duration

MAX_DEPTH = 50
MAX_NESTED = 2 * MAX_DEPTH + 10  # brackets and calls that the text may open within each other
MAX_SIZE = 2_000
MAX_WINDOW = 3_660 * DAY

TRUTHS = (
    Constant, Compare, Is, Active, Not, And, Or, Implies, Always, Eventually, Until, Historically, Once, Since,
    NextChange, Named,
)  # fmt: skip


class Word(Node, frozen=True, tag="word"):
    """A quoted word while it waits for the signal that it is compared with; never in a finished tree."""

    text: str


class Unread(Node, frozen=True, tag="unread"):
    """Stands where a part could not be read, so that the rest can still be checked; never in a tree without faults."""


class Part(NamedTuple):
    """A node that was read, how deep it is, and of how many nodes it is made with all names written out."""

    node: Node
    depth: int = 1
    size: int = 1

    @property
    def formula(self) -> Formula:
        """The node where it was made sure that it is a truth (or unread, and a fault says so)."""
        return cast(Formula, self.node)

    @property
    def expression(self) -> Expression:
        """The node where it was made sure that it is a number (or unread, and a fault says so)."""
        return cast(Expression, self.node)


class StopReading(Exception):  # noqa: N818  # no error of ours: leaves the recursion when limits are reached
    """Nothing more is read; the fault that says why was told."""


class Cursor:
    """The tokens of one text, the place in them, and the faults so far."""

    def __init__(self, text: str) -> None:
        lexed = Tokens(text)
        self.text = text
        self.tokens = lexed.tokens
        self.faults = lexed.faults
        self.nested = 0
        self._told: set[int] = set()  # places told already: what follows from them is not told again
        self._next = 0

    def peek(self, further: int = 0) -> Token:
        """The token that comes next, or one further on."""
        return self.tokens[min(self._next + further, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The token that comes next, and step over it."""
        token = self.tokens[self._next]
        self._next = min(self._next + 1, len(self.tokens) - 1)
        return token

    def want(self, operator: str, hint: str = "") -> bool:
        """Step over this operator; else a fault and False."""
        token = self.peek()
        if token.is_(operator):
            self.take()
            return True
        self.say(token.first, "formula:syntax", f"{operator} is expected here, not {self.shown(token)}", hint)
        return False

    def shown(self, token: Token) -> str:
        """A token as faults name it."""
        return "the end" if token.kind == "end" else repr(token.text[:40])

    def say(self, place: int, code: str, message: str, hint: str = "") -> None:
        """Add a fault at a character, unless one was told there."""
        if place in self._told or len(self.faults) >= MAX_FAULTS:
            return
        self._told.add(place)
        self.faults.append(fault_at(self.text, place, code, message, hint))

    def stop(self, place: int, code: str, message: str, hint: str) -> NoReturn:
        """Add a fault and read nothing more."""
        self.say(place, code, message, hint)
        raise StopReading

    def built(self, node: Node, *parts: Part) -> Part:
        """A node with its parts counted; stops at the limits of depth and size."""
        depth = 1 + max((p.depth for p in parts), default=0)
        size = 1 + sum(p.size for p in parts)
        if depth > MAX_DEPTH:
            self.too_deep(node.at[0])
        if size > MAX_SIZE:
            hint = "Make several requirements of it"
            self.stop(node.at[0], "formula:too-large", f"The formula has more than {MAX_SIZE} parts", hint)
        return Part(node, depth, size)

    def too_deep(self, place: int) -> NoReturn:
        """Stops because of depth."""
        hint = "Name parts with let, or make several requirements of it"
        self.stop(place, "formula:too-deep", f"The formula is nested deeper than {MAX_DEPTH} levels", hint)

    def truth(self, part: Part) -> Part:
        """The part where true or false is needed; a signal alone is a flag."""
        node = part.node
        if isinstance(node, (*TRUTHS, Unread)):
            return part
        if isinstance(node, Measured):
            return Part(Is(node.signal, (True,), at=node.at))
        what = "a word" if isinstance(node, Word) else "a number"
        hint = "Compare it, such as execution is ACTIVE" if isinstance(node, Word) else "Compare it, such as ... > 80"
        self.say(node.at[0], "formula:not-a-truth", f"This is {what}, and true or false is needed here", hint)
        return Part(Unread(at=node.at))

    def number(self, part: Part) -> Part:
        """The part where a number is needed."""
        node = part.node
        if isinstance(node, (*TRUTHS, Word)):
            what, hint = "true or false", "Join truths with and, or, ->; or count them: count[10min](...) <= 3"
            if isinstance(node, Word):
                what, hint = "a word", "Compare words with is, in, == or != alone"
            self.say(node.at[0], "formula:not-a-number", f"This is {what}, and a number is needed here", hint)
            return Part(Unread(at=node.at))
        return part

    def close(self, hint: str = "") -> None:
        """The bracket that closes; where it is missing, all up to it is left out."""
        if self.want(")", hint):
            return
        depth = 0  # go on behind the bracket that was meant
        while self.peek().kind != "end" and not self.peek().is_(";"):
            token = self.take()
            depth += 1 if token.is_("(") else -1 if token.is_(")") else 0
            if depth < 0:
                return

    def window(self, name: str) -> Window:
        """``[a, b]``, ``[b]`` for ``[0s, b]``, ``[a, inf]``; nothing: without bounds."""
        if not self.peek().is_("["):
            return Window()
        self.take()
        low = self.time(endless=False)
        if self.peek().is_("]"):
            self.take()
            return Window(0, low)
        self.want(",", f"Write {name}[0s, 300s]")
        start = self.peek().first
        high = self.time(endless=True)
        if high is not None and low is not None and high < low:
            hint = "Write the shorter time first"
            self.say(start, "formula:window-reversed", "The window ends before it begins", hint)
        self.want("]", f"Write {name}[0s, 300s]")
        return Window(low or 0, high)

    def past(self, name: str) -> int:
        """``[10min]`` in nanoseconds, of ``count`` and ``duration``."""
        token = self.peek()
        if not token.is_("["):
            hint = f"Write {name}[10min](...)"
            self.say(token.first, "formula:window-missing", f"{name} needs the time that it looks back on", hint)
            return 1
        self.take()
        start = self.peek().first
        past = self.time(endless=False) or 0
        if past == 0:
            self.say(start, "formula:duration", f"{name} over no time says nothing", f"Write {name}[10min](...)")
        self.want("]", f"Write {name}[10min](...)")
        return past

    def time(self, *, endless: bool) -> int | None:
        """One time of a window in nanoseconds; None for ``inf``."""
        token = self.peek()
        if endless and token.is_("inf"):
            self.take()
            return None
        hint = "Write it like 500ms, 5s, 10min, 1h or 2d"
        if token.kind != "number":
            self.say(token.first, "formula:duration", f"A time is expected here, not {self.shown(token)}", hint)
            return 0
        self.take()
        try:
            time = parse_duration(token.text)
        except InvalidInputError:
            time = None
        if time is None or time > MAX_WINDOW:
            what = "no time" if time is None else "too long a time"
            self.say(token.first, "formula:duration", f"{token.text!r} is {what}", hint)
            return 0
        return time
