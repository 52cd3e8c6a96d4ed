"""Claim that stopped time should not count, and decide what the other party claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.canonical_json import digest, plain
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.exclusion import (
    Answer,
    Decision,
    Evidence,
    Exclusion,
    Standing,
    Stretch,
    check_exclusion,
    next_step,
    standing,
)
from servitwin.domain.party import Actor
from servitwin.proof.log.statement import Subject
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records
from servitwin.usecases.state_evidence import StateEvidence


class NewClaim(msgspec.Struct, frozen=True):
    """What a party claims; times in ns UTC."""

    twin: str
    kind: str
    start: int
    end: int
    text: str = ""
    evidence: tuple[Evidence, ...] = ()


class ClaimExclusion:
    """Claims under a contract, and their steps."""

    def __init__(
        self,
        records: Records,
        access: ContractAccess,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
        evidence: StateEvidence,
    ) -> None:
        self._records = records
        self._access = access
        self._audit = audit
        self._now = now
        self._new_id = new_id
        self._evidence = evidence

    def claim(self, id: str, claimed: NewClaim, actor: Actor) -> Standing:
        """Propose an exclusion for the actor's party.

        Raises:
            InvalidInputError: every fault of the claim (``exclusion:...``).
        """
        agreement = self._access.current(actor, id)
        contract = agreement.contract
        self._access.require(actor, "claim", contract)
        proposer = self._access.side(actor, contract)
        exclusion = Exclusion(
            self._new_id(),
            contract.id,
            claimed.twin,
            claimed.kind,  # type: ignore[arg-type]  # checked below
            claimed.start,
            claimed.end,
            proposer,
            actor.id,
            self._now(),
            claimed.text,
            claimed.evidence,
        )
        faults = check_exclusion(exclusion, contract)
        if faults:
            raise InvalidInputError(faults)
        self._records.add_exclusion(exclusion)
        self._audit.note(actor, "exclusion.claim", contract.id, {"exclusion": exclusion.id, "kind": exclusion.kind})
        return self.standing_of(agreement, exclusion.id)

    def decide(
        self,
        id: str,
        exclusion: str,
        answer: Answer,
        actor: Actor,
        *,
        parts: Sequence[Stretch] = (),
        number: int | None = None,
        text: str = "",
    ) -> Standing:
        """Take a step of a claim for the actor's party.

        ``number``: which step the actor believes to take; without it the next one.

        Raises:
            ConflictError: ``exclusion:out-of-turn`` where somebody else was faster, ``exclusion:deemed``,
                ``exclusion:decided``.
            RefusedError: ``exclusion:not-yours-to-decide``.
        """
        agreement = self._access.current(actor, id)
        contract = agreement.contract
        self._access.require(actor, "claim", contract)
        party = self._access.side(actor, contract)
        now = self.standing_of(agreement, exclusion)
        place = len(now.steps) + 1 if number is None else number
        step = Decision(exclusion, place, answer, party, actor.id, self._now(), tuple(parts), text)
        next_step(now, step, contract)
        with self._records.together():
            kept = self._records.add_exclusion_step(step)
            if kept:
                said = {"claim": plain(now.exclusion), "decision": plain(step)}
                subject = Subject(contract=contract.id)
                by = self._access.operator() or contract.provider
                self._evidence.state("exclusion", subject, step.at, {**said, "digest": digest(said)}, by)
        if not kept:
            raise ConflictError(
                Fault("exclusion:out-of-turn", "Somebody else decided this claim just now", "Read the claim again")
            )
        detail = {"exclusion": exclusion, "answer": answer, "step": place}
        self._audit.note(actor, "exclusion.decide", contract.id, detail)
        return self.standing_of(agreement, exclusion)

    def standings(self, agreement: Agreement, known_at: int | None = None) -> list[Standing]:
        """Where every claim under a contract stands, oldest first."""
        guarantee = agreement.contract.guarantee
        if guarantee is None:
            return []
        at = self._now() if known_at is None else known_at
        claims = self._records.exclusions(agreement.contract.id)
        return [standing(c, steps, guarantee, at) for c, steps in claims if c.at <= at]

    def standing_of(self, agreement: Agreement, exclusion: str) -> Standing:
        """Where one claim stands.

        Raises:
            NotFoundError: ``exclusion:unknown``.
        """
        found = next((s for s in self.standings(agreement) if s.exclusion.id == exclusion), None)
        if found is None:
            raise NotFoundError(
                Fault(
                    "exclusion:unknown", f"{agreement.contract.id} has no claim {exclusion[:80]!r}", where="exclusion"
                )
            )
        return found
