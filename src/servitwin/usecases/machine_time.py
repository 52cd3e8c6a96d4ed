"""What the use cases of time share: one machine's states and parts, read at a cut with all that decides them."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.condition import parse_condition
from servitwin.domain.instant import DAY, EARLIEST
from servitwin.domain.machine_type import MachineType, Production
from servitwin.domain.observation import Cut, Quality, Series
from servitwin.domain.oee_counter import Parts, parts_of
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap, State, StateInterval, join, unknown
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_fleet import time_in_states_of_many
from servitwin.domain.state_time_span import Spans
from servitwin.domain.twin import Twin, value_at
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

RULE = "time-of-state"
VERSION = "1"
GROUPS = frozenset({"line", "factory", "fleet", "ecosystem"})
_FEW = 10
_LOOK_BACK = tuple(DAY * 8**n for n in range(7))
Pair = tuple[str, str]
Stretch = tuple[int, int, MachineType | None]
NO_TYPE = MachineType("", 0)


class Basis(msgspec.Struct, frozen=True):
    """How a figure was made: rule and version, observations read (twin id, signal), interval, and what was known."""

    rule: str
    version: str
    inputs: tuple[Pair, ...]
    start: int
    end: int
    cut: Cut


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where observations, twins with their types, and declared gaps are read; ``cut`` fixes what is known."""

    history: HistoryReader
    registry: Registry
    records: Records
    cut: Cut


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch in which one machine type was in force."""

    start: int
    end: int
    type: MachineType | None
    intervals: list[StateInterval]
    series: Mapping[str, Series]

    def parts(self) -> Parts:
        """Parts counted by the type's counters; the caller places them in time."""
        production = self.type.production if self.type else None
        return parts_of(production or Production(), self.series)


@dataclass(frozen=True, slots=True, eq=False)
class MachineTime:
    """One machine over [start, end): its segments by type, and which signals were read."""

    twin: Twin
    segments: list[Segment]
    inputs: tuple[Pair, ...]

    @property
    def intervals(self) -> list[StateInterval]:
        """State intervals over the whole range."""
        return join(s.intervals for s in self.segments)


def read_machines(
    sources: Sources, twins: Sequence[Twin], start: int, end: int, *, parts: bool = False, now: int | None = None
) -> dict[str, MachineTime]:
    """Time of state of machines by uid, all read in one go; ``parts`` reads their counters too.

    Observations before ``start`` are read as far back as needed. The time after ``now`` is unknown (``not-yet``).
    """
    known = end if now is None else min(end, max(start, now))
    stretches, by_twin = _read_twins(sources, twins, start, known, parts=parts)
    declared = declared_gaps(sources, twins)
    machines = {}
    for twin in twins:
        own = by_twin[twin.uid]
        gaps = declared.get(twin.uid, [])
        segments = [_segment(a, b, machine_type, own, gaps) for a, b, machine_type in stretches[twin.uid]]
        if end > known:
            segments.append(Segment(known, end, None, unknown(known, end, "not-yet"), {}))
        machines[twin.uid] = MachineTime(twin, segments, tuple((twin.id, name) for name in sorted(own)))
    return machines


def read_sums(
    sources: Sources, twins: Sequence[Twin], edges: Sequence[int]
) -> dict[str, tuple[list[dict[State, int]], tuple[Pair, ...]]]:
    """Nanoseconds per state of machines by uid between neighbouring ``edges``, and what was read for them."""
    stretches, by_twin = _read_twins(sources, twins, edges[0], edges[-1], parts=False)
    declared = declared_gaps(sources, twins)
    sums: dict[str, list[dict[State, int]]] = {t.uid: [{} for _ in edges[:-1]] for t in twins}
    together: dict[tuple[int, int, str], list[str]] = {}
    types: dict[str, MachineType] = {}
    for twin in twins:
        for a, b, machine_type in stretches[twin.uid]:
            known = machine_type or NO_TYPE
            types[known.reference] = known
            together.setdefault((a, b, known.reference), []).append(twin.uid)
    for (a, b, reference), uids in together.items():
        cuts = [a, *(e for e in edges if a < e < b), b]
        first = bisect_right(edges, a) - 1
        machines = [(by_twin[uid], declared.get(uid, ())) for uid in uids]
        for uid, found in zip(uids, time_in_states_of_many(types[reference], machines, cuts), strict=True):
            for bucket, totals in zip(sums[uid][first:], found, strict=False):
                for state, ns in totals.items():
                    bucket[state] = bucket.get(state, 0) + ns
    return {t.uid: (sums[t.uid], tuple((t.id, name) for name in sorted(by_twin[t.uid]))) for t in twins}


def declared_gaps(sources: Sources, twins: Sequence[Twin]) -> dict[str, list[Gap]]:
    """Declared gaps by uid of the twin; for many twins in one reading."""
    if len(twins) > _FEW:
        return sources.records.all_gaps()
    return {t.uid: sources.records.gaps(t.uid) for t in twins}


