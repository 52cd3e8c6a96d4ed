"""Cases: which there are, where they stand, and what people do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.case import (
    Acknowledged,
    Case,
    CaseStanding,
    CaseStep,
    Closed,
    Diagnosed,
    Dismissed,
    Ended,
    Found,
    Noted,
    Repaired,
    Shelved,
    StepBody,
    Unshelved,
    case_standing,
)
from servitwin.domain.case_alarm import SEVERITY_RANK
from servitwin.domain.case_check import check_step
from servitwin.domain.case_relation import related
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, RefusedError
from servitwin.domain.instant import EARLIEST, LATEST
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.proof.log.statement import Subject, exact_instant
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.state_evidence import StateEvidence

PEOPLES_STEPS = (Acknowledged, Shelved, Unshelved, Diagnosed, Repaired, Closed, Dismissed, Noted)


class ActOnCase:
    """Reads cases for a caller and takes people's steps. A case of a twin that one may not know does not exist."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
        audit: Audit,
        evidence: StateEvidence,
        now: Callable[[], int],
        publish: Callable[[str, bytes], None],
    ) -> None:
        self._records = records
        self._registry = registry
        self._authoriser = authoriser
        self._audit = audit
        self._evidence = evidence
        self._now = now
        self._publish = publish

    def list(
        self, actor: Actor, *, twins: Sequence[str] = (), only_open: bool = False, known_at: int | None = None
    ) -> list[CaseStanding]:
        """Cases of twins (uids; none named: of all that the actor may read), the most urgent first.

        Urgent is: open before ended, safety before high, medium and low, violated now before not, then the newest.
        """
        at = self._now() if known_at is None else known_at
        known = self._authoriser.known(actor)
        seen = (self._seen(actor, c, steps, at) for c, steps in self._records.cases(twins) if c.twin in known)
        found = [s for s in seen if s is not None]
        if only_open:
            found = [s for s in found if s.open]
        return sorted(found, key=_urgency)

    def get(self, actor: Actor, id: str, known_at: int | None = None) -> CaseStanding:
        """Where one case stands.

        Raises:
            NotFoundError: ``case:unknown``.
        """
        at = self._now() if known_at is None else known_at
        for case, steps in self._records.cases(id=id):
            standing = self._seen(actor, case, steps, at)
            if standing is not None:
                return standing
        raise NotFoundError(Fault("case:unknown", f"There is no case {id[:80]!r}", "See GET /cases", "id"))

    def related(self, actor: Actor, one: CaseStanding) -> Sequence[CaseStanding]:
        """The cases that belong together with one, the leading one first."""
        return related(one, self.list(actor, twins=[one.case.twin]))

    def act_together(
        self, actor: Actor, id: str, also: Sequence[str], body: StepBody, number: int | None = None
    ) -> CaseStanding:
        """Take the same step in a case and in others that belong together with it; none is taken if one is refused.

        Raises:
            InvalidInputError: ``case:not-related``, ``case:by-itself``, and as :meth:`act` says.
            ConflictError, RefusedError: as :meth:`act` says.
        """
        others = {s.case.id: s for s in self.related(actor, self.get(actor, id))} if also else {}
        wanted = dict.fromkeys(also)  # who is named twice is meant once
        for other in wanted:
            if other not in others:
                raise InvalidInputError(
                    Fault(
                        "case:not-related",
                        f"{other[:80]!r} is no case that belongs together with {id}",
                        "See `related` of the case",
                        "also",
                    )
                )
        if wanted and isinstance(body, Shelved | Unshelved | Closed | Dismissed):
            raise InvalidInputError(
                Fault(
                    "case:by-itself",
                    "Each case is put aside, taken up again and closed by itself",
                    "Leave `also` out, and take the step in each case",
                    "also",
                )
            )
        with self._records.together():
            taken = [self._take(actor, id, body, number), *(self._take(actor, other, body, None) for other in wanted)]
        for step, twin in taken:
            self._tell(actor, step, twin)
        return self.get(actor, id)

    def act(self, actor: Actor, id: str, body: StepBody, number: int | None = None) -> CaseStanding:
        """Take a step; ``number``: which the actor believes to take, without it the next one.

        Raises:
            InvalidInputError, ConflictError, RefusedError: as :func:`servitwin.domain.case_check.check_step` says.
        """
        return self.act_together(actor, id, (), body, number)

    def _take(self, actor: Actor, id: str, body: StepBody, number: int | None) -> tuple[CaseStep, Twin]:
        """Keep a step in the transaction of the caller."""
        self.get(actor, id)
        [(case, steps)] = self._records.cases(id=id)
        now = case_standing(case, steps, LATEST)
        if number is not None:
            # Steps from before the clock was set back bear a later time: nobody is shown them, and they are there.
            number += sum(1 for s in steps if s.at > self._now())
        step, twin = self._step(actor, now, body, number)
        if not self._records.add_case_step(step):
            raise ConflictError(
                Fault("case:out-of-turn", "Somebody else acted on this case just now", "Read it again", "number")
            )
        if isinstance(body, Repaired):
            self._state_repair(now, body, step.at)
        return step, twin

    def _tell(self, actor: Actor, step: CaseStep, twin: Twin) -> None:
        """Note and publish a step that is kept."""
        said = msgspec.to_builtins(step.body)
        self._audit.note(actor, "case.step", twin.id, {"case": step.case, **said})
        data = {"case": step.case, "kind": said["kind"]}
        number = self._records.add_event("case-changed", twin.id, step.at, data)
        event = {"id": number, "kind": "case-changed", "subject": twin.id, "at": step.at, "data": data}
        self._publish("happened", msgspec.json.encode(event))

    def _step(self, actor: Actor, now: CaseStanding, body: StepBody, number: int | None) -> tuple[CaseStep, Twin]:
        """The step that an actor would take, and the machine, if it may be taken."""
        if not isinstance(body, PEOPLES_STEPS):
            raise InvalidInputError(
                Fault("case:step-not-yours", "That step is taken by the monitor alone", "Say what was done", "kind")
            )
        twin = self._registry.by_uid(now.case.twin)
        assert twin is not None  # `get` would not have found its case
        self._authoriser.require(actor, "treat", twin)
        step = CaseStep(now.case.id, len(now.steps) + 1 if number is None else number, self._now(), actor.id, body)
        check_step(now, step)
        if isinstance(body, Diagnosed | Repaired):
            self._require_component(now, body.component)
        return step, twin

    def _state_repair(self, now: CaseStanding, body: Repaired, at: int) -> None:
        """What was done is a statement of the node's operator, with the name of who did it."""
        self._evidence.state(
            "repair",
            Subject(twin=now.case.twin, case=now.case.id),
            at,
            {
                "component": body.component,
                "kind": body.change,
                "what": body.what,
                "version": body.version,
                "done_by": body.done_by,
                "done_at": exact_instant(body.done_at),
            },
        )

    def _require_component(self, now: CaseStanding, component: str) -> None:
        twin = self._registry.by_uid(now.case.twin)
        kind = self._registry.type_at(twin, now.case.opened) if twin else None
        known = ["", *(c.path for c in kind.components)] if kind else [""]
        if component not in known:
            names = ", ".join(known[1:]) or "none: leave it empty"
            raise InvalidInputError(
                Fault("case:component-unknown", f"There is no component {component[:80]!r}", names, "component")
            )

    def may_show(self, actor: Actor, standing: CaseStanding, start: int, end: int) -> bool:
        """Whether the actor may read what the machine of a case did in all of [start, end)."""
        twin = self._registry.by_uid(standing.case.twin)
        return twin is not None and self._authoriser.spans(actor, twin, "", start, end) == [(start, end)]

    def require_shown(self, actor: Actor, standing: CaseStanding, start: int, end: int) -> None:
        """Refuse to show observations of [start, end) to whoever may not read all of them.

        Raises:
            RefusedError: ``case:time-not-readable``.
        """
        if not self.may_show(actor, standing, start, end):
            raise RefusedError(
                Fault(
                    "case:time-not-readable",
                    "In that time the machine belonged to somebody else, whose observations you may not read",
                    "Ask the owner of that time for the proof, or for a grant",
                )
            )

    def _seen(self, actor: Actor, case: Case, steps: Sequence[CaseStep], at: int) -> CaseStanding | None:
        """The case as an actor may know it at an instant; None: for them there is none.

        Rights follow ownership at the time of what was observed. A case is known to whoever may read the machine at a
        time at which it was violated; who may not any more knows it as it was when it changed hands.
        """
        twin = self._registry.by_uid(case.twin)
        if twin is None or case.opened > at:
            return None
        if not self._authoriser.may(actor, "read", twin):
            mine = self._authoriser.spans(actor, twin, "", EARLIEST, at)
            if not mine or mine[-1][1] <= case.opened:
                return None
            at = min(at, mine[-1][1] - 1)
        standing = case_standing(case, steps, at)
        violated = [(f.start, max(f.start, at) + 1 if f.end is None else f.end) for f in standing.findings]
        if not violated:
            violated = [(case.opened, case.opened + 1)]
        readable = any(self._authoriser.spans(actor, twin, "", start, end) for start, end in violated)
        return self._without_others(actor, twin, standing) if readable else None

    def _without_others(self, actor: Actor, twin: Twin, standing: CaseStanding) -> CaseStanding:
        """The case without what services said of stretches at another owner's: it names readings."""
        bodies = [s.body for s in standing.steps]
        starts = {b.finding.id: b.finding.start for b in bodies if isinstance(b, Found) and b.told is not None}
        hidden = {id for id, at in starts.items() if not self._authoriser.spans(actor, twin, "", at, at + 1)}
        if not hidden:
            return standing
        steps = []
        for step in standing.steps:
            match step.body:
                case Found(finding=f) as body if f.id in hidden:
                    steps.append(msgspec.structs.replace(step, body=msgspec.structs.replace(body, told=None)))
                case Ended(finding=id) as body if id in hidden:
                    steps.append(msgspec.structs.replace(step, body=msgspec.structs.replace(body, told=None)))
                case _:
                    steps.append(step)
        return msgspec.structs.replace(standing, steps=tuple(steps))


def _urgency(s: CaseStanding) -> tuple[bool, int, bool, int]:
    return not s.open, SEVERITY_RANK[s.case.severity], not s.active, -s.case.opened
