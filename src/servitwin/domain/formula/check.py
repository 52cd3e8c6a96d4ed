"""Checks a formula against the signals of its machine type: names, types, words, units, and how far it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.formula.cursor import MAX_DEPTH, Unread
from servitwin.domain.formula.quantity import (
    Quantity,
    UnitError,
    aligned,
    as_count,
    combined,
    constant,
    in_seconds,
    magnitude,
    reading,
)
from servitwin.domain.formula.scope import Scope, near_words
from servitwin.domain.formula.tree import (
    STATE,
    Active,
    Always,
    And,
    Arithmetic,
    Compare,
    Constant,
    Count,
    Duration,
    Eventually,
    Expression,
    Formula,
    Historically,
    Implies,
    Is,
    Magnitude,
    Measured,
    Named,
    NextChange,
    Node,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    Window,
    invariant,
    parts_of,
    reach,
    walk,
)
from servitwin.domain.instant import DAY
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.unit import check_unit

#: How far a formula may look ahead: so long a verdict can stay open, and its obligation is kept.
MAX_FUTURE = 31 * DAY

_STATES = tuple(s.value for s in State if s is not State.UNKNOWN)
_COMPARED = {
    "text": "Compare words, such as {0} is READY",
    "flag": "Write {0}, or not {0}",
    "condition": "Write {0} is active, {0} is fault or {0} has '433'",
    "number": "Compare it with a number, such as {0} > 80",
}


def check(
    tree: Formula, signals: Mapping[str, SignalDefinition], component: str = "", text: str = ""
) -> tuple[Formula | None, list[Fault]]:
    """The formula with full names and one unit in each comparison; None as soon as there is one fault.

    Constants are converted into the unit of the signal that they are compared with; a signal in another unit of the
    same kind gets ``factor`` and ``offset``. A name is looked for in the component first, then as a full name.
    ``state`` alone is the canonical state of the machine. With ``text`` the faults know line and column in it.

    Faults: ``formula:signal-unknown``, ``formula:wrong-type``, ``formula:value-unknown``, ``formula:unit-unknown``,
    ``formula:unit-mismatch``, ``formula:division-by-zero``, ``formula:number``, ``formula:count-place``,
    ``formula:unbounded``, ``formula:too-far``, ``formula:window-reversed``, ``formula:name-taken``,
    ``formula:too-deep``.
    """
    checker = _Checker(signals, component, text)
    found = checker.check(tree)
    faults = sorted(dict.fromkeys(checker.faults), key=lambda f: (f.line or 0, f.column or 0))
    return (None if faults else found), faults


_T = TypeVar("_T")


class _Unusable(Exception):  # noqa: N818  # no error of ours: leaves a comparison whose fault was told
    pass


class _Checker(Scope):
    def __init__(self, signals: Mapping[str, SignalDefinition], component: str, text: str) -> None:
        super().__init__(signals, component, text)
        self._partial = False  # parts of the tree could not be read

    def check(self, tree: Formula) -> Formula:
        if _deeper(tree, MAX_DEPTH):
            self.say(tree.at[0], "formula:too-deep", f"The formula is nested deeper than {MAX_DEPTH} levels")
            return tree
        found = self._formula(tree, top=True)
        if self.faults or self._partial:
            return found
        bare = invariant(tree)
        if reach(bare)[1] > MAX_FUTURE:
            far = [n for n in walk(bare) if isinstance(n, Always | Eventually | Until | NextChange)]
            worst = max(far, key=lambda n: n.window.high or 0)
            message = f"A verdict would stay open for {reach(bare)[1] // DAY} days"
            self.say(worst.at[0], "formula:too-far", message, f"Look ahead {MAX_FUTURE // DAY} days at most")
        return found

    # truths ---------------------------------------------------------------------------------------------------

    def _formula(self, node: Formula, *, top: bool = False) -> Formula:
        if isinstance(node, Unread):
            self._partial = True
            return node
        match node:
            case Constant():
                return node
            case Compare():
                return self._compare(node)
            case Is():
                return self._is(node)
            case Active():
                return self._active(node)
            case And() | Or():
                return msgspec.structs.replace(node, parts=tuple(self._formula(p) for p in node.parts))
            case Implies():
                return msgspec.structs.replace(
                    node, condition=self._formula(node.condition), then=self._formula(node.then)
                )
            case Until() | Since():
                self._check_window(node, node.window, future=isinstance(node, Until))
                return msgspec.structs.replace(node, hold=self._formula(node.hold), goal=self._formula(node.goal))
            case NextChange():
                return self._next_change(node)
            case Always():
                whole = top and node.window == Window()
                if not whole:
                    self._check_window(node, node.window, future=True)
                return msgspec.structs.replace(node, of=self._formula(node.of, top=whole))
            case Eventually() | Historically() | Once():
                self._check_window(node, node.window, future=isinstance(node, Eventually))
                return msgspec.structs.replace(node, of=self._formula(node.of))
            case Named():
                if self.find(node.name) is not None or node.name == STATE:
                    message = f"{node.name!r} is a signal, and a let gives it another meaning"
                    self.say(node.at[0], "formula:name-taken", message, "Give the part another name")
                return msgspec.structs.replace(node, of=self._formula(node.of, top=top))
            case Not():
                return msgspec.structs.replace(node, of=self._formula(node.of))

    def _check_window(self, node: Formula, window: Window, *, future: bool) -> None:
        name = {"Always": "always", "Eventually": "eventually", "Until": "until", "NextChange": "next_change"}
        if future and window.high is None:
            word = name[type(node).__name__]
            message = f"This {word} has no end, so it could never be found violated"
            hint = f"Say until when: {word}[0s, 300s]"
            if isinstance(node, Always):
                hint += "; an always without bounds can only stand around the whole"
            place = self.place(node, word) if isinstance(node, Until) else node.at[0]
            self.say(place, "formula:unbounded", message, hint)
        if window.low < 0 or (window.high is not None and window.high < window.low):
            self.say(node.at[0], "formula:window-reversed", "The window ends before it begins", "Write [0s, 300s]")

    def _next_change(self, node: NextChange) -> Formula:
        self._check_window(node, node.window, future=True)
        name = node.signal
        if name != STATE:
            found = self.signal(name, self.place(node, name))
            name = found.name if found is not None else name
        return msgspec.structs.replace(node, signal=name, then=self._formula(node.then))

    def _is(self, node: Is) -> Formula:
        if node.signal == STATE:
            return self._is_state(node)
        signal = self.signal(node.signal, self.place(node, node.signal))
        if signal is None:
            return node
        full = msgspec.structs.replace(node, signal=signal.name)
        match signal.type:
            case "text":
                return self._is_word(full, signal, node.signal)
            case "flag" if all(isinstance(v, bool) for v in node.values):
                return full
            case "condition" if node.values in (("active",), ("fault",)):
                return Active(signal.name, warnings=node.values == ("active",), at=node.at)
        self._wrong(node, node.signal, signal)
        return full

    def _is_word(self, node: Is, signal: SignalDefinition, written: str) -> Formula:
        for value in node.values:
            if isinstance(value, bool):
                if node.values == (True,) and not self.text[node.at[0] : node.at[1]].endswith("true"):
                    self._wrong(node, written, signal)
                else:
                    word = str(value).lower()
                    message = f"The signal {signal.name!r} is text and never {word}"
                    self.say(self.place(node, word), "formula:wrong-type", message, f"Put it in quotes: '{word}'")
            elif signal.values and value not in signal.values:
                near = near_words(value, signal.values)
                hint = f"Did you mean {' or '.join(near)}?" if near else f"One of: {', '.join(signal.values[:20])}"
                message = f"The signal {signal.name!r} is never {value[:60]!r}"
                self.say(self.place(node, value), "formula:value-unknown", message, hint)
        return node

    def _is_state(self, node: Is) -> Formula:
        for value in node.values:
            if value in _STATES:
                continue
            word = str(value).lower() if isinstance(value, bool) else value
            here = f"{self.component}.{STATE}"
            near = near_words(word, _STATES)[:1]
            hint = f"Did you mean {near[0]}?" if near else f"One of: {', '.join(_STATES)}"
            if value == State.UNKNOWN:
                hint = "A state that is not known makes the verdict inconclusive"
            elif here in self.signals:
                hint = f"state is the state of the machine; did you mean {here}?"
            message = f"The state of a machine is never {word[:60]!r}" if node.values != (True,) else "state is no flag"
            self.say(self.place(node, word), "formula:value-unknown", message, hint)
        return node

    def _active(self, node: Active) -> Formula:
        signal = self.signal(node.signal, self.place(node, node.signal))
        if signal is None:
            return node
        if signal.type == "text" and not node.code:
            word = "active" if node.warnings else "fault"
            return self._is_word(Is(signal.name, (word,), at=node.at), signal, node.signal)
        if signal.type != "condition":
            self._wrong(node, node.signal, signal)
        return msgspec.structs.replace(node, signal=signal.name)

    def _wrong(self, node: Node, name: str, signal: SignalDefinition) -> None:
        message = f"The signal {signal.name!r} is a {signal.type} signal"
        self.say(self.place(node, name), "formula:wrong-type", message, _COMPARED[signal.type].format(name))

    # numbers --------------------------------------------------------------------------------------------------

    def _compare(self, node: Compare) -> Formula:
        try:
            self._words_without_quotes(node)
            if isinstance(node.left, Count | Duration):
                return self._compare_count(node, node.left)
            left, right = self._both(node.left, node.right)
            one, other = self._units(left, right, node.right, aligned)
            return msgspec.structs.replace(node, left=one.node, right=other.node)
        except _Unusable:
            return node

    def _words_without_quotes(self, node: Compare) -> None:
        left, right = node.left, node.right
        if isinstance(left, Measured) and isinstance(right, Measured) and self.find(right.signal) is None:
            signal = self.find(left.signal)
            if left.signal == STATE or (signal is not None and signal.type == "text"):
                message = f"There is no signal {right.signal[:60]!r}"
                hint = f"Write {left.signal} is {right.signal}, or put the word in quotes"
                self._fail(right.at[0], "formula:signal-unknown", message, hint)

    def _compare_count(self, node: Compare, left: Count | Duration) -> Formula:
        of = self._formula(left.of)
        right = self._quantity(node.right)
        value = self._units(
            right, right, node.right, lambda r, _: in_seconds(r) if isinstance(left, Duration) else as_count(r)
        )
        counted = msgspec.structs.replace(left, of=of)
        return msgspec.structs.replace(node, left=counted, right=Number(value, at=node.right.at))

    def _both(self, left: Expression, right: Expression) -> tuple[Quantity, Quantity]:
        found: list[Quantity] = []
        for side in (left, right):  # so that the faults of both sides are told
            try:
                found.append(self._quantity(side))
            except _Unusable:
                continue
        if len(found) < 2:
            raise _Unusable
        return found[0], found[1]

    def _quantity(self, node: Expression) -> Quantity:
        match node:
            case Number():
                fault = check_unit(node.unit) if node.unit else None
                if fault is not None:
                    self._fail(self._unit_place(node), "formula:unit-unknown", fault.message, fault.hint)
                return constant(node)
            case Measured():
                return self._measured(node)
            case Magnitude():
                return magnitude(self._quantity(node.of), node.at)
            case Arithmetic():
                left, right = self._both(node.left, node.right)
                return self._units(left, right, node.right, lambda a, b: combined(node.operator, a, b, node.at))
            case Count() | Duration():
                self._formula(node.of)
                word = "count" if isinstance(node, Count) else "duration"
                message = f"{word} can only stand alone on the left of a comparison with a constant"
                self._fail(node.at[0], "formula:count-place", message, f"Write {word}[10min](...) <= 3")
            case _:
                self._partial = True
                raise _Unusable  # a part that could not be read

    def _measured(self, node: Measured) -> Quantity:
        if node.signal == STATE:
            hint = "Write state is producing"
            self._fail(node.at[0], "formula:wrong-type", "The state of a machine is no number", hint)
        signal = self.signal(node.signal, node.at[0])
        if signal is None:
            raise _Unusable
        if signal.type != "number":
            self._wrong(node, node.signal, signal)
            raise _Unusable
        if signal.unit and check_unit(signal.unit) is not None:
            message = f"The unit of {signal.name!r} is not known: {signal.unit[:40]!r}"
            self._fail(node.at[0], "formula:unit-unknown", message, "Correct the signal's unit")
        return reading(msgspec.structs.replace(node, signal=signal.name), signal.unit)

    def _units(
        self, left: Quantity, right: Quantity, written: Expression, how: Callable[[Quantity, Quantity], _T]
    ) -> _T:
        try:
            return how(left, right)
        except UnitError as e:
            place = written.at[0]
            if e.code == "formula:unit-mismatch":
                left_has = isinstance(left.node, Number) and left.code
                right_has = isinstance(written, Number) and written.unit
                if right_has and isinstance(written, Number):
                    place = self._unit_place(written)
                elif left_has:
                    place = left.node.at[1] - len(left.code)
            self._fail(place, e.code, e.message, e.hint)

    def _unit_place(self, node: Number) -> int:
        return max(node.at[0], node.at[1] - len(node.unit))

    def _fail(self, place: int, code: str, message: str, hint: str) -> NoReturn:
        self.say(place, code, message, hint)
        raise _Unusable


def _deeper(tree: Formula, most: int) -> bool:
    """Whether a tree (which may come from outside) has more levels; without recursion."""
    level: Iterable[Any] = [tree]
    for _ in range(most + 1):
        below = [part for node in level for part in (() if isinstance(node, Unread) else parts_of(node))]
        if not below:
            return False
        level = below
    return True
