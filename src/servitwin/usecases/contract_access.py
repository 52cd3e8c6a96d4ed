"""Who may see, sign, claim and settle under a contract: its parties, by their people's tasks; nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault, NotFoundError, RefusedError
from servitwin.domain.party import Actor
from servitwin.domain.settlement import contract_start
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.ports import Records

ContractAction = Literal["read_contract", "agree", "claim", "settle"]


class ContractAccess:
    """Finds contracts for a caller. A contract that the caller may not know of does not exist for it."""

    def __init__(self, records: Records, authoriser: Authoriser) -> None:
        self._records = records
        self._authoriser = authoriser

    def operator(self) -> str:
        """The party that operates this node; "" if none is named."""
        return self._authoriser.operator()

    def all_of(self, actor: Actor, among: Sequence[Agreement] | None = None) -> list[Agreement]:
        """Every version of every contract that the actor may read; ``among``: the node's contracts, if read already."""
        found = self._records.contracts() if among is None else among
        return [a for a in found if self.may(actor, "read_contract", a.contract)]

    def may(self, actor: Actor, action: ContractAction, contract: Contract) -> bool:
        """Whether Cedar permits it."""
        return self._authoriser.may_on_contract(actor, action, contract)

    def require(self, actor: Actor, action: ContractAction, contract: Contract) -> None:
        """Refuse with ``contract:unknown`` or ``access:not-permitted``."""
        if not self.may(actor, "read_contract", contract):
            raise unknown_contract(contract.id)
        if not self.may(actor, action, contract):
            raise RefusedError(
                Fault(
                    "access:not-permitted",
                    f"You may not {action.replace('_', ' ')} under {contract.id}",
                    "Ask a person of your party whose task it is: procurement, sales or the service manager",
                )
            )

    def versions(self, actor: Actor, id: str) -> list[Agreement]:
        """All versions of a contract, oldest first.

        Raises:
            NotFoundError: ``contract:unknown``, the same whether it does not exist or is none of the caller's business.
        """
        found = [a for a in self.all_of(actor) if a.contract.id == id]
        if not found:
            raise unknown_contract(id)
        return found

    def all_current(self, actor: Actor, among: Sequence[Agreement] | None = None) -> list[Agreement]:
        """Each contract that the actor may read in the version that binds, else in its newest; by id."""
        by_id: dict[str, list[Agreement]] = {}
        for agreement in self.all_of(actor, among):
            by_id.setdefault(agreement.contract.id, []).append(agreement)
        return [_binding_or_newest(versions) for versions in by_id.values()]

    def current(self, actor: Actor, id: str, version: int | None = None) -> Agreement:
        """The version asked for, else the newest that binds, else the newest."""
        found = self.versions(actor, id)
        if version is not None:
            chosen = next((a for a in found if a.contract.version == version), None)
            if chosen is None:
                raise unknown_contract(f"{id}@{version}")
            return chosen
        return _binding_or_newest(found)

    def measured(self, actor: Actor, id: str, version: int | None = None) -> Agreement:
        """The version asked for, if the actor may learn by it what its machines did.

        It may if the party that owns a machine (or owned it when the contract began) has signed, or if it may read the
        machine anyway: nobody learns of a stranger's machine by writing, or signing with a friend, a contract for it.

        Raises:
            NotFoundError: ``contract:unknown``.
            RefusedError: ``contract:machine-not-readable``.
        """
        agreement = self.current(actor, id, version)
        self.require_measured(actor, agreement)
        return agreement

    def require_measured(self, actor: Actor, agreement: Agreement) -> None:
        """Refuse a version that the actor may read, but by which it may not learn what its machines did."""
        faults = [
            Fault(
                "contract:machine-not-readable",
                f"Your party may not read what {machine} did, and its owner has not signed",
                "Ask its owner for a grant, or to sign",
                f"machines[{place}]",
            )
            for place, machine in enumerate(agreement.contract.machines)
            if not self._shown(actor, agreement, machine)
        ]
        if faults:
            raise RefusedError(faults)

    def may_measure(self, actor: Actor, agreement: Agreement) -> bool:
        """Whether :meth:`measured` gives that version."""
        return all(self._shown(actor, agreement, m) for m in agreement.contract.machines)

    def _shown(self, actor: Actor, agreement: Agreement, machine: str) -> bool:
        twin = self._records.twin(machine)
        if twin is None or twin.uid in self._authoriser.readable(actor):
            return True
        return agreement.signed_by(twin.owner_at(contract_start(agreement.contract)) or self.operator())

    def side(self, actor: Actor, contract: Contract) -> str:
        """The party that the actor acts for: its own, or the node's operator for the node itself.

        Raises:
            RefusedError: ``contract:not-a-party``.
        """
        party = actor.party or self._authoriser.operator()
        if party not in {contract.provider, contract.customer}:
            raise RefusedError(
                Fault(
                    "contract:not-a-party",
                    f"{party or 'The node'} is no party of {contract.id}",
                    f"Its parties are {contract.provider} and {contract.customer}: sign in as one of their people",
                )
            )
        return party


def _binding_or_newest(versions: list[Agreement]) -> Agreement:
    return next((a for a in reversed(versions) if a.binding), versions[-1])


def unknown_contract(id: str) -> NotFoundError:
    """There is no such contract, or the caller may not know that there is."""
    return NotFoundError(
        Fault("contract:unknown", f"There is no contract {id[:80]!r}", "GET /api/v1/contracts lists yours", "id")
    )
