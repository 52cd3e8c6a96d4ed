"""``skab``: the water pump test bed of the Skoltech Anomaly Benchmark, one observation a second of eight sensors.

``<group>/<number>.csv[.gz]``, separated by ``;``. Labels of the authors, where a file has them, are flags beside the
sensors: they are no signals of the machine, and no requirement should read them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from servitwin.connectors.recorded.tables import instant_or_text
from servitwin.connectors.recorded.wide_tables import WideTables, run_files
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition

_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z", re.ASCII)
_LABELS = ("anomaly", "changepoint")
SIGNALS = (
    SignalDefinition("Accelerometer1RMS", "number", "[g]", title="Vibration of the bearing at the drive"),
    SignalDefinition("Accelerometer2RMS", "number", "[g]", title="Vibration of the bearing at the pump"),
    SignalDefinition("Current", "number", "A", title="Motor current"),
    SignalDefinition("Pressure", "number", "bar", title="Pressure behind the pump"),
    SignalDefinition("Temperature", "number", "Cel", title="Temperature of the motor"),
    SignalDefinition("Thermocouple", "number", "Cel", title="Temperature of the water"),
    SignalDefinition("Voltage", "number", "V", title="Motor voltage"),
    SignalDefinition("Volume_Flow_RateRMS", "number", "L/min", title="Flow"),
    SignalDefinition("anomaly", "flag", title="Label of the authors: the state is anomalous"),
    SignalDefinition("changepoint", "flag", title="Label of the authors: the state changes"),
)
TYPE = MachineType("skab-pump", 1, title="Water circulation test bed", signals=SIGNALS, registered_from="data")


class SkabRecording(WideTables):
    """A folder of the benchmark."""

    separator = ";"

    def __init__(self, folder: Path) -> None:
        super().__init__({_id(p): p for p in run_files(folder, "*/*.csv")}, TYPE, "skab")

    def _title(self, id: str) -> str:
        return f"Pump test bed, {id}"

    def _time(self, row: int, fields: Sequence[str]) -> int | str:
        """The stamps name no zone and are taken as UTC."""
        del row
        return instant_or_text(f"{fields[0].replace(' ', 'T')}Z") if _STAMP.match(fields[0]) else fields[0]

    def _signal(self, column: str) -> str:
        return "" if column == "datetime" else column.replace(" ", "_")

    def _value(self, signal: str, text: str) -> str:
        return {"0.0": "false", "1.0": "true"}.get(text, text) if signal in _LABELS else text


def _id(path: Path) -> str:
    """``valve1/6.csv`` is the run ``valve1-6``."""
    number = path.name.removesuffix(".gz").removesuffix(".csv")
    return path.parent.name if number == path.parent.name else f"{path.parent.name}-{number}"
