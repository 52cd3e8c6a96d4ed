"""The simulator against the real broker: publishing, commands, last will, lost network, restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from servitwin.connectors.simulator import plugin
from servitwin.connectors.simulator.connector import SimulatorConnector
from servitwin.engines.bus import BusClient, NatsServer, plugin_user

MILL = {"twin": "mill-1", "model": "mill", "seed": 11}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    s = NatsServer(tmp_path_factory.mktemp("bus") / "bus", "internal", "s3cret", time.time_ns)
    s.set_users([plugin_user("sim", "pw", ["mill-1", "mill-2", "crane-1"], reads=["crane-1"])])
    s.start()
    yield s
    s.stop()


class Ear:
    """Hears what the machines say on the bus, without MQTT."""

    def __init__(self, bus: BusClient) -> None:
        self.bus = bus
        self.messages: list[dict[str, Any]] = []
        self.others: list[tuple[str, bytes]] = []

    async def hear(self, subject: str, payload: bytes) -> None:
        if subject.endswith(".observations"):
            self.messages.append({"subject": subject, **msgspec.json.decode(payload)})
        else:
            self.others.append((subject, payload))

    async def until(self, condition: Callable[[], object], seconds: float = 8.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not seen in {seconds} s; heard {self.messages[-2:]} {self.others[-4:]}"
            await asyncio.sleep(0.02)

    def values(self, signal: str) -> list[Any]:
        return [m["values"][signal] for m in self.messages if signal in m["values"]]


@asynccontextmanager
async def listening(server: NatsServer) -> AsyncIterator[Ear]:
    bus = await BusClient.connect(server.host, server.port, "internal", "s3cret", "test")
    ear = Ear(bus)
    await bus.subscribe("servitwin.>", ear.hear)
    await bus.flush()
    try:
        yield ear
    finally:
        await bus.close()


@asynccontextmanager
async def running(server: NatsServer, folder: Path, *machines: dict[str, Any], **more: Any) -> AsyncIterator[Any]:
    config = {
        "machines": list(machines),
        "broker": {"host": server.host, "port": server.mqtt_port},
        "user": "plugin-sim",
        "password": "pw",
        "folder": str(folder),
        **more,
    }
    assert plugin.check(config) == []
    connector = plugin.connect(config)
    assert isinstance(connector, SimulatorConnector)
    stop = asyncio.Event()
    task = asyncio.create_task(connector.run(stop))
    try:
        yield connector
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


def test_a_mill_speaks_once_a_second_and_carries_out_a_command(server: NatsServer, tmp_path: Path) -> None:
    async def scene() -> None:
        async with listening(server) as ear:
            async with running(server, tmp_path, MILL):
                await ear.until(lambda: len(ear.messages) >= 3)
                first = ear.messages[0]
                assert first["subject"] == "servitwin.mill-1.observations"
                assert {"execution", "spindle.condition", "parts.total", "energy"} <= first["values"].keys()
                assert [m["seq"] for m in ear.messages[:3]] == [1, 2, 3]
                assert ("servitwin.mill-1.connection", b"online") in ear.others
                command = {
                    "id": "c1",
                    "name": "set-feed",
                    "parameters": {"percent": 80},
                    "expires": time.time_ns() + 10**10,
                }
                await ear.bus.publish("servitwin.mill-1.commands.set-feed", msgspec.json.encode(command))
                await ear.until(lambda: any(s == "servitwin.mill-1.commands.c1.ack" for s, _ in ear.others))
                await ear.until(lambda: 80.0 in ear.values("feed.override"))
                late = {**command, "id": "c2", "parameters": {"percent": 120}, "expires": time.time_ns() - 1}
                await ear.bus.publish("servitwin.mill-1.commands.set-feed", msgspec.json.encode(late))
                await ear.until(lambda: any(s == "servitwin.mill-1.commands.c2.ack" for s, _ in ear.others))
            acks = {s: msgspec.json.decode(p) for s, p in ear.others if s.endswith(".ack")}
            assert acks["servitwin.mill-1.commands.c1.ack"] == {"status": "done"}
            assert acks["servitwin.mill-1.commands.c2.ack"]["status"] == "rejected"
            assert ear.values("feed.override")[-1] == 80.0
            await ear.until(lambda: ("servitwin.mill-1.connection", b"offline") in ear.others)

    asyncio.run(scene())
