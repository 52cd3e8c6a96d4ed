"""Clauses as terms of the solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import z3

from servitwin.domain.controller_term import Range
from servitwin.proof.controller.bound import Bound, Clause, Cube, holds_bound, holds_in, written_clause
from servitwin.proof.controller.system import System


def bound_term(system: System, bound: Bound, names: Mapping[str, Any]) -> Any:
    """A bound over given constants."""
    return system.words.compared(names[bound.name], system.state[bound.name], bound.op, bound.value)


def cube_term(system: System, cube: Cube, names: Mapping[str, Any] | None = None) -> Any:
    """All bounds of a cube."""
    return system.words.both(*(bound_term(system, b, system.names if names is None else names) for b in cube))


def clause_term(system: System, clause: Clause, names: Mapping[str, Any] | None = None) -> Any:
    """Not all of them."""
    return z3.Not(cube_term(system, clause, names))


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


__all__ = [
    "Bound", "Clause", "Cube", "bound_term", "clause_term", "cube_of", "cube_term",
    "holds_bound", "holds_in", "written_clause",
]  # fmt: skip
