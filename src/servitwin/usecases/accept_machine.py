"""Accept a machine under a contract (row C21): the guarantee's clock starts once both parties have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from servitwin.domain.agreement import Acceptance, Agreement
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records


class AcceptMachine:
    """Keeps what the parties say of a machine's acceptance, step by step."""

    def __init__(self, records: Records, access: ContractAccess, audit: Audit, now: Callable[[], int]) -> None:
        self._records = records
        self._access = access
        self._audit = audit
        self._now = now

    def accept(
        self,
        id: str,
        twin: str,
        answer: Literal["accepted", "refused"],
        actor: Actor,
        *,
        criteria: Sequence[tuple[str, str, str]] = (),
        text: str = "",
    ) -> Agreement:
        """Accept or refuse a machine for the actor's party.

        ``criteria``: name, result (``passed``, ``failed``, ``open``) and evidence of each.

        Raises:
            InvalidInputError: ``acceptance:machine-unknown``.
            ConflictError: ``acceptance:criterion-failed``, ``acceptance:out-of-turn`` where somebody was faster.
        """
        agreement = self._access.current(actor, id)
        contract = agreement.contract
        self._access.require(actor, "claim", contract)
        party = self._access.side(actor, contract)
        if twin not in contract.machines:
            raise InvalidInputError(
                Fault("acceptance:machine-unknown", f"{twin} is no machine of {contract.id}", where="twin")
            )
        failed = [name for name, result, _ in criteria if result == "failed"]
        if answer == "accepted" and failed:
            hint = "Refuse it, or measure again once it is mended"
            raise ConflictError(
                Fault("acceptance:criterion-failed", f"Not passed: {', '.join(failed)}", hint, "criteria")
            )
        number = 1 + sum(1 for s in self.steps(agreement) if s.twin == twin)
        step = Acceptance(
            contract.id, twin, number, party, actor.id, self._now(), answer, tuple(criteria), text
        )  # fmt: skip
        if not self._records.add_acceptance(step):
            raise ConflictError(
                Fault("acceptance:out-of-turn", "Somebody else said something just now", "Read it again")
            )
        self._audit.note(actor, "machine.accept", twin, {"contract": contract.id, "answer": answer})
        return agreement

    def steps(self, agreement: Agreement) -> list[Acceptance]:
        """What was said of the acceptance of each machine, in order."""
        return self._records.acceptances(agreement.contract.id)
