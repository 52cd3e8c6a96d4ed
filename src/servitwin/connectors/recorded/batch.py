"""``nist-batch``: boxes, covers and plates that NIST milled in 2017 with the Manufacturing Technology Centre.

``operations.csv`` (one line an operation stream), ``operation_events.csv[.gz]`` and ``*Results*.QIF[.gz]``.
What the machine twins get beside the machine's own signals is named in :data:`OWN_SIGNALS`.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from servitwin.connectors.recorded.batch_trace import OperationRun, batch_traces
from servitwin.connectors.recorded.devices import kind_and_unit, signal_name
from servitwin.connectors.recorded.qif import PartResult, ResultFile, read_results
from servitwin.connectors.recorded.states import state_mapping
from servitwin.connectors.recorded.tables import content_id, instant_or_text, rows, sort_key
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS
from servitwin.domain.machine_type import MachineType, Production
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.trace_event import TraceEvent
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.recording import RecordedLine, RecordedTwin

OPERATIONS = ("part", "operation", "machine", "instance", "first_ts", "last_ts", "n_observations")
EVENTS = ("part", "operation", "machine", "instance", "timestamp", "dataitem", "value")
# The adapter of these machines names its items itself; what they are is known from the test bed's Devices.xml.
ITEM_TYPES = {
    "Program_Status": "EXECUTION",
    "Program_Name_Running": "PROGRAM",
    "Current_Tool": "TOOL_NUMBER",
    "Part_Count": "PART_COUNT",
    "Feed_Override": "PATH_FEEDRATE_OVERRIDE",
    "Rapid_Override": "PATH_FEEDRATE_OVERRIDE",
    "Spindle_Override": "ROTARY_VELOCITY_OVERRIDE",
}
OWN_SIGNALS = (
    SignalDefinition("product", "text", title="Part and operation in work"),
    SignalDefinition("operation", "text", title="Operation in work"),
    SignalDefinition("part", "text", title="Part in work"),
    SignalDefinition("operations_done", "number", "1", title="Operations finished"),
    SignalDefinition("operations_good", "number", "1", title="Operations finished on parts that passed inspection"),
    SignalDefinition("operations_scrap", "number", "1", title="Operations finished on parts that failed inspection"),
    SignalDefinition("inspection_result", "text", title="Verdict on the part finished at this time"),
    SignalDefinition("inspection_report", "text", title="Inspection file behind the verdict"),
    SignalDefinition("characteristics_pass", "number", "1", title="Characteristics of that part that passed"),
    SignalDefinition("characteristics_fail", "number", "1", title="Characteristics of that part that failed"),
)


class _Operation(NamedTuple):
    """One operation stream: an operation on one part by one machine, [start, end] as recorded."""

    part: str
    operation: str
    twin: str
    instance: int
    start: int
    end: int
    observations: int
    source: str

    @property
    def product(self) -> str:
        return f"{self.part} {self.operation}"


class BatchRecording:
    """The folder of the batch; small, so it is read once and kept."""

    def __init__(self, folder: Path) -> None:
        self._notes: list[str] = []
        self._faults: list[Fault] = []
        self._lines: dict[str, list[RecordedLine]] = defaultdict(list)
        self._names: dict[str, str] = {}
        operations_file = folder / "operations.csv"
        events_file = next(
            (p for p in (folder / "operation_events.csv.gz", folder / "operation_events.csv") if p.is_file()), None
        )
        if not operations_file.is_file() or events_file is None:
            raise InvalidInputError(
                Fault(
                    "recording:empty",
                    f"there is no operations.csv with operation_events.csv in {folder}",
                    "Check the folder",
                )
            )
        results_files = sorted([*folder.glob("*Results*.QIF"), *folder.glob("*Results*.QIF.gz")])
        files = [read_results(path) for path in results_files]
        results = [r for file in files for r in file.parts]
        self._results = {(r.product, r.instance): r for r in results if r.instance is not None}
        self._notes += [
            f"{r.report}: one result (passed: {r.passed}) names no part and counts nowhere"
            for r in results
            if r.instance is None
        ]
        self._operations = self._read_operations(operations_file)
        self._read_events(events_file)
        whole = [path for path, file in zip(results_files, files, strict=True) if file.fault is None]
        cut = "".join(f"-{zlib.crc32(file.raw.encode()):08x}" for file in files if file.fault is not None)
        session = f"nist-batch-{content_id([operations_file, events_file, *whole])}{cut}"
        self._put_aside(files)
        for twin in self._names:
            self._add_operations(twin)
            self._lines[twin].sort(key=lambda line: sort_key(line.time))
        self._note_results()
        self._twins = {twin: self._twin(twin, session) for twin in sorted(self._names)}

    @property
    def notes(self) -> Sequence[str]:
        """What had to be decided while reading, for people."""
        return self._notes

    @property
    def ids(self) -> Sequence[str]:
        """Twin ids of the machines in it, sorted."""
        return list(self._twins)

    def twin(self, id: str) -> RecordedTwin:
        """One of its machines."""
        return self._twins[id]

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Lines of one machine by time; those without a time first."""
        return iter(self._lines[twin])

    def traces(self) -> Sequence[TraceEvent]:
        """Genealogy of the parts: operations with program and tools, and what was measured."""
        runs = [OperationRun(o.part, o.operation, o.twin, o.instance, o.start, o.end) for o in self._operations]
        return list(batch_traces(runs, self._lines, self._results))

    @property
    def faults(self) -> Sequence[Fault]:
        """Files that could not be read whole; what could be read of them is used."""
        return self._faults

    def _put_aside(self, files: Sequence[ResultFile]) -> None:
        """A result file that is cut off is told, and goes to quarantine with a machine that worked on its product."""
        for file in files:
            if file.fault is None:
                continue
            self._faults.append(file.fault)
            self._notes.append(str(file.fault))
            product = file.name.split("Results")[0]
            machines = [o.twin for o in self._operations if o.part == product] or sorted(self._names)
            if machines:
                said = f"{file.fault.message}. It begins: {file.raw}"
                self._lines[machines[-1]].insert(0, RecordedLine(machines[-1], "", "", said, file.name))

    def _twin_of(self, machine: str, source: str) -> str:
        twin = machine.lower()
        if TWIN_ID.match(twin) is None:
            raise InvalidInputError(
                Fault(
                    "recording:name", f"{machine[:80]!r} gives no twin id", "Use letters, digits, _ and -", where=source
                )
            )
        self._names.setdefault(twin, machine)
        return twin

    def _read_operations(self, path: Path) -> list[_Operation]:
        found: list[_Operation] = []
        machine = ""
        for number, fields in rows(path, OPERATIONS):
            source = f"{path.name}:{number}"
            operation = None if isinstance(fields, str) else self._operation(fields, source)
            if operation is None:
                raw = fields if isinstance(fields, str) else ",".join(fields)
                twin = (
                    self._twin_of(machine or "unknown", source)
                    if isinstance(fields, str)
                    else self._twin_of(fields[2], source)
                )
                self._lines[twin].append(RecordedLine(twin, "", "", raw, source))
                continue
            machine = fields[2]
            found.append(operation)
        return found

    def _operation(self, fields: Sequence[str], source: str) -> _Operation | None:
        part, operation, machine, instance, first, last, count = fields
        start, end = instant_or_text(first), instant_or_text(last)
        if not (instance.isdecimal() and count.isdecimal() and isinstance(start, int) and isinstance(end, int)):
            return None
        twin = self._twin_of(machine, source)
        return (
            _Operation(part, operation, twin, int(instance), start, end, int(count), source) if start <= end else None
        )

    def _read_events(self, path: Path) -> None:
        machine = "unknown"
        for number, fields in rows(path, EVENTS):
            source = f"{path.name}:{number}"
            if isinstance(fields, str):
                twin = self._twin_of(machine, source)
                self._lines[twin].append(RecordedLine(twin, "", "", fields, source))
                continue
            machine, stamp, item, value = fields[2], *fields[4:]
            twin = self._twin_of(machine, source)
            self._lines[twin].append(RecordedLine(twin, instant_or_text(stamp), signal_name(item), value, source))

    def _add_operations(self, twin: str) -> None:
        """What an operation's stream and the inspection of its part say, as observations of the machine's twin."""
        last = self._last_operations()
        done = good = scrap = 0
        for op in sorted((o for o in self._operations if o.twin == twin), key=lambda o: (o.end, o.start)):
            part = f"{op.part} {op.instance}"
            for signal, text in (("product", op.product), ("operation", op.operation), ("part", part)):
                self._lines[twin].insert(0, RecordedLine(twin, op.start, signal, text, op.source))
            if op.end == op.start:
                self._notes.append(f"{part} {op.operation} on {twin} has a single observation: not counted as finished")
                continue
            done += 1
            result = self._results.get((op.part, op.instance))
            good += result is not None and result.passed is True
            scrap += result is not None and result.passed is False
            counters = {"operations_done": done, "operations_good": good, "operations_scrap": scrap}
            self._lines[twin] += [RecordedLine(twin, op.end, n, str(v), op.source) for n, v in counters.items()]
            if result is not None and last[(op.part, op.instance)] == op:
                self._lines[twin] += _inspection(op, result)

    def _last_operations(self) -> dict[tuple[str, int], _Operation]:
        last: dict[tuple[str, int], _Operation] = {}
        for op in sorted((o for o in self._operations if o.end > o.start), key=lambda o: o.end):
            last[(op.part, op.instance)] = op
        return last

    def _note_results(self) -> None:
        parts = {(o.part, o.instance) for o in self._operations}
        for product in sorted({p for p, _ in [*parts, *self._results]}):
            made = {i for p, i in parts if p == product}
            inspected = {i for p, i in self._results if p == product}
            self._notes.append(
                f"{product}: {len(made & inspected)} of {len(made)} recorded parts were inspected, the others are of "
                f"unknown quality; {len(inspected - made)} inspected parts have no operation here and count nowhere"
            )

    def _twin(self, twin: str, session: str) -> RecordedTwin:
        items = sorted({line.signal for line in self._lines[twin] if line.signal} - {s.name for s in OWN_SIGNALS})
        signals = (*(_definition(item) for item in items), *OWN_SIGNALS)
        machine_type = MachineType(
            name=f"{twin}-batch",
            version=1,
            title=f"{self._names[twin]} as in the recorded batch",
            manufacturer="Hurco" if twin.startswith("hurco") else "",
            signals=signals,
            states=state_mapping(signals),
            production=Production(
                total="operations_done",
                good="operations_good",
                scrap="operations_scrap",
                product="product",
                ideal_cycle_s=self._cycles(),
            ),
            registered_from="data",
        )
        return RecordedTwin(twin, self._names[twin], "", machine_type, session, gaps=self._gaps(twin))

    def _cycles(self) -> dict[str, float]:
        """Seconds of the shortest whole run of each operation: the best that was shown, not what was planned.

        A run counts as whole with at least half of the median number of observations of its operation.
        """
        runs: dict[str, list[_Operation]] = defaultdict(list)
        for op in self._operations:
            if op.end > op.start:
                runs[op.product].append(op)
        cycles: dict[str, float] = {}
        for product, found in sorted(runs.items()):
            enough = median(o.observations for o in found) / 2
            cycles[product] = min(o.end - o.start for o in found if o.observations >= enough) / NS
        return cycles

    def _gaps(self, twin: str) -> tuple[Gap, ...]:
        """Between two operation streams nothing was kept, so nothing is known."""
        gaps: list[Gap] = []
        until: int | None = None
        for op in sorted((o for o in self._operations if o.twin == twin), key=lambda o: o.start):
            if until is not None and op.start > until:
                gaps.append(Gap(until, op.start, "between recorded operations", "operations.csv"))
            until = max(until or op.end, op.end)
        return tuple(gaps)


def _definition(item: str) -> SignalDefinition:
    item_type = ITEM_TYPES.get(item, "")
    kind, unit = kind_and_unit("EVENT", item_type, "")
    return SignalDefinition(item, kind, unit, semantic=f"mtconnect:{item_type}" if item_type else "")


def _inspection(op: _Operation, result: PartResult) -> Iterator[RecordedLine]:
    """The verdict holds for the part as it left the machine, so it is dated with the end of its last operation."""
    verdict = {True: "PASS", False: "FAIL", None: "UNAVAILABLE"}[result.passed]
    values = {
        "inspection_result": verdict,
        "inspection_report": result.report,
        "characteristics_pass": str(result.characteristics.get("PASS", 0)),
        "characteristics_fail": str(result.characteristics.get("FAIL", 0)),
    }
    for signal, value in values.items():
        yield RecordedLine(op.twin, op.end, signal, value, result.report.split(" ", maxsplit=1)[0])
