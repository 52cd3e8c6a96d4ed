"""Which alarms belong to which case, and how a case keeps them: chatter as one entry, floods marked.

An alarm belongs to a case of the same twin if it was active at any time of a finding's window and its signal is of the
case's component (the same, one above or one below), or if it was raised in that window, wherever in the twin. It
belongs to one case only: see :func:`owner`. Chatter and floods are those of ISA-18.2 (secondary), as
:mod:`servitwin.domain.alarm_figure` defines them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

import msgspec

from servitwin.domain.alarm import Alarm
from servitwin.domain.alarm_figure import WINDOW, Flood, alarm_floods, chatter_runs
from servitwin.domain.finding import Finding, Severity
from servitwin.domain.instant import DAY, HOUR, MINUTE

NEAR = MINUTE  # an alarm that comes so long before a violation or after its end still belongs to it
REGARDED = HOUR  # of a violation that goes on, the alarms of its first hour belong to it
LONGEST_STRETCH = DAY
MOST_ENTRIES = 200
SEVERITY_RANK: Mapping[Severity, int] = {"safety": 0, "high": 1, "medium": 2, "low": 3}
Span = tuple[int, int]


class JoinedAlarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """An alarm of a case, or a run of chatter of one alarm.

    Attributes:
        start: when it was raised, first of all.
        last: when it was raised for the last time of the run; ``start`` if it was raised once.
        end: when the last one ended; None: not as far as is known.
        count: how often it was raised.
    """

    signal: str
    code: str
    text: str
    severity: Literal["warning", "fault"]
    component: str
    start: int
    last: int
    end: int | None = None
    count: int = 1

    @property
    def id(self) -> str:
        """The same alarm seen again has the same id, however often it was raised by then."""
        return hashlib.sha256(f"{self.signal}\n{self.code}\n{self.severity}\n{self.start}".encode()).hexdigest()[:16]


class CaseAlarms(msgspec.Struct, frozen=True, omit_defaults=True):
    """The alarms of a case: the first :data:`MOST_ENTRIES` by time; ``more`` tells how many entries are left out."""

    entries: tuple[JoinedAlarm, ...] = ()
    floods: tuple[Flood, ...] = ()
    more: int = 0


class AlarmChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has changed in the alarms of a case: entries new or changed, ids of those gone, and how it is otherwise."""

    entries: tuple[JoinedAlarm, ...]
    gone: tuple[str, ...]
    floods: tuple[Flood, ...]
    more: int


class Claim(msgspec.Struct, frozen=True):
    """What of a case decides which alarms are its own; ``findings`` in order of their start."""

    case: str
    component: str
    severity: Severity
    requirement: str
    findings: tuple[Finding, ...]


class SeenAlarm(msgspec.Struct, frozen=True):
    """An alarm and the path of the component that its signal belongs to."""

    alarm: Alarm
    component: str


def window(finding: Finding) -> Span:
    """[start, end) in which alarms belong to a violation."""
    last = finding.start + REGARDED
    return finding.start - NEAR, min(last if finding.end is None else finding.end, last) + NEAR


def stretches(findings: Iterable[Finding]) -> list[Span]:
    """Windows of a case's findings, those less than a flood's length apart as one, none longer than a day."""
    found: list[Span] = []
    for start, end in sorted(window(f) for f in findings):
        if found and start - found[-1][1] <= WINDOW:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return [(start, min(end, start + LONGEST_STRETCH)) for start, end in found]


def same_place(one: str, other: str) -> bool:
    """Whether two component paths are the same, or one is part of the other; the machine itself is only the same."""
    if one == other:
        return True
    return bool(one and other) and (one.startswith(other + ".") or other.startswith(one + "."))


def owner(seen: SeenAlarm, claims: Iterable[Claim]) -> str | None:
    """The case that an alarm belongs to; None: to none.

    Of several: that of the alarm's component before others, then whose violation is nearest to when the alarm was
    raised, then the more severe, then the violation that began first, then by name of the requirement and id of the
    case. The order in which alarms and cases came to be known decides nothing.
    """
    ranks = [
        (not near, distance, SEVERITY_RANK[claim.severity], f.start, claim.requirement, claim.case)
        for claim in claims
        for near in (same_place(seen.component, claim.component),)
        for f in _around(claim.findings, seen.alarm)
        if (distance := _distance(seen.alarm, f, near)) is not None
    ]
    return min(ranks)[-1] if ranks else None


