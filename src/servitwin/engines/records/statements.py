"""Statements on their way into the evidence log: kept with what they are about, in one transaction."""

from __future__ import annotations

from sqlalchemy import select, update

from servitwin.engines.records import statement_tables as t
from servitwin.engines.records.database import add
from servitwin.engines.records.part import Part


class StatementRecords(Part):
    """A statement is there once, by its digest; the log's owner notes where it put it."""

    def add_statement(self, digest: str, at: int, content: bytes) -> bool:
        """Let a statement (canonical JSON) wait for the log; False if it was added before."""
        with self._database.write() as connection:
            return add(connection, t.statements, {"digest": digest, "at": at, "content": content, "entry": None})

    def waiting_statements(self, limit: int = 1000) -> list[tuple[str, bytes]]:
        """Digest and content of statements that are not in the log yet, oldest first."""
        c = t.statements.c
        query = select(c.digest, c.content).where(c.entry.is_(None)).order_by(c.at, c.digest).limit(limit)
        with self._database.read() as connection:
            return [(r.digest, r.content) for r in connection.execute(query)]

    def place_statement(self, digest: str, entry: int) -> None:
        """Note the index of a statement's entry in the log."""
        with self._database.write() as connection:
            connection.execute(update(t.statements).where(t.statements.c.digest == digest).values(entry=entry))

    def statement_place(self, digest: str) -> int | None:
        """Index of a statement's entry in the log; None while it waits, or if there is no such statement."""
        with self._database.read() as connection:
            return connection.execute(select(t.statements.c.entry).where(t.statements.c.digest == digest)).scalar()
