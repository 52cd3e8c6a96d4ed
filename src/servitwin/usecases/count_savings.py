"""Count savings of all contracts that a caller sees: each by its own value, summed by service and by customer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault, InvalidInputError, ServitwinError, UnavailableError
from servitwin.domain.instant import format_instant
from servitwin.domain.party import Actor
from servitwin.domain.savings_table import CountedSavings, SavingsSum, Service, service_of, sums_by
from servitwin.domain.settlement import contract_end, contract_start
from servitwin.usecases.contract_access import ContractAccess
from servitwin.usecases.count_value import Counted, CountValue
from servitwin.usecases.ports import Records


class ContractSavings(msgspec.Struct, frozen=True):
    """A binding contract with its value, or why there is none."""

    contract: Contract
    service: Service
    counted: Counted | None
    why: Fault | None


class SavingsTable(msgspec.Struct, frozen=True):
    """Contracts by service and customer, and sums of those whose baseline both parties have signed.

    ``from_``, ``to``: what is over of the range that was asked for (ns UTC).
    """

    from_: int
    to: int
    contracts: tuple[ContractSavings, ...]
    by_service: tuple[SavingsSum, ...]
    by_customer: tuple[SavingsSum, ...]


class CountSavings:
    """For the parties of contracts; the arithmetic is that of each contract's own value."""

    def __init__(self, records: Records, access: ContractAccess, value: CountValue, now: Callable[[], int]) -> None:
        self._records, self._access, self._value, self._now = records, access, value, now

    def count(self, actor: Actor, start: int, end: int) -> SavingsTable:
        """Of the binding contracts that the caller may read and that were in force in what is over of the range.

        Raises:
            InvalidInputError: ``value:nothing-left`` where the range (ns UTC) is still to come.
        """
        now = self._now()
        if start >= now:
            message = f"All of that time is still to come: it is {format_instant(now)} now"
            raise InvalidInputError(Fault("value:nothing-left", message, "Ask for a time that is over", "from"))
        end = min(end, now)
        contracts = self._records.contracts()  # once: every contract is counted beside all others
        found = []
        for agreement in self._access.all_current(actor, contracts):
            contract = agreement.contract
            if agreement.binding and contract_start(contract) < end and contract_end(contract) > start:
                found.append(self._one(agreement, start, end, actor, contracts))
        found.sort(key=lambda c: (c.service, c.contract.customer, c.contract.id))
        agreed = [
            CountedSavings(
                c.contract.id, c.service, c.contract.customer, c.counted.savings.hours, c.counted.savings.money,
                c.counted.savings.after_fee,
            )
            for c in found
            if c.counted is not None and c.counted.agreed
        ]  # fmt: skip
        by_service, by_customer = sums_by(agreed, lambda r: r.service), sums_by(agreed, lambda r: r.customer)
        return SavingsTable(start, end, tuple(found), tuple(by_service), tuple(by_customer))

    def _one(
        self, agreement: Agreement, start: int, end: int, actor: Actor, contracts: Sequence[Agreement]
    ) -> ContractSavings:
        contract = agreement.contract
        try:
            self._access.require_measured(actor, agreement)
            counted = self._value.count_one(agreement, start, end, among=contracts)
            return ContractSavings(contract, service_of(contract), counted, None)
        except UnavailableError:
            raise  # a sum without it would be wrong, and the same question may succeed later
        except ServitwinError as e:
            return ContractSavings(contract, service_of(contract), None, e.fault)
