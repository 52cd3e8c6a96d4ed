"""Add a requirement to one machine, change it, or take it back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.party import Actor
from servitwin.domain.requirement import Requirement
from servitwin.domain.twin import Twin
from servitwin.usecases.audit import Audit
from servitwin.usecases.ports import Records
from servitwin.usecases.requirement_set import Demand, RequirementSet


class SaveRequirement:
    """What is added to a twin stands beside the requirements of its type, which nobody changes here."""

    def __init__(self, records: Records, demands: RequirementSet, audit: Audit, now: Callable[[], int]) -> None:
        self._records = records
        self._demands = demands
        self._audit = audit
        self._now = now

    def save(self, twin: Twin, requirement: Requirement, actor: Actor) -> Demand:
        """Add or replace a requirement; its name may begin with a component's path.

        Raises:
            InvalidInputError: every fault of its formulas (``formula:...``).
            ConflictError: ``requirement:of-type`` where the machine type has one of that name, ``twin:simulated``.
        """
        now = self._now()
        if twin.simulates:
            message = f"{twin.id} runs a controller's model: what it does is no case"
            raise ConflictError(Fault("twin:simulated", message, "Add the requirement to a machine"))
        self._refuse_of_type(twin, requirement.name, now)
        demand = self._demands.demand(twin, requirement, now)
        faults = list(demand.checked.faults)
        if not faults and requirement.repair.when:
            faults = [msgspec.structs.replace(f, where="repair.when") for f in demand.condition_faults]
        if faults:
            raise InvalidInputError(faults)
        self._records.add_requirement(twin.uid, requirement, now, actor.id)
        detail = {"name": requirement.name, "formula": requirement.formula, "digest": demand.digest}
        self._audit.note(actor, "requirement.save", twin.id, detail)
        return demand

    def remove(self, twin: Twin, name: str, actor: Actor) -> None:
        """Take back what was added; its cases and verdicts stay.

        Raises:
            NotFoundError: ``requirement:unknown``.
            ConflictError: ``requirement:of-type``.
        """
        now = self._now()
        self._refuse_of_type(twin, name, now)
        known = {r.name for r in self._records.requirements(twin.uid).get(twin.uid, [])}
        if name not in known:
            raise NotFoundError(
                Fault("requirement:unknown", f"{twin.id} has no requirement {name[:80]!r} of its own", where="name")
            )
        self._records.add_requirement(twin.uid, Requirement(name, "", ""), now, actor.id)
        self._audit.note(actor, "requirement.save", twin.id, {"name": name, "removed": True})

    def _refuse_of_type(self, twin: Twin, name: str, now: int) -> None:
        if any(d.name == name and d.source == "type" for d in self._demands.of(twin, now, {})):
            raise ConflictError(
                Fault(
                    "requirement:of-type",
                    f"{name[:80]!r} belongs to the machine type of {twin.id}",
                    "Give it another name, or register a new version of the type",
                    "name",
                )
            )
