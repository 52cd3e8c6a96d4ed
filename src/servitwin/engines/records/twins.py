"""Machine types, twins, their calendars and declared gaps."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, or_, select

from servitwin.domain.calendar import Calendar
from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.machine_type import MachineType
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Twin, value_at
from servitwin.engines.records import tables as t
from servitwin.engines.records.database import add, count_up, put
from servitwin.engines.records.part import Part, decode, encode

_TWINS = "twins"


def note_change(connection: Connection) -> None:
    """Raise ``twins_revision``."""
    count_up(connection, t.revisions, {"name": _TWINS, "value": 1}, "value")


class TwinRecords(Part):
    """Twins with their types. Each change raises ``twins_revision``, so that readers see cheaply that one happened."""

    def machine_type(self, name: str, version: int | None = None) -> MachineType | None:
        """The type in that version; without one, its highest version."""
        c = t.machine_types.c
        query = select(c.body).where(c.name == name).order_by(c.version.desc()).limit(1)
        if version is not None:
            query = query.where(c.version == version)
        with self._database.read() as connection:
            body = connection.execute(query).scalar()
        return None if body is None else decode(body, MachineType)

    def machine_types(self) -> list[MachineType]:
        """All types in all versions, by name and version."""
        query = select(t.machine_types.c.body).order_by(t.machine_types.c.name, t.machine_types.c.version)
        with self._database.read() as connection:
            return [decode(b, MachineType) for b in connection.execute(query).scalars()]

    def add_machine_type(self, machine_type: MachineType) -> None:
        """Publish a version of a type; the same content again changes nothing.

        Raises:
            ConflictError: ``machine-type:version-exists`` if that version has other content.
        """
        body = encode(decode(encode(machine_type), MachineType))  # 0 and 0.0 are the same content
        c = t.machine_types.c
        where = (c.name == machine_type.name, c.version == machine_type.version)
        with self._database.write() as connection:
            row = {"name": machine_type.name, "version": machine_type.version, "body": body}
            if add(connection, t.machine_types, row):
                note_change(connection)
                return
            present = connection.execute(select(c.body).where(*where)).scalar_one()
            if encode(decode(present, MachineType)) != body:
                raise ConflictError(
                    Fault(
                        "machine-type:version-exists",
                        f"{machine_type.reference} is already published with other content",
                        f"Publish the change as version {machine_type.version + 1}",
                        "version",
                    )
                )

    def twin(self, id_or_uid: str) -> Twin | None:
        """The twin with that id or uid, or None."""
        query = select(t.twins.c.body).where(or_(t.twins.c.id == id_or_uid, t.twins.c.uid == id_or_uid))
        with self._database.read() as connection:
            body = connection.execute(query).scalar()
        return None if body is None else decode(body, Twin)

    def twins(self, *, after: str = "", limit: int | None = None, kind: str = "") -> list[Twin]:
        """Twins in order of id, retired ones included; ``after`` is the id of the last one seen."""
        query = select(t.twins.c.body).order_by(t.twins.c.id).limit(limit)
        if after:
            query = query.where(t.twins.c.id > after)
        if kind:
            query = query.where(t.twins.c.kind == kind)
        with self._database.read() as connection:
            return [decode(b, Twin) for b in connection.execute(query).scalars()]

    def children(self, id: str, at: int) -> list[Twin]:
        """Twins that were part of that twin at that instant, in order of id."""
        p = t.twin_parents.c
        query = (
            select(t.twins.c.body)
            .join_from(t.twins, t.twin_parents, t.twins.c.uid == p.uid)
            .where(p.parent == id, p.start_ns <= at, or_(p.end_ns.is_(None), p.end_ns > at))
            .order_by(t.twins.c.id)
        )
        with self._database.read() as connection:
            found = [decode(b, Twin) for b in connection.execute(query).scalars()]
        return [twin for twin in found if value_at(twin.parent, at) == id]

    def save_twin(self, twin: Twin) -> None:
        """Add a twin, or replace what is kept of the one with its uid.

        Raises:
            ConflictError: ``twin:id-taken`` if another twin has or ever had its id.
        """
        ids = t.twin_ids.c
        with self._database.write() as connection:
            add(connection, t.twin_ids, {"id": twin.id, "uid": twin.uid})
            if connection.execute(select(ids.uid).where(ids.id == twin.id)).scalar() != twin.uid:
                raise ConflictError(
                    Fault("twin:id-taken", f"Another twin has or had the id {twin.id!r}", "Choose a new id", "id")
                )
            put(connection, t.twins, {"uid": twin.uid, "id": twin.id, "kind": twin.kind, "body": encode(twin)})
            connection.execute(delete(t.twin_parents).where(t.twin_parents.c.uid == twin.uid))
            for parent in twin.parent:
                row = {"uid": twin.uid, "parent": parent.value, "start_ns": parent.start, "end_ns": parent.end}
                put(connection, t.twin_parents, row)
            note_change(connection)

    def twins_revision(self) -> int:
        """A number that grows with every change of a twin, a machine type or a calendar."""
        query = select(t.revisions.c.value).where(t.revisions.c.name == _TWINS)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or 0

    def gaps(self, uid: str) -> list[Gap]:
        """Declared gaps of a twin in order of time."""
        c = t.gaps.c
        with self._database.read() as connection:
            rows = connection.execute(select(t.gaps).where(c.uid == uid).order_by(c.start_ns, c.end_ns, c.source))
            return [Gap(r.start_ns, r.end_ns, r.reason, r.source) for r in rows]

    def all_gaps(self) -> dict[str, list[Gap]]:
        """Declared gaps of every twin that has some, by uid, each in order of time."""
        c = t.gaps.c
        found: dict[str, list[Gap]] = {}
        with self._database.read() as connection:
            for r in connection.execute(select(t.gaps).order_by(c.uid, c.start_ns, c.end_ns, c.source)):
                found.setdefault(r.uid, []).append(Gap(r.start_ns, r.end_ns, r.reason, r.source))
        return found

    def declare_gaps(self, uid: str, gaps: Iterable[Gap]) -> None:
        """Add gaps of a twin; one with the same ends and source replaces the earlier."""
        with self._database.write() as connection:
            for gap in gaps:
                row = {"uid": uid, "start_ns": gap.start, "end_ns": gap.end}
                put(connection, t.gaps, {**row, "reason": gap.reason, "source": gap.source})

    def calendar(self, name: str) -> Calendar | None:
        """The calendar of that name, or None."""
        with self._database.read() as connection:
            body = connection.execute(select(t.calendars.c.body).where(t.calendars.c.name == name)).scalar()
        return None if body is None else decode(body, Calendar)

    def save_calendar(self, calendar: Calendar) -> None:
        """Add or replace a calendar."""
        with self._database.write() as connection:
            put(connection, t.calendars, {"name": calendar.name, "body": encode(calendar)})
            note_change(connection)
