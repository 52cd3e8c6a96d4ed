"""A plan that was read from a file, with the place of each operation in it: where a fault is can be told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.schedule.problem import Placement


class PlacedAt(msgspec.Struct, frozen=True):
    """An operation and where the file says so: for people, and as 1-based line where the file has lines."""

    placement: Placement
    where: str
    line: int | None = None


class ReadPlan(msgspec.Struct, frozen=True):
    """All operations of a file, each once."""

    rows: tuple[PlacedAt, ...]

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where and when each operation is done, in order of start."""
        return tuple(sorted((r.placement for r in self.rows), key=lambda p: (p.start, p.order, p.operation)))

    def located(self, faults: Sequence[Fault]) -> list[Fault]:
        """Faults of the plan (``where`` is ORDER/OPERATION) with the place in the file added."""
        rows = {f"{r.placement.order}/{r.placement.operation}": r for r in self.rows}
        return [
            msgspec.structs.replace(f, line=rows[f.where].line, where=f"{rows[f.where].where}: {f.where}")
            if f.where in rows
            else f
            for f in faults
        ]


def gathered(rows: Sequence[PlacedAt], faults: Sequence[Fault]) -> ReadPlan:
    """The plan, if nothing was wrong with any row.

    Raises:
        InvalidInputError: ``faults``, ``plan-file:twice`` and ``plan-file:empty``, all at once.
    """
    found = list(faults)
    first: dict[tuple[str, str], PlacedAt] = {}
    for row in rows:
        p = row.placement
        before = first.setdefault(p.key, row)
        if before is not row:
            message = f"{p.order}/{p.operation} is there twice, first at {before.where}"
            found.append(Fault("plan-file:twice", message, "Keep one of them", row.where, row.line))
    if not rows and not found:
        found.append(Fault("plan-file:empty", "The file names no operation", "Export a plan to see what it looks like"))
    if found:
        raise InvalidInputError(sorted(found, key=lambda f: f.line or 0))
    return ReadPlan(tuple(rows))
