"""All requirements of a machine: those of its type and its components, and those added to it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from servitwin.domain.case import Case
from servitwin.domain.error import Fault
from servitwin.domain.formula.checked import Checked, requirement_formula
from servitwin.domain.formula.tree import LOGIC, Formula, Implies, Named, invariant
from servitwin.domain.formula.words import words as in_words
from servitwin.domain.machine_type import MachineType
from servitwin.domain.requirement import LikelyCause, Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.proof.file.proof_file import WrittenRequirement, requirement_digest
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

Signals = Mapping[str, SignalDefinition]
#: Version of the program that watches requirements, as proof files name it.
MONITOR = "servitwin-monitor@1"


@dataclass(frozen=True)
class Demand:
    """A requirement of one machine, with the signals that its formulas may name.

    ``name`` is full: component path and key joined by a dot, or the key alone. ``source``: where it is written.
    """

    name: str
    component: str
    requirement: Requirement
    signals: Signals = field(repr=False)
    causes: tuple[LikelyCause, ...] = ()
    source: str = "type"

    @cached_property
    def checked(self) -> Checked:
        """The formula, read and checked."""
        return requirement_formula(self.requirement.formula, self.signals, self.component)

    @property
    def formula(self) -> Formula | None:
        """What has to hold at each instant; None if the formula has faults (of a type kept before they were told)."""
        return None if self.checked.tree is None else invariant(self.checked.tree)

    @cached_property
    def condition(self) -> Formula | None:
        """What has to come again before a repair counts: as the rule says, else the left of ``->``; None: nothing."""
        when = self.requirement.repair.when
        if when:
            return requirement_formula(when, self.signals, self.component).tree
        bare = self.formula
        while isinstance(bare, Named):
            bare = bare.of
        return bare.condition if isinstance(bare, Implies) else None

    @property
    def condition_faults(self) -> list[Fault]:
        """What is wrong with the condition that its repair rule names."""
        return requirement_formula(self.requirement.repair.when, self.signals, self.component).faults

    def sign_of(self, cause: LikelyCause) -> Formula | None:
        """What would be seen if that is the cause; None if the machine type does not say."""
        return requirement_formula(cause.when, self.signals, self.component).tree if cause.when else None

    @cached_property
    def condition_text(self) -> str:
        """The condition as it is written in the formula or the rule."""
        if self.requirement.repair.when:
            return self.requirement.repair.when
        condition = self.condition
        return self.requirement.formula[condition.at[0] : condition.at[1]] if condition is not None else ""

    @cached_property
    def words(self) -> str:
        """The formula as a sentence."""
        return in_words(self.checked.tree, self.signals) if self.checked.tree is not None else ""

    @property
    def written(self) -> WrittenRequirement:
        """The requirement as proof files carry it: texts, severity, the tree with its units, the logic."""
        r = self.requirement
        assert self.formula is not None  # requirements with faults are not watched
        return WrittenRequirement(self.name, r.text, r.severity, r.formula, self.formula, LOGIC, MONITOR)

    @cached_property
    def digest(self) -> str:
        """``sha256:...`` of what is checked; the version of the monitor is left out."""
        return requirement_digest(self.written) if self.formula is not None else ""


class RequirementSet:
    """Finds what machines must fulfil; formulas are read once a machine type."""

    def __init__(self, registry: Registry, records: Records) -> None:
        self._registry = registry
        self._records = records
        self._of_type: dict[str, list[Demand]] = {}

    def of(self, twin: Twin, at: int, added: Mapping[str, list[Requirement]] | None = None) -> list[Demand]:
        """Requirements in force at an instant: in the type's order, then those added to the twin.

        ``added``: what was added to twins, where the caller has read it for many at once.
        """
        demands = {d.name: d for d in self._by_type(twin, at)}
        extra = self._records.requirements(twin.uid) if added is None else added
        for r in extra.get(twin.uid, []):
            demands[r.name] = self.demand(twin, r, at)
        return list(demands.values())

    def find(self, twin: Twin, name: str, at: int) -> Demand | None:
        """One requirement by its full name."""
        return next((d for d in self.of(twin, at) if d.name == name), None)

    def of_case(self, twin: Twin, case: Case) -> Demand | None:
        """The requirement that a case is about, as it was when the case was opened, whatever it was changed to since.

        Of a requirement that was added to the twin also the rule of what proves a repair is that of then: it cannot be
        made easier afterwards. None: no version of it is the one that was violated.
        """
        then = self._records.requirements(twin.uid, known_at=case.opened)
        found = next((d for d in self.of(twin, case.opened, then) if d.name == case.requirement), None)
        if found is not None and found.digest == case.digest:
            return found
        # It was changed, or taken back, in the moment in which its violation was found.
        versions = self._records.requirement_versions(twin.uid, case.requirement)
        written = (self.demand(twin, r, case.opened) for r in reversed(versions) if r.formula)
        return next((d for d in written if d.digest == case.digest), None)

    def demand(self, twin: Twin, requirement: Requirement, at: int) -> Demand:
        """A requirement as it would be, were it added to a twin; its name may begin with a component's path."""
        machine_type = self._registry.type_at(twin, at)
        components = {c.path: c for c in machine_type.components} if machine_type else {}
        inside = max((p for p in components if requirement.name.startswith(p + ".")), key=len, default="")
        causes = components[inside].causes if inside else ()
        return Demand(requirement.name, inside, requirement, self._registry.signals(twin.uid, at), causes, "twin")

    def _by_type(self, twin: Twin, at: int) -> list[Demand]:
        machine_type = self._registry.type_at(twin, at)
        if machine_type is None:
            return []
        known = self._of_type.get(machine_type.reference)
        if known is None:
            known = self._of_type[machine_type.reference] = demands_of_type(machine_type)
        return known


def demands_of_type(machine_type: MachineType) -> list[Demand]:
    """What a machine type demands of each of its machines: its own requirements, then those of its components."""
    signals = {s.name: s for s in machine_type.signals}
    demands = [Demand(r.name, "", r, signals, machine_type.causes) for r in machine_type.requirements]
    for c in machine_type.components:
        causes = (*c.causes, *machine_type.causes)
        demands += [Demand(f"{c.path}.{r.name}", c.path, r, signals, causes) for r in c.requirements]
    return demands
