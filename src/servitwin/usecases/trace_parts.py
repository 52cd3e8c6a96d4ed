"""Ask for parts: find them, read one's whole life, and recall what a batch, a tool or a machine's hours went into."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.genealogy import MOST_REACHED, Direction, Link, Reached, TraceObject, object_of, reach
from servitwin.domain.kept_trace import KeptObject, KeptTrace, ObjectQuery
from servitwin.domain.trace_event import TraceEvent
from servitwin.usecases.ports import Records
from servitwin.usecases.trace_sight import TraceSight

MOST_SHOWN = 400  # objects of one part's genealogy: more is a recall
MOST_EVENTS = 300  # about one object, the newest: a batch has one for each of its parts
MOST_BEGUN = 100_000
TOLD_BY = 4  # events that are read to tell what a thing is of which no summary may be seen


class Life(msgspec.Struct, frozen=True):
    """One object with all that is known: what went into it, what it went into, and every event.

    Attributes:
        up, down: what was reached; objects are named in ``objects``.
        events: about the object itself, oldest first; ``around``: that made what went into it.
        withheld: whether links end at events that belong to others.
    """

    object: TraceObject
    up: Reached
    down: Reached
    objects: dict[str, TraceObject]
    events: tuple[TraceEvent, ...]
    around: tuple[TraceEvent, ...]
    withheld: bool


class Recall(msgspec.Struct, frozen=True):
    """What a recall found, nearest first.

    Attributes:
        start: what it began with; ``links``: the way from there to each.
        withheld: whether something of others was left out.
        cut_off: whether there was more than a recall may name.
    """

    start: tuple[str, ...]
    objects: tuple[KeptObject, ...]
    depth: dict[str, int]
    links: tuple[Link, ...]
    withheld: bool
    cut_off: bool


class TraceParts:
    """Questions of one caller; ``sight`` says what it may see."""

    def __init__(self, records: Records, sight: TraceSight) -> None:
        self._records, self._sight = records, sight
        self._withheld = False

    def find(self, asked: ObjectQuery) -> list[KeptObject]:
        """Parts, batches or tools by the beginning of their names, newest first."""
        seen = msgspec.structs.replace(asked, party=self._sight.party, spans=self._sight.all_spans())
        return self._records.find_trace_objects(seen)

    def life(self, id: str) -> Life:
        """Everything about one object.

        Raises:
            NotFoundError: ``part:unknown``, the same whether it does not exist or is none of the caller's business.
        """
        self._withheld = False
        own = self._about([id])
        if not own:
            raise _unknown(id)
        up, down = self._reach([id], "up", MOST_SHOWN), self._reach([id], "down", MOST_SHOWN)
        ids = [i for i in dict.fromkeys([*up.depth, *down.depth]) if i != id]
        objects = {o.object.id: o.object for o in self._objects(ids, (*up.links, *down.links))}
        known = {k.event.id for k in own}
        making = [i for i in dict.fromkeys(k.event for k in up.links) if i not in known][:MOST_SHOWN]
        around = [k.event for k in self._records.traces_named(making) if self._sees(k)]
        return Life(
            object_of(id, [k.event for k in own]), up, down, objects, tuple(k.event for k in own),
            tuple(around), self._withheld,
        )  # fmt: skip

    def recall(self, ids: Sequence[str], direction: Direction = "down") -> Recall:
        """All that these objects went into (or that went into them).

        Raises:
            NotFoundError: ``part:unknown`` for the first id of which nothing may be seen.
        """
        self._withheld = False
        for id in ids:
            if not any(self._sight.sees(*k) for k in self._records.trace_keepers(id, 100_000)):
                raise _unknown(id)
        return self._recall(ids, direction)

    def recall_interval(self, twin: str, start: int, end: int) -> Recall:
        """All that went on from a machine (uid) in [start, end)."""
        self._withheld = False
        events = [k for k in self._records.traces_between(start, end, twin=twin, limit=MOST_BEGUN) if self._sees(k)]
        begun = [
            p for k in events if k.event.kind in ("made", "operation", "assembled", "packed") for p in k.event.parts
        ]
        return self._recall(list(dict.fromkeys(begun)), "down")

    def events(self, start: int, end: int, *, twin: str | None, product: str, limit: int) -> list[KeptTrace]:
        """Events of a stretch of time that may be seen, oldest first."""
        found = self._records.traces_between(start, end, twin=twin, product=product, limit=limit)
        return [k for k in found if self._sight.sees(k.twin, k.party, k.event.time)]

    def about(self, id: str) -> list[KeptTrace]:
        """Events about one object that may be seen, oldest first."""
        return self._about([id])

    # inside --------------------------------------------------------------------------------------------------
    def _recall(self, ids: Sequence[str], direction: Direction) -> Recall:
        reached = self._reach(ids, direction, MOST_REACHED)
        objects = self._objects(list(reached.depth), reached.links)
        objects.sort(key=lambda o: (reached.depth[o.object.id], o.object.made or 0, o.object.id))
        return Recall(tuple(ids), tuple(objects), reached.depth, reached.links, self._withheld, reached.cut_off)

    def _reach(self, ids: Sequence[str], direction: Direction, most: int) -> Reached:
        def step(wave: Sequence[str]) -> list[Link]:
            # A little more than may be reached: whatever is left out by that is told as cut off.
            found = self._records.trace_links(wave, direction, 2 * most + 1_000)
            sees = self._sight.sees
            seen = [k.link for k in found if sees(k.twin, k.party, k.at)]
            self._withheld = self._withheld or len(seen) < len(found)
            return seen

        return reach(ids, step, direction, most)

    def _sees(self, kept: KeptTrace) -> bool:
        seen = self._sight.sees(kept.twin, kept.party, kept.event.time)
        self._withheld = self._withheld or not seen
        return seen

    def _about(self, ids: Sequence[str]) -> list[KeptTrace]:
        return [k for k in self._records.traces_about(ids, MOST_EVENTS) if self._sees(k)]

    def _objects(self, ids: Sequence[str], links: Sequence[Link]) -> list[KeptObject]:
        """One summary for each id: of what may be seen, the one that tells when it was made.

        A batch, a tool, a container was made nowhere here: its summary has no machine and no time that rights could
        follow, and is its keeper's alone. To others it is what the events say that they see it in.
        """
        best: dict[str, KeptObject] = {}
        for o in self._records.trace_objects(ids):
            at = o.object.made if o.object.made is not None else 0
            if not self._sight.sees(o.twin, o.party, at):
                continue
            known = best.get(o.object.id)
            if known is None or (known.object.made is None and o.object.made is not None):
                best[o.object.id] = o
        best |= self._as_used([i for i in ids if i not in best], links)
        return [best.get(i) or KeptObject(TraceObject(i), "", "") for i in ids]

    def _as_used(self, ids: Sequence[str], links: Sequence[Link]) -> dict[str, KeptObject]:
        """What the first events that link these objects say of them; the caller may see those events."""
        telling: dict[str, list[str]] = {i: [] for i in ids}
        for link in links:
            for end in (link.source, link.target):
                told = telling.get(end)
                if told is not None and len(told) < TOLD_BY and link.event not in told:
                    told.append(link.event)
        named = self._records.traces_named(list(dict.fromkeys(e for told in telling.values() for e in told)))
        seen = {k.event.id: k.event for k in named if self._sight.sees(k.twin, k.party, k.event.time)}
        return {
            i: KeptObject(object_of(i, [seen[e] for e in told if e in seen]), "", "") for i, told in telling.items()
        }


def _unknown(id: str) -> NotFoundError:
    return NotFoundError(
        Fault("part:unknown", f"Nothing is known of {id[:120]!r}", "GET /api/v1/parts lists what you may see", "id")
    )
