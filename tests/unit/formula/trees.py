"""Random formulas, and the signals that they speak of."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

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

_NAMES = (
    "a",
    "spindle.speed",
    "flow.station-1",
    "count",
    "7",
    "_x",
    "is",
    "min",
    "a.b-c",
    "0.5",
    "x.1",
    "-",
    "let",
    "e5",
)
_WORDS = ("ACTIVE", "active", "fault", "true", "not", "it's", "a\\b", "x y", "\u00e4\n\t", "", '"', "A.B", "0", "`")
_UNITS = ("", "", "Cel", "kW.h", "%", "/min", "m/s2", "W/(m2.K)", "[degF]", "min", "{parts}/h", "s-1")
_TIMES = (0, 1, 999, 10**6, 10**9, 60 * 10**9, 3600 * 10**9, 86400 * 10**9, 90 * 10**9, 123456789)


def formula(rng: Random, depth: int = 4) -> Formula:
    """Any formula as it can be read, some of it under a name."""
    tree = _truth(rng, depth)
    if rng.random() < 0.3:
        part = Named("named_" + rng.choice("xyz"), _truth(rng, 2))
        tree = And((part, tree, Not(part)))
    return tree


def _truth(rng: Random, depth: int) -> Formula:
    if depth == 0 or rng.random() < 0.15:
        return _atom(rng)

    def inner() -> Formula:
        return _truth(rng, depth - 1)

    match rng.randrange(13):
        case 0:
            return Not(inner())
        case 1:
            return And(tuple(inner() for _ in range(rng.randint(2, 3))))
        case 2:
            return Or(tuple(inner() for _ in range(rng.randint(2, 3))))
        case 3:
            return Implies(inner(), inner())
        case 4:
            return Always(inner(), _window(rng))
        case 5:
            return Eventually(inner(), _window(rng))
        case 6:
            return Historically(inner(), _window(rng))
        case 7:
            return Once(inner(), _window(rng))
        case 8:
            return Until(inner(), inner(), _window(rng))
        case 9:
            return Since(inner(), inner(), _window(rng))
        case 10:
            return NextChange(rng.choice(_NAMES), inner(), _window(rng))
        case _:
            relation = rng.choice(("<", "<=", ">", ">=", "==", "!="))
            return Compare(_expression(rng, depth - 1), relation, _expression(rng, depth - 1))


def _atom(rng: Random) -> Formula:
    match rng.randrange(4):
        case 0:
            return Constant(rng.random() < 0.5)
        case 1:
            values = [rng.choice((True, False)) if rng.random() < 0.3 else rng.choice(_WORDS) for _ in range(3)]
            return Is(rng.choice(_NAMES), tuple(dict.fromkeys(values[: rng.randint(1, 3)])))
        case 2:
            return Active(rng.choice(_NAMES), rng.choice(("", "", "433", "it's")), rng.random() < 0.5)
        case _:
            return Compare(Measured(rng.choice(_NAMES)), ">=", _number(rng))


def _expression(rng: Random, depth: int) -> Expression:
    match rng.randrange(6) if depth > 0 else rng.randrange(2):
        case 0:
            return _number(rng)
        case 1:
            return Measured(rng.choice(_NAMES))
        case 2:
            return Magnitude(_expression(rng, depth - 1))
        case 3:
            kind = rng.choice((Count, Duration))
            return kind(_truth(rng, depth - 1), rng.choice(_TIMES[1:]))
        case _:
            operator = rng.choice(("+", "-", "*", "/", "min", "max"))
            return Arithmetic(operator, _expression(rng, depth - 1), _expression(rng, depth - 1))


def _number(rng: Random) -> Number:
    value = rng.choice((0.0, 1.0, -3.0, 0.1, -1e-9, 1e22, 123456.789, rng.uniform(-1e3, 1e3), rng.gauss(0, 1e-200)))
    return Number(value, rng.choice(_UNITS))


def _window(rng: Random) -> Window:
    low, high = sorted((rng.choice(_TIMES), rng.choice(_TIMES)))
    return Window(low, None if rng.random() < 0.2 else high)


def bare(node: Any) -> Any:
    """A tree as plain data without positions, so that trees of two texts can be compared."""
    data = msgspec.to_builtins(node)

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "at"}
        return [strip(v) for v in value] if isinstance(value, list | tuple) else value

    return strip(data)


assert {"count", "is", "min"} <= KEYWORDS  # names that have to be put in backticks are among those drawn
