"""Contracts: what two parties agreed about machines, time and money, in the words that both of them sign.

Everything a contract holds is text, whole numbers and decimals, so that its canonical JSON is the same everywhere.
Every term is spelled out in what is signed, also one that has its default: a later default changes no contract.
Days are local days of the contract's time zone; a period is [first day, day after the last).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from servitwin.domain.acceptance import AcceptanceTerms, Criterion

Cadence = Literal["month", "quarter", "year", "contract"]
ExclusionKind = Literal[
    "planned_work", "customer_operation", "material", "energy", "access_refused", "force_majeure", "provider_failure"
]
RoundingMode = Literal["half_away", "down", "up"]


class Rounding(msgspec.Struct, frozen=True):
    """How availability in percent is rounded before it is compared; ``places`` None: it is not."""

    places: int | None = 2
    mode: RoundingMode = "half_away"


class Escalation(msgspec.Struct, frozen=True):
    """A miss that follows a miss weighs ``factor`` times the one before it, at most ``times`` times over."""

    factor: Decimal
    times: int = 10


class StepBand(msgspec.Struct, frozen=True, tag="stepped", tag_field="form"):
    """``credit`` percent of the fee for each whole ``step`` percent missed, at most ``cap`` percent."""

    step: Decimal
    credit: Decimal
    cap: Decimal
    escalation: Escalation | None = None


class LinearBand(msgspec.Struct, frozen=True, tag="linear", tag_field="form"):
    """``credit`` percent of the fee for each ``step`` percent missed, parts of a step in proportion, up to ``cap``."""

    step: Decimal
    credit: Decimal
    cap: Decimal
    escalation: Escalation | None = None


class Rung(msgspec.Struct, frozen=True):
    """From ``below`` percent downwards the credit is ``credit`` percent of the fee."""

    below: Decimal
    credit: Decimal


class TableBand(msgspec.Struct, frozen=True, tag="table", tag_field="form"):
    """The credit of the lowest rung whose ``below`` lies above the value; rungs go down as credits go up."""

    rungs: tuple[Rung, ...]
    cap: Decimal = Decimal(100)
    escalation: Escalation | None = None


class LiquidatedBand(msgspec.Struct, frozen=True, tag="liquidated", tag_field="form"):
    """Liquidated damages (guaranteed/measured - 1) x output x rate, at most ``cap`` percent of the fee (None: none).

    The form of wind contracts: ``output`` of the period in ``unit`` from the meter of that name, ``rate`` in money.
    """

    rate: Decimal
    meter: str
    unit: str = ""
    cap: Decimal | None = None
    escalation: Escalation | None = None


Band = StepBand | LinearBand | TableBand | LiquidatedBand


class GapTerm(msgspec.Struct, frozen=True):
    """What time without data counts as, and who runs the telemetry (and so lost it where nobody else is named)."""

    rule: Literal["available", "unavailable", "pro_rata"] = "pro_rata"
    telemetry: Literal["provider", "customer", "neither"] = "provider"


class DeemedTerm(msgspec.Struct, frozen=True):
    """After ``days`` x 24 h of silence a claim is deemed decided."""

    days: int = 10
    decision: Literal["accepted", "rejected"] = "accepted"


class ExclusionTerm(msgspec.Struct, frozen=True):
    """A ground on which stopped time may be left out; the order of the terms is their priority where they overlap.

    ``budget_hours``: hours a settlement period and machine; what goes beyond counts as if nobody had claimed it.
    """

    kind: ExclusionKind
    budget_hours: Decimal | None = None


class Guarantee(msgspec.Struct, frozen=True):
    """An availability guarantee: how time counts, what was promised, and what a miss is worth.

    Attributes:
        level: percent promised.
        formula: ``name@version`` that sorts states into available, unavailable and not counted.
        words: for ``words@1``: the machine's own words that count as available; all other known time does not.
        basis: all calendar time of the period, or planned time by the machine's calendar alone.
        settle: how often a value is measured and settled.
        degraded: the machine's own word -> percent of its time that counts as available.
        burden_of_proof: who must prove the cause of a stop that nobody is named for; the other side has it counted
            in its favour.
        crossing: a stop that runs at the contract's first or last instant is split there, or goes whole to the
            contract in which it began (IEC 61400-26-1, entry and exit points; secondary).
        malus: a credit lowers the price (and its VAT), or is damages (outside the scope of VAT).
    """

    level: Decimal
    bands: Band
    formula: str = "guarantee@1"
    words: tuple[str, ...] = ()
    basis: Literal["calendar", "planned"] = "calendar"
    settle: Cadence = "month"
    rounding: Rounding = Rounding()
    bonus: Band | None = None
    gaps: GapTerm = GapTerm()
    degraded: dict[str, Decimal] = {}
    burden_of_proof: Literal["provider", "customer"] = "provider"
    deemed: DeemedTerm = DeemedTerm()
    exclusions: tuple[ExclusionTerm, ...] = ()
    crossing: Literal["split", "first"] = "split"
    malus: Literal["price_reduction", "damages"] = "price_reduction"


class PriceTier(msgspec.Struct, frozen=True):
    """Units up to ``up_to`` (None: without end) cost ``rate`` each."""

    rate: Decimal
    up_to: Decimal | None = None


class MeterPrice(msgspec.Struct, frozen=True):
    """A price per unit of a meter (``operating_hours``, ``parts``, ``cycles``): each tier prices its own units."""

    meter: str
    tiers: tuple[PriceTier, ...]
    minimum: Decimal | None = None
    cap: Decimal | None = None


class Price(msgspec.Struct, frozen=True):
    """A fee for all machines together, shared among them alike, and prices of what was used."""

    fee: Decimal = Decimal(0)
    per: Cadence = "year"
    usage: tuple[MeterPrice, ...] = ()
    payment_days: int = 30


class ServiceLevel(msgspec.Struct, frozen=True):
    """What a partner owes: a measure of one of its results, compared with a level, and what a breach costs it.

    ``malus``: percent of the partner's share of the period, in all and once a period.
    ``reference``: of accuracy the signal of the same machine that tells the truth; ``level`` is what may lie between.
    """

    measure: Literal["freshness", "completeness", "accuracy"]
    level: Decimal
    unit: str
    signals: tuple[str, ...] = ()
    malus: Decimal = Decimal(0)
    reference: str | msgspec.UnsetType = msgspec.UNSET


class PartnerTerm(msgspec.Struct, frozen=True):
    """A partner's share of the fee in percent, and the service levels that it owes itself."""

    party: str
    share: Decimal
    levels: tuple[ServiceLevel, ...] = ()


