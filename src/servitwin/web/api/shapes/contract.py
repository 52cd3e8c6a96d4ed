"""Shapes of contracts, claims, reasons and settlements. Money and percent are decimal text, exact."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from servitwin.web.api.shapes.base import FaultShape, Instant, InstantIn, Shape, Version

Decimal = Annotated[str, Field(description="Decimal text", examples=["1680.00"])]
Answer = Literal["accept", "accept_part", "reject", "withdraw", "dispute", "settle"]


class SignatureShape(Shape):
    """A party's signature under the digest of a contract."""

    party: str
    by: str
    at: Instant
    key: str = Field(description="id of the party's key")
    signature: str = Field(description="Ed25519, base64, over the text `servitwin contract DIGEST`")


class WithdrawalShape(Shape):
    """Who ended an offer before both had signed; a party that had signed took it back, the other declined it."""

    party: str
    by: str
    at: Instant
    text: str


class ContractSummary(Shape):
    """A contract as lists show it: the version that binds, else the newest."""

    id: str = Field(examples=["crane-98"])
    version: int
    title: str
    provider: str
    customer: str
    machines: list[str]
    from_: Instant = Field(alias="from")
    to: Instant
    currency: str
    fee: Decimal
    per: str
    level: Decimal | None = Field(description="percent guaranteed; null where nothing is guaranteed")
    formula: str | None
    life: Literal["trial", "offered", "withdrawn", "binding", "ended"]
    digest: str
    signed_by: list[str]
    waiting: int = Field(description="claims that wait for your party's decision")


class PeriodShape(Shape):
    """A settlement period, with its settlement if there is one."""

    id: str = Field(examples=["2026-03"])
    from_: Instant = Field(alias="from")
    to: Instant
    fee: Decimal
    revision: int | None = Field(description="last settlement; null while there is none")
    digest: str | None


class ContractDetail(ContractSummary):
    """A contract whole: its terms as they are signed, signatures, versions and periods."""

    terms: dict[str, Any] = Field(description="the signed content; its canonical JSON (RFC 8785) has the digest")
    signatures: list[SignatureShape]
    withdrawal: WithdrawalShape | None = Field(description="who ended the offer before both had signed")
    versions: list[int]
    periods: list[PeriodShape]
    you: str = Field(description="`provider`, `customer`, or empty where you are neither")


class SignIn(Shape):
    """Signing with a key of your own; empty: with your party's key on this node."""

    version: Version | None = None
    public_key: str | None = Field(None, description="Ed25519, base64 of 32 bytes")
    signature: str | None = Field(None, description="base64")


class WithdrawalIn(Shape):
    """End an offer that only one party has signed."""

    version: Version | None = None
    text: str = Field("", max_length=1000, description="why; the other party reads it")


class MachineStatus(Shape):
    """One machine's time and what it is worth so far."""

    twin: str
    fee: Decimal
    available_s: Decimal
    counted_s: Decimal
    seconds: dict[str, Decimal] = Field(description="by category")
    percent: Decimal | None
    rounded_percent: Decimal | None
    missed_percent: Decimal
    credit_percent: Decimal | None
    capped: bool
    escalation: Decimal
    credit: Decimal
    bonus: Decimal
    disputed: Decimal
    undecided_s: Decimal
    per_hour: Decimal | None = Field(
        description="credit of one more hour of stop counted against the provider, by the contract's own bands; null "
        "where nothing is measured yet or the period has ended"
    )


class ContractStatus(Shape):
    """A period as it stands: measured by the contract's own rules, with what is at stake."""

    contract: str
    version: int
    life: str
    period: str
    from_: Instant = Field(alias="from")
    to: Instant
    known_at: Instant
    currency: str
    fee: Decimal
    credit: Decimal
    bonus: Decimal
    disputed: Decimal
    payable: Decimal
    pool: dict[str, Any]
    level: Decimal
    formula: str
    at_stake: Decimal | None = Field(description="the most that this period can cost; null where nothing caps it")
    machines: list[MachineStatus]
    warranty: dict[str, Instant | None] | None = Field(
        description="end of each machine's warranty, null until it has begun; null where none is agreed"
    )
    notes: list[str]
    cut: dict[str, int]
    provenance: str


CategoryName = Literal["available", "unavailable", "excluded", "not_counted", "outside"]


class GuaranteeIntervalShape(Shape):
    """A stretch of a machine's time, with the category and the rule that put it there."""

    twin: str
    from_: Instant = Field(alias="from")
    to: Instant
    state: str
    category: CategoryName
    rule: str
    cause: str = ""
    party: str = ""
    word: str = ""
    unknown: str = ""
    reason: str = ""
    work_order: str = ""
    said: str = ""
    ground: str = ""
    exclusion: str = ""


