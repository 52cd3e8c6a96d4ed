"""Judge requirements over recorded machines, without a node: how often each was tested, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.finding import Explanation, Sample, Severity
from servitwin.domain.formula.tree import STATE, Formula, reach, signals_of
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_track import series_of
from servitwin.formats.machine_type_file import read_machine_type
from servitwin.formats.requirements_file import read_requirements
from servitwin.formats.yaml_node import Parsed, parse
from servitwin.proof.monitor.explanation import explain
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.trace import Piece, SignalTrace, Trace, Verdict
from servitwin.proof.monitor.trace_of import trace_of
from servitwin.proof.monitor.trigger import occurrences, trigger_of
from servitwin.sdk.recording import RecordedTwin, Recording, recorded_twins, typed_value
from servitwin.usecases.check_files import FileText, kind_of
from servitwin.usecases.ingest.values import Problem, check_value
from servitwin.usecases.requirement_set import Demand, demands_of_type

Observed = Mapping[str, Sequence[Observation]]
_AS_IT_IS = (1.0, 0.0)


class Judged(msgspec.Struct, frozen=True):
    """What became of one requirement on one recorded machine.

    Attributes:
        triggered: how often the left of its ``->`` became true; None without one. 0: it held vacuously.
        kept: how many of these times it was certainly fulfilled throughout.
        unclear: how many of them data did not decide; in the rest it was violated.
        violations: stretches [from, to) in ns in which it was certainly violated.
        true_s, false_s, inconclusive_s: seconds of each verdict; together the length of the recording.
        explanation: a smallest set of observations that makes it false at the first violation.
    """

    machine: str
    requirement: str
    text: str
    severity: Severity
    triggered: int | None
    kept: int | None
    unclear: int | None
    violations: tuple[tuple[int, int], ...]
    true_s: float
    false_s: float
    inconclusive_s: float
    explanation: Explanation | None = None

    @property
    def inconclusive(self) -> float:
        """Share of the time in which data did not decide, 0-1."""
        whole = self.true_s + self.false_s + self.inconclusive_s
        return self.inconclusive_s / whole if whole else 0.0


@dataclass(frozen=True)
class RecordedMachine:
    """A recorded machine as monitors read it.

    Attributes:
        observations: by signal, in the order of the recording; what ingest would put into quarantine is left out.
        left_out: how many values that were.
        start, end: ns UTC, from the first observation until just after the last one; the same if there is none.
    """

    twin: RecordedTwin
    observations: Observed
    left_out: int
    start: int
    end: int


class JudgeRecording:
    """Reads requirements, and the machines of a recording, one after the other."""

    def __init__(self, recording: Recording, files: Sequence[FileText]) -> None:
        """Read the files; machine types with requirements and sets for a type or a machine.

        Raises:
            InvalidInputError: every fault of every file.
        """
        self._recording = recording
        self._types: dict[str, MachineType] = {}
        self._sets: list[tuple[str, Parsed]] = []
        faults: list[Fault] = []
        for file in files:
            tree = parse(file.text, file.name)
            match kind_of(tree):
                case "machine type":
                    read, found = read_machine_type(tree)
                    faults += found
                    if read is not None:
                        self._types[read.name] = read
                case "requirements":
                    a_set, found = read_requirements(tree)
                    faults += found
                    if a_set is not None:
                        self._sets.append((a_set.target.partition("@")[0], tree))
                case _:
                    hint = "Name a file that begins with `for: NAME`, or a machine type with requirements"
                    faults.append(Fault("judge:no-requirements", "This file has no requirements", hint, file=file.name))
        if faults:
            raise InvalidInputError(faults)

    def machines(self, named: Sequence[str] = ()) -> list[RecordedTwin]:
        """The machines that the files are for, or those named, whatever their type.

        Raises:
            InvalidInputError: ``judge:machine-unknown``, ``judge:nobody-meant``, and what is wrong with their files.
        """
        unknown = sorted({n.lower() for n in named} - set(self._recording.ids))
        if unknown:
            there = ", ".join(self._recording.ids[:20])
            said = "The recording has no machine"
            raise InvalidInputError(
                [Fault("judge:machine-unknown", f"{said} {u[:80]!r}", f"It has {there}") for u in unknown]
            )
        if named:
            return recorded_twins(self._recording, sorted({n.lower() for n in named}))
        twins = recorded_twins(self._recording, self._recording.ids)
        meant = [t for t in twins if any(_is_for(target, t) for target in self._targets())]
        if not meant:
            kinds = ", ".join(sorted({t.type.name for t in twins}))
            raise InvalidInputError(
                Fault(
                    "judge:nobody-meant",
                    f"No machine of the recording is or has the type {' or '.join(self._targets())}",
                    f"Its machines are of type {kinds}; name one with --machine to judge it all the same",
                )
            )
        return meant

    def judge(self, named: Sequence[str] = ()) -> Iterator[tuple[RecordedMachine, list[Judged]]]:
        """Each machine, with what became of each requirement that is for it.

        Raises:
            InvalidInputError: as :meth:`machines` says, and ``formula:...`` of a set for a machine without its signals.
        """
        for twin in self.machines(named):
            machine_type, demands = self._demands(twin, bool(named))
            machine = read_machine(self._recording, twin, machine_type, demands)
            trace = trace_for(machine, machine_type, demands)
            yield machine, [judge_trace(twin.id, d, trace) for d in demands]

    def _targets(self) -> list[str]:
        return [*self._types, *(target for target, _ in self._sets)]

    def _demands(self, twin: RecordedTwin, named: bool) -> tuple[MachineType, list[Demand]]:
        """The type by which a machine's data are read, and what is demanded of it; the file's type goes first."""
        types = [t for name, t in self._types.items() if named or _is_for(name, twin)]
        machine_type = types[-1] if types else twin.type
        signals = {s.name: s for s in machine_type.signals}
        demands = {d.name: d for t in types for d in demands_of_type(t)}
        faults: list[Fault] = []
        for target, tree in self._sets:
            if not named and not _is_for(target, twin):
                continue
            a_set, found = read_requirements(tree, signals=signals)
            faults += found
            for r in a_set.requirements if a_set is not None else ():
                demands[r.name] = Demand(r.name, "", r, signals)
        if faults:
            raise InvalidInputError(faults)
        return machine_type, list(demands.values())


def read_machine(
    recording: Recording, twin: RecordedTwin, machine_type: MachineType, demands: Sequence[Demand]
) -> RecordedMachine:
    """What the demands need of a recorded machine, checked as ingest checks it.

    Values of impossible times, of another type or outside their limits are left out and counted, as ingest puts them
    into quarantine. Start and end are those of the whole recording, whatever the demands read.
    """
    wanted = _wanted(machine_type, demands)
    found: dict[str, list[Observation]] = {name: [] for name in wanted}
    first, last, left_out = 2**63 - 1, -(2**63), 0
    begin = twin.commissioned if twin.commissioned is not None else 0
    for number, line in enumerate(recording.lines(twin.id)):
        if not isinstance(line.time, int) or line.time < begin or not line.signal:
            left_out += 1
            continue
        first, last = min(first, line.time), max(last, line.time)
        definition = wanted.get(line.signal)
        if definition is None:
            continue
        try:
            value = check_value(definition, typed_value(line.value, definition.type), _AS_IT_IS)
        except Problem:
            left_out += 1
            continue
        found[line.signal].append(Observation(line.time, value, seq=number))
    if last < first:
        return RecordedMachine(twin, found, left_out, begin, begin)
    return RecordedMachine(twin, found, left_out, first, last + 1)


def trace_for(machine: RecordedMachine, machine_type: MachineType, demands: Sequence[Demand]) -> Trace:
    """All that the demands read of a machine, over its whole recording."""
    states = []
    start, end, gaps = machine.start, machine.end, machine.twin.gaps
    definitions = {s.name: s for s in machine_type.signals if s.name in machine.observations}
    if any(STATE in d.checked.signals for d in demands):
        series = {name: series_of(machine.observations[name], d) for name, d in definitions.items()}
        states = derive_states(machine_type, series, gaps, start, end)
    return trace_of(machine.observations, definitions, gaps=gaps, states=states, start=start, end=end)


def judge_trace(machine: str, demand: Demand, trace: Trace) -> Judged:
    """What became of a requirement over a trace."""
    formula = demand.formula
    assert formula is not None  # files with a faulty formula were refused
    pieces = evaluate(formula, trace).pieces
    seconds = dict.fromkeys(Verdict, 0)
    for p in pieces:
        seconds[p.verdict] += p.end - p.start
    false = [p for p in pieces if p.verdict is Verdict.FALSE]
    came = [o.verdict for o in occurrences(formula, trace)] if signals_of(trigger_of(formula)) else None
    return Judged(
        machine,
        demand.name,
        demand.requirement.text,
        demand.requirement.severity,
        None if came is None else len(came),
        None if came is None else came.count(Verdict.TRUE),
        None if came is None else came.count(Verdict.INCONCLUSIVE),
        tuple((p.start, p.end) for p in false),
        seconds[Verdict.TRUE] / 1e9,
        seconds[Verdict.FALSE] / 1e9,
        seconds[Verdict.INCONCLUSIVE] / 1e9,
        _explained(formula, trace, false[0]) if false else None,
    )


def _explained(formula: Formula, trace: Trace, piece: Piece) -> Explanation | None:
    past, future = reach(formula)
    begin = trace.start if past is None else piece.start - past
    until = min(trace.end, piece.start + future + 1)
    near = {name: _from(one, begin) for name, one in trace.signals.items()}
    found = explain(formula, Trace(piece.start, until, near), piece.start)
    if found is None:
        return None
    samples = tuple(Sample(s.signal, s.time, s.value) for s in found.samples)
    parts = tuple((*p.at, p.verdict.value) for p in found.parts if p.at[1] > p.at[0])
    return Explanation(piece.start, samples, parts)


def _from(one: SignalTrace, begin: int) -> SignalTrace:
    """A signal from what held at ``begin`` on."""
    first = max(0, int(np.searchsorted(one.times, begin, side="right")) - 1)
    return SignalTrace(one.times[first:], one.values[first:], one.known[first:], one.accuracy, one.words)


def _wanted(machine_type: MachineType, demands: Sequence[Demand]) -> dict[str, SignalDefinition]:
    names = {name for d in demands for name in d.checked.signals}
    if STATE in names and machine_type.states is not None:
        names.update(signals_needed(machine_type.states))
    return {s.name: s for s in machine_type.signals if s.name in names}


def _is_for(target: str, twin: RecordedTwin) -> bool:
    """Whether a file for that twin or type means the machine; a type that its own data widened carries its id."""
    return target in (twin.id, twin.type.name, twin.type.name.removesuffix(f"-{twin.id}"))
