"""Requirements of single twins, and cases with their steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement, delete, func, select

from servitwin.domain.case import Case, CaseStep
from servitwin.domain.requirement import Requirement
from servitwin.engines.records import case_tables as t
from servitwin.engines.records.database import add, put
from servitwin.engines.records.part import Part, decode, encode


class CaseRecords(Part):
    """Rows are added and never changed; where a case stands is computed from its steps."""

    def add_requirement(self, twin: str, requirement: Requirement, at: int, by: str) -> None:
        """Add a requirement to a twin (uid), or replace the one of that name; an empty formula takes it back."""
        c = t.twin_requirements.c
        last = select(func.max(c.number)).where(c.twin == twin, c.name == requirement.name)
        with self._database.write() as connection:
            number = (connection.execute(last).scalar() or 0) + 1
            row = {"twin": twin, "name": requirement.name, "number": number, "at": at, "by": by}
            add(connection, t.twin_requirements, {**row, "body": encode(requirement)})

    def requirements(self, twin: str = "", known_at: int | None = None) -> dict[str, list[Requirement]]:
        """What was added to twins (uid; empty: to all) and still counts, by twin and name.

        ``known_at`` (ns UTC): as it was then; None: as it is now.
        """
        c = t.twin_requirements.c
        query = select(c.twin, c.name, c.body).order_by(c.twin, c.name, c.number)
        if twin:
            query = query.where(c.twin == twin)
        if known_at is not None:
            query = query.where(c.at <= known_at)
        latest: dict[tuple[str, str], Requirement] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                latest[row.twin, row.name] = decode(row.body, Requirement)
        found: dict[str, list[Requirement]] = {}
        for (uid, _), requirement in latest.items():
            if requirement.formula:
                found.setdefault(uid, []).append(requirement)
        return found

    def requirement_versions(self, twin: str, name: str) -> list[Requirement]:
        """All that a requirement of a twin (uid) has been, oldest first; one without a formula: it was taken back."""
        c = t.twin_requirements.c
        query = select(c.body).where(c.twin == twin, c.name == name).order_by(c.number)
        with self._database.read() as connection:
            return [decode(row.body, Requirement) for row in connection.execute(query)]

    def add_case(self, case: Case, steps: Sequence[CaseStep]) -> bool:
        """Open a case with its first steps; False if it is there."""
        row = {
            "id": case.id, "twin": case.twin, "requirement": case.requirement, "opened": case.opened,
            "body": encode(case),
        }  # fmt: skip
        with self._database.write() as connection:
            if not add(connection, t.cases, row):
                return False
            for step in steps:
                add(connection, t.case_steps, _row(step))
            return True

    def add_case_step(self, step: CaseStep) -> bool:
        """Keep a step; False if somebody else wrote the step of that number first."""
        with self._database.write() as connection:
            return add(connection, t.case_steps, _row(step))

    def cases(self, twins: Sequence[str] = (), id: str = "", having: str = "") -> list[tuple[Case, list[CaseStep]]]:
        """Cases of twins (uids; none named: of all), or the one of that id, newest first, with their steps.

        ``having``: only those with a step of that kind.
        """
        c, s = t.cases.c, t.case_steps.c
        wanted: list[ColumnElement[bool]] = []
        if twins:
            wanted.append(c.twin.in_(twins))
        if id:
            wanted.append(c.id == id)
        if having:
            wanted.append(c.id.in_(select(s.case_id).where(s.kind == having)))
        query = select(c.id, c.body).where(*wanted).order_by(c.opened.desc(), c.id)
        steps_query = (
            select(s.case_id, s.body).join(t.cases, c.id == s.case_id).where(*wanted).order_by(s.case_id, s.number)
        )
        steps: dict[str, list[CaseStep]] = {}
        with self._database.read() as connection:
            for row in connection.execute(steps_query):
                step = _step(row.body) if len(row.body) < _SHORT else decode(row.body, CaseStep)
                steps.setdefault(row.case_id, []).append(step)
            rows = connection.execute(query).all()
        return [(decode(r.body, Case), steps.get(r.id, [])) for r in rows]

    def case_lengths(self) -> dict[str, int]:
        """How many steps each case has: cheap to ask, and whoever keeps cases in mind sees which have changed."""
        c = t.case_steps.c
        query = select(c.case_id, func.max(c.number).label("number")).group_by(c.case_id)
        with self._database.read() as connection:
            return {r.case_id: r.number for r in connection.execute(query)}

    def save_monitors(
        self, snapshots: Sequence[tuple[str, int, str, bytes]], forget: Sequence[tuple[int, int]]
    ) -> None:
        """Keep where the monitors of twins stand: (uid, watermark, cut as JSON, body); the same again replaces.

        ``forget``: stretches [start, end) of watermarks of which, for these twins, only the last is kept.
        """
        c = t.monitor_snapshots.c
        with self._database.write() as connection:
            for twin, watermark, cut, body in snapshots:
                row = {"twin": twin, "watermark": watermark, "cut": cut, "body": body}
                put(connection, t.monitor_snapshots, row)
                for start, end in forget:
                    mine = (c.twin == twin, c.watermark >= start, c.watermark < end)
                    last = select(func.max(c.watermark)).where(*mine).scalar_subquery()
                    connection.execute(delete(t.monitor_snapshots).where(*mine, c.watermark < last))

    def monitors_at(self, before: int, twins: Sequence[str]) -> dict[str, tuple[int, str, bytes]]:
        """Of each twin the latest (watermark, cut, body) with watermark <= ``before``."""
        c = t.monitor_snapshots.c
        last = (
            select(c.twin, func.max(c.watermark).label("watermark"))
            .where(c.watermark <= before, c.twin.in_(twins))
            .group_by(c.twin)
            .subquery()
        )
        query = select(c.twin, c.watermark, c.cut, c.body).join(
            last, (last.c.twin == c.twin) & (last.c.watermark == c.watermark)
        )
        with self._database.read() as connection:
            return {r.twin: (r.watermark, r.cut, bytes(r.body)) for r in connection.execute(query)}

    def forget_monitors(self, twin: str, after: int) -> None:
        """Drop snapshots of a twin with watermark > ``after``: what they rest on has changed."""
        c = t.monitor_snapshots.c
        with self._database.write() as connection:
            connection.execute(delete(t.monitor_snapshots).where(c.twin == twin, c.watermark > after))


_SHORT = 4000  # bytes of a step that is kept in memory: a case has many of them, and few that are longer


@lru_cache(maxsize=8192)
def _step(body: bytes) -> CaseStep:
    """A step as it is kept; none is ever changed, and a list of cases reads all of them each time."""
    return decode(body, CaseStep)


def _row(step: CaseStep) -> dict[str, object]:
    kind = step.body.__struct_config__.tag
    return {"case_id": step.case, "number": step.number, "kind": kind, "at": step.at, "body": encode(step)}
