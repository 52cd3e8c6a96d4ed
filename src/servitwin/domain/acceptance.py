"""Acceptance of a machine (row C21): what was agreed to be checked, what the twin measured, what is still open."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Step = Literal["site_readiness", "commissioning", "factory_test", "site_test", "training"]
Result = Literal["passed", "failed", "open"]
Statistic = Literal["mean", "tw_mean", "min", "max", "last"]


class Criterion(msgspec.Struct, frozen=True):
    """One criterion that both parties signed.

    Without ``signal`` and ``availability`` people say whether it is met; else the twin measures it over ``hours``.

    Attributes:
        signal: measured by its ``statistic`` (in the unit of the machine type), within [at_least, at_most].
        availability: percent by the contract's own formula that the machine has to reach.
    """

    step: Step
    name: str
    signal: str = ""
    statistic: Statistic = "tw_mean"
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    availability: Decimal | None = None
    hours: Decimal | None = None

    @property
    def measured(self) -> bool:
        """Whether the twin measures it, so that nobody has to be believed."""
        return bool(self.signal) or self.availability is not None

    def met_by(self, value: Decimal) -> bool:
        """Whether a measured value meets it."""
        if self.availability is not None:
            return value >= self.availability
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)


class AcceptanceTerms(msgspec.Struct, frozen=True):
    """The guarantee's clock waits until both parties have accepted the machine by these criteria."""

    criteria: tuple[Criterion, ...]


class Finding(msgspec.Struct, frozen=True):
    """A criterion's result, and what it rests on.

    ``start`` and ``end`` (ns UTC): what was measured; ``value`` None: nothing was, or people judged.
    ``signal`` and ``statistic``: what was measured of which signal; empty: availability, or people judged.
    ``cut``: how much of each stream of observations was known (shard -> sequence).
    """

    name: str
    result: Result
    evidence: str = ""
    value: Decimal | None = None
    start: int | None = None
    end: int | None = None
    signal: str = ""
    statistic: str = ""
    cut: dict[str, int] = {}
