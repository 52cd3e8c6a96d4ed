"""What a settlement is computed from, complete: with these and the observations anybody computes the same cents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from itertools import compress

import msgspec

from servitwin.domain.calendar import Calendar
from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.contract import Contract
from servitwin.domain.contract_period import Period
from servitwin.domain.exclusion import Decision, Exclusion, standing
from servitwin.domain.instant import DAY
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Series
from servitwin.domain.reason import Reason, in_force
from servitwin.domain.settlement import MachineFacts, Settled, settle
from servitwin.domain.state_time import Gap, StateInterval, join, unknown
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.state_time_span import Spans
from servitwin.domain.time_table import TimeTable
from servitwin.domain.twin import Dated
from servitwin.domain.work_order import WorkOrder, orders_in_force, word_of

_AROUND, _FOLLOWED = DAY, 30 * DAY


class TypeStretch(msgspec.Struct, frozen=True, omit_defaults=True):
    """The machine type in force over [start, end); None where there was none."""

    start: int
    end: int
    type: MachineType | None = None


class MachineInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one machine beside its observations.

    Attributes:
        owners: with their dates; the guarantee's clock runs while the machine belongs to one of the two parties.
        shadowed: stretches that a contract of higher rank counts.
    """

    twin: str
    uid: str
    types: tuple[TypeStretch, ...]
    gaps: tuple[Gap, ...] = ()
    calendar: Calendar | None = None
    owners: tuple[Dated, ...] = ()
    accepted_at: int | None = None
    missed_before: int = 0
    readings: dict[str, Decimal] = {}
    shadowed: tuple[tuple[int, int], ...] = ()


class SettlementInputs(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that decides a settlement but the observations.

    Attributes:
        start, end: what was read: the period with what lies around it, up to ``known_at``.
        known_at: when it was settled; reasons, work orders and decisions given later do not count.
        cut: how much of each stream of observations was known (shard -> sequence).
        claims: with their steps.
        work_orders: every step of them.
    """

    contract: Contract
    period: Period
    start: int
    end: int
    known_at: int
    cut: dict[str, int]
    machines: tuple[MachineInputs, ...]
    reasons: tuple[Reason, ...] = ()
    claims: tuple[tuple[Exclusion, tuple[Decision, ...]], ...] = ()
    work_orders: tuple[WorkOrder, ...] = ()


def range_to_read(contract: Contract, period: Period, known_at: int) -> tuple[int, int]:
    """The range around a period that decides it: gaps are judged by what lies beside them, stops may be followed."""
    followed = contract.guarantee is not None and contract.guarantee.crossing == "first"
    around = _FOLLOWED if followed else _AROUND
    start = period.start - around
    return start, max(start, min(period.end + around, known_at))


def settle_inputs(inputs: SettlementInputs, observed: Mapping[str, Mapping[str, Series]]) -> Settled:
    """Settle from the inputs and each machine's series by signal (``observed[twin id]``)."""
    tables = {m.twin: TimeTable.of(intervals_of(m, observed.get(m.twin, {}))) for m in inputs.machines}
    return settle_tables(inputs, tables)


def settle_tables(inputs: SettlementInputs, tables: Mapping[str, TimeTable]) -> Settled:
    """Settle from the inputs and each machine's state intervals by twin id."""
    contract = inputs.contract
    assert contract.guarantee is not None
    machines = [_facts(inputs, machine, tables[machine.twin]) for machine in inputs.machines]
    standings = [standing(claim, steps, contract.guarantee, inputs.known_at) for claim, steps in inputs.claims]
    reasons = in_force(inputs.reasons, inputs.known_at)
    orders = [word_of(o, inputs.known_at) for o in orders_in_force(inputs.work_orders, inputs.known_at)]
    return settle(contract, inputs.period, machines, reasons, standings, inputs.known_at, orders)


def _facts(inputs: SettlementInputs, machine: MachineInputs, table: TimeTable) -> MachineFacts:
    contract = inputs.contract
    assert contract.guarantee is not None
    planned: Spans | None = None
    if contract.guarantee.basis == "planned" and machine.calendar is not None:
        shifts = shift_intervals(machine.calendar, inputs.start, inputs.end)
        planned = planned_spans(shifts, inputs.start, inputs.end)
    return MachineFacts(
        machine.twin,
        table,
        planned,
        machine.accepted_at,
        machine.missed_before,
        machine.readings,
        _not_counted(machine, contract),
    )


def intervals_of(machine: MachineInputs, series: Mapping[str, Series]) -> list[StateInterval]:
    """State intervals of a machine over all that was read, from its observations by its types."""
    parts = [
        unknown(s.start, s.end, "no-mapping")
        if s.type is None
        else derive_states(s.type, series, machine.gaps, s.start, s.end)
        for s in machine.types
    ]
    return join(parts)


def _not_counted(machine: MachineInputs, contract: Contract) -> Spans | None:
    """Time of a contract of higher rank, and time in which the machine belonged to somebody else."""
    theirs = [
        (o.start, o.end if o.end is not None else 2**62)
        for o in machine.owners
        if o.value not in {contract.provider, contract.customer}
    ]
    found = [*machine.shadowed, *theirs]
    return Spans.of(found) if found else None


def fingerprint(series: Series) -> str:
    """``sha256:`` of a series' times, values and qualities: what was observed, whatever file it travelled in."""
    found = hashlib.sha256(series.time.astype("<i8").tobytes() + series.quality.astype("u1").tobytes())
    if series.number is not None:
        found.update(b"number" + series.number.astype("<f8").tobytes())
    elif series.flag is not None:
        found.update(b"flag" + series.flag.astype("i1").tobytes())
    else:
        found.update(b"text" + msgspec.json.encode(series.text or []))
    return "sha256:" + found.hexdigest()


def cut_back(series: Series, start: int, end: int) -> Series:
    """The part of a series in [start, end)."""
    inside = (series.time >= start) & (series.time < end)
    if inside.all():
        return series
    return Series(
        series.twin,
        series.signal,
        series.time[inside],
        None if series.number is None else series.number[inside],
        None if series.text is None else list(compress(series.text, inside.tolist())),
        None if series.flag is None else series.flag[inside],
        series.quality[inside],
        series.cut,
    )
