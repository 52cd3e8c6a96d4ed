"""Random formulas, and the signals that they speak of."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from servitwin.domain.formula.token import KEYWORDS
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
from servitwin.domain.signal import SignalDefinition

SIGNALS = {
    s.name: s
    for s in (
        SignalDefinition("spindle.temperature", unit="Cel", limits=(-40, 250), title="Spindle temperature"),
        SignalDefinition("axis.temperature", unit="K"),
        SignalDefinition("oil", unit="[degF]"),
        SignalDefinition("p", unit="bar", limits=(0, 10)),
        SignalDefinition("q", unit="kPa", limits=(0, 500)),
        SignalDefinition("v", unit="mm/min"),
        SignalDefinition("level", unit="dB"),
        SignalDefinition("n", unit="1"),
        SignalDefinition("bare", unit=""),
        SignalDefinition("execution", type="text", values=("ACTIVE", "READY", "FEED_HOLD")),
        SignalDefinition("word", type="text"),
        SignalDefinition("door", type="flag"),
        SignalDefinition("alarm", type="condition"),
        SignalDefinition("flow.station-1", unit="1"),
        SignalDefinition("brake.state", type="text", values=("OPEN", "CLOSED")),
        SignalDefinition("once", type="flag"),
    )
}

_SECONDS = st.integers(0, 10**12)
_NAMES = st.one_of(
    st.sampled_from(["a", "spindle.speed", "flow.station-1", "count", "7", "_x", "is", "min"]),
    st.from_regex(r"[A-Za-z0-9_.-]{1,12}", fullmatch=True),
)
_WORDS = st.one_of(st.sampled_from(["ACTIVE", "active", "true", "not", "it's", "a\\b", "x y", "ä\n\t"]), st.text(max_size=8))
_NUMBERS = st.builds(
    Number,
    value=st.one_of(st.integers(-1000, 1000).map(float), st.floats(allow_nan=False, allow_infinity=False)),
    unit=st.sampled_from(["", "Cel", "kW.h", "%", "/min", "m/s2", "W/(m2.K)", "[degF]", "min", "{parts}/h"]),
)
_LETS = st.from_regex(r"let_[a-z]{1,3}", fullmatch=True)


@st.composite
def _window(draw: Any, *, past: bool) -> Window:
    low, high = sorted((draw(_SECONDS), draw(_SECONDS)))
    if past and draw(st.booleans()):
        return Window(low, None)
    return Window(low, high)


def _expressions(formulas: st.SearchStrategy[Any]) -> st.SearchStrategy[Expression]:
    leaves = st.one_of(_NUMBERS, st.builds(Measured, signal=_NAMES))
    counted = st.one_of(
        st.builds(Count, of=formulas, past=st.integers(1, 10**13)),
        st.builds(Duration, of=formulas, past=st.integers(1, 10**13)),
    )
    return st.recursive(
        st.one_of(leaves, counted),
        lambda inner: st.one_of(
            st.builds(Magnitude, of=inner),
            st.builds(
                Arithmetic, operator=st.sampled_from(["+", "-", "*", "/", "min", "max"]), left=inner, right=inner
            ),
        ),
        max_leaves=4,
    )


def _above(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many = st.lists(inner, min_size=2, max_size=3).map(tuple)
    future, past = _window(past=False), _window(past=True)
    return st.one_of(
        st.builds(Not, of=inner),
        st.builds(And, parts=many),
        st.builds(Or, parts=many),
        st.builds(Implies, condition=inner, then=inner),
        *(st.builds(kind, of=inner, window=future) for kind in (Always, Eventually)),
        *(st.builds(kind, of=inner, window=past) for kind in (Historically, Once)),
        st.builds(Until, hold=inner, goal=inner, window=future),
        st.builds(Since, hold=inner, goal=inner, window=past),
        st.builds(NextChange, signal=_NAMES, then=inner, window=future),
        st.builds(
            Compare,
            left=_expressions(inner),
            relation=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
            right=_expressions(inner),
        ),
    )


_VALUES = st.lists(st.one_of(_WORDS, st.booleans()), min_size=1, max_size=3, unique_by=repr).map(tuple)
_LEAVES = st.one_of(
    st.builds(Constant, value=st.booleans()),
    st.builds(Is, signal=_NAMES, values=_VALUES),
    st.builds(Active, signal=_NAMES, code=st.sampled_from(["", "433", "it's"]), warnings=st.booleans()),
    st.builds(
        Compare, left=st.builds(Measured, signal=_NAMES), relation=st.sampled_from(["<", ">="]), right=_NUMBERS
    ),
)


@st.composite
def formulas(draw: Any) -> Formula:
    """Any formula as it can be read, with a few named parts."""
    tree: Formula = draw(st.recursive(_LEAVES, _above, max_leaves=8))
    if draw(st.booleans()):
        name = draw(_LETS)
        part = Named(name, draw(st.recursive(_LEAVES, _above, max_leaves=3)))
        tree = And((part, tree, Not(part)))
    return tree


def bare(node: Any) -> Any:
    """A tree as plain data without positions, so that trees of two texts can be compared."""
    data = msgspec.to_builtins(node)

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "at"}
        return [strip(v) for v in value] if isinstance(value, list | tuple) else value

    return strip(data)


assert {"count", "is", "min"} <= KEYWORDS  # names that have to be put in backticks are among those drawn
