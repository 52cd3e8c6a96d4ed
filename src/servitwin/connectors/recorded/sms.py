"""``nist-sms``: events of the machine tools of NIST's Smart Manufacturing Systems test bed, and folders of its layout.

``events/<machine>.csv[.gz]`` with columns timestamp, dataitem, type, value; ``Devices.xml`` (model of the agent) and
``missing_days.txt`` (day files that are absent) where they exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from servitwin.connectors.recorded.by_machine import NO_MODEL, ByMachine
from servitwin.connectors.recorded.derive import Survey
from servitwin.connectors.recorded.devices import DeviceModel, read_devices
from servitwin.connectors.recorded.tables import Instants, content_id, rows
from servitwin.domain.condition import parse_condition
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import HOUR, NS
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.recording import RecordedLine, RecordedTwin

HEADER = ("timestamp", "dataitem", "type", "value")
# The day files of the test bed begin at midnight of Eastern Standard Time, summer and winter: those of May 2016
# open with a snapshot stamped 05:00:00.000000Z. docs/guides/real-data.md has the evidence.
DAY_BEGINS = 5 * HOUR
_DAY_FILE = re.compile(r"(.+)-(\d{8})-(\d{8})(?:\.txt)?(?:\.gz)?\Z", re.ASCII)


class SmsRecording(ByMachine):
    """A folder of the test bed's layout."""

    def __init__(self, folder: Path) -> None:
        self._files = _event_files(folder)
        path = folder / "Devices.xml"
        model = read_devices(path) if path.is_file() else DeviceModel(None, {})
        self._gaps = missing_days(folder / "missing_days.txt")
        super().__init__(model, self._files, [] if path.is_file() else [NO_MODEL])

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Lines of one machine in the order of its file."""
        self.twin(twin)
        path = self._files[twin]
        signals = self._signals[twin]
        source = f"{path.parent.name}/{path.name}:"
        instants = Instants()
        for number, fields in rows(path, HEADER):
            if isinstance(fields, str):
                yield RecordedLine(twin, instants.latest, "", fields, f"{source}{number}")
                continue
            stamp, item, _, value = fields
            yield RecordedLine(twin, instants.read(stamp), signals.get(item, item), value, f"{source}{number}")

    def _read(self, id: str) -> RecordedTwin:
        path = self._files[id]
        name = _machine_name(path)
        notes = []
        if self._model.devices and name not in self._model.devices:
            notes.append(f"{name} is not in Devices.xml: its type is derived from the data")
        session = f"nist-sms-{content_id([path])}"
        return self._found(id, name, _survey(path), session, notes, self._gaps.get(name, ()))


def _machine_name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv")


def _event_files(folder: Path) -> dict[str, Path]:
    """Twin id -> file. Two names that make the same id, or a name that makes none, are faults."""
    found = sorted([*folder.glob("events/*.csv"), *folder.glob("events/*.csv.gz")])
    faults: list[Fault] = []
    files: dict[str, Path] = {}
    if not found:
        faults.append(
            Fault("recording:empty", f"there is no events/*.csv or events/*.csv.gz in {folder}", "Check the folder")
        )
    for path in found:
        twin = _machine_name(path).lower()
        if TWIN_ID.match(twin) is None:
            faults.append(
                Fault("recording:name", f"{path.name} gives no twin id", "Use letters, digits, _ and -", file=path.name)
            )
        elif twin in files:
            faults.append(
                Fault("recording:name-twice", f"{path.name} and {files[twin].name} are both twin {twin}", "Keep one")
            )
        files[twin] = path
    if faults:
        raise InvalidInputError(faults)
    return files


def _survey(path: Path) -> Survey:
    survey = Survey({}, set(), set(), {})
    for _, fields in rows(path, HEADER):
        if isinstance(fields, str):
            continue
        stamp, item, item_type, value = fields
        survey.items.setdefault(item, item_type)
        if item not in survey.conditions and "|" in value and parse_condition(value) is not None:
            survey.conditions.add(item)
        survey.count(stamp)
    return survey


def missing_days(path: Path) -> dict[str, list[Gap]]:
    """Declared gaps by machine name: each line names a day file that is absent.

    ``Mazak01-20161005-20161006.txt`` held the day of 5 October 2016, from 05:00 UTC (midnight Eastern Standard
    Time) to 05:00 UTC of the next day. Days that touch become one gap.

    Raises:
        InvalidInputError: ``recording:missing-days`` for each line that names no machine and day.
    """
    if not path.is_file():
        return {}
    spans: dict[str, list[tuple[int, int]]] = {}
    faults: list[Fault] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        match = _DAY_FILE.match(line.strip())
        try:
            if match is None:
                raise ValueError("no <machine>-<day>-<next day>.txt")
            start, end = (
                int(datetime.strptime(d, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * NS for d in match.groups()[1:]
            )
            if end <= start:
                raise ValueError("the second day is not after the first")
        except ValueError as e:
            faults.append(
                Fault(
                    "recording:missing-days",
                    f"{line.strip()[:80]!r}: {e}",
                    "Write it like Mazak01-20161005-20161006.txt",
                    file=path.name,
                    line=number,
                )
            )
            continue
        spans.setdefault(match.group(1), []).append((start + DAY_BEGINS, end + DAY_BEGINS))
    if faults:
        raise InvalidInputError(faults)
    return {name: _joined(found, path.name) for name, found in spans.items()}


def _joined(spans: list[tuple[int, int]], source: str) -> list[Gap]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [Gap(start, end, "day file missing", source) for start, end in joined]
