"""Requirements that a plant file adds to single twins, beside those of their machine types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.plant import PlantTwin
from servitwin.formats.requirement import check_requirements, requirements_of
from servitwin.formats.structure import Structure
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]


def read_twin_requirements(
    twins: dict[str, PlantTwin],
    blocks: Mapping[str, Mapping[str, Any]],
    types: Mapping[str, MachineType] | None,
    structure: Structure,
) -> None:
    """Put the requirements into the twins of ``twins``; formulas are checked by the signals of the twin's newest type.

    A name may begin with a component's path: its formula then sees the component's signals by their short names.
    Where the types are not known, formulas are read only. Faults: ``formula:...`` at the character,
    ``requirement:of-type``, ``requirement:repair-without-trigger``.
    """
    for id, twin in twins.items():
        block = blocks.get(id, {})
        if "requirements" not in block:
            continue
        newest = twin.type.entries[-1].value if twin.type.entries else ""
        machine_type = (types or {}).get(newest)
        is_known = types is not None and (machine_type is not None or not newest)
        signals = _signals(twin, machine_type) if is_known else None
        components = [c.path for c in machine_type.components] if machine_type is not None else []
        taken = _names(machine_type) if machine_type is not None else set()
        for name, written in block["requirements"].items():
            place: Path = ("twins", id, "requirements", name)
            if name in taken:
                message = f"{name!r} belongs to the machine type {newest}"
                structure.say_of_clean(place, "requirement:of-type", message, "Give it another name", key=True)
            inside = max((c for c in components if name.startswith(f"{c}.")), key=len, default="")
            check_requirements(structure, {"requirements": {name: written}}, ("twins", id), signals, inside)
        twins[id] = msgspec.structs.replace(twin, requirements=requirements_of(block))


def _signals(twin: PlantTwin, machine_type: MachineType | None) -> dict[str, SignalDefinition]:
    own = {s.name: s for s in machine_type.signals} if machine_type is not None else {}
    return {**own, **{a.name: SignalDefinition(a.name, unit=a.unit) for a in twin.aggregates}}


def _names(machine_type: MachineType) -> set[str]:
    of_components = {f"{c.path}.{r.name}" for c in machine_type.components for r in c.requirements}
    return {r.name for r in machine_type.requirements} | of_components
