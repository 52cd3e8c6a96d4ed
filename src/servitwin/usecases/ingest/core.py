"""Ingest: messages of the streams in, rows and quarantine out. Pure: no bus, no disk, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from servitwin.domain.observation import PackedRows, Quarantined, Rows
from servitwin.sdk.connector import Batch, DecodeFault, Decodes
from servitwin.sdk.payload import MAX_PAYLOAD
from servitwin.sdk.signed_payload import split_signed
from servitwin.usecases.ingest.columns import Names, RowBuilder
from servitwin.usecases.ingest.fast import Columns, Fitting
from servitwin.usecases.ingest.general import General, Message, Verdict
from servitwin.usecases.ingest.live import LiveTwin
from servitwin.usecases.ingest.sessions import Ledger, Notes
from servitwin.usecases.ingest.shapes import Shape, shape_of
from servitwin.usecases.ingest.signed import refuse_unsigned
from servitwin.usecases.ingest.twins import Registry, Slots, TwinSlot
from servitwin.usecases.live_mirror import LiveMessage

# Sequence, NATS subject, payload, time of receipt (ns, the broker's clock).
Raw = tuple[int, bytes, bytes, int]
_MQTT = b"$MQTT.msgs."
_OBSERVATIONS = b".observations"
_SHAPES_KEPT = 10_000
_SHAPE_TRIES = 32  # payloads of a twin that looks different each time are not worth a decoder
_ROWS_AT_ONCE = 8192  # a block of a hundred thousand rows put into columns at once would keep questions waiting


@dataclass(slots=True)
class Counters:
    """Since the start of the process."""

    messages: int = 0
    values: int = 0
    quarantined: int = 0
    repeated: int = 0
    qos0: int = 0
    fast: int = 0  # messages that went by a shape


@dataclass(slots=True)
class Block:
    """What one shard is to commit at once."""

    rows: list[Rows | PackedRows] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    last: int = -1  # last sequence it covers
    count: int = 0  # rows
    note: bytes = b""
    tried: bool = False  # whether the table was asked to take it
    written: bool = False  # whether the table has it


class Ingest:
    """One shard's way from message to rows. Sessions, names and live values are shared by the shards of a process.

    Args:
        connectors: decode what is on the topics; the first that knows a topic has it.
    """

    def __init__(self, shard: int, shared: Shared, connectors: Sequence[Decodes]) -> None:
        self._shard, self._shared, self._connectors = shard, shared, connectors
        self._block = Block()
        self._builder = RowBuilder(shared.twins, shared.signals)
        self._notes = Notes()
        self._general = General(self._notes, self._builder, self._block.quarantined)
        self._columns = Columns(shard, shared.twins, shared.signals)
        self._by_subject: dict[bytes, TwinSlot | None] = {}
        self._revision = 0
        self.received = -1

    @property
    def pending(self) -> int:
        """Rows and quarantined messages that wait for a commit."""
        return self._block.count + len(self._builder) + len(self._block.quarantined)

    def feed(self, messages: Iterable[Raw]) -> None:
        """Take messages of this shard in the order of their sequences."""
        if self._revision != self._shared.revision:
            self._by_subject.clear()
            self._revision = self._shared.revision
        slots, notes = self._by_subject, self._notes
        groups: dict[Shape, list[Fitting]] = {}
        seq = self.received
        count = 0
        for seq, subject, payload, received in messages:
            count += 1
            slot = slots.get(subject)
            if slot is None:
                slot = self._slot_of(subject)
            shape = None if slot is None else slot.shape or self._guess(slot)
            if slot is None or shape is None:
                self._take_general(slot, seq, subject, payload, received)
                continue
            try:
                decoded = shape.decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._take_general(slot, seq, subject, payload, received)
                continue
            number = decoded.seq
            if number is not None:
                session = slot.session if decoded.session == slot.session_name else slot.enter(decoded.session)
                if session is not None and number == session.next and session.owner is notes:
                    session.next = number + 1
                    if session.start < 0:
                        session.start = number
                        notes.extended.append(session)
                elif session is None or not notes.first_time(session, number):
                    self._take_general(slot, seq, subject, payload, received)
                    continue
                session.messages += 1
                session.stored += shape.width if not shape.batch else shape.width * len(decoded.time)
            group = groups.get(shape)
            if group is None:
                group = groups[shape] = []
            group.append((slot, decoded, seq, payload, received, subject))
        for shape, group in groups.items():
            self._take_group(shape, group)
        self._shared.counters.messages += count
        if count:
            self._block.last = self.received = seq
        if len(self._builder) >= _ROWS_AT_ONCE:
            self.rows()

    def rows(self) -> list[Rows | PackedRows]:
        """Rows that wait for a commit; they stay where they are."""
        rows = self._builder.build()
        if rows is not None:
            self._block.rows.append(rows)
            self._block.count += len(rows)
        return list(self._block.rows)

    def take(self) -> Block:
        """What is to be committed now; the next messages begin a new block."""
        self.rows()
        block = self._block
        block.note = self._notes.take()
        self._block = Block(last=block.last)
        self._general = General(self._notes, self._builder, self._block.quarantined)
        return block

    def _take_group(self, shape: Shape, group: list[Fitting]) -> None:
        made = self._columns.take(shape, group, self._refuse)
        n = sum(map(len, made))
        self._block.rows += made
        self._block.count += n
        counters = self._shared.counters
        counters.values += n
        counters.fast += len(group)
        changed = self._shared.changed
        changed.update(dict.fromkeys([f[0].live for f in group]))

    def _refuse(self, fitting: Fitting) -> None:
        """A message of a known shape that a check on columns did not pass: its session is marked already."""
        slot, decoded, seq, payload, received, subject = fitting
        shape = slot.shape
        if decoded.seq is not None and slot.session is not None and shape is not None:
            width = shape.width * (len(decoded.time) if shape.batch else 1)
            session = slot.sessions.get(decoded.session)
            if session is not None:
                session.stored -= width
        self._take_general(slot, seq, subject, payload, received, marked=decoded.seq is not None)

    def _take_general(
        self, slot: TwinSlot | None, seq: int, subject: bytes, payload: bytes, received: int, *, marked: bool = False
    ) -> None:
        topic = topic_of(subject)
        if _is_other(topic):
            return
        m = Message(self._shard, seq, topic, payload, received)
        signature, inner = split_signed(payload)
        batches, faults = self._decode(topic, inner, received)
        known = {b.twin: self._shared.slots.by_id(b.twin) for b in batches}
        if any(s is not None and s.keys for s in known.values()):
            batches, unsigned = refuse_unsigned(batches, known, signature, inner, received)
            faults = [*faults, *unsigned]
        verdict = self._general.take(m, batches, faults, known, marked=marked)
        self._count(verdict)
        self._shared.changed.update(dict.fromkeys(s.live for s in known.values() if s is not None))
        if slot is not None and verdict.rows and not verdict.refused and len(batches) == 1:
            self._learn(slot, batches[0], payload)

    def _decode(
        self, topic: str, payload: bytes, received: int
    ) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:  # fmt: skip
        """By the first connector that knows the topic."""
        answer: tuple[Sequence[Batch], Sequence[DecodeFault]] = ([], [])
        for connector in self._connectors:
            answer = connector.decode(topic, payload, received)
            if answer[0] or not answer[1] or answer[1][0].fault.code != "topic:unknown":
                break
        return answer

    def _count(self, verdict: Verdict) -> None:
        counters = self._shared.counters
        counters.values += verdict.rows
        counters.quarantined += verdict.refused
        counters.repeated += verdict.repeated

    def _learn(self, slot: TwinSlot, batch: Batch, payload: bytes) -> None:
        """The next payload of this twin probably looks like this one."""
        if slot.tries >= _SHAPE_TRIES or len(payload) > MAX_PAYLOAD or not payload.startswith(b"{"):
            return
        if not slot.fast_from <= min(batch.times) <= max(batch.times) < slot.fast_until:
            return
        content = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        keys = frozenset(content)
        single = "times" not in keys
        stamp = bytes(content.get("time" if single else "times", b""))
        signals = slot.signals_at(batch.times[0])
        reference = slot.twin.type_at(batch.times[0]) or ""
        kinds = tuple((name, type(values[0])) for name, values in sorted(batch.columns.items()))
        key = (
            reference,
            signals is None,
            kinds,
            keys - {"session", "seq", "source"},
            b'"' in stamp,
        )
        shapes = self._shared.shapes
        if key not in shapes:
            if len(shapes) >= _SHAPES_KEPT:
                shapes.clear()
            shapes[key] = shape_of(batch, keys, b'"' in stamp, signals, self._shared.signals.code, single=single)
        slot.tries += 1
        shape = slot.shape = shapes[key]
        if shape is not None and signals is not None and not slot.twin.aggregates:
            self._shared.guesses[slot.reference] = shape

    def _guess(self, slot: TwinSlot) -> Shape | None:
        """A twin that was not heard yet probably speaks like the last one of its type."""
        if slot.tries or slot.twin.aggregates or not slot.twin.type:
            return None
        slot.shape = self._shared.guesses.get(slot.reference)
        return slot.shape

    def _slot_of(self, subject: bytes) -> TwinSlot | None:
        """The slot of the twin in one of servitwin's own subjects; others are left to the connectors."""
        rest = subject.removeprefix(_MQTT)
        head, _, tail = rest.partition(b".")
        if head not in {b"servitwin", b"in"} or not tail.endswith(_OBSERVATIONS):
            return None
        id = tail[: -len(_OBSERVATIONS)]
        if b"." in id:
            return None
        slot = self._shared.slots.by_id(id.decode("utf-8", "replace"))
        if slot is not None:
            self._by_subject[subject] = slot
        return slot


