"""Watch the requirements of all machines as data come in: verdicts at once, again where data came late."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from servitwin.domain.error import InvalidInputError, ServitwinError
from servitwin.domain.formula.tree import STATE, signals_of
from servitwin.domain.instant import HOUR, MINUTE, NS
from servitwin.domain.observation import CONNECTION, Cut, Observation, Series
from servitwin.domain.requirement import Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.state_time_derive import signals_needed
from servitwin.domain.state_time_follow import Followed, StateFollower, still_counting
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import observations_of, offline_spans, series_of
from servitwin.domain.twin import Twin
from servitwin.proof.monitor.batch import Batch
from servitwin.proof.monitor.feed import SignalSettings
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.trace_of import signal_trace, state_trace
from servitwin.proof.violations import Violations
from servitwin.usecases.keep_cases import KeepCases
from servitwin.usecases.machine_time import GROUPS, Sources, read_series
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import Demand, RequirementSet

log = logging.getLogger("servitwin.requirements")
LATENESS = 3 * NS
_SAVE_EVERY = MINUTE
_MINUTES_KEPT, _HOURS_KEPT = 15 * MINUTE, 48 * HOUR
_LONGEST_STEP = 10 * MINUTE  # a node that was off catches up in such steps


class SavedWatch(msgspec.Struct):
    """Where one requirement's monitor stands."""

    digest: str
    monitor: bytes
    violations: Violations


class SavedTwin(msgspec.Struct):
    """Where the monitors of one twin stand: what was observed that still counts, and each monitor."""

    watermark: int
    since: int
    type: str
    rows: dict[str, list[Observation]]
    followed: Followed
    watches: dict[str, SavedWatch]


@dataclass(slots=True)
class _Watch:
    demand: Demand
    monitor: OnlineMonitor
    violations: Violations


@dataclass(slots=True)
class _Twin:
    twin: Twin
    type: str
    since: int
    watermark: int
    definitions: dict[str, SignalDefinition]
    watches: dict[str, _Watch]
    rows: dict[str, list[Observation]] = field(default_factory=dict)
    followed: Followed = field(default_factory=Followed)
    follower: StateFollower | None = None
    saved: int = 0
    begun: bool = False
    found: dict[str, set[int]] = field(default_factory=dict)  # while it is judged again: ``first`` of violations


