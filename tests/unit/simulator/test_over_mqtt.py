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
from servitwin.connectors.simulator.link import Link
from servitwin.connectors.simulator.plant import Broker
from servitwin.engines.bus import BusClient, NatsServer, plugin_user
from tests.patience import PATIENCE

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
        end = time.monotonic() + seconds * PATIENCE
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


def sequences(ear: Ear, twin: str, session: str) -> list[int]:
    subject = f"servitwin.{twin}.observations"
    return [m["seq"] for m in ear.messages if m["subject"] == subject and m["session"] == session]


def test_a_cut_network_leaves_a_will_and_what_was_missed_arrives_late_and_complete(
    server: NatsServer, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with listening(server) as ear, running(server, tmp_path, MILL) as simulator:
            await ear.until(lambda: len(ear.messages) >= 2)
            session = ear.messages[0]["session"]
            answer = simulator.control({"do": "inject", "twin": "mill-1", "fault": "network"})
            assert [f["fault"] for f in answer["faults"] if f["active"]] == ["network"]
            await ear.until(lambda: ("servitwin.mill-1.connection", b"offline") in ear.others)
            heard = len(ear.messages)
            await asyncio.sleep(2.5)
            assert len(ear.messages) == heard, "a machine without network was heard"
            assert simulator.control({"do": "status"})["machines"]["mill-1"]["pending"] >= 2
            simulator.control({"do": "mend", "twin": "mill-1", "fault": "network"})
            await ear.until(lambda: any(m.get("replayed") for m in ear.messages[heard:]), 15)
            live = lambda: [m for m in ear.messages[heard:] if not m.get("replayed")]  # noqa: E731
            await ear.until(lambda: len(live()) >= 2)
            assert any("spindle.condition" in m["values"] for m in ear.messages[heard:]), (
                "what was missed is not repeated"
            )
            said = sequences(ear, "mill-1", session)
            assert said == list(range(1, len(said) + 1)), "something was lost, doubled or out of order"

    asyncio.run(scene())


def test_what_a_process_could_not_send_is_sent_by_the_next_one_and_life_goes_on(tmp_path: Path) -> None:
    bus = NatsServer(tmp_path / "bus", "internal", "s3cret", time.time_ns)
    bus.set_users([plugin_user("sim", "pw", ["mill-1"])])
    bus.start()
    state = tmp_path / "state"
    state.mkdir()

    async def before() -> tuple[str, list[int], int]:
        async with listening(bus) as ear, running(bus, state, MILL, speed=60) as simulator:
            await ear.until(lambda: len(ear.messages) >= 4)
            session = ear.messages[0]["session"]
            made = ear.values("parts.total")[-1]
            bus.stop()
            await asyncio.sleep(2.5)
            assert simulator.control({"do": "status"})["machines"]["mill-1"]["pending"] >= 2
        return session, sequences(ear, "mill-1", session), made

    async def after(session: str, said: list[int], made: int) -> None:
        async with listening(bus) as ear, running(bus, state, MILL):
            await ear.until(lambda: any(m["session"] != session and not m.get("replayed") for m in ear.messages), 15)
            late = sequences(ear, "mill-1", session)
            assert late, "what was kept is lost"
            assert set(said) | set(late) == set(range(1, max(late) + 1)), (
                "a hole between what was said and what was kept"
            )
            assert ear.values("parts.total")[-1] >= made > 0, "a counter went back"

    try:
        kept = asyncio.run(before())
        bus.start()
        asyncio.run(after(*kept))
    finally:
        bus.stop()
    assert not (state / "mill-1.journal").exists(), "everything was acknowledged"


def test_the_past_is_filled_in_once_before_life_begins(server: NatsServer, tmp_path: Path) -> None:
    async def scene(first: bool) -> None:
        async with listening(server) as ear, running(server, tmp_path, MILL, backfill_days=0.02):
            await ear.until(lambda: any("times" not in m for m in ear.messages), 60)
            past = [m for m in ear.messages if "times" in m]
            assert bool(past) is first
            if first:
                live = next(m for m in ear.messages if "times" not in m)
                assert all(m["replayed"] for m in past)
                made = [m["values"]["parts.total"] for m in past if "parts.total" in m["values"]]
                assert live["values"]["parts.total"] >= made[-1][-1]
                assert len({(m["session"], m["seq"]) for m in past}) == len(past)

    asyncio.run(scene(first=True))
    asyncio.run(scene(first=False))


def test_machines_in_two_processes_hear_each_other(server: NatsServer, tmp_path: Path) -> None:
    mill = {**MILL, "hears": {"delivered": {"twin": "crane-1", "signal": "flow.station-1"}}}
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()

    async def scene() -> None:
        async with listening(server) as ear, running(server, folders[0], mill):
            await ear.until(lambda: ear.messages)
            crane = {"twin": "crane-1", "model": "crane", "seed": 1}
            async with running(server, folders[1], crane):
                # Heard, blanks waiting are those brought (16) less those taken; unheard they are always 16.
                mills = lambda: [m["values"] for m in ear.messages if "mill" in m["subject"]]  # noqa: E731
                await ear.until(lambda: mills()[-1].get("flow.taken", 0) >= 1 or ear.values("buffer.in")[-1] == 15, 15)
                await ear.until(lambda: ear.values("buffer.in")[-1] == 16 - ear.values("flow.taken")[-1])

    asyncio.run(scene())


def test_a_broken_state_file_is_put_aside_and_a_wrong_password_is_told(server: NatsServer, tmp_path: Path) -> None:
    (tmp_path / "mill-1.json").write_text('{"model": "mill", "saved": 1, "state": {"phase": 7}}')

    async def scene() -> None:
        async with listening(server) as ear, running(server, tmp_path, MILL):
            await ear.until(lambda: ear.messages)
        assert (tmp_path / "mill-1.unreadable").exists()
        async with running(server, tmp_path, MILL, password="wrong") as simulator:
            end = time.monotonic() + 5
            while not simulator.control({"do": "status"})["machines"]["mill-1"]["refused"]:
                assert time.monotonic() < end
                await asyncio.sleep(0.05)

    asyncio.run(scene())


def test_the_tray_tells_what_can_be_broken_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    simulator = plugin.connect({"machines": [MILL], "folder": str(tmp_path)})
    assert isinstance(simulator, SimulatorConnector)
    listed = simulator.control({"do": "list"})["faults"]
    assert {"spindle-bearing", "coolant-pump", "tool-breakage", "axis-servo", "network"} <= {f["fault"] for f in listed}
    assert not any(f["active"] for f in listed)
    for wrong in ({"do": "explode"}, {"do": "inject", "twin": "mill-9", "fault": "network"}, {"do": "mend", "twin": 1}):
        assert simulator.control(wrong)["errors"][0]["code"] == "simulator:fault-unknown"


def test_publishing_fast_while_acknowledgements_arrive_never_stands_still(server: NatsServer, tmp_path: Path) -> None:
    broker = Broker(server.host, server.mqtt_port)
    link = Link("mill-2", broker, "plugin-sim", "pw", tmp_path, "s", (), lambda *_: None, lambda *_: None)
    link.open()
    for k in range(3000):
        link.offer({"time": k, "values": {"power": 1.0}})
    end = time.monotonic() + 30
    while link.pending:
        assert time.monotonic() < end, f"{link.pending} messages were never acknowledged"
        time.sleep(0.02)
    link.close()
    assert not (tmp_path / "mill-2.journal").exists()


def test_what_is_broken_while_the_past_is_filled_in_stays_broken(server: NatsServer, tmp_path: Path) -> None:
    async def scene() -> None:
        async with listening(server) as ear, running(server, tmp_path, MILL, backfill_days=0.2) as simulator:
            simulator.control({"do": "inject", "twin": "mill-1", "fault": "local-mode"})
            await ear.until(lambda: any("times" not in m for m in ear.messages), 60)
            live = next(m for m in ear.messages if "times" not in m)
            assert live["values"]["controller_mode"] == "MANUAL"

    asyncio.run(scene())
