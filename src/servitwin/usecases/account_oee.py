"""Account for OEE: of a machine, line or factory, by shift, product or cause, as known at a cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.observation import Cut
from servitwin.domain.oee import NOT_PRODUCTION, Oee, Terms, add_terms, oee_of, oee_terms
from servitwin.domain.oee_counter import Parts
from servitwin.domain.reason import Reason
from servitwin.domain.said_cause import with_reasons
from servitwin.domain.state_time import State
from servitwin.domain.state_time_span import Spans
from servitwin.domain.twin import Twin
from servitwin.usecases.account_time import basis_of
from servitwin.usecases.line_time import constraint_station, stations
from servitwin.usecases.machine_time import (
    GROUPS,
    Basis,
    MachineTime,
    Segment,
    Sources,
    calendar_name,
    has_states,
    planned_time,
    read_machines,
    said_of,
)
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

By = Literal["shift", "product", "cause"]
OEE_RULE = "oee-iso22400@1"


class OeeGroup(msgspec.Struct, frozen=True):
    """The figures of one shift (over all days of the range) or one product; ``""``: product not known."""

    key: str
    oee: Oee


class CauseLoss(msgspec.Struct, frozen=True):
    """Planned time lost to one cause; an empty cause or party is unattributed. ``share`` of planned busy time."""

    key: str
    party: str
    state: State
    duration: int
    share: float | None


class OeeAnswer(msgspec.Struct, frozen=True):
    """OEE of a twin over [start, end), with its groups if asked for, and each child's own OEE."""

    twin: str
    start: int
    end: int
    oee: Oee
    groups: tuple[OeeGroup, ...]
    causes: tuple[CauseLoss, ...]
    children: dict[str, Oee]
    basis: Basis


def oee(
    history: HistoryReader,
    registry: Registry,
    records: Records,
    twin: Twin,
    start: int,
    end: int,
    by: By | None = None,
    cut: Cut | None = None,
    *,
    now: int | None = None,
) -> OeeAnswer:
    """OEE over [start, min(end, now)) after ISO 22400-2 (secondary).

    A line: good output x ideal cycle of its constraint / planned busy time of the constraint. A factory: ratio of the
    sums over its lines and the machines outside of lines. Machines whose type counts no parts (cranes, robots that
    carry) are no work units and are left out, which ``assumed`` tells.
    """
    sources = Sources(history, registry, records, history.cut() if cut is None else cut)
    end = end if now is None else max(start, min(end, now))
    account = _Account(sources, twin, start, end)
    whole = Spans.of([(start, end)])
    groups: tuple[OeeGroup, ...] = ()
    if by == "shift":
        groups = tuple(OeeGroup(k, oee_of(account.terms(twin, s))) for k, s in account.shifts().items())
    elif by == "product":
        groups = tuple(OeeGroup(k, oee_of(t)) for k, t in account.products().items())
    total = oee_of(account.terms(twin, whole))
    children = {c.id: oee_of(account.terms(c, whole)) for c in account.units(twin)} if twin.kind in GROUPS else {}
    causes = account.causes(total.terms.planned_busy) if by == "cause" else ()
    basis = basis_of(sources, account.machines.values(), start, end, OEE_RULE)
    return OeeAnswer(twin.id, start, end, total, groups, causes, children, basis)


