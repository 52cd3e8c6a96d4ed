"""``azure-pdm``: a year of errors, maintenance and component failures of a simulated fleet (Microsoft, 2015).

``PdM_machines.csv``, ``PdM_failures.csv``, ``PdM_maint.csv``, ``PdM_errors.csv`` and, where it is there,
``PdM_telemetry_daily_mean.csv[.gz]``. The data name the instant of a failure, and not how long the machine stood.
That it stood :data:`REPAIR` after each failure, and :data:`SERVICE` at each maintenance without one, is **assumed** and
said so in the signal's title; between them a machine is taken to work (docs/decisions/0130).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from servitwin.connectors.recorded.tables import content_id, instant_or_text, rows, sort_key, whole_lines
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State
from servitwin.sdk.recording import RecordedLine, RecordedTwin

REPAIR, SERVICE = 8 * HOUR, 2 * HOUR
TABLES = {
    "PdM_machines.csv": ("machineID", "model", "age"),
    "PdM_failures.csv": ("datetime", "machineID", "failure"),
    "PdM_maint.csv": ("datetime", "machineID", "comp"),
    "PdM_errors.csv": ("datetime", "machineID", "errorID"),
}
TELEMETRY = ("PdM_telemetry_daily_mean.csv.gz", "PdM_telemetry_daily_mean.csv")
COMPONENTS = ("comp1", "comp2", "comp3", "comp4")
# Signal -> what its column is called in the hourly file, and in the file of daily means.
_MEANS = {
    "volt": ("volt", "mean_daily_voltage"),
    "rotate": ("rotate", "mean_daily_rotation"),
    "pressure": ("pressure", "mean_daily_pressure"),
    "vibration": ("vibration", "mean_daily_vibration"),
}
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?\Z", re.ASCII)
_ASSUMED = f"Assumed: down {REPAIR // HOUR} h after a failure, {SERVICE // HOUR} h for a service"
SIGNALS = (
    *(SignalDefinition(name, "number", "1", title=f"Daily mean of {name}, unit not published") for name in _MEANS),
    SignalDefinition("error", "text", title="Error reported; the machine works on"),
    SignalDefinition("failure", "text", title="Component that failed and was replaced"),
    SignalDefinition("maintenance", "text", title="Component that was replaced"),
    SignalDefinition("operation", "text", title=_ASSUMED),
    SignalDefinition("down_for", "text", title="Component that the machine is down for"),
)  # fmt: skip
STATES = StateMapping(
    (
        *(
            StateRule((SignalTest("operation", equals=("DOWN",)), SignalTest("down_for", equals=(c,))), State.FAILED, c)
            for c in COMPONENTS
        ),
        StateRule((SignalTest("operation", equals=("DOWN",)),), State.FAILED),
        StateRule((SignalTest("operation", equals=("SERVICE",)),), State.PREVENTIVE),
        StateRule((SignalTest("operation", equals=("WORKING",)),), State.PRODUCING),
    ),
    "operation",
    ("operation",),
)


class AzureRecording:
    """The folder of the fleet; small, so it is read once and kept."""

    def __init__(self, folder: Path) -> None:
        missing = [name for name in TABLES if not (folder / name).is_file()]
        if missing:
            raise InvalidInputError(
                [Fault("recording:empty", f"there is no {name} in {folder}", "Check the folder") for name in missing]
            )
        telemetry = next((folder / n for n in TELEMETRY if (folder / n).is_file()), None)
        self._notes = [
            f"assumed, not measured: {REPAIR // HOUR} h down after a failure, {SERVICE // HOUR} h for a service",
            *([] if telemetry else ["there is no telemetry: machines begin with their first event of the year"]),
        ]
        self._lines: dict[str, list[RecordedLine]] = defaultdict(list)
        self._failures: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._services: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._models: dict[str, tuple[str, str]] = {}
        self._first: dict[str, int] = {}
        self._read_machines(folder / "PdM_machines.csv")
        self._read_events(folder)
        if telemetry is not None:
            self._read_telemetry(telemetry)
        files = [folder / name for name in TABLES] + ([telemetry] if telemetry else [])
        session = f"azure-pdm-{content_id(files)}"
        for twin in self._models:
            self._add_operation(twin)
            self._lines[twin].sort(key=lambda line: sort_key(line.time))
        silent = [twin for twin in self._models if not self._lines[twin]]
        if silent:
            self._notes.append(f"{len(silent)} machines are listed and have no line: {silent[0]} to {silent[-1]}")
        spoken = sorted(set(self._models) - set(silent))
        self._twins = {twin: self._twin(twin, session) for twin in spoken}

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
        """Lines of one machine in order of time."""
        yield from self._lines[twin]

    def _read_machines(self, path: Path) -> None:
        faults = []
        for number, fields in rows(path, TABLES[path.name]):
            if isinstance(fields, str) or not fields[0].isdigit():
                said = fields if isinstance(fields, str) else ",".join(fields)
                hint = "A number, a model and an age in years"
                faults.append(
                    Fault("recording:machine", f"{said[:60]!r} is no machine", hint, file=path.name, line=number)
                )
                continue
            self._models[_twin_id(fields[0])] = (fields[1], fields[2])
        if faults:
            raise InvalidInputError(faults)

    def _read_events(self, folder: Path) -> None:
        kinds = {"PdM_failures.csv": "failure", "PdM_maint.csv": "maintenance", "PdM_errors.csv": "error"}
        kept = {"failure": self._failures, "maintenance": self._services}
        for name, signal in kinds.items():
            for number, fields in rows(folder / name, TABLES[name]):
                source = f"{name}:{number}"
                twin = "" if isinstance(fields, str) else _twin_id(fields[1])
                if isinstance(fields, str) or twin not in self._models:
                    self._unreadable(fields, source)
                    continue
                time = _instant(fields[0])
                self._lines[twin].append(RecordedLine(twin, time, signal, fields[2], source))
                if isinstance(time, int) and signal in kept:
                    kept[signal][twin].append((time, fields[2]))

    def _read_telemetry(self, path: Path) -> None:
        header = _header(path)
        columns = {name: header.index(h) for name, heads in _MEANS.items() for h in heads if h in header}
        stamp = next((n for n, h in enumerate(header) if h in ("date", "datetime")), None)
        if "machineID" not in header or stamp is None:
            raise InvalidInputError(
                Fault(
                    "recording:other-columns",
                    f"the first line of {path.name} is {','.join(header)[:200]!r}",
                    "It has to name machineID, date or datetime, and the means",
                    file=path.name,
                    line=1,
                )
            )
        machine = header.index("machineID")
        for number, fields in rows(path, header):
            source = f"{path.name}:{number}"
            twin = "" if isinstance(fields, str) else _twin_id(fields[machine])
            if isinstance(fields, str) or twin not in self._models:
                self._unreadable(fields, source)
                continue
            time = _instant(fields[stamp])
            if isinstance(time, int):
                self._first[twin] = min(time, self._first.get(twin, time))
            for name, place in columns.items():
                self._lines[twin].append(RecordedLine(twin, time, name, fields[place], source))

    def _unreadable(self, fields: Sequence[str] | str, source: str) -> None:
        """A line that names no machine of the fleet goes to quarantine with the first machine's data."""
        text = fields if isinstance(fields, str) else ",".join(fields)
        if self._models:
            twin = next(iter(self._models))
            self._lines[twin].append(RecordedLine(twin, -(2**62), "", text, source))

    def _add_operation(self, twin: str) -> None:
        """What the machine is assumed to do: down after failures, in service at maintenance, else working."""
        failures = self._failures[twin]
        down = [(t, t + REPAIR, "DOWN", part) for t, part in sorted(failures)]
        at_failure = {t for t, _ in failures}
        service = [
            (t, t + SERVICE, "SERVICE", "")
            for t in sorted({t for t, _ in self._services[twin]} - at_failure)
            if not any(a <= t < b for a, b, *_ in down)
        ]
        begin = self._first.get(twin, min((s[0] for s in [*down, *service]), default=None) or 0)
        if not begin:
            return
        said = [(begin, "WORKING", "")]
        over = begin
        for start, end, word, part in sorted([*down, *service]):
            if start < begin:
                continue
            if said[-1][1] == "WORKING" and said[-1][0] > start:
                said.pop()  # it failed again before it was mended
            said += [(start, word, part), (max(end, over), "WORKING", "")]
            over = max(end, over)
        for at, word, part in said:
            source = f"assumed:{REPAIR // HOUR}h"
            self._lines[twin].append(RecordedLine(twin, at, "operation", word, source))
            if part:
                self._lines[twin].append(RecordedLine(twin, at, "down_for", part, source))

    def _twin(self, twin: str, session: str) -> RecordedTwin:
        model, age = self._models[twin]
        times = [line.time for line in self._lines[twin] if isinstance(line.time, int) and line.signal]
        machine_type = MachineType(
            f"azure-pdm-{model}",
            1,
            title=f"Machine of {model} (Azure predictive maintenance)",
            signals=SIGNALS,
            states=STATES,
            registered_from="data",
        )
        return RecordedTwin(
            id=twin,
            title=f"Machine {int(twin.removeprefix('azure-'))}, {model}, {age} years",
            serial=f"{model}-{twin.removeprefix('azure-')}",
            type=machine_type,
            session=session,
            commissioned=min(times, default=None),
            commissioned_from="first line of the recording",
        )


def _header(path: Path) -> list[str]:
    """The first line of a table, split."""
    first = next(whole_lines(path), None)
    if first is not None:
        return first[1].strip().split(",")
    raise InvalidInputError(Fault("recording:empty-file", f"{path.name} is empty", "Fetch it again", file=path.name))


def _twin_id(number: str) -> str:
    return f"azure-{int(number):03}" if number.isdigit() else ""


def _instant(text: str) -> int | str:
    """Nanoseconds of ``2015-01-03 07:00:00`` or ``2015-01-03``, taken as UTC: the data name no zone."""
    match = _STAMP.match(text)
    return instant_or_text(f"{match.group(1)}T{match.group(2) or '00:00:00'}Z") if match else text
