"""Shapes of health, connections, the simulator's tray, events and provenance."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from servitwin.web.api.shapes.base import Cut, Instant, Shape


class ProcessShape(Shape):
    """A process of the node."""

    name: str = Field(examples=["ingest-0"])
    pid: int
    state: str = Field(examples=["running"])
    restarts: int
    last_exit: str = Field("", description="how the process before it ended; empty if it was never started again")
    memory_mb: float | None


class RefusalShape(Shape):
    """Something the broker refused; nobody has it."""

    at: str = Field(description="RFC 3339, to the second", examples=["2026-09-21T08:15:00Z"])
    user: str
    code: str = Field(examples=["topic:not-permitted"])
    message: str = Field(description="what the broker said")


class RefusalsShape(Shape):
    """What the broker refused machines since its log began."""

    counts: dict[str, int] = Field(description="by code")
    last: list[RefusalShape] = Field(description="the last 20, newest first")


class BacklogShape(Shape):
    """What a job of upkeep has still to do."""

    job: str = Field(examples=["roll-up"], description="roll-up or compaction")
    files: int
    rows: int
    seconds: float = Field(description="how long the first of them has waited")


class HealthAnswer(Shape):
    """Health of the node in one look; parts that do not answer are named in ``missing``."""

    ok: bool
    version: str
    now: Instant
    processes: list[ProcessShape]
    ingest: dict[str, Any] | None = Field(description="counters of ingest as it reports them")
    services: dict[str, Any] | None = Field(description="counters of the services worker")
    streams: list[dict[str, Any]]
    upkeep: list[BacklogShape]
    disk: dict[str, Any]
    plugins: list[dict[str, Any]]
    browsers: int = Field(description="open event streams")
    quarantine: dict[str, int]
    broker_refusals: RefusalsShape
    missing: list[str]


class LiveAnswer(Shape):
    """The process answers."""

    live: bool


class ReadyAnswer(Shape):
    """Whether calls will succeed: records, history and bus answer."""

    ready: bool
    parts: dict[str, bool]


class ConnectionShape(Shape):
    """A connector's connection and its condition."""

    id: str
    plugin: str
    title: str
    condition: str = Field(examples=["running"], description="running, not-ready, auth-failed, broken, silent ...")
    message: str
    twins: list[str]
    topics: list[str] = Field([], description="foreign MQTT topics that it reads", examples=[["shop/+/telemetry"]])


class FaultSwitch(Shape):
    """A fault that the simulator can inject."""

    twin: str
    fault: str = Field(examples=["spindle-bearing"])
    title: str
    component: str
    active: bool
    since: Instant | None


class SimulatorAnswer(Shape):
    """The tray of faults."""

    faults: list[FaultSwitch]


class FaultSwitchIn(Shape):
    """Break or mend a component in the simulation."""

    twin: str
    fault: str
    active: bool


class EventShape(Shape):
    """An event of the node, past tense."""

    id: int
    kind: str = Field(examples=["command.acknowledged"])
    subject: str
    at: Instant
    data: dict[str, Any]


class LiveEvent(Shape):
    """Data of SSE ``event: live``: signals of one twin that changed, ``[time ns, value, quality, received ns]``."""

    twin: str
    uid: str
    values: dict[str, list[Any]]
    cut: Cut


class ProvenanceInput(Shape):
    """One input of a figure."""

    kind: str = Field(examples=["signal"])
    name: str
    detail: str = ""


class ProvenanceAnswer(Shape):
    """How a figure was made, so that it can be recomputed."""

    title: str
    rule: str = Field(examples=["en15341-m10"])
    version: str
    source: str = Field(examples=["EN 15341:2007 M10 (secondary)"])
    inputs: list[ProvenanceInput]
    interval: list[Instant]
    cut: Cut
    observations_url: str
    explanation: str
