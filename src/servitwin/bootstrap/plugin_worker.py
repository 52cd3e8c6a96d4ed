"""A process for one plugin: its own bus user, its own folder, bounded memory; it can stop nobody but itself."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import random
import signal
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from servitwin.bootstrap.service_host import ServiceWorker
from servitwin.bootstrap.worker import limit_memory, report_ready
from servitwin.config import Settings
from servitwin.domain.error import Fault, InvalidInputError, UnavailableError
from servitwin.engines.bus.client import BusClient
from servitwin.sdk.connector import (
    ABSENT,
    AuthFailedError,
    Batch,
    BrokenError,
    Connector,
    Controlled,
    DecodeFault,
    NotReadyError,
    Runner,
    Sample,
    Tells,
)
from servitwin.sdk.discovery import plugin

log = logging.getLogger("servitwin.plugin")
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_TELL_EVERY_S = 0.5
OUT_OF_MEMORY = 12  # exit code, ENOMEM


class PluginWorker:
    """Runs one configured connector: by itself where it is a Runner, else by publishing what it polls."""

    def __init__(self, settings: Settings, connector: Connector, bus: BusClient, patience_s: float) -> None:
        self._settings = settings
        self._patience_s = patience_s
        self._connector = connector
        self._bus = bus
        self._stop = asyncio.Event()
        self._status: dict[str, Any] = {"condition": "starting", "detail": ""}
        self._session = uuid.uuid4().hex
        self._seq = 0

    async def run(self) -> None:
        """Until SIGTERM; lost connections are tried again with back-off and jitter, said once at loss and recovery."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        name = self._settings.plugin.connection
        await self._bus.answer(f"plugin.{name}.control", self._control)
        await self._bus.answer(f"plugin.{name}.status", self._tell_status)
        await self._bus.flush()
        report_ready()
        alive = loop.create_task(self._show_life())
        telling = loop.create_task(self._pass_on_events())
        try:
            await self._work()
        except MemoryError:
            os._exit(OUT_OF_MEMORY)  # nothing can be trusted any more; the supervisor starts a fresh process
        finally:
            alive.cancel()
            telling.cancel()
            await self._connector.close()
            await self._bus.close()

    async def _show_life(self) -> None:
        """Wind the watchdog up again and again; a loop that the plugin blocks for too long ends the whole process."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        try:
            while True:
                signal.setitimer(signal.ITIMER_REAL, self._patience_s)
                await asyncio.sleep(min(1.0, self._patience_s / 4))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    async def _pass_on_events(self) -> None:
        """What happened, to whoever keeps the node's events."""
        if not isinstance(self._connector, Tells):
            return
        while True:
            told = self._connector.told()
            if told:
                subject = f"plugin.{self._settings.plugin.connection}.told"
                await self._bus.publish(subject, msgspec.json.encode(list(told)))
            await asyncio.sleep(_TELL_EVERY_S)

    async def _work(self) -> None:
        pause = _FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                self._is("running")
                await (self._connector.run(self._stop) if isinstance(self._connector, Runner) else self._poll())
                if not self._stop.is_set():
                    self._is("finished", "the source has no more")
                    await self._stop.wait()
                return
            except (NotReadyError, UnavailableError) as e:
                self._is("not-ready", str(e))
                await self._wait(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            except (AuthFailedError, BrokenError) as e:
                # A person has to look; trying again at once would only hide it in noise.
                self._is("auth-failed" if isinstance(e, AuthFailedError) else "broken", str(e))
                await self._wait(_LONGEST_PAUSE_S)
            except MemoryError:
                raise
            except Exception as e:
                log.exception("the plugin raised")
                self._is("broken", f"{type(e).__name__}: {e}"[:500])
                await self._wait(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _is(self, condition: str, detail: str = "") -> None:
        if condition != self._status["condition"]:
            log.log(
                logging.INFO if condition in {"running", "finished"} else logging.WARNING, "%s %s", condition, detail
            )
        self._status = {"condition": condition, "detail": detail}

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _poll(self) -> None:
        async for topic, payload in self._until_stopped(self._connector.observations()):
            batches, faults = self._connector.decode(topic, payload, time.time_ns())
            for batch in batches:
                for part in payloads_of(batch):
                    await self._publish(batch.twin, part)
            for fault in faults:
                await self._publish(fault.twin or "unknown", quarantined_payload(topic, payload, fault))

    async def _until_stopped(self, source: AsyncIterator[tuple[str, bytes]]) -> AsyncIterator[tuple[str, bytes]]:
        """What the connector hands over, until the process is told to end: also while nothing comes."""
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set():
                following = asyncio.ensure_future(anext(source, None))
                await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await following
                    return
                said = following.result()
                if said is None:
                    return
                yield said
        finally:
            stopped.cancel()

    async def _publish(self, twin: str, message: dict[str, Any]) -> None:
        """Durable before the next one is read; what the connector gave no number gets one of this process's life."""
        if not message.get("session"):
            message |= {"session": self._session, "seq": self._seq}
            self._seq += 1
        key = f"{twin}:{message['session']}:{message['seq']}"
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._bus.publish_acknowledged(f"in.{twin}.observations", msgspec.json.encode(message), key)
                return
            except UnavailableError as e:
                self._is("not-ready", str(e))
                await self._wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                if self._stop.is_set():
                    raise

    async def _control(self, payload: bytes) -> bytes:
        if not isinstance(self._connector, Controlled):
            fault = Fault("connection:not-controllable", "This connection takes no orders", "", "")
            return msgspec.json.encode({"faults": [fault]})
        try:
            message = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError as e:
            return msgspec.json.encode({"faults": [Fault("payload:not-json", str(e), "Send one JSON object")]})
        return msgspec.json.encode(self._connector.control(message))

    async def _tell_status(self, _: bytes) -> bytes:
        return msgspec.json.encode(self._status)


def payloads_of(batch: Batch) -> list[dict[str, Any]]:
    """A batch in the form that ingest reads: one payload for each set of signals that share the same times."""
    head: dict[str, Any] = {"quality": batch.quality.name.lower(), "replayed": batch.replayed}
    if batch.units:
        head["units"] = batch.units
    groups: dict[tuple[int, ...], dict[str, list[Sample]]] = {}
    for name, column in batch.columns.items():
        present = tuple(i for i, value in enumerate(column) if value is not ABSENT)
        if present:
            groups.setdefault(present, {})[name] = [column[i] for i in present]
    payloads = []
    for number, (present, columns) in enumerate(groups.items()):
        # A message counts once by (session, seq): parts of one batch need sessions of their own.
        session = {"session": f"{batch.session}/{number}" if number else batch.session, "seq": batch.seq}
        body = {"times": [batch.times[i] for i in present], "values": columns}
        payloads.append({**head, **(session if batch.session else {}), **body})
    return payloads


def quarantined_payload(topic: str, payload: bytes, fault: DecodeFault) -> dict[str, Any]:
    """What a connector could not read, whole, in a form that ingest keeps in quarantine with this reason."""
    return {"source": topic, "fault": msgspec.to_builtins(fault.fault), "raw": base64.b64encode(payload).decode()}


def _configuration(settings: Settings) -> Mapping[str, Any]:
    """The connection's own configuration, and what the worker adds for connectors that speak on their own."""
    p = settings.plugin
    return {
        **p.config,
        "broker": {
            "host": settings.bus.mqtt_host or settings.bus.host,
            "port": settings.bus.mqtt_port,
            "certificate": settings.tls.certificate,
        },
        "user": p.user,
        "password": p.password,
        "folder": settings.data,
    }


async def _run_service(settings: Settings) -> None:
    p = settings.plugin
    found = plugin("service", p.plugin)
    bus = await BusClient.connect(settings.bus.host, settings.bus.port, p.user, p.password, p.user)
    await ServiceWorker(found.evaluator(), p.plugin, found.manifest.limits.step_seconds).serve(bus, p.connection)
    await bus.flush()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    report_ready()
    await stop.wait()
    await bus.close()


async def _run_connector(settings: Settings) -> None:
    p = settings.plugin
    found = plugin("connector", p.plugin)
    module = found.load()
    config = _configuration(settings)
    faults = module.check(config)
    if faults:
        raise InvalidInputError(faults)
    bus = await BusClient.connect(settings.bus.host, settings.bus.port, p.user, p.password, p.user)
    await PluginWorker(settings, module.connect(config), bus, found.manifest.limits.step_seconds).run()


def run(settings: Settings) -> None:
    """Entry of the worker."""
    limit_memory(settings.plugin.memory_mb)
    asyncio.run(_run_service(settings) if settings.plugin.kind == "service" else _run_connector(settings))
