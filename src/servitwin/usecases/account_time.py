"""Account for time: what state a machine, line or factory was in, over any range, as known at a cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from servitwin.domain.availability import Availability, formula, state_totals
from servitwin.domain.availability import availability as by_formula
from servitwin.domain.observation import Cut
from servitwin.domain.reason import Reason
from servitwin.domain.said_cause import with_reasons
from servitwin.domain.state_time import State, StateInterval, totals
from servitwin.domain.twin import Twin
from servitwin.usecases.line_time import constraint_station, line_states
from servitwin.usecases.machine_time import (
    GROUPS,
    RULE,
    VERSION,
    Basis,
    MachineTime,
    Sources,
    machines_below,
    planned_time,
    read_machines,
    said_of,
)
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry


class StatesAnswer(msgspec.Struct, frozen=True):
    """State intervals that cover [start, end) exactly, and nanoseconds per state.

    A factory or fleet has no intervals of its own: its totals are the sum over ``children`` (totals by twin id).
    ``note`` says how a line's state was found. ``said``: of each interval the reason that people gave for it.
    """

    twin: str
    start: int
    end: int
    intervals: list[StateInterval]
    totals: dict[State, int]
    children: dict[str, dict[State, int]]
    note: str
    basis: Basis
    said: tuple[Reason | None, ...] = ()


class AvailabilityAnswer(msgspec.Struct, frozen=True):
    """Availability by a named formula, with what was assumed and how it was made."""

    twin: str
    start: int
    end: int
    figure: Availability
    assumed: tuple[str, ...]
    basis: Basis


def states(
    history: HistoryReader,
    registry: Registry,
    records: Records,
    twin: Twin,
    start: int,
    end: int,
    cut: Cut | None = None,
    *,
    now: int | None = None,
) -> StatesAnswer:
    """Time of state over [start, end); after ``now`` it is unknown (``not-yet``).

    A line is in the state of its constraint (docs/decisions/0030). Reads exactly the signals that the mappings need.
    """
    sources = Sources(history, registry, records, history.cut() if cut is None else cut)
    if twin.kind not in GROUPS:
        machine = read_machines(sources, [twin], start, end, now=now)[twin.uid]
        pieces = list(with_reasons(machine.intervals, said_of(records, [twin.id], start, end)))
        intervals = [interval for interval, _ in pieces]
        basis = basis_of(sources, [machine], start, end)
        said = tuple(reason for _, reason in pieces)
        return StatesAnswer(twin.id, start, end, intervals, totals(intervals), {}, "", basis, said)
    machines = read_machines(sources, machines_below(registry, twin, start), start, end, now=now)
    children = {m.twin.id: totals(m.intervals) for m in machines.values()}
    basis = basis_of(sources, machines.values(), start, end)
    if twin.kind == "line":
        intervals, note = line_states(registry, machines.values(), start, end)
        return StatesAnswer(twin.id, start, end, intervals, totals(intervals), children, note, basis)
    note = f"Sum of {len(children)} machines"
    return StatesAnswer(twin.id, start, end, [], sum_totals(children.values()), children, note, basis)


def availability(
    history: HistoryReader,
    registry: Registry,
    records: Records,
    twin: Twin,
    key: str,
    start: int,
    end: int,
    cut: Cut | None = None,
    *,
    now: int | None = None,
) -> AvailabilityAnswer:
    """Availability by the formula of that key over planned time in [start, min(end, now)).

    Of a line it is that of its constraint, of a factory or fleet the ratio of the sums over its machines.

    Raises:
        InvalidInputError: ``formula:unknown``.
    """
    formula(key)
    sources = Sources(history, registry, records, history.cut() if cut is None else cut)
    end = end if now is None else max(start, min(end, now))
    chosen = [twin] if twin.kind not in GROUPS else machines_below(registry, twin, start)
    machines = list(read_machines(sources, chosen, start, end).values())
    assumed: dict[str, None] = {}
    if twin.kind == "line":
        station, note = constraint_station(registry, machines, start)
        machines = station
        assumed[note] = None
    per_machine = []
    for machine in machines:
        planned, why = planned_time(sources, machine.twin, start, end)
        if why:
            assumed[why] = None
        per_machine.append(state_totals(machine.intervals, planned))
    figure = by_formula(key, sum_totals(per_machine))
    basis = basis_of(sources, machines, start, end, key)
    return AvailabilityAnswer(twin.id, start, end, figure, tuple(assumed), basis)


def sum_totals(many: Iterable[Mapping[State, int]]) -> dict[State, int]:
    """Nanoseconds per state of several machines together."""
    sums: dict[State, int] = {}
    for one in many:
        for state, ns in one.items():
            sums[state] = sums.get(state, 0) + ns
    return sums


def basis_of(sources: Sources, machines: Iterable[MachineTime], start: int, end: int, rule: str = RULE) -> Basis:
    """How a figure over these machines was made."""
    inputs = tuple(pair for machine in machines for pair in machine.inputs)
    name, _, version = rule.partition("@")
    return Basis(name, version or VERSION, inputs, start, end, sources.cut)
