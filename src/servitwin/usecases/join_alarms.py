"""Join the alarms of machines to the cases that they belong to, as both come in: late, twice, or after a restart."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from servitwin.domain.alarm_figure import WINDOW
from servitwin.domain.case import CaseStanding, case_standing
from servitwin.domain.case_alarm import Claim, SeenAlarm, Span, case_alarms, change_of, stretches
from servitwin.domain.error import UnavailableError
from servitwin.domain.instant import DAY, LATEST, MINUTE, NS
from servitwin.domain.observation import Cut
from servitwin.domain.twin import Twin
from servitwin.usecases.keep_cases import KeepCases
from servitwin.usecases.list_alarms import alarms_among
from servitwin.usecases.machine_time import Sources
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

log = logging.getLogger("servitwin.cases")
_SOONEST = 3 * NS
_SHARE = 50  # reading for one case takes at most this part of the time
_ENDS_FOLLOWED = DAY  # so long after its window it is watched when an alarm ends
_SETTLED = 15 * NS  # data later than that are seen as late data
_BUDGET_S = 0.3  # for one round, a tenth of a core; whoever waited longest comes first
_AGAIN = MINUTE
_MANY = 20


@dataclass(frozen=True, slots=True)
class _Read:
    alarms: list[SeenAlarm]
    until: int  # what was observed before that was read
    done: bool


@dataclass(slots=True)
class _Held:
    standing: CaseStanding
    due: int = 0
    read: dict[Span, _Read] = field(default_factory=dict)  # stretches in which nothing comes any more


class JoinAlarms:
    """Call :meth:`advance` every few seconds.

    What a case's alarms are follows from the observations and the findings alone; a step is taken only where the case
    says otherwise. So it does not matter in which order they came, nor whether the process was killed between.
    """

    def __init__(
        self,
        history: HistoryReader,
        registry: Registry,
        records: Records,
        cases: KeepCases,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock``: seconds, by which the time that reading takes is measured."""
        self._history = history
        self._registry = registry
        self._records = records
        self._cases = cases
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._lengths: dict[str, int] = {}
        self._cut: Cut = {}
        self.failures: dict[str, str] = {}  # by id of the case

    def advance(self, now: int) -> int:
        """Bring cases whose turn it is up to ``now``; returns how many steps were taken."""
        self._reload()
        if not any(h.standing.open for h in self._held.values()):
            return 0
        cut = self._history.cut()
        self._regard_late(cut)
        due = sorted((h.due, id) for id, h in self._held.items() if h.standing.open and h.due <= now)
        began, taken = self._clock(), 0
        for _, id in due:
            try:
                taken += self._one(self._held[id], cut, now)
                self.failures.pop(id, None)
            except UnavailableError:
                raise
            except Exception as e:  # what one machine's data bring must not keep the alarms of the others waiting
                if self.failures.get(id) != str(e):
                    log.exception("alarms of case %s cannot be joined; they are tried again", id)
                self.failures[id] = str(e)
                self._held[id].due = now + _AGAIN
            if self._clock() - began > _BUDGET_S:
                break
        return taken

    def _reload(self) -> None:
        """Read the cases that have changed; then all of the same twin have to be looked at: one may own more now."""
        lengths = self._records.case_lengths()
        changed = [id for id, n in lengths.items() if self._lengths.get(id) != n]
        if len(changed) > _MANY:
            read = [(c, steps) for c, steps in self._records.cases() if self._lengths.get(c.id) != lengths.get(c.id)]
        else:
            read = [found for id in changed for found in self._records.cases(id=id)]
        for case, steps in read:
            self._keep(case_standing(case, steps, LATEST))
        self._lengths = lengths
        twins = {case.twin for case, _ in read}
        for held in self._held.values():
            if held.standing.case.twin in twins:
                held.due = 0

    def _keep(self, standing: CaseStanding) -> None:
        if standing.case.source:
            return  # nothing is proven of it: it must not take alarms from cases of requirements
        lean = msgspec.structs.replace(standing, steps=())
        held = self._held.get(standing.case.id)
        if held is None:
            self._held[standing.case.id] = _Held(lean)
        else:
            held.standing = lean

    def _regard_late(self, cut: Cut) -> None:
        """Stretches that were read to their end are read again if something came for them since."""
        late = self._history.changed_since(self._cut) if self._cut else {}
        self._cut = cut
        for held in self._held.values():
            span = late.get(held.standing.case.twin)
            if span is None:
                continue
            before = len(held.read)
            held.read = {s: read for s, read in held.read.items() if read.until <= span[0]}
            if len(held.read) < before:
                held.due = 0

    def _one(self, held: _Held, cut: Cut, now: int) -> int:
        standing = held.standing
        case = standing.case
        twin = self._registry.by_uid(case.twin)
        if twin is None:
            held.due = now + DAY
            return 0
        began = self._clock()
        spans = stretches(standing.findings)
        found = {span: held.read.get(span) or self._read(twin, span, cut, now) for span in spans}
        held.read = {span: read for span, read in found.items() if read.done}
        settled = len(held.read) == len(found)
        seen = [one for read in found.values() for one in read.alarms]
        change = change_of(
            standing.alarms, case_alarms(case.id, self._claims(case.twin), seen, spans), now, settled=settled
        )
        if change is not None:
            self._cases.join_alarms(case, change, now)
            [(_, steps)] = self._records.cases(id=case.id)
            self._keep(case_standing(case, steps, LATEST))
            self._lengths[case.id] = len(steps)
        cost = int((self._clock() - began) * NS)
        last = spans[-1][1] if spans else now
        held.due = now + (DAY if settled else max(_SOONEST, _SHARE * cost, (now - last - WINDOW) // 20))
        return int(change is not None)

    def _read(self, twin: Twin, span: Span, cut: Cut, now: int) -> _Read:
        """Alarms of a twin around a stretch; those that go on are followed to their end for a day."""
        sources = Sources(self._history, self._registry, self._records, cut)
        start, end = span[0] - WINDOW, span[1] + WINDOW
        until = min(now, end)
        seen = self._alarms(sources, twin, start, until)
        if now < end + _SETTLED:
            return _Read(seen, until, done=False)
        if not _go_on(seen, span):
            return _Read(seen, until, done=True)
        until = min(now - _SETTLED, end + _ENDS_FOLLOWED)
        seen = [s for s in self._alarms(sources, twin, start, until) if s.alarm.start < end]
        return _Read(seen, until, done=until == end + _ENDS_FOLLOWED or not _go_on(seen, span))

    def _alarms(self, sources: Sources, twin: Twin, start: int, end: int) -> list[SeenAlarm]:
        if end <= start:
            return []
        found, _ = alarms_among(sources, [twin], start, end)
        components = {name: d.component for name, d in self._registry.signals(twin.uid, end).items()}
        return [SeenAlarm(a.alarm, components.get(a.alarm.signal, "")) for a in found if a.alarm.active_in(start, end)]

    def _claims(self, twin: str) -> Sequence[Claim]:
        mine = [h.standing for h in self._held.values() if h.standing.case.twin == twin]
        return [
            Claim(s.case.id, s.case.component, s.case.severity, s.case.requirement, s.findings)
            for s in mine
            if s.findings
        ]


def _go_on(seen: Iterable[SeenAlarm], span: Span) -> bool:
    return any(s.alarm.end is None and s.alarm.active_in(*span) for s in seen)
