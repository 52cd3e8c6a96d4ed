"""Settlement periods of a contract: local months, quarters and years, each an exact stretch of UTC time."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from servitwin.domain.contract import Cadence, Contract
from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.instant import NS
from servitwin.domain.money import Money, split

_MONTHS: dict[Cadence, int] = {"month": 1, "quarter": 3, "year": 12}


class Period(msgspec.Struct, frozen=True):
    """One settlement period: ``id`` as people write it (``2026-03``, ``2026-Q1``, ``2026``, ``contract``).

    ``start`` and ``end`` are ns UTC of local midnights: a month with a change of summer time is an hour shorter or
    longer. ``first`` and ``last`` are the local days [first, last).
    """

    id: str
    first: str
    last: str
    start: int
    end: int


def midnight(day: date, zone: ZoneInfo) -> int:
    """Ns UTC at which that local day begins; where midnight is skipped, the first instant after it."""
    local = datetime.combine(day, time(), zone)
    return int(local.timestamp()) * NS


def periods(contract: Contract, cadence: Cadence | None = None) -> list[Period]:
    """The periods that cover the contract without overlap or hole, in order; the first and last may be cut short."""
    chosen = cadence or (contract.guarantee.settle if contract.guarantee else contract.price.per)
    zone = ZoneInfo(contract.time_zone)
    first, last = date.fromisoformat(contract.start), date.fromisoformat(contract.end)
    edges = [first, *(d for d in _edges(chosen, first, last) if first < d < last), last]
    found = []
    for a, b in pairwise(edges):
        id = _name(chosen, a)
        found.append(Period(id, a.isoformat(), b.isoformat(), midnight(a, zone), midnight(b, zone)))
    return found


def period_of(contract: Contract, id: str) -> Period:
    """The settlement period of that name.

    Raises:
        NotFoundError: ``contract:period-unknown``, with the names there are.
    """
    all_of_them = periods(contract)
    for period in all_of_them:
        if period.id == id:
            return period
    known = ", ".join(p.id for p in all_of_them[:12])
    raise NotFoundError(
        Fault("contract:period-unknown", f"{contract.id} has no period {id!r}", f"There is {known}", "period")
    )


def period_chosen(contract: Contract, id: str | None, now: int) -> Period:
    """The period of that name; without one the period that runs, else the last that has begun, else the first.

    Raises:
        NotFoundError: ``contract:period-unknown``.
    """
    if id is not None:
        return period_of(contract, id)
    running = period_at(contract, now)
    if running is not None:
        return running
    begun = [p for p in periods(contract) if p.start < now]
    return begun[-1] if begun else periods(contract)[0]


def period_at(contract: Contract, at: int) -> Period | None:
    """The settlement period in which that instant lies."""
    return next((p for p in periods(contract) if p.start <= at < p.end), None)


def fee_of(contract: Contract, period: Period) -> Money:
    """The fee of a period: a year's fee is shared among its months to the cent; part of one goes by local days."""
    price = contract.price
    full = Money(price.fee, contract.currency)
    if price.per == "contract":
        whole = _days(contract.start, contract.end)
        shares = [Decimal(_days(p.first, p.last)) for p in periods(contract)]
        place = next((n for n, p in enumerate(periods(contract)) if p.id == period.id), None)
        if place is not None:
            return split(full, shares)[place]
        return full.times(Decimal(_days(period.first, period.last)) / whole).rounded()
    months, total = _MONTHS[price.per], Money(Decimal(0), contract.currency)
    for month in _months(date.fromisoformat(period.first), date.fromisoformat(period.last)):
        share = split(full, [Decimal(1)] * months)[(month.month - 1) % months]
        begin = max(month, date.fromisoformat(period.first))
        until = min(_next_month(month), date.fromisoformat(period.last))
        days, of = (until - begin).days, (_next_month(month) - month).days
        total = total + (share if days == of else share.times(Decimal(days) / of).rounded())
    return total


def _days(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month < last:
        yield month
        month = _next_month(month)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _edges(cadence: Cadence, first: date, last: date) -> Iterator[date]:
    if cadence == "contract":
        return
    months = _MONTHS[cadence]
    for month in _months(first, last):
        if (month.month - 1) % months == 0:
            yield month


def _name(cadence: Cadence, first: date) -> str:
    if cadence == "contract":
        return "contract"
    if cadence == "year":
        return f"{first.year:04}"
    if cadence == "quarter":
        return f"{first.year:04}-Q{(first.month - 1) // 3 + 1}"
    return f"{first.year:04}-{first.month:02}"


def warranty_end(contract: Contract, accepted_at: int | None) -> int | None:
    """When a machine's warranty ends (ns UTC): local midnight after its last day; None: none, or it has not begun.

    It begins on the local day of the acceptance, or on the contract's first day where acceptance is given.
    """
    if isinstance(contract.warranty, msgspec.UnsetType):
        return None
    zone = ZoneInfo(contract.time_zone)
    if contract.waits_for_acceptance:
        if accepted_at is None:
            return None
        first = datetime.fromtimestamp(accepted_at // NS, zone).date()
    else:
        first = date.fromisoformat(contract.start)
    months = first.year * 12 + first.month - 1 + contract.warranty.months
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return midnight(date(year, month + 1, min(first.day, last)), zone)
