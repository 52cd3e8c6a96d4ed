"""Public keys of machines."""

from __future__ import annotations

from sqlalchemy import select

from servitwin.domain.machine_key import MachineKey
from servitwin.engines.records import machine_key_tables as t
from servitwin.engines.records.database import put
from servitwin.engines.records.part import Part, decode, encode
from servitwin.engines.records.twins import note_change


class MachineKeyRecords(Part):
    """A key is kept for ever: what it signed stays explained after it was revoked."""

    def machine_keys(self) -> dict[str, tuple[MachineKey, ...]]:
        """Keys of all machines by uid, each machine's in the order in which they begin to count."""
        c = t.machine_keys.c
        found: dict[str, tuple[MachineKey, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(select(c.twin, c.body).order_by(c.twin, c.since, c.id)):
                found[row.twin] = (*found.get(row.twin, ()), decode(row.body, MachineKey))
        return found

    def save_machine_key(self, key: MachineKey) -> None:
        """Add a key or replace what is kept of it; a change of twins, for those who hold twins with their keys."""
        row = {"twin": key.twin, "id": key.id, "since": key.since, "body": encode(key)}
        with self._database.write() as connection:
            put(connection, t.machine_keys, row)
            note_change(connection)
