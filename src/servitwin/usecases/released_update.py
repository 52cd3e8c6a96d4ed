"""The statement without which no update is sent to a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from servitwin.domain.error import Fault
from servitwin.domain.machine_type import MachineType
from servitwin.domain.release import Release
from servitwin.usecases.ports import Records

Entry = Callable[[int], bytes]


class ReleasedUpdate:
    """Finds the signed statement of a passed gate for an update package."""

    def __init__(self, records: Records, entry: Entry) -> None:
        """``entry``: the entry of the evidence log at an index, as it was signed."""
        self._records = records
        self._entry = entry

    def statement(
        self, machine_type: MachineType, parameters: Mapping[str, float | str | bool]
    ) -> tuple[str, Fault | None]:
        """The signed statement as JSON for an update's parameters, or why there is none."""
        digest = parameters.get("digest")
        named = [r for r in self._records.releases(machine_type.name) if r.artefact == digest]
        version = parameters.get("version")
        if version is not None:
            named = [r for r in named if r.version == version]
        if not named:
            return "", _not_released(
                f"No release of {machine_type.name} has that package", "Bring the release in and have the gate try it"
            )
        for release in named:
            if release.withdrawn is None and (signed := self._signed(release)):
                return signed, None
        release = named[0]
        if release.withdrawn is not None:
            return "", _not_released(f"{release.id} was taken back: {release.withdrawn.why}", "Use a newer release")
        gates = self._records.gates(release.id)
        if any(g.statement for g in gates):
            return "", _not_released(f"The statement of {release.id} is not in the log yet", "Try again in a moment")
        said = f"{release.id} has not passed the gate" + (f": it is {gates[0].state}" if gates else "")
        return "", _not_released(said, "See what the gate found, and mend it")

    def _signed(self, release: Release) -> str:
        for gate in self._records.gates(release.id):
            place = self._records.statement_place(gate.statement) if gate.state == "passed" and gate.statement else None
            if place is not None:
                return self._entry(place).decode()
        return ""


def _not_released(message: str, hint: str) -> Fault:
    return Fault("command:update-not-released", message, hint, "parameters.digest")
