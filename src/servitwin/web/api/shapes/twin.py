"""Shapes of twins, their state, levels and machine types."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import (
    Cut,
    Evidence,
    FaultShape,
    Instant,
    InstantIn,
    Provenance,
    Quality,
    Shape,
    Value,
)

Kind = Literal["component", "machine", "robot", "line", "factory", "fleet", "ecosystem"]
LevelName = Literal["model", "shadow", "twin"]


class StateNow(Shape):
    """The state that a machine is in, since when, with the machine's own word and the cause as far as known."""

    state: str = Field(examples=["producing"])
    since: Instant | None = None
    word: str = Field("", examples=["ACTIVE"])
    cause: str = ""
    party: str = ""
    reason: str = Field("", description="why a state is unknown", examples=["stale"])


class _TwinCore(Shape):
    """What a list entry and the whole twin have in common."""

    id: str = Field(examples=["mill-1"])
    uid: str = Field(examples=["019a0b5e-7c00-7000-8000-000000000001"])
    kind: Kind
    title: str = Field(examples=["Mill 1"])
    serial: str = Field(examples=["SN-500-0001"])
    type: str | None = Field(description="machine type in force, `name@version`", examples=["mill-500@2"])
    parent: str | None = Field(description="id of the twin it is part of", examples=["line-a"])
    state: StateNow | None
    owner: str | None = Field(description="party id of the owner now", examples=["acme"])
    place: str | None = Field(examples=["Hall 2"])
    alarms: int = Field(description="active alarms", examples=[0])
    freshness_s: float | None = Field(description="seconds since the last observation was received", examples=[0.4])


class TwinSummary(_TwinCore):
    """A twin as lists show it."""

    level: LevelName


class ReportingShape(Shape):
    """How often a signal speaks."""

    mode: Literal["periodic", "on-change"]
    max_gap: int | None = Field(description="nanoseconds; null: may be silent for ever", examples=[5_000_000_000])


class SignalShape(Shape):
    """A signal of a twin: declared by its type, or an aggregate of a group."""

    name: str = Field(examples=["spindle.temperature"])
    type: Literal["number", "text", "flag", "condition"]
    unit: str = Field(description="UCUM", examples=["Cel"])
    semantic: str = Field(examples=["mtconnect:TEMPERATURE"])
    title: str
    range: list[float] | None = Field(description="normal operating range [low, high]", examples=[[15.0, 80.0]])
    limits: list[float] | None = Field(description="physical range [low, high]")
    accuracy: float | None
    values: list[str] = Field(description="words a text signal may take; empty: any")
    reporting: ReportingShape
    component: str = Field(examples=["spindle"])
    owner: str


class ParameterShape(Shape):
    """A parameter of a command."""

    name: str
    type: Literal["number", "text", "flag"]
    unit: str
    minimum: float | None
    maximum: float | None
    values: list[str]
    required: bool


class CommandShape(Shape):
    """A command that machines of this type accept."""

    name: str = Field(examples=["set-speed"])
    title: str
    risk: Literal["information", "setting", "motion", "safety"]
    parameters: list[ParameterShape]
    timeout: int = Field(description="nanoseconds until an unacknowledged command counts as timed out")
    effect: dict[str, Any] | None = Field(description="what must be seen in a named signal after the acknowledgement")
    effect_within: int = Field(description="nanoseconds")
    refused_when: list[dict[str, Any]]


class ComponentShape(Shape):
    """A part of the machine that can fail, wear and be replaced by itself."""

    path: str
    title: str
    requirements: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    service_parts: list[str]


class AggregateShape(Shape):
    """A value of a group twin computed from its children."""

    name: str
    function: str
    signal: str
    unit: str
    max_age: int | None = Field(description="nanoseconds")
    weight: str
    missing: Literal["partial", "unknown"]
    title: str


class LevelShape(Shape):
    """The level derived from the flow that was seen (model, shadow, twin), with the reason."""

    level: LevelName
    since: Instant | None
    why: str
    signals: dict[str, LevelName]
    commands: dict[str, LevelName]


class LevelEntry(Shape):
    """One step in the history of a level; ``subject`` empty: the twin, else a signal or command."""

    subject: str
    level: LevelName
    since: Instant
    evidence: Evidence


class LevelHistory(Shape):
    """History of the level of a twin, its signals and its commands, newest first."""

    twin: str
    items: list[LevelEntry]


class DatedShape(Shape):
    """A value that held from ``from`` until ``to`` (null: still)."""

    value: str
    from_: Instant = Field(alias="from")
    to: Instant | None


