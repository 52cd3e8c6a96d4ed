"""A formula back as text, in one canonical spelling that reads back to the same tree."""

from __future__ import annotations

from servitwin.domain.formula.token import KEYWORDS, NAME
from servitwin.domain.formula.tree import (
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
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    Window,
)
from servitwin.domain.instant import DAY, HOUR, MINUTE, NS

_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (NS, "s"), (1_000_000, "ms"), (1_000, "us"))
_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_NEEDS_QUOTES = KEYWORDS | {"active", "fault"}
_PLAIN = 10  # nothing binds tighter
_TEMPORAL = {Always: "always", Eventually: "eventually", Historically: "historically", Once: "once"}


def text(tree: Formula) -> str:
    """The text of a tree: ``read(text(tree)).tree`` equals the tree, apart from positions.

    A signal that checking put into another unit is written with its factor and offset, as the sum that it is.
    """
    writer = _Writer()
    body, _ = writer.truth(tree)
    return "".join(f"let {name} = {part}; " for name, part in writer.lets.items()) + body


def time_text(ns: int) -> str:
    """A time of a window as formulas spell it: ``10min``, ``300ms``."""
    for size, unit in _UNITS:
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns}ns" if ns else "0s"


def number_text(value: float) -> str:
    """A number as short as it can be read back."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


class _Writer:
    def __init__(self) -> None:
        self.lets: dict[str, str] = {}

    def truth(self, node: Formula) -> tuple[str, int]:
        """The text, and how tightly its outermost operator binds."""
        match node:
            case Constant():
                return str(node.value).lower(), _PLAIN
            case Compare():
                return f"{self._number(node.left, 7)} {node.relation} {self._number(node.right, 7)}", 6
            case Is():
                return _is(node)
            case Active():
                return _active(node), 6
            case Not(of=Is(values=values) as test) if all(isinstance(v, str) for v in values):
                return _is(test, " not")
            case Not():
                return f"not {self._inside(node.of, 5)}", 5
            case And():
                return " and ".join(self._inside(p, 4) for p in node.parts), 3
            case Or():
                return " or ".join(self._inside(p, 3) for p in node.parts), 2
            case Implies():
                return f"{self._inside(node.condition, 2)} -> {self._inside(node.then, 1)}", 1
            case Until() | Since():
                word = "until" if isinstance(node, Until) else "since"
                return f"{self._inside(node.hold, 5)} {word}{_window(node.window)} {self._inside(node.goal, 5)}", 4
            case NextChange():
                return f"next_change{_window(node.window)}({_name(node.signal)}, {self._inside(node.then, 0)})", _PLAIN
            case Named():
                return self._named(node), _PLAIN
            case Always() | Eventually() | Historically() | Once():
                return f"{_TEMPORAL[type(node)]}{_window(node.window)}({self._inside(node.of, 0)})", _PLAIN

    def _inside(self, node: Formula, power: int) -> str:
        written, own = self.truth(node)
        return written if own >= power else f"({written})"

    def _named(self, node: Named) -> str:
        if node.name not in self.lets:
            body = self._inside(node.of, 0)
            flag = isinstance(node.of, Is) and node.of.values == (True,)  # a name for a bare signal would be the signal
            self.lets[node.name] = f"{body} is true" if flag else body
        return node.name

    def _number(self, node: Expression, power: int) -> str:
        match node:
            case Number():
                return f"{number_text(node.value)} {node.unit}".rstrip()
            case Measured():
                return _measured(node)
            case Magnitude():
                return f"abs({self._number(node.of, 0)})"
            case Count() | Duration():
                word = "count" if isinstance(node, Count) else "duration"
                return f"{word}[{time_text(node.past)}]({self._inside(node.of, 0)})"
            case Arithmetic(operator="min" | "max"):
                return f"{node.operator}({self._number(node.left, 0)}, {self._number(node.right, 0)})"
            case Arithmetic():
                own = 7 if node.operator in ("+", "-") else 8
                written = f"{self._number(node.left, own)} {node.operator} {self._number(node.right, own + 1)}"
                return written if own >= power else f"({written})"


def _measured(node: Measured) -> str:
    written = _name(node.signal)
    if node.factor == 1 and node.offset == 0:
        return written
    if node.factor != 1:
        written += f" * {number_text(node.factor)}"
    return f"({written} + {number_text(node.offset)})" if node.offset else f"({written})"


def _is(node: Is, negated: str = "") -> tuple[str, int]:
    if node.values == (True,):
        return _name(node.signal), _PLAIN
    if len(node.values) == 1:
        return f"{_name(node.signal)} is{negated} {_word(node.values[0])}", 6
    return f"{_name(node.signal)}{negated} in ({', '.join(map(_word, node.values))})", 6


def _active(node: Active) -> str:
    if not node.code:
        return f"{_name(node.signal)} is {'active' if node.warnings else 'fault'}"
    return f"{_name(node.signal)} has {'' if node.warnings else 'fault '}{_quoted(node.code)}"


def _window(window: Window) -> str:
    if window == Window():
        return ""
    return f"[{time_text(window.low)}, {'inf' if window.high is None else time_text(window.high)}]"


def _name(name: str) -> str:
    return name if NAME.fullmatch(name) and name not in KEYWORDS else f"`{name}`"


def _word(value: str | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if NAME.fullmatch(value) and value not in _NEEDS_QUOTES else _quoted(value)


def _quoted(word: str) -> str:
    return f"'{word.translate(_ESCAPED)}'"
