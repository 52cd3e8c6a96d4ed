"""Trace events and what they tell of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select

from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.genealogy import Direction, Link, TraceObject, object_of
from servitwin.domain.kept_trace import KeptLink, KeptObject, KeptTrace, ObjectQuery
from servitwin.domain.trace_event import TraceEvent, TraceKind
from servitwin.domain.trace_id import short_name
from servitwin.engines.records import trace_tables as t
from servitwin.engines.records.database import add_many, put_all
from servitwin.engines.records.part import Part, decode, encode

_T = TypeVar("_T")
_AT_ONCE = 1000
_Fresh = tuple[KeptTrace, list[tuple[str, str]]]  # an event with its objects and their roles
_LAST_SIGN = "\U0010ffff"


class TraceRecords(Part):
    """Events are added once by (party, id); those of a stretch of data can be replaced by what late data say."""

    def add_traces(self, traces: Sequence[KeptTrace]) -> int:
        """Keep events; how many were new. The same event again changes nothing.

        Raises:
            ConflictError: ``trace:event-conflict`` if an id is there with another content; nothing was kept then.
        """
        with self._database.together("traces"), self._database.write() as connection:
            return _add(connection, traces)

    def replace_traces(self, source: str, traces: Sequence[KeptTrace]) -> tuple[int, int]:
        """What a stretch of data says now; how many events were added and how many are no longer said."""
        wanted = {(k.party, k.event.id) for k in traces}
        e = t.trace_events.c
        with self._database.together("traces"), self._database.write() as connection:
            there = connection.execute(select(e.n, e.party, e.id).where(e.source == source)).all()
            gone = [r.n for r in there if (r.party, r.id) not in wanted]
            _remove(connection, gone)
            return _add(connection, traces), len(gone)

    def withdraw_traces(self, party: str, ids: Sequence[str]) -> int:
        """Forget a party's events that were never right; how many there were."""
        e = t.trace_events.c
        with self._database.write() as connection:
            found = [
                n
                for part in _parts(list(ids))
                for n in connection.execute(select(e.n).where(e.party == party, e.id.in_(part))).scalars()
            ]
            _remove(connection, found)
            return len(found)

    def trace_links(self, ids: Sequence[str], direction: Direction, limit: int) -> list[KeptLink]:
        """Links from (down) or to (up) these objects, at most so many."""
        near, far, e = t.trace_uses.alias(), t.trace_uses.alias(), t.trace_events.c
        roles = ("in", "out") if direction == "down" else ("out", "in")
        query = (
            select(near.c.object.label("near"), far.c.object.label("far"), e.id, e.twin, e.party, e.at)
            .join(far, and_(far.c.event == near.c.event, far.c.role == roles[1]))
            .join(t.trace_events, e.n == near.c.event)
            .where(near.c.role == roles[0])
        )
        out: list[KeptLink] = []
        with self._database.read() as connection:
            for part in _parts(list(ids)):
                for r in connection.execute(query.where(near.c.object.in_(part)).limit(limit - len(out))):
                    ends = (r.near, r.far) if direction == "down" else (r.far, r.near)
                    out.append(KeptLink(Link(*ends, r.id), r.twin, r.party, r.at))
        return out

    def traces_about(self, ids: Sequence[str], limit: int = 1000) -> list[KeptTrace]:
        """Events about these objects, oldest first; of each thousand objects at most the newest ``limit``."""
        e = t.trace_events.c
        with self._database.read() as connection:
            rows = [
                row
                for part in _parts(list(ids))
                for row in connection.execute(
                    select(t.trace_events)
                    .where(e.n.in_(select(t.trace_uses.c.event).where(t.trace_uses.c.object.in_(part)).distinct()))
                    .order_by(e.at.desc(), e.id.desc())
                    .limit(limit)
                )
            ]
        return sorted((_kept(r) for r in rows), key=lambda k: (k.event.time, k.event.id))

    def traces_named(self, ids: Sequence[str]) -> list[KeptTrace]:
        """Events by their own ids, of whatever party."""
        e = t.trace_events.c
        with self._database.read() as connection:
            return [
                _kept(r)
                for part in _parts(list(ids))
                for r in connection.execute(select(t.trace_events).where(e.id.in_(part)).order_by(e.at, e.id))
            ]

    def trace_keepers(self, id: str, limit: int) -> list[tuple[str, str, int]]:
        """(machine, party, time) of events about an object, in no order."""
        e, u = t.trace_events.c, t.trace_uses.c
        query = select(e.twin, e.party, e.at).join(t.trace_uses, u.event == e.n).where(u.object == id).limit(limit)
        with self._database.read() as connection:
            return [(r.twin, r.party, r.at) for r in connection.execute(query)]

    def traces_between(
        self,
        start: int,
        end: int,
        *,
        twin: str | None = None,
        kind: TraceKind | None = None,
        product: str = "",
        newest: bool = False,
        limit: int = 10_000,
    ) -> list[KeptTrace]:
        """Events that touch [start, end), oldest first; ``newest``: of too many the last ones."""  # fmt: skip
        e = t.trace_events.c
        query = select(t.trace_events).where(e.at >= start, or_(e.start < end, and_(e.start.is_(None), e.at < end)))
        if twin is not None:
            query = query.where(e.twin == twin)
        if kind is not None:
            query = query.where(e.kind == kind)
        if product:
            query = query.where(e.product == product)
        order = (e.at.desc(), e.id.desc()) if newest else (e.at, e.id)
        with self._database.read() as connection:
            found = [_kept(r) for r in connection.execute(query.order_by(*order).limit(limit))]
        return found[::-1] if newest else found

    def trace_products(self) -> list[tuple[str, str, str]]:
        """(product, twin, party) of everything that was measured."""
        e = t.trace_events.c
        query = select(e.product, e.twin, e.party).where(e.kind == "measured").distinct()
        with self._database.read() as connection:
            return [
                (r.product, r.twin, r.party) for r in connection.execute(query.order_by(e.product, e.twin, e.party))
            ]

    def trace_objects(self, ids: Sequence[str]) -> list[KeptObject]:
        """Summaries of these objects, one for each party that tells of them."""
        o = t.trace_objects.c
        with self._database.read() as connection:
            return [
                _object(r)
                for part in _parts(list(ids))
                for r in connection.execute(select(t.trace_objects).where(o.id.in_(part)).order_by(o.id, o.party))
            ]

    def find_trace_objects(self, asked: ObjectQuery) -> list[KeptObject]:
        """Objects by name, product and so on, newest first."""
        o = t.trace_objects.c
        query = select(t.trace_objects)
        if asked.party is not None:
            # Concatenated and added to, so that no index is used for what nearly all of a caller's objects fulfil.
            query = query.where(or_(and_(o.twin == "", o.party + "" == asked.party), *_in_spans(asked)))
        if asked.kind is not None:
            query = query.where(o.kind == asked.kind)
        if asked.name:
            begins = and_(o.name >= asked.name, o.name < asked.name + _LAST_SIGN)
            query = query.where(or_(o.id == asked.name, begins))
        for column, value in ((o.product, asked.product), (o.verdict, asked.verdict), (o.twin, asked.twin)):
            if value:
                query = query.where(column == value)
        if asked.start is not None:
            query = query.where(o.made >= asked.start)
        if asked.end is not None:
            query = query.where(o.made < asked.end)
        if asked.after is not None:
            made, id = asked.after
            query = query.where(or_(o.made < made, and_(o.made == made, o.id < id)))
        with self._database.read() as connection:
            # Few have a name that begins so: without the sum they would be looked for along all of time.
            newest = (o.made + 0).desc() if asked.name else o.made.desc()
            found = connection.execute(query.order_by(newest, o.id.desc()).limit(asked.limit))
            return [_object(r) for r in found]


