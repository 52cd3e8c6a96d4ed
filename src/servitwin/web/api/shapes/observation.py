"""Shapes of observations, history, quarantine and export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Cut, Instant, InstantIn, Provenance, Quality, Shape, Value

AggregateName = Literal["mean", "min", "max", "first", "last", "tw_mean", "count", "sum", "duration"]


class ObservationShape(Shape):
    """One value at one time."""

    time: Instant
    value: Value
    quality: Quality


class BucketShape(Shape):
    """One bucket [from, to); asked aggregates are null where it holds no value."""

    from_: Instant = Field(alias="from")
    to: Instant
    count: int | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    first: float | None = None
    last: float | None = None
    tw_mean: float | None = None
    sum: float | None = None
    seconds: dict[str, float] | None = Field(
        None, description="with aggregate=duration: seconds per value; key '' is unknown"
    )


class SeriesShape(Shape):
    """Observations of one signal: raw ``items``, or ``buckets`` with ``every``."""

    twin: str
    signal: str
    unit: str
    from_: Instant = Field(alias="from")
    to: Instant
    items: list[ObservationShape] | None = None
    buckets: list[BucketShape] | None = None
    seconds: dict[str, float] | None = Field(
        None, description="with aggregate=duration and without `every`: seconds per value in the whole range"
    )
    next: str | None = None
    cut: Cut
    provenance: Provenance


class FleetSeries(Shape):
    """One series of a fleet query."""

    twin: str
    signal: str
    unit: str
    items: list[ObservationShape] | None = None
    buckets: list[BucketShape] | None = None


class QueryIn(Shape):
    """Series of many twins at once; without ``every`` raw observations."""

    twins: list[str] = Field(min_length=1, max_length=1000, examples=[["mill-1", "mill-2"]])
    signals: list[str] = Field(min_length=1, max_length=1000, examples=[["spindle.temperature"]])
    from_: InstantIn = Field(alias="from")
    to: InstantIn
    every: str | None = Field(None, examples=["1h"])
    aggregates: list[AggregateName] = Field(["mean"])


class QueryAnswer(Shape):
    """Answer of a fleet query; a twin that lacks a signal is left out for it."""

    from_: Instant = Field(alias="from")
    to: Instant
    series: list[FleetSeries]
    cut: Cut
    provenance: Provenance


class Accepted(Shape):
    """The payload is durable; ``duplicate``: it was already there and counts once.

    With ``application/x-ndjson`` lines are counted, ``duplicates`` of them were already there, and ``cut`` is the
    highest stream sequence, for which a caller can wait with ``GET /cut``.
    """

    accepted: int = Field(description="payloads taken: 1, or the number of lines", examples=[1])
    duplicate: bool = False
    duplicates: int = 0
    cut: Cut = Field({})


class IngestSession(Shape):
    """What ingest has counted for one session of a twin since the ingest process started, in values."""

    twin: str
    session: str
    messages: int
    stored: int
    quarantined: int
    repeated: int
    since: Instant | None


class GapShape(Shape):
    """A stretch for which a source declares that data are missing."""

    from_: InstantIn = Field(alias="from")
    to: InstantIn
    reason: str = Field(examples=["missing-day"])
    source: str = ""


class GapsIn(Shape):
    """Gaps to declare; they override what was observed."""

    gaps: list[GapShape] = Field(min_length=1, max_length=100_000)


class GapsAnswer(Shape):
    """Declared gaps of a twin."""

    gaps: list[GapShape]


class CutAnswer(Shape):
    """How far each shard of ingest has received and committed."""

    committed: Cut
    received: Cut


class QuarantineEntry(Shape):
    """What came in and could not be understood: kept whole, with the reason and the place."""

    id: str = Field(examples=["0-48211-0"])
    received: Instant
    source: str
    twin: str
    code: str = Field(examples=["value:wrong-type"])
    message: str
    where: str
    size: int = Field(description="bytes of the payload")


class QuarantinePage(Shape):
    """A page of quarantine, newest first, with counts by code."""

    items: list[QuarantineEntry]
    next: str | None
    counts: dict[str, int]


class QuarantineDetail(QuarantineEntry):
    """An entry with its payload, as text where it is text, else as base64."""

    payload_text: str | None
    payload_base64: str | None


class MappingIn(Shape):
    """Correction applied before an entry is sent again."""

    twin: str | None = Field(None, description="send it to this twin instead")
    signals: dict[str, str] = Field({}, description="rename signals: as sent -> as declared")
    time: InstantIn | None = Field(None, description="use this time instead of the faulty one")
    payload: str | None = Field(None, description="corrected payload; only with a single id")


class ReplayIn(Shape):
    """Which entries to send again: by id, or all of a code (and twin)."""

    ids: list[str] | None = Field(None, max_length=10_000, examples=[["0-48211-0"]])
    code: str | None = None
    twin: str | None = None
    mapping: MappingIn | None = None


class ReplayAnswer(Shape):
    """Replay result; what is still faulty comes back to quarantine as a new entry."""

    replayed: int
    repeated: int = Field(description="were already replayed; counted once")
    failed: list[str] = Field(description="ids that could not be sent")
