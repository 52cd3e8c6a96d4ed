"""Shapes of what differs from what was learnt of a machine, and of when it was changed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, InstantIn, Shape
from servitwin.web.api.shapes.case import AlarmState, CaseStatus, FoundSignalShape


class AnomalyCase(Shape):
    """The case of an anomaly."""

    id: str
    status: CaseStatus
    alarm: AlarmState
    dismissed: bool


class AnomalyShape(Shape):
    """A stretch in which the machine was not as it was learnt; `to` null: it goes on. A hypothesis, not a proof."""

    id: str
    kind: Literal["deviates", "stuck"]
    from_: Instant = Field(alias="from")
    to: Instant | None
    text: str = Field(examples=["load deviates from what was learnt: 73.5 A where 59.4 A is usual"])
    peak: float | None = Field(description="highest score, 1 is the limit; null for a stuck sensor")
    component: str
    signals: list[FoundSignalShape] = Field(description="the most telling first")
    hints: list[str]
    units: list[str] = Field(description="units in which the reading would be the usual one")
    model: int = Field(description="version of the model that it was judged by")
    case: AnomalyCase | None = Field(description="null: you may not read it, or it was taken back")


class AnomalyModelShape(Shape):
    """A version of what was learnt."""

    version: int
    state: Literal["learning", "learnt", "failed"]
    from_: Instant = Field(alias="from", description="begin of the stretch learnt from")
    to: Instant = Field(description="its end; while it learns, when it ends if nothing is missing")
    because: str = Field(description="why it was learnt anew; empty: the first one")
    regimes: dict[str, int] = Field(description="bins of each regime")
    left_out: list[FaultShape] = Field(description="what could not be learnt, and why")
    notes: list[FaultShape] = Field(
        description="on regimes found in settings: which tell none apart, what is in none; "
        "since when (`where`) it runs in one never learnt and is not judged"
    )


class AnomalyWatch(Shape):
    """An assignment of the service; `running` false: it was withdrawn."""

    running: bool
    since: Instant | None
    until: Instant | None = Field(description="data are judged up to there")
    parameters: dict[str, Any]
    failure: str = Field(description="why it does not run now; empty if it does")
    models: list[AnomalyModelShape] = Field(description="oldest first")


class AnomalyList(Shape):
    """What was learnt of a machine and what differed from it in a span of time, the newest first."""

    from_: Instant = Field(alias="from")
    to: Instant
    watches: list[AnomalyWatch] = Field(description="empty: nobody looks for anomalies here")
    items: list[AnomalyShape]


class ChangeShape(Shape):
    """A change after which a machine is rightly another one: services learn it anew from then on."""

    at: Instant
    kind: Literal["repair", "type", "said"]
    text: str
    case: str
    by: str


class ChangeList(Shape):
    """Changes of a machine, oldest first."""

    items: list[ChangeShape]


class ChangeIn(Shape):
    """Say that what the machine does since an instant is normal."""

    since: InstantIn | None = Field(None, description="default: now")
    text: str = Field(examples=["a heavier tool is used from today on"])
