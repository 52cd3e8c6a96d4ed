"""Measure partners' service levels (row D6): how fresh, complete and accurate the data were that a partner owes.

Freshness of L seconds: the share of stretches of L seconds of the period that hold an observation of each signal.
Completeness of L percent: the same over minutes. Accuracy of L (in the signals' unit): the share of observations that
lie within L of what the reference signal of the same machine said at that time, if it had said so within its
``max_gap``, else within :data:`PAIRED_WITHIN`. Kept at :data:`KEPT_AT` percent, completeness at its level itself. A
breach costs the partner the agreed percent of its share of the period, once. An accuracy without a reference cannot be
measured, and is not.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import PartnerTerm, ServiceLevel
from servitwin.domain.contract_period import Period
from servitwin.domain.instant import MINUTE, NS
from servitwin.domain.money import Money
from servitwin.domain.observation import Quality, Series
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry

KEPT_AT = Decimal(95)
PAIRED_WITHIN = MINUTE
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
            if level.measure != "accuracy" or isinstance(level.reference, str)
        ]

    def _level(self, agreement: Agreement, partner: PartnerTerm, level: ServiceLevel, start: int, end: int) -> Measured:
        if isinstance(level.reference, str) and level.measure == "accuracy":
            return self._accuracy(agreement, partner, level, level.reference, start, end)
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

    def _accuracy(
        self, agreement: Agreement, partner: PartnerTerm, level: ServiceLevel, reference: str, start: int, end: int
    ) -> Measured:
        """The worst share of observations that lie within the level of their reference, over all machines."""
        worst, least = "", None
        for id in agreement.contract.machines:
            twin = self._registry.by_id(id)
            if twin is None or end <= start:
                continue
            wanted = [(twin.uid, name) for name in (reference, *level.signals)]
            definition = self._registry.signals(twin.uid, start).get(reference)
            gap = definition.reporting.max_gap if definition is not None else None
            found = self._history.many_series(wanted, start, end)
            for name in level.signals:
                pairs, within = _paired(found[twin.uid, name], found[twin.uid, reference], level.level, gap)
                if not pairs:
                    continue
                percent = (Decimal(within) / pairs * 100).quantize(Decimal("0.01"))
                if least is None or percent < least:
                    worst, least = f"{id}/{name}", percent
        # Where nothing could be paired nothing is shown, and nothing is taken for it.
        kept = least is None or least >= KEPT_AT
        return Measured(partner.party, level.measure, level.level, level.unit, least, KEPT_AT, kept, worst, level.malus)


def _paired(series: Series, reference: Series, within: Decimal, gap: int | None) -> tuple[int, int]:
    """How many observations have a reference, and how many of those lie within the level of it."""
    if series.number is None or reference.number is None or not len(reference.time):
        return 0, 0
    good = np.isfinite(reference.number) & (reference.quality != Quality.BAD)
    times, truth = reference.time[good], reference.number[good]
    place = np.searchsorted(times, series.time, side="right") - 1
    paired = (place >= 0) & np.isfinite(series.number) & (series.quality != Quality.BAD)
    place, time, number = place[paired], series.time[paired], series.number[paired]
    fresh = time - times[place] <= (PAIRED_WITHIN if gap is None else gap)
    # Compared as the decimals that people read, so that a difference of just the level is within it.
    apart = np.round(np.abs(number - truth[place])[fresh], 9)
    return int(fresh.sum()), int((apart <= float(within)).sum())


def shares_after(shares: dict[str, Money], measured: list[Measured]) -> dict[str, Money]:
    """Partners' shares less what their breaches cost; the provider keeps it."""
    found = {}
    for party, share in shares.items():
        lost = min(Decimal(100), sum((m.malus for m in measured if m.party == party and not m.kept), Decimal(0)))
        found[party] = share - share.times(lost / 100).rounded()
    return found
