"""`servitwin serve`: takes the data folder, starts bus and workers in order, keeps them alive, ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from servitwin.bootstrap.children import Child, end_recorded, start_ticks
from servitwin.bootstrap.data_folder import FOLDER_VERSION, Address, DataFolder, RecordedChild
from servitwin.bootstrap.machine_users import MACHINES_FILE, read_machine_users
from servitwin.config import BusSettings, PluginSettings, Settings, TlsSettings
from servitwin.domain.error import ServitwinError, UnavailableError
from servitwin.engines.bus.credentials import BusUser, machine_user, plugin_user
from servitwin.engines.bus.server import NatsServer

log = logging.getLogger("servitwin.supervisor")
_INTERNAL_USER = "servitwin"
_LOOK_EVERY_S = 0.5
_ROLES = ("ingest", "services", "web", "evidence")


class Connection(msgspec.Struct, omit_defaults=True):
    """A connection of the plant, or a partner's service, that needs a process of its own."""

    name: str
    plugin: str
    kind: Literal["connector", "service"] = "connector"
    config: dict[str, object] = {}
    memory_mb: int = 512
    twins: list[str] = []
    reads: list[str] = []
    speaks: list[str] = []  # MQTT topics of its protocol
    hears: list[str] = []


class Prepared(msgspec.Struct, omit_defaults=True):
    """What the prepare worker says on its ready line."""

    connections: list[Connection] = []
    notes: list[str] = []