def _around(findings: Sequence[Finding], alarm: Alarm) -> Iterator[Finding]:
    """Those of the findings whose window can hold the alarm; a case may have thousands."""
    first = bisect_left(findings, alarm.start - REGARDED - NEAR, key=lambda f: f.start)
    last = len(findings)
    if alarm.end is not None:
        last = bisect_right(findings, alarm.end + NEAR, key=lambda f: f.start)
    return islice(findings, first, last)


def _distance(alarm: Alarm, finding: Finding, near: bool) -> int | None:
    start, end = window(finding)
    if not (alarm.active_in(start, end) if near else start <= alarm.start < end):
        return None
    if alarm.start < finding.start:
        return finding.start - alarm.start
    return 0 if finding.end is None else max(0, alarm.start - finding.end)


def case_alarms(case: str, claims: Sequence[Claim], seen: Iterable[SeenAlarm], spans: Sequence[Span]) -> CaseAlarms:
    """The alarms of a case among those of its twin, and the floods of the twin's alarms that touch its ``spans``."""
    once = {(s.alarm.signal, s.alarm.code, s.alarm.start, s.alarm.severity): s for s in seen}
    entries = condense(s for s in once.values() if owner(s, claims) == case)
    starts = sorted(s.alarm.start for s in once.values())
    floods = [f for f in alarm_floods(starts) if any(f.start < end and start < f.end for start, end in spans)]
    return CaseAlarms(tuple(entries[:MOST_ENTRIES]), tuple(floods), max(0, len(entries) - MOST_ENTRIES))


def condense(seen: Iterable[SeenAlarm]) -> list[JoinedAlarm]:
    """One entry for each alarm and for each run of chatter, in order of their start."""
    groups: dict[tuple[str, str], list[SeenAlarm]] = {}
    for one in seen:
        groups.setdefault((one.alarm.signal, one.alarm.code), []).append(one)
    entries = []
    for group in groups.values():
        group.sort(key=lambda s: (s.alarm.start, s.alarm.severity))
        runs = chatter_runs([s.alarm.start for s in group])
        inside = {i for first, last in runs for i in range(first, last + 1)}
        entries += [_entry(group[first : last + 1]) for first, last in runs]
        entries += [_entry([s]) for i, s in enumerate(group) if i not in inside]
    return sorted(entries, key=lambda e: (e.start, e.signal, e.code, e.severity))


def _entry(run: Sequence[SeenAlarm]) -> JoinedAlarm:
    first, last = run[0].alarm, run[-1].alarm
    severity: Literal["warning", "fault"] = "fault" if any(s.alarm.severity == "fault" for s in run) else "warning"
    return JoinedAlarm(
        last.signal, last.code, last.text, severity, run[-1].component, first.start, last.start, last.end, len(run)
    )


def change_of(kept: CaseAlarms, wanted: CaseAlarms, now: int, *, settled: bool) -> AlarmChange | None:
    """What has to be written so that a case's alarms are as they are wanted; None: nothing yet.

    What merely grows is written when it has doubled or has come to its end, at the latest when all is ``settled``: a
    case gets few steps for many alarms.
    """
    if kept == wanted:
        return None
    before, after = {e.id: e for e in kept.entries}, {e.id: e for e in wanted.entries}
    floods = {f.start: f for f in kept.floods}
    changed = tuple(e for e in wanted.entries if before.get(e.id) != e)
    gone = tuple(id for id in before if id not in after)
    due = (
        settled
        or bool(gone)
        or any(_entry_due(before.get(e.id), e, now) for e in changed)
        or any(_flood_due(floods.get(f.start), f, now) for f in wanted.floods)
        or len(kept.floods) > len(wanted.floods)
        or wanted.more < kept.more
        or wanted.more >= max(1, 2 * kept.more)
    )
    return AlarmChange(changed, gone, wanted.floods, wanted.more) if due else None


def _entry_due(before: JoinedAlarm | None, entry: JoinedAlarm, now: int) -> bool:
    if before is None or entry.count < before.count or entry.count >= 2 * before.count:
        return True
    if entry.count == 1:
        return True  # it has ended; what chatters ends again and again
    return now - entry.last >= MINUTE


def _flood_due(before: Flood | None, flood: Flood, now: int) -> bool:
    return before is None or (before != flood and (flood.count >= 2 * before.count or now >= flood.end))


def changed_alarms(kept: CaseAlarms, change: AlarmChange) -> CaseAlarms:
    """A case's alarms after a change."""
    entries = {e.id: e for e in kept.entries if e.id not in change.gone}
    entries.update({e.id: e for e in change.entries})
    ordered = sorted(entries.values(), key=lambda e: (e.start, e.signal, e.code, e.severity))
    return CaseAlarms(tuple(ordered), change.floods, change.more)
