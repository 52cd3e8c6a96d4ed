"""Renewals: which agreed contracts were followed up when they ended, and what became of their fee (row E13).

Read from agreed contracts alone, machine by machine. A *follow-up* is agreed between the same two parties, covers the
same machine, begins at most ``tolerance_days`` local days before or after the day on which the other one ends, and
ends later. Each follows up at most one contract of a machine, so that no fee is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal

import msgspec

from servitwin.domain.agreement import Agreement
from servitwin.domain.contract import Contract
from servitwin.domain.instant import DAY
from servitwin.domain.money import Money, split, sum_money
from servitwin.domain.settlement import contract_end

Outcome = Literal["renewed", "partly", "churned", "open"]
_A_YEAR = {"month": 12, "quarter": 4, "year": 1}


class EndedMachine(msgspec.Struct, frozen=True):
    """A machine of a contract that ended: its yearly fee before, and after where a follow-up was agreed."""

    twin: str
    before: Money
    follow_up: str = ""
    after: Money | None = None


class EndedContract(msgspec.Struct, frozen=True):
    """A contract at its end.

    Attributes:
        end: ns UTC of the local midnight after its last day.
        decided: ns UTC from which on no follow-up can begin within the tolerance; before it the outcome may be open.
        outcome: all machines, some or none of them go on; open: some do not yet, and still may.
    """

    contract: str
    version: int
    customer: str
    end: int
    decided: int
    outcome: Outcome
    machines: tuple[EndedMachine, ...]

    @property
    def before(self) -> Money:
        """The yearly fee that ended."""
        return sum_money((m.before for m in self.machines), self.machines[0].before.currency)


def yearly_fee(contract: Contract) -> Money:
    """The contract's fee a year, without what is charged by use; a fee for the whole contract by its years and days."""
    fee, per = Money(contract.price.fee, contract.currency), contract.price.per
    if per != "contract":
        return fee.times(_A_YEAR[per]).rounded()
    first, last = date.fromisoformat(contract.start), date.fromisoformat(contract.end)
    whole = last.year - first.year
    while _anniversary(first, whole) > last:
        whole -= 1
    begun, following = _anniversary(first, whole), _anniversary(first, whole + 1)
    days, rest = (following - begun).days, (last - begun).days
    return Money(fee.amount * days / (whole * days + rest), fee.currency).rounded()


def _anniversary(first: date, years: int) -> date:
    try:
        return first.replace(year=first.year + years)
    except ValueError:  # 29 February, in a year that has none
        return date(first.year + years, 3, 1)


def terms_in_force(agreements: Iterable[Agreement], known_at: int) -> list[Contract]:
    """What both parties had signed by then, each contract in its newest version.

    A version that begins on or after the last day of the one before is a term of its own; any other one replaces it.
    """
    binding: dict[str, list[Contract]] = {}
    for agreement in agreements:
        contract = agreement.contract
        parties = {s.party for s in agreement.signatures if s.at <= known_at}
        if {contract.provider, contract.customer} <= parties:
            binding.setdefault(contract.id, []).append(contract)
    found = []
    for id in sorted(binding):
        versions = sorted(binding[id], key=lambda c: c.version)
        found += [old for old, new in pairwise(versions) if new.start >= old.end]
        found.append(versions[-1])
    return found


def ended_contracts(
    terms: Sequence[Contract], start: int, end: int, *, known_at: int, tolerance_days: int
) -> list[EndedContract]:
    """The contracts that end within ``[start, end)`` and what follows them, in order of their end.

    ``terms`` are all that are in force (:func:`terms_in_force`), also beyond that range: what follows up one contract
    does not follow up another.
    """
    taken = _follow_ups(terms, tolerance_days)
    fees = {c.reference: dict(zip(c.machines, _shares(c), strict=True)) for c in terms}
    found = []
    for contract in terms:
        ends = contract_end(contract)
        if not start <= ends < end:
            continue
        machines = []
        for twin in contract.machines:
            new = taken.get((contract.reference, twin))
            before = fees[contract.reference][twin]
            machines.append(
                EndedMachine(twin, before)
                if new is None
                else EndedMachine(twin, before, new.reference, fees[new.reference][twin])
            )
        going_on = sum(1 for m in machines if m.after is not None)
        decided = ends + tolerance_days * DAY
        outcome: Outcome = "partly" if going_on else "churned"
        if going_on == len(machines):
            outcome = "renewed"
        elif known_at < decided:
            outcome = "open"
        found.append(
            EndedContract(
                contract.id, contract.version, contract.customer, ends, decided, outcome, tuple(machines)
            )
        )  # fmt: skip
    return sorted(found, key=lambda e: (e.end, e.contract, e.version))


def _shares(contract: Contract) -> list[Money]:
    return split(yearly_fee(contract), [Decimal(1)] * len(contract.machines))


def _follow_ups(terms: Sequence[Contract], tolerance_days: int) -> dict[tuple[str, str], Contract]:
    """Reference and machine of what ended -> what follows it.

    A guarantee is followed by a guarantee before anything else, then by what begins nearest to the end.
    """
    pairs = []
    by_place: dict[tuple[str, str, str], list[Contract]] = {}
    for contract in terms:
        for twin in contract.machines:
            by_place.setdefault((contract.provider, contract.customer, twin), []).append(contract)
    for (_, _, twin), together in by_place.items():
        for old in together:
            for new in together:
                gap = (date.fromisoformat(new.start) - date.fromisoformat(old.end)).days
                if new is not old and abs(gap) <= tolerance_days and new.start > old.start and new.end > old.end:
                    other_kind = (old.guarantee is None) != (new.guarantee is None)
                    pairs.append((other_kind, abs(gap), old.reference, new.reference, twin, new))
    taken: dict[tuple[str, str], Contract] = {}
    used = set()
    for _, _, old_reference, new_reference, twin, new in sorted(pairs, key=lambda p: p[:5]):
        if (old_reference, twin) not in taken and (new_reference, twin) not in used:
            taken[old_reference, twin] = new
            used.add((new_reference, twin))
    return taken