def planned_time(sources: Sources, twin: Twin, start: int, end: int) -> tuple[Spans | None, str]:
    """Planned time by the twin's calendar, else that of what it is part of; None and why, if there is none."""
    name = calendar_name(sources.registry, twin, start)
    if not name:
        return None, "No calendar: all calendar time counts as planned"
    calendar = sources.registry.calendar(name)
    if calendar is None:
        return None, f"Calendar {name} is not known: all calendar time counts as planned"
    return planned_spans(shift_intervals(calendar, start, end), start, end), ""


def calendar_name(registry: Registry, twin: Twin, at: int) -> str:
    """The calendar that holds for a twin: its own, else that of the nearest twin above that has one, else ``""``."""
    seen: set[str] = set()
    current: Twin | None = twin
    while current is not None and current.id not in seen:
        if current.calendar:
            return current.calendar
        seen.add(current.id)
        parent = value_at(current.parent, at)
        current = registry.by_id(parent) if parent else None
    return ""


def machines_below(registry: Registry, group: Twin, at: int) -> list[Twin]:
    """Machines of a group: what is below it, is no group, and has states by its type at that instant."""
    below = registry.descendants(group.id, at)
    return [t for t in below if t.kind not in GROUPS and has_states(registry, t, at)]


def has_states(registry: Registry, twin: Twin, at: int) -> bool:
    """Whether the twin's type says how to derive states."""
    machine_type = registry.type_at(twin, at)
    return machine_type is not None and machine_type.states is not None


def _read_twins(
    sources: Sources, twins: Sequence[Twin], start: int, end: int, *, parts: bool
) -> tuple[dict[str, list[Stretch]], dict[str, dict[str, Series]]]:
    """The types in force and the series read for them, by uid of the twin."""
    stretches = {t.uid: _type_stretches(sources.registry, t, start, end) for t in twins}
    definitions: dict[Pair, SignalDefinition] = {}
    for twin in twins:
        for _, _, machine_type in stretches[twin.uid]:
            definitions.update(_wanted(twin, machine_type, parts=parts))
    by_twin: dict[str, dict[str, Series]] = {t.uid: {} for t in twins}
    for (uid, name), found in (read_series(sources, definitions, start, end) if end > start else {}).items():
        by_twin[uid][name] = found
    return stretches, by_twin


def _type_stretches(
    registry: Registry, twin: Twin, start: int, end: int
) -> list[Stretch]:  # fmt: skip
    bounds = {start, end}
    for entry in twin.type:
        bounds.update(at for at in (entry.start, entry.end) if at is not None and start < at < end)
    edges = sorted(bounds)
    return [(a, b, registry.type_at(twin, a)) for a, b in itertools.pairwise(edges)]


def _wanted(twin: Twin, machine_type: MachineType | None, *, parts: bool) -> dict[Pair, SignalDefinition]:
    if machine_type is None:
        return {}
    names = list(signals_needed(machine_type.states)) if machine_type.states else []
    production = machine_type.production
    if parts and production:
        names += [n for n in (production.total, production.good, production.scrap, production.product) if n]
    definitions = {s.name: s for s in machine_type.signals}
    return {(twin.uid, name): definitions.get(name, SignalDefinition(name, "text")) for name in names}


def _segment(
    start: int, end: int, machine_type: MachineType | None, series: Mapping[str, Series], gaps: Sequence[Gap]
) -> Segment:
    if machine_type is None:
        return Segment(start, end, None, unknown(start, end, "no-mapping"), {})
    return Segment(start, end, machine_type, derive_states(machine_type, series, gaps, start, end), series)


def read_series(
    sources: Sources, definitions: Mapping[Pair, SignalDefinition], start: int, end: int
) -> dict[Pair, Series]:
    """Observations of [start, end) with what still counted before it: the last value, all of an active condition."""
    series = sources.history.many_series(list(definitions), start, end, before=True, cut=sources.cut)
    conditions = [pair for pair, d in definitions.items() if d.type == "condition"]
    return {**series, **read_conditions(sources, conditions, series, start, end)}


def read_conditions(
    sources: Sources, pairs: Sequence[Pair], series: Mapping[Pair, Series], start: int, end: int
) -> dict[Pair, Series]:
    """Condition series that begin with everything that may still have been active at ``start``.

    The last observation before ``start`` tells of one entry only; the set is known from the last one that cleared it.
    """
    found: dict[Pair, Series] = {}
    left = [p for p in pairs if not _begins_clear(series[p], start)]
    for window in _LOOK_BACK:
        if not left:
            break
        earlier = max(EARLIEST, start - window)
        read = sources.history.many_series(left, earlier, end, before=True, cut=sources.cut)
        found.update(read)
        left = [p for p in left if not _begins_clear(read[p], start, earlier)]
    return found


def _begins_clear(series: Series, start: int, earliest: int | None = None) -> bool:
    """Whether the set that was active at ``start`` follows from this series alone."""
    if not len(series) or int(series.time[0]) >= (start if earliest is None else earliest):
        return True  # nothing was said before the range that was read
    for at, text, quality in zip(series.time.tolist(), series.text or [], series.quality.tolist(), strict=False):
        if at >= start:
            return False
        entry = parse_condition(text) if text is not None and quality != Quality.BAD else None
        if entry is None or entry.level == "unavailable" or (entry.level == "normal" and not entry.native_code):
            return True
    return False