class Warranty(msgspec.Struct, frozen=True):
    """Months of warranty of each machine; they begin when it is accepted, or with the contract where that is given."""

    months: int


class Contract(msgspec.Struct, frozen=True):
    """One version of a contract, as it is signed.

    Attributes:
        start: first local day; end: the local day after the last.
        acceptance: whether the guarantee's clock waits for the machines' acceptance, and by what criteria.
        warranty: unset where none is agreed, so that contracts without one keep the digest that was signed.
        rank: where two contracts hold for a machine at a time the higher rank counts it; equal ranks are refused.
    """

    id: str
    version: int
    title: str
    provider: str
    customer: str
    machines: tuple[str, ...]
    start: str
    end: str
    time_zone: str
    currency: str
    price: Price
    guarantee: Guarantee | None = None
    partners: tuple[PartnerTerm, ...] = ()
    acceptance: Literal["required", "given"] | AcceptanceTerms = "given"
    rank: int = 0
    text: str = ""
    warranty: Warranty | msgspec.UnsetType = msgspec.UNSET

    @property
    def reference(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    @property
    def waits_for_acceptance(self) -> bool:
        """Whether the guarantee's clock starts with a machine's acceptance only."""
        return self.acceptance != "given"

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """What was agreed to be checked; empty: the parties accept as they see fit."""
        return self.acceptance.criteria if isinstance(self.acceptance, AcceptanceTerms) else ()
