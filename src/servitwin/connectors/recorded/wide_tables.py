"""Recordings of test beds as wide tables: one file a run, one row an instant, one column a signal.

Each run is a machine of its own, so that nothing that is judged over time reaches from one run into the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from servitwin.connectors.recorded.tables import content_id, whole_lines
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.machine_type import MachineType
from servitwin.sdk.recording import RecordedLine, RecordedTwin


class WideTables(ABC):
    """A folder of runs; nothing but names is read before a run is asked for."""

    separator = ","

    def __init__(self, files: Mapping[str, Path], machine_type: MachineType, kind: str) -> None:
        """``files``: by twin id."""
        self._files = dict(sorted(files.items()))
        self._type = machine_type
        self._kind = kind

    @property
    def ids(self) -> Sequence[str]:
        """Twin ids of the runs, sorted."""
        return list(self._files)

    @property
    def notes(self) -> Sequence[str]:
        """What had to be decided while reading, for people."""
        return []

    def twin(self, id: str) -> RecordedTwin:
        """One of its runs."""
        path = self._files[id]
        self._columns(path)
        session = f"{self._kind}-{content_id([path])}"
        return RecordedTwin(id=id, title=self._title(id), serial=id, type=self._type, session=session)

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Values of one run, row by row; a row of another length comes as its raw text."""
        path = self._files[twin]
        columns = self._columns(path)
        rows = whole_lines(path)
        next(rows)
        row, time = 0, 0
        for number, text in rows:
            source = f"{path.name}:{number}"
            fields = text.split(self.separator)
            if len(fields) != len(columns):
                if text:
                    yield RecordedLine(twin, time, "", text, source)
                continue
            said = self._time(row, fields)
            time = said if isinstance(said, int) else time
            for name, value in zip(columns, fields, strict=True):
                if name:
                    yield RecordedLine(twin, said, name, self._value(name, value), source)
            row += 1

    @abstractmethod
    def _title(self, id: str) -> str:
        """What people call a run."""

    @abstractmethod
    def _time(self, row: int, fields: Sequence[str]) -> int | str:
        """Nanoseconds UTC of a row, or its text where that is no time."""

    @abstractmethod
    def _signal(self, column: str) -> str:
        """The signal of a column; empty: the column is none."""

    def _value(self, signal: str, text: str) -> str:
        del signal
        return text

    def _columns(self, path: Path) -> list[str]:
        first = next(whole_lines(path), None)
        names = first[1].strip().split(self.separator) if first is not None else []
        signals = [self._signal(name) for name in names]
        known = {s.name for s in self._type.signals}
        unknown = [n for n, s in zip(names, signals, strict=True) if s and s not in known]
        if not names or unknown:
            said = f"{path.name} has a column {unknown[0][:60]!r}" if unknown else f"{path.name} is empty"
            hint = f"Its columns are signals of {self._type.name}"
            raise InvalidInputError(Fault("recording:other-columns", said, hint, file=path.name, line=1))
        return signals


def run_files(folder: Path, pattern: str) -> list[Path]:
    """Files of a pattern, packed or not, by name.

    Raises:
        InvalidInputError: ``recording:empty``.
    """
    found = sorted([*folder.glob(pattern), *folder.glob(f"{pattern}.gz")])
    if not found:
        raise InvalidInputError(
            Fault("recording:empty", f"there is no {pattern} or {pattern}.gz in {folder}", "Check the folder")
        )
    return found
