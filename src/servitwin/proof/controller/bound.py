"""Bounds and cubes over a controller's state: what an invariant is made of, readable without a solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from servitwin.domain.controller_term import Range


class Bound(msgspec.Struct, frozen=True, order=True):
    """``name == value``, ``name <= value`` or ``name >= value``."""

    name: str
    op: Literal["==", "<=", ">="]
    value: int


Cube = tuple[Bound, ...]  # all of them hold
Clause = Cube  # as an invariant: never all of them


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
