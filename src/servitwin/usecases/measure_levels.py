"""Measure partners' service levels (row D6): how fresh and complete the data were that a partner owes.

Freshness of L seconds: the share of stretches of L seconds of the period that hold an observation of each signal.
Completeness of L percent: the same over minutes. Both are kept at :data:`KEPT_AT` percent, or at the level itself for
completeness. A breach costs the partner the agreed percent of its share of the period, once.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import PartnerTerm, ServiceLevel
from servitwin.domain.contract_period import Period
from servitwin.domain.instant import MINUTE, NS
from servitwin.domain.money import Money
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry

KEPT_AT = Decimal(95)
_MOST_BUCKETS = 200_000


class Measured(msgspec.Struct, frozen=True):
    """One service level of a partner over a period: percent of its stretches that hold data, and whether it was kept.

    ``worst``: twin and signal that held least; ``percent`` None: nothing to measure.
    """

    party: str
    measure: str
    level: Decimal
    unit: str
    percent: Decimal | None
    needed: Decimal
    kept: bool
    worst: str
    malus: Decimal


class MeasureLevels:
    """Measures what partners owe under a contract."""

    def __init__(self, history: HistoryReader, registry: Registry) -> None:
        self._history = history
        self._registry = registry

    def measure(self, agreement: Agreement, period: Period, now: int) -> list[Measured]:
        """Every service level of every partner over a period, up to now."""
        end = min(period.end, now)
        return [
            self._level(agreement, partner, level, period.start, end)
            for partner in agreement.contract.partners
            for level in partner.levels
            if level.measure != "accuracy"  # needs a reference to compare with; the contract's parties judge it
        ]

    def _level(self, agreement: Agreement, partner: PartnerTerm, level: ServiceLevel, start: int, end: int) -> Measured:
        fresh = level.measure == "freshness"
        every = int(level.level * NS) if fresh else MINUTE
        every = max(every, (end - start) // _MOST_BUCKETS + 1)
        count = max(1, -(-(end - start) // every))
        wanted = [
            (twin.uid, signal)
            for id in agreement.contract.machines
            if (twin := self._registry.by_id(id)) is not None
            for signal in level.signals
        ]
        worst, least = "", None
        found = self._history.downsample(wanted, start, end, every, ["count"]) if wanted else {}
        for (uid, signal), columns in found.items():
            held = sum(1 for bucket in columns["count"] if bucket.count)
            percent = (Decimal(held) / count * 100).quantize(Decimal("0.01"))
            if least is None or percent < least:
                twin = self._registry.by_uid(uid)
                worst, least = f"{twin.id if twin else uid}/{signal}", percent
        needed = KEPT_AT if fresh else level.level
        kept = least is not None and least >= needed
        return Measured(
            partner.party, level.measure, level.level, level.unit, least, needed, kept, worst, level.malus
        )  # fmt: skip


def shares_after(shares: dict[str, Money], measured: list[Measured]) -> dict[str, Money]:
    """Partners' shares less what their breaches cost; the provider keeps it."""
    found = {}
    for party, share in shares.items():
        lost = min(Decimal(100), sum((m.malus for m in measured if m.party == party and not m.kept), Decimal(0)))
        found[party] = share - share.times(lost / 100).rounded()
    return found