class Supervisor:
    """One running node. :meth:`run` returns after SIGTERM or SIGINT, when all is stored and ended."""

    def __init__(self, settings: Settings, say: Callable[[str], None], as_json: bool = False) -> None:
        self._settings = settings
        self._say = say
        self._as_json = as_json
        self._folder = DataFolder(settings.folder)
        self._children: list[Child] = []
        self._plugins: list[Child] = []
        self._starting: list[asyncio.Task[None]] = []
        self._secrets: dict[str, str] = {}
        self._bus: NatsServer | None = None
        self._bus_restarts = 0
        self._machines_seen = 0.0
        self._stop = asyncio.Event()
        self._token = secrets.token_urlsafe(32)
        self._known_web_port = 0

    async def run(self) -> None:
        """Start all, serve until told to stop, stop all.

        Raises:
            ServitwinError: the folder cannot be taken, or a part does not start.
        """
        version = self._folder.take()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            for name in end_recorded(self._folder.recorded_children()):
                self._say(f"ended {name}, left over from an earlier start")
            await self._start(version)
            looking = asyncio.create_task(self._look_after())
            await self._stop.wait()
            self._say("stopping: storing what was received ...")
            looking.cancel()
        finally:
            await self._end()

    async def _start(self, version: int) -> None:
        began = time.monotonic()
        self._children = [
            Child(role, role, self._child_settings, self._folder.path / "logs", self._remember) for role in _ROLES
        ]
        await asyncio.gather(*(c.warm_up() for c in self._children))
        prepared = await self._prepare(version)
        self._start_bus(prepared.connections)
        ingest, services, web, evidence = self._children
        await ingest.start()
        await asyncio.gather(services.start(), web.start())
        self._known_web_port = int((web.ready or {})["port"])
        address = self._address()
        self._folder.write_address(address)
        self._plugins = [self._plugin(c) for c in prepared.connections]
        # Beside the rest, which evidence gives way to; and a foreign process that is slow keeps nobody waiting.
        self._starting = [asyncio.create_task(self._start_beside(p)) for p in (evidence, *self._plugins)]
        for note in prepared.notes:
            self._say(note)
        if self._as_json:
            sys.stdout.write(json.dumps({"web": address.web, "mqtt": address.mqtt, "nats": address.nats}) + "\n")
            sys.stdout.flush()
        self._say(f"ready after {time.monotonic() - began:.1f} s: {address.web}/app/")

    async def _prepare(self, version: int) -> Prepared:
        """Migrate records and import the plant in a process of its own, so that its memory is given back."""
        if version < FOLDER_VERSION:
            self._say(f"migrating the data folder from version {version} to {FOLDER_VERSION}, after a backup")
        child = Child("prepare", "prepare", lambda: self._settings, self._folder.path / "logs", self._remember, 300.0)
        try:
            await child.start()
        finally:
            await child.stop()
        self._folder.migrated()
        return msgspec.convert({k: v for k, v in (child.ready or {}).items() if k != "ready"}, Prepared)

    def _start_bus(self, connections: list[Connection]) -> None:
        bus = self._settings.bus
        self._secrets = {c.name: secrets.token_urlsafe(24) for c in connections}
        self._bus = NatsServer(
            self._folder.path / "bus",
            _INTERNAL_USER,
            self._folder.secret("bus"),
            time.time_ns,
            host=bus.host,
            port=bus.port,
            mqtt_port=bus.mqtt_port,
            sync_interval=bus.sync_interval,
            max_stream_bytes=bus.max_stream_bytes,
            tls=(self._settings.tls.certificate, self._settings.tls.key) if self._settings.tls.certificate else None,
        )
        self._connections = connections
        self._bus.set_users(self._users())
        self._bus.start()
        self._remember()

    def _users(self) -> list[BusUser]:
        """Machines by their credentials, and one user for each connection's worker."""
        path = self._folder.path / MACHINES_FILE
        self._machines_seen = path.stat().st_mtime if path.exists() else 0.0
        machines = [
            machine_user(m.user, m.secret_hash, m.twins, m.topics, m.hears)
            for m in read_machine_users(self._folder.path)
        ]
        plugins = [
            plugin_user(
                c.name,
                self._secrets[c.name],
                c.twins or (() if c.kind == "service" else ("*",)),
                c.reads,
                c.speaks,
                c.hears,
            )
            for c in self._connections
        ]  # fmt: skip
        return [*machines, *plugins]

    def _child_settings(self) -> Settings:
        assert self._bus is not None
        s = self._settings
        reach = msgspec.structs.replace(
            s.bus,
            host=self._bus.host,
            mqtt_host=self._bus.mqtt_host,
            port=self._bus.port,
            mqtt_port=self._bus.mqtt_port,
            user=_INTERNAL_USER,
            password=self._folder.secret("bus"),
        )
        web = msgspec.structs.replace(
            s.web,
            port=self._web_port() or s.web.port,
            node_token_hash=hashlib.sha256(self._token.encode()).hexdigest(),
        )
        return msgspec.structs.replace(s, bus=reach, web=web)

    def _web_port(self) -> int:
        """The port the web worker once took, so that it comes back at the same address after a restart."""
        return next((int(c.ready["port"]) for c in self._children if c.name == "web" and c.ready), self._known_web_port)

    def _plugin(self, connection: Connection) -> Child:
        def settings() -> Settings:
            assert self._bus is not None
            plugin = PluginSettings(
                connection=connection.name,
                kind=connection.kind,
                plugin=connection.plugin,
                config=connection.config,
                memory_mb=connection.memory_mb,
                user=f"plugin-{connection.name}",
                password=self._secrets[connection.name],
            )
            bus = BusSettings(self._bus.host, self._bus.port, self._bus.mqtt_port, mqtt_host=self._bus.mqtt_host)
            # A plugin learns where its own folder is, and no secret but its own.
            folder = self._folder.path / "plugins" / connection.name
            folder.mkdir(exist_ok=True, mode=0o700)
            trust = TlsSettings(self._settings.tls.certificate)
            return Settings(data=str(folder), bus=bus, plugin=plugin, tls=trust, log_level=self._settings.log_level)

        return Child(
            f"plugin-{connection.name}", "plugin", settings, self._folder.path / "logs", self._remember, 30.0
        )  # fmt: skip

    async def _start_beside(self, child: Child) -> None:
        try:
            await child.start_or_insist()
        except UnavailableError as e:
            # A part that does not work must not keep the plant from starting: the rest is served.
            log.error("%s", e)
            self._say(str(e))

    def _address(self) -> Address:
        assert self._bus is not None
        certificate = self._settings.tls.certificate
        scheme = "https" if certificate else "http"
        web = f"{scheme}://{self._settings.web.host}:{self._web_port()}"
        return Address(web, self._bus.mqtt_url, self._bus.url, self._token, os.getpid(), certificate)

    def _remember(self) -> None:
        """Write down who runs, for the next start and for the health page."""
        children = [c.record() for c in (*self._children, *self._plugins) if c.pid]
        if self._bus is not None and self._bus.pid:
            children.append(
                RecordedChild("nats-server", self._bus.pid, start_ticks(self._bus.pid) or 0, True, self._bus_restarts)
            )
        self._folder.write_children(children)

    async def _look_after(self) -> None:
        """Restart the bus if it dies, and let new machine credentials take effect."""
        path = self._folder.path / MACHINES_FILE
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            assert self._bus is not None
            try:
                if self._bus.pid is None:
                    self._say("the bus died and is started again; machines keep what it has not acknowledged")
                    self._bus.stop()
                    self._bus.start()
                    self._bus_restarts += 1
                    self._remember()
                elif path.exists() and path.stat().st_mtime != self._machines_seen:
                    self._bus.set_users(self._users())
                self._bus.bound_log()
            except (ServitwinError, OSError) as e:
                log.error("%s", e)

    async def _end(self) -> None:
        """Machines first, then the pages, then ingest once it has stored all, then who binds that, then the bus."""
        await asyncio.gather(*(p.stop() for p in self._plugins))
        await asyncio.gather(*self._starting, return_exceptions=True)
        for name in ("web", "services", "ingest", "evidence"):
            await asyncio.gather(*(c.stop(30.0) for c in self._children if c.name == name))
        if self._bus is not None:
            self._bus.stop()
        with contextlib.suppress(OSError):
            self._folder.write_children([])
        self._folder.release()
