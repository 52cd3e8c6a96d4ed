"""Findings of services become cases: opened when one begins, continued, ended, taken back if late data say so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from servitwin.domain.case import Case, CaseStanding, CaseStep, Closed, Ended, Found, StepBody, Withdrawn, case_standing
from servitwin.domain.finding import Finding, Told
from servitwin.domain.instant import DAY, LATEST, format_instant
from servitwin.domain.observation import Cut
from servitwin.domain.twin import Twin
from servitwin.sdk.finding import FindingKey, ServiceFinding
from servitwin.usecases.case_step import MONITOR, add_monitor_step
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

MOST_OPEN = 5  # cases that one service has open of one machine; what it finds beyond joins the newest
OVER_FOR = 7 * DAY  # after which a case is closed that is over and that nobody has acted on
_TAKEN_BACK = "With late data, or since what is normal was said anew, the service does not find it any more"
_OVER = "It was over for seven days, and nobody has acted on it"

Message = tuple[str, bytes]


@dataclass(frozen=True)
class Finder:
    """Which assignment of a service found something: its outcomes with other parameters are other findings."""

    service: str
    version: str
    parameters: str

    @property
    def digest(self) -> str:
        """What tells its findings from those of another assignment; the same in every version of the service."""
        key = hashlib.sha256(f"{self.service}\n{self.parameters}".encode()).hexdigest()[:16]
        return f"service:{self.service}:{key}"

    def digest_of(self, about: str) -> str:
        """The same for a finding about something, such as a signal."""
        return f"{self.digest}:{about}" if about else self.digest

    def about(self, kept: Finding) -> str | None:
        """What a kept finding is about; None: another assignment found it."""
        if kept.digest == self.digest:
            return ""
        return kept.digest.removeprefix(f"{self.digest}:") if kept.digest.startswith(f"{self.digest}:") else None

    def id_of(self, twin: str, found: ServiceFinding) -> str:
        """Id of a finding of a twin (uid) in cases."""
        return Finding(twin, found.code, self.digest_of(found.about), "", "low", found.start, 0).id


class KeepFindings:
    """Takes what services find. Everything may be told twice: a finding is known by its assignment, code and begin.

    All methods return what the bus has to hear of once the caller's transaction is kept.
    """

    def __init__(self, registry: Registry, records: Records, new_id: Callable[[], str]) -> None:
        self._registry, self._records, self._new_id = registry, records, new_id

    def take(
        self, twin: Twin, by: Finder, found: Sequence[ServiceFinding], cut: Cut, until: int, now: int
    ) -> list[Message]:
        """Findings of a step that took data up to ``until``, in the order in which they were told."""
        said: list[Message] = []
        for one in found:
            finding = Finding(
                twin.uid, one.code, by.digest_of(one.about), one.component, one.severity, one.start, until, one.end,
                cut={str(k): n for k, n in cut.items()},
            )  # fmt: skip
            said += self._one(twin, by, one, finding, now)
        return said

    def case_of(self, twin: Twin, by: Finder, found: ServiceFinding) -> str:
        """Id of the case that holds a finding; empty: none does."""
        id = by.id_of(twin.uid, found)
        holders = (s.case.id for s in self._standings(twin, by.service) if any(f.id == id for f in s.findings))
        return next(holders, "")

    def settle(
        self, twin: Twin, by: Finder, told: Mapping[FindingKey, ServiceFinding], since: int, now: int
    ) -> list[Message]:
        """All steps from ``since`` on were made again and told only ``told``: the rest is taken back, or goes on."""
        said: list[Message] = []
        for standing in self._standings(twin, by.service):
            for f in standing.findings:
                about = by.about(f)
                if about is None or (f.requirement, about, f.start) in told:
                    continue
                if not standing.open:
                    # What a person has ended stays as it was found; only it does not go on for ever.
                    if f.start >= since and f.end is None:
                        self._add(standing.case, Ended(f.id, max(standing.steps[-1].at, f.start + 1)), now)
                elif f.start >= since:
                    self._add(standing.case, Withdrawn(f.id, _TAKEN_BACK), now)
                    said += self._tell(standing.case, "finding-withdrawn", f, None, now)
                elif f.end is not None and f.end > since:
                    again = msgspec.structs.replace(f, end=None)
                    self._add(standing.case, Found(again), now)
                    said += self._tell(standing.case, "finding-found", again, None, now)
        return said

    def close_over(self, now: int) -> list[Message]:
        """Close cases whose findings are over for long and that no person has touched."""
        said: list[Message] = []
        for case, steps in self._records.cases():
            if not case.source or any(s.by != MONITOR for s in steps):
                continue
            s = case_standing(case, steps, LATEST)
            ends = [f.end for f in s.findings]
            if s.open and all(e is not None and e + OVER_FOR <= now for e in ends):
                self._add(case, Closed(_OVER), now)
                said.append(self._event("case-changed", case, {"case": case.id, "kind": "closed"}, now))
        return said

    # one finding ------------------------------------------------------------------------------------------------
    def _one(self, twin: Twin, by: Finder, one: ServiceFinding, finding: Finding, now: int) -> list[Message]:
        told = Told(one.text, one.signals, one.hints, by.version)
        standings = self._standings(twin, by.service)
        holder = next((s for s in standings if any(f.id == finding.id for f in s.findings)), None)
        if holder is None:
            return self._open(twin, by, one, finding, told, standings, now)
        known = next(f for f in holder.findings if f.id == finding.id)
        if finding.end is None:
            if not holder.open or (known.end is None and holder.told == told):
                return []
            again = msgspec.structs.replace(known, end=None)
            self._add(holder.case, Found(again, told=told), now)
            return self._tell(holder.case, "finding-continued", again, told, now)
        if finding.end == known.end:
            return []
        self._add(holder.case, Ended(finding.id, finding.end, told=told), now)
        return self._tell(holder.case, "finding-ended", finding, told, now)

    def _open(
        self,
        twin: Twin,
        by: Finder,
        one: ServiceFinding,
        finding: Finding,
        told: Told,
        standings: Sequence[CaseStanding],
        now: int,
    ) -> list[Message]:
        body = Found(finding, told=told)
        joined = _joined(standings, one, finding)
        if joined is not None:
            self._add(joined.case, body, now)
            return self._tell(joined.case, "finding-found", finding, told, now)
        case = Case(
            self._new_id(), twin.uid, one.code, by.digest, one.component, one.severity, now, by.service, one.group
        )
        self._records.add_case(case, [CaseStep(case.id, 1, now, MONITOR, body)])
        opened = {"case": case.id, "requirement": one.code, "severity": one.severity, "source": by.service}
        return [self._event("case-opened", case, opened, now), *self._tell(case, "finding-found", finding, told, now)]

    def _standings(self, twin: Twin, service: str) -> list[CaseStanding]:
        """Cases of the service on a machine, the newest first."""
        found = [(c, steps) for c, steps in self._records.cases([twin.uid]) if c.source == service]
        return [case_standing(c, steps, LATEST) for c, steps in found]

    def _add(self, case: Case, body: StepBody, now: int) -> None:
        add_monitor_step(self._records, case.id, body, now)

    # what is told -----------------------------------------------------------------------------------------------
    def _tell(self, case: Case, kind: str, f: Finding, told: Told | None, now: int) -> list[Message]:
        data: dict[str, Any] = {
            "case": case.id, "service": case.source, "code": f.requirement, "finding": f.id,
            "from": format_instant(f.start), "to": None if f.end is None else format_instant(f.end),
            "severity": f.severity, "text": told.text if told else "",
            "signals": [s.signal for s in told.signals] if told else [],
        }  # fmt: skip
        return [self._event(kind, case, data, now)]

    def _event(self, kind: str, case: Case, data: Mapping[str, Any], now: int) -> Message:
        twin = self._registry.by_uid(case.twin)
        subject = twin.id if twin is not None else case.twin
        number = self._records.add_event(kind, subject, now, data)
        event = {"id": number, "kind": kind, "subject": subject, "at": now, "data": data}
        return "happened", msgspec.json.encode(event)


def _joined(standings: Sequence[CaseStanding], one: ServiceFinding, finding: Finding) -> CaseStanding | None:
    """The case that a finding not known yet belongs to; None: a new one.

    That is the one from which it was taken back; one that a person has ended over the same stretch, which is then no
    news; an open one of its code and group; and where too many are open, the newest of them.
    """
    had = [s for s in standings if any(isinstance(t.body, Found) and t.body.finding.id == finding.id for t in s.steps)]
    opened = [s for s in standings if s.open]
    over = [s for s in standings if not s.open and s.case.requirement == one.code and _covers(s, finding)]
    alike = [s for s in opened if (s.case.requirement, s.case.group) == (one.code, one.group)]
    crowd = opened[:1] if len(opened) >= MOST_OPEN else []
    return next(iter([*had, *alike, *over, *crowd]), None)


def _covers(s: CaseStanding, finding: Finding) -> bool:
    """Whether a case that has ended is of a stretch that overlaps the finding."""
    last = s.steps[-1].at if s.steps else s.case.opened
    end = LATEST if finding.end is None else finding.end
    return any(f.start < end and finding.start < (last if f.end is None else f.end) for f in s.findings)
