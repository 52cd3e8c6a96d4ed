"""The ingest process: streams in, history, live state and tail out. The only writer of history."""

from __future__ import annotations

import asyncio
import base64
import logging
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import uvloop

from servitwin.bootstrap.ingest_shard import IngestShard
from servitwin.bootstrap.live_pace import LivePace
from servitwin.bootstrap.mappings import decoders, foreign_subjects, mapping_configs
from servitwin.bootstrap.own_topics import Elsewhere, heard_elsewhere
from servitwin.bootstrap.short_worker import ask_worker
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus import INPUT_STREAM, MQTT_STREAM, BusClient
from servitwin.engines.bus.listener import UnacknowledgedListener
from servitwin.engines.bus.reader import Source
from servitwin.engines.history import DeltaWriter
from servitwin.engines.records import SqlRecords
from servitwin.sdk.connector import Decodes
from servitwin.usecases.ingest import Shared
from servitwin.usecases.live_mirror import LiveMessage
from servitwin.usecases.registry import Registry

log = logging.getLogger("servitwin.ingest")
STREAMS = (MQTT_STREAM, INPUT_STREAM)  # shard 0 and shard 1
LIVE_EVERY = 20_000_000
_LAST_COMMIT_S = 20.0  # how long a commit that runs may take when the node is stopped
_SNAPSHOT_EVERY_S = 1800
UNACKNOWLEDGED = ("servitwin.*.observations", "servitwin.*.connection")
_QOS0_WAITING = 2000
_encode = msgspec.json.Encoder().encode


def run(settings: Settings) -> None:
    """Until SIGTERM; what is in memory then is committed first."""
    uvloop.run(IngestProcess(settings).run())


