"""What a partner of contracts may see: its own share, its own service levels and what was booked for it; no more."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import PartnerTerm
from servitwin.domain.contract_period import Period, period_chosen
from servitwin.domain.money import Money, zero
from servitwin.domain.party import Actor
from servitwin.usecases.measure_levels import Measured, MeasureLevels
from servitwin.usecases.ports import Records


class Booked(msgspec.Struct, frozen=True):
    """An amount that was booked for a partner; ``period`` is the settlement period's id."""

    at: int
    period: str
    amount: Money


class PartnerShare(msgspec.Struct, frozen=True):
    """One contract as its partner sees it."""

    agreement: Agreement
    term: PartnerTerm
    period: Period
    levels: tuple[Measured, ...]
    booked: tuple[Booked, ...]
    total: Money


class PartnerShares:
    """Finds a partner's part of contracts that it is no party of."""

    def __init__(self, records: Records, levels: MeasureLevels, now: Callable[[], int]) -> None:
        self._records = records
        self._levels = levels
        self._now = now

    def of(self, actor: Actor) -> list[PartnerShare]:
        """The shares of the actor's own party in contracts that bind, by id; of people without a party none."""
        if not actor.party:
            return []
        newest: dict[str, Agreement] = {}
        for agreement in self._records.contracts():  # by id and version
            if agreement.binding:
                newest[agreement.contract.id] = agreement
        return [
            self._share(agreement, term)
            for agreement in newest.values()
            for term in agreement.contract.partners
            if term.party == actor.party
        ]

    def _share(self, agreement: Agreement, term: PartnerTerm) -> PartnerShare:
        contract = agreement.contract
        now = self._now()
        period = period_chosen(contract, None, now)
        alone = msgspec.structs.replace(agreement, contract=msgspec.structs.replace(contract, partners=(term,)))
        levels = tuple(self._levels.measure(alone, period, now)) if now > period.start else ()
        booked = tuple(
            Booked(entry.at, entry.cause.partition(":")[0], -posting.amount)
            for entry in self._records.entries_of([contract.id])
            if entry.kind == "share"
            for posting in entry.postings
            if posting.account == f"payable:{term.party}"
        )
        total = sum((b.amount for b in booked), zero(contract.currency))
        return PartnerShare(agreement, term, period, levels, booked, total)
