"""Requirements files into a node: each requirement is added to the machine that the file is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError
from servitwin.domain.requirement import Requirement
from servitwin.formats.requirements_file import RequirementsFile, read_requirements

if TYPE_CHECKING:
    from servitwin.client import Client


def import_requirements(node: Client, content: bytes, each_twin: bool) -> dict[str, list[str]]:
    """Add the requirements of a file to its machine, or to each machine of its type; nothing if one has a fault.

    What a machine has beside them stays. Returns ``registered``, ``changed`` and ``unchanged`` names.

    Raises:
        InvalidInputError: every fault of the file and of its formulas on each machine.
        ConflictError: ``requirements:for-a-type`` where it is for a type and ``each_twin`` is not set.
        NotFoundError: ``requirements:nobody-meant``.
    """
    a_set, faults = read_requirements(content.decode("utf-8", "replace"))
    if a_set is None:
        raise InvalidInputError(faults)
    twins = _twins(node, a_set, each_twin)
    for twin in twins:
        for r in a_set.requirements:
            formulas = [r.formula, *([r.repair.when] if r.repair.when else [])]
            faults += [_fault(twin, r.name, f) for one in formulas for f in node.check_formula(twin, one)["faults"]]
    if faults:
        raise InvalidInputError(faults)
    done: dict[str, list[str]] = {"registered": [], "changed": [], "unchanged": []}
    for twin in twins:
        there = {one["name"]: one for one in node.requirements(twin)}
        for r in a_set.requirements:
            old = there.get(r.name)
            if old is not None and _is_same(old, r):
                done["unchanged"].append(f"{twin} {r.name}")
                continue
            node.save_requirement(twin, r.name, _body(r))
            done["registered" if old is None else "changed"].append(f"{twin} {r.name}")
    return done


def _twins(node: Client, a_set: RequirementsFile, each_twin: bool) -> list[str]:
    name, _, version = a_set.target.partition("@")
    if not version and node.find_twin(name) is not None:
        return [name]
    wanted = a_set.target if version else f"{name}@"
    of_type = [t.id for t in node.twins() if t.type is not None and (t.type == wanted or t.type.startswith(wanted))]
    if not of_type:
        raise NotFoundError(
            Fault(
                "requirements:nobody-meant",
                f"There is no twin {a_set.target!r}, and no twin of a type of that name",
                "Correct `for:`, or import the plant first",
                "for",
            )
        )
    if not each_twin:
        raise ConflictError(
            Fault(
                "requirements:for-a-type",
                f"{a_set.target!r} is a machine type, and a published version of a type never changes",
                "Write the requirements into the type's file under a new version, or add them to the "
                f"{len(of_type)} twins that have the type now with --each-twin",
                "for",
            )
        )
    return of_type


def _fault(twin: str, name: str, told: dict[str, Any]) -> Fault:
    return Fault(told["code"], f"{twin}: {told['message']}", told["hint"], f"requirements.{name}")


def _body(r: Requirement) -> dict[str, Any]:
    rule = {"when": r.repair.when, "times": r.repair.times, "lasting_s": r.repair.lasting / 1e9}
    return {"text": r.text, "formula": r.formula, "severity": r.severity, "repair": rule}


def _is_same(old: dict[str, Any], r: Requirement) -> bool:
    """Whether the node has it like that; where a rule names no condition the node tells a part of the formula."""
    rule = old["repair"]
    when = rule["when"] == r.repair.when if r.repair.when else rule["when"] in r.formula
    same = (old["text"], old["formula"], old["severity"]) == (r.text, r.formula, r.severity)
    return same and when and (rule["times"], rule["lasting_s"]) == (r.repair.times, r.repair.lasting / 1e9)
