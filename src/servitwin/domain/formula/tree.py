"""What a formula is made of: signal temporal logic with past and future, over numbers, words, flags and states.

Time is integer nanoseconds and a signal holds its value until the next one, so every formula is piecewise constant and
its meaning is exact (``docs/concepts/requirement.md``). The tagged form (``kind``) is what proof files carry: readers
outside this package rely on its names, so a change of meaning needs a new :data:`LOGIC`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

#: Name and version of the meaning of formulas. Verdicts and proof files name it.
LOGIC = "servitwin-stl@1"

#: Name under which a formula reads the canonical state of a machine (a series of :class:`StateInterval`).
STATE = "state"

Relation = Literal["<", "<=", ">", ">=", "==", "!="]


class Window(msgspec.Struct, frozen=True):
    """[low, high] in nanoseconds from the present instant, both included; ``high`` None: without end (past only)."""

    low: int = 0
    high: int | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """A part of a formula. ``at`` are the characters [first, last) of the text that it was read from."""

    at: tuple[int, int] = (0, 0)


# --- numbers -------------------------------------------------------------------------------------------------------
class Number(Node, frozen=True, tag="number"):
    """A constant. ``unit`` is the UCUM code it was written with; checking converts it and leaves ``unit`` empty."""

    value: float
    unit: str = ""


class Measured(Node, frozen=True, tag="signal"):
    """The value of a number signal, in the unit its type declares, times ``factor`` plus ``offset``.

    Checking sets factor and offset where the other side of a comparison is in another unit.
    """

    signal: str
    factor: float = 1.0
    offset: float = 0.0


class Arithmetic(Node, frozen=True, tag="arithmetic"):
    """Two numbers combined. Division by zero is not known."""

    operator: Literal["+", "-", "*", "/", "min", "max"]
    left: Expression
    right: Expression


class Magnitude(Node, frozen=True, tag="abs"):
    """The absolute value of a number."""

    of: Expression


class Count(Node, frozen=True, tag="count"):
    """How often ``of`` became true in (t - past, t]: instants where it is true and was false just before."""

    of: Formula
    past: int


class Duration(Node, frozen=True, tag="duration"):
    """How many seconds ``of`` was true in (t - past, t]."""

    of: Formula
    past: int


Expression = Number | Measured | Arithmetic | Magnitude | Count | Duration


# --- truth ---------------------------------------------------------------------------------------------------------
class Constant(Node, frozen=True, tag="constant"):
    """``true`` or ``false``."""

    value: bool


class Compare(Node, frozen=True, tag="compare"):
    """Two numbers compared, in one unit. Count and Duration stand alone on the left of a number."""

    left: Expression
    relation: Relation
    right: Expression


class Is(Node, frozen=True, tag="is"):
    """Whether a text, flag or state signal has one of these values. A flag alone is ``Is(flag, (True,))``."""

    signal: str
    values: tuple[str | bool, ...]


class Active(Node, frozen=True, tag="active"):
    """Whether a condition signal has an active entry: of this native code, or any; warnings count if ``warnings``."""

    signal: str
    code: str = ""
    warnings: bool = True


class Not(Node, frozen=True, tag="not"):
    """True where ``of`` is false."""

    of: Formula


class And(Node, frozen=True, tag="and"):
    """True where all are."""

    parts: tuple[Formula, ...]


class Or(Node, frozen=True, tag="or"):
    """True where one is."""

    parts: tuple[Formula, ...]


class Implies(Node, frozen=True, tag="implies"):
    """True where ``condition`` is false or ``then`` is true. Where ``condition`` is false it holds vacuously."""

    condition: Formula
    then: Formula


class Always(Node, frozen=True, tag="always"):
    """True at t if ``of`` is true at every instant of [t + low, t + high]."""

    of: Formula
    window: Window


class Eventually(Node, frozen=True, tag="eventually"):
    """True at t if ``of`` is true at some instant of [t + low, t + high]."""

    of: Formula
    window: Window


class Until(Node, frozen=True, tag="until"):
    """True at t if some t' in [t + low, t + high] has ``goal``, and ``hold`` is true on [t, t')."""

    hold: Formula
    goal: Formula
    window: Window


class Historically(Node, frozen=True, tag="historically"):
    """True at t if ``of`` was true at every instant of [t - high, t - low]. Before the first data it is not known."""

    of: Formula
    window: Window


class Once(Node, frozen=True, tag="once"):
    """True at t if ``of`` was true at some instant of [t - high, t - low]."""

    of: Formula
    window: Window


class Since(Node, frozen=True, tag="since"):
    """True at t if some t' in [t - high, t - low] had ``goal``, and ``hold`` is true on (t', t]."""

    hold: Formula
    goal: Formula
    window: Window


class NextChange(Node, frozen=True, tag="next_change"):
    """True at t if ``signal`` first changes at some t' > t inside [t + low, t + high] and ``then`` holds at t'.

    Not known where the signal's value is not known before it changed for certain.
    """

    signal: str
    then: Formula
    window: Window


class Named(Node, frozen=True, tag="named"):
    """A sub-formula that the author gave a name (``let hot = ...;``)."""

    name: str
    of: Formula


Formula = (
    Constant
    | Compare
    | Is
    | Active
    | Not
    | And
    | Or
    | Implies
    | Always
    | Eventually
    | Until
    | Historically
    | Once
    | Since
    | NextChange
    | Named
)


def parts_of(node: Formula | Expression) -> tuple[Formula | Expression, ...]:
    """The direct parts of a node, from left to right."""
    match node:
        case And(parts) | Or(parts):
            return parts
        case Implies(condition, then):
            return (condition, then)
        case Until(hold, goal) | Since(hold, goal):
            return (hold, goal)
        case Compare(left, _, right) | Arithmetic(_, left, right):
            return (left, right)
        case NextChange():
            return (node.then,)
        case Number() | Measured() | Constant() | Is() | Active():
            return ()
        case _:
            return (node.of,)


def walk(node: Formula | Expression) -> Iterator[Formula | Expression]:
    """The node and all its parts, parents first, from left to right; any depth."""
    open_nodes = [node]
    while open_nodes:
        one = open_nodes.pop()
        yield one
        open_nodes.extend(reversed(parts_of(one)))


def signals_of(node: Formula | Expression) -> tuple[str, ...]:
    """Names of the signals it reads, each once, in the order of the text; :data:`STATE` for the machine's state."""
    names = (n.signal for n in walk(node) if isinstance(n, Measured | Is | Active | NextChange))
    return tuple(dict.fromkeys(names))


