"""Agree a contract: brought in as a file it runs as a trial, signed by both parties it binds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from servitwin.domain.agreement import Agreement, Signature, Withdrawal
from servitwin.domain.canonical_json import digest
from servitwin.domain.contract import Contract
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.party import Actor
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.formats.contract_file import Around, read_contract
from servitwin.usecases.audit import Audit
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.sign import Sign

PURPOSE = "contract"


class AgreeContract:
    """Brings contracts in and lets parties sign them."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        access: ContractAccess,
        sign: Sign,
        audit: Audit,
        now: Callable[[], int],
    ) -> None:
        self._records = records
        self._registry = registry
        self._access = access
        self._sign = sign
        self._audit = audit
        self._now = now

    def add(self, name: str, text: str, actor: Actor) -> Agreement:
        """Read a contract file and keep its version; unsigned it is a trial.

        Raises:
            InvalidInputError: every fault of the file.
            ConflictError: ``contract:version-exists``.
        """
        return self.add_contract(self._read(name, text), actor)

    def draft(self, name: str, text: str, actor: Actor) -> Agreement:
        """Read a contract file that the actor could bring in, and keep nothing of it.

        Raises:
            InvalidInputError: every fault of the file.
            RefusedError: ``contract:not-a-party``, ``access:not-permitted``.
        """
        contract = self._read(name, text)
        self._access.side(actor, contract)
        self._access.require(actor, "agree", contract)
        return Agreement(contract, digest(contract), self._now())

    def _read(self, name: str, text: str) -> Contract:
        machines = {t.id for t in self._records.twins() if not t.simulates}
        around = Around({p.id for p in self._records.parties()}, machines, self._signals)
        contract, faults = read_contract(text, name, around=around)
        if contract is None:
            raise InvalidInputError(faults)
        return contract

    def add_contract(self, contract: Contract, actor: Actor) -> Agreement:
        """Keep a version that was read and checked."""
        self._access.side(actor, contract)
        self._access.require(actor, "agree", contract)
        self._records.add_contract(contract, digest(contract), self._now())
        found = self._access.current(actor, contract.id, contract.version)
        self._audit.note(actor, "contract.add", contract.id, {"version": contract.version, "digest": found.digest})
        return found

    def _signals(self, twin: str) -> Collection[str] | None:
        found = self._registry.by_id(twin)
        return None if found is None else self._registry.signals(found.uid, self._now()).keys()

    def sign(
        self, id: str, version: int | None, actor: Actor, made_elsewhere: tuple[str, str] | None = None
    ) -> Agreement:
        """Sign a version for the actor's party; with both signatures it binds.

        ``made_elsewhere``: public key and signature (base64), for parties whose key this node does not hold.

        Raises:
            ConflictError: ``contract:period-overlap`` if another contract that binds holds for a machine and time,
                ``contract:withdrawn``, ``contract:version-superseded``.
        """
        agreement = self._access.current(actor, id, version)
        contract = agreement.contract
        party = self._access.side(actor, contract)
        self._access.require(actor, "agree", contract)
        newest = self._access.versions(actor, id)[-1]
        if newest.contract.version != contract.version and not agreement.binding:
            raise ConflictError(
                Fault(
                    "contract:version-superseded",
                    f"{contract.reference} was replaced by version {newest.contract.version}",
                    "Sign the newest version",
                    "version",
                )
            )
        with self._records.together(alone="sign contracts"):  # of two that overlap, the second finds the first
            self._refuse_withdrawn(self._access.current(actor, id, contract.version))
            self._refuse_overlap(contract)
            if made_elsewhere is None:
                signature = self._sign.sign(PURPOSE, agreement.digest, party, actor)
            else:
                signature = self._sign.add(PURPOSE, agreement.digest, party, *made_elsewhere, actor)
        self._audit.note(actor, "contract.sign", contract.id, _signed(contract, party, signature))
        return self._access.current(actor, id, contract.version)

    def withdraw(self, id: str, version: int | None, text: str, actor: Actor) -> Agreement:
        """End an offer before both parties have signed it: taken back by who signed it, or declined by the other.

        Nobody can sign that version any more, and it stands in no other contract's way. A further version may be
        brought in.

        Raises:
            ConflictError: ``contract:binding``, ``contract:not-offered``, ``contract:withdrawn``.
        """
        with self._records.together(alone="sign contracts"):
            agreement = self._access.current(actor, id, version)
            contract = agreement.contract
            party = self._access.side(actor, contract)
            self._access.require(actor, "agree", contract)
            if agreement.binding:
                message = f"{contract.reference} is signed by both parties"
                raise ConflictError(Fault("contract:binding", message, "Agree a further version that ends it"))
            if not agreement.signatures:
                message = f"Nobody has signed {contract.reference}: there is no offer to end"
                raise ConflictError(Fault("contract:not-offered", message, "Leave it, or bring in another version"))
            self._refuse_withdrawn(agreement)
            said = Withdrawal(agreement.digest, party, actor.id, self._now(), text.strip()[:1000])
            self._records.add_withdrawal(said)
            self._audit.note(actor, "contract.withdraw", id, {"version": contract.version, "party": party})
        return self._access.current(actor, id, contract.version)

    @staticmethod
    def _refuse_withdrawn(agreement: Agreement) -> None:
        if agreement.withdrawal is not None:
            message = f"{agreement.contract.reference} was ended by {agreement.withdrawal.party} before it was agreed"
            raise ConflictError(Fault("contract:withdrawn", message, "Bring in a further version", "version"))

    def _refuse_overlap(self, contract: Contract) -> None:
        if contract.guarantee is None:
            return
        for other in overlapping(contract, self._records.contracts()):
            if other.rank == contract.rank:
                machine = next(m for m in contract.machines if m in other.machines)
                raise ConflictError(
                    Fault(
                        "contract:period-overlap",
                        f"{other.reference} guarantees {machine} in the same time",
                        "End one before the other begins, or give them different ranks",
                        "period",
                    )
                )


def overlapping(contract: Contract, others: Sequence[Agreement]) -> list[Contract]:
    """Guarantees of other contracts that bind or are offered, for one of the same machines in the same time."""
    start, end = contract_start(contract), contract_end(contract)
    return [
        a.contract
        for a in others
        if a.contract.id != contract.id
        and a.signatures
        and a.withdrawal is None
        and a.contract.guarantee is not None
        and set(a.contract.machines) & set(contract.machines)
        and contract_start(a.contract) < end
        and start < contract_end(a.contract)
    ]


def _signed(contract: Contract, party: str, signature: Signature) -> dict[str, object]:
    return {"version": contract.version, "party": party, "digest": signature.digest, "key": signature.key}
