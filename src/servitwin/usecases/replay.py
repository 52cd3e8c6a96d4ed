"""Replay a recording into a running node: register, publish acknowledged, wait until all is stored, count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec

from servitwin.domain.error import ConflictError, Fault, InvalidInputError, UnavailableError
from servitwin.domain.instant import NS, format_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalType
from servitwin.domain.state_time import Gap
from servitwin.sdk.recording import Message, RecordedTwin, Recording, play, recorded_twins

# A request holds at most this much: well below the 8 MB that a node accepts, and a second's work for it.
_CHUNK_BYTES = 3_000_000
_CHUNK_MESSAGES = 10_000
# How long to go on trying while the node refuses (stream or disk full, restarting).
_PATIENCE_S = 300.0
_MOST_VERSIONS = 1000
T = TypeVar("T")


class KnownTwin(Protocol):
    """What is needed of a twin that the node knows."""

    @property
    def type(self) -> str | None: ...  # noqa: D102


class SentLines(Protocol):
    """What the node says about payloads that are durable now."""

    @property
    def duplicates(self) -> int: ...  # noqa: D102
    @property
    def cut(self) -> Mapping[str, int]: ...  # noqa: D102


class Committed(Protocol):
    """How far ingest has come."""

    @property
    def committed(self) -> Mapping[str, int]: ...  # noqa: D102


class SessionCounts(Protocol):
    """What ingest counted for a session, since the start of its process."""

    @property
    def messages(self) -> int: ...  # noqa: D102
    @property
    def stored(self) -> int: ...  # noqa: D102
    @property
    def quarantined(self) -> int: ...  # noqa: D102
    @property
    def repeated(self) -> int: ...  # noqa: D102
    @property
    def since(self) -> str | None: ...  # noqa: D102


class ReplayNode(Protocol):
    """A running node as a replay needs it; ``servitwin.client.Client`` is one."""

    def find_twin(self, id: str) -> KnownTwin | None: ...  # noqa: D102
    def save_twin(self, id: str, body: Mapping[str, Any]) -> object: ...  # noqa: D102
    def machine_type(self, reference: str) -> MachineType: ...  # noqa: D102
    def add_machine_type(self, machine_type: MachineType) -> object: ...  # noqa: D102
    def declare_gaps(self, twin: str, gaps: Sequence[Gap]) -> None: ...  # noqa: D102
    def send(self, twin: str, payloads: Sequence[bytes]) -> SentLines: ...  # noqa: D102
    def cut(self) -> Committed: ...  # noqa: D102
    def session_counts(self, twin: str, session: str) -> SessionCounts: ...  # noqa: D102


class Counts(msgspec.Struct):
    """Values read, published and acknowledged, and what became of them.

    ``read`` = ``published`` = ``stored`` + ``quarantined`` + ``repeated`` after a whole replay.
    """

    read: int = 0
    published: int = 0
    stored: int = 0
    quarantined: int = 0
    repeated: int = 0


@dataclass
class _Flow:
    """What has been sent so far."""

    messages: int = 0
    duplicates: int = 0
    sent_again: int = 0  # messages of requests that failed half-way: some of their duplicates are our own
    cut: dict[str, int] = field(default_factory=dict)


class Replay:
    """One replay. ``say`` gets a line for people at every step; nothing else is written."""

    def __init__(
        self,
        recording: Recording,
        node: ReplayNode,
        say: Callable[[str], None],
        *,
        machines: Collection[str] = (),
        speed: float | None = None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Prepare a replay of all machines or those named; ``speed`` times real time, None as fast as possible.

        Raises:
            InvalidInputError: ``replay:machine-unknown`` or ``replay:speed``.
        """
        self._node = node
        self._say = say
        self._clock = clock
        self._sleep = sleep
        if speed is not None and not 0 < speed < 1e9:
            raise InvalidInputError(
                Fault("replay:speed", f"speed {speed} makes no sense", "Use max or a number above 0")
            )
        self._speed = speed
        self._recording = recording
        self._twins = _chosen(recording, machines)
        self.counts = Counts()
        self.registered: list[str] = []

    def run(self) -> Counts:
        """Register what is missing, publish everything in order of time, wait until it is stored, and count.

        Interrupted, it can be run again from the start: what was already there is counted as repeated.

        Raises:
            UnavailableError: the node does not answer or refuses for longer than five minutes;
                ``replay:counts`` if what ingest counted is not what was sent.
        """
        for note in [*self._recording.notes, *(n for t in self._twins for n in t.notes)]:
            self._say(note)
        kinds = {twin.id: self._register(twin) for twin in self._twins}
        before = {t.id: self._node.session_counts(t.id, t.session) for t in self._twins}
        flow = _Flow()
        for chunk in self._chunks(play(self._recording, kinds, kinds)):
            self._publish(chunk, flow)
        self._wait(flow.cut)
        self._count(before, flow)
        return self.counts

    # registering -----------------------------------------------------------------------------------------------
    def _register(self, recorded: RecordedTwin) -> Mapping[str, SignalType]:
        """Make sure that twin and type are there, and say what was made; returns the signals' types on the node."""
        known = self._node.find_twin(recorded.id)
        if known is None or known.type is None:
            machine_type = self._published(recorded.type)
            body: dict[str, Any] = {
                "kind": "machine",
                "title": recorded.title,
                "type": machine_type.reference,
                "registered_from": recorded.type.registered_from,
            }
            if recorded.serial:
                body["serial"] = recorded.serial
            if recorded.commissioned is not None:
                body["commissioned"] = format_instant(recorded.commissioned)
            self._node.save_twin(recorded.id, body)
            since = "nothing tells when it was commissioned"
            if "commissioned" in body:
                since = f"commissioned {body['commissioned']}: {recorded.commissioned_from}"
            self._tell(
                f"registered twin {recorded.id} ({recorded.title}), type {machine_type.reference}"
                f" from {recorded.type.registered_from}; {since}"
            )
        else:
            machine_type = self._widened(recorded, self._node.machine_type(known.type))
        if recorded.gaps:
            self._node.declare_gaps(recorded.id, recorded.gaps)
            hours = sum(g.end - g.start for g in recorded.gaps) / NS / 3600
            self._say(f"{recorded.id}: {len(recorded.gaps)} declared gaps, {hours:.0f} h, are in force")
        return {s.name: s.type for s in machine_type.signals}

    def _widened(self, recorded: RecordedTwin, there: MachineType) -> MachineType:
        """The twin's type, in a new version if the recording has signals that it lacks."""
        names = {s.name for s in there.signals}
        missing = tuple(s for s in recorded.type.signals if s.name not in names)
        if not missing:
            return there
        paths = {c.path for c in there.components}
        wider = msgspec.structs.replace(
            there,
            version=there.version + 1,
            signals=(*there.signals, *missing),
            components=(*there.components, *(c for c in recorded.type.components if c.path not in paths)),
            states=there.states or recorded.type.states,
            production=there.production or recorded.type.production,
        )
        published = self._published(wider)
        start = format_instant(recorded.commissioned or 0)
        self._node.save_twin(recorded.id, {"type": published.reference, "from": start})
        self._tell(
            f"twin {recorded.id} is now of type {published.reference}: {there.reference} lacks "
            + ", ".join(s.name for s in missing)
        )
        return published

    def _published(self, machine_type: MachineType) -> MachineType:
        """The type as it is on the node now: the same content, in the first version that is free or equal."""
        for _ in range(_MOST_VERSIONS):
            try:
                self._node.add_machine_type(machine_type)
            except ConflictError:
                machine_type = msgspec.structs.replace(machine_type, version=machine_type.version + 1)
                continue
            return machine_type
        raise ConflictError(
            Fault("replay:type", f"{machine_type.name} has too many versions", "Give the machine another type by hand")
        )

    def _tell(self, what: str) -> None:
        self.registered.append(what)
        self._say(what)

    # publishing ------------------------------------------------------------------------------------------------
    def _chunks(self, messages: Iterator[Message]) -> Iterator[list[Message]]:
        """Messages in portions for one request each; at a given speed a portion ends where the next is not due."""
        chunk: list[Message] = []
        size = 0
        pace = _Pace(self._speed, self._first_due(), self._clock)
        for message in messages:
            wait = pace.wait(message.due)
            if chunk and (wait > 0 or size >= _CHUNK_BYTES or len(chunk) >= _CHUNK_MESSAGES):
                yield chunk
                chunk, size = [], 0
                wait = pace.wait(message.due)
            if wait > 0:
                self._sleep(wait)
            self.counts.read += message.values
            chunk.append(message)
            size += len(message.payload) + 1
        if chunk:
            yield chunk

    def _first_due(self) -> int:
        """What is older than every commissioning is sent at once and does not set the clock."""
        return min((t.commissioned for t in self._twins if t.commissioned is not None), default=-(2**63))

    def _publish(self, chunk: Sequence[Message], flow: _Flow) -> None:
        by_twin: dict[str, list[Message]] = {}
        for message in chunk:
            by_twin.setdefault(message.twin, []).append(message)
        for twin, messages in by_twin.items():
            sent, failed = self._send(twin, [m.payload for m in messages])
            flow.messages += len(messages)
            flow.sent_again += len(messages) * failed
            flow.duplicates += sent.duplicates
            for shard, seq in sent.cut.items():
                flow.cut[shard] = max(seq, flow.cut.get(shard, seq))
            self.counts.published += sum(m.values for m in messages)
        last = max(m.due for m in chunk)
        self._say(f"{self.counts.published} values published, up to {format_instant(max(last, 0))}")

    def _send(self, twin: str, payloads: Sequence[bytes]) -> tuple[SentLines, int]:
        """Send until it is acknowledged (a refusal is back-pressure), and how often that failed before."""
        tries = 0

        def attempt() -> SentLines:
            nonlocal tries
            tries += 1
            return self._node.send(twin, payloads)

        return self._patiently(attempt), tries - 1

    def _patiently(self, call: Callable[[], T]) -> T:
        begin, pause = self._clock(), 0.2
        while True:
            try:
                return call()
            except UnavailableError as e:
                if self._clock() - begin > _PATIENCE_S:
                    raise
                self._say(f"the node refuses for now, trying again: {e.fault.message}")
                self._sleep(pause)
                pause = min(pause * 2, 10.0)

    # counting --------------------------------------------------------------------------------------------------
    def _wait(self, cut: Mapping[str, int]) -> None:
        """Until everything published is committed to history; says how far it is once a second."""
        pause, said = 0.02, self._clock()
        while True:
            committed: Mapping[str, int] = self._patiently(self._node.cut).committed
            behind = [s for s, seq in cut.items() if committed.get(s, -1) < seq]
            if not behind:
                return
            if self._clock() - said > 1.0:
                self._say(f"waiting until all is stored (shard {', '.join(behind)})")
                said = self._clock()
            self._sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def _count(self, before: Mapping[str, SessionCounts], flow: _Flow) -> None:
        """What ingest counted for these sessions while we sent; a duplicate that the bus held back is a repetition."""
        messages = 0
        for twin in self._twins:
            old, new = before[twin.id], self._node.session_counts(twin.id, twin.session)
            fresh = old.since != new.since  # ingest started again and counts from zero
            messages += new.messages - (0 if fresh else old.messages)
            self.counts.stored += new.stored - (0 if fresh else old.stored)
            self.counts.quarantined += new.quarantined - (0 if fresh else old.quarantined)
        surplus = messages + flow.duplicates - flow.messages
        if not 0 <= surplus <= flow.sent_again:
            raise UnavailableError(
                Fault(
                    "replay:counts",
                    f"{flow.messages} messages were sent, but ingest counted {messages} and the bus held back "
                    f"{flow.duplicates}: ingest was restarted or somebody else replays the same recording",
                    "Everything sent is stored once; run the replay again to have it counted",
                )
            )
        self.counts.repeated = self.counts.published - self.counts.stored - self.counts.quarantined


