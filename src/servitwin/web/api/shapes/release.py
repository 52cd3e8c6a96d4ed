"""Shapes of releases and of the gate that they go through."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Shape, Version

Name = Annotated[str, Field(max_length=200)]
Settings = dict[Name, dict[Name, float | bool | Annotated[str, Field(max_length=4000)]]]
StepName = Literal["controller", "simulated", "replayed", "performance"]


class ReleaseIn(Shape):
    """A new version of a machine type's software and settings."""

    machine_type: Name = Field(examples=["mill-500"])
    version: Name = Field(examples=["4.2.0"])
    artefact: Name = Field(description="SHA-256 of the update package", examples=["sha256:" + "0" * 64])
    controller: Name = Field("", description="name@version of the controller's model in it", examples=["mill-door@2"])
    settings: Settings = Field({}, description="commands that a machine carries out with the update, with parameters")
    title: Annotated[str, Field(max_length=2000)] = ""
    type_version: Version | None = Field(None, description="version of the machine type; default: the newest")


class PolicyShape(Shape):
    """What a gate asks for."""

    needs: list[StepName] = Field(["controller", "simulated", "replayed", "performance"], description="must pass")
    accept_bounded: bool = Field(False, description="a property that is not proven passes if none breaks it to `depth`")
    depth: int = 60
    seconds: float = 120.0
    runs: int = Field(5, description="simulated runs of each side")
    hours: float = Field(4.0, description="simulated hours of each run")
    worse_at_most: float = Field(0.02, description="share by which good parts per hour may fall")
    recorded_hours: float = 24.0
    machines: int = Field(3, description="whose recordings are judged")


class GateIn(Shape):
    """What to ask of the gate; without a policy what the node asks of every release."""

    policy: PolicyShape | None = None


class WithdrawIn(Shape):
    """Why a release is taken back."""

    why: Annotated[str, Field(min_length=1, max_length=500)]


class GateStepShape(Shape):
    """A step of the gate."""

    name: StepName
    outcome: Literal["passed", "failed", "not-needed"]
    says: str
    found: list[str]
    evidence: str


class GateShape(Shape):
    """One passage through the gate."""

    id: str
    release: str
    policy: PolicyShape
    at: Instant
    by: str
    state: Literal["waiting", "running", "passed", "blocked", "failed"]
    began: Instant | None
    ended: Instant | None
    steps: list[GateStepShape]
    record: str = Field(description="digest of the gate's record")
    statement: str = Field(description="digest of the signed release statement; empty unless it passed")
    logged: bool = Field(description="the statement is in the evidence log")
    fault: FaultShape | None


class WithdrawalShape(Shape):
    """When, by whom and why a release was taken back."""

    at: Instant
    by: str
    why: str


class ReleaseShape(Shape):
    """A release, and where it stands."""

    id: str
    machine_type: str
    type_version: int
    version: str
    title: str
    artefact: str
    controller: str
    settings: dict[str, dict[str, float | str | bool]]
    party: str
    at: Instant
    by: str
    withdrawn: WithdrawalShape | None
    state: Literal["new", "waiting", "running", "passed", "blocked", "failed", "withdrawn"]
    may_change: bool = Field(description="the caller may have it tried, and take it back")
    gates: list[GateShape] = Field(description="newest first")


class Releases(Shape):
    """Releases, newest first."""

    items: list[ReleaseShape]
