"""Checks machine type, plant, contract and requirements files together: every fault of every file at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.formats.contract_file import Around, read_contract
from servitwin.formats.machine_type_file import file_references, read_machine_type
from servitwin.formats.plant import Plant
from servitwin.formats.plant_file import CheckConnection, Known, read_plant
from servitwin.formats.requirements_file import read_requirements
from servitwin.formats.yaml_node import MAX_CHARACTERS, Parsed, parse
from servitwin.usecases.check_topics import overlapping_topics
from servitwin.usecases.kept_plants import kept_plants
from servitwin.usecases.ports import Records

_ENDINGS = (".yaml", ".yml")
# Enough to tell which files of a folder are meant; what each is decides its tree.
_BEGINNING = re.compile(r"""^\s*\{?\s*["']?(machine_type|plant|contract)["']?\s*:|^["']?for["']?\s*:""", re.MULTILINE)
Kind = Literal["machine type", "plant", "contract", "requirements", ""]


class FileText(msgspec.Struct, frozen=True):
    """A file as it was read. ``folder`` is where the files that it names lie; None: nowhere that can be looked at."""

    name: str
    text: str
    folder: Path | None = None


class Checked(msgspec.Struct):
    """What files say, and what is wrong with them; what has a fault is left out."""

    types: list[MachineType] = []
    plants: list[Plant] = []
    contracts: list[Contract] = []
    faults: list[Fault] = []


def check(
    paths: Sequence[Path],
    *,
    known: Known | None = None,
    check_connection: CheckConnection | None = None,
) -> list[Fault]:
    """All faults of files, and of what folders hold of types, plants and contracts, as one set that refers to itself.

    ``known`` is what exists beside them (:func:`known_of` a node); without it every type must be among the files.
    """
    files, faults = collect(paths)
    return [*faults, *read_files(files, known=known, check_connection=check_connection).faults]


def known_of(records: Records) -> Known:
    """What a node has already, for files that refer to it."""
    return Known(
        types={t.reference: t for t in records.machine_types()},
        parties={p.id for p in records.parties()},
        twins={t.id for t in records.twins() if not t.simulates},
        connections={name: kept.connections for name, kept in kept_plants(records).items()},
    )


def collect(paths: Iterable[Path]) -> tuple[list[FileText], list[Fault]]:
    """Texts of files in the order given; of a folder all its machine type, plant and contract files, by name."""
    files: list[FileText] = []
    faults: list[Fault] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix in _ENDINGS and p.is_file())
            read = [one for p in inside if (one := _read(p, faults)) is not None]
            found = [f for f in read if _BEGINNING.search(f.text)]
            if not found:
                hint = "Name files, or a folder that holds machine type, plant or contract files"
                faults.append(
                    Fault("file:none-found", "No machine type, plant or contract file here", hint, file=str(path))
                )
            files += found
        elif (one := _read(path, faults)) is not None:
            files.append(one)
    return files, faults


def _read(path: Path, faults: list[Fault]) -> FileText | None:
    try:
        with path.open("rb") as opened:
            content = opened.read(4 * MAX_CHARACTERS + 1)
    except OSError as e:
        message = f"Cannot be read: {e.strerror or e}"
        faults.append(Fault("file:unreadable", message, "Check the name and who may read it", file=str(path)))
        return None
    return decode_text(str(path), content, path.parent, faults)


def decode_text(name: str, content: bytes, folder: Path | None, faults: list[Fault]) -> FileText | None:
    """A file's text; None and a fault where it is no UTF-8."""
    try:
        return FileText(name, content.decode("utf-8-sig"), folder)
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        faults.append(
            Fault("file:not-utf-8", f"Byte {e.start} is no UTF-8", "Save the file as UTF-8", line=line, file=name)
        )
        return None


def kind_of(file: Parsed) -> Kind:
    """What a file is, by the key that tells; empty if it is neither."""
    keys = file.keys()
    if "machine_type" in keys:
        return "machine type"
    if "requirements" in keys and "for" in keys:
        return "requirements"
    return "plant" if "plant" in keys else "contract" if "contract" in keys else ""


