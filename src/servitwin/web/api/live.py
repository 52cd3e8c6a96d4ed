"""Live values and events to browsers: encoded once per twin, shared by all who may see it, dropped to the latest."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from servitwin.domain.error import UnavailableError
from servitwin.domain.instant import format_instant
from servitwin.usecases.live_mirror import LiveBus, LiveMessage, LiveMirror, LiveValue

log = logging.getLogger("servitwin.web.live")

TWIN_INTERVAL_S = 0.1  # a twin is sent at most at 10 Hz, its first change at once
FRAME_S = 0.01  # changes are sent together this often: many small writes would cost more than they bring
HEARTBEAT_S = 10.0
MAX_QUEUED = 512 * 1024  # bytes that may wait for one browser before it is only told the latest
_encoder = msgspec.json.Encoder()

Sees = Callable[[str], bool | Callable[[str], bool]]  # uid -> all, nothing, or a test for names of signals


class EventSource(Protocol):
    """The event table."""

    def events(self, after: int, limit: int = 500) -> list[dict[str, Any]]:
        """Events after an id, in order."""
        ...


class HubBus(LiveBus, Protocol):
    """A bus that can say whether it is there."""

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        ...


def _event(kind: str, data: object, id: int | None = None) -> bytes:
    lead = f"id: {id}\nevent: {kind}\ndata: " if id is not None else f"event: {kind}\ndata: "
    return lead.encode() + _encoder.encode(data) + b"\n\n"


class Subscriber:
    """One open stream. What it cannot take in time is replaced by the latest value when it can."""

    def __init__(self, sees: Sees, may_see_event: Callable[[str, str], bool], live: bool, happened: bool) -> None:
        self.sees = sees
        self.may_see_event = may_see_event
        self.live = live
        self.happened = happened
        self.last_event = -1
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._lagging: dict[str, None] = {}
        self._wake = asyncio.Event()
        self.dropped = 0

    def offer(self, uid: str, chunk: bytes) -> None:
        """Queue a change of a twin, or remember that the twin has changed if too much waits already."""
        if self._lagging or self._size > MAX_QUEUED:
            self._lagging[uid] = None
            self.dropped += 1
        else:
            self._put(chunk)

    def must_send(self, chunk: bytes) -> None:
        """Queue what must not be lost (events)."""
        self._put(chunk)

    def _put(self, chunk: bytes) -> None:
        self._queue.append(chunk)
        self._size += len(chunk)
        self._wake.set()

    async def take(self, timeout_s: float) -> tuple[bytes, list[str]]:
        """Everything that waits as one piece, and the twins of which only the latest is still wanted."""
        if not self._queue and not self._lagging:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                return b"", []
        piece = b"".join(self._queue)
        self._queue.clear()
        self._size = 0
        lagging = list(self._lagging)
        self._lagging.clear()
        self._wake.clear()
        return piece, lagging


class LiveHub:
    """Fans live values and events out to the open streams of this process."""

    def __init__(self, bus: HubBus, events: EventSource) -> None:
        self.mirror = LiveMirror(self._heard)
        self._bus = bus
        self._events = events
        self._subscribers: set[Subscriber] = set()
        self._changed: dict[str, dict[str, None]] = {}
        self._twin_ids: dict[str, str] = {}
        self._sent: dict[str, float] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._flushed = 0.0
        self._last_event = -1
        self._event_task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._end: Callable[[], Awaitable[None]] | None = None

    @property
    def open_streams(self) -> int:
        """How many browsers and programs listen."""
        return len(self._subscribers)

    async def start(self) -> None:
        """Follow the bus; it may come later than this process."""
        self._last_event = await asyncio.to_thread(self._newest_event)
        await self.mirror.follow(self._bus)
        self._end = await self._bus.subscribe("happened", self._on_happened)
        self._watch = asyncio.create_task(self._watch_bus())

    async def stop(self) -> None:
        """End all streams."""
        for task in (self._watch, self._event_task):
            if task is not None:
                task.cancel()
        for subscriber in list(self._subscribers):
            self._subscribers.discard(subscriber)
            subscriber.must_send(b"")

    # live values ---------------------------------------------------------------------------------------------
    def _heard(self, message: LiveMessage, _: bytes) -> None:
        self._twin_ids[message.uid] = message.twin
        if not self._subscribers:
            return
        changed = self._changed.setdefault(message.uid, {})
        changed.update(dict.fromkeys(message.values))
        self._schedule(0.0)

    def _schedule(self, delay: float) -> None:
        if self._flush is None:
            loop = asyncio.get_running_loop()
            at = max(loop.time() + delay, self._flushed + FRAME_S)
            self._flush = loop.call_at(at, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        loop = asyncio.get_running_loop()
        now = self._flushed = loop.time()
        wait = TWIN_INTERVAL_S
        for uid in list(self._changed):
            due = self._sent.get(uid, 0.0) + TWIN_INTERVAL_S
            if due > now:
                wait = min(wait, due - now)
                continue
            signals = self._changed.pop(uid)
            self._sent[uid] = now
            self._fan_out(uid, signals)
        if self._changed:
            self._schedule(wait)

    def _fan_out(self, uid: str, signals: Mapping[str, None]) -> None:
        known = self.mirror.values(uid)
        values = {s: known[s] for s in signals if s in known}
        shared: bytes | None = None
        for subscriber in self._subscribers:
            if not subscriber.live:
                continue
            sees = subscriber.sees(uid)
            if sees is True:
                if shared is None:
                    shared = self._chunk(uid, values)
                subscriber.offer(uid, shared)
            elif sees is not False:
                some = {s: v for s, v in values.items() if sees(s)}
                if some:
                    subscriber.offer(uid, self._chunk(uid, some))

    def _chunk(self, uid: str, values: Mapping[str, LiveValue]) -> bytes:
        cut = {str(k): v for k, v in self.mirror.cut.items()}
        return _event("live", {"twin": self._twin_ids.get(uid, uid), "uid": uid, "values": values, "cut": cut})

    def whole(self, subscriber: Subscriber, uid: str, twin: str = "") -> bytes:
        """Everything known of a twin that the subscriber may see, as one event."""
        sees = subscriber.sees(uid)
        values = dict(self.mirror.values(uid))
        if sees is False or not values:
            return b""
        if sees is not True:
            values = {s: v for s, v in values.items() if sees(s)}
        if twin:
            self._twin_ids.setdefault(uid, twin)
        return self._chunk(uid, values)

    # events --------------------------------------------------------------------------------------------------
    def _newest_event(self) -> int:
        """Id of the newest event: found by doubling steps, then reading to the end."""
        last, step = 0, self._events.events(0, 500)
        while step:
            last = step[-1]["id"]
            step = self._events.events(last, 5000)
        return last

    async def _on_happened(self, _: str, payload: bytes) -> None:
        """A copy of an event row; what was missed before it is read from the table."""
        try:
            event = msgspec.json.decode(payload, type=dict[str, Any])
            id = int(event["id"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as e:
            log.warning("an event cannot be read: %s", e)
            return
        if id == self._last_event + 1:
            self._tell(event)
        elif id > self._last_event:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._event_task is None or self._event_task.done():
            self._event_task = asyncio.create_task(self._read_missed())

    async def _read_missed(self) -> None:
        while rows := await asyncio.to_thread(self._events.events, self._last_event):
            for row in rows:
                if row["id"] > self._last_event:
                    self._tell(row)

    def _tell(self, event: Mapping[str, Any]) -> None:
        self._last_event = event["id"]
        chunk = event_chunk(event)
        for subscriber in self._subscribers:
            if (
                subscriber.happened
                and event["id"] > subscriber.last_event
                and subscriber.may_see_event(event["kind"], event["subject"])
            ):
                subscriber.last_event = event["id"]
                subscriber.must_send(chunk)

    # streams -------------------------------------------------------------------------------------------------
    async def stream(
        self,
        subscriber: Subscriber,
        twins: Mapping[str, str],
        after: int | None,
        still_valid: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[bytes]:
        """Events after ``after``, all of ``twins`` (uid -> id), then changes and events as they come."""
        yield b": servitwin\nretry: 2000\n\n"
        self._subscribers.add(subscriber)
        try:
            if subscriber.happened:
                async for chunk in self._resume(subscriber, after):
                    yield chunk
            if subscriber.live:
                for uid, twin in twins.items():
                    if chunk := self.whole(subscriber, uid, twin):
                        yield chunk
            loop = asyncio.get_running_loop()
            checked = loop.time()
            while subscriber in self._subscribers:
                piece, lagging = await subscriber.take(HEARTBEAT_S)
                piece += b"".join(self.whole(subscriber, uid) for uid in lagging)
                if loop.time() - checked > HEARTBEAT_S / 2:
                    checked = loop.time()
                    if not await still_valid():
                        yield _event("signed-out", {})
                        return
                yield piece or b": still here\n\n"
        finally:
            self._subscribers.discard(subscriber)

    async def _resume(self, subscriber: Subscriber, after: int | None) -> AsyncIterator[bytes]:
        """Events after the last one the browser has, until the table has no more; from there on it is told."""
        subscriber.happened = False
        position = self._last_event if after is None else after
        while True:
            rows = await asyncio.to_thread(self._events.events, position)
            for row in rows:
                position = row["id"]
                if subscriber.may_see_event(row["kind"], row["subject"]):
                    yield event_chunk(row)
            if not rows and position >= self._last_event:  # nothing awaited between here and the next line
                subscriber.happened, subscriber.last_event = True, position
                return

    async def _watch_bus(self) -> None:
        """After the bus was away everything is asked for again, and browsers are told to read states again."""
        was_there = self._bus.connected
        while True:
            await asyncio.sleep(0.5)
            is_there = self._bus.connected
            if is_there and not was_there:
                try:
                    await self.mirror.resync(self._bus)
                except UnavailableError as e:
                    log.info("the bus went away again: %s", e)
                    continue
                self._catch_up()
                for subscriber in self._subscribers:
                    subscriber.must_send(_event("resync", {}))
                for uid in self.mirror.uids():
                    self._changed.setdefault(uid, {}).update(dict.fromkeys(self.mirror.values(uid)))
                self._schedule(0.0)
            was_there = is_there


def event_chunk(event: Mapping[str, Any]) -> bytes:
    """One event of the event table as a server-sent event with its id."""
    at = event["at"]
    shown = {**event, "at": format_instant(at) if isinstance(at, int) else at}
    return _event("happened", shown, event["id"])
