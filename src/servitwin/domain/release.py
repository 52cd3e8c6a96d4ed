"""Releases: a new software or parameter version of a machine type, and the gate that it must pass.

A release never changes. It is tried against the twin by a gate: steps, each with its outcome and evidence. Only a
passed gate gives a signed release statement, and machines refuse an update that has none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.domain.error import Fault

GateState = Literal["waiting", "running", "passed", "blocked", "failed"]
StepName = Literal["controller", "simulated", "replayed", "performance"]
Outcome = Literal["passed", "failed", "not-needed"]
STEPS: tuple[StepName, ...] = ("controller", "simulated", "replayed", "performance")
Setting = dict[str, float | str | bool]
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\Z", re.ASCII)


class Withdrawal(msgspec.Struct, frozen=True):
    """A release taken back: when (ns UTC), by whom, why. Machines are sent it no more."""

    at: int
    by: str
    why: str


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of a machine type's software and settings.

    Attributes:
        machine_type: name of the type whose machines it is for; type_version: the version of the type that says what
            is required of them afterwards.
        version: the maker's name of it.
        artefact: SHA-256 of the update package as ``sha256:...``; a machine installs nothing else under this release.
        controller: ``name@version`` of the controller's model that is in it.
        settings: commands with their parameters that a machine carries out with the update.
        party: who stands for it; at (ns UTC) and by: when and by whom it was brought in.
    """

    machine_type: str
    type_version: int
    version: str
    title: str
    artefact: str
    controller: str
    settings: dict[str, Setting]
    party: str
    at: int
    by: str
    withdrawn: Withdrawal | None = None

    @property
    def id(self) -> str:
        """``type-version``, unique on the node."""
        return f"{self.machine_type}-{self.version}"


class GatePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a gate asks for.

    Attributes:
        needs: steps that have to pass; a step that cannot be done does not pass.
        accept_bounded: a property that is not proven passes where no violation up to ``depth`` steps was found.
        depth, seconds: how deep and how long the controller's model is checked.
        runs, hours: how many simulated runs of each, how long; both sides with the same random numbers.
        worse_at_most: share by which good parts per hour may fall (lower end of the interval).
        recorded_hours, machines: how much of the recordings of how many machines is judged again.
    """

    needs: tuple[StepName, ...] = STEPS
    accept_bounded: bool = False
    depth: int = 60
    seconds: float = 120.0
    runs: int = 5
    hours: float = 4.0
    worse_at_most: float = 0.02
    recorded_hours: float = 24.0
    machines: int = 3


class GateStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step of a gate.

    Attributes:
        says: the outcome in a sentence; found: what was seen, line by line.
        evidence: address of what it rests on among the node's files.
    """

    name: StepName
    outcome: Outcome
    says: str
    found: tuple[str, ...] = ()
    evidence: str = ""


class Gate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One passage through the gate: who asked when, where it stands, and what each step found.

    Attributes:
        record: address of the gate's record (canonical JSON), whose digest the statement names.
        statement: digest of the release statement; empty unless it passed.
    """

    id: str
    release: str
    policy: GatePolicy
    at: int
    by: str
    state: GateState = "waiting"
    began: int | None = None
    ended: int | None = None
    steps: tuple[GateStep, ...] = ()
    record: str = ""
    statement: str = ""
    fault: Fault | None = None


def release_faults(release: Release) -> list[Fault]:
    """What is wrong with a release by itself."""
    faults = []
    if not _VERSION.match(release.version):
        hint = "Begin with a letter or digit; then letters, digits and . + _ -, at most 64"
        faults.append(Fault("release:version", f"{release.version[:80]!r} names no version", hint, "version"))
    if not DIGEST.match(release.artefact):
        said = f"{release.artefact[:80]!r} is no digest of an update package"
        faults.append(Fault("release:artefact", said, "Write sha256: and 64 hex digits", "artefact"))
    for command, parameters in release.settings.items():
        for name, value in parameters.items():
            if isinstance(value, float) and not math.isfinite(value):
                where = f"settings.{command}.{name}"
                faults.append(Fault("release:setting", f"{name} is {value}", "Give a finite number", where))
    return faults


def policy_faults(policy: GatePolicy) -> list[Fault]:
    """What is wrong with a policy."""
    limits: Sequence[tuple[str, float, float, float]] = (
        ("depth", policy.depth, 1, 10_000),
        ("seconds", policy.seconds, 1, 600),
        ("runs", policy.runs, 2, 50),
        ("hours", policy.hours, 0.1, 48),
        ("worse_at_most", policy.worse_at_most, 0, 1),
        ("recorded_hours", policy.recorded_hours, 0, 24 * 31),
        ("machines", policy.machines, 0, 20),
    )
    return [
        Fault("gate:policy", f"{name} is {value:g}", f"It lies between {low:g} and {high:g}", name)
        for name, value, low, high in limits
        if not low <= value <= high
    ]