class PartIn(Shape):
    """A stretch of a claim."""

    from_: InstantIn = Field(alias="from")
    to: InstantIn


class EvidenceShape(Shape):
    """What supports a claim."""

    kind: str = Field(max_length=60, examples=["work-order"])
    reference: str = Field(max_length=500)
    text: str = Field("", max_length=4000)


class ExclusionIn(Shape):
    """A claim that a stretch of a machine's time should not count."""

    twin: str
    kind: str = Field(examples=["access_refused"])
    from_: InstantIn = Field(alias="from")
    to: InstantIn
    text: str = Field("", max_length=4000)
    evidence: list[EvidenceShape] = Field([], max_length=50)


class DecisionIn(Shape):
    """A step of a claim; `number` refuses the step if somebody else was faster."""

    answer: Answer
    parts: list[PartIn] = Field([], max_length=100)
    number: Version | None = None
    text: str = Field("", max_length=4000)


class StepShape(Shape):
    """A step that was taken."""

    number: int
    answer: Answer
    party: str
    by: str
    at: Instant
    parts: list[dict[str, str]]
    text: str


class ExclusionShape(Shape):
    """A claim and where it stands."""

    id: str
    contract: str
    twin: str
    kind: str
    from_: Instant = Field(alias="from")
    to: Instant
    proposer: str
    by: str
    at: Instant
    text: str
    evidence: list[EvidenceShape]
    status: str
    accepted: list[dict[str, str]]
    undecided: list[dict[str, str]]
    deemed_at: Instant = Field(description="when silence decides it")
    waiting_for: str = Field(description="party that has to act; empty: nobody")
    steps: list[StepShape]


class ReasonIn(Shape):
    """Why a machine stood, as you see it."""

    from_: InstantIn = Field(alias="from")
    to: InstantIn
    cause: str = Field(max_length=200, examples=["no-material"])
    party: str = Field("", max_length=63, description="responsible: provider, customer, third or a party's id")
    note: str = Field("", max_length=4000)
    replaces: str = Field("", description="id of the reason that this one corrects")


class ReasonShape(Shape):
    """What somebody said about why a machine stood."""

    id: str
    twin: str
    from_: Instant = Field(alias="from")
    to: Instant
    cause: str
    party: str
    author: str
    author_party: str
    at: Instant
    note: str
    replaces: str
    in_force: bool


class TrialShape(Shape):
    """What the contract would have been worth over past months, without money."""

    contract: str
    from_: Instant = Field(alias="from")
    to: Instant
    currency: str
    fee: Decimal
    credit: Decimal
    bonus: Decimal
    payable: Decimal = Field(description="fee less credit plus bonus")
    periods: list[dict[str, Any]]
    notes: list[str]


class EstimateShape(Shape):
    """A figure with the range that holds it in 90 of 100 cases."""

    low: Decimal
    likely: Decimal
    high: Decimal


class BaselineIn(Shape):
    """How it was before the service, per year and for all machines of the contract."""

    down_hours: EstimateShape
    cost_per_hour: EstimateShape
    visits: EstimateShape
    cost_per_visit: EstimateShape
    source: str = Field(max_length=4000, description="what the figures rest on")


class ValueShape(Shape):
    """What the contract saved against the baseline, brought to a year; it counts only if both parties signed."""

    contract: str
    currency: str
    agreed: bool
    signed_by: list[str]
    from_: Instant = Field(alias="from")
    to: Instant
    baseline: dict[str, Any]
    down_hours: Decimal
    visits: int
    saved_hours: Decimal
    saved: Decimal
    low: Decimal
    high: Decimal
    fee: Decimal
    after_fee: Decimal
    tornado: dict[str, list[Decimal]]
    npv: Decimal = Field(description="of what is saved beyond the fee at the end of each of five years")
    rate: Decimal


class SettlementRow(Shape):
    """A settlement that was made."""

    contract: str
    period: str
    revision: int
    digest: str
    at: Instant


class VerifiedShape(Shape):
    """What a check of a settlement shows, and what it cannot show."""

    ok: bool
    settlement: str
    proven: list[str]
    not_proven: list[str]
    faults: list[FaultShape]
    credit: str
    currency: str


class KeyShape(Shape):
    """A party's public key (Ed25519)."""

    id: str
    party: str
    public_key: str
    since: Instant
    revoked: Instant | None
