"""Outcomes of services with the snapshots they go on from, and small settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Text, cast, func, select

from servitwin.domain.error import ConflictError, Fault
from servitwin.engines.records import tables as t
from servitwin.engines.records.database import add, add_many, put
from servitwin.engines.records.part import Part


class OutcomeRecords(Part):
    """Outcome, snapshot and cut of a step are one row: they are kept together or not at all."""

    def save_outcome(
        self,
        service: str,
        version: str,
        twin: str,
        parameters: str,
        start: int,
        end: int,
        revision: int,
        cut: str,
        outcome: bytes,
        snapshot: bytes | None,
    ) -> None:
        """Keep the outcome of an interval [start, end); the same outcome again changes nothing.

        Raises:
            ConflictError: ``outcome:revision-exists`` if that revision has another outcome.
        """
        key = {
            "service": service,
            "version": version,
            "twin": twin,
            "parameters": parameters,
            "start_ns": start,
            "end_ns": end,
            "revision": revision,
        }
        with self._database.write() as connection:
            if add(connection, t.outcomes, {**key, "cut": cut, "outcome": outcome, "snapshot": snapshot}):
                return
            same = select(t.outcomes.c.outcome).where(*(t.outcomes.c[name] == value for name, value in key.items()))
            if connection.execute(same).scalar_one() != outcome:
                raise ConflictError(
                    Fault(
                        "outcome:revision-exists",
                        f"Revision {revision} of this interval of {service} is kept with another outcome",
                        "Save what late data changed as the next revision",
                        "revision",
                    )
                )

    def add_outcomes(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Keep outcomes that are not there yet, all in one statement; columns as :meth:`save_outcome` takes them.

        Returns:
            Whether all of them were new; of others ask :meth:`save_outcome`.
        """
        c = t.outcomes.c
        columns = (c.service, c.version, c.twin, c.parameters, c.start_ns, c.end_ns, c.revision, c.cut, c.outcome)
        names = [column.name for column in (*columns, c.snapshot)]
        with self._database.write() as connection:
            added = add_many(connection, t.outcomes, [dict(zip(names, row, strict=True)) for row in rows])
        return len(added) == len(rows)

    def outcomes(self, service: str, twin: str, start: int, end: int, *, telling: bool = False) -> list[dict[str, Any]]:
        """The latest revision of each outcome that overlaps [start, end), in order of time.

        ``telling``: only those that have results; of a service that seldom says anything these are few.
        Keys: version, parameters, from, to, revision, cut, outcome (bytes as saved).
        """
        c = t.outcomes.c
        query = (
            select(c.version, c.parameters, c.start_ns, c.end_ns, c.revision, c.cut, c.outcome)
            .where(c.service == service, c.twin == twin, c.start_ns < end, c.end_ns > start)
            .order_by(c.start_ns, c.end_ns, c.version, c.parameters, c.revision)
        )
        latest: dict[tuple[Any, ...], dict[str, Any]] = {}
        with self._database.read() as connection:
            if telling:
                query = query.where(_tells(connection), c.revision == _newest())
            for r in connection.execute(query):
                latest[(r.start_ns, r.end_ns, r.version, r.parameters)] = {
                    "version": r.version,
                    "parameters": r.parameters,
                    "from": r.start_ns,
                    "to": r.end_ns,
                    "revision": r.revision,
                    "cut": r.cut,
                    "outcome": bytes(r.outcome),
                }
        return list(latest.values())

    def latest_snapshot(
        self, service: str, version: str, twin: str, parameters: str, before: int
    ) -> tuple[int, str, bytes] | None:
        """End, cut and snapshot of the last interval that ends at or before that instant, latest revision first."""
        c = t.outcomes.c
        query = (
            select(c.end_ns, c.cut, c.snapshot)
            .where(c.service == service, c.version == version, c.twin == twin, c.parameters == parameters)
            .where(c.end_ns <= before, c.snapshot.is_not(None))
            .order_by(c.end_ns.desc(), c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.end_ns, row.cut, bytes(row.snapshot))

    def snapshots_at(self, end: int, twins: Collection[str]) -> dict[tuple[str, ...], bytes]:
        """Snapshots of the intervals of some twins that end then, latest revision.

        Returns:
            By service, version, twin and parameters.
        """
        c = t.outcomes.c
        query = (
            select(c.service, c.version, c.twin, c.parameters, c.snapshot)
            .where(c.twin.in_(twins), c.end_ns == end, c.snapshot.is_not(None))
            .order_by(c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {(r.service, r.version, r.twin, r.parameters): bytes(r.snapshot) for r in rows}

    def thin_snapshots(self, service: str, version: str, twin: str, parameters: str, start: int, end: int) -> None:
        """Of the snapshots of intervals that end in [start, end) keep the last one alone; outcomes stay."""
        c = t.outcomes.c
        mine = (
            c.service == service, c.version == version, c.twin == twin, c.parameters == parameters,
            c.end_ns >= start, c.end_ns < end, c.snapshot.is_not(None),
        )  # fmt: skip
        last = select(func.max(c.id)).where(
            *mine, c.end_ns == select(func.max(c.end_ns)).where(*mine).scalar_subquery()
        )
        with self._database.write() as connection:
            kept = connection.execute(last).scalar()
            if kept is not None:
                connection.execute(t.outcomes.update().where(*mine, c.id != kept).values(snapshot=None))

    def outcomes_until(self, service: str, twin: str, parameters: str) -> int | None:
        """End of the last interval with an outcome of a service on a twin; None: there is none."""
        c = t.outcomes.c
        query = select(func.max(c.end_ns)).where(c.service == service, c.twin == twin, c.parameters == parameters)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def setting(self, key: str) -> str | None:
        """The value kept under that key, or None."""
        with self._database.read() as connection:
            return connection.execute(select(t.settings.c.value).where(t.settings.c.key == key)).scalar()

    def set_setting(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        with self._database.write() as connection:
            put(connection, t.settings, {"key": key, "value": value})


def _tells(connection: Connection) -> ColumnElement[bool]:
    """Whether a kept outcome has results: they are left out of it where there are none."""
    kept = t.outcomes.c.outcome
    postgresql = connection.dialect.name == "postgresql"
    text: ColumnElement[str] = func.convert_from(kept, "UTF8") if postgresql else cast(kept, Text)
    return text.like('%"results":%')


def _newest() -> ScalarSelect[int]:
    """The highest revision of the interval of a row."""
    c, o = t.outcomes.c, t.outcomes.alias()
    same = (o.c[name] == c[name] for name in ("service", "version", "twin", "parameters", "start_ns", "end_ns"))
    return select(func.max(o.c.revision)).where(*same).correlate(t.outcomes).scalar_subquery()
