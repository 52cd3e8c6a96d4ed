"""What the use cases of releases need of the records."""

from __future__ import annotations

from typing import Protocol

from servitwin.domain.release import Gate, GateState, Release


class ReleaseRecords(Protocol):
    """Releases of machine types, and the gates that they went through."""

    def save_release(self, release: Release) -> None: ...
    def release(self, id: str) -> Release | None: ...
    def releases(self, machine_type: str = "") -> list[Release]: ...
    def save_gate(self, gate: Gate) -> None: ...
    def gates(self, release: str = "", state: GateState | None = None, limit: int = 100) -> list[Gate]: ...
