"""``nist-sms``: events of the machine tools of NIST's Smart Manufacturing Systems test bed, and folders of its layout.

``events/<machine>.csv[.gz]`` with columns timestamp, dataitem, type, value; ``Devices.xml`` (model of the agent) and
``missing_days.txt`` (day files that are absent) where they exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from servitwin.connectors.recorded.derive import Survey, commissioned, derive_type
from servitwin.connectors.recorded.devices import DeviceModel, read_devices
from servitwin.connectors.recorded.tables import content_id, instant_or_text, rows
from servitwin.domain.condition import parse_condition
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR, NS
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.recording import RecordedLine, RecordedTwin

HEADER = ("timestamp", "dataitem", "type", "value")
# The day files of the test bed begin at midnight of Eastern Standard Time, summer and winter: those of May 2016
# open with a snapshot stamped 05:00:00.000000Z. docs/guides/real-data.md has the evidence.
DAY_BEGINS = 5 * HOUR
_DAY_FILE = re.compile(r"(.+)-(\d{8})-(\d{8})(?:\.txt)?(?:\.gz)?\Z", re.ASCII)


class SmsRecording:
    """A folder of the test bed's layout. A machine that is asked for is read once; names and counts are kept."""

    def __init__(self, folder: Path) -> None:
        self._files = _event_files(folder)
        path = folder / "Devices.xml"
        self._model = read_devices(path) if path.is_file() else DeviceModel(None, {})
        self._notes: list[str] = [] if path.is_file() else ["there is no Devices.xml: types are derived from the data"]
        self._signals: dict[str, Mapping[str, str]] = {}
        self._gaps = missing_days(folder / "missing_days.txt")
        self._twins: dict[str, RecordedTwin] = {}

    @property
    def notes(self) -> Sequence[str]:
        """What had to be decided while reading, for people."""
        return self._notes

    @property
    def ids(self) -> Sequence[str]:
        """Twin ids of the machines in it, sorted."""
        return sorted(self._files)

    def twin(self, id: str) -> RecordedTwin:
        """One of its machines."""
        if id not in self._twins:
            self._twins[id] = self._read(id)
        return self._twins[id]

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Lines of one machine in the order of its file."""
        self.twin(twin)
        path = self._files[twin]
        signals = self._signals[twin]
        source = f"{path.parent.name}/{path.name}:"
        last_text, last_time = "", 0
        time: int | str
        for number, fields in rows(path, HEADER):
            if isinstance(fields, str):
                yield RecordedLine(twin, last_time, "", fields, f"{source}{number}")
                continue
            stamp, item, _, value = fields
            if stamp == last_text:
                time = last_time
            else:
                time = instant_or_text(stamp)
                if isinstance(time, int):
                    last_text, last_time = stamp, time
            yield RecordedLine(twin, time, signals.get(item, item), value, f"{source}{number}")

    def _read(self, twin: str) -> RecordedTwin:
        path = self._files[twin]
        name = _machine_name(path)
        survey = _survey(path)
        device = self._model.devices.get(name)
        notes = list(device.notes) if device else []
        if device is None and self._model.devices:
            notes.append(f"{name} is not in Devices.xml: its type is derived from the data")
        machine_type, self._signals[twin] = derive_type(name, device, survey, notes.append)
        begin, why = commissioned(self._model.created, survey)
        return RecordedTwin(
            id=twin,
            title=device.title if device else name,
            serial=device.serial if device else "",
            type=machine_type,
            session=f"nist-sms-{content_id([path])}",
            commissioned=begin,
            commissioned_from=why,
            gaps=tuple(self._gaps.get(name, ())),
            notes=tuple(notes),
        )


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
    items: dict[str, str] = {}
    conditions: set[str] = set()
    per_day: dict[int, int] = {}
    last = ("", 0)
    for _, fields in rows(path, HEADER):
        if isinstance(fields, str):
            continue
        stamp, item, item_type, value = fields
        if item not in items:
            items[item] = item_type
        if item not in conditions and "|" in value and parse_condition(value) is not None:
            conditions.add(item)
        if stamp[:10] != last[0]:
            time = instant_or_text(stamp)
            if not isinstance(time, int):
                continue
            last = (stamp[:10], time - time % DAY)
        per_day[last[1]] = per_day.get(last[1], 0) + 1
    return Survey(items, conditions, set(), per_day)


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
