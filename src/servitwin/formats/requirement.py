"""Requirements as blocks of a file: name, plain words, formula and severity, with faults at the formula's character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servitwin.domain.error import Fault
from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.read import read
from servitwin.domain.formula.token import place_of
from servitwin.domain.formula.tree import Implies, Named, invariant
from servitwin.domain.instant import parse_duration
from servitwin.domain.requirement import LikelyCause, RepairRule, Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.structure import Structure
from servitwin.formats.yaml_node import Key

Path = tuple[Key, ...]
Block = Mapping[str, Any]


def requirements_of(block: Block) -> tuple[Requirement, ...]:
    """The requirements of a block (a machine type, a component, a twin) whose structure was checked."""
    return tuple(
        Requirement(name, r.get("text", ""), r.get("formula", ""), r.get("severity", "medium"), _repair(r))
        for name, r in block.get("requirements", {}).items()
    )


def causes_of(block: Block) -> tuple[LikelyCause, ...]:
    """The likely causes of a block whose structure was checked."""
    return tuple(
        LikelyCause(
            name,
            c.get("title", ""),
            float(c.get("weight", 1.0)),
            tuple(c.get("explains", ())),
            c.get("when", ""),
            c.get("remedy", ""),
        )
        for name, c in block.get("causes", {}).items()
    )


def _repair(written: Block) -> RepairRule:
    rule = written.get("repair", {})
    lasting = rule.get("lasting")
    return RepairRule(rule.get("when", ""), int(rule.get("times", 3)), parse_duration(lasting) if lasting else 0)


def check_requirements(
    structure: Structure, block: Block, path: Path, signals: Mapping[str, SignalDefinition] | None, component: str = ""
) -> None:
    """Check all formulas of a block of a file and of its components; faults get line and column of the file."""
    for name, written in block.get("requirements", {}).items():
        formula = written.get("formula")
        if formula is None:
            continue
        place = (*path, "requirements", name)
        _say(structure, (*place, "formula"), formula, signals, component)
        _say(structure, (*place, "repair", "when"), written.get("repair", {}).get("when"), signals, component)
        if "when" in written.get("repair", {}) and not _has_trigger(formula):
            fault = Fault(
                "requirement:repair-without-trigger",
                "What may come again is only known of a requirement of the form `condition -> what must hold`",
                "Write the requirement with `->`, or give `lasting` alone",
            )
            structure.say_in_text((*place, "repair", "when"), 0, fault)
    for name, cause in block.get("causes", {}).items():
        _say(structure, (*path, "causes", name, "when"), cause.get("when"), signals, component)
        for i, explained in enumerate(cause.get("explains", ())):
            if explained not in block.get("requirements", {}):
                fault = Fault(
                    "cause:requirement-unknown",
                    f"There is no requirement {explained!r} beside this cause",
                    f"One of: {', '.join(block.get('requirements', {})) or 'none yet'}",
                )
                structure.say_in_text((*path, "causes", name, "explains", i), 0, fault)
    for key, child in block.get("components", {}).items():
        inside = f"{component}.{key}" if component else key
        check_requirements(structure, child, (*path, "components", key), signals, inside)


def _has_trigger(formula: str) -> bool:
    tree = read(formula).tree
    bare = invariant(tree) if tree is not None else None
    while isinstance(bare, Named):
        bare = bare.of
    return bare is None or isinstance(bare, Implies)


def _say(
    structure: Structure, place: Path, text: str | None, signals: Mapping[str, SignalDefinition] | None, component: str
) -> None:
    for fault in _faults(text, signals, component) if text else ():
        structure.say_in_text(place, place_of(text or "", fault), fault)


def _faults(formula: str, signals: Mapping[str, SignalDefinition] | None, component: str) -> list[Fault]:
    return read(formula).faults if signals is None else requirement_formula(formula, signals, component).faults
