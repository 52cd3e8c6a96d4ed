"""Connector of recorded files: ``{"kind": one of KINDS, "folder": path}``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from servitwin.connectors.recorded.azure import AzureRecording
from servitwin.connectors.recorded.batch import BatchRecording
from servitwin.connectors.recorded.mill_wear import MillWearRecording
from servitwin.connectors.recorded.shdr import ShdrRecording
from servitwin.connectors.recorded.skab import SkabRecording
from servitwin.connectors.recorded.sms import SmsRecording
from servitwin.domain.command import Command
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.sdk.connector import Absent, Batch, BrokenError, Config, DecodeFault, Discovered
from servitwin.sdk.recording import Message, Recording, play, recorded_twins

KINDS: Mapping[str, Callable[[Path], Recording]] = {
    "azure-pdm": AzureRecording,
    "cnc-mill-wear": MillWearRecording,
    "nist-batch": BatchRecording,
    "nist-sms": SmsRecording,
    "shdr": ShdrRecording,
    "skab": SkabRecording,
}


def open_recording(kind: str, folder: Path) -> Recording:
    """The recording in a folder.

    Raises:
        InvalidInputError: ``recording:kind-unknown``, ``recording:no-folder`` or what the reader found.
    """
    if kind not in KINDS:
        raise InvalidInputError(
            Fault(
                "recording:kind-unknown", f"{kind[:40]!r} is no kind of recording", f"Known: {', '.join(sorted(KINDS))}"
            )
        )
    if not folder.is_dir():
        raise InvalidInputError(
            Fault("recording:no-folder", f"{folder} is no folder", "Name the folder of the recording")
        )
    return KINDS[kind](folder)


def check(config: Config) -> Sequence[Fault]:
    """All faults of a configuration, reading the folder's files once to know their machines."""
    unknown = sorted(set(config) - {"kind", "folder"})
    faults = [
        Fault("recording:option-unknown", f"there is no option {o!r}", "Use kind and folder", where=o) for o in unknown
    ]
    missing = [o for o in ("kind", "folder") if not isinstance(config.get(o), str)]
    faults += [Fault("recording:option-missing", f"{o} has to be a text", "Name it", where=o) for o in missing]
    if not missing:
        try:
            recording = open_recording(config["kind"], Path(config["folder"]))
            recorded_twins(recording, recording.ids)
        except InvalidInputError as e:
            faults += e.faults
    return faults


class _Payload(msgspec.Struct):
    time: int
    values: dict[str, float | str | bool | None]
    session: str
    seq: int


class RecordedConnector:
    """Machines of a recording, as a connection that ends with the last line."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._kind = kind
        self._folder = folder
        self._closed = False

    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """Payloads as :meth:`observations` makes them; ``topic`` is ``servitwin/<twin>/observations``."""
        parts = topic.split("/")
        twin = parts[1] if len(parts) == 3 and parts[0] == "servitwin" and parts[2] == "observations" else ""
        if not twin:
            fault = Fault(
                "topic:unknown", f"{topic[:80]!r} is no topic of a recording", "Use servitwin/<twin>/observations"
            )
            return (), (DecodeFault(fault),)
        try:
            read = msgspec.json.decode(payload, type=_Payload)
        except msgspec.ValidationError as e:
            fault = Fault("payload:wrong-shape", str(e), "See the file and line in `source`")
            return (), (DecodeFault(fault, twin),)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
            fault = Fault("payload:not-json", str(e), "Send what the reader of the recording made")
            return (), (DecodeFault(fault, twin),)
        columns: dict[str, list[float | str | bool | Absent | None]] = {
            signal: [value] for signal, value in read.values.items()
        }
        return (Batch(twin, [read.time], columns, read.session, read.seq, replayed=True),), ()

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """All messages of the recording in order of time."""
        for message in self._messages():
            if self._closed:
                return
            yield f"servitwin/{message.twin}/observations", message.payload

    def _messages(self) -> Sequence[Message]:
        recording = open_recording(self._kind, self._folder)
        kinds = {id: {s.name: s.type for s in recording.twin(id).type.signals} for id in recording.ids}
        return list(play(recording, kinds, kinds))

    async def send(self, command: Command) -> None:
        """A recording takes no commands.

        Raises:
            BrokenError: always.
        """
        raise BrokenError(f"a recording cannot take command {command.name!r}")

    async def discover(self) -> Sequence[Discovered]:
        """The machines in the folder."""
        recording = open_recording(self._kind, self._folder)
        twins = [recording.twin(id) for id in recording.ids]
        return [Discovered(t.id, t.title, t.serial, t.type.reference, str(self._folder)) for t in twins]

    async def close(self) -> None:
        """Stop handing over messages."""
        self._closed = True


def connect(config: Config) -> RecordedConnector:
    """A connection to the recording of a checked configuration."""
    return RecordedConnector(str(config["kind"]), Path(str(config["folder"])))
