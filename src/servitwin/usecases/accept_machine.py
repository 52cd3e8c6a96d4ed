"""Accept a machine under a contract (row C21): the guarantee's clock starts once both parties have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from servitwin.domain.acceptance import Finding
from servitwin.domain.agreement import Acceptance, Agreement, accepted_at
from servitwin.domain.canonical_json import digest
from servitwin.domain.contract import Contract
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import format_instant
from servitwin.domain.party import Actor
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.measure_acceptance import MeasureAcceptance
from servitwin.usecases.ports import Records


class AcceptMachine:
    """Keeps what the parties say of a machine's acceptance, step by step."""

    def __init__(
        self,
        records: Records,
        access: ContractAccess,
        measure: MeasureAcceptance,
        audit: Audit,
        now: Callable[[], int],
    ) -> None:
        self._records = records
        self._access = access
        self._measure = measure
        self._audit = audit
        self._now = now

    def accept(
        self,
        id: str,
        twin: str,
        answer: Literal["accepted", "refused"],
        actor: Actor,
        *,
        said: Sequence[Finding] = (),
        until: int | None = None,
        text: str = "",
    ) -> Agreement:
        """Accept or refuse a machine for the actor's party.

        ``said``: what people judged. What the twin measures is measured here, up to ``until`` (default: as in
        :meth:`findings`), and nobody's word is taken for it.

        Raises:
            InvalidInputError: ``acceptance:machine-unknown``, ``acceptance:criterion-unknown``.
            ConflictError: ``acceptance:done`` once both have accepted; ``acceptance:criterion-failed``,
                ``acceptance:criterion-missing``, ``acceptance:out-of-turn`` where somebody was faster.
        """
        agreement = self._access.measured(actor, id)
        contract = agreement.contract
        self._access.require(actor, "claim", contract)
        party = self._access.side(actor, contract)
        _require_machine(contract, twin)
        steps = [s for s in self.steps(agreement) if s.twin == twin]
        done = accepted_at(steps, contract, twin)
        if done is not None:
            raise ConflictError(
                Fault(
                    "acceptance:done", f"Both parties accepted {twin} at {format_instant(done)}",
                    "What fails from then on is a matter of the guarantee",
                )
            )  # fmt: skip
        found = self.findings(agreement, twin, party, said, until)
        if answer == "accepted":
            _require_met(contract, found)
        step = Acceptance(
            contract.id, twin, len(steps) + 1, party, actor.id, self._now(), answer,
            tuple((f.name, f.result, f.evidence) for f in found), text,
            max((f.end for f in found if f.end is not None), default=None),
            contract.version, criteria_digest(contract), tuple(f for f in found if f.start is not None),
        )  # fmt: skip
        if not self._records.add_acceptance(step):
            raise ConflictError(
                Fault("acceptance:out-of-turn", "Somebody else said something just now", "Read it again")
            )
        self._audit.note(actor, "machine.accept", twin, {"contract": contract.id, "answer": answer})
        return agreement

    def findings(
        self, agreement: Agreement, twin: str, party: str, said: Sequence[Finding] = (), until: int | None = None
    ) -> list[Finding]:
        """Every criterion of the contract with its result, in order; of a contract without criteria what was said.

        ``until``: end of the test run; default: where the run ended that the other party than ``party`` accepted by,
        else now.

        Raises:
            InvalidInputError: ``acceptance:machine-unknown``, ``acceptance:criterion-unknown``.
        """
        contract = agreement.contract
        _require_machine(contract, twin)
        if not contract.criteria:
            return list(said)
        judged = {f.name: f for f in said}
        unknown = judged.keys() - {c.name for c in contract.criteria if not c.measured}
        if unknown:
            names = ", ".join(repr(c.name) for c in contract.criteria if not c.measured) or "none"
            raise InvalidInputError(
                Fault(
                    "acceptance:criterion-unknown", f"{min(unknown)!r} is no criterion that people judge here",
                    f"They judge {names}; the twin measures the rest", "criteria",
                )
            )  # fmt: skip
        now = self._now()
        end = min(until if until is not None else self._tested_until(agreement, twin, party) or now, now)
        measured = {f.name: f for f in self._measure.measure(agreement, twin, end)}
        return [measured.get(c.name) or judged.get(c.name) or Finding(c.name, "open") for c in contract.criteria]

    def _tested_until(self, agreement: Agreement, twin: str, party: str) -> int | None:
        """Both judge the same test run; one that the other refused is over, and mended machines are tested anew."""
        terms = criteria_digest(agreement.contract)
        others = [s for s in self.steps(agreement) if s.twin == twin and s.party != party and s.terms == terms]
        return others[-1].tested_until if others and others[-1].answer == "accepted" else None

    def steps(self, agreement: Agreement) -> list[Acceptance]:
        """What was said of the acceptance of each machine, in order."""
        return self._records.acceptances(agreement.contract.id)


def criteria_digest(contract: Contract) -> str:
    """Digest of a contract's criteria, whatever version they stand in; empty where it has none."""
    return digest(contract.criteria) if contract.criteria else ""


def _require_machine(contract: Contract, twin: str) -> None:
    if twin not in contract.machines:
        raise InvalidInputError(
            Fault("acceptance:machine-unknown", f"{twin} is no machine of {contract.id}", where="twin")
        )


def _require_met(contract: Contract, found: Sequence[Finding]) -> None:
    """Nothing failed, all that is measured passed, and what is left open says what is left to do."""
    failed = [f.name for f in found if f.result == "failed"]
    measured = {c.name for c in contract.criteria if c.measured}
    missing = [f.name for f in found if f.result == "open" and (f.name in measured or not f.evidence.strip())]
    if failed:
        hint = "Refuse it, or measure again once it is mended"
        raise ConflictError(Fault("acceptance:criterion-failed", f"Not passed: {', '.join(failed)}", hint, "criteria"))
    if missing and contract.criteria:
        hint = "Say of each that it passed, or what is left to do; what the twin measures needs its data"
        raise ConflictError(
            Fault("acceptance:criterion-missing", f"Not shown yet: {', '.join(missing)}", hint, "criteria")
        )