class _Pace:
    """When a message is due, in seconds from now, at a multiple of real time."""

    def __init__(self, speed: float | None, first: int, clock: Callable[[], float]) -> None:
        self._speed = speed
        self._first = first
        self._clock = clock
        self._zero: tuple[int, float] | None = None

    def wait(self, due: int) -> float:
        """Seconds until a message of that event time is due; the first one that can be true sets the clock."""
        if self._speed is None or due < self._first:
            return 0.0
        if self._zero is None:
            self._zero = (due, self._clock())
        return self._zero[1] + (due - self._zero[0]) / NS / self._speed - self._clock()


def _chosen(recording: Recording, machines: Collection[str]) -> list[RecordedTwin]:
    """The machines named, whatever the case of their letters; all of them if none is named.

    Raises:
        InvalidInputError: ``replay:machine-unknown``, or all that is wrong with the files of those chosen: nothing has
            been registered then, and files of other machines do not matter.
    """
    wanted = {m.lower() for m in machines}
    unknown = sorted(wanted - set(recording.ids))
    if unknown:
        there = ", ".join(recording.ids)
        raise InvalidInputError(
            [Fault("replay:machine-unknown", f"the recording has no machine {u!r}", f"It has {there}") for u in unknown]
        )
    return recorded_twins(recording, [id for id in recording.ids if not wanted or id in wanted])
