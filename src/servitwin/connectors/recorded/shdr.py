"""``shdr``: what an MTConnect adapter said, line by line (Simple Hierarchical Data Representation).

One or more ``<machine>-<day>-<next day>.txt[.gz]`` or ``<name>.shdr[.txt][.gz]`` a machine, with the agent's
``Devices.xml`` in the folder or above it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from servitwin.connectors.recorded.by_machine import NO_MODEL, ByMachine
from servitwin.connectors.recorded.derive import Survey
from servitwin.connectors.recorded.devices import Device, DeviceModel, read_devices
from servitwin.connectors.recorded.tables import Instants, content_id, whole_lines
from servitwin.domain.condition import parse_condition
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.recording import RecordedLine, RecordedTwin

_DAY_FILE = re.compile(r"(.+?)-\d{8}-\d{8}\Z", re.ASCII)
_SUFFIXES = (".gz", ".txt", ".shdr")
# A condition is ``key|level|native code|native severity|qualifier|text`` and has a line of its own.
_CONDITION_FIELDS = 6
Entry = tuple[int, str, str, str]  # line number, time, key (empty: not understood), value or raw line


class ShdrRecording(ByMachine):
    """A folder of adapter output."""

    def __init__(self, folder: Path) -> None:
        path = next((p for p in (folder / "Devices.xml", folder.parent / "Devices.xml") if p.is_file()), None)
        model = read_devices(path) if path else DeviceModel(None, {})
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._names: dict[str, str] = {}
        self._find(folder, model)
        self._conditions: dict[str, set[str]] = {}
        super().__init__(model, self._files, [] if path else [NO_MODEL])

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Lines of one machine in the order of its files."""
        self.twin(twin)
        signals = self._signals[twin]
        instants = Instants()
        for path in self._files[twin]:
            for number, stamp, key, value in _entries(path, self._conditions[twin]):
                time = instants.read(stamp.partition("@")[0])
                yield RecordedLine(twin, time, signals.get(key, key), value, f"{path.name}:{number}")

    def _find(self, folder: Path, model: DeviceModel) -> None:
        for path in sorted(folder.iterdir()):
            stem = path.name
            for suffix in _SUFFIXES:
                stem = stem.removesuffix(suffix)
            day_file = _DAY_FILE.match(stem)
            if not (day_file or ".shdr" in path.name):
                continue
            name = day_file.group(1) if day_file else _device_named(model, stem)
            twin = name.lower()
            if TWIN_ID.match(twin) is None:
                raise InvalidInputError(
                    Fault("recording:name", f"{path.name} gives no twin id", "Rename the file", file=path.name)
                )
            self._files[twin].append(path)
            self._names[twin] = name
        if not self._files:
            raise InvalidInputError(
                Fault("recording:empty", f"there is no adapter output in {folder}", "Name files <machine>.shdr.txt")
            )

    def _read(self, id: str) -> RecordedTwin:
        name = self._names[id]
        declared = _condition_keys(self._model.devices.get(name))
        survey, skipped = _survey(self._files[id], declared)
        self._conditions[id] = declared | survey.conditions
        notes = [f"{name}: {skipped} lines of assets and adapter settings are no observations"] if skipped else []
        return self._found(id, name, survey, f"shdr-{content_id(self._files[id])}", notes)


def _device_named(model: DeviceModel, stem: str) -> str:
    """The device whose name the file's name begins with, else the file's own name up to the first dot."""
    fitting = [n for n in model.devices if stem.lower().startswith(n.lower())]
    return max(fitting, key=len) if fitting else stem.partition(".")[0]


def _condition_keys(device: Device | None) -> set[str]:
    if device is None:
        return set()
    conditions = {s.name for s in device.type.signals if s.type == "condition"}
    return {key for key, signal in device.signal_of.items() if signal in conditions}


def _observing(path: Path) -> Iterator[tuple[int, str | None]]:
    """Lines with their number; None for a line of an asset or a setting of the adapter."""
    until = ""
    for number, text in whole_lines(path):
        if until:
            until = "" if text == until else until
            yield number, None
        elif text.startswith("*"):
            yield number, None
        elif "|@" in text[:60]:
            _, _, marker = text.rpartition("|")
            until = marker if marker.startswith("--multiline--") else ""
            yield number, None
        elif text:
            yield number, text


def _entries(path: Path, conditions: set[str]) -> Iterator[Entry]:
    for number, text in _observing(path):
        if text is None:
            continue
        time, _, rest = text.partition("|")
        fields = rest.split("|")
        if len(fields) >= 2 and fields[0] and (fields[0] in conditions or _speaks_as_condition(fields)):
            yield number, time, fields[0], "|".join(fields[1:])
        elif len(fields) % 2 or not all(fields[::2]):
            yield number, time, "", text
        else:
            for key, value in zip(fields[::2], fields[1::2], strict=True):
                yield number, time, key, value


def _speaks_as_condition(fields: Sequence[str]) -> bool:
    """Whether a line has a condition's form; ``UNAVAILABLE`` is also what any item of a pair may say."""
    if len(fields) != _CONDITION_FIELDS:
        return False
    condition = parse_condition(fields[1])
    return condition is not None and (condition.level != "unavailable" or not any(fields[2:]))


def _survey(paths: Sequence[Path], declared: set[str]) -> tuple[Survey, int]:
    """Items and days in the files, and how many lines are no observations."""
    survey = Survey({}, set(), set(), {})
    texts: set[str] = set()
    skipped = 0
    for path in paths:
        skipped += sum(1 for _, text in _observing(path) if text is None)
        for _, stamp, key, value in _entries(path, declared):
            if not key:
                continue
            survey.items.setdefault(key, "")
            if "|" in value and parse_condition(value) is not None:
                survey.conditions.add(key)
            if key not in texts and value != "UNAVAILABLE" and not _is_number(value):
                texts.add(key)
            survey.count(stamp)
    survey.numbers = set(survey.items) - texts - survey.conditions
    return survey, skipped


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