class TwinDetail(_TwinCore):
    """Everything about a twin but its values."""

    components: list[ComponentShape]
    signals: list[SignalShape]
    commands: list[CommandShape]
    permitted: list[str] = Field(description="what the caller may do: read, command, configure, treat, report")
    children: list[str]
    aggregates: list[AggregateShape]
    dtid: str
    created: Instant | None
    commissioned: Instant | None
    calendar: str
    level: LevelShape
    registered_from: str
    simulates: str = Field(description="controller whose model runs instead of a machine; empty: a real one")
    owners: list[DatedShape] = Field(description="owners with dates, as far as the caller may know them")
    types: list[DatedShape]
    production: dict[str, Any] | None
    requirements: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    model_3d: str


class TwinIn(Shape):
    """A twin as in ``plant.yaml``; what is not named holds no longer.

    Owner, type, place and parent may be dated as there; without dates they hold from now on.
    """

    kind: Kind | None = None
    title: str | None = Field(None, max_length=200)
    serial: str | None = Field(None, max_length=200)
    dtid: str | None = Field(None, max_length=500)
    type: str | list[dict[str, Any]] | None = Field(None, examples=["mill-500@2"])
    owner: str | list[dict[str, Any]] | None = Field(None, examples=["acme"])
    place: str | list[dict[str, Any]] | None = None
    parent: str | list[dict[str, Any]] | None = None
    calendar: str | None = None
    commissioned: InstantIn | None = None
    aggregates: dict[str, Any] | None = Field(None, examples=[{"power": {"sum": "children.power", "max_age": "10s"}}])
    registered_from: str | None = None


class ValueNow(Shape):
    """The last value of a signal, how old it is and whether it is still good."""

    value: Value
    unit: str
    time: Instant
    received: Instant
    quality: Quality
    age_s: float
    range: list[float] | None
    stale: bool = Field(description="older than the signal's max_gap")


class AlarmShape(Shape):
    """An alarm (an active condition entry) of a signal; ``to`` null: still active."""

    twin: str = ""
    signal: str
    code: str = Field(examples=["433"])
    text: str = Field(examples=["SAME PROGRAM EXISTS"])
    severity: Literal["warning", "fault"]
    from_: Instant = Field(alias="from")
    to: Instant | None


class Flood(Shape):
    """A stretch with more alarms than a person can take: over ten in ten minutes."""

    from_: Instant = Field(alias="from")
    to: Instant
    count: int


class AlarmPage(Shape):
    """Alarms of a twin in [from, to)."""

    items: list[AlarmShape]
    from_: Instant = Field(alias="from")
    to: Instant
    count: int = Field(description="alarms on all pages")
    per_ten_minutes: float | None = Field(description="rate per ISA-18.2 (secondary)")
    floods: list[Flood]
    next: str | None = None
    cut: Cut
    provenance: Provenance


class Coverage(Shape):
    """How many children an aggregate was computed from."""

    fresh: int
    of: int


class TwinState(Shape):
    """The live state of a twin, or its state at ``as_of``."""

    twin: str
    as_of: Instant
    values: dict[str, ValueNow]
    state: StateNow | None
    alarms: list[AlarmShape]
    coverage: dict[str, Coverage]
    cut: Cut
    provenance: Provenance


class MachineTypeShape(Shape):
    """A machine type in one version, in the form that ``POST`` takes. A published version never changes."""

    name: str
    version: int
    title: str
    manufacturer: str
    semantic: str
    signals: list[SignalShape]
    components: list[ComponentShape]
    commands: list[CommandShape]
    states: dict[str, Any] | None
    production: dict[str, Any] | None
    modes: dict[str, Any]
    requirements: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    model_3d: str
    registered_from: str


class MachineTypeSummary(Shape):
    """A machine type as lists show it."""

    name: str
    version: int
    reference: str
    title: str
    manufacturer: str
    signals: int
    commands: int
    registered_from: str


class Registered(Shape):
    """What an import or registration created and what was already there."""

    registered: list[str] = Field(examples=[["mill-500@2"]])
    unchanged: list[str]


class PlantImported(Registered):
    """What the import of a plant did; names: ids of twins, ``party:ID``, ``calendar:NAME``, ``connections:PLANT``."""

    changed: list[str]
    retired: list[str] = Field(description="twins that the plant no longer has")
    restart: list[str] = Field(
        description="connections with a process of their own that begin, change or end at the node's next start"
    )


class CheckResult(Shape):
    """Faults of a file with line and column; ``ok`` if there is none."""

    ok: bool
    faults: list[FaultShape]
