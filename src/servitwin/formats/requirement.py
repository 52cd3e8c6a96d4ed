"""Requirements as blocks of a file: name, plain words, formula and severity, with faults at the formula's character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.read import read
from servitwin.domain.formula.token import place_of
from servitwin.domain.machine_type import Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.structure import Structure
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]
Block = Mapping[str, Any]


def requirements_of(block: Block) -> tuple[Requirement, ...]:
    """The requirements of a block (a machine type, a component, a twin) whose structure was checked."""
    return tuple(
        Requirement(name, r.get("text", ""), r.get("formula", ""), r.get("severity", "medium"))
        for name, r in block.get("requirements", {}).items()
    )


def formula_faults(
    requirement: Requirement, signals: Mapping[str, SignalDefinition] | None, component: str = ""
) -> list[Fault]:
    """What is wrong with one requirement's formula; line and column are those of its text, ``where`` is its name.

    Without ``signals`` only what can be told without knowing them.
    """
    return [
        msgspec.structs.replace(fault, where=f"requirements.{requirement.name}.formula")
        for fault in _faults(requirement.formula, signals, component)
    ]


def check_requirements(
    structure: Structure, block: Block, path: Path, signals: Mapping[str, SignalDefinition] | None, component: str = ""
) -> None:
    """Check the formulas of a block of a file and of its components; faults get line and column of the file."""
    for name, written in block.get("requirements", {}).items():
        formula = written.get("formula")
        if formula is None:
            continue
        for fault in _faults(formula, signals, component):
            structure.say_in_text((*path, "requirements", name, "formula"), place_of(formula, fault), fault)
    for key, child in block.get("components", {}).items():
        inside = f"{component}.{key}" if component else key
        check_requirements(structure, child, (*path, "components", key), signals, inside)


def _faults(formula: str, signals: Mapping[str, SignalDefinition] | None, component: str) -> list[Fault]:
    return read(formula).faults if signals is None else requirement_formula(formula, signals, component).faults
