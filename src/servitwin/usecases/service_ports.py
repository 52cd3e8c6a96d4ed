"""Where the code of services runs, as use cases see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.observation import Observation
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome, TwinView


class StepRequest(msgspec.Struct):
    """What crosses to where the service's code runs."""

    view: TwinView
    parameters: dict[str, Any]
    snapshot: bytes | None
    observations: dict[str, list[Observation]]
    watermark: int


class StepResult(msgspec.Struct):
    """What comes back: the outcome, and the snapshot from which the next step goes on."""

    outcome: Outcome
    snapshot: bytes


class ServiceHost(Protocol):
    """Runs the code of services: ours in this process, a partner's in a process of its own."""

    def manifests(self) -> Mapping[str, Manifest]:
        """Installed evaluators by name."""
        ...

    def lane(self, service: str) -> str:
        """Where its code runs: what is in one lane runs one after another, lanes do not wait for each other."""
        ...

    def check(self, service: str, parameters: Mapping[str, Any]) -> Sequence[Fault]:
        """All faults of the parameters."""
        ...

    def step(self, service: str, request: StepRequest) -> StepResult:
        """One step.

        Raises:
            ServitwinError: ``service:failed``, ``service:too-slow``, ``service:gone``.
        """
        ...
