"""Controllers, their checks, and replays of what those found."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select, select

from servitwin.domain.controller_replay import ControllerReplay
from servitwin.domain.kept_controller import CheckState, ControllerCheck, KeptController
from servitwin.engines.records import controller_tables as t
from servitwin.engines.records.database import add, put
from servitwin.engines.records.part import Part, decode, encode

_T = TypeVar("_T")


class ControllerRecords(Part):
    """Controllers are added and never changed; a check's row says where it stands."""

    def add_controller(self, controller: KeptController) -> bool:
        """Keep a version; False if it is there."""
        row = {"name": controller.name, "version": controller.version, "body": encode(controller)}
        with self._database.write() as connection:
            return add(connection, t.controllers, row)

    def controllers(self, name: str = "") -> list[KeptController]:
        """All versions (``name``: of one), by name and version."""
        c = t.controllers.c
        query = select(c.body).order_by(c.name, c.version)
        if name:
            query = query.where(c.name == name)
        with self._database.read() as connection:
            return [decode(r.body, KeptController) for r in connection.execute(query)]

    def save_controller_check(self, check: ControllerCheck) -> None:
        """Keep a check, or where it stands now."""
        row = {
            "id": check.id, "name": check.name, "version": check.version, "at": check.at, "state": check.state,
            "body": encode(check),
        }  # fmt: skip
        with self._database.write() as connection:
            put(connection, t.controller_checks, row)

    def controller_check(self, id: str) -> ControllerCheck | None:
        """One check."""
        c = t.controller_checks.c
        return next(iter(self._read(select(c.body).where(c.id == id), ControllerCheck)), None)

    def controller_checks(self, state: CheckState, limit: int = 100) -> list[ControllerCheck]:
        """Checks in a state, oldest first."""
        c = t.controller_checks.c
        return self._read(select(c.body).where(c.state == state).order_by(c.at, c.id).limit(limit), ControllerCheck)

    def checks_of_controller(self, name: str, version: int, limit: int = 20) -> list[ControllerCheck]:
        """Checks of a version, newest first."""
        c = t.controller_checks.c
        query = select(c.body).where(c.name == name, c.version == version).order_by(c.at.desc(), c.id.desc())
        return self._read(query.limit(limit), ControllerCheck)

    def save_controller_replay(self, replay: ControllerReplay) -> None:
        """Keep a replay, or where it stands now."""
        row = {
            "id": replay.id, "name": replay.name, "version": replay.version, "at": replay.at, "state": replay.state,
            "body": encode(replay),
        }  # fmt: skip
        with self._database.write() as connection:
            put(connection, t.controller_replays, row)

    def controller_replay(self, id: str) -> ControllerReplay | None:
        """One replay."""
        c = t.controller_replays.c
        return next(iter(self._read(select(c.body).where(c.id == id), ControllerReplay)), None)

    def controller_replays(self, state: CheckState, limit: int = 100) -> list[ControllerReplay]:
        """Replays in a state, oldest first."""
        c = t.controller_replays.c
        return self._read(select(c.body).where(c.state == state).order_by(c.at, c.id).limit(limit), ControllerReplay)

    def replays_of_controller(self, name: str, version: int, limit: int = 20) -> list[ControllerReplay]:
        """Replays that a version's model ran, newest first."""
        c = t.controller_replays.c
        query = select(c.body).where(c.name == name, c.version == version).order_by(c.at.desc(), c.id.desc())
        return self._read(query.limit(limit), ControllerReplay)

    def _read(self, query: Select[Any], kind: type[_T]) -> list[_T]:
        with self._database.read() as connection:
            return [decode(row.body, kind) for row in connection.execute(query)]
