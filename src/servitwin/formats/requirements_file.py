"""Files of requirements for a machine type or a twin that is described elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.requirement import Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.requirement import check_requirements, requirements_of
from servitwin.formats.structure import Structure
from servitwin.formats.yaml_node import Parsed, parse


class RequirementsFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Requirements that a file adds. ``target`` names a machine type (with or without ``@version``) or a twin."""

    target: str
    requirements: tuple[Requirement, ...]
    title: str = ""


def read_requirements(
    source: str | Parsed, file: str | None = None, *, signals: Mapping[str, SignalDefinition] | None = None
) -> tuple[RequirementsFile | None, list[Fault]]:
    """The requirements of a YAML (or JSON) text; None as soon as there is one fault.

    ``signals`` are those of the target by full name; None where they are not known, and then formulas are read only,
    not checked against signals. Faults: ``yaml:...``, ``file:...``, and ``formula:...`` at the character.
    """
    root, faults, file = parse(source, file)
    if root is None:
        return None, faults
    structure = Structure(root, "requirements", file)
    structure.faults += faults
    data = structure.clean()
    check_requirements(structure, data, (), signals)
    found = sorted(structure.faults, key=lambda f: (f.line or 0, f.column or 0))
    if found:
        return None, found
    return RequirementsFile(data["for"], requirements_of(data), data.get("title", "")), []
