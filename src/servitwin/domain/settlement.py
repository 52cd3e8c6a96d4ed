"""Settlements: what the measured results of a contract's period are worth, with every stretch that decided it.

The same inputs give the same settlement to the last cent, wherever they are computed: nothing here reads a clock, a
database or a network. A settlement is never edited; late data or decisions make a new one that names the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period, fee_of, midnight
from servitwin.domain.exclusion import Standing
from servitwin.domain.guarantee_credit import Credit, credit_of, percent_of
from servitwin.domain.guarantee_time import Category, Claims, Facts, GuaranteeTime, exit_point, sort_time
from servitwin.domain.money import Money, split, sum_money
from servitwin.domain.reason import Reason
from servitwin.domain.state_time_span import Spans
from servitwin.domain.time_table import TimeTable

RULE = "servitwin-settlement@1"


@dataclass(frozen=True, slots=True, eq=False)
class MachineFacts:
    """What is known of one machine for a period.

    Attributes:
        table: its state intervals; they may reach beyond the period (a gap is judged by what lies around it).
        planned: planned time; None: all calendar time.
        accepted_at: when the machine was accepted; None: not yet (counts where the contract requires acceptance).
        missed_before: periods in a row that this machine missed just before.
        readings: quantity of each meter in the period.
        shadowed: time that a contract of higher rank counts.
    """

    twin: str
    table: TimeTable
    planned: Spans | None = None
    accepted_at: int | None = None
    missed_before: int = 0
    readings: Mapping[str, Decimal] = field(default_factory=dict)
    shadowed: Spans | None = None


class MachineResult(msgspec.Struct, frozen=True):
    """One machine's result; times in ns.

    Attributes:
        worth: what the value is worth as decided so far, open claims counting for nothing.
        credit, bonus: the undisputed part of it, which settles: what both outcomes of the open claims share.
        disputed: what lies between those outcomes in money.
        undecided: claimed time that is open between the parties.
        time: every stretch, as decided so far.
    """

    twin: str
    fee: Money
    numerator: int
    denominator: int
    totals: dict[str, int]
    worth: Credit
    credit: Money
    bonus: Money
    disputed: Money
    undecided: int
    time: GuaranteeTime


class PoolResult(msgspec.Struct, frozen=True):
    """All machines as one, for information: it is shown and never settled, for it hides bad machines."""

    numerator: int
    denominator: int
    percent: Decimal | None


class Settled(msgspec.Struct, frozen=True):
    """A period's results: by machine, the pool, and sums in money."""

    contract: Contract
    period: Period
    machines: tuple[MachineResult, ...]
    pool: PoolResult
    fee: Money
    credit: Money
    bonus: Money
    disputed: Money


def settle(
    contract: Contract,
    period: Period,
    machines: Sequence[MachineFacts],
    reasons: Sequence[Reason],
    standings: Sequence[Standing],
    until: int | None = None,
    orders: Sequence[Reason] = (),
) -> Settled:
    """Settle a period of a contract with a guarantee.

    ``reasons`` are those in force, ``orders`` what work orders say, ``standings`` the claims as known; all of any
    machine. ``until`` ends a period that still runs: later time lies outside. Open claims are settled in
    the part that both outcomes share.
    """
    fee = fee_of(contract, period)
    fees = split(fee, [Decimal(1)] * len(machines))
    end = period.end if until is None else max(period.start, min(period.end, until))
    results = tuple(
        _settle_machine(
            contract,
            period.start,
            end,
            machine,
            own_fee,
            [r for r in reasons if r.twin == machine.twin],
            [o for o in orders if o.twin == machine.twin],
            [s for s in standings if s.exclusion.twin == machine.twin],
        )
        for machine, own_fee in zip(machines, fees, strict=True)
    )
    numerator, denominator = sum(r.numerator for r in results), sum(r.denominator for r in results)
    return Settled(
        contract,
        period,
        results,
        PoolResult(numerator, denominator, percent_of(numerator, denominator)),
        fee,
        sum_money((r.credit for r in results), contract.currency),
        sum_money((r.bonus for r in results), contract.currency),
        sum_money((r.disputed for r in results), contract.currency),
    )


def _settle_machine(
    contract: Contract,
    start: int,
    end: int,
    machine: MachineFacts,
    fee: Money,
    reasons: Sequence[Reason],
    orders: Sequence[Reason],
    standings: Sequence[Standing],
) -> MachineResult:
    guarantee = contract.guarantee
    assert guarantee is not None
    first = contract_start(contract)
    last = contract_end(contract)
    begin = exit_point(machine.table, first, guarantee) if start == first else start
    stop = max(begin, exit_point(machine.table, last, guarantee) if end == last else end)
    outside = _outside(contract, machine, begin, stop)

    def sorted_with(winner: str) -> GuaranteeTime:
        """Time as it counts where the open claims of one party were all accepted, and the other's were not."""
        claims = _claims(
            [(s, (*s.accepted, *(s.undecided if s.exclusion.proposer == winner else ()))) for s in standings]
        )
        return sort_time(machine.table, contract, Facts(machine.planned, outside, reasons, orders, claims), begin, stop)

    def worth(time: GuaranteeTime) -> Credit:
        return credit_of(
            guarantee,
            fee,
            time.numerator,
            time.denominator,
            missed_before=machine.missed_before,
            output=_output(contract, machine),
        )

    decided = sorted_with("")
    now = best = worst = worth(decided)
    undecided = Spans.of(p for s in standings for p in s.undecided).total()
    if undecided:
        best, worst = worth(sorted_with(contract.provider)), worth(sorted_with(contract.customer))
    credit, bonus = best.credit, worst.bonus
    return MachineResult(
        twin=machine.twin,
        fee=fee,
        numerator=decided.numerator,
        denominator=decided.denominator,
        totals={c.name.lower(): decided.total(c) for c in Category},
        worth=now,
        credit=credit,
        bonus=bonus,
        disputed=(worst.credit - credit) + (best.bonus - bonus),
        undecided=undecided,
        time=decided,
    )


def contract_start(contract: Contract) -> int:
    """Ns UTC of the contract's first local midnight."""
    return _midnight(contract.start, contract)


def contract_end(contract: Contract) -> int:
    """Ns UTC of the local midnight after the contract's last day."""
    return _midnight(contract.end, contract)


def _midnight(day: str, contract: Contract) -> int:
    return midnight(date.fromisoformat(day), ZoneInfo(contract.time_zone))


def _outside(contract: Contract, machine: MachineFacts, start: int, end: int) -> list[tuple[str, Spans]]:
    found = []
    if contract.waits_for_acceptance:
        accepted = end if machine.accepted_at is None else machine.accepted_at
        found.append(("clock-not-started", Spans.of([(start, min(end, accepted))])))
    if machine.shadowed is not None:
        found.append(("other-contract", machine.shadowed.clip(start, end)))
    return found


def _claims(accepted: Sequence[tuple[Standing, tuple[tuple[int, int], ...]]]) -> list[Claims]:
    by_kind: dict[str, list[tuple[int, int, str]]] = {}
    for standing, parts in accepted:
        for start, end in parts:
            by_kind.setdefault(standing.exclusion.kind, []).append((start, end, standing.exclusion.id))
    return [
        Claims(kind, Spans.of((a, b) for a, b, _ in parts), tuple(sorted(parts)))  # type: ignore[arg-type]
        for kind, parts in by_kind.items()
    ]


def _output(contract: Contract, machine: MachineFacts) -> Decimal | None:
    meter = getattr(contract.guarantee.bands if contract.guarantee else None, "meter", "")
    return machine.readings.get(meter) if meter else None
