"""Keep work orders: open one, change what it says, close it, cancel it; every step stays.

A planned order that the provider of a guarantee closes is proposed as an exclusion where the contract leaves planned
work out, with the order as evidence: the other party decides it, and its budget of hours bounds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.exclusion import Evidence, Standing
from servitwin.domain.party import Actor
from servitwin.domain.reason_tree import choices_of, leaves, responsible_for
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.domain.twin import Twin
from servitwin.domain.work_order import Kind, Status, WorkOrder, check_order, next_order
from servitwin.formats.structure import did_you_mean
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, not_permitted, unknown_twin
from servitwin.usecases.claim_exclusion import ClaimExclusion, NewClaim
from servitwin.usecases.contract_access import ContractAccess, ContractAction
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

EVER = 2**62


class NewOrder(msgspec.Struct, frozen=True):
    """What a work order says when it is opened; times in ns UTC. ``party`` None: as the reason tree says."""

    kind: Kind
    start: int
    end: int | None
    cause: str
    party: str | None = None
    text: str = ""


class OrderChange(msgspec.Struct, frozen=True):
    """What a step changes; None leaves it as it was. ``number``: the step that the caller believes to take."""

    action: Literal["change", "close", "cancel"]
    start: int | None = None
    end: int | None = None
    cause: str | None = None
    party: str | None = None
    text: str = ""
    number: int | None = None


class KeepWorkOrder:
    """Work orders of machines, for who may command a machine and for both parties of a contract on it."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
        access: ContractAccess,
        claims: ClaimExclusion,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._registry = registry
        self._authoriser = authoriser
        self._access = access
        self._claims = claims
        self._audit = audit
        self._now = now
        self._new_id = new_id

    def orders(self, twin: str, actor: Actor, start: int = -EVER, end: int = EVER) -> list[list[WorkOrder]]:
        """Every order of a machine whose time meets [start, end), each with its steps; the newest work first.

        Raises:
            NotFoundError: ``twin:unknown``.
            RefusedError: ``access:not-permitted``.
        """
        found = self._twin(twin, actor, "read")
        by_id: dict[str, list[WorkOrder]] = {}
        for step in self._records.work_orders([found.id], start, end):
            by_id.setdefault(step.id, []).append(step)
        chosen = [steps for steps in by_id.values() if steps[-1].covers(start, end)]
        return sorted(chosen, key=lambda steps: (-steps[-1].start, steps[-1].id))

    def open(self, twin: str, said: NewOrder, actor: Actor) -> list[WorkOrder]:
        """Open an order.

        Raises:
            InvalidInputError: ``work-order:...``, all faults.
        """
        machine = self._twin(twin, actor, "write")
        at, party = self._now(), self._party(actor)
        responsible = self._responsible(machine, said.cause) if said.party is None else said.party
        order = WorkOrder(
            self._new_id(), 1, machine.id, "open", "open", said.kind, said.start, said.end, said.cause, responsible,
            party, actor.id, party, at, said.text,
        )  # fmt: skip
        faults = [*check_order(order), *self._check_cause(machine, said.cause)]
        if faults:
            raise InvalidInputError(faults)
        self._keep(order, actor)
        return [order]

    def step(self, twin: str, id: str, change: OrderChange, actor: Actor) -> list[WorkOrder]:
        """Change, close or cancel an order, and give its steps.

        ``close`` ends an open order now unless an end is named. What the provider closes as planned work is proposed
        as an exclusion under each binding contract that leaves planned work out.

        Raises:
            NotFoundError: ``work-order:unknown``.
            ConflictError, InvalidInputError: as :func:`next_order`.
        """
        machine = self._twin(twin, actor, "write")
        steps = [s for s in self._records.work_orders([machine.id], -EVER, EVER) if s.id == id]
        if not steps:
            raise NotFoundError(
                Fault("work-order:unknown", f"{machine.id} has no work order {id[:80]!r}", where="order")
            )
        last, at, party = steps[-1], self._now(), self._party(actor)
        status: Status = {"change": last.status, "close": "closed", "cancel": "cancelled"}[change.action]
        end = last.end if change.end is None else change.end
        if change.action == "close" and (end is None or (change.end is None and end > at)):
            end = at
        cause = last.cause if change.cause is None else change.cause
        responsible = last.party if change.cause is None else self._responsible(machine, cause)
        step = next_order(
            last,
            WorkOrder(
                last.id, last.number + 1 if change.number is None else change.number, machine.id, change.action, status,
                last.kind, last.start if change.start is None else change.start, end, cause,
                responsible if change.party is None else change.party, party, actor.id, party, at,
                change.text or last.text,
            ),
        )  # fmt: skip
        faults = self._check_cause(machine, cause) if cause != last.cause else []
        if faults:
            raise InvalidInputError(faults)
        with self._records.together():
            self._keep(step, actor)
            if change.action == "close" and step.kind == "planned":
                self._propose(step, actor)
        return [*steps, step]

    def claims_of(self, order: WorkOrder, actor: Actor) -> list[Standing]:
        """Claims for which the order is evidence, of the contracts that the actor may read."""
        return [
            standing
            for agreement in self._contracts(order.twin, actor)
            for standing in self._claims.standings(agreement)
            if any(e.kind == "work_order" and e.reference == order.id for e in standing.exclusion.evidence)
        ]

    def may_write(self, twin: str, actor: Actor) -> bool:
        """Whether the actor may open and change orders of a machine."""
        found = self._registry.by_id(twin)
        return found is not None and self._permitted(found, actor, "write")

    def _propose(self, order: WorkOrder, actor: Actor) -> None:
        """Claim planned work for the provider, where the closer acts for it; budgets and the customer decide."""
        assert order.end is not None
        for agreement in self._contracts(order.twin, actor):
            contract = agreement.contract
            guarantee = contract.guarantee
            known = guarantee is not None and any(t.kind == "planned_work" for t in guarantee.exclusions)
            start, end = max(order.start, contract_start(contract)), min(order.end, contract_end(contract))
            provider = self._party(actor) == contract.provider
            if known and provider and agreement.binding and start < end and self._access.may(actor, "claim", contract):
                text = f"Planned work by work order {order.id}" + (f": {order.text}" if order.text else "")
                evidence = Evidence("work_order", order.id, order.text)
                claim = NewClaim(order.twin, "planned_work", start, end, text[:4000], (evidence,))
                self._claims.claim(contract.id, claim, actor)

    def _keep(self, step: WorkOrder, actor: Actor) -> None:
        if not self._records.add_work_order(step):
            raise ConflictError(
                Fault("work-order:out-of-turn", "Somebody else changed this order just now", "Read it again", "number")
            )
        detail = {"order": step.id, "step": step.number, "action": step.action, "cause": step.cause}
        self._audit.note(actor, "work-order.step", step.twin, detail)
        self._records.add_event("work-order", step.twin, step.at, {"order": step.id, "status": step.status})

    def _twin(self, id: str, actor: Actor, need: Literal["read", "write"]) -> Twin:
        twin = self._registry.by_id(id)
        if twin is None:
            raise unknown_twin(id)
        if not self._permitted(twin, actor, need):
            if self._authoriser.knows(actor, twin):
                raise not_permitted("command" if need == "write" else "read", twin.id)
            raise unknown_twin(id)
        return twin

    def _permitted(self, twin: Twin, actor: Actor, need: Literal["read", "write"]) -> bool:
        if self._authoriser.may(actor, "read" if need == "read" else "command", twin):
            return True
        wanted: ContractAction = "read_contract" if need == "read" else "claim"
        return any(self._access.may(actor, wanted, a.contract) for a in self._contracts(twin.id, actor))

    def _contracts(self, twin: str, actor: Actor) -> list[Agreement]:
        return [a for a in self._access.all_current(actor) if twin in a.contract.machines]

    def _party(self, actor: Actor) -> str:
        return actor.party or self._authoriser.operator()

    def _responsible(self, machine: Twin, cause: str) -> str:
        return responsible_for(choices_of(self._registry.type_at(machine, self._now())), cause)

    def _check_cause(self, machine: Twin, cause: str) -> list[Fault]:
        known = [c.code for c in leaves(choices_of(self._registry.type_at(machine, self._now())))]
        if cause in known:
            return []
        hint = did_you_mean(cause, known) or f"One of {', '.join(known)}"
        return [Fault("work-order:cause-unknown", f"{machine.id} has no reason {cause[:80]!r}", hint, "cause")]
