"""Open cases for violations, follow them to their end, and state that a repair is proven."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.case import (
    AlarmsJoined,
    Case,
    CaseStanding,
    CaseStep,
    Ended,
    Found,
    StepBody,
    Verified,
    Withdrawn,
    case_standing,
)
from servitwin.domain.case_alarm import AlarmChange
from servitwin.domain.error import ServitwinError, UnavailableError
from servitwin.domain.finding import Finding, Hypothesis
from servitwin.domain.formula.tree import LOGIC
from servitwin.domain.instant import LATEST, MINUTE, NS
from servitwin.domain.likely_cause import rank_causes, stopped_by
from servitwin.domain.observation import Cut
from servitwin.domain.twin import Twin, value_at
from servitwin.proof.log.statement import Subject, exact_instant
from servitwin.proof.violations import Change, Violation
from servitwin.usecases.account_time import states
from servitwin.usecases.case_step import MONITOR, add_monitor_step
from servitwin.usecases.judge_requirement import JudgeRequirement
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import Demand, RequirementSet
from servitwin.usecases.state_evidence import StateEvidence

log = logging.getLogger("servitwin.cases")
_LINE_LOOKS_BACK = 30 * MINUTE
_SETTLED = 15 * NS  # what was received before that is bound by now
_SHARE = 50  # judging the repair of one case takes at most this part of the time: it reads all since the repair
_AGAIN = MINUTE
_TAKEN_BACK = "With late data or a declared gap it is not certain any more that the requirement was violated"
Publish = Callable[[str, bytes], None]


class KeepCases:
    """Takes what monitors find. Everything may be told twice: a finding and its end are known by their identity."""

    def __init__(
        self,
        history: HistoryReader,
        registry: Registry,
        records: Records,
        evidence: StateEvidence,
        publish: Publish,
        new_id: Callable[[], str],
        bound: Callable[[], Cut],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``bound``: how much of each stream the evidence log binds; what is proven rests on nothing else.

        ``clock``: seconds, by which the time that judging takes is measured.
        """
        self._history = history
        self._registry = registry
        self._records = records
        self._evidence = evidence
        self._publish = publish
        self._new_id = new_id
        self._bound = bound
        self._clock = clock
        self._judge = JudgeRequirement(history, registry, records)
        self._due: dict[tuple[str, int], int] = {}  # when a repair is judged again, by the case and its steps
        self.failures: dict[str, str] = {}  # of repairs that cannot be judged, by id of the case

    def take(self, twin: Twin, demand: Demand, change: Change, cut: Cut, now: int) -> None:
        """Keep what became of a violation of a requirement of a twin."""
        standing = self._case_of(twin, demand, change.violation, now)
        match change.kind:
            case "found":
                if standing is None or _known(standing, twin, demand, change.violation) is None:
                    self._found(twin, demand, change.violation, standing, cut, now)
            case "ended" if standing is not None:
                known = _known(standing, twin, demand, change.violation)
                if known is not None and known.end != change.violation.end:
                    least, most = self._margin(twin, demand, change.violation, now, cut)
                    body = Ended(known.id, change.violation.end, least, most)
                    self._add(standing.case, body, now)
            case "joined" if standing is not None:
                known = _known(standing, twin, demand, change.violation)
                if known is not None:
                    self._add(standing.case, Withdrawn(known.id, "Part of an earlier violation of this case"), now)
            case _:
                pass

    def withdraw_missing(self, twin: Twin, demand: Demand, since: int, until: int, kept: set[int], now: int) -> None:
        """Late data were judged again: violations found in [since, until) that are not among ``kept`` are taken back.

        ``kept``: ``first`` of the violations that were found again.
        """
        for case, steps in self._records.cases([twin.uid]):
            if (case.requirement, case.digest) != (demand.name, demand.digest):
                continue  # what was found of a requirement that has been changed since, nobody has judged again
            for f in case_standing(case, steps, LATEST).findings:
                if since <= f.start < until and f.start not in kept:
                    self._add(case, Withdrawn(f.id, _TAKEN_BACK), now)

    def prove_repairs(self, demands: RequirementSet, now: int) -> int:
        """State of every repaired case whether it is proven by now; returns how many were."""
        proven = 0
        repaired = [
            (case, steps)
            for case, steps in self._records.cases(having="repaired")
            if case_standing(case, steps, LATEST).status == "repaired"
        ]
        waiting = {case.id: (case.id, len(steps)) for case, steps in repaired}
        self._due = {known: due for known, due in self._due.items() if waiting.get(known[0]) == known}
        self.failures = {id: why for id, why in self.failures.items() if id in waiting}
        due = [(case, steps) for case, steps in repaired if self._due.get(waiting[case.id], now) <= now]
        cut: Cut = self._bound() if due else {}
        # What came in and is not bound yet must not be taken for silence, in which values hold.
        unbound = self._history.changed_since(cut) if cut else {}
        for case, steps in due:
            began = self._clock()
            try:
                proven += self._prove_repair(case, steps, demands, now, cut, unbound.get(case.twin, (now, now))[0])
                self.failures.pop(case.id, None)
            except UnavailableError:
                raise
            except Exception as e:  # what one machine's data bring must not keep the repairs of others unproven
                if self.failures.get(case.id) != str(e):
                    log.exception("the repair of case %s cannot be judged; it is tried again", case.id)
                self.failures[case.id] = str(e)
                self._due[waiting[case.id]] = now + _AGAIN
            else:
                self._due[waiting[case.id]] = now + _SHARE * int((self._clock() - began) * NS)
        return proven

    def _prove_repair(
        self, case: Case, steps: Sequence[CaseStep], demands: RequirementSet, now: int, cut: Cut, whole: int
    ) -> bool:
        """State that a repair is proven, if it is; not if anybody has taken a step meanwhile.

        ``whole``: before that time the cut has all of the machine's observations that have come in.
        """
        standing = case_standing(case, steps, LATEST)
        twin = self._registry.by_uid(case.twin)
        if standing.status != "repaired" or standing.repair is None or standing.active or twin is None:
            return False
        demand = demands.of_case(twin, case)
        if demand is None:
            return False
        found = self._judge.progress(twin, demand, standing.repair.done_at, min(now - _SETTLED, whole), cut)
        if not found.proven:
            return False
        known = {str(k): v for k, v in cut.items()}
        body = Verified(found.since, found.until, found.occurrences, found.needed, found.bound, known)
        with self._records.together():
            # What was judged is the case as it was read: a new repair, or an end by hand, asks for another look.
            if not self._records.add_case_step(CaseStep(case.id, len(steps) + 1, now, MONITOR, body)):
                return False
            self._tell(case, "case-changed", now)
            self._evidence.state(
                "repair-verified",
                Subject(twin=twin.uid, case=case.id),
                now,
                {
                    "requirement": case.digest,
                    "occurrences": found.occurrences,
                    "needed": found.needed,
                    "bound": found.bound,
                    "since": exact_instant(found.since),
                    "cut": known,
                },
            )
        return True

    def join_alarms(self, case: Case, change: AlarmChange, now: int) -> None:
        """Keep what has changed in the machine's alarms that belong to a case."""
        self._add(case, AlarmsJoined(change), now)

    # one violation ----------------------------------------------------------------------------------------------
    def _found(
        self, twin: Twin, demand: Demand, v: Violation, standing: CaseStanding | None, cut: Cut, now: int
    ) -> None:
        least, most = self._margin(twin, demand, v, now, cut)
        finding = msgspec.structs.replace(_finding(twin, demand, v, cut), least=least, most=most)
        explanation = self._judge.explanation(twin, demand, v.first, now)
        body = Found(finding, explanation, self._hypotheses(twin, demand, v.first, now))
        with self._records.together():
            if standing is not None:
                case = standing.case
                self._add(case, body, now)
            else:
                case = Case(
                    self._new_id(), twin.uid, demand.name, demand.digest, demand.component,
                    demand.requirement.severity, now,
                )  # fmt: skip
                self._records.add_case(case, [CaseStep(case.id, 1, now, MONITOR, body)])
                self._tell(case, "case-opened", now)
            self._evidence.state(
                "verdict",
                Subject(twin=twin.uid, case=case.id),
                now,
                {
                    "requirement": demand.digest,
                    "logic": LOGIC,
                    "verdict": "false",
                    "from": exact_instant(finding.start),
                    "to": exact_instant(max(v.end, v.start + 1)),
                    "least": least,
                    "most": most,
                    "cut": {str(k): n for k, n in cut.items()},
                },
            )

    def _margin(
        self, twin: Twin, demand: Demand, v: Violation, now: int, cut: Cut
    ) -> tuple[float | None, float | None]:
        """Bounds of the margin over what is known of a violation; None where nothing measured decides."""
        assert demand.formula is not None
        pieces = self._judge.verdicts(twin, demand.formula, v.start, max(v.end, v.start + 1), now, cut)
        least = min((p.least for p in pieces), default=float("-inf"))
        most = min((p.most for p in pieces), default=float("inf"))
        return (None if abs(least) == float("inf") else least), (None if abs(most) == float("inf") else most)

    def _hypotheses(self, twin: Twin, demand: Demand, at: int, now: int) -> tuple[Hypothesis, ...]:
        key = demand.name.removeprefix(demand.component + ".") if demand.component else demand.name
        signs = {}
        try:
            wanted = {c.name: f for c in demand.causes if (f := demand.sign_of(c)) is not None}
            signs = self._judge.signs(twin, wanted, at, now)
        except ServitwinError as e:
            log.info("signs of causes of %s on %s cannot be seen: %s", demand.name, twin.id, e)
        return (*rank_causes(demand.causes, key, signs), *self._neighbours(twin, at))

    def _neighbours(self, twin: Twin, at: int) -> tuple[Hypothesis, ...]:
        parent = value_at(twin.parent, at)
        group = self._registry.by_id(parent) if parent else None
        if group is None or group.kind != "line":
            return ()
        told, titles = {}, {}
        for machine in self._registry.children(group.id, at):
            answer = states(self._history, self._registry, self._records, machine, at - _LINE_LOOKS_BACK, at + 1)
            told[machine.id], titles[machine.id] = answer.intervals, machine.title or machine.id
        return stopped_by(twin.id, told, titles, at)

    def _case_of(self, twin: Twin, demand: Demand, v: Violation, now: int) -> CaseStanding | None:
        """The case that has this violation, or that it belongs to; None: a new one.

        It belongs to the case that is open for the same requirement, or to one whose repair was said to be proven over
        that time, or after it: what comes late refutes that, or was mended with the rest. A requirement that was
        changed is another one: what is proven or put aside of the old one says nothing of it.
        """
        mine = [
            case_standing(c, steps, LATEST)
            for c, steps in self._records.cases([twin.uid])
            if c.requirement == demand.name
        ]
        having = next((s for s in mine if _known(s, twin, demand, v) is not None), None)
        same = [s for s in mine if s.case.digest == demand.digest]
        return having or next((s for s in same if _covers(s, v)), None) or next((s for s in same if s.open), None)

    def _add(self, case: Case, body: StepBody, now: int) -> None:
        add_monitor_step(self._records, case.id, body, now)
        self._tell(case, "case-changed", now)

    def _tell(self, case: Case, kind: str, now: int) -> None:
        twin = self._registry.by_uid(case.twin)
        data = {"case": case.id, "requirement": case.requirement, "severity": case.severity}
        subject = twin.id if twin is not None else case.twin
        number = self._records.add_event(kind, subject, now, data)
        event = {"id": number, "kind": kind, "subject": subject, "at": now, "data": data}
        self._publish("happened", msgspec.json.encode(event))


def _finding(twin: Twin, demand: Demand, v: Violation, cut: Cut) -> Finding:
    return Finding(
        twin.uid, demand.name, demand.digest, demand.component, demand.requirement.severity, v.first, v.determined,
        v.end if v.over else None, cut={str(k): n for k, n in cut.items()},
    )  # fmt: skip


def _covers(standing: CaseStanding, v: Violation) -> bool:
    """Whether a violation began between the first one of a case and the end of what proved its repair."""
    proven = standing.verified
    return proven is not None and standing.status == "verified" and standing.findings[0].start <= v.start < proven.until


def _known(standing: CaseStanding, twin: Twin, demand: Demand, v: Violation) -> Finding | None:
    id = _finding(twin, demand, v, {}).id
    return next((f for f in standing.findings if f.id == id), None)