class Shared:
    """What the shards of one process have in common."""

    def __init__(self, registry: Registry) -> None:
        self.twins, self.signals = Names(), Names()
        self.ledger = Ledger()
        self.slots = Slots(registry, self.twins, self.ledger)
        self.counters = Counters()
        self.shapes: dict[Any, Shape | None] = {}
        self.guesses: dict[str, Shape] = {}  # machine type -> shape that was learned last
        self.changed: dict[LiveTwin, None] = {}  # in order of their first change
        self.revision = 0

    def registry_changed(self) -> None:
        """Ask the registry anew about every twin; shapes may have been made with another type."""
        self.slots.forget()
        self.shapes.clear()
        self.guesses.clear()
        self.revision += 1

    def live(self, cut: dict[str, int], uids: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Whole live state of some twins or all, as ``ask.live`` answers."""
        twins = self.slots.live
        wanted = twins.values() if uids is None else [twins[u] for u in uids if u in twins]
        return [t.message(cut, whole=True) for t in wanted]

    def recall(self, messages: Iterable[LiveMessage], now: int) -> None:
        """Take over live state as history has it, after a start, and tell it: nobody else will."""
        for message in messages:
            slot = self.slots.by_id(message.twin)
            if slot is not None and slot.live.uid == message.uid:
                conditions = [name for name in message.values if slot.is_condition(name, now)]
                slot.live.recall(message.values, conditions)
                self.changed[slot.live] = None

    def session(self, uid: str, name: str) -> dict[str, int]:
        """What became of a session's values since the start of the process."""
        held = self.ledger.twins.get(uid)
        session = held.open.get(name) if held is not None else None
        names = ("messages", "stored", "quarantined", "repeated")
        return {n: getattr(session, n) if session is not None else 0 for n in names}

    def due(self, now: int, every: int, most: int, cut: dict[str, int]) -> list[dict[str, Any]]:
        """Messages for ``live.<twin>``: the first change at once, then each twin at most once in ``every`` ns."""
        # Those told longest ago stand in front, so that a look at the first few is enough: one that is not due yet
        # will be within ``every``.
        ready = [t for t in islice(self.changed, 4 * most) if t.due <= now][:most]
        for twin in ready:
            twin.due = now + every
            del self.changed[twin]
        return [message for message in (t.message(cut, whole=False) for t in ready) if message["values"]]


def topic_of(subject: bytes) -> str:
    """Topic in MQTT form of a subject of one of the streams."""
    text = subject.removeprefix(_MQTT).decode("utf-8", "replace")
    return text.replace("//", "\0").replace(".", "/").replace("\0", ".").replace("/./", "//")


def _is_other(topic: str) -> bool:
    """Whether it is one of servitwin's own topics that carries no observations: commands and their answers."""
    return topic.startswith("servitwin/") and "/commands/" in topic
