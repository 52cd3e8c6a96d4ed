"""The steps of the update gate: each tries the release against the twin and says what it found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servitwin.domain.error import ServitwinError
from servitwin.domain.formula.tree import signals_of
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.line_result import difference, estimate
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation
from servitwin.domain.release import GatePolicy, GateStep, Outcome, Release, StepName
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Twin
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.trace import Trace, Verdict
from servitwin.proof.monitor.trace_of import trace_of
from servitwin.sdk.rehearsal import Instruction, Rehearsed
from servitwin.usecases.check_controller import Checked
from servitwin.usecases.judge_recording import Judged, judge_trace
from servitwin.usecases.judge_requirement import JudgeRequirement
from servitwin.usecases.requirement_set import Demand, demands_of_type

Rehearse = Callable[[Sequence[Instruction], float, int], Rehearsed | None]
SHOW_EVERY_S = 5.0
_MOST_TOLD = 20


def controller_step(release: Release, policy: GatePolicy, checked: Checked | None, evidence: str) -> GateStep:
    """Every property of the controller's model is proven, or bounded as the policy says."""
    if not release.controller:
        return GateStep("controller", "not-needed", "The machine type has no controller's model on this node")
    if checked is None:
        return GateStep("controller", "failed", f"The check of {release.controller} did not end with an answer")
    told, bad = [], []
    for a in checked.report.answers:
        bounded = a.outcome == "no violation up to depth" and policy.accept_bounded and a.depth >= policy.depth
        told.append(f"{a.name}: {a.outcome}")
        if a.outcome != "proven" and not bounded:
            bad.append(a.name)
        if a.vacuous:
            bad.append(f"{a.name} (it can never be triggered)")
    if not checked.report.answers:
        bad.append("the model has no property")
    count = len(checked.report.answers)
    if bad:
        says = f"{release.controller}: not shown to hold: {', '.join(bad)}"
        return GateStep("controller", "failed", says, tuple(told), evidence)
    return GateStep("controller", "passed", f"{release.controller}: {count} properties hold", tuple(told), evidence)


class Rehearsals:
    """Simulated runs of a machine as it is and as it would be, each pair with the same random numbers."""

    def __init__(
        self,
        machine_type: MachineType,
        policy: GatePolicy,
        now: Mapping[str, Mapping[str, Any]],
        then: Mapping[str, Mapping[str, Any]],
        rehearse: Rehearse | None,
    ) -> None:
        self._type, self._policy = machine_type, policy
        self._demands = [d for d in demands_of_type(machine_type) if d.formula is not None]
        # Of the dozens of signals that a machine shows, those that a formula or the state reads are a trace.
        self._read = {n for d in self._demands if d.formula is not None for n in signals_of(d.formula)}
        self._read |= set(signals_needed(machine_type.states)) if machine_type.states is not None else set()
        self.problem = ""
        self._pairs: list[tuple[Rehearsed, Rehearsed]] = []
        if rehearse is None:
            self.problem = "no connection of a machine of this type can simulate it"
            return
        seconds = policy.hours * 3600
        for seed in range(1, policy.runs + 1):
            try:
                base = rehearse(_instructions(now), seconds, seed)
                changed = rehearse(_instructions(then), seconds, seed)
            except ServitwinError as e:
                self.problem = str(e.fault.message)
                return
            if base is None or changed is None:
                self.problem = "the connection does not know the machine"
                return
            self._pairs.append((base, changed))

    def monitored(self) -> GateStep:
        """Requirements over the simulated traces: none is violated that is not violated today by the same chance."""
        name: StepName = "simulated"
        if self.problem:
            return GateStep(name, "failed", f"No simulated trace: {self.problem}")
        told, bad = [], []
        judged_any = False
        traces = [(self._trace(a), self._trace(b)) for a, b in self._pairs]
        for demand in self._demands:
            before = [judge_trace("now", demand, a) for a, _ in traces]
            after = [judge_trace("release", demand, b) for _, b in traces]
            new = [
                i for i, (a, b) in enumerate(zip(before, after, strict=True), 1) if b.violations and not a.violations
            ]
            decided = sum(1 for j in after if j.true_s + j.false_s > 0)
            judged_any = judged_any or decided > 0
            told.append(f"{demand.name}: {_kept(after)}" + (f", new violations in runs {new}" if new else ""))
            if new:
                bad.append(demand.name)
        hours = self._policy.hours * self._policy.runs
        if bad:
            says = f"In {hours:g} simulated hours the release violates {', '.join(bad)}, which runs as today do not"
            return GateStep(name, "failed", says, tuple(told[:_MOST_TOLD]))
        if self._demands and not judged_any:
            return GateStep(name, "failed", "The simulated traces decide no requirement at all", tuple(told))
        says = f"{len(self._demands)} requirements over {hours:g} simulated hours: no new violation"
        return GateStep(name, "passed", says, tuple(told[:_MOST_TOLD]))

    def compared(self) -> GateStep:
        """Good parts per hour, paired: the lower end of the interval may not fall below what the policy allows."""
        name: StepName = "performance"
        production = self._type.production
        if production is None or not (production.good or production.total):
            return GateStep(name, "not-needed", "The machine type counts no parts")
        if self.problem:
            return GateStep(name, "failed", f"No comparison: {self.problem}")
        signal = production.good or production.total
        rates = [tuple(_made(r, signal) / self._policy.hours for r in pair) for pair in self._pairs]
        base, changed = [a for a, _ in rates], [b for _, b in rates]
        level, gain = estimate(base), difference(base, changed)
        if level.mean <= 0 or not math.isfinite(gain.half):
            return GateStep(name, "failed", "The simulated machine made no parts: nothing can be compared")
        share = [v / level.mean for v in (gain.mean, gain.low, gain.high)]
        found = (
            f"now {level.mean:.2f} good parts/h, release {level.mean + gain.mean:.2f}",
            f"difference {100 * share[0]:+.1f} %, 95 % interval {100 * share[1]:+.1f} to {100 * share[2]:+.1f} %, "
            f"{len(base)} pairs",
        )
        limit = self._policy.worse_at_most
        outcome: Outcome = "passed" if share[1] >= -limit else "failed"
        word = "at least as good as" if outcome == "passed" else "it may be worse than"
        says = f"Good parts per hour, {found[1]}: {word} {100 * limit:.0f} % below today, which is allowed"
        return GateStep(name, outcome, says, found)

    def _trace(self, run: Rehearsed) -> Trace:
        definitions = {s.name: s for s in self._type.signals if s.name in run.columns and s.name in self._read}
        observed = {
            n: [Observation(t, v, seq=i) for i, (t, v) in enumerate(zip(run.times, run.columns[n], strict=False))]
            for n in definitions
        }
        start, end = 0, run.times[-1] + 1
        series = {n: series_of(observed[n], d) for n, d in definitions.items()}
        states = derive_states(self._type, series, (), start, end)
        return trace_of(observed, definitions, gaps=(), states=states, start=start, end=end)