class _Account:
    """All machines below a twin, read once, from which terms of any part of the range are made."""

    def __init__(self, sources: Sources, twin: Twin, start: int, end: int) -> None:
        self._registry, self._start, self._end = sources.registry, start, end
        self._twin = twin
        self._counted_parts: dict[int, Parts] = {}
        below = [twin] if twin.kind not in GROUPS else list(sources.registry.descendants(twin.id, start))
        chosen = [t for t in below if t.kind not in GROUPS and (t is twin or has_states(self._registry, t, start))]
        self.machines = read_machines(sources, chosen, start, end, parts=True)
        self._reasons: dict[str, list[Reason]] = {}
        for reason in said_of(sources.records, [t.id for t in chosen], start, end):
            self._reasons.setdefault(reason.twin, []).append(reason)
        self._planned = {t.uid: planned_time(sources, t, start, end) for t in chosen}

    def units(self, group: Twin) -> list[Twin]:
        """Direct children that have OEE of their own: groups, and machines that were read."""
        children = self._registry.children(group.id, self._start)
        return [c for c in children if c.kind in GROUPS or c.uid in self.machines]

    def terms(self, twin: Twin, within: Spans) -> Terms:
        """Terms of a twin over some stretches."""
        if twin.kind not in GROUPS:
            return self._machine(self.machines[twin.uid], within)
        if twin.kind == "line":
            return self._line(twin, within)
        units: list[Twin] = []
        idle: list[Twin] = []
        for child in self.units(twin):
            working = child.kind in GROUPS or self._makes_parts(child)
            (units if working else idle).append(child)
        if not units:
            units, idle = idle, []
        total = add_terms(self.terms(u, within) for u in units)
        left = tuple(f"{t.id} counts no parts and is left out" for t in idle)
        return msgspec.structs.replace(total, assumed=(*total.assumed, *left))

    def shifts(self) -> dict[str, Spans]:
        """Working time of each shift of the twin's calendar, over all days of the range."""
        name = calendar_name(self._registry, self._twin, self._start)
        calendar = self._registry.calendar(name) if name else None
        if calendar is None:
            return {}
        found = shift_intervals(calendar, self._start, self._end)
        names = dict.fromkeys(s.name for s in found)
        return {n: planned_spans([s for s in found if s.name == n], self._start, self._end) for n in names}

    def products(self) -> dict[str, Terms]:
        """Terms of each product over the time in which each machine had it in work."""
        chosen = self._counted()
        found: dict[str, list[Terms]] = {}
        for machine in chosen:
            for segment in machine.segments:
                for product, spans in self._parts(segment).product_spans(segment.start, segment.end).items():
                    found.setdefault(product, []).append(self._machine(machine, spans))
        return {product: add_terms(found[product]) for product in sorted(found)}

    def causes(self, busy: int) -> tuple[CauseLoss, ...]:
        """Planned time lost by cause, party and state, the largest first; what people said of a stop comes first."""
        lost: dict[tuple[str, str, State], int] = {}
        for machine in self._counted():
            planned = self._planned[machine.twin.uid][0]
            for i, said in with_reasons(machine.intervals, self._reasons.get(machine.twin.id, ())):
                if i.state is State.PRODUCING or i.state in NOT_PRODUCTION:
                    continue
                inside = i.duration if planned is None else planned.clip(i.start, i.end).total()
                key = (i.cause, i.party, i.state) if said is None else (said.cause, said.party or i.party, i.state)
                lost[key] = lost.get(key, 0) + inside
        ordered = sorted(((k, ns) for k, ns in lost.items() if ns), key=lambda item: (-item[1], item[0]))
        return tuple(CauseLoss(c, p, s, ns, ns / busy if busy > 0 else None) for (c, p, s), ns in ordered)

    def _parts(self, segment: Segment) -> Parts:
        if id(segment) not in self._counted_parts:  # segments live as long as this account
            self._counted_parts[id(segment)] = segment.parts()
        return self._counted_parts[id(segment)]

    def _counted(self) -> Sequence[MachineTime]:
        """Machines whose time makes up the planned busy time of the twin."""
        if self._twin.kind == "line":
            return self._constraint(self._twin)[0]
        if self._twin.kind not in GROUPS:
            return list(self.machines.values())
        inside: list[MachineTime] = []
        queue = list(self.units(self._twin))
        while queue:
            unit = queue.pop(0)
            if unit.kind == "line":
                inside += self._constraint(unit)[0]
            elif unit.kind in GROUPS:
                queue += self.units(unit)
            elif self._makes_parts(unit):
                inside.append(self.machines[unit.uid])
        return inside

    def _machine(self, machine: MachineTime, within: Spans) -> Terms:
        planned, why = self._planned[machine.twin.uid]
        each = []
        for segment in machine.segments:
            production = segment.type.production if segment.type else None
            cycles: Mapping[str, float] = production.ideal_cycle_s if production else {}
            inside = within.clip(segment.start, segment.end)
            if len(inside.start):
                each.append(oee_terms(segment.intervals, self._parts(segment), cycles, planned, inside))
        total = add_terms(each)
        if why and why not in total.assumed:
            total = msgspec.structs.replace(total, assumed=(why, *total.assumed))
        return total

    def _line(self, line: Twin, within: Spans) -> Terms:
        """Terms of the constraint, with the good output of the whole line in the place of its own.

        The good output of the line is that of the station with the least: a part is output only if it left every one.
        """
        station, note = self._constraint(line)
        if not station:
            return msgspec.structs.replace(add_terms([]), assumed=(note,))
        total = add_terms(self._machine(m, within) for m in station)
        good, made = sum(total.good.values()), sum(total.made.values())
        assumed = [note]
        for name, machines in stations(self._registry, self._below(line), self._start).items():
            output = [self._machine(m, within) for m in machines]
            least = sum(sum(t.good.values()) for t in output)
            if all(t.counted for t in output) and least < good:
                good = least
                assumed = [note, f"Good output of the line is that of {name}, the least of its stations"]
        ideal_good = None if total.ideal is None else round(total.ideal * good / made) if made else 0
        return msgspec.structs.replace(
            total, good={"": good}, ideal_good=ideal_good, assumed=(*total.assumed, *assumed)
        )

    def _below(self, group: Twin) -> list[MachineTime]:
        below = self._registry.descendants(group.id, self._start)
        return [self.machines[t.uid] for t in below if t.uid in self.machines]

    def _constraint(self, line: Twin) -> tuple[list[MachineTime], str]:
        return constraint_station(self._registry, self._below(line), self._start)

    def _makes_parts(self, twin: Twin) -> bool:
        machine_type = self._registry.type_at(twin, self._start)
        return machine_type is not None and machine_type.production is not None
