"""Releases and their gates."""

from __future__ import annotations

from sqlalchemy import select

from servitwin.domain.release import Gate, GateState, Release
from servitwin.engines.records import release_tables as t
from servitwin.engines.records.database import put
from servitwin.engines.records.part import Part, decode, encode


class ReleaseRecords(Part):
    """A release is kept for ever; its row changes only when it is withdrawn. A gate's row says where it stands."""

    def save_release(self, release: Release) -> None:
        """Keep a release, or that it was withdrawn."""
        row = {
            "id": release.id, "machine_type": release.machine_type, "at": release.at, "body": encode(release),
        }  # fmt: skip
        with self._database.write() as connection:
            put(connection, t.releases, row)

    def release(self, id: str) -> Release | None:
        """One release."""
        with self._database.read() as connection:
            row = connection.execute(select(t.releases.c.body).where(t.releases.c.id == id)).first()
        return None if row is None else decode(row.body, Release)

    def releases(self, machine_type: str = "") -> list[Release]:
        """All releases, or those of a type, newest first."""
        c = t.releases.c
        query = select(c.body).order_by(c.at.desc(), c.id)
        if machine_type:
            query = query.where(c.machine_type == machine_type)
        with self._database.read() as connection:
            return [decode(row.body, Release) for row in connection.execute(query)]

    def save_gate(self, gate: Gate) -> None:
        """Keep a gate, or where it stands now."""
        row = {"id": gate.id, "release": gate.release, "at": gate.at, "state": gate.state, "body": encode(gate)}
        with self._database.write() as connection:
            put(connection, t.release_gates, row)

    def gates(self, release: str = "", state: GateState | None = None, limit: int = 100) -> list[Gate]:
        """Gates of a release, newest first; of a state, oldest first."""
        c = t.release_gates.c
        query = select(c.body)
        if release:
            query = query.where(c.release == release)
        if state is None:
            query = query.order_by(c.at.desc(), c.id.desc())
        else:
            query = query.where(c.state == state).order_by(c.at, c.id)
        with self._database.read() as connection:
            return [decode(row.body, Gate) for row in connection.execute(query.limit(limit))]