def replayed_step(
    judge: JudgeRequirement,
    twins: Sequence[Twin],
    present: Mapping[str, str],
    demands: Sequence[Demand],
    policy: GatePolicy,
    now: int,
    checked: Checked | None,
) -> GateStep:
    """What the release requires, judged over recorded traces of real machines.

    A violation of a requirement that holds today as well is known, and has its case; one of a new or changed
    requirement means that machines at work would break the release's own rule.

    Args:
        judge: reads recordings.
        twins: machines of the type.
        present: digest by name of what is required today.
        demands: what the release requires.
        policy: how much is judged.
        now: ns UTC.
        checked: the controller's check, with the conformance of its model to a recording where there is one.
    """
    name: StepName = "replayed"
    span = int(policy.recorded_hours * HOUR)
    chosen = list(twins)[: policy.machines]
    if not chosen or not span:
        return GateStep(name, "failed", "No machine of this type has a recording on this node")
    told: list[str] = []
    bad: list[str] = []
    known = decided = 0.0
    for twin in chosen:
        for demand in demands:
            if demand.formula is None:
                continue
            try:
                pieces = evaluate(demand.formula, judge.trace(twin, [demand.formula], now - span, now)).pieces
            except ServitwinError as e:
                return GateStep(name, "failed", f"{twin.id}: {e.fault.message}", tuple(told))
            seconds = {v: sum(p.end - p.start for p in pieces if p.verdict is v) / NS for v in Verdict}
            decided += seconds[Verdict.TRUE] + seconds[Verdict.FALSE]
            false = [p for p in pieces if p.verdict is Verdict.FALSE]
            told.append(
                f"{twin.id} {demand.name}: kept {seconds[Verdict.TRUE] / 3600:.1f} h, violated {len(false)} times, "
                f"not known {seconds[Verdict.INCONCLUSIVE] / 3600:.1f} h"
            )
            if false and present.get(demand.name) == demand.digest:
                known += len(false)
            elif false:
                bad.append(f"{demand.name} on {twin.id}")
    conformance = checked.conformance if checked is not None else None
    if conformance is not None:
        told.append(conformance.note)
        if conformance.unexplained:
            bad.append(
                f"{len(conformance.unexplained)} changes of a recording that the new controller does not explain"
            )
    if bad:
        return GateStep(name, "failed", f"Recorded traces break what the release asks: {', '.join(bad)}", tuple(told))
    if demands and not decided:
        return GateStep(name, "failed", "The recordings decide no requirement at all: nothing was heard", tuple(told))
    also = f", {known:.0f} violations known today" if known else ""
    says = f"{len(demands)} requirements over {policy.recorded_hours:g} h of {len(chosen)} machines: nothing new{also}"
    return GateStep(name, "passed", says, tuple(told[: 2 * _MOST_TOLD]))


def _instructions(settings: Mapping[str, Mapping[str, Any]]) -> list[Instruction]:
    return [Instruction(name, dict(parameters)) for name, parameters in settings.items()]


def _kept(judged: Sequence[Judged]) -> str:
    violated = sum(1 for j in judged if j.violations)
    unclear = sum(j.inconclusive_s for j in judged) / 3600
    kept = "kept" if not violated else f"violated in {violated} of {len(judged)} runs"
    return f"{kept}, not known {unclear:.1f} h" if unclear else kept


def _made(run: Rehearsed, signal: str) -> float:
    counts = [float(v) for v in run.columns.get(signal, []) if isinstance(v, int | float)]
    return counts[-1] - counts[0] if counts else 0.0
