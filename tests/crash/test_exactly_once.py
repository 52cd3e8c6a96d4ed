"""Kill -9 of ingest and of the bus, at random moments under load: what was acknowledged is in the table, once."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter, deque
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from servitwin.bootstrap.ingest_worker import STREAMS
from servitwin.domain.error import ServitwinError
from servitwin.domain.twin import Twin
from tests.node import Node

MACHINES = 4


def payload(session: str, seq: int) -> bytes:
    return json.dumps(
        {"time": time.time_ns(), "values": {"n": seq, "half": seq / 2}, "session": session, "seq": seq}
    ).encode()


class MqttMachine(threading.Thread):
    """A real client with QoS 1: it sends again what was not acknowledged when it gets the connection back."""

    def __init__(self, node: Node, twin: str) -> None:
        super().__init__(daemon=True)
        self.twin, self.acked, self.sent = twin, set[int](), 0
        self._ids: dict[int, int] = {}
        self.stop = threading.Event()
        self._done: deque[int] = deque()
        c = self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=twin, protocol=mqtt.MQTTv311, clean_session=False
        )
        c.max_inflight_messages_set(100)
        c.reconnect_delay_set(0.05, 0.3)
        c.on_publish = self._on_publish
        c.connect(node.server.host, node.server.mqtt_port)

    def _on_publish(self, client: object, userdata: object, mid: int, *_: object) -> None:
        self._done.append(mid)  # no lock here: the client holds its own while it calls

    def _collect(self) -> None:
        while self._done and self._done[0] in self._ids:
            self.acked.add(self._ids.pop(self._done.popleft()))

    def run(self) -> None:
        self.client.loop_start()
        while not self.stop.is_set():
            if self.sent - len(self.acked) < 200:
                info = self.client.publish(f"servitwin/{self.twin}/observations", payload("m", self.sent), qos=1)
                self._ids[info.mid] = self.sent
                self.sent += 1
            self._collect()
            time.sleep(0.002)

    def finish(self) -> None:
        self.stop.set()
        self.join()
        end = time.monotonic() + 20
        while len(self.acked) < self.sent and time.monotonic() < end:
            time.sleep(0.02)
            self._collect()
        self.client.disconnect()
        self.client.loop_stop()


class NatsProgram(threading.Thread):
    """Acknowledged publishes with message ids, the same one again until it is acknowledged."""

    def __init__(self, node: Node, twin: str) -> None:
        super().__init__(daemon=True)
        self.twin, self.acked, self._node = twin, set[int](), node
        self.stop = threading.Event()

    def run(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        bus = await self._node.client(self.twin)
        seq = 0
        while not self.stop.is_set():
            try:
                await asyncio.wait_for(
                    bus.publish_acknowledged(f"in.{self.twin}.observations", payload("p", seq), f"{self.twin}-{seq}"), 2
                )
            except (ServitwinError, TimeoutError):
                await asyncio.sleep(0.05)
                continue
            self.acked.add(seq)
            seq += 1
        await bus.close()

    def finish(self) -> None:
        self.stop.set()
        self.join()


def kill_at_random(folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    node = Node(folder, commit_seconds=0.25)
    node.register([], [Twin(f"uid-{i}", f"t{i}", "machine") for i in range(2 * MACHINES)])
    node.start()
    workers: list[MqttMachine | NatsProgram] = [MqttMachine(node, f"t{i}") for i in range(MACHINES)]
    workers += [NatsProgram(node, f"t{i}") for i in range(MACHINES, 2 * MACHINES)]
    try:
        for w in workers:
            w.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.05, 0.8))
            if rng.random() < 0.6:
                node.kill_ingest()
                time.sleep(rng.uniform(0, 0.2))
                node.start_ingest()
            else:
                node.kill_bus()
                time.sleep(rng.uniform(0, 0.2))
                node.server.start()
        for w in workers:
            w.finish()
        node.wait_for(lambda: all_committed(node), 60)
        lag = node.ask("ask.ingest")
        assert lag["holes"] == 0, "messages vanished from a stream"
        time.sleep(0.6)
    finally:
        for w in workers:
            w.stop.set()
        node.stop()
    table = node.table()
    keys = list(zip(table["shard"].to_pylist(), table["seq"].to_pylist(), table["idx"].to_pylist(), strict=True))
    assert len(keys) == len(set(keys)), "a place in a stream has two rows"
    values = Counter(
        (t, int(n))
        for t, s, n in zip(
            table["twin"].to_pylist(), table["signal"].to_pylist(), table["number"].to_pylist(), strict=True
        )
        if s == "n"
    )
    doubled = [k for k, n in values.items() if n > 1]
    assert not doubled, f"counted twice: {doubled[:10]}"
    for i, w in enumerate(workers):
        assert w.acked, f"{w.twin} got nothing acknowledged"
        lost = sorted(seq for seq in w.acked if (f"uid-{i}", seq) not in values)
        assert not lost, f"{w.twin}: {len(lost)} acknowledged messages are lost, first {lost[:10]}"


def all_committed(node: Node) -> bool:
    """Whether all that the streams ever took is committed; what ingest has read so far may end long before that."""
    with node.server.admin() as admin:
        streams = [admin.stream(name) for name in STREAMS]
    cuts = [node.ask(f"ask.cut.{shard}")["committed"] for shard in range(len(STREAMS))]
    return all(s is not None and s["state"]["last_seq"] <= cut for s, cut in zip(streams, cuts, strict=True))


@pytest.mark.crash
def test_ten_random_kills_under_load(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 10, seed=1)


@pytest.mark.crash
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_random_kills_under_load(tmp_path: Path, seed: int) -> None:
    kill_at_random(tmp_path, 20, seed=100 + seed)


@pytest.mark.crash
def test_a_history_that_refuses_gives_no_acknowledgement(tmp_path: Path) -> None:
    """The folder of the table cannot be written to: streams keep the messages, and all arrive once it can."""
    node = Node(tmp_path, commit_seconds=0.1)
    node.register([], [Twin("uid-0", "t0", "machine")])
    node.start()
    try:
        node.publish("t0", *(payload("a", n) for n in range(10)))
        node.wait_for(lambda: len(node.table()) == 20)
        table = tmp_path / "history" / "observations"
        table.rename(tmp_path / "elsewhere")
        table.write_text("no folder")
        node.publish("t0", *(payload("a", n) for n in range(10, 20)))
        node.wait_for(lambda: node.ask("ask.ingest")["refused"] == "history:refused")
        # What is in the table may be acknowledged already or not yet; what is not in it must not be.
        assert kept_by(node) >= 10, "a message was acknowledged that is not in the table"
        table.unlink()
        (tmp_path / "elsewhere").rename(table)
        node.wait_for(lambda: len(node.table()) == 40)
        assert node.ask("ask.ingest")["refused"] == ""
        node.wait_for(lambda: kept_by(node) == 0)
    finally:
        node.stop()


def kept_by(node: Node) -> int:
    """Messages that the stream of acknowledged publishers still keeps for ingest."""
    with node.server.admin() as admin:
        info = admin.stream("SERVITWIN")
    assert info is not None
    return int(info["state"]["messages"])
