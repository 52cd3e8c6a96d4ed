"""What acting on predictions is worth, in money where costs were given: shown wherever a person decides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from threading import Lock
from typing import Any

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.failure_horizon import HorizonModel, read_horizon_book
from servitwin.domain.model_book import model_key
from servitwin.domain.remaining_life.acting import Acting
from servitwin.domain.remaining_life.model import LifeModel, read_book
from servitwin.usecases.ports import Files

_DIGITS = 3  # significant; a rate from some dozens of lives has no more
_KEPT = 8
PER_DAY = "machine-day"


class Worth(msgspec.Struct, frozen=True):
    """Costs per ``per`` of three ways to keep a part alive, on machines that the model had not seen.

    Attributes:
        currency: of the amounts; empty: they are in planned replacements, as no money was given.
        acting, by_age, waiting: acting on the predictions, replacing at the best age, waiting for the failure.
        acting_low, acting_high, saved_low, saved_high: 90 % intervals of the first, and of what it saves against the
            better of the other two.
        judged: failures that it was judged by; missed: how many of them came without a word, or although acted on.
        right: share of alarms that a failure followed, where there are alarms.
    """

    currency: str
    per: str
    acting: Decimal
    acting_low: Decimal
    acting_high: Decimal
    by_age: Decimal
    waiting: Decimal
    saved_low: Decimal
    saved_high: Decimal
    judged: int
    missed: int
    right: float | None = None


class WorthOfActing:
    """Reads models in use; what was read stays, as models never change under their address."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: OrderedDict[str, Mapping[str, Worth | None]] = OrderedDict()
        self._lock = Lock()

    def of(self, digest: str, key: str) -> Worth | None:
        """Of the model at that address, by ``machine type/component``."""
        if not digest:
            return None
        with self._lock:
            if digest not in self._known:
                self._known[digest] = self._read(digest)
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
            return self._known[digest].get(key)

    def _read(self, digest: str) -> Mapping[str, Worth | None]:
        content = self._files.get(digest)
        if content is None:
            return {}
        try:
            return {key: worth_of(model) for key, model in read_book(content).models.items()}
        except InvalidInputError:
            pass
        try:
            horizons = read_horizon_book(content).models
        except InvalidInputError:  # of a version that is read no more: what was said stays, its worth is not known
            return {}
        return {model_key(t, c): worth_of_alarms(m, c) for t, m in horizons.items() for c in m.components}


def worth_of(model: LifeModel) -> Worth | None:
    """Of acting on remaining lives; None: no costs were given."""
    a: Acting | None = model.acting
    if a is None:
        return None
    ends = model.trained_on.failures
    rates = _Rates(a.predicted, a.predicted_range, a.by_age, a.at_failure, a.saved_range)
    return rates.worth(a.currency, a.preventive, model.life_unit, ends, round(a.failures * ends), None)


def worth_of_alarms(model: HorizonModel, component: str) -> Worth:
    """Of acting on alarms that a component fails within days."""
    q = model.quality[component]
    rates = _Rates(q.cost, q.cost_range, q.by_age, q.at_failure, q.saved_range)
    missed, right = round((1 - q.recall) * q.failures), q.precision if q.alarms else None
    return rates.worth(model.currency, model.preventive_cost, PER_DAY, q.failures, missed, right)


class _Rates(msgspec.Struct, frozen=True):
    """Costs per unit as the models keep them, in the unit of the costs given."""

    acting: float
    acting_range: list[float]
    by_age: float
    waiting: float
    saved_range: list[float]

    def worth(
        self, currency: str, preventive: float, per: str, judged: int, missed: int, right: float | None
    ) -> Worth:  # fmt: skip
        """In money, or where none was given in planned replacements."""
        one = 1.0 if currency else preventive
        low, high = (amount(r / one) for r in self.acting_range)
        saved_low, saved_high = (amount(r / one) for r in self.saved_range)
        return Worth(
            currency, per, amount(self.acting / one), low, high, amount(self.by_age / one), amount(self.waiting / one),
            saved_low, saved_high, judged, missed, right,
        )  # fmt: skip


def amount(rate: float) -> Decimal:
    """A rate as a decimal of a few digits that mean something."""
    return Decimal(f"{rate:#.{_DIGITS}g}")


def told(worth: Worth | None) -> dict[str, Any] | None:
    """As plain data: amounts are decimal texts."""
    if worth is None:
        return None
    return {k: f"{v:f}" if isinstance(v, Decimal) else v for k, v in msgspec.structs.asdict(worth).items()}