def _in_spans(asked: ObjectQuery) -> Iterator[ColumnElement[bool]]:
    """Conditions on machine and time; machines that may be seen always share one."""
    o = t.trace_objects.c
    by_span: dict[tuple[int, int], list[str]] = {}
    for twin, spans in asked.spans.items():
        for span in spans:
            by_span.setdefault(span, []).append(twin)
    for (start, end), twins in by_span.items():
        yield and_(o.twin.in_(twins), o.made + 0 >= start, o.made + 0 < end)


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for i in range(0, len(items), _AT_ONCE):
        yield items[i : i + _AT_ONCE]


def _add(connection: Connection, traces: Sequence[KeptTrace]) -> int:
    rows = {(k.party, k.event.id): k for k in traces}
    there = _there(connection, list(rows))
    for key, (_, body) in there.items():
        if body != encode(rows[key].event):
            fault = Fault(
                "trace:event-conflict", f"Event {key[1][:120]} is kept with another content",
                "Give a corrected event a new id, and withdraw the old one by an error declaration", "eventID",
            )  # fmt: skip
            raise ConflictError(fault)
    fresh = {key: k for key, k in rows.items() if key not in there}
    if not fresh:
        return 0
    first = connection.execute(select(func.coalesce(func.max(t.trace_events.c.n), 0))).scalar_one() + 1
    numbered = list(enumerate(fresh.items(), first))
    for lot in _parts([_row(n, key[1], k) for n, (key, k) in numbered]):
        connection.execute(t.trace_events.insert(), list(lot))
    with_roles = [(n, k, _roles(k.event)) for n, (_, k) in numbered]
    uses = [{"object": o, "event": n, "role": role} for n, _, found in with_roles for o, role in found]
    for part in _parts(uses):
        connection.execute(t.trace_uses.insert(), list(part))
    _summarise(connection, set(), [(k, found) for _, k, found in with_roles])
    return len(fresh)


