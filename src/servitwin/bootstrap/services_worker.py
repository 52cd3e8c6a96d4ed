"""The services process: states, aggregates, commands and levels live; services and upkeep of history beside."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from servitwin.bootstrap.history_upkeep import HistoryUpkeep
from servitwin.bootstrap.look_back_worker import Held
from servitwin.bootstrap.operator import operator_of
from servitwin.bootstrap.reader import open_reader
from servitwin.bootstrap.requirement_watch import RequirementWatch
from servitwin.bootstrap.robot_schedules import follow_plans
from servitwin.bootstrap.service_host import Services
from servitwin.bootstrap.service_lanes import ServiceLanes
from servitwin.bootstrap.short_worker import ask_worker
from servitwin.bootstrap.worker import report_ready
from servitwin.config import Settings
from servitwin.domain.error import ServitwinError, UnavailableError
from servitwin.domain.identity import new_uid
from servitwin.domain.instant import NS
from servitwin.engines.bus.client import BusClient
from servitwin.engines.files.evidence_log import EvidenceReader
from servitwin.engines.files.folder import FileFolder
from servitwin.engines.records import SqlRecords
from servitwin.proof.log.catalogue import ROW
from servitwin.usecases.command_desk import CommandDesk
from servitwin.usecases.keep_findings import KeepFindings
from servitwin.usecases.keep_plugin_events import KeepPluginEvents
from servitwin.usecases.live_mirror import LiveMessage, LiveMirror
from servitwin.usecases.publish_aggregates import PublishAggregates
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_service import RunServices
from servitwin.usecases.tell_events import TellEvents
from servitwin.usecases.tell_robots import TellRobots
from servitwin.usecases.track_state import TrackState

log = logging.getLogger("servitwin.services")
_TICK_S = 0.2
_LOOK_BACK_AFTER_S = (5.0, 60.0, 300.0)
_RESYNC_EVERY_NS = 30 * NS
_encode = msgspec.json.Encoder().encode


class ServicesWorker:
    """All that is derived from live values, in one event loop; what takes long goes to a thread or a child."""

    def __init__(self, settings: Settings, bus: BusClient) -> None:
        self._settings, self._bus = settings, bus
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._records = SqlRecords(settings.records)
        self._registry = Registry(self._records)
        self._mirror = LiveMirror(self._on_live)
        self._states = TrackState(self._registry, self._mirror)
        log_of_evidence = EvidenceReader(settings.evidence, ROW)
        self._commands = CommandDesk(
            self._records, self._registry, self._publish, time.time_ns, self._new_id, log_of_evidence.entry
        )
        self._reader = open_reader(settings, bus, self._registry, self._loop)
        self._host = Services(bus, self._loop)
        self._services = RunServices(
            self._reader, self._records, self._registry, self._host,
            KeepFindings(self._registry, self._records, self._new_id), self._publish_from_thread,
            FileFolder(settings.folder / "files"), lambda: operator_of(self._records),
        )  # fmt: skip
        self._aggregates = PublishAggregates(self._registry, bus, secrets.token_hex(12))
        self._upkeep = HistoryUpkeep(settings, lambda done: self._publish("upkeep.done", done))
        self._requirements = RequirementWatch(
            self._reader, self._registry, self._records, self._publish_from_thread, self._new_id, settings.evidence
        )
        self._events = TellEvents(self._registry, self._publish)
        self._from_plugins = KeepPluginEvents(self._records, self._registry, self._publish)
        self._resynced = 0

    @staticmethod
    def _new_id() -> str:
        return new_uid(time.time_ns(), secrets.token_bytes(10))

    async def run(self) -> None:
        """Until SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._stop.set)
        await self._bus.answer("ask.command", self._answer(self._commands.handle))
        await self._bus.answer("ask.service", self._service)
        await self._bus.answer("ask.services", self._answer(self._health))
        await self._bus.subscribe("servitwin.*.commands.*.ack", self._on_acknowledgement)
        await self._bus.subscribe("happened", self._on_happened)
        await self._bus.subscribe("plugin.*.told", self._on_told)
        for subject in ("changed.types", "changed.twins"):
            await self._bus.subscribe(subject, self._on_changed)
        await self._mirror.follow(self._bus)
        for uid in list(self._mirror.uids()):
            self._take(LiveMessage("", uid, dict(self._mirror.values(uid))))
        await self._bus.flush()
        report_ready()
        work = [
            self._tick_forever(),
            ServiceLanes(self._services).run(self._stop),
            self._upkeep.run(self._stop),
            self._requirements.run(self._stop),
            follow_plans(TellRobots(self._records, self._bus, time.time_ns), self._stop),
        ]
        running = [asyncio.create_task(w) for w in work]
        looking_back = asyncio.create_task(self._tell_how_long())
        await self._stop.wait()
        self._host.close()
        looking_back.cancel()
        await asyncio.gather(*running, looking_back, return_exceptions=True)
        await self._bus.close()
        self._records.close()

    # what is heard -------------------------------------------------------------------------------------------

    def _on_live(self, message: LiveMessage, _: bytes) -> None:
        self._take(message)

    def _take(self, message: LiveMessage) -> None:
        now = time.time_ns()
        self._commands.on_live(message)
        self._aggregates.heard(message)
        state = self._states.changed(message.uid, now)
        if state is not None:
            self._tell(state)

    async def _on_acknowledgement(self, subject: str, payload: bytes) -> None:
        self._commands.on_ack(subject, payload)

    async def _on_happened(self, _subject: str, payload: bytes) -> None:
        self._events.heard(payload)

    async def _on_told(self, subject: str, payload: bytes) -> None:
        self._from_plugins.heard(subject, payload)

    async def _on_changed(self, _subject: str, _payload: bytes) -> None:
        if self._registry.reload():
            self._aggregates.rebuild()
            self._states.forget()
            for message in self._states.all(time.time_ns()):
                self._tell(message)

    # what is said --------------------------------------------------------------------------------------------

    def _tell(self, message: LiveMessage) -> None:
        self._publish(f"live.{message.twin}", _encode(message))

    def _publish(self, subject: str, payload: bytes) -> None:
        self._spawn(self._bus.publish(subject, payload))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (e := task.exception()) is not None:
            log.warning("%s", e)

    def _publish_from_thread(self, subject: str, payload: bytes) -> None:
        self._loop.call_soon_threadsafe(self._publish, subject, payload)

    @staticmethod
    def _answer(handle: Callable[[bytes], bytes]) -> Callable[[bytes], Coroutine[Any, Any, bytes]]:
        async def answer(payload: bytes) -> bytes:
            return handle(payload)

        return answer

    async def _service(self, payload: bytes) -> bytes:
        # A partner's check may take its time, and it is asked over this loop.
        return await asyncio.to_thread(self._services.handle, payload)

    def _health(self, _: bytes) -> bytes:
        return _encode(
            {
                "failures": self._services.failures,
                "upkeep": self._upkeep.status,
                "requirements": self._requirements.status,
            }
        )

    # what time brings ----------------------------------------------------------------------------------------

    async def _tick_forever(self) -> None:
        while not self._stop.is_set():
            now = time.time_ns()
            try:
                await self._tick(now)
            except ServitwinError as e:
                log.warning("%s", e)
            await self._pause(_TICK_S)

    async def _tick(self, now: int) -> None:
        for message in self._states.due(now):
            self._tell(message)
        self._commands.tick(now)
        await self._aggregates.publish(now)
        if now - self._resynced >= _RESYNC_EVERY_NS:
            # States are not stored: whoever starts later hears them here.
            self._resynced = now
            for message in self._states.all(now):
                self._tell(message)

    async def _tell_how_long(self) -> None:
        """States are told with their beginning: what was before this process started is in history."""
        for seconds in _LOOK_BACK_AFTER_S:
            # Live state comes back over the first seconds, and a past that is filled in takes its time.
            await self._pause(seconds)
            if self._stop.is_set():
                return
            try:
                said = await ask_worker("look-back", self._settings)
            except UnavailableError as e:
                log.info("how long machines have been in their states cannot be told: %s", e)
                continue
            now = time.time_ns()
            for uid, held in msgspec.json.decode(said, type=dict[str, Held]).items():
                told = self._states.held_since(uid, held.state, held.since, now)
                if told is not None:
                    self._tell(told)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


async def _run(settings: Settings) -> None:
    bus = await BusClient.connect(
        settings.bus.host, settings.bus.port, settings.bus.user, settings.bus.password, "services"
    )
    await ServicesWorker(settings, bus).run()


def run(settings: Settings) -> None:
    """Entry of the worker."""
    asyncio.run(_run(settings))
