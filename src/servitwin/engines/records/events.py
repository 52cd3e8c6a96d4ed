"""Audit and events: rows that are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, text

from servitwin.domain.party import Actor
from servitwin.engines.records import tables as t
from servitwin.engines.records.part import Part, decode, decode_plain, encode

_EVENT_LOCK = 0x5E771731  # any constant of our own; it names the lock among all users of the database


class EventRecords(Part):
    """What was done by whom, and what happened."""

    def audit(self, actor: Actor, action: str, subject: str, at: int, detail: Mapping[str, Any]) -> None:
        """Add to the audit; a trigger of the database refuses to change or delete it afterwards."""
        row = {"at": at, "actor": encode(actor), "action": action, "subject": subject, "detail": encode(dict(detail))}
        with self._database.write() as connection:
            connection.execute(t.audit.insert().values(**row))

    def audit_entries(self, *, after: str = "", limit: int = 100, subject: str = "") -> list[dict[str, Any]]:
        """Audit, newest first: id, at, actor, action, subject, detail; ``after`` is the id of the last one seen."""
        c = t.audit.c
        query = select(t.audit).order_by(c.id.desc()).limit(limit)
        if after:
            query = query.where(c.id < int(after))
        if subject:
            query = query.where(c.subject == subject)
        with self._database.read() as connection:
            return [
                {
                    "id": str(r.id),
                    "at": r.at,
                    "actor": decode(r.actor, Actor),
                    "action": r.action,
                    "subject": r.subject,
                    "detail": decode_plain(r.detail),
                }
                for r in connection.execute(query)
            ]

    def add_event(self, kind: str, subject: str, at: int, data: Mapping[str, Any]) -> int:
        """Add an event and return its id; ids grow in the order in which events become visible."""
        with self._database.write() as connection:
            _in_turn(connection)
            values = {"kind": kind, "subject": subject, "at": at, "data": encode(dict(data))}
            return int(connection.execute(t.events.insert().values(**values).returning(t.events.c.id)).scalar_one())

    def events(self, after: int, limit: int = 500) -> list[dict[str, Any]]:
        """Events with an id above ``after`` in order: id, kind, subject, at, data."""
        query = select(t.events).where(t.events.c.id > after).order_by(t.events.c.id).limit(limit)
        with self._database.read() as connection:
            return [
                {"id": r.id, "kind": r.kind, "subject": r.subject, "at": r.at, "data": decode_plain(r.data)}
                for r in connection.execute(query)
            ]


def _in_turn(connection: Connection) -> None:
    # PostgreSQL gives out ids before it commits: a reader that has seen id 8 would miss a 7 committed later.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _EVENT_LOCK})