class IngestProcess:
    """Joins bus, connectors, registry and history, and answers questions about them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._records = SqlRecords(settings.records)
        self._registry = Registry(self._records)
        self._shared = Shared(self._registry)
        self._since = time.time_ns()
        self._stop = asyncio.Event()
        self._failed = False
        self._refused = ""
        self._shards: list[IngestShard] = []
        self._bus: BusClient | None = None
        self._connectors: list[Decodes] = []  # the shards hold this very list
        self._listener: UnacknowledgedListener | None = None
        self._passing_on: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_QOS0_WAITING)
        self._replaying = asyncio.Lock()

    async def run(self) -> None:
        """The process from start to end."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, self._stop.set)
        s = self._settings
        foreign = self._read_mappings()
        self._settings.history.mkdir(parents=True, exist_ok=True)
        has_past = any(self._settings.history.iterdir())
        for number, stream in enumerate(STREAMS):
            source = Source(s.bus.host, s.bus.port, s.bus.user, s.bus.password, stream)
            # Who wants an acknowledgement to mean "on disk" wants it of the stream and of what becomes of it.
            writer = DeltaWriter(s.history, shard=number, now=time.time_ns, sync=s.bus.sync_interval == "always")
            self._shards.append(
                IngestShard(number, source, writer, self._shared, self._connectors, s, self._consumer_name)
            )
        for shard in self._shards:
            await asyncio.to_thread(shard.open)
        self._load_marks()
        bus = self._bus = await BusClient.connect(s.bus.host, s.bus.port, s.bus.user, s.bus.password, "ingest")
        await self._answer_on(bus)
        tasks = [loop.create_task(shard.reader.run()) for shard in self._shards]
        committing = loop.create_task(self._commit_for_ever())
        tasks += [committing, loop.create_task(self._tell_for_ever(bus))]
        self._listener = UnacknowledgedListener(
            s.bus.host, s.bus.port, s.bus.user, s.bus.password, (*UNACKNOWLEDGED, *foreign), self._heard
        )
        tasks += [loop.create_task(self._listener.run()), loop.create_task(self._forward(bus))]
        for task in tasks:
            task.add_done_callback(self._ended)
        report_ready()
        recalling = loop.create_task(self._recall()) if has_past else None
        await self._stop.wait()
        if recalling is not None:
            recalling.cancel()
        for task in tasks:
            task.remove_done_callback(self._ended)
            if task is not committing:
                task.cancel()
        # A commit runs in a thread, which cancelling does not end: two at once would contradict each other.
        await asyncio.wait([committing], timeout=_LAST_COMMIT_S)
        committing.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._failed:
            await self._commit_once(last=True)
        await bus.close()
        self._records.close()
        if self._failed:
            sys.exit(1)

    async def _recall(self) -> None:
        """Live state from history, made by a process of its own: the engine that reads it is not needed here again."""
        try:
            said = await ask_worker("recall", self._settings)
        except UnavailableError as e:
            log.error("live state could not be recalled from history: machines tell it anew (%s)", e)
            return
        self._shared.recall(msgspec.json.decode(said, type=list[LiveMessage]), time.time_ns())

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that must not end has ended: leave with an error; the supervisor starts anew from the commit."""
        if not task.cancelled() and task.exception() is not None:
            log.error("ingest cannot go on", exc_info=task.exception())
        self._failed = True
        self._stop.set()

    def _read_mappings(self) -> tuple[str, ...]:
        """Let the shards decode by the mappings as the plant has them now; returns their subjects."""
        configs = mapping_configs(self._records)
        self._connectors[:] = [*decoders(configs), Elsewhere(heard_elsewhere(self._records))]
        return foreign_subjects(configs)

    def _consumer_name(self) -> str:
        return f"ingest-{uuid.uuid4().hex}"

    def _heard(self, subject: str, payload: bytes) -> None:
        """A message that nobody acknowledges (QoS 0) is counted, and passed on while there is room."""
        self._shared.counters.qos0 += 1
        if not self._passing_on.full():
            own = subject.startswith("servitwin.")
            target = f"in.{subject.removeprefix('servitwin.')}" if own else f"in._foreign.{subject}"
            self._passing_on.put_nowait((target, payload))

    async def _forward(self, bus: BusClient) -> None:
        """Put them into ``SERVITWIN``, where they become rows like all others; what is refused is lost."""
        while True:
            subject, payload = await self._passing_on.get()
            try:
                await bus.publish_acknowledged(subject, payload, "")
            except UnavailableError as e:
                log.debug("QoS 0 message dropped: %s", e)

    # commits ---------------------------------------------------------------------------------------------------

    async def _commit_for_ever(self) -> None:
        s = self._settings
        due = time.monotonic() + s.commit_seconds
        snapshot_due = time.monotonic() + _SNAPSHOT_EVERY_S
        while not self._stop.is_set():
            await asyncio.sleep(0.01)
            now = time.monotonic()
            # every shard is asked: each follows its own stream
            if now < due and not any([shard.wants_commit(now) for shard in self._shards]):
                continue
            due = now + s.commit_seconds
            if self._disk_is_full():
                continue
            if now >= snapshot_due:
                snapshot_due = now + _SNAPSHOT_EVERY_S
                await self._commit_once(snapshot=True)
            else:
                await self._commit_once()

    async def _commit_once(self, *, snapshot: bool = False, last: bool = False) -> None:
        """Commit what every shard has; with the marks as they stand, all shards are cut at the same moment."""
        blocks = [shard.cut() for shard in self._shards]
        marks = self._shared.ledger.snapshot() if snapshot else b""
        for shard, block in zip(self._shards, blocks, strict=True):
            if block is not None:
                await shard.commit(block, give_up=last)
        if snapshot:
            await asyncio.to_thread(self._shards[0].save_marks, {s.app: s.committed for s in self._shards}, marks)

    def _load_marks(self) -> None:
        """Marks of the last snapshot, and of every commit after it."""
        saved = self._shards[0].saved_marks()
        positions: Mapping[str, int] = {}
        if saved is not None:
            positions, marks = saved
            self._shared.ledger.absorb(marks)
        for shard in self._shards:
            for note in shard.notes_since(positions):
                if note.get("marks"):
                    self._shared.ledger.absorb(base64.b85decode(note["marks"]))

    def _disk_is_full(self) -> bool:
        """Below the limit nothing is committed, so nothing is acknowledged, and the streams fill and refuse."""
        usage = shutil.disk_usage(self._settings.history)
        full = usage.free < usage.total * self._settings.min_free_disk
        if full and not self._refused:
            log.error("only %.1f %% of the disk is free: nothing is acknowledged", 100 * usage.free / usage.total)
        if not full and self._refused:
            log.warning("there is room on the disk again")
        self._refused = "disk:full" if full else ""
        return full

    # answers ---------------------------------------------------------------------------------------------------

    async def _answer_on(self, bus: BusClient) -> None:
        await bus.answer("ask.live", self._live)
        await bus.answer("ask.ingest", self._counters)
        await bus.answer("ask.replayed", self._note_replayed)
        for shard in self._shards:
            await bus.answer(f"ask.tail.{shard.number}", shard.answer_tail)
            await bus.answer(f"ask.cut.{shard.number}", shard.answer_cut)
        for subject in ("changed.types", "changed.twins", "changed.connections"):
            await bus.subscribe(subject, self._registry_changed)
        await bus.subscribe("upkeep.done", self._kept)
        await bus.flush()

    async def _kept(self, _: str, payload: bytes) -> None:
        """A round of upkeep has ended: how many small files it left decides how large commits are."""
        small = _object(payload).get("small")
        if isinstance(small, int):
            for shard in self._shards:
                shard.kept(small)

    async def _note_replayed(self, payload: bytes) -> bytes:
        """Entries of quarantine that were sent again are listed no more: the only writer of history notes it."""
        try:
            ids = msgspec.json.decode(payload, type=dict[str, list[str]])["ids"]
            keys = [tuple(int(part) for part in id.split("-")) for id in ids]
            entries = [(shard, seq, idx) for shard, seq, idx in keys]
        except (msgspec.DecodeError, KeyError, ValueError) as e:
            fault = Fault("quarantine:id-malformed", str(e), "Write entries as shard-sequence-index")
            return _encode({"faults": [fault]})
        from servitwin.engines.history import mark_replayed  # noqa: PLC0415 - rare, and it loads the query engine

        async with self._replaying:
            await asyncio.to_thread(mark_replayed, self._settings.history, entries, now=time.time_ns)
        return _encode({"marked": len(entries)})

    async def _registry_changed(self, subject: str, payload: bytes) -> None:
        if subject == "changed.connections":
            foreign = await asyncio.to_thread(self._read_mappings)
            if self._listener is not None:
                self._listener.listen((*UNACKNOWLEDGED, *foreign))
            return
        await asyncio.to_thread(self._registry.reload)
        self._shared.registry_changed()

    def _cut(self) -> dict[str, int]:
        return {str(s.number): s.ingest.received for s in self._shards}

    async def _live(self, payload: bytes) -> bytes:
        asked = _object(payload)
        uids = asked.get("twins")
        return _encode(self._shared.live(self._cut(), uids if isinstance(uids, list) else None))

    async def _counters(self, payload: bytes) -> bytes:
        asked = _object(payload)
        if "twin" in asked:
            told: dict[str, Any] = self._shared.session(str(asked["twin"]), str(asked.get("session", "")))
            return _encode({**told, "since": self._since})
        c = self._shared.counters
        usage = shutil.disk_usage(self._settings.history)
        return _encode(
            {
                "messages": c.messages,
                "values": c.values,
                "quarantined": c.quarantined,
                "repeated": c.repeated,
                "qos0": c.qos0,
                "fast": c.fast,
                "refused": self._refused or next((s.refused for s in self._shards if s.refused), ""),
                "holes": sum(s.reader.holes for s in self._shards),
                "lag": {str(s.number): s.reader.ahead for s in self._shards},
                "rows_per_second": sum(s.rows_per_second for s in self._shards),
                "disk": {"free": usage.free, "total": usage.total},
                "since": self._since,
            }
        )

    async def _tell_for_ever(self, bus: BusClient) -> None:
        """Live values out: the first change at once, later ones of the same twin not before 20 ms have passed."""
        pace = LivePace(time.time_ns())
        while True:
            started = time.time_ns()
            counters = self._shared.counters
            most = pace.most(started, counters.messages, counters.values)
            for message in self._shared.due(started, LIVE_EVERY, most, self._cut()):
                try:
                    await bus.publish(f"live.{message['twin']}", _encode(message))
                except UnavailableError:
                    break  # the next change tells it; readers ask for the whole after a loss
            await asyncio.sleep(0.005)


def _object(payload: bytes) -> dict[str, Any]:
    """A request's content; anything else than an object asks for nothing special."""
    try:
        content = msgspec.json.decode(payload) if payload else {}
    except msgspec.DecodeError:
        return {}
    return content if isinstance(content, dict) else {}
