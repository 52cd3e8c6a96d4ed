"""Recordings: what a reader of recorded files hands over, and how its lines become payloads as a machine sends them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from servitwin.domain.condition import parse_condition
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalType
from servitwin.domain.state_time import Gap
from servitwin.domain.trace_event import TraceEvent

Value = float | str | bool | None


class RecordedLine(NamedTuple):
    """One line of a recording. ``signal`` empty: the line could not be read, ``value`` is then its raw text.

    ``time`` is nanoseconds UTC, or the text as found where it is no RFC 3339 time. ``source`` is ``file:line``.
    """

    twin: str
    time: int | str
    signal: str
    value: str
    source: str


class RecordedTwin(msgspec.Struct, frozen=True):
    """A machine found in a recording, with all that is needed to register it.

    Attributes:
        id: twin id made of the machine's name.
        session: names the content of the machine's files: the same content has the same session for good.
        commissioned: observations before it are impossible; None: not known. ``commissioned_from`` says why.
        gaps: stretches that the recording itself declares missing.
        notes: what a reader had to decide about this machine, for people: names that collide, items without a model.
    """

    id: str
    title: str
    serial: str
    type: MachineType
    session: str
    commissioned: int | None = None
    commissioned_from: str = ""
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


class Recording(Protocol):
    """A folder of recorded machines, read as often as needed with the same result."""

    @property
    def ids(self) -> Sequence[str]:
        """Twin ids of the machines in it, sorted."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a reader had to decide about the whole folder, for people."""
        ...

    def twin(self, id: str) -> RecordedTwin:
        """One of its machines; its files may be read once for that."""
        ...

    def lines(self, twin: str) -> Iterator[RecordedLine]:
        """Lines of one machine in the order of its file."""
        ...


@runtime_checkable
class TracedRecording(Protocol):
    """A recording that also tells what became of each part."""

    @property
    def faults(self) -> Sequence[Fault]:
        """Files that could not be read whole; what could be read of them is used."""
        ...

    def traces(self) -> Sequence[TraceEvent]:
        """Events of all parts."""
        ...


class Message(NamedTuple):
    """One payload with the number of values (an unreadable line is one) and the time at which it is due."""

    twin: str
    due: int
    values: int
    payload: bytes


def typed_value(text: str, kind: SignalType | None) -> Value:
    """The value that a recorded text means for a signal of that type.

    UNAVAILABLE (and a condition of level Unavailable) is None. What is no value of the type stays text, so that
    the check of ingest says so and keeps it.
    """
    if text == "UNAVAILABLE":
        return None
    if kind == "number":
        try:
            number = float(text)
        except ValueError:
            return text
        return number if math.isfinite(number) else text
    if kind == "condition":
        condition = parse_condition(text)
        return None if condition is not None and condition.level == "unavailable" else text
    if kind == "flag":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def messages(
    lines: Iterable[RecordedLine], twin: str, session: str, kinds: Mapping[str, SignalType]
) -> Iterator[Message]:
    """Payloads of one machine as it would have sent them: one for each time, in order, numbered from 0.

    How lines are cut into messages depends on the machine's own lines alone, never on which other machines are
    replayed or how fast: (session, seq) names the same values in every run. A signal that speaks twice at one
    time gets a second message. A line that could not be read travels alone, with its raw text.

    Args:
        lines: the machine's lines.
        twin: its id.
        session: its session.
        kinds: type of each signal, as the node knows it; a signal without one keeps its text.
    """
    encode = msgspec.json.Encoder().encode
    seq = 0
    due = -(2**63)
    time: int | str = 0
    source = ""
    values: dict[str, Value] = {}
    for line in lines:
        if values and (line.time != time or line.signal in values or not line.signal):
            yield Message(twin, due, len(values), encode(_payload(time, values, session, seq, source)))
            seq += 1
            values = {}
        if not line.signal:
            raw = {"session": session, "seq": seq, "source": line.source, "line": line.value}
            seq += 1
            yield Message(twin, due, 1, encode(raw))
            continue
        if not values:
            time, source = line.time, line.source
            due = time if isinstance(time, int) else due
        values[line.signal] = typed_value(line.value, kinds.get(line.signal))
    if values:
        yield Message(twin, due, len(values), encode(_payload(time, values, session, seq, source)))


def _payload(time: int | str, values: dict[str, Value], session: str, seq: int, source: str) -> dict[str, object]:
    return {"time": time, "values": values, "session": session, "seq": seq, "source": source, "replayed": True}


def recorded_twins(recording: Recording, ids: Iterable[str]) -> list[RecordedTwin]:
    """These machines of a recording.

    Raises:
        InvalidInputError: everything that is wrong with their files, not only with the first.
    """
    twins: list[RecordedTwin] = []
    faults: list[Fault] = []
    for id in ids:
        try:
            twins.append(recording.twin(id))
        except InvalidInputError as e:
            faults += e.faults
    if faults:
        raise InvalidInputError(faults)
    return twins


def play(
    recording: Recording, twins: Collection[str], kinds: Mapping[str, Mapping[str, SignalType]]
) -> Iterator[Message]:
    """Messages of these machines, merged by time."""
    streams = [
        messages(recording.lines(id), id, recording.twin(id).session, kinds.get(id, {}))
        for id in recording.ids
        if id in twins
    ]
    return heapq.merge(*streams, key=lambda message: message.due)
