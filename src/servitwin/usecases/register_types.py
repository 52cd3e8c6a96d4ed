"""Registers machine types: a published version never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from servitwin.domain.error import ConflictError, Fault
from servitwin.domain.machine_type import MachineType
from servitwin.domain.party import Actor
from servitwin.usecases.audit import Audit
from servitwin.usecases.ports import Records

Changed = Callable[[str], None]


class Registered(msgspec.Struct):
    """``name@version`` of the types that are new, and of those that were there with the same content."""

    registered: list[str] = []
    unchanged: list[str] = []


class RegisterTypes:
    """Publishes versions of machine types. ``changed("changed.types")`` is called once if anything is new."""

    def __init__(self, records: Records, audit: Audit, changed: Changed) -> None:
        self._records = records
        self._audit = audit
        self._changed = changed

    def register(self, types: Iterable[MachineType], actor: Actor) -> Registered:
        """Register types; none of them if one is already there with other content.

        Raises:
            ConflictError: ``machine-type:version-exists``, a fault for each; publish a new version.
        """
        result = Registered()
        faults: list[Fault] = []
        new: list[MachineType] = []
        for machine_type in types:
            present = self._records.machine_type(machine_type.name, machine_type.version)
            if present is None:
                new.append(machine_type)
            elif same_content(present, machine_type):
                result.unchanged.append(machine_type.reference)
            else:
                faults.append(self._other_content(machine_type))
        if faults:
            raise ConflictError(faults)
        for machine_type in new:
            self._records.add_machine_type(machine_type)
            self._audit.note(actor, "type.register", machine_type.reference)
            result.registered.append(machine_type.reference)
        if new:
            self._changed("changed.types")
        return result

    def _other_content(self, machine_type: MachineType) -> Fault:
        latest = self._records.machine_type(machine_type.name)
        following = (latest.version if latest is not None else machine_type.version) + 1
        return Fault(
            "machine-type:version-exists",
            f"{machine_type.reference} is already published with other content",
            f"Publish the change as version {following}",
            "version",
        )


def same_content(one: MachineType, other: MachineType) -> bool:
    """Whether two types say the same; 0 and 0.0 do."""
    return _canonical(one) == _canonical(other)


def _canonical(machine_type: MachineType) -> bytes:
    read_back = msgspec.json.decode(msgspec.json.encode(machine_type), type=MachineType)
    return msgspec.json.encode(read_back, order="deterministic")
