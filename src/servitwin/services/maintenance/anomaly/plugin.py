"""Service anomaly: learns a machine from its first stretch, then says when it is not as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.anomaly.bins import Bins
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalyModel, AnomalySettings
from servitwin.domain.anomaly.series_bins import SeriesBinning, SeriesState
from servitwin.domain.anomaly.stretch import Stretch, Stretches, StretchState
from servitwin.domain.anomaly.unit_change import likely_units
from servitwin.domain.anomaly.watch import AnomalyWatch, WatchState
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE, parse_duration
from servitwin.domain.machine_change import MachineChange
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView
from servitwin.services.maintenance.anomaly.learning import LearningBins
from servitwin.services.maintenance.anomaly.told import finding_of, rounded
from servitwin.services.maintenance.anomaly.unjudged import Unjudged

NAMES = ("signals", "every", "learn", "regime", "settings", "learn_again")
CHANGES = ("repair", "type", "said")
WEEK = 7 * 24 * HOUR
MOST_BINS = 20_000
USUAL_BIN = 5 * MINUTE  # a week of it is 2 016 bins: 80 kB a step for eight signals


class Memory(msgspec.Struct):
    """What is kept between steps.

    ``version``: of the model that holds or is being learnt, from 1; ``because``: why it was learnt anew. ``changed``:
    instant of the last change of the machine that was regarded, ns UTC. ``learnt``: what was told of the model.
    """

    series: SeriesState = msgspec.field(default_factory=SeriesState)
    learning: LearningBins = msgspec.field(default_factory=LearningBins)
    model: AnomalyModel | None = None
    watch: WatchState | None = None
    stretches: StretchState = msgspec.field(default_factory=StretchState)
    version: int = 0
    because: str = ""
    changed: int | None = None
    unjudged: Unjudged = msgspec.field(default_factory=Unjudged)
    learnt: dict[str, Any] = msgspec.field(default_factory=dict)


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    faults = [
        Fault("anomaly:parameter-unknown", f"There is no parameter {n!r}", f"One of {', '.join(NAMES)}", n)
        for n in parameters
        if n not in NAMES
    ]
    for name, left_out in (("signals", "all"), ("settings", "none")):
        named = parameters.get(name)
        if named is not None and not _names_signals(named):
            hint = f"Give a list of different signal names, or leave it out for {left_out}"
            faults.append(Fault(f"anomaly:{name}-not-named", f"{name} is {named!r}", hint, name))
    regime = parameters.get("regime")
    if regime is not None and (not isinstance(regime, str) or not regime):
        faults.append(Fault("anomaly:regime-not-named", f"regime is {regime!r}", "Name one text signal", "regime"))
    again = parameters.get("learn_again", CHANGES)
    if not isinstance(again, list | tuple) or any(kind not in CHANGES for kind in again):
        hint = f"A list of {', '.join(CHANGES)}; leave it out for all of them"
        faults.append(Fault("anomaly:change-unknown", f"learn_again is {again!r}", hint, "learn_again"))
    spans = {}
    for name, usual in (("every", USUAL_BIN), ("learn", WEEK)):
        try:
            spans[name] = _span(parameters, name, usual)
        except InvalidInputError as e:
            faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, name))
    if len(spans) == 2:
        least = AnomalySettings(every=1).least
        bins = spans["learn"] // spans["every"] if spans["every"] > 0 else 0
        if not least <= bins <= MOST_BINS:
            message = f"learn holds {bins} bins of every"
            hint = f"From {least} to {MOST_BINS} bins: change learn or every"
            faults.append(Fault("anomaly:stretch-out-of-range", message, hint, "learn"))
    return faults


def _names_signals(named: object) -> bool:
    if not isinstance(named, list | tuple) or not named:
        return False
    return all(isinstance(s, str) and s for s in named) and len(set(named)) == len(named)


def _span(parameters: Parameters, name: str, usual: int) -> int:
    value = parameters.get(name)
    return usual if value is None else parse_duration(str(value))


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    memory = msgspec.msgpack.decode(snapshot, type=Memory) if snapshot else Memory()
    return Evaluator(view, parameters, memory)


class Evaluator:
    """Gathers bins until the stretch to learn from is whole; then judges each bin."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        known = {s.name: s for s in view.type.signals if s.type == "number"} if view.type else {}
        settings: tuple[str, ...] = tuple(parameters.get("settings") or ())
        judged = sorted(known.keys() - set(settings)) or sorted(known)  # how it is run is no fault of the machine
        self._signals = tuple(parameters.get("signals") or judged)
        self._units = {name: s.unit for name, s in known.items()}
        self._known = known
        kinds = parameters.get("learn_again", CHANGES)
        self._changes = sorted((c for c in view.changes if c.kind in kinds), key=lambda c: (c.at, c.id))
        self._regime: str | None = parameters.get("regime")
        self._settings = AnomalySettings(every=_span(parameters, "every", USUAL_BIN))
        self._needed = _span(parameters, "learn", WEEK) // self._settings.every
        holds = {n: known[n].reporting.max_gap if n in known else None for n in (*self._signals, *settings)}
        self._memory = memory
        judged_for, set_for = ({n: holds[n] for n in names} for names in (self._signals, settings))
        self._series = SeriesBinning(judged_for, self._settings.every, memory.series, set_for)
        self._watch, self._stretches = self._at_work()

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """What was learnt, and stretches that begin or are over, by the watermark."""
        outcome = Outcome()
        if not self._signals:
            return outcome
        for bins in self._series.take(batch.observations, self._regime, watermark):
            for change, part in self._pieces(bins):
                if change is not None:
                    self._begin_anew(change, outcome)
                rest: Bins | None = part
                while rest is not None and len(rest) and self._watch is None:
                    rest = self._learn(rest, outcome)
                if rest is not None and len(rest):
                    self._judge(rest, outcome)
        return outcome

    def _pieces(self, bins: Bins) -> Iterator[tuple[MachineChange | None, Bins]]:
        """Bins between changes of the machine, each piece with the change before it; a bin that holds one is dropped.

        Bins decide when a change is regarded, not steps: so it does not matter how the data are split.
        """
        every, change = self._settings.every, None
        seen = self._memory.changed
        for coming in self._changes:
            if seen is not None and coming.at <= seen:
                continue
            before = int(np.searchsorted(bins.number, coming.at // every))
            if before == len(bins):
                break
            yield change, bins.first(before)
            change = coming
            bins = bins.after(int(np.searchsorted(bins.number, -(-coming.at // every))))
        yield change, bins

    def _begin_anew(self, change: MachineChange, outcome: Outcome) -> None:
        """Forget what was learnt: from here on the machine is another one."""
        memory = self._memory
        memory.changed = change.at
        if self._stretches is not None:
            self._tell_all(self._stretches.ended(change.at), outcome)
        if memory.model is not None or memory.learning.count:
            memory.because = f"{change.kind}: {change.text}" if change.text else change.kind
        memory.model, memory.watch, memory.learning = None, None, LearningBins()
        memory.stretches, memory.unjudged, memory.learnt = StretchState(), Unjudged(), {}
        self._watch, self._stretches = None, None

    def snapshot(self) -> bytes:
        """What the next step needs."""
        if self._watch is not None and self._stretches is not None:
            self._memory.watch, self._memory.stretches = self._watch.state(), self._stretches.state()
        return msgspec.msgpack.encode(self._memory)

    def _at_work(self) -> tuple[AnomalyWatch | None, Stretches | None]:
        model = self._memory.model
        if model is None:
            return None, None
        return AnomalyWatch(model, self._memory.watch), Stretches(model, self._memory.stretches)

    def _judge(self, bins: Bins, outcome: Outcome) -> None:
        if self._watch is None or self._stretches is None:
            return
        scores = self._watch.judge(bins)
        done = 0
        for place in self._memory.unjudged.changes(scores, self._settings.least):
            self._tell_all(self._stretches.take(scores.between(done, place)), outcome)
            done = place
            if self._memory.unjudged.note(self._settings.least) is not None:
                self._tell_all(self._stretches.lost_sight(), outcome)
            if self._memory.learnt:  # empty where it was learnt by an earlier form of the service
                self._tell_model("learnt", self._with_note(), outcome)
        self._tell_all(self._stretches.take(scores.between(done, len(scores.why))), outcome)
        hours = float((~np.isnan(scores.score)).sum()) * self._settings.every / HOUR
        if hours:
            outcome.usage["machine_hours"] = outcome.usage.get("machine_hours", 0.0) + hours

    def _learn(self, bins: Bins, outcome: Outcome) -> Bins | None:
        """Add bins to the stretch, learn if it is whole; the bins that come after it."""
        memory, kept = self._memory, self._memory.learning
        every = self._settings.every
        if not kept.count:
            memory.version += 1
            begin = int(bins.number[0]) * every
            self._tell_model("learning", {"from": begin, "to": begin + self._needed * every}, outcome)
        count = min(self._needed - kept.count, len(bins))
        kept.add(bins.first(count))
        if kept.count < self._needed:
            return None
        whole, still = kept.bins(len(self._signals))
        told: dict[str, Any] = {"from": int(whole.number[0]) * every, "to": (int(whole.number[-1]) + 1) * every}
        memory.learning = LearningBins()
        try:
            model = learn(self._signals, whole, self._settings, still)
        except InvalidInputError as e:
            self._tell_model("failed", {**told, "failed": [msgspec.to_builtins(f) for f in e.faults]}, outcome)
            memory.because = "nothing could be learnt before"
        else:
            told["regimes"] = {name: r.bins for name, r in model.regimes.items()}
            told["left_out"] = [msgspec.to_builtins(f) for f in model.left_out]
            if model.found is not None:
                told["notes"] = [msgspec.to_builtins(f) for f in model.notes]
            memory.model = model
            self._watch, self._stretches = self._at_work()
            memory.learnt = told
            self._tell_model("learnt", told, outcome)
        return bins.after(count)

    def _with_note(self) -> dict[str, Any]:
        """What was told of the model, and since when it says nothing of the machine."""
        learnt, note = self._memory.learnt, self._memory.unjudged.note(self._settings.least)
        return learnt if note is None else {**learnt, "notes": [*learnt.get("notes", []), msgspec.to_builtins(note)]}

    def _tell_model(self, state: str, told: dict[str, Any], outcome: Outcome) -> None:
        because = {"because": self._memory.because} if self._memory.because else {}
        model = {"version": self._memory.version, "state": state, **told, **because}
        outcome.results.append({"anomaly_model": model})

    def _tell_all(self, stretches: Iterable[Stretch], outcome: Outcome) -> None:
        for stretch in stretches:
            self._tell(stretch, outcome)

    def _tell(self, stretch: Stretch, outcome: Outcome) -> None:
        """The stretch as a result with all its figures, and as a finding."""
        parts = [rounded(p) for p in stretch.signals]
        told: dict[str, Any] = {
            "kind": stretch.kind, "from": stretch.start, "to": stretch.end, "version": self._memory.version,
            "signals": [{k: v for k, v in msgspec.to_builtins(p).items() if v is not None} for p in parts],
        }  # fmt: skip
        if stretch.peak is not None:
            told["peak"] = float(f"{stretch.peak:.6g}")
        units = likely_units(stretch, self._units)
        outcome.results.append({"anomaly": {**told, "units": list(units)} if units else told})
        outcome.findings.append(finding_of(stretch, parts, self._known, units))
