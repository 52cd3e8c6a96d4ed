"""What is part of what in a plant file: no rings at any time, and parents before their parts."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.twin import value_at
from servitwin.formats.machine_type_rules import Say
from servitwin.formats.plant import PlantTwin


def check_tree(twins: Mapping[str, PlantTwin], say: Say) -> None:
    """Tell each ring of twins once, at the first of its members, if it closes at any moment of their dates."""
    left = _on_rings(twins)
    times = sorted({e.start for id in left for e in twins[id].parent.entries})
    told: set[frozenset[str]] = set()
    for at in times:
        for id in left:
            ring = _ring_from(id, left, at)
            if len(ring) > 1 and frozenset(ring) not in told:
                told.add(frozenset(ring))
                first = next(t for t in twins if t in ring)
                names = [*ring[ring.index(first) :], *ring[: ring.index(first)], first]
                message = f"These twins are parts of each other: {' -> '.join(names)}"
                say(("twins", first, "part_of"), "plant:cycle", message, "Remove one `part_of` of the ring")


def _on_rings(twins: Mapping[str, PlantTwin]) -> dict[str, PlantTwin]:
    """Twins that can reach themselves if dates are left aside: without the others no ring can close."""
    left = dict(twins)
    children: dict[str, set[str]] = {}
    parents = {id: {e.value for e in t.parent.entries if e.value in twins} for id, t in twins.items()}
    for id, above in parents.items():
        for parent in above:
            children.setdefault(parent, set()).add(id)
    free = [id for id, above in parents.items() if not above]
    while free:
        id = free.pop()
        del left[id]
        for child in children.get(id, ()):
            parents[child].discard(id)
            if not parents[child]:
                free.append(child)
    return left


def _ring_from(id: str, twins: Mapping[str, PlantTwin], at: int) -> list[str]:
    seen: list[str] = []
    here: str | None = id
    while here is not None and here in twins and here not in seen:
        seen.append(here)
        here = value_at(twins[here].parent.entries, at)
    return seen if here == id else []


def parents_first(twins: Mapping[str, PlantTwin]) -> list[PlantTwin]:
    """The twins in the file's order, but each after all twins that it ever was part of."""
    order: list[PlantTwin] = []
    done: set[str] = set()
    for root in twins:
        stack = [root]
        while stack:
            id = stack[-1]
            missing = [e.value for e in twins[id].parent.entries if e.value in twins and e.value not in done]
            missing = [m for m in missing if m not in stack]  # a ring over time is allowed, and ends here
            if missing:
                stack.append(missing[0])
                continue
            stack.pop()
            if id not in done:
                done.add(id)
                order.append(twins[id])
    return order
