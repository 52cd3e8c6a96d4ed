"""Registers, jobs and artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, func, or_, select, update

from servitwin.domain.job import Artefact, Job, JobState
from servitwin.domain.register import RegisterEntry
from servitwin.engines.records import planning_tables as t
from servitwin.engines.records.database import put
from servitwin.engines.records.part import Part, decode, encode, holds

_T = TypeVar("_T")
_AT_ONCE = 100


class PlanningRecords(Part):
    """Entries are revised and never changed; the rows of a job and an artefact say where they stand."""

    def add_register_entries(self, entries: Sequence[RegisterEntry]) -> None:
        """Keep further revisions, all or none; each becomes the newest of its entry."""
        c = t.register_entries.c
        with self._database.write() as connection:
            for e in entries:
                mine = (c.party == e.party) & (c.kind == e.kind) & (c.id == e.id) & c.newest
                connection.execute(update(t.register_entries).where(mine).values(newest=False))
                connection.execute(
                    t.register_entries.insert().values(
                        party=e.party, kind=e.kind, id=e.id, revision=e.revision, at=e.at, newest=True, body=encode(e)
                    )
                )

    def register_entry(self, kind: str, party: str, id: str, at: int | None = None) -> RegisterEntry | None:
        """The newest revision (``at``: the one that held then, ns UTC), also if it says that the entry was removed."""
        c = t.register_entries.c
        query = select(c.body).where(c.kind == kind, c.party == party, c.id == id)
        if at is not None:
            query = query.where(c.at <= at)
        return next(iter(self._planned(query.order_by(c.revision.desc()).limit(1), RegisterEntry)), None)

    def register_revisions(self, kind: str, party: str, id: str) -> list[RegisterEntry]:
        """All revisions, oldest first."""
        c = t.register_entries.c
        query = select(c.body).where(c.kind == kind, c.party == party, c.id == id)
        return self._planned(query.order_by(c.revision), RegisterEntry)

    def register_entries(
        self, kind: str, parties: Sequence[str], after: tuple[str, str] = ("", ""), limit: int = 1_000_000
    ) -> list[RegisterEntry]:
        """Newest revisions of what was not removed, by party and id; ``after``: party and id of the last one seen."""
        c = t.register_entries.c
        query = select(c.body).where(c.kind == kind, c.party.in_(list(parties)), c.newest)
        if after != ("", ""):
            query = query.where((c.party > after[0]) | ((c.party == after[0]) & (c.id > after[1])))
        found: list[RegisterEntry] = []
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(c.party, c.id)):
                entry = decode(row.body, RegisterEntry)
                if not entry.removed:
                    found.append(entry)
                    if len(found) == limit:
                        break
        return found

    def register_entries_naming(
        self, kind: str, *, ids: Sequence[str] = (), texts: Sequence[str] = ()
    ) -> list[RegisterEntry]:
        """Newest revisions of all parties that have one of the ids, or hold one of the texts as it stands, anywhere.

        Only these are decoded: what a text stands for in them, the caller looks at.
        """
        c = t.register_entries.c
        found: dict[tuple[str, str], RegisterEntry] = {}
        for wanted in (ids[i : i + _AT_ONCE] for i in range(0, len(ids), _AT_ONCE)):
            for e in self._planned(select(c.body).where(c.kind == kind, c.newest, c.id.in_(wanted)), RegisterEntry):
                found[e.party, e.id] = e
        for wanted in (texts[i : i + _AT_ONCE] for i in range(0, len(texts), _AT_ONCE)):
            held = or_(*(holds(self._database, c.body, encode(text)) for text in wanted))
            for e in self._planned(select(c.body).where(c.kind == kind, c.newest, held), RegisterEntry):
                found[e.party, e.id] = e
        return [found[key] for key in sorted(found) if not found[key].removed]

    def register_changes(self, kinds: Sequence[str], party: str, since: int) -> list[RegisterEntry]:
        """Newest revisions that were written after ``since`` (ns UTC), also those that say that one was removed."""
        c = t.register_entries.c
        query = select(c.body).where(c.party == party, c.kind.in_(list(kinds)), c.newest, c.at > since)
        return self._planned(query.order_by(c.at, c.kind, c.id), RegisterEntry)

    def register_counts(self, parties: Sequence[str]) -> dict[str, int]:
        """How many entries each kind has, removed ones included."""
        c = t.register_entries.c
        query = select(c.kind, func.count()).where(c.party.in_(list(parties)), c.newest).group_by(c.kind)
        with self._database.read() as connection:
            return {kind: int(number) for kind, number in connection.execute(query).tuples()}

    # jobs ------------------------------------------------------------------------------------------------------
    def save_job(self, job: Job) -> None:
        """Keep a job, or where it stands now."""
        row = {
            "id": job.id, "service": job.service, "kind": job.kind, "party": job.party, "about": job.about,
            "at": job.at, "state": job.state, "body": encode(job),
        }  # fmt: skip
        with self._database.write() as connection:
            put(connection, t.jobs, row)

    def job(self, id: str) -> Job | None:
        """One job."""
        return next(iter(self._planned(select(t.jobs.c.body).where(t.jobs.c.id == id), Job)), None)

    def jobs_in(self, state: JobState, kind: str = "", limit: int = 100) -> list[Job]:
        """Jobs in a state, oldest first; ``kind``: of planners or trainers alone."""
        c = t.jobs.c
        query = select(c.body).where(c.state == state).order_by(c.at, c.id).limit(limit)
        return self._planned(query.where(c.kind == kind) if kind else query, Job)

    def jobs_of(
        self, parties: Sequence[str], service: str = "", about: str = "", limit: int = 100, before: int | None = None
    ) -> list[Job]:
        """Jobs of those parties, newest first; ``before``: asked before that instant (ns UTC)."""
        c = t.jobs.c
        query = select(c.body).where(c.party.in_(list(parties))).order_by(c.at.desc(), c.id.desc()).limit(limit)
        if service:
            query = query.where(c.service == service)
        if about:
            query = query.where(c.about == about)
        if before is not None:
            query = query.where(c.at < before)
        return self._planned(query, Job)

    # artefacts -------------------------------------------------------------------------------------------------
    def save_artefact(self, artefact: Artefact) -> None:
        """Keep an artefact, or its state."""
        row = {
            "digest": artefact.digest, "trainer": artefact.trainer, "party": artefact.party, "made": artefact.made,
            "state": artefact.state, "body": encode(artefact),
        }  # fmt: skip
        with self._database.write() as connection:
            put(connection, t.artefacts, row)

    def artefacts(self, trainer: str, parties: Sequence[str] = ()) -> list[Artefact]:
        """Artefacts of a trainer (``parties``: of these alone), newest first."""
        c = t.artefacts.c
        query = select(c.body).where(c.trainer == trainer).order_by(c.made.desc(), c.digest)
        return self._planned(query.where(c.party.in_(list(parties))) if parties else query, Artefact)

    def _planned(self, query: Select[Any], kind: type[_T]) -> list[_T]:
        with self._database.read() as connection:
            return [decode(row.body, kind) for row in connection.execute(query)]
