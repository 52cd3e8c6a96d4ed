"""Shapes of registers, jobs and artefacts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, Shape

Plain = Annotated[dict[str, Any], Field(description="plain data in the shape that its kind or service documents")]


class RegisterShape(Shape):
    """A register and the shape of its entries."""

    name: str = Field(examples=["orders"])
    title: str
    entries: int = Field(description="that the caller may read, removed ones included")
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of an entry's body")


class RegisterList(Shape):
    """All registers."""

    items: list[RegisterShape]


class RegisterEntryShape(Shape):
    """A revision of an entry."""

    kind: str
    id: str
    party: str
    revision: int
    at: Instant
    by: str
    removed: bool
    body: Plain


class RegisterEntries(Shape):
    """RegisterEntries by party and id."""

    items: list[RegisterEntryShape]
    next: str | None


class RegisterRevisions(Shape):
    """RegisterRevisions of an entry, oldest first."""

    items: list[RegisterEntryShape]


class RegisterEntryIn(Shape):
    """What an entry says from now on."""

    body: Plain
    revision: int | None = Field(None, ge=0, le=2**31 - 1, description="only if that one is the newest; 0: if none is")


class RegisterImported(Shape):
    """What came of an import: all of it is kept."""

    kept: int
    ids: list[str]


class JobIn(Shape):
    """A problem for a planner, or a data set for a trainer."""

    problem: Plain
    budget_s: float = Field(30.0, gt=0, le=3600, allow_inf_nan=False, description="seconds that a planner may use")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    about: str = Field("", max_length=200, description="by which jobs are found again")
    party: str = Field("", max_length=100, description="default: the caller's")


class JobShape(Shape):
    """Where a job stands."""

    id: str
    service: str
    version: str
    kind: Literal["planner", "trainer"]
    party: str
    by: str
    at: Instant
    about: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    budget_s: float
    seed: int
    began: Instant | None
    ended: Instant | None
    plans: int = Field(description="brought so far, each better than the one before")
    value: float | None = Field(description="worth of the best plan, or score of the artefact")
    bound: float | None = Field(description="what no plan can be better than")
    result: str = Field(description="address of the best plan or of the artefact; empty before the first")
    problem: str = Field(description="address of the problem: the same problem has the same address")
    cancelled_by: str
    faults: list[FaultShape]
    why: list[str] = Field(description="what made it necessary, where the platform asked for it by itself")


class JobDetail(JobShape):
    """A job with its best plan so far."""

    plan: Plain | None = None


class JobList(Shape):
    """Jobs, newest first."""

    items: list[JobShape]
    next: str | None


class ArtefactShape(Shape):
    """What a trainer learnt."""

    digest: str
    trainer: str
    version: str
    party: str
    job: str
    dataset: str
    made: Instant
    evaluation: Plain
    score: float | None = Field(description="larger is better")
    state: Literal["candidate", "promoted", "retired"]
    promoted: Instant | None
    retired: Instant | None
    why: str


class Artefacts(Shape):
    """What a trainer made for a party, newest first."""

    items: list[ArtefactShape]


class PromotionIn(Shape):
    """Why an artefact is to be used from now on."""

    why: str = Field(min_length=1, max_length=500)
    party: str = Field("", max_length=100)