class WatchRequirements:
    """One online monitor for each requirement of each machine; call :meth:`advance` every few seconds.

    Findings are kept before the monitors' place is: after a crash a monitor goes on from before, finds the same
    again, and whoever keeps findings knows them (decision 0121).
    """

    def __init__(
        self, history: HistoryReader, registry: Registry, records: Records, demands: RequirementSet, cases: KeepCases
    ) -> None:
        self._history = history
        self._registry = registry
        self._records = records
        self._demands = demands
        self._cases = cases
        self._twins: dict[str, _Twin] = {}
        self._cut: Cut = {}
        self.failures: dict[str, str] = {}

    def advance(self, now: int) -> int:
        """Bring every monitor up to ``now`` less the lateness; returns how many requirements are watched."""
        added = self._records.requirements()
        wanted = self._wanted(now, added)
        if not wanted:
            self._twins.clear()
            return 0
        cut = self._history.cut()
        watermark = (now - LATENESS) // NS * NS
        self._open(wanted, watermark, now)
        if self._cut:
            for uid, (earliest, _) in self._history.changed_since(self._cut).items():
                held = self._twins.get(uid)
                if held is not None and earliest < held.watermark:
                    self._again(held, earliest, now, cut)
        while True:
            behind = min((t.watermark for t in self._twins.values()), default=watermark)
            until = min(watermark, behind + _LONGEST_STEP)
            due = [t for t in self._twins.values() if t.watermark < until]
            if not due:
                break
            self._step(due, until, cut, now)
        self._cut = cut
        self._save([t for t in self._twins.values() if t.watermark - t.saved >= _SAVE_EVERY], cut)
        return sum(len(t.watches) for t in self._twins.values())

    def close(self) -> None:
        """Keep where every monitor stands, for the next start."""
        self._save(list(self._twins.values()), self._cut)

    # which twins and requirements -------------------------------------------------------------------------------
    def _wanted(self, now: int, added: Mapping[str, list[Requirement]]) -> dict[str, list[Demand]]:
        wanted = {}
        for twin in self._registry.twins():
            if twin.kind in GROUPS:
                continue
            demands = [d for d in self._demands.of(twin, now, added) if d.formula is not None]
            if demands:
                wanted[twin.uid] = demands
        return wanted

    def _open(self, wanted: Mapping[str, list[Demand]], watermark: int, now: int) -> None:
        """Begin with new twins and requirements, leave those that are gone."""
        for uid in [u for u in self._twins if u not in wanted]:
            del self._twins[uid]
        fresh = [u for u, demands in wanted.items() if not self._is_current(u, demands, now)]
        saved = self._records.monitors_at(now, fresh) if fresh else {}
        for uid in fresh:
            twin = self._registry.by_uid(uid)
            assert twin is not None
            held = self._twins.get(uid)
            kept = _decode(saved[uid][2]) if uid in saved else None
            # Where a requirement came, went or changed, the others go on.
            body = kept if held is None else self._body(held)
            self._twins[uid] = self._opened(twin, wanted[uid], body, watermark, now)

    def _is_current(self, uid: str, demands: Sequence[Demand], now: int) -> bool:
        held = self._twins.get(uid)
        twin = self._registry.by_uid(uid)
        if held is None or twin is None or held.type != (twin.type_at(now) or ""):
            return False
        return {n: w.demand.digest for n, w in held.watches.items()} == {d.name: d.digest for d in demands}

    def _opened(
        self, twin: Twin, demands: Sequence[Demand], body: SavedTwin | None, watermark: int, now: int
    ) -> _Twin:  # fmt: skip
        reference = twin.type_at(now) or ""
        if body is not None and body.type != reference:
            body = None
        since = watermark if body is None else body.since
        begin = watermark if body is None else body.watermark
        held = _Twin(twin, reference, since, begin, {}, {}, saved=begin)
        if body is not None:
            held.rows, held.followed, held.begun = body.rows, body.followed, True
        signals = self._registry.signals(twin.uid, now)
        for demand in demands:
            old = body.watches.get(demand.name) if body is not None else None
            kept = old if old is not None and old.digest == demand.digest else None
            names = signals_of(demand.formula) if demand.formula is not None else ()
            try:
                monitor = self._monitor(demand, signals, begin, kept.monitor if kept else None)
            except InvalidInputError as e:
                self.failures[f"{demand.name} on {twin.id}"] = str(e)
                continue
            held.watches[demand.name] = _Watch(demand, monitor, kept.violations if kept else Violations())
            held.definitions.update({n: signals[n] for n in names if n in signals})
        machine_type = self._registry.type_at(twin, now)
        if machine_type is not None and machine_type.states is not None and self._reads_state(held):
            held.follower = StateFollower(machine_type, self._records.gaps(twin.uid), held.followed, begin)
            known = {s.name: s for s in machine_type.signals}
            needed = signals_needed(machine_type.states)
            held.definitions.update({n: known.get(n) or SignalDefinition(n, "text") for n in needed})
        held.definitions[CONNECTION] = SignalDefinition(CONNECTION, "text")
        if any(name not in held.rows for name in held.definitions):
            held.begun = False  # a signal that was not read until now: what held before has to be read first
        return held

    @staticmethod
    def _monitor(
        demand: Demand, signals: Mapping[str, SignalDefinition], start: int, snapshot: bytes | None
    ) -> OnlineMonitor:  # fmt: skip
        assert demand.formula is not None
        settings = {STATE: SignalSettings()}
        for name in signals_of(demand.formula):
            if name in signals:
                settings[name] = SignalSettings(signals[name].accuracy or 0.0)  # staleness is told by the trace
        return OnlineMonitor(demand.formula, settings, start, snapshot)

    @staticmethod
    def _reads_state(held: _Twin) -> bool:
        return any(STATE in signals_of(w.demand.formula) for w in held.watches.values() if w.demand.formula)

    # steps ------------------------------------------------------------------------------------------------------
    def _step(self, due: Sequence[_Twin], until: int, cut: Cut, now: int) -> None:
        """Read what came for all twins, those that stand at one instant together, and let their monitors go on."""
        groups: dict[tuple[int, bool], list[_Twin]] = {}
        for held in due:
            groups.setdefault((held.watermark, held.begun), []).append(held)
        sources = Sources(self._history, self._registry, self._records, cut)
        for (start, begun), twins in groups.items():
            pairs = {(t.twin.uid, name): d for t in twins for name, d in t.definitions.items()}
            if begun:
                series = self._history.many_series(list(pairs), start, until, cut=cut)
            else:
                series = read_series(sources, pairs, start, until)
            for held in twins:
                fresh = {n: series[held.twin.uid, n] for n in held.definitions if (held.twin.uid, n) in series}
                name = held.twin.id
                try:
                    self._one(held, fresh, until, cut, now)
                    self.failures.pop(name, None)
                except ServitwinError as e:
                    if self.failures.get(name) != str(e):
                        log.warning("requirements of %s: %s", name, e)
                    self.failures[name] = str(e)
                held.watermark, held.begun = until, True

    def _one(self, held: _Twin, fresh: Mapping[str, Series], until: int, cut: Cut, now: int) -> None:
        start = held.watermark
        new = {
            name: [o for o in observations_of(s) if not held.begun or o.time >= start]
            for name, s in fresh.items()
            if len(s)
        }
        if not held.begun:
            held.rows = {}
        for name, rows in new.items():
            held.rows[name] = [*held.rows.get(name, ()), *rows]
        for name in held.definitions:
            held.rows.setdefault(name, [])
        gaps = self._records.gaps(held.twin.uid)
        samples = self._samples(held, gaps, start, until)
        if held.follower is not None:
            states = held.follower.advance(new, until)
            samples[STATE] = _since(state_trace(states), start, until)
        batch = Batch(samples)  # read once for all requirements of the twin
        for watch in held.watches.values():
            pieces = watch.monitor.step(batch, until)
            for change in watch.violations.take(pieces, watch.monitor.open_since):
                note = held.found.get(watch.demand.name, set())
                (note.discard if change.kind == "joined" else note.add)(change.violation.first)
                self._cases.take(held.twin, watch.demand, change, cut, now)
        held.rows = {n: still_counting(held.definitions[n], rows, until) for n, rows in held.rows.items()}

    @staticmethod
    def _samples(held: _Twin, gaps: Sequence[Gap], start: int, until: int) -> dict[str, SignalTrace]:
        connection = series_of(held.rows[CONNECTION], held.definitions[CONNECTION])
        offline = offline_spans(connection, until)
        declared = Spans.of((g.start, g.end) for g in gaps)
        read = {n for w in held.watches.values() if w.demand.formula for n in signals_of(w.demand.formula)}
        samples = {}
        for name in read & held.definitions.keys():
            definition = held.definitions[name]
            trace = signal_trace(series_of(held.rows[name], definition), definition, declared, offline, until)
            samples[name] = _since(trace, start, until)
        return samples

    def _again(self, held: _Twin, earliest: int, now: int, cut: Cut) -> None:
        """Data came late: go back to the last place before them, judge again, take back what no longer holds."""
        uid, reached = held.twin.uid, held.watermark
        saved = self._records.monitors_at(earliest, [uid]).get(uid)
        self._records.forget_monitors(uid, earliest)
        body = _decode(saved[2]) if saved else None
        if body is not None and body.type == held.type:
            begin = body.watermark
        else:
            body, begin = None, max(held.since, earliest - HOUR)
        demands = [w.demand for w in held.watches.values()]
        again = self._opened(held.twin, demands, body, begin, now)
        again.since = held.since
        again.found = {name: {v.first for v in w.violations.open} for name, w in again.watches.items()}
        while again.watermark < reached:
            self._step([again], min(reached, again.watermark + _LONGEST_STEP), cut, now)
        for name, watch in again.watches.items():
            self._cases.withdraw_missing(held.twin, watch.demand, begin, reached, again.found[name], now)
        again.found = {}
        self._twins[uid] = again

    # places -----------------------------------------------------------------------------------------------------
    def _save(self, twins: Sequence[_Twin], cut: Cut) -> None:
        if not twins:
            return
        text = msgspec.json.encode(cut).decode()
        rows = [(t.twin.uid, t.watermark, text, msgspec.msgpack.encode(self._body(t))) for t in twins]
        latest = max(t.watermark for t in twins)
        hour = (latest - _MINUTES_KEPT) // HOUR * HOUR
        forget = [(hour - HOUR, hour), (0, hour - _HOURS_KEPT)]
        self._records.save_monitors(rows, forget)
        for t in twins:
            t.saved = t.watermark

    @staticmethod
    def _body(held: _Twin) -> SavedTwin:
        watches = {
            n: SavedWatch(w.demand.digest, w.monitor.snapshot(), w.violations) for n, w in held.watches.items()
        }  # fmt: skip
        return SavedTwin(held.watermark, held.since, held.type, held.rows, held.followed, watches)


def _decode(body: bytes) -> SavedTwin | None:
    """A place that was kept; None if another version of servitwin wrote it."""
    try:
        return msgspec.msgpack.decode(body, type=SavedTwin)
    except msgspec.ValidationError:
        return None


def _since(trace: SignalTrace, start: int, until: int) -> SignalTrace:
    """What a trace says of [start, until): its samples there, and what held at ``start`` if it began before."""
    times = trace.times
    first = int(times.searchsorted(start, "left"))
    last = int(times.searchsorted(until, "left"))
    if first > 0 and (first == last or times[first] > start):
        times = times.copy()
        first -= 1
        times[first] = start
    inside = slice(first, last)
    return SignalTrace(times[inside], trace.values[inside], trace.known[inside], trace.accuracy, trace.words)
