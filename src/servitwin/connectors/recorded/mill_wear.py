"""``cnc-mill-wear``: runs of a milling machine with sharp and worn tools (University of Michigan, SMART lab).

``experiment_<number>.csv[.gz]`` with a row every 100 ms, and ``train.csv``, which says what was known of each run. The
rows have no time of day: each run is **taken to begin** at :data:`BEGIN`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from servitwin.connectors.recorded.tables import whole_lines
from servitwin.connectors.recorded.wide_tables import WideTables, run_files
from servitwin.domain.instant import parse_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition

BEGIN = parse_instant("2018-01-01T00:00:00Z")
_STEP = 100_000_000
_UNITS = {
    "ActualPosition": "mm", "ActualVelocity": "mm/s", "ActualAcceleration": "mm/s2",
    "CommandPosition": "mm", "CommandVelocity": "mm/s", "CommandAcceleration": "mm/s2",
    "CurrentFeedback": "A", "DCBusVoltage": "V", "OutputCurrent": "A", "OutputVoltage": "V", "OutputPower": "kW",
}  # fmt: skip
# The spindle turns: its positions are not lengths, and its velocity is in revolutions a second.
_SPINDLE_UNITS = {"ActualVelocity": "1/s", "CommandVelocity": "1/s", "CurrentFeedback": "A", "OutputPower": "kW"}
SIGNALS = (
    *(
        SignalDefinition(f"{axis}1_{name}", "number", unit)
        for axis in "XYZ"
        for name, unit in _UNITS.items()
        if (axis, name) != ("Z", "OutputPower")
    ),
    *(SignalDefinition(f"S1_{name}", "number", _SPINDLE_UNITS.get(name, "1")) for name in (*_UNITS, "SystemInertia")),
    SignalDefinition("M1_CURRENT_PROGRAM_NUMBER", "number", "1", title="Program"),
    SignalDefinition("M1_sequence_number", "number", "1", title="Line of the program"),
    SignalDefinition("M1_CURRENT_FEEDRATE", "number", "mm/s", title="Feed rate"),
    SignalDefinition("Machining_Process", "text", title="Step of the process"),
)
TYPE = MachineType(
    "cnc-mill-wear", 1, title="CNC mill of the tool wear experiments", signals=SIGNALS, registered_from="data"
)


class MillWearRecording(WideTables):
    """The folder of the experiments."""

    def __init__(self, folder: Path) -> None:
        files = {_id(p): p for p in run_files(folder, "experiment_*.csv")}
        super().__init__(files, TYPE, "cnc-mill-wear")
        self._about = _about(folder / "train.csv")

    @property
    def notes(self) -> Sequence[str]:
        """What had to be decided while reading, for people."""
        return ["assumed, not recorded: each run begins at 2018-01-01T00:00:00Z"]

    def _title(self, id: str) -> str:
        return f"Run {int(id.removeprefix('run-'))}{self._about.get(id, '')}"

    def _time(self, row: int, fields: Sequence[str]) -> int | str:
        del fields
        return BEGIN + row * _STEP

    def _signal(self, column: str) -> str:
        return column


def _id(path: Path) -> str:
    number = path.name.removesuffix(".gz").removesuffix(".csv").removeprefix("experiment_")
    return f"run-{number.zfill(2)}"


def _about(path: Path) -> dict[str, str]:
    """What the authors say of each run, such as ``: wax, feed 6, clamp 4 bar, tool unworn``."""
    if not path.is_file():
        return {}
    found = {}
    for _, text in whole_lines(path):
        fields = text.split(",")
        if len(fields) >= 5 and fields[0].isdigit():
            number, material, feed, clamp, tool = fields[:5]
            found[f"run-{number.zfill(2)}"] = f": {material}, feed {feed}, clamp {clamp} bar, tool {tool}"
    return found
