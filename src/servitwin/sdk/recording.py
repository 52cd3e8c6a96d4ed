"""Recordings: what a reader of recorded files hands over, and how its lines become payloads as a machine sends them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from servitwin.domain.condition import parse_condition
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalType
from servitwin.domain.state_time import Gap

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
    """

    id: str
    title: str
    serial: str
    type: MachineType
    session: str
    commissioned: int | None = None
    commissioned_from: str = ""
    gaps: tuple[Gap, ...] = ()


class Recording(Protocol):
    """A folder of recorded machines, read as often as needed with the same result."""

    @property
    def twins(self) -> Sequence[RecordedTwin]:
        """The machines in it, by id."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a reader had to decide, for people: names that collide, items without a model."""
        ...

    def lines(self, twins: Collection[str]) -> Iterator[RecordedLine]:
        """Lines of these machines, merged by time, each machine's lines in the order of its file."""
        ...


class Message(NamedTuple):
    """One payload with the number of values (an unreadable line is one) and the time at which it is due."""

    twin: str
    time: int | None
    values: int
    payload: bytes


class _Open:
    """The message of one twin that is being filled."""

    __slots__ = ("seq", "session", "source", "time", "values")

    def __init__(self, session: str) -> None:
        self.session = session
        self.seq = 0
        self.time: int | str = 0
        self.source = ""
        self.values: dict[str, Value] = {}


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
    lines: Iterable[RecordedLine],
    sessions: Mapping[str, str],
    kinds: Mapping[str, Mapping[str, SignalType]],
) -> Iterator[Message]:
    """Payloads as the machines would have sent them: one for each time of a machine, in order, numbered from 0.

    How lines are cut into messages depends on the machine's own lines alone, never on which other machines are
    replayed or how fast: (session, seq) names the same values in every run. A signal that speaks twice at one
    time gets a second message. A line that could not be read travels alone, with its raw text.

    Args:
        lines: lines of any number of machines, merged in any way.
        sessions: session of each twin.
        kinds: type of each signal of each twin, as the node knows it; a signal without one keeps its text.
    """
    encode = msgspec.json.Encoder().encode
    opened = {twin: _Open(session) for twin, session in sessions.items()}

    def close(twin: str, message: _Open) -> Message:
        payload = encode(
            {
                "time": message.time,
                "values": message.values,
                "session": message.session,
                "seq": message.seq,
                "source": message.source,
            }
        )
        done = Message(twin, message.time if isinstance(message.time, int) else None, len(message.values), payload)
        message.seq += 1
        message.values = {}
        return done

    for line in lines:
        message = opened[line.twin]
        same = message.time == line.time and line.signal not in message.values and line.signal
        if message.values and not same:
            yield close(line.twin, message)
        if not line.signal:
            raw = {"session": message.session, "seq": message.seq, "source": line.source, "line": line.value}
            message.seq += 1
            yield Message(line.twin, None, 1, encode(raw))
            continue
        if not message.values:
            message.time, message.source = line.time, line.source
        message.values[line.signal] = typed_value(line.value, kinds.get(line.twin, {}).get(line.signal))
    for twin, message in opened.items():
        if message.values:
            yield close(twin, message)
