"""Genealogy: from a part to all that went into it, and from a batch, a tool or a machine's hour to all it went into.

Order of arrival and time play no part in what is reached: a late event gives the same answer as one in time, and a
recall rather names a part too many than one too few. What was packed once counts as packed, also after unpacking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from servitwin.domain.trace_event import ObjectKind, TraceEvent, Verdict

Direction = Literal["up", "down"]
MOST_REACHED = 200_000


class Link(NamedTuple):
    """By this event ``source`` became part of ``target``."""

    source: str
    target: str
    event: str


class Reached(msgspec.Struct, frozen=True):
    """What can be reached from some objects.

    Attributes:
        depth: each object (the start is 0) with the least number of steps to it, in order of (steps, id).
        links: all links passed, each once, in order.
        circles: links that lead back to where they came from: whoever said so contradicts another.
        cut_off: whether more could be reached than was asked for.
    """

    depth: dict[str, int]
    links: tuple[Link, ...]
    circles: tuple[Link, ...] = ()
    cut_off: bool = False


Step = Callable[[Sequence[str]], Iterable[Link]]


def reach(start: Sequence[str], step: Step, direction: Direction, most: int = MOST_REACHED) -> Reached:
    """Everything that can be reached, breadth first.

    Args:
        start: ids to begin with.
        step: all links whose ``source`` (down) or ``target`` (up) is among the ids given.
        direction: ``down`` to what it went into, ``up`` to what went into it.
        most: objects at most.
    """
    depth = dict.fromkeys(sorted(set(start)), 0)
    links: dict[Link, None] = {}
    wave, steps, cut_off = list(depth), 0, False
    while wave and not cut_off:
        steps += 1
        found = sorted(set(step(wave)))
        following: dict[str, None] = {}
        for link in found:
            other = link.target if direction == "down" else link.source
            if other not in depth and other not in following:
                if len(depth) + len(following) >= most:
                    cut_off = True
                    continue
                following[other] = None
            links[link] = None
        wave = sorted(following)
        depth.update(dict.fromkeys(wave, steps))
    return Reached(depth, tuple(links), _circles(tuple(links)) if _leads_back(links, depth, direction) else (), cut_off)


def _leads_back(links: Iterable[Link], depth: Mapping[str, int], direction: Direction) -> bool:
    """Whether any link does not lead farther away: only then there can be a circle."""
    if direction == "down":
        return any(depth.get(k.target, 1 << 40) <= depth[k.source] for k in links)
    return any(depth.get(k.source, 1 << 40) <= depth[k.target] for k in links)


def _circles(links: Sequence[Link]) -> tuple[Link, ...]:
    """Links inside circles: those that stay when what has no predecessor or no successor is taken away in turn."""
    alive = set(links)
    for forward in (True, False):
        count: dict[str, int] = {}
        leaving: dict[str, list[Link]] = {}
        for link in alive:
            a, b = (link.source, link.target) if forward else (link.target, link.source)
            count[b] = count.get(b, 0) + 1
            leaving.setdefault(a, []).append(link)
        ready = [a for a in leaving if not count.get(a)]
        while ready:
            for link in leaving.get(ready.pop(), ()):
                alive.discard(link)
                b = link.target if forward else link.source
                count[b] -= 1
                if not count[b]:
                    ready.append(b)
    return tuple(k for k in links if k in alive)


def links_of(event: TraceEvent) -> list[Link]:
    """Links that an event makes."""
    inside, outside = event.flows
    return [Link(a, b, event.id) for a in dict.fromkeys(inside) for b in dict.fromkeys(outside)]


class TraceObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the events together say of one object; the same for every order in which they came.

    Attributes:
        made: when it was made (ns UTC), as the earliest event that made or worked on it says; None: not told.
        verdict: of the last event that gave one; ``reason`` goes with it.
        place: where it was made first.
    """

    id: str
    kind: ObjectKind = "part"
    product: str = ""
    place: str = ""
    made: int | None = None
    verdict: Verdict = ""
    reason: str = ""


def object_of(id: str, events: Iterable[TraceEvent]) -> TraceObject:
    """The summary of an object from all events about it, in any order."""
    ordered = sorted(events, key=lambda e: (e.time, e.id))
    making = [e for e in ordered if e.kind in ("made", "operation") and id in e.parts]
    first = making[0] if making else None
    judging = [
        e for e in ordered if e.judged and id in e.parts and e.kind in ("measured", "scrapped", "made", "operation")
    ]
    scrapped = [e for e in judging if e.kind == "scrapped"]
    last = scrapped[-1] if scrapped else judging[-1] if judging else None  # what is scrapped stays so
    kinds = {e.kind_of(id) for e in ordered}
    kind: ObjectKind = "part" if making else next((k for k in ("container", "tool", "batch") if k in kinds), "part")
    products = [e.product for e in (making or ordered) if e.product and id in e.parts]
    return TraceObject(
        id, kind, products[0] if products else "", first.place if first else "", first.time if first else None,
        last.judged if last else "", last.reason if last else "",
    )  # fmt: skip
