from __future__ import annotations

import asyncio
import socket
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from servitwin.domain.error import UnavailableError
from servitwin.engines.bus import MQTT_STREAM, BusClient, NatsServer, hash_secret, machine_user
from servitwin.engines.bus.admin import stream_config
from servitwin.engines.bus.protocol import connect_line
from servitwin.engines.bus.refusals import Refusals
from servitwin.engines.bus.server import note_committed
from tests.patience import PATIENCE


def make(folder: Path, **more: Any) -> NatsServer:
    return NatsServer(folder / "bus", "internal", "s3cret", time.time_ns, **more)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    s = make(tmp_path_factory.mktemp("bus"))
    s.start()
    yield s
    s.stop()


class Machine:
    """A real MQTT client that remembers what was acknowledged to it."""

    def __init__(self, server: NatsServer, user: str, password: str, name: str = "") -> None:
        self.acked: set[int] = set()
        self.heard: list[tuple[str, bytes]] = []
        self.connected, self.refused, self.lost = threading.Event(), threading.Event(), threading.Event()
        c = self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name or user, protocol=mqtt.MQTTv311, reconnect_on_failure=False
        )
        c.username_pw_set(user, password) if user else None
        c.on_connect = lambda *a: (self.refused if a[3].is_failure else self.connected).set()
        c.on_disconnect = lambda *_: self.lost.set()
        c.on_publish = lambda _c, _u, mid, *_: self.acked.add(mid)
        c.on_message = lambda _c, _u, m: self.heard.append((m.topic, m.payload))
        c.connect(server.host, server.mqtt_port)
        c.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def until(condition: Any, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def test_config_and_folder_are_for_the_owner_alone(server: NatsServer) -> None:
    assert stat.S_IMODE((server.folder / "nats.conf").stat().st_mode) == 0o600


def test_a_machine_speaks_for_its_twins_only_and_hears_their_commands(server: NatsServer) -> None:
    server.set_users([machine_user("crane", hash_secret("pw"), ["crane-1"])])
    wrong = Machine(server, "crane", "other")
    assert wrong.refused.wait(5), "a wrong password was accepted"
    wrong.close()
    m = Machine(server, "crane", "pw")
    assert m.connected.wait(5)
    m.client.subscribe("servitwin/crane-1/commands/#", qos=1)
    m.client.subscribe("servitwin/mill-1/commands/#", qos=1)
    ok = m.client.publish("servitwin/crane-1/observations", b"{}", qos=1)
    assert until(lambda: ok.mid in m.acked)
    with server.admin() as admin:
        info = admin.stream(MQTT_STREAM)
        assert info is not None
        held = info["state"]["messages"]
    assert held == 1, "an acknowledged message must stay until a reader acknowledged it"

    async def command() -> None:
        bus = await BusClient.connect(server.host, server.port, "internal", "s3cret", "test")
        await bus.publish("servitwin.crane-1.commands.lift", b"up")
        await bus.publish("servitwin.mill-1.commands.start", b"go")
        await bus.close()

    asyncio.run(command())
    assert until(lambda: m.heard)
    time.sleep(0.1)
    assert m.heard == [("servitwin/crane-1/commands/lift", b"up")]
    m.client.publish("servitwin/mill-1/observations", b"{}", qos=1)
    time.sleep(0.2)
    with server.admin() as admin:
        info = admin.stream(MQTT_STREAM)
        assert info is not None
        assert info["state"]["messages"] == held, "a machine spoke for another twin"
    server.set_users([])
    assert m.lost.wait(5), "a removed user stays connected"
    m.close()


def test_nobody_is_anonymous_unless_the_demo_allows_it(server: NatsServer) -> None:
    nobody = Machine(server, "", "", "nobody")
    assert nobody.refused.wait(5)
    nobody.close()


def test_a_full_stream_refuses_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    server = make(tmp_path, max_stream_bytes=100_000, anonymous=True)
    server.start()
    try:
        m = Machine(server, "", "", "m")
        assert m.connected.wait(5)
        for _ in range(200):
            m.client.publish("servitwin/a/observations", b"x" * 1000, qos=1)
        assert m.lost.wait(5), "the broker took more than the stream may hold"
        m.close()
        with server.admin() as admin:
            info = admin.stream(MQTT_STREAM)
        assert info is not None
        assert 0 < len(m.acked) <= info["state"]["messages"] < 200

        async def nats_publisher() -> tuple[int, str]:
            bus = await BusClient.connect(server.host, server.port, "internal", "s3cret", "test")
            taken, refused = 0, ""
            for i in range(200):
                try:
                    taken += await bus.publish_acknowledged("in.a.observations", b"x" * 1000, f"m{i}")
                except UnavailableError as e:
                    refused = e.fault.code
                    break
            await bus.close()
            return taken, refused

        taken, refused = asyncio.run(nats_publisher())
        assert 0 < taken < 200
        assert refused == "bus:refused"
    finally:
        server.stop()


def test_messages_outlive_a_killed_server_and_ports_stay(tmp_path: Path) -> None:
    server = make(tmp_path)

    async def publish(message_id: str) -> bool:
        bus = await BusClient.connect(server.host, server.port, "internal", "s3cret", "test")
        try:
            return await bus.publish_acknowledged("in.a.observations", b"{}", message_id)
        finally:
            await bus.close()

    server.start()
    try:
        before = (server.port, server.mqtt_port)
        assert asyncio.run(publish("one")) is True
        assert asyncio.run(publish("one")) is False, "the same message id counts once"
        assert server._process is not None
        server._process.kill()
        server._process.wait()
        server.start()
        assert (server.port, server.mqtt_port) == before
        assert asyncio.run(publish("one")) is False
        with server.admin() as admin:
            info = admin.stream("SERVITWIN")
        assert info is not None
        assert info["state"]["messages"] == 1
    finally:
        server.stop()


def test_a_port_that_is_taken_meanwhile_is_replaced_by_another(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, "internal", "s3cret", time.time_ns)
    with socket.create_server((server.host, server.mqtt_port)):
        taken = server.mqtt_port
        server.start()
        try:
            assert server.mqtt_port != taken
            assert server.pid is not None
        finally:
            server.stop()


def test_a_stream_that_lost_its_end_goes_on_after_what_history_has(tmp_path: Path) -> None:
    server = make(tmp_path)
    server.start()
    with server.admin() as admin:
        info = admin.stream("SERVITWIN")
    assert info is not None
    last = info["state"]["last_seq"]
    server.stop()
    note_committed(server.folder, 1, f"SERVITWIN/{info['created']}", last + 5000)
    note_committed(server.folder, 0, "$MQTT_msgs/of another creation", last + 5000)
    server.start()
    try:
        with server.admin() as admin:
            streams = {name: admin.stream(name) for name in ("SERVITWIN", MQTT_STREAM)}
        held = {name: s["state"]["last_seq"] for name, s in streams.items() if s is not None}
        assert held["SERVITWIN"] == last + 5000
        assert held[MQTT_STREAM] < last + 5000
    finally:
        server.stop()


def test_a_stream_of_an_older_folder_is_purged_instead_of_acknowledged_from_now_on(tmp_path: Path) -> None:
    s = make(tmp_path)
    s.start()
    with s.admin() as admin:
        admin.ask("STREAM.DELETE.SERVITWIN")
        config = stream_config("SERVITWIN", "in.>", 2**20, 5, 10**9)
        assert "error" not in admin.ask("STREAM.CREATE.SERVITWIN", {**config, "retention": "interest"})
        reader = {"durable_name": "ingest-old", "ack_policy": "all", "deliver_policy": "all"}
        assert "error" not in admin.ask(
            "CONSUMER.CREATE.SERVITWIN.ingest-old", {"stream_name": "SERVITWIN", "config": reader}
        )

    async def publish() -> None:
        bus = await BusClient.connect(s.host, s.port, "internal", "s3cret", "test")
        await bus.publish_acknowledged("in.t0.observations", b"{}", "")
        await bus.close()

    asyncio.run(publish())
    s.stop()
    s.start()
    try:
        with s.admin() as admin:
            info = admin.stream("SERVITWIN")
        assert info is not None
        assert (info["config"]["retention"], info["state"]["messages"]) == ("limits", 1)
    finally:
        s.stop()


def test_a_long_log_is_put_aside_and_the_server_goes_on_writing(server: NatsServer) -> None:
    log = server.folder / "nats.log"
    server.bound_log(limit=log.stat().st_size)
    assert not (server.folder / "nats.log.1").exists(), "not longer than the limit"
    server.bound_log(limit=10)
    assert (server.folder / "nats.log.1").stat().st_size > 10
    stranger = Machine(server, "nobody", "wrong")
    assert stranger.refused.wait(5) or stranger.lost.wait(5)
    assert 0 < log.stat().st_size < (server.folder / "nats.log.1").stat().st_size + 10_000
    assert not log.read_bytes().startswith(b"\0"), "it appends where the log ends"


def test_no_line_is_lost_when_the_log_is_put_aside_while_machines_are_refused(server: NatsServer) -> None:
    """Every stranger leaves a line; the log is put aside again and again meanwhile, and followed from the start."""
    refusals = Refusals(server.folder / "nats.log")
    before = refusals.look()["counts"]["credential:wrong"]
    strangers = 60
    with ThreadPoolExecutor(4) as doors:
        knocking = [doors.submit(_knock, server) for _ in range(strangers)]
        while not all(k.done() for k in knocking):
            server.bound_log(limit=200)
            refusals.look()
        assert all(k.result() for k in knocking)
    deadline = time.monotonic() + 5
    while (counted := refusals.look()["counts"]["credential:wrong"] - before) < strangers:
        assert time.monotonic() < deadline, f"{counted} of {strangers} lines"
        time.sleep(0.05)
    assert counted == strangers


def _knock(server: NatsServer) -> bool:
    """Whether the server refused a client with a wrong secret."""
    with socket.create_connection((server.host, server.port), 5) as door:
        door.settimeout(5)
        door.recv(4096)
        door.sendall(connect_line("internal", "wrong", "stranger"))
        said = b""
        while chunk := door.recv(4096):
            said += chunk
    return b"Authorization Violation" in said