def read_files(
    files: Sequence[FileText],
    *,
    known: Known | None = None,
    check_connection: CheckConnection | None = None,
) -> Checked:
    """All machine types and plants of files that may refer to each other, and every fault."""
    known = known if known is not None else Known(types={})
    parsed = [(f, parse(f.text, f.name)) for f in files]
    plants = [p for _, p in parsed if kind_of(p) == "plant"]
    parties = {*known.parties, *(party for p in plants for party in p.keys("parties"))}
    checked = Checked()
    for file, tree in parsed:
        if kind_of(tree) == "machine type":
            _read_type(file, tree, parties if plants or known.parties else None, checked)
        elif not kind_of(tree):
            checked.faults += _faults_of_neither(tree)
    types = {**(known.types or {}), **{t.reference: t for t in checked.types}}
    for tree in plants:
        others = (id for other in plants if other is not tree for id in other.keys("twins"))
        beside = Known(types, parties, known.calendars, {*known.twins, *others})
        plant, faults = read_plant(tree, known=beside, check_connection=check_connection)
        checked.faults += faults
        if plant is not None:
            checked.plants.append(plant)
    checked.faults += _declared_twice(plants)
    checked.faults += overlapping_topics(plants, known.connections)
    for _, tree in parsed:
        if kind_of(tree) == "requirements":
            checked.faults += read_requirements(tree, signals=_signals_for(tree, types, checked.plants))[1]
    twins = {*known.twins, *(id for p in plants for id in p.keys("twins"))}
    alone = not plants and not known.parties  # a contract by itself: parties and twins are not known here
    around = Around() if alone else Around(parties, twins)
    for file, tree in parsed:
        if kind_of(tree) == "contract":
            contract, faults = read_contract(tree, file.name, around=around)
            checked.faults += faults
            checked.contracts += [] if contract is None else [contract]
    return checked


def _signals_for(
    tree: Parsed, types: Mapping[str, MachineType], plants: Iterable[Plant]
) -> dict[str, SignalDefinition] | None:
    """Signals of the type or twin that a requirements file is for; None where it is not among these files."""
    target = tree.root.find(("for",)) if tree.root is not None else None
    name = str(target.value) if target is not None else ""
    twin = next((t for p in plants for t in p.twins if t.id == name), None)
    references = [e.value for e in twin.type.entries[-1:]] if twin is not None else [name]
    newest = max((t for t in types.values() if t.name == name), key=lambda t: t.version, default=None)
    found = next((types[r] for r in references if r in types), newest)
    return None if found is None else {s.name: s for s in found.signals}


def _read_type(file: FileText, tree: Parsed, parties: set[str] | None, checked: Checked) -> None:
    machine_type, faults = read_machine_type(tree, parties=parties)
    checked.faults += faults
    if machine_type is None:
        return
    for other in checked.types:
        if other.reference == machine_type.reference and other != machine_type:
            message = f"{machine_type.reference} is in two files with different content"
            hint = "Give one of them another name or version"
            checked.faults.append(Fault("machine-type:version-exists", message, hint, "version", file=file.name))
    checked.types.append(machine_type)
    if file.folder is not None:
        checked.faults += _missing_files(tree, file.name, file.folder)


def _missing_files(tree: Parsed, name: str, folder: Path) -> Iterable[Fault]:
    inside = folder.resolve()
    for reference in file_references(tree):
        target = (folder / reference.name).resolve()
        if not target.is_relative_to(inside):
            code, message = "file:outside-folder", f"{reference.name!r} leads out of {folder}"
            hint = "Copy the file into this folder"
        elif not target.is_file():
            code, message = "file:not-found", f"There is no file {reference.name!r} in {folder}"
            hint = "Add the file, or remove the line"
        else:
            continue
        yield Fault(code, message, hint, "file", reference.line, reference.column, name)


def _faults_of_neither(tree: Parsed) -> list[Fault]:
    hint = (
        "Begin a machine type with `machine_type: NAME`, a plant with `plant: NAME`, a contract with `contract: NAME`, "
        "requirements with `for: NAME`"
    )
    return tree.faults or [
        Fault("file:kind-unknown", "This is neither machine type nor plant nor contract", hint, file=tree.file)
    ]


def _declared_twice(plants: Sequence[Parsed]) -> Iterable[Fault]:
    seen: dict[str, str | None] = {}
    for plant in plants:
        for id in plant.keys("twins"):
            first = seen.setdefault(id, plant.file)
            if first != plant.file:
                message = f"The twin {id!r} is already declared in {first}"
                yield Fault("twin:duplicate", message, "An id belongs to one twin", f"twins.{id}", file=plant.file)
