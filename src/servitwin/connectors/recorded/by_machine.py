"""Recordings that keep each machine in files of its own: what their readers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from servitwin.connectors.recorded.derive import Survey, commissioned, derive_type
from servitwin.connectors.recorded.devices import DeviceModel
from servitwin.domain.state_time import Gap
from servitwin.sdk.recording import RecordedTwin

NO_MODEL = "there is no Devices.xml: types are derived from the data"


class ByMachine(ABC):
    """A machine that is asked for is read once; names and counts are kept."""

    def __init__(self, model: DeviceModel, ids: Iterable[str], notes: Sequence[str]) -> None:
        self._model = model
        self._ids = sorted(ids)
        self._notes = notes
        self._signals: dict[str, Mapping[str, str]] = {}  # of each machine that was read: data item -> signal
        self._twins: dict[str, RecordedTwin] = {}

    @property
    def notes(self) -> Sequence[str]:
        """What had to be decided while reading, for people."""
        return self._notes

    @property
    def ids(self) -> Sequence[str]:
        """Twin ids of the machines in it, sorted."""
        return self._ids

    def twin(self, id: str) -> RecordedTwin:
        """One of its machines."""
        if id not in self._twins:
            self._twins[id] = self._read(id)
        return self._twins[id]

    @abstractmethod
    def _read(self, id: str) -> RecordedTwin:
        """Survey the files of a machine and tell what was found with :meth:`_found`."""

    def _found(
        self, id: str, name: str, survey: Survey, session: str, notes: Iterable[str], gaps: Sequence[Gap] = ()
    ) -> RecordedTwin:
        """The machine as the device model and its own data describe it; ``notes`` are the reader's own about it."""
        device = self._model.devices.get(name)
        said = [*(device.notes if device else ()), *notes]
        machine_type, self._signals[id] = derive_type(name, device, survey, said.append)
        begin, why = commissioned(self._model.created, survey)
        return RecordedTwin(
            id=id,
            title=device.title if device else name,
            serial=device.serial if device else "",
            type=machine_type,
            session=session,
            commissioned=begin,
            commissioned_from=why,
            gaps=tuple(gaps),
            notes=tuple(said),
        )
