"""Kill -9 of any process of a whole node, the supervisor too, under load: what was acknowledged is there once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from tests.conftest import Node
from tests.crash.test_node_survives import children_of
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900), pytest.mark.xdist_group("nodes")]
VICTIMS = ("nats-server", "ingest", "services", "web", "supervisor")
T0 = 1_790_000_000_000_000_000


class Machine(threading.Thread):
    """A real client with QoS 1 that keeps what is not acknowledged and sends it again."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        super().__init__(daemon=True)
        self.sent, self._done = 0, 0
        self.stop = threading.Event()
        c = self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user, clean_session=False)
        c.username_pw_set(user, secret)
        c.max_inflight_messages_set(50)
        c.reconnect_delay_set(0.1, 0.5)
        c.on_publish = self._on_publish
        c.connect("127.0.0.1", port)

    def _on_publish(self, *_: object) -> None:
        self._done += 1

    @property
    def waiting(self) -> int:
        """Messages without acknowledgement."""
        return self.sent - self._done

    def run(self) -> None:
        self.client.loop_start()
        while not self.stop.wait(0.005):
            if self.waiting < 100:
                body = {"time": T0 + self.sent, "values": {"count": self.sent}, "session": "load", "seq": self.sent}
                self.client.publish("servitwin/press-1/observations", json.dumps(body), qos=1)
                self.sent += 1

    def finish(self, seconds: float) -> None:
        """No new messages; wait until each has its acknowledgement."""
        self.stop.set()
        self.join()
        deadline = time.monotonic() + seconds
        while self.waiting and time.monotonic() < deadline:
            time.sleep(0.05)
        self.client.disconnect()
        self.client.loop_stop()


def strike(node: Node, victim: str) -> None:
    """Kill -9; a killed supervisor is started again, as systemd would."""
    if victim == "supervisor":
        assert node.process is not None
        node.process.kill()
        node.process.wait()
        node.start()
        return
    child = children_of(node).get(victim)
    if child is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)


def kill_at_random(folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    victims = [VICTIMS[i % len(VICTIMS)] for i in range(kills)]
    rng.shuffle(victims)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = Node(folder, arguments=["--mqtt-port", str(port)])
    node.start()
    try:
        secret = plant(node).credential("press-1", "press-1")
        machine = Machine(port, "press-1", secret)
        machine.start()
        for victim in victims:
            time.sleep(rng.uniform(0.2, 2.0))
            strike(node, victim)
        api = Api.of(node)
        wait_for(node, "the node at work after the kills", 120, lambda: api.http.get("/health/ready").status_code)
        machine.finish(120)
        told = f"kills: {victims}\n"
        assert machine.sent > 20, told + node.logs()
        assert machine.waiting == 0, f"{machine.waiting} of {machine.sent} never acknowledged; {told}{node.logs()}"
        wait_for(
            node, f"{machine.sent} messages in history; {told}", 120,
            lambda: len(api.values("press-1", "count", **{"from": T0})) >= machine.sent,
        )  # fmt: skip
        found = Counter(int(v) for _, v in api.values("press-1", "count", **{"from": T0}))
        lost = [n for n in range(machine.sent) if n not in found]
        doubled = [n for n, times in found.items() if times > 1]
        assert not lost, f"{len(lost)} acknowledged and lost: {lost[:10]}; {told}{node.logs()}"
        assert not doubled, f"counted twice: {doubled[:10]}; {told}{node.logs()}"
    finally:
        code = node.stop()
    assert code == 0, node.logs()


@pytest.mark.long
def test_ten_random_kills_of_any_process_under_load(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 10, seed=7)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_random_kills_of_any_process_under_load(tmp_path: Path, seed: int) -> None:
    kill_at_random(tmp_path, 20, seed=200 + seed)
