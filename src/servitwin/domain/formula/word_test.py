"""Tests of words, flags, states and conditions as they are written: ``is``, ``in`` and ``has``."""

from __future__ import annotations

from servitwin.domain.formula.cursor import Cursor, Part, Unread
from servitwin.domain.formula.tree import Active, Is, Measured, Node, Not


class WordTests(Cursor):
    """Reads what stands behind a signal's name."""

    def word_test(self, left: Part, word: str) -> Part:
        """``execution is not ACTIVE``, ``x not in (A, B)``, ``condition has fault '433'``; the operator comes next."""
        token = self.take()
        node = left.node
        if not isinstance(node, Measured | Unread):
            hint = "Write it like execution is ACTIVE"
            self.say(token.first, "formula:syntax", f"Only a signal can stand before {word}", hint)
        signal = node.signal if isinstance(node, Measured) else ""
        first = node.at[0]
        negated = word == "not"
        if self.peek().is_("not") and word == "is":
            negated = True
            self.take()
        if negated and word == "not":
            self.take()
        if word == "has":
            test: Node = self._has(signal, first)
        elif word == "is":
            test = self._is(signal, first)
        else:
            test = self._in(signal, first)
        part = Part(test if isinstance(node, Measured) else Unread(at=test.at))
        return self.built(Not(part.formula, at=part.node.at), part) if negated else part

    def _is(self, signal: str, first: int) -> Node:
        token = self.peek()
        at = (first, token.last)
        if token.kind == "name" and token.text in ("active", "fault") and self.text[token.first] != "`":
            self.take()
            return Active(signal, warnings=token.text == "active", at=at)
        value = self._value()
        return Unread(at=at) if value is None else Is(signal, (value,), at=at)

    def _in(self, signal: str, first: int) -> Node:
        values: list[str | bool] = []
        if not self.want("(", "Write it like execution in (ACTIVE, READY)"):
            return Unread(at=(first, first))
        while True:
            value = self._value()
            if value is not None:
                values.append(value)
            if not self.peek().is_(","):
                break
            self.take()
        last = self.peek().last
        self.close()
        unique = tuple(dict.fromkeys(values))
        return Is(signal, unique, at=(first, last)) if unique else Unread(at=(first, last))

    def _value(self) -> str | bool | None:
        token = self.peek()
        if token.is_("true", "false"):
            return self.take().text == "true"
        if token.kind in ("name", "text"):
            return self.take().text
        hint = "Put it in quotes" if token.kind in ("number", "keyword") else "Write it like execution is ACTIVE"
        self.say(token.first, "formula:syntax", f"A word is expected here, not {self.shown(token)}", hint)
        if token.kind in ("number", "keyword"):
            self.take()
        return None

    def _has(self, signal: str, first: int) -> Node:
        warnings = True
        if self.peek().kind == "name" and self.peek().text == "fault":
            self.take()
            warnings = False
        token = self.peek()
        if token.kind != "text" or not token.text:
            hint = "Write it like condition has '433'"
            self.say(token.first, "formula:syntax", "The native code of an alarm is expected here, in quotes", hint)
            if token.kind in ("number", "name"):
                self.take()
            return Unread(at=(first, token.last))
        self.take()
        return Active(signal, token.text, warnings, at=(first, token.last))
