"""Cases: what was found wrong with a machine, until it is proven mended.

A case is of a violated requirement, which is proven, or of what a service found, which is a hypothesis: such a case is
never proven mended, it is closed, also as no fault at all.

A case is a list of steps that are only added. Where it stands is computed from them, so that two nodes with the same
steps say the same. Its alarm follows ISA-18.2 / IEC 62682 (unacknowledged, acknowledged, returned, shelved).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from servitwin.domain.case_alarm import AlarmChange, CaseAlarms, changed_alarms
from servitwin.domain.finding import Explanation, Finding, Hypothesis, Severity, Told

Status = Literal["violated", "diagnosed", "repaired", "verified", "closed"]
AlarmState = Literal["unacknowledged", "acknowledged", "returned", "shelved", "normal"]


class Body(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """What a step says; ``kind`` tells which."""


class Found(Body, frozen=True, tag="found"):
    """The monitor found a violation, or a service something that looks wrong (``told``).

    The same finding may be found again: more is known of it then, or it goes on after all.
    """

    finding: Finding
    explanation: Explanation | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    told: Told | None = None


class Ended(Body, frozen=True, tag="ended"):
    """A violation ended at ``end`` (ns)."""

    finding: str
    end: int
    least: float | None = None
    most: float | None = None
    told: Told | None = None


class Withdrawn(Body, frozen=True, tag="withdrawn"):
    """Late observations, or a gap that was declared, took a violation back: with them it is not certain any more."""

    finding: str
    text: str = ""


class AlarmsJoined(Body, frozen=True, tag="alarms"):
    """Alarms of the machine that belong to this case were raised, ended, or turned out to be none of it."""

    change: AlarmChange


class Acknowledged(Body, frozen=True, tag="acknowledged"):
    """Somebody has seen it."""

    text: str = ""


class Shelved(Body, frozen=True, tag="shelved"):
    """Its alarm is put aside until ``until`` (ns), for a reason; the case itself stays."""

    until: int
    text: str


class Unshelved(Body, frozen=True, tag="unshelved"):
    """Its alarm counts again."""


class Diagnosed(Body, frozen=True, tag="diagnosed"):
    """A person says what the cause is: a component, and one of the ranked causes or their own words."""

    component: str
    cause: str = ""
    text: str = ""


class Repaired(Body, frozen=True, tag="repaired"):
    """What was done: a part replaced, a parameter or a software version changed, by whom and when (ns)."""

    component: str
    what: str
    change: Literal["part", "parameter", "software"]
    done_by: str
    done_at: int
    version: str = ""
    text: str = ""


class Verified(Body, frozen=True, tag="verified"):
    """The requirement held while its triggering condition came again, as often and as long as it demands."""

    since: int
    until: int
    occurrences: int
    needed: int
    bound: float
    cut: dict[str, int] = {}


class Proved(Body, frozen=True, tag="proved"):
    """A proof file was made over [start, end): of the violation, or of the repair; ``file`` is its address."""

    of: Literal["violated", "repaired"]
    start: int
    end: int
    file: str


class Closed(Body, frozen=True, tag="closed"):
    """A person ends a case without proof of repair, and says why."""

    text: str


class Dismissed(Body, frozen=True, tag="dismissed"):
    """A person says why what a service found is no fault; that ends the case.

    ``normal_since`` (ns): what the machine does from then on is normal, and services learn it anew; None: it happened
    once, and nothing is to be learnt from it.
    """

    text: str
    normal_since: int | None = None


class Noted(Body, frozen=True, tag="note"):
    """A remark."""

    text: str


StepBody = (
    Found
    | Ended
    | Withdrawn
    | AlarmsJoined
    | Acknowledged
    | Shelved
    | Unshelved
    | Diagnosed
    | Repaired
    | Verified
    | Proved
    | Closed
    | Dismissed
    | Noted
)


class CaseStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a case; ``number`` counts from 1, so two who act at once cannot both write the same step."""

    case: str
    number: int
    at: int
    by: str
    body: StepBody


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a case is about: one requirement of one twin, from its first violation on, or what a service found.

    ``source``: the service that found it; empty: the monitor of requirements. ``group``: findings of that service
    with this key belong to it while it is open.
    """

    id: str
    twin: str
    requirement: str
    digest: str
    component: str
    severity: Severity
    opened: int
    source: str = ""
    group: str = ""


class CaseStanding(msgspec.Struct, frozen=True):
    """Where a case stands.

    Attributes:
        active: whether the requirement is violated now, as far as is known.
        findings: the violations that still count, oldest first, with their ends as far as known.
        repair: the last repair; verification counts from its ``done_at`` on.
        recurred: how often a violation came back after a repair.
        alarms: the machine's alarms that belong to it.
        dismissed: the step that ended it as no fault.
    """

    case: Case
    status: Status
    alarm: AlarmState
    active: bool
    findings: tuple[Finding, ...]
    repair: Repaired | None
    diagnosis: Diagnosed | None
    verified: Verified | None
    shelved_until: int | None
    recurred: int
    alarms: CaseAlarms
    steps: tuple[CaseStep, ...]
    dismissed: Dismissed | None = None

    @property
    def found(self) -> Found | None:
        """The step of the latest violation that still counts."""
        ids = {f.id for f in self.findings}
        return next(
            (s.body for s in reversed(self.steps) if isinstance(s.body, Found) and s.body.finding.id in ids), None
        )

    @property
    def told(self) -> Told | None:
        """What the service says of the latest finding that still counts, as it was told last."""
        if not self.findings:
            return None
        return told_of(self.steps, self.findings[-1].id)

    @property
    def open(self) -> bool:
        """Whether something is still to be done or proven."""
        return self.status not in {"verified", "closed"}


def told_of(steps: Iterable[CaseStep], finding: str) -> Told | None:
    """What a service said last of a finding, by its id."""
    said: Told | None = None
    for step in steps:
        match step.body:
            case Found(finding=f, told=told) if f.id == finding:
                said = told or said
            case Ended(finding=id, told=told) if id == finding:
                said = told or said
            case _:
                pass
    return said


def case_standing(case: Case, steps: Iterable[CaseStep], known_at: int) -> CaseStanding:
    """Where a case stands at an instant, from the steps that were taken by then.

    A violation that was taken back counts as if it had never been found: a repair that it seemed to refute stands, but
    what was said to be proven of it has to be proven again. One that began after the repair refutes it, and what was
    proven of it, in whatever order that came to be known.
    """
    taken = tuple(sorted((s for s in steps if s.at <= known_at), key=lambda s: s.number))
    gone = {s.body.finding: s.number for s in taken if isinstance(s.body, Withdrawn)}
    findings: dict[str, Finding] = {}
    status: Status = "violated"
    acknowledged = False
    shelf: int | None = None
    repair: Repaired | None = None
    diagnosis: Diagnosed | None = None
    verified: Verified | None = None
    recurred = 0
    dismissed: Dismissed | None = None
    alarms = CaseAlarms()
    for step in taken:
        match step.body:
            case Found(finding=f) if step.number > gone.get(f.id, 0):
                if f.id not in findings:
                    acknowledged = False
                    if repair is not None and f.start >= repair.done_at:
                        status, recurred, repair, verified = "violated", recurred + 1, None, None
                findings[f.id] = f
            case Found() if verified is not None:
                status, verified = "repaired", None  # what was known then did not prove it: it is judged again
            case Ended(finding=id, end=end, least=least, most=most) if id in findings:
                findings[id] = msgspec.structs.replace(findings[id], end=end, least=least, most=most)
            case AlarmsJoined(change=change):
                alarms = changed_alarms(alarms, change)
            case Acknowledged():
                acknowledged = True
            case Shelved(until=until):
                shelf = until
            case Unshelved():
                shelf = None
            case Diagnosed() as d:
                diagnosis = d
                status = "diagnosed" if status == "violated" else status
            case Repaired() as r if any(f.start >= r.done_at for f in findings.values()):
                status, recurred, repair = "violated", recurred + 1, None  # it was found again before this was said
            case Repaired() as r:
                repair, status, verified = r, "repaired", None
            case Verified() as v:
                verified, status = v, "verified"
            case Closed():
                status = "closed"
            case Dismissed() as d:
                status, dismissed = "closed", d
            case _:
                pass
    kept = tuple(sorted(findings.values(), key=lambda f: f.start))
    if verified is not None and any(
        f.start < verified.until and (f.end is None or f.end > verified.since) for f in kept
    ):  # late observations refute what was proven, or a violation from before the repair went on after all
        status, recurred, repair, verified = "violated", recurred + 1, None, None
    if not kept:
        status = "closed"  # late observations took every violation back
    shelf = shelf if shelf is not None and shelf > known_at else None
    active = any(f.end is None for f in kept)
    return CaseStanding(
        case, status, _alarm(status, active, acknowledged, shelf), active, kept, repair, diagnosis, verified, shelf,
        recurred, alarms if kept else CaseAlarms(), taken, dismissed,
    )  # fmt: skip


def _alarm(status: Status, active: bool, acknowledged: bool, shelf: int | None) -> AlarmState:
    if status in {"verified", "closed"}:
        return "normal"
    if shelf is not None:
        return "shelved"
    if acknowledged:
        return "acknowledged" if active else "normal"
    return "unacknowledged" if active else "returned"
