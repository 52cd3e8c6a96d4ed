"""Build a line's model from its twins: what their signals, counters and states measured; what is assumed is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from servitwin.domain.calendar import Calendar
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR, NS, format_instant
from servitwin.domain.line_fit import cycles, fitted_stop, lots, stops_in
from servitwin.domain.line_model import (
    EXIT,
    WEEK_S,
    LineModel,
    Route,
    Source,
    Station,
    Stop,
    StopKind,
    check_line,
    measured,
)
from servitwin.domain.machine_type import MachineType
from servitwin.domain.oee_counter import Parts
from servitwin.domain.state_time import State, StateInterval, totals
from servitwin.domain.twin import Twin
from servitwin.usecases.line_time import stations as stations_of
from servitwin.usecases.machine_time import MachineTime, Sources, calendar_name, machines_below, read_machines
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

SHORTEST = DAY
FEWEST_PARTS = 100
LONG_PAST = 365 * DAY
_LINE_KINDS = ("line", "factory")


class BuiltLine(msgspec.Struct, frozen=True):
    """A model, and what history measured in the part that was kept back from it.

    Attributes:
        start, end: of the history that the model was built from; ``kept_back`` up to ``until`` is judged.
        measured: figures of [end, until), by their names in :class:`servitwin.domain.line_result.LineRun`.
        week_s: second of the line's local week at ``end``.
    """

    model: LineModel
    start: int
    end: int
    until: int
    measured: dict[str, float]
    week_s: float


class _Group(msgspec.Struct):
    """Machines of one type and one calendar: a station."""

    id: str
    type: MachineType
    calendar: str
    machines: list[MachineTime]
    long: list[MachineTime]
    stage: int = 0


class BuildLineModel:
    """Reads the machines of a line and says how they can be simulated."""

    def __init__(self, history: HistoryReader, registry: Registry, records: Records) -> None:
        self._history, self._registry, self._records = history, registry, records

    def build(
        self,
        line: Twin,
        start: int,
        end: int,
        *,
        order: Sequence[str] = (),
        keep_back: float = 0.0,
        failures_since: int | None = None,
    ) -> BuiltLine:
        """The model of a line from [start, end) ns.

        Args:
            line: a line or factory; its machines of one type and calendar are a station.
            start: from here on cycles, set-ups, pauses and scrap are taken.
            end: until here.
            failures_since: failures are looked for from here on, for they are rare; None: a year before ``end``.
            order: names of machine types in the order in which parts pass them; else as the twins were made.
            keep_back: last share of the time that the model is not built from, but judged by.

        Raises:
            InvalidInputError: ``line:not-a-line``, ``line:no-machines``, ``line:order``, ``line:history-too-short``
                for every station at once.
        """
        split = int(end - (end - start) * keep_back)
        cut = self._history.cut()
        sources = Sources(self._history, self._registry, self._records, cut)
        since = split - LONG_PAST if failures_since is None else failures_since
        groups = self._groups(sources, line, start, split, order, max(0, min(start, since)))
        told: list[str] = []
        faults: list[Fault] = []
        stations: list[Station] = []
        products: list[tuple[tuple[str, int], ...]] = []
        last = max(g.stage for g in groups)
        for group in groups:
            before = [g for g in groups if g.stage == group.stage - 1]
            station, made, fault = self._station(group, last, before, sources, start, split, told)
            products.append(made)
            stations.append(msgspec.structs.replace(station, routes=_routes(groups, group)))
            if fault is not None:
                faults.append(fault)
        if faults:
            raise InvalidInputError(faults)
        told.append("Blanks are always there, but for the time in which the first stations waited for supply")
        entries = [(g, lot) for g, lot in zip(groups, products, strict=True) if g.stage == 0]
        model = LineModel(
            line.id,
            tuple(stations),
            tuple(Source(g.id, None, lot) for g, lot in entries),
            line.title,
            tuple(told),
            f"Built from {line.id}, {format_instant(start)} to {format_instant(split)}",
        )
        faults = check_line(model)
        if faults:
            raise InvalidInputError(faults)
        judged = self._measured(sources, groups, split, end) if end > split else {}
        calendar = self._registry.calendar(calendar_name(self._registry, line, split))
        return BuiltLine(model, start, split, end, judged, _second_of_week(split, calendar))

    # stations ---------------------------------------------------------------------------------------------------
    def _groups(
        self, sources: Sources, line: Twin, start: int, end: int, order: Sequence[str], since: int
    ) -> list[_Group]:
        if line.kind not in _LINE_KINDS:
            hint = "Name a twin of the kind line, with its machines below it"
            raise InvalidInputError(Fault("line:not-a-line", f"{line.id} is a {line.kind}", hint, "twin"))
        machines = sorted(machines_below(self._registry, line, end), key=lambda t: t.uid)
        recent = read_machines(sources, machines, start, end, parts=True)
        long = read_machines(sources, machines, since, end)
        types = stations_of(self._registry, recent.values(), end)
        if not types:
            hint = "Its machines need a type with `states` and `production`"
            raise InvalidInputError(Fault("line:no-machines", f"No machine of {line.id} makes parts", hint, "twin"))
        unknown = sorted({*order} ^ {*types}) if order else []
        if unknown:
            hint = f"Name each of {', '.join(types)} once, in the order in which parts pass them"
            said = f"The order is wrong about {', '.join(unknown)}"
            raise InvalidInputError(Fault("line:order", said, hint, "order"))
        groups: dict[tuple[str, str], _Group] = {}
        for name, members in types.items():
            for machine in members:
                calendar = calendar_name(self._registry, machine.twin, end)
                machine_type = self._registry.type_at(machine.twin, end)
                assert machine_type is not None  # `stations_of` asked it
                key = name, calendar
                if key not in groups:
                    id = name if not any(n == name for n, _ in groups) else f"{name}-{calendar}"
                    stage = list(order or types).index(name)
                    groups[key] = _Group(id, machine_type, calendar, [], [], stage)
                groups[key].machines.append(machine)
                groups[key].long.append(long[machine.twin.uid])
        return sorted(groups.values(), key=lambda g: g.stage)

    def _station(
        self,
        group: _Group,
        last: int,
        before: Sequence[_Group],
        sources: Sources,
        start: int,
        end: int,
        told: list[str],
    ) -> tuple[Station, tuple[tuple[str, int], ...], Fault | None]:
        kinds: list[StopKind] = ["setup", "pause"]
        kinds += ["supply"] if group.stage == 0 else []
        kinds += ["removal"] if group.stage == last else []
        recent = [stops_in(m.intervals, kinds) for m in group.machines]
        rare = [stops_in(m.intervals, ["failure"]) for m in group.long]
        stops: list[Stop] = []
        for kind in ["failure", *kinds]:
            found, said = fitted_stop(kind, [r[kind] for r in (rare if kind == "failure" else recent)])
            told.append(f"{group.id}: {said}")
            if found is not None:
                stops.append(found)
        by_product: dict[str, list[float]] = {}
        made = scrapped = 0.0
        order: list[str] = []
        for machine in group.machines:
            for segment in machine.segments:
                parts = segment.parts()
                for product, seconds in cycles(parts, segment.intervals).items():
                    by_product.setdefault(product, []).extend(seconds)
                made += float(parts.made.amount.sum())
                scrapped += max(0.0, float(parts.made.amount.sum() - parts.good.amount.sum()))
                if not order:
                    order = [parts.product_at(t) for t in parts.made.since.tolist()]
        known = min(_known(m.intervals) for m in group.machines)
        fault = None
        if known < SHORTEST / NS or made < FEWEST_PARTS:
            said = f"{group.id}: {known / 3600:.1f} h with a known state and {made:.0f} parts are too short a history"
            hint = f"A model needs {SHORTEST // HOUR} h and {FEWEST_PARTS} parts of each station"
            fault = Fault("line:history-too-short", said, hint, "from")
        every = [v for seconds in by_product.values() for v in seconds] or [1.0]
        named = {p: v for p, v in by_product.items() if p and len(v) >= ENOUGH_OF_PRODUCT}
        open, note = _open(self._registry.calendar(group.calendar) if group.calendar else None)
        if note:
            told.append(f"{group.id}: {note}")
        places = None
        if group.stage > 0:
            places, note = self._places(sources, group, before, start, end)
            told.append(f"{group.id}: {note}")
        station = Station(
            group.id,
            measured(every, f"{len(every)} parts measured"),
            group.type.title,
            len(group.machines),
            {p: measured(v, f"{len(v)} parts measured") for p, v in named.items()} if len(named) > 1 else {},
            places,
            tuple(stops),
            None,
            scrapped / made if made else 0.0,
            (Route(),),
            open,
            tuple(m.twin.id for m in group.machines),
        )
        return station, lots([p for p in order if p]) if len(named) > 1 else (), fault

    def _places(
        self, sources: Sources, group: _Group, before: Sequence[_Group], start: int, end: int
    ) -> tuple[int, str]:
        """Places before a station: the buffers that its type and those before it declare, or the most ever seen."""
        wanted = [(m.twin.uid, s) for m in group.machines for s in _buffers(group.type, out=False)]
        wanted += [(m.twin.uid, s) for g in before for m in g.machines for s in _buffers(g.type, out=True)]
        if not wanted:
            return (
                10,
                "no buffer is declared before it (a number signal buffer.in or, before it, buffer.out): 10 assumed",
            )
        whole = end - start
        found = sources.history.downsample(wanted, start, end, whole, ["max"], sources.cut)
        sum_of = 0
        ranges = {s.name: s.range for g in (group, *before) for s in g.type.signals}
        for uid, name in wanted:
            buckets = found.get((uid, name), {}).get("max", [])
            seen = max((b.value for b in buckets if b.value is not None), default=0.0)
            limit = ranges.get(name)
            sum_of += int(max(seen, limit[1] if limit else 0.0))
        return sum_of, f"{sum_of} places before it: the declared range of {len(wanted)} buffers, or the most seen in it"

    # what is measured in the time kept back -----------------------------------------------------------------------
    def _measured(self, sources: Sources, groups: Sequence[_Group], start: int, end: int) -> dict[str, float]:
        found: dict[str, float] = {}
        hours = (end - start) / NS / 3600
        last = max(g.stage for g in groups)
        good = 0.0
        for group in groups:
            twins = [m.twin for m in group.machines]
            machines = read_machines(sources, twins, start, end, parts=True)
            made = 0.0
            known = failed = 0
            for machine in machines.values():
                sums = totals(machine.intervals)
                failed += sums.get(State.FAILED, 0) + sums.get(State.REPAIR, 0)
                known += end - start - sums.get(State.UNKNOWN, 0) - sums.get(State.OFF, 0)
                for segment in machine.segments:
                    parts: Parts = segment.parts()
                    made += float(parts.made.amount.sum())
                    good += float(parts.good.amount.sum()) if group.stage == last else 0.0
            found[f"{group.id}.made"] = made
            if known > 0:
                found[f"{group.id}.availability"] = 1.0 - failed / known
            if group.stage > 0:
                waiting = self._waiting(sources, group, [g for g in groups if g.stage == group.stage - 1], start, end)
                if waiting is not None:
                    found[f"{group.id}.waiting"] = waiting
        found["parts_per_hour"] = good / hours
        return found

    def _waiting(self, sources: Sources, group: _Group, before: Sequence[_Group], start: int, end: int) -> float | None:
        wanted = [(m.twin.uid, s) for m in group.machines for s in _buffers(group.type, out=False)]
        wanted += [(m.twin.uid, s) for g in before for m in g.machines for s in _buffers(g.type, out=True)]
        if not wanted:
            return None
        means = sources.history.downsample(wanted, start, end, end - start, ["tw_mean"], sources.cut)
        values = [b.value for p in wanted for b in means.get(p, {}).get("tw_mean", [])]
        return sum(v for v in values if v is not None) if values else None


ENOUGH_OF_PRODUCT = 20


def _routes(groups: Sequence[_Group], group: _Group) -> tuple[Route, ...]:
    """To the next stage, shared by machines; the last one sends parts out."""
    following = [g for g in groups if g.stage == group.stage + 1]
    if not following:
        return (Route(EXIT),)
    whole = sum(len(g.machines) for g in following)
    return tuple(Route(g.id, len(g.machines) / whole) for g in following)


def _buffers(machine_type: MachineType, *, out: bool) -> list[str]:
    """Number signals ``buffer.*``: those that end in ``.out`` lie behind a machine, the others before it."""
    names = [s.name for s in machine_type.signals if s.name.startswith("buffer.") and s.type == "number"]
    return [n for n in names if n.endswith(".out") == out]


def _known(intervals: Sequence[StateInterval]) -> float:
    """Seconds of known state."""
    return sum(i.duration for i in intervals if i.state is not State.UNKNOWN) / NS


def _open(calendar: Calendar | None) -> tuple[tuple[tuple[float, float], ...], str]:
    """A calendar's usual week in seconds from Monday; nothing where it is open all week."""
    if calendar is None:
        return (), "no calendar: taken as always open"
    spans: list[tuple[float, float]] = []
    for shift in calendar.shifts:
        for day in shift.days:
            at = float(shift.start)
            for begin, over in (*sorted(shift.breaks), (shift.end, shift.end)):
                if begin > at:
                    spans += _in_week(day * 1440.0 + at, day * 1440.0 + begin)
                at = float(over)
    joined: list[tuple[float, float]] = []
    for a, b in sorted(spans):
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], b))
        else:
            joined.append((a, b))
    if joined == [(0.0, WEEK_S)]:
        return (), ""
    note = f"open as calendar {calendar.name} says"
    return tuple(joined), note + (", its closed days left out" if calendar.closed else "")


def _in_week(begin: float, end: float) -> list[tuple[float, float]]:
    """Minutes from Monday as seconds within the week; what goes beyond Sunday begins it."""
    a, b = begin * 60, end * 60
    if b <= WEEK_S:
        return [(a, b)]
    return [*([(a, WEEK_S)] if a < WEEK_S else []), (max(0.0, a - WEEK_S), b - WEEK_S)]


def _second_of_week(at: int, calendar: Calendar | None) -> float:
    """Local second from Monday 00:00 in the calendar's time zone (UTC without one)."""
    zone = ZoneInfo(calendar.time_zone) if calendar is not None else UTC
    local = datetime.fromtimestamp(at // NS, UTC).astimezone(zone)
    return local.weekday() * 86400.0 + local.hour * 3600 + local.minute * 60 + local.second
