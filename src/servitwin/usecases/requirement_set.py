"""All requirements of a machine: those of its type and its components, and those added to it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from servitwin.domain.formula.tree import LOGIC
from servitwin.domain.requirement import LikelyCause, Requirement
from servitwin.domain.twin import Twin
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry


@dataclass(frozen=True, slots=True)
class Demand:
    """A requirement of one machine. ``name`` is full: component path and key joined by a dot, or the key alone."""

    name: str
    component: str
    requirement: Requirement
    causes: tuple[LikelyCause, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldRequirement:
    """A requirement as people read it; empty texts where it is gone."""

    text: str = ""
    formula: str = ""
    words: str = ""
    logic: str = LOGIC
    repair_when: str = ""
    signals: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[LikelyCause, ...] = ()


class RequirementSet:
    """Finds what machines must fulfil."""

    def __init__(self, registry: Registry, records: Records) -> None:
        self._registry = registry
        self._records = records

    def of(self, twin: Twin, at: int) -> list[Demand]:
        """Requirements in force at an instant: by the type's order, then those added to the twin."""
        machine_type = self._registry.type_at(twin, at)
        demands: dict[str, Demand] = {}
        if machine_type is not None:
            for r in machine_type.requirements:
                demands[r.name] = Demand(r.name, "", r, machine_type.causes)
            for c in machine_type.components:
                for r in c.requirements:
                    name = f"{c.path}.{r.name}"
                    demands[name] = Demand(name, c.path, r, (*c.causes, *machine_type.causes))
        for r in self._records.requirements(twin.uid).get(twin.uid, []):
            demands[r.name] = Demand(r.name, "", r, machine_type.causes if machine_type else ())
        return list(demands.values())

    def told(self, uid: str, name: str, at: int) -> ToldRequirement:
        """A requirement in words, as it was at an instant."""
        twin = self._registry.by_uid(uid)
        demand = next((d for d in self.of(twin, at) if d.name == name), None) if twin else None
        if demand is None:
            return ToldRequirement()
        signals = self._registry.signals(uid, at)
        r = demand.requirement
        return ToldRequirement(
            r.text,
            r.formula,
            repair_when=r.repair.when,
            units={s.name: s.unit for s in signals.values()},
            causes=demand.causes,
        )