def invariant(formula: Formula) -> Formula:
    """What has to hold at each instant: an ``always`` without bounds around the whole is understood, and taken off."""
    bare = formula
    while isinstance(bare, Named):
        bare = bare.of
    if isinstance(bare, Always) and bare.window == Window():
        return invariant(bare.of)
    return formula


def reach(node: Formula | Expression) -> tuple[int | None, int]:
    """How far from t its truth at t looks: (past, future) in nanoseconds; past None: without end.

    ``future`` is the horizon after which a verdict is certain at the latest.
    """
    found: dict[int, tuple[int | None, int]] = {}
    for one in reversed(list(walk(node))):
        found[id(one)] = _reach_of(one, [found[id(part)] for part in parts_of(one)])
    return found[id(node)]


def _reach_of(node: Formula | Expression, below: list[tuple[int | None, int]]) -> tuple[int | None, int]:
    past: int | None = 0
    future = 0
    for p, f in below:
        past = None if past is None or p is None else max(past, p)
        future = max(future, f)
    match node:
        case Always(window=w) | Eventually(window=w) | Until(window=w) | NextChange(window=w):
            high = w.high if w.high is not None else 0
            return past, future + high
        case Historically(window=w) | Once(window=w) | Since(window=w):
            return (None if past is None or w.high is None else past + w.high), future
        case Count() | Duration():
            return (None if past is None else past + node.past + 1), future
        case _:
            return past, future
