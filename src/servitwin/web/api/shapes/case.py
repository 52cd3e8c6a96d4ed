"""Shapes of cases: what was found wrong, why, what is done about it and what is still to be proven."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import Cut, Instant, InstantIn, Shape, Version

Severity = Literal["low", "medium", "high", "safety"]
CaseStatus = Literal["violated", "diagnosed", "repaired", "verified", "closed"]
AlarmState = Literal["unacknowledged", "acknowledged", "returned", "shelved", "normal"]
Verdict = Literal["true", "false", "inconclusive"]
Margin = Annotated[float | None, Field(description="in the unit of the deciding comparison; null: nothing measured")]


class CaseSummary(Shape):
    """A case as lists show it."""

    id: str
    twin: str
    twin_title: str
    requirement: str = Field(examples=["brake.holds-the-load", "anomaly:deviates"])
    text: str = Field(description="the requirement in its author's words, or what a service says that it found")
    source: str = Field(description="the service that found it, which proves nothing; empty: a requirement is violated")
    component: str
    severity: Severity
    opened: Instant
    status: CaseStatus
    alarm: AlarmState = Field(description="life cycle after ISA-18.2")
    active: bool = Field(description="whether it is violated now, as far as is known")
    recurred: int = Field(description="how often it came back after a repair")
    shelved_until: Instant | None
    waits_for: str = Field(description="what is to be done or proven next, in words")
    part_of: str | None = Field(
        description="the case that leads those of this place and time, among the cases that are listed; null: none"
    )


class RelatedCase(Shape):
    """A case that belongs together with another: one machine and place, and violations at one time."""

    id: str
    requirement: str
    text: str
    source: str = Field(description="the service that found it; empty: a requirement is violated")
    severity: Severity
    status: CaseStatus
    active: bool


class FoundSignalShape(Shape):
    """What one signal has to do with what a service found; null: not known."""

    signal: str
    share: float | None = Field(description="its part among all signals, 0 to 1")
    since: Instant | None = Field(description="from when on it showed by itself")
    deviation: float | None = Field(description="how far off at most, in standard deviations of what is usual")
    value: float | None = Field(description="a reading that shows it, in the signal's unit")
    usual: float | None = Field(description="what is usual instead")


class ToldShape(Shape):
    """What a service says of a finding; nothing is proven by it."""

    text: str
    signals: list[FoundSignalShape]
    hints: list[str] = Field(description="hypotheses in words")
    version: str = Field(description="of the service")


class DismissedShape(Shape):
    """Why it is no fault; `normal_since`: what the machine does since then is normal, and is learnt anew."""

    text: str
    normal_since: Instant | None


class FindingShape(Shape):
    """A stretch in which the requirement was violated, or of what a service found; `to` null: it goes on."""

    id: str
    from_: Instant = Field(alias="from")
    to: Instant | None
    determined: Instant = Field(description="from when on it was certain")
    least: Margin
    most: Margin
    cut: Cut
    told: ToldShape | None = Field(description="what the service says of it; null: it is a violation")


class SampleShape(Shape):
    """An observation that the explanation rests on; `value` null: not known from there on."""

    signal: str
    time: Instant
    value: float | bool | str | None
    unit: str


class PartShape(Shape):
    """Characters [from, to) of the formula and the verdict of that part at the instant of the explanation."""

    from_: int = Field(alias="from")
    to: int
    verdict: Verdict


class ExplanationShape(Shape):
    """A smallest set of observations that alone make the formula false at `at`."""

    at: Instant
    samples: list[SampleShape]
    parts: list[PartShape]


class HypothesisShape(Shape):
    """A likely cause or place. It is ranked, never proven."""

    kind: Literal["cause", "component", "neighbour"]
    name: str
    title: str
    weight: float = Field(ge=0, le=1, description="share among the hypotheses named")
    because: list[str]
    remedy: str


class ProgressShape(Shape):
    """How far the last repair is proven."""

    since: Instant
    until: Instant
    when: str = Field(description="formula of the condition that has to come again")
    occurrences: int
    needed: int
    lasted_s: float
    lasting_s: float
    unclear: int
    failed: int
    bound: float = Field(description="upper bound of the probability of recurrence per occurrence, 95 %; about 3/n")
    missing: str = Field(description="what is missing; empty: proven", examples=["1 of 3 occurrences"])


class CaseStepShape(Shape):
    """A step of a case; `said` depends on `kind`."""

    number: int
    kind: str = Field(examples=["found", "acknowledged", "repaired", "verified"])
    at: Instant
    by: str
    said: dict[str, Any]


class JoinedAlarmShape(Shape):
    """An alarm of the machine that belongs to the case, or a run of chatter of one alarm; `to` null: it goes on."""

    signal: str
    code: str
    text: str
    severity: Literal["warning", "fault"]
    component: str
    from_: Instant = Field(alias="from")
    last: Instant = Field(description="when it was raised for the last time of the run")
    to: Instant | None
    count: int = Field(description="how often it was raised; from three times within a minute it chatters (ISA-18.2)")


class FloodShape(Shape):
    """More than ten alarms of the machine in ten minutes (ISA-18.2)."""

    from_: Instant = Field(alias="from")
    to: Instant
    count: int


class ProofLink(Shape):
    """A proof that can be had for a case."""

    kind: Literal["violated", "repaired"]
    ready: bool
    file: str = Field(description="URL of the proof file")
    certificate: str = Field(description="URL of the printable certificate")


class CaseDetail(CaseSummary):
    """A case whole."""

    formula: str
    words: str = Field(description="the formula as a sentence")
    digest: str
    logic: str
    signals: list[str] = Field(description="signals that the formula reads")
    findings: list[FindingShape]
    told: ToldShape | None = Field(description="what the service says of the latest finding; null: a requirement")
    dismissed: DismissedShape | None
    explanation: ExplanationShape | None
    hypotheses: list[HypothesisShape]
    diagnosis: dict[str, Any] | None
    repair: dict[str, Any] | None
    progress: ProgressShape | None
    related: list[RelatedCase] = Field(description="cases that belong together with this one, the leading one first")
    alarms: list[JoinedAlarmShape] = Field(description="alarms of the machine that belong to this case, by time")
    alarms_left_out: int = Field(description="how many more entries there are")
    floods: list[FloodShape] = Field(description="floods of the machine's alarms around the violation")
    contracts: list[str] = Field(description="contracts that guarantee this machine and that the caller may read")
    proofs: list[ProofLink]
    steps: list[CaseStepShape]


class AcknowledgeIn(Shape):
    """Say that you have seen it."""

    kind: Literal["acknowledged"]
    text: str = ""
    number: Version | None = Field(None, description="step that you believe to take")


class ShelveIn(Shape):
    """Put its alarm aside for a while, at most seven days; never for a safety requirement."""

    kind: Literal["shelved"]
    until: InstantIn
    text: str
    number: Version | None = None


class UnshelveIn(Shape):
    """Let its alarm count again."""

    kind: Literal["unshelved"]
    number: Version | None = None


class DiagnoseIn(Shape):
    """Say what the cause is."""

    kind: Literal["diagnosed"]
    component: str = ""
    cause: str = Field("", description="name of a ranked cause")
    text: str = ""
    number: Version | None = None


class RepairIn(Shape):
    """Say what was done."""

    kind: Literal["repaired"]
    component: str = ""
    what: str = Field(examples=["brake lining BL-12"])
    change: Literal["part", "parameter", "software"] = "part"
    version: str = ""
    done_by: str = ""
    done_at: InstantIn | None = Field(None, description="default: now")
    text: str = ""
    number: Version | None = None


class CloseIn(Shape):
    """End the case without proof of repair, with a reason."""

    kind: Literal["closed"]
    text: str
    number: Version | None = None


class DismissIn(Shape):
    """Say why what a service found is no fault; refused where a requirement is violated, which is proven."""

    kind: Literal["dismissed"]
    text: str
    normal_since: InstantIn | None = Field(
        None, description="what the machine does since then is normal: services learn it anew; null: it happened once"
    )
    number: Version | None = None


class NoteIn(Shape):
    """A remark."""

    kind: Literal["note"]
    text: str
    number: Version | None = None


StepIn = Annotated[
    AcknowledgeIn | ShelveIn | UnshelveIn | DiagnoseIn | RepairIn | CloseIn | DismissIn | NoteIn,
    Field(discriminator="kind"),
]
