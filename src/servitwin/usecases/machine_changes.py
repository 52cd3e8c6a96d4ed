"""When a machine was rightly changed: repairs and dismissals in its cases, versions of its type, what people say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from servitwin.domain.case import Case, CaseStep, Dismissed, Repaired
from servitwin.domain.case_check import LONGEST_NORMAL
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.machine_change import MachineChange
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import Records

_SAID = "machine-changes"  # setting with what people said beside cases, by uid

Changes = dict[str, list[MachineChange]]


class MachineChanges:
    """Reads the changes of machines, and takes what people say of them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, twin: Twin, known: Changes | None = None) -> tuple[MachineChange, ...]:
        """All that is known of a machine, in order of time.

        ``known``: what :meth:`recorded` said, where many machines are asked for.
        """
        recorded = self.recorded() if known is None else known
        found = {c.id: c for c in (*_of_type(twin), *recorded.get(twin.uid, ()))}
        return tuple(sorted(found.values(), key=lambda c: (c.at, c.id)))

    def recorded(self) -> Changes:
        """What is said in cases and beside them of all machines, by uid."""
        found = self._said()
        for kind in ("repaired", "dismissed"):
            for case, steps in self._records.cases(having=kind):
                found.setdefault(case.twin, []).extend(_in_case(case, steps))
        return found

    def _said(self) -> Changes:
        text = self._records.setting(_SAID)
        return msgspec.json.decode(text, type=Changes) if text else {}

    def say(
        self,
        actor: Actor,
        twin: Twin,
        since: int,
        text: str,
        authoriser: Authoriser,
        audit: Audit,
        now: int,
    ) -> MachineChange:
        """What the machine does since that instant is normal; saying it twice changes nothing.

        Raises:
            InvalidInputError: ``change:reason-missing``, ``change:in-future``, ``change:too-long-ago``,
                ``change:before-machine``.
            RefusedError: the actor may not treat the machine.
        """
        authoriser.require(actor, "treat", twin)
        faults = []
        if not text.strip():
            faults.append(Fault("change:reason-missing", "It is not said why", "Say what was changed", "text"))
        if since > now:
            faults.append(
                Fault("change:in-future", "Nobody knows yet what is normal then", "Now at the latest", "since")
            )
        if since < now - LONGEST_NORMAL:
            hint = "Thirty-one days ago at most: from then on the machine is learnt anew"
            faults.append(Fault("change:too-long-ago", "That is too long ago to be judged again", hint, "since"))
        if twin.commissioned is not None and since < twin.commissioned:
            hint = "Give an instant after it was commissioned"
            faults.append(Fault("change:before-machine", "The machine did not run then", hint, "since"))
        if faults:
            raise InvalidInputError(faults)
        change = MachineChange(since, "said", text.strip(), by=actor.id)
        with self._records.together(_SAID):
            said = self._said()
            mine = said.setdefault(twin.uid, [])
            if all(c.id != change.id for c in mine):
                mine.append(change)
                self._records.set_setting(_SAID, msgspec.json.encode(said).decode())
                audit.note(actor, "machine.change", twin.id, msgspec.to_builtins(change))
        return change


def _of_type(twin: Twin) -> list[MachineChange]:
    """Other versions of its type, from the second one on: the first is the machine as it was delivered."""
    dated = sorted(twin.type, key=lambda d: d.start)
    return [
        MachineChange(new.start, "type", f"{old.value} became {new.value}")
        for old, new in pairwise(dated)
        if new.value != old.value
    ]


def _in_case(case: Case, steps: Iterable[CaseStep]) -> Iterator[MachineChange]:
    for step in steps:
        match step.body:
            case Repaired(component=component, what=what, done_at=at, change=change):
                yield MachineChange(at, "repair", what, case.id, step.by, component if change == "part" else "")
            case Dismissed(text=text, normal_since=at) if at is not None:
                yield MachineChange(at, "said", text, case.id, step.by)
            case _:
                pass
