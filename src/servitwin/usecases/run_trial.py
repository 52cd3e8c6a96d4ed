"""Run a contract over past months as if it had been in force: the same terms on the same data, without money."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period, periods
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.money import Money, sum_money
from servitwin.domain.settlement import Settled
from servitwin.usecases.settle_period import SettlePeriod


@dataclass(frozen=True, slots=True)
class Trial:
    """What each period would have been worth. ``contract`` has the trial's days in place of its own."""

    contract: Contract
    periods: tuple[tuple[Period, Settled], ...]
    notes: tuple[str, ...]

    def total(self, name: str) -> Money:
        """The sum over the periods of ``fee``, ``credit`` or ``bonus``."""
        return sum_money((getattr(settled, name) for _, settled in self.periods), self.contract.currency)


class RunTrial:
    """Measures past periods by the terms of an offer."""

    def __init__(self, settle: SettlePeriod) -> None:
        self._settle = settle

    def run(self, agreement: Agreement, first: str, last: str, now: int) -> Trial:
        """The trial over the local days [first, last), as known now; what has not begun is left out.

        Raises:
            InvalidInputError: ``range:ends-before-it-starts``, ``contract:no-guarantee``.
        """
        if first >= last:
            raise InvalidInputError(Fault("range:ends-before-it-starts", "`from` must be before `to`", "Days", "from"))
        shifted = msgspec.structs.replace(agreement.contract, start=first, end=last, acceptance="given")
        moved = msgspec.structs.replace(agreement, contract=shifted)
        found = [(p, self._settle.glance(moved, p, now)) for p in periods(shifted) if p.start < now]
        notes = found[0][1].notes() if found else []
        return Trial(
            shifted,
            tuple((p, gathered.settled) for p, gathered in found),
            ("Trial: measured by the terms, without money", *notes),
        )
