"""Clauses over a controller's state: what an invariant is made of, readable by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import z3

from servitwin.domain.controller_term import Range
from servitwin.proof.controller.system import System


class Bound(msgspec.Struct, frozen=True, order=True):
    """``name == value``, ``name <= value`` or ``name >= value``."""

    name: str
    op: Literal["==", "<=", ">="]
    value: int


Cube = tuple[Bound, ...]  # all of them hold
Clause = Cube  # as an invariant: never all of them


def bound_term(system: System, bound: Bound, names: Mapping[str, Any]) -> Any:
    """A bound over given constants."""
    return system.words.compared(names[bound.name], system.state[bound.name], bound.op, bound.value)


def cube_term(system: System, cube: Cube, names: Mapping[str, Any] | None = None) -> Any:
    """All bounds of a cube."""
    return system.words.both(*(bound_term(system, b, system.names if names is None else names) for b in cube))


def clause_term(system: System, clause: Clause, names: Mapping[str, Any] | None = None) -> Any:
    """Not all of them."""
    return z3.Not(cube_term(system, clause, names))


def holds_bound(bound: Bound, value: int) -> bool:
    """Whether a value fulfils a bound."""
    if bound.op == "==":
        return value == bound.value
    return value <= bound.value if bound.op == "<=" else value >= bound.value


def holds_in(cube: Cube, values: Mapping[str, int]) -> bool:
    """Whether a state fulfils every bound of a cube."""
    return all(holds_bound(b, values[b.name]) for b in cube)


def written_clause(clause: Clause, ranges: Mapping[str, Range]) -> str:
    """``never (a is on and b >= 3)``."""
    parts: list[str] = []
    for bound in sorted(clause):
        r = ranges[bound.name]
        if r.kind == "flag":
            parts.append(bound.name if bound.value else f"not {bound.name}")
        else:
            sign = "is" if r.kind == "word" else bound.op
            parts.append(f"{bound.name} {sign} {r.shown(bound.value)}")
    return f"never ({' and '.join(parts)})"


def cube_of(values: Mapping[str, int], ranges: Mapping[str, Range], names: Sequence[str]) -> Cube:
    """The cube of exactly one state."""
    bounds: list[Bound] = []
    for name in names:
        value, r = values[name], ranges[name]
        if r.kind != "integer":
            bounds.append(Bound(name, "==", value))
            continue
        if value > r.low:
            bounds.append(Bound(name, ">=", value))
        if value < r.high:
            bounds.append(Bound(name, "<=", value))
    return tuple(bounds)
