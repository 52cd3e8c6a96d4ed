"""Commands with their whole life, and how far a twin has come (model, shadow, twin)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError

from servitwin.domain.command import Command
from servitwin.domain.error import ConflictError, Fault
from servitwin.engines.records import tables as t
from servitwin.engines.records.database import put, put_all
from servitwin.engines.records.part import Part, decode, decode_plain, encode

ALL_SUBJECTS = "*"


def _is_open(command: Command) -> bool:
    waits_for_effect = command.status == "acknowledged" and bool(command.effect_signal)
    return command.status == "sent" or waits_for_effect


class CommandRecords(Part):
    """Commands and levels."""

    def save_command(self, command: Command) -> None:
        """Add a command, or replace what is kept of the one with its id.

        Raises:
            ConflictError: ``command:key-used`` if another command of that twin has the same idempotency key.
        """
        row = {
            "id": command.id,
            "twin": command.twin,
            "idempotency_key": command.key,
            "issued": command.issued,
            "is_open": _is_open(command),
            "body": encode(command),
        }
        try:
            with self._database.write() as connection:
                put(connection, t.commands, row)
        except IntegrityError as e:
            raise ConflictError(
                Fault(
                    "command:key-used",
                    f"Another command of this twin has the idempotency key {command.key!r}",
                    "Ask for that command, or send with a new key",
                    "key",
                )
            ) from e

    def command(self, id: str) -> Command | None:
        """The command with that id, or None."""
        return self._one(t.commands.c.id == id)

    def command_by_key(self, twin: str, key: str) -> Command | None:
        """The command of a twin (uid) with that idempotency key, or None."""
        return self._one(and_(t.commands.c.twin == twin, t.commands.c.idempotency_key == key)) if key else None

    def _one(self, condition: Any) -> Command | None:
        with self._database.read() as connection:
            body = connection.execute(select(t.commands.c.body).where(condition)).scalar()
        return None if body is None else decode(body, Command)

    def commands(self, twin: str, *, after: str = "", limit: int = 100, since: int | None = None) -> list[Command]:
        """Commands of a twin (uid), newest first; ``after`` is the id of the last one seen, ``since`` ns UTC."""
        c = t.commands.c
        query = select(c.body).where(c.twin == twin).order_by(c.issued.desc(), c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(c.issued >= since)
        if after:
            seen = select(c.issued).where(c.id == after).scalar_subquery()
            query = query.where(or_(c.issued < seen, and_(c.issued == seen, c.id < after)))
        with self._database.read() as connection:
            return [decode(b, Command) for b in connection.execute(query).scalars()]

    def open_commands(self) -> list[Command]:
        """Commands that still wait for an acknowledgement or for their effect, oldest first."""
        c = t.commands.c
        query = select(c.body).where(c.is_open.is_(True)).order_by(c.issued, c.id)
        with self._database.read() as connection:
            return [decode(b, Command) for b in connection.execute(query).scalars()]

    def level_history(self, twin: str, subject: str = "") -> list[dict[str, Any]]:
        """Levels of a subject in order of time: subject, level, since (ns UTC), evidence.

        Subject "" is the twin (uid) as a whole, ``*`` gives all of its subjects.
        """
        c = t.levels.c
        query = select(t.levels).where(c.twin == twin).order_by(c.subject, c.since)
        if subject != ALL_SUBJECTS:
            query = query.where(c.subject == subject)
        with self._database.read() as connection:
            return [
                {"subject": r.subject, "level": r.level, "since": r.since, "evidence": decode_plain(r.evidence)}
                for r in connection.execute(query)
            ]

    def levels_at(self, moment: int) -> dict[str, str]:
        """The level that each twin (uid) as a whole had at that instant (ns UTC), in one reading."""
        c = t.levels.c
        query = select(c.twin, c.level).where(c.subject == "", c.since <= moment).order_by(c.since)
        with self._database.read() as connection:
            return {r.twin: r.level for r in connection.execute(query)}

    def save_level(self, twin: str, subject: str, level: str, since: int, evidence: Mapping[str, Any]) -> None:
        """Keep that a subject has a level since an instant; the same instant again replaces it."""
        self.save_levels(since, [(twin, subject, level, evidence)])

    def save_levels(self, since: int, levels: Sequence[tuple[str, str, str, Mapping[str, Any]]]) -> None:
        """Keep many levels that began at one instant, (twin uid, subject, level, evidence), in one transaction."""
        rows = [
            {"twin": twin, "subject": subject, "level": level, "since": since, "evidence": encode(dict(evidence))}
            for twin, subject, level, evidence in levels
        ]
        with self._database.write() as connection:
            put_all(connection, t.levels, rows)
