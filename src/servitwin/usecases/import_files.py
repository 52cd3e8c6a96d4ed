"""Machine type, plant and contract files into a node: all checked first, then registered and imported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

import servitwin
from servitwin.domain import canonical_json
from servitwin.domain.error import InvalidInputError
from servitwin.domain.party import Actor
from servitwin.formats.plant_file import CheckConnection
from servitwin.usecases.check_files import FileText, known_of, read_files
from servitwin.usecases.import_plant import ImportPlant
from servitwin.usecases.ports import Records
from servitwin.usecases.register_types import RegisterTypes

_LAST = "imported_files"  # digest of the files imported last, and the revision of the twins after it


class FilesImported(msgspec.Struct):
    """What was registered, changed, left as it was, and retired: types, parties, calendars, twins."""

    registered: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    retired: list[str] = []


class ImportFiles:
    """Joins the checks with registering and importing."""

    def __init__(
        self,
        records: Records,
        types: RegisterTypes,
        plants: ImportPlant,
        check_connection: CheckConnection | None,
        now: Callable[[], int],
    ) -> None:
        self._records = records
        self._types = types
        self._plants = plants
        self._check_connection = check_connection
        self._now = now

    def import_files(self, files: Sequence[FileText], actor: Actor) -> FilesImported:
        """Import files that may refer to each other and to what the node has; nothing if one has a fault.

        The same files again, with nothing changed on the node since, are not even read: a start costs nothing.

        Raises:
            InvalidInputError: every fault of every file.
            ConflictError: if they contradict what is already there.
        """
        digest = _digest(files)
        if self._records.setting(_LAST) == f"{digest} {self._records.twins_revision()}":
            return FilesImported(unchanged=[f.name for f in files])
        checked = read_files(files, known=known_of(self._records), check_connection=self._check_connection)
        if checked.faults:
            raise InvalidInputError(checked.faults)
        registered = self._types.register(checked.types, actor)
        result = FilesImported(registered.registered, [], registered.unchanged, [])
        for plant in checked.plants:
            imported = self._plants.import_plant(plant, actor)
            result.registered += imported.created
            result.changed += imported.changed
            result.unchanged += imported.unchanged
            result.retired += imported.retired
        for contract in checked.contracts:
            self._records.add_contract(contract, canonical_json.digest(contract), self._now())
            result.registered.append(contract.reference)
        self._records.set_setting(_LAST, f"{digest} {self._records.twins_revision()}")
        return result


def _digest(files: Sequence[FileText]) -> str:
    found = hashlib.sha256(servitwin.__version__.encode())
    for file in files:
        content = file.text.encode()
        found.update(f"{len(file.name)} {file.name} {len(content)} ".encode() + content)
    return found.hexdigest()