def _remove(connection: Connection, numbers: Sequence[int]) -> None:
    touched: set[tuple[str, str]] = set()
    u, e = t.trace_uses.c, t.trace_events.c
    for part in _parts(numbers):
        about = select(e.party, u.object).join(t.trace_uses, u.event == e.n).where(e.n.in_(part))
        touched.update((r.party, r.object) for r in connection.execute(about))
        connection.execute(delete(t.trace_uses).where(u.event.in_(part)))
        connection.execute(delete(t.trace_events).where(e.n.in_(part)))
    _summarise(connection, touched, [])


def _there(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, bytes]]:
    e = t.trace_events.c
    found: dict[tuple[str, str], tuple[int, bytes]] = {}
    for party in sorted({p for p, _ in keys}):
        for part in _parts([i for p, i in keys if p == party]):
            query = select(e.n, e.id, e.body).where(e.party == party, e.id.in_(part))
            found.update({(party, r.id): (r.n, bytes(r.body)) for r in connection.execute(query)})
    return found


def _roles(event: TraceEvent) -> list[tuple[str, str]]:
    inside, outside = event.flows
    roles = dict.fromkeys([*((i, "in") for i in inside), *((i, "out") for i in outside)])
    named = {i for i, _ in roles}
    about = [*event.parts, event.parent, *(u.id for u in event.inputs)]
    roles.update(dict.fromkeys((i, "about") for i in about if i and i not in named))
    return list(roles)


def _summarise(connection: Connection, touched: Iterable[tuple[str, str]], fresh: Sequence[_Fresh]) -> None:
    """Write the summaries of objects anew. What only goes into others (batches, tools) has one that never changes.

    An input of ten thousand parts must not be read ten thousand times: it is looked at only where an event makes,
    measures or removes it.
    """
    active = {(k.party, o) for k, roles in fresh for o, role in roles if role != "in"} | set(touched)
    by_input = {
        (k.party, o): k for k, roles in fresh for o, role in roles if role == "in" and (k.party, o) not in active
    }
    active |= _told_otherwise(connection, set(by_input), fresh)
    known: dict[tuple[str, str], list[KeptTrace]] = {key: [] for key in sorted(active)}
    e, u = t.trace_events.c, t.trace_uses.c
    for part in _parts(sorted({o for _, o in active})):
        # By object alone: a condition on the party would tempt the planner to read all that the party ever kept.
        query = select(u.object, t.trace_events).join(t.trace_events, u.event == e.n).where(u.object.in_(part))
        for r in connection.execute(query):
            if (r.party, r.object) in known:
                known[r.party, r.object].append(_kept(r))
    for lot in _parts([_summary(party, o, traces) for (party, o), traces in known.items() if traces]):
        put_all(connection, t.trace_objects, lot)
    _forget(connection, [key for key, traces in known.items() if not traces])
    inputs = [_summary(party, o, [k]) for (party, o), k in by_input.items() if (party, o) not in active]
    for lot in _parts(inputs):
        add_many(connection, t.trace_objects, lot)


def _told_otherwise(
    connection: Connection, passive: set[tuple[str, str]], fresh: Sequence[_Fresh]
) -> set[tuple[str, str]]:
    """Those whose summary has them as another kind of thing: which one holds must not depend on who came first."""
    kinds: dict[tuple[str, str], set[str]] = {key: set() for key in passive}
    for k, roles in fresh:
        for id, _ in roles:
            if (k.party, id) in kinds:
                kinds[k.party, id].add(k.event.kind_of(id))
    o = t.trace_objects.c
    for party in sorted({p for p, _ in passive}):
        for part in _parts([i for p, i in passive if p == party]):
            query = select(o.id, o.kind).where(o.party == party, o.id.in_(part), o.made == 0)
            for r in connection.execute(query):
                kinds[party, r.id].add(r.kind)
    return {key for key, told in kinds.items() if len(told) > 1}


def _forget(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    o = t.trace_objects.c
    for party, id in keys:
        connection.execute(delete(t.trace_objects).where(o.party == party, o.id == id))


def _summary(party: str, id: str, traces: Sequence[KeptTrace]) -> dict[str, Any]:
    summary = object_of(id, [k.event for k in traces])
    making = min(
        (k for k in traces if k.event.kind in ("made", "operation") and id in k.event.parts),
        key=lambda k: (k.event.time, k.event.id), default=None,
    )  # fmt: skip
    return {
        "party": party, "id": id, "name": short_name(id), "kind": summary.kind, "product": summary.product,
        "twin": making.twin if making else "", "made": summary.made or 0, "verdict": summary.verdict,
        "body": encode(summary),
    }  # fmt: skip


def _row(n: int, id: str, k: KeptTrace) -> dict[str, Any]:
    e = k.event
    return {
        "n": n, "party": k.party, "id": id, "at": e.time, "start": e.start, "kind": e.kind, "twin": k.twin,
        "product": e.product, "source": k.source, "received": k.received, "body": encode(e),
    }  # fmt: skip


def _kept(r: Row[Any]) -> KeptTrace:
    return KeptTrace(decode(r.body, TraceEvent), r.twin, r.party, r.source, r.received)


def _object(r: Row[Any]) -> KeptObject:
    return KeptObject(decode(r.body, TraceObject), r.twin, r.party)
