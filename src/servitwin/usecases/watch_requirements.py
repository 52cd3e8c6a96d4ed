"""Watch the requirements of all machines as data come in: verdicts at once, again where data came late."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from servitwin.domain.error import InvalidInputError, ServitwinError
from servitwin.domain.formula.tree import STATE, reach, signals_of
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
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.monitor.trace import SignalTrace
from servitwin.proof.monitor.trace_of import signal_trace, since, state_trace
from servitwin.proof.violations import Change, Violations
from servitwin.usecases.keep_cases import KeepCases
from servitwin.usecases.machine_time import GROUPS, Sources, read_series
from servitwin.usecases.monitor_places import SavedTwin, SavedWatch, decode_cut, decode_place, monitor_of
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import Demand, RequirementSet

log = logging.getLogger("servitwin.requirements")
LATENESS = 3 * NS
_SAVE_EVERY = MINUTE
_MINUTES_KEPT, _HOURS_KEPT = 15 * MINUTE, 48 * HOUR
_LONGEST_STEP = 10 * MINUTE  # a node that was off catches up in such steps
_STEPS_AT_ONCE = 50  # then what was reached is kept, and whoever stops the node need not wait for the rest


@dataclass(slots=True)
class _Watch:
    demand: Demand
    monitor: OnlineMonitor
    violations: Violations
    since: int  # from when on it is demanded


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
    gaps: list[Gap] = field(default_factory=list)
    fresh: bool = False  # not kept as it is watched now
    found: dict[str, set[int]] = field(default_factory=dict)  # while it is judged again: ``first`` of violations


class WatchRequirements:
    """One online monitor for each requirement of each machine; call :meth:`advance` every few seconds.

    Findings are kept before the monitors' place is: after a crash a monitor goes on from before, finds the same
    again, and whoever keeps findings knows them (decision 0150).
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
        if not wanted and not self._twins:
            return 0
        cut = self._history.cut()
        watermark = (now - LATENESS) // NS * NS
        late = self._open(wanted, watermark, now)
        if self._cut:
            for uid, (earliest, _) in self._history.changed_since(self._cut).items():
                late[uid] = min(earliest, late.get(uid, earliest))
        self._regard_gaps(late, now)
        for uid, earliest in late.items():
            held = self._twins.get(uid)
            if held is not None and earliest < held.watermark:
                self._again(held, earliest, now, cut)
        for _ in range(_STEPS_AT_ONCE):
            behind = min((t.watermark for t in self._twins.values()), default=watermark)
            until = min(watermark, behind + _LONGEST_STEP)
            due = [t for t in self._twins.values() if t.watermark < until]
            if not due:
                break
            self._step(due, until, cut, now)
        self._cut = cut
        self._save([t for t in self._twins.values() if t.fresh or t.watermark - t.saved >= _SAVE_EVERY], cut)
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

    def _open(self, wanted: Mapping[str, list[Demand]], watermark: int, now: int) -> dict[str, int]:
        """Begin with new twins and requirements, leave those that are gone.

        Returns of twins that go on from where they were kept the earliest time of what came since.
        """
        late: dict[str, int] = {}
        for uid in [u for u in self._twins if u not in wanted]:
            gone = self._twins.pop(uid)
            self._leave(gone.twin, self._body(gone), {}, now)
        fresh = [u for u, demands in wanted.items() if not self._is_current(u, demands, now)]
        saved = self._records.monitors_at(now, fresh) if fresh else {}
        for uid in fresh:
            twin = self._registry.by_uid(uid)
            assert twin is not None
            held = self._twins.get(uid)
            # Where a requirement came, went or changed, the others go on.
            body = self._body(held) if held is not None else decode_place(saved[uid][2]) if uid in saved else None
            if body is not None:
                if held is None and (earliest := self._came_since(uid, decode_cut(saved[uid][1]))) is not None:
                    late[uid] = earliest
                same = body.type == (twin.type_at(now) or "")
                self._leave(twin, body, {d.name: d.digest for d in wanted[uid]} if same else {}, now)
            self._twins[uid] = self._opened(twin, wanted[uid], body, watermark, now)
            self._twins[uid].fresh = True
        return late

    def _came_since(self, uid: str, cut: Cut) -> int | None:
        span = self._history.changed_since(cut).get(uid) if cut else None
        return None if span is None else span[0]

    def _leave(self, twin: Twin, body: SavedTwin, going_on: Mapping[str, str], now: int) -> None:
        """Violations of what is no longer demanded, or not like that, end where they were last seen.

        ``going_on``: digest of each requirement that is still watched, by name.
        """
        for name, watch in body.watches.items():
            if going_on.get(name) == watch.digest:
                continue
            signals = self._registry.signals(twin.uid, body.watermark)
            demand = Demand(name, watch.component, watch.requirement, signals)
            for violation in watch.violations.open:
                if not violation.over and demand.digest == watch.digest:
                    ended = msgspec.structs.replace(violation, over=True)
                    self._cases.take(twin, demand, Change("ended", ended), self._cut, now)

    def _regard_gaps(self, late: dict[str, int], now: int) -> None:
        """A gap that is declared, or taken back, for what was judged already is like data that came late."""
        declared = self._records.all_gaps()
        for uid, held in list(self._twins.items()):
            gaps = declared.get(uid, [])
            changed = {*gaps} ^ {*held.gaps}
            if not changed:
                continue
            earliest = min(g.start for g in changed)
            late[uid] = min(earliest, late.get(uid, earliest))
            if earliest >= held.watermark:
                demands = [w.demand for w in held.watches.values()]
                held.gaps = gaps
                self._twins[uid] = self._opened(held.twin, demands, self._body(held), held.watermark, now)

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
        # Gaps that were declared since a place was kept are regarded as late data; see _regard_gaps.
        held.gaps = self._records.gaps(twin.uid) if body is None else body.gaps
        if body is not None:
            held.rows, held.followed, held.begun = body.rows, body.followed, True
        signals = self._registry.signals(twin.uid, now)
        for demand in demands:
            old = body.watches.get(demand.name) if body is not None else None
            kept = old if old is not None and old.digest == demand.digest else None
            names = signals_of(demand.formula) if demand.formula is not None else ()
            what = f"{demand.name} on {twin.id}"
            try:
                monitor = monitor_of(demand, signals, begin, kept.monitor if kept else None)
                self.failures.pop(what, None)
            except InvalidInputError as e:
                self.failures[what] = str(e)
                if kept is None:
                    continue
                # Another version kept it: what it still waited for is lost, what comes is watched.
                monitor, kept = monitor_of(demand, signals, begin, None), None
            demanded = kept.since if kept else begin
            held.watches[demand.name] = _Watch(demand, monitor, kept.violations if kept else Violations(), demanded)
            held.definitions.update({n: signals[n] for n in names if n in signals})
        machine_type = self._registry.type_at(twin, now)
        if machine_type is not None and machine_type.states is not None and self._reads_state(held):
            held.follower = StateFollower(machine_type, held.gaps, held.followed, begin)
            known = {s.name: s for s in machine_type.signals}
            needed = signals_needed(machine_type.states)
            held.definitions.update({n: known.get(n) or SignalDefinition(n, "text") for n in needed})
        held.definitions[CONNECTION] = SignalDefinition(CONNECTION, "text")
        if any(name not in held.rows for name in held.definitions):
            held.begun = False  # a signal that was not read until now: what held before has to be read first
        return held

    @staticmethod
    def _reads_state(held: _Twin) -> bool:
        return any(STATE in signals_of(w.demand.formula) for w in held.watches.values() if w.demand.formula)

    # steps ------------------------------------------------------------------------------------------------------
    def _step(self, due: Sequence[_Twin], until: int, cut: Cut, now: int) -> bool:
        """Read what came for all twins, those that stand at one instant together, and let their monitors go on.

        Returns whether all could; whoever could not is left, and goes on from where it was kept last.
        """
        done = True
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
                except InvalidInputError as e:
                    if self.failures.get(name) != str(e):
                        log.warning("requirements of %s: %s", name, e)
                    self.failures[name] = str(e)
                except ServitwinError:
                    # Its findings may not have been kept: it goes on from where it was kept last, and finds them again.
                    self._twins.pop(held.twin.uid, None)
                    raise
                except Exception as e:  # what one machine's data do to a monitor must not end the watch over the others
                    log.exception("requirements of %s cannot be judged; they are tried again", name)
                    self.failures[name] = f"{type(e).__name__}: {e}"
                    self._twins.pop(held.twin.uid, None)
                    done = False
                    continue
                held.watermark, held.begun = until, True
        return done

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
        samples = self._samples(held, start, until)
        if held.follower is not None:
            states = held.follower.advance(new, until)
            samples[STATE] = since(state_trace(states), start, until)
        batch = Batch(samples)  # read once for all requirements of the twin
        for watch in held.watches.values():
            pieces = [
                p if p.start >= watch.since else msgspec.structs.replace(p, start=watch.since)
                for p in watch.monitor.step(batch, until)
                if p.end > watch.since
            ]
            for change in watch.violations.take(pieces, watch.monitor.open_since):
                note = held.found.get(watch.demand.name, set())
                (note.discard if change.kind == "joined" else note.add)(change.violation.first)
                self._cases.take(held.twin, watch.demand, change, cut, now)
        # Of the signals that are read now: a requirement that is gone leaves rows of others behind.
        held.rows = {n: still_counting(d, held.rows[n], until) for n, d in held.definitions.items()}

    @staticmethod
    def _samples(held: _Twin, start: int, until: int) -> dict[str, SignalTrace]:
        connection = series_of(held.rows[CONNECTION], held.definitions[CONNECTION])
        offline = offline_spans(connection, until)
        declared = Spans.of((g.start, g.end) for g in held.gaps)
        read = {n for w in held.watches.values() if w.demand.formula for n in signals_of(w.demand.formula)}
        samples = {}
        for name in read & held.definitions.keys():
            definition = held.definitions[name]
            trace = signal_trace(series_of(held.rows[name], definition), definition, declared, offline, until)
            samples[name] = since(trace, start, until)
        return samples

    def _again(self, held: _Twin, earliest: int, now: int, cut: Cut) -> None:
        """Data came late: go back to the last place before them, judge again, take back what no longer holds."""
        uid, reached = held.twin.uid, held.watermark
        saved = self._records.monitors_at(earliest, [uid]).get(uid)
        body = decode_place(saved[2]) if saved else None
        demands = [w.demand for w in held.watches.values()]
        if body is not None and body.type != held.type:
            body = None
        elif body is not None:
            body.gaps = self._records.gaps(uid)
        begin = body.watermark if body is not None else self._far_enough(held, earliest)
        again = self._opened(held.twin, demands, body, begin, now)
        again.since = held.since
        for name, watch in again.watches.items():
            watch.since = held.watches[name].since if name in held.watches else watch.since
        again.found = {name: {v.first for v in w.violations.open} for name, w in again.watches.items()}
        # What waited for data at that place is judged again as well: it began before it.
        first = {name: min(begin, w.monitor.open_since or begin) for name, w in again.watches.items()}
        if body is None:  # what a monitor that begins there cannot know of yet stays as it was found
            first = {name: max(begin, earliest - _ahead(w)) for name, w in again.watches.items()}
        first = {name: max(at, again.watches[name].since) for name, at in first.items()}  # not demanded before
        while again.watermark < reached:
            if not self._step([again], min(reached, again.watermark + _LONGEST_STEP), cut, now):
                return
        for name, watch in again.watches.items():
            self._cases.withdraw_missing(held.twin, watch.demand, first[name], reached, again.found[name], now)
        again.found = {}
        self._records.forget_monitors(uid, earliest)
        self._twins[uid] = again
        self._save([again], cut)

    @staticmethod
    def _far_enough(held: _Twin, earliest: int) -> int:
        """Where monitors have to begin to know all that a verdict needs which data of that time may change."""
        begin = earliest
        for watch in held.watches.values():
            past = reach(watch.demand.formula)[0] if watch.demand.formula is not None else 0
            if past is None:
                return held.since
            begin = min(begin, earliest - _ahead(watch) - past)
        return max(held.since, begin)

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
            t.saved, t.fresh = t.watermark, False

    @staticmethod
    def _body(held: _Twin) -> SavedTwin:
        watches = {
            n: SavedWatch(
                w.demand.digest, w.monitor.snapshot(), w.violations, w.since, w.demand.requirement, w.demand.component
            )
            for n, w in held.watches.items()
        }
        return SavedTwin(held.watermark, held.since, held.type, held.rows, held.followed, watches, held.gaps)


def _ahead(watch: _Watch) -> int:
    """Nanoseconds by which a verdict may wait for what comes."""
    return reach(watch.demand.formula)[1] if watch.demand.formula is not None else 0
