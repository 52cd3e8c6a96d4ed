"""What the API answers, as structs. Times are RFC 3339 text in UTC; ratios lie in 0-1; durations are seconds.

Fields that a newer node adds are ignored, so an older client goes on working.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

Value = float | str | bool | None
Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item]):
    """One page of a list; ``next`` is the cursor of the following page, None on the last one."""

    items: list[Item]
    next: str | None = None


class StateNow(msgspec.Struct):
    """The state a machine is in, since when, and the machine's own word for it."""

    state: str
    since: str | None = None
    word: str = ""
    cause: str = ""
    party: str = ""
    reason: str = ""


class TwinSummary(msgspec.Struct):
    """A twin as lists show it."""

    id: str
    uid: str
    kind: str
    title: str = ""
    serial: str = ""
    type: str | None = None
    level: Any = None
    parent: str | None = None
    state: StateNow | None = None
    owner: str | None = None
    place: str | None = None
    alarms: int = 0
    freshness_s: float | None = None


class Signal(msgspec.Struct):
    """A signal of a twin."""

    name: str
    type: str = "number"
    unit: str = ""
    semantic: str = ""
    title: str = ""
    component: str = ""


class TwinDetail(TwinSummary):
    """A twin with its signals and what it can be told."""

    signals: list[Signal] = []
    commands: list[dict[str, Any]] = []
    children: list[str] = []
    commissioned: str | None = None
    registered_from: str = ""


class ValueNow(msgspec.Struct):
    """The last value of a signal and how old it is."""

    value: Value
    time: str
    unit: str = ""
    received: str = ""
    quality: int = 0
    age_s: float = 0.0
    stale: bool = False


class TwinState(msgspec.Struct):
    """The values of a twin now."""

    twin: str
    as_of: str
    values: dict[str, ValueNow]
    state: StateNow | None = None
    alarms: list[dict[str, Any]] = []
    cut: dict[str, int] = {}


class ObservationAnswer(msgspec.Struct):
    """One value at one time."""

    time: str
    value: Value
    quality: int = 0


class BucketAnswer(msgspec.Struct):
    """One bucket [from_, to) of a series; ``seconds`` per value with ``aggregate=duration``."""

    from_: str = msgspec.field(name="from")
    to: str
    count: int | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    first: float | None = None
    last: float | None = None
    tw_mean: float | None = None
    sum: float | None = None
    seconds: dict[str, float] | None = None


class SeriesAnswer(msgspec.Struct):
    """Observations of one signal: raw ``items`` or ``buckets``."""

    signal: str
    unit: str
    from_: str = msgspec.field(name="from")
    to: str
    items: list[ObservationAnswer] | None = None
    buckets: list[BucketAnswer] | None = None
    seconds: dict[str, float] | None = None
    next: str | None = None
    cut: dict[str, int] = {}


class Interval(msgspec.Struct):
    """A stretch [from_, to) of one state."""

    from_: str = msgspec.field(name="from")
    to: str
    state: str
    cause: str = ""
    party: str = ""
    word: str = ""
    reason: str = ""
    said: dict[str, str] | None = None  # id, cause and party of the reason that people gave


class StatesAnswer(msgspec.Struct):
    """State intervals without gap or overlap, and the seconds of each state."""

    from_: str = msgspec.field(name="from")
    to: str
    intervals: list[Interval]
    totals: dict[str, float]
    next: str | None = None
    cut: dict[str, int] = {}


class AvailabilityAnswer(msgspec.Struct):
    """Availability by a named formula; None with a ``reason`` where it is undefined."""

    value: float | None
    formula: str
    numerator_s: float
    denominator_s: float
    unknown_s: float
    terms: dict[str, Any] = {}
    reason: str = ""
    cut: dict[str, int] = {}


class OeeAnswer(msgspec.Struct):
    """OEE with its losses; ``called`` utilisation where planned time or cycle is missing."""

    oee: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    called: str = "OEE"
    losses: list[dict[str, Any]] = []
    assumed: list[str] = []
    flags: list[str] = []
    reason: str = ""
    groups: list[dict[str, Any]] | None = None
    cut: dict[str, int] = {}


class CommandAnswer(msgspec.Struct):
    """One command with its whole life."""

    id: str
    twin: str
    name: str
    status: str
    parameters: dict[str, Any] = {}
    issued: str = ""
    reason: str = ""
    reason_text: str = ""
    sent: str | None = None
    answered: str | None = None
    effect_seen: str | None = None


class QuarantineEntry(msgspec.Struct):
    """What came in and could not be understood."""

    id: str
    received: str
    source: str
    twin: str
    code: str
    message: str
    where: str = ""
    size: int = 0


class QuarantinePage(msgspec.Struct):
    """A page of quarantine, newest first, with the number of entries by code."""

    items: list[QuarantineEntry]
    next: str | None = None
    counts: dict[str, int] = {}


class QuarantineReplay(msgspec.Struct):
    """Entries sent again; ``failed`` could not be sent."""

    replayed: int
    repeated: int = 0
    failed: list[str] = []


class Sent(msgspec.Struct):
    """Payloads that are durable now; ``duplicates`` of them were already there. ``cut``: shard -> last sequence."""

    accepted: int
    duplicates: int = 0
    duplicate: bool = False
    cut: dict[str, int] = {}


class CutAnswer(msgspec.Struct):
    """How far each shard of ingest has received and committed."""

    committed: dict[str, int]
    received: dict[str, int] = {}


class SessionCounts(msgspec.Struct):
    """What ingest counted for one session of a twin since its process started; all but ``messages`` in values."""

    messages: int
    stored: int
    quarantined: int
    repeated: int
    since: str | None = None


class Registered(msgspec.Struct):
    """What a registration created and what was already there."""

    registered: list[str] = []
    unchanged: list[str] = []


class PlantImported(Registered):
    """What the import of a plant did; ``restart``: connections that wait for the node's next start."""

    changed: list[str] = []
    retired: list[str] = []
    restart: list[str] = []


class FaultAnswer(msgspec.Struct):
    """One thing that is wrong in a file."""

    code: str
    message: str
    hint: str = ""
    where: str = ""
    line: int | None = None
    column: int | None = None
    file: str | None = None


class CheckAnswer(msgspec.Struct):
    """Faults of a file; ``ok`` if there is none."""

    ok: bool
    faults: list[FaultAnswer] = []


class FaultSwitch(msgspec.Struct):
    """A fault that the simulator can inject."""

    twin: str
    fault: str
    title: str = ""
    component: str = ""
    active: bool = False
    since: str | None = None


class SimulatorAnswer(msgspec.Struct):
    """The tray of faults."""

    faults: list[FaultSwitch]


class ServerEvent(msgspec.Struct):
    """One event of the node's event stream; ``id`` is empty for live values."""

    event: str
    data: dict[str, Any]
    id: str = ""
