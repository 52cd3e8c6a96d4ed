from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pyarrow as pa
import pytest

from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from tests.node import Node

MILL = MachineType(
    "mill",
    1,
    signals=(
        SignalDefinition("temperature", unit="Cel", limits=(-50, 200)),
        SignalDefinition("mode", "text"),
        SignalDefinition("door", "flag"),
    ),
)


def mill(n: int) -> Twin:
    return Twin(f"uid-{n}", f"mill-{n}", "machine", type=(Dated("mill@1", 0),))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    n = Node(tmp_path_factory.mktemp("node"), commit_seconds=0.3)
    n.register([MILL], [mill(1), mill(2)])
    n.start()
    yield n
    n.stop()


def test_a_sample_becomes_rows_live_value_and_tail(node: Node) -> None:
    now = time.time_ns()
    payload = {"time": now, "values": {"temperature": 21.5, "mode": "auto", "door": True}, "session": "a", "seq": 1}
    node.publish("mill-1", json.dumps(payload).encode(), json.dumps(payload).encode())
    node.wait_for(lambda: node.ask("ask.ingest")["repeated"] == 3)
    live = {m["twin"]: m for m in node.ask("ask.live")}["mill-1"]
    assert live["values"]["temperature"][:3] == [now, 21.5, 0]
    assert live["values"]["door"][1] is True
    tail = pa.ipc.open_stream(node.ask_raw("ask.tail.1", {"after": -1})).read_all()
    assert sorted(zip(tail["signal"].to_pylist(), tail["idx"].to_pylist(), strict=True)) == [
        ("door", 0),
        ("mode", 1),
        ("temperature", 2),
    ]
    node.wait_for(lambda: (c := node.ask("ask.cut.1"))["committed"] == c["received"])
    table = node.table()
    assert len(table) == 3
    assert node.ask("ask.ingest", {"twin": "uid-1", "session": "a"})["stored"] == 3


def test_qos_0_is_counted_and_stored_once_and_qos_1_is_not_taken_twice(node: Node) -> None:
    machine = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="m2", protocol=mqtt.MQTTv311)
    machine.connect(node.server.host, node.server.mqtt_port)
    machine.loop_start()
    before = node.ask("ask.ingest")["qos0"]
    now = time.time_ns()
    for n in range(20):
        payload = json.dumps({"time": now + n, "values": {"temperature": n}})
        machine.publish("servitwin/mill-2/observations", payload, qos=n % 2).wait_for_publish(5)
    machine.publish("servitwin/mill-2/connection", "offline", qos=0).wait_for_publish(5)
    node.wait_for(lambda: len(stored(node, "uid-2")) == 21)
    machine.disconnect()
    machine.loop_stop()
    assert node.ask("ask.ingest")["qos0"] - before == 11
    rows = stored(node, "uid-2")
    assert sorted(v for s, v in rows if s == "temperature") == list(range(20))
    assert [v for s, v in rows if s == "_connection"] == ["offline"]


def stored(node: Node, uid: str) -> list[tuple[str, object]]:
    return [
        (r["signal"], r["text"] if r["number"] is None else r["number"])
        for r in node.table().to_pylist()
        if r["twin"] == uid
    ]


def test_where_small_files_pile_up_commits_get_larger_and_small_again_when_they_are_put_together(
    tmp_path: Path,
) -> None:
    """A batch of 600 rows is a commit of its own, or not; what is not committed yet is readable all the same."""
    node = Node(tmp_path, commit_rows=600, commit_seconds=600)
    node.register([MILL], [mill(1)])
    node.start()
    sent = 0

    def send(batches: int) -> None:
        nonlocal sent
        now = time.time_ns() - 10**9
        for _ in range(batches):
            message = {"times": [now + sent * 600 + k for k in range(600)], "values": {"temperature": [20.5] * 600}}
            node.publish("mill-1", json.dumps(message).encode())
            sent += 1
        node.wait_for(lambda: node.ask("ask.ingest")["values"] == sent * 600)

    def is_committed() -> bool:
        cut: dict[str, int] = node.ask("ask.cut.1")
        return cut["committed"] == cut["received"]

    try:
        send(1)
        node.wait_for(is_committed)
        node.tell("upkeep.done", {"small": 100_000})
        time.sleep(0.5)  # what is left of a burst is committed when it has ended
        send(7)
        time.sleep(1)
        assert not is_committed()
        tail = pa.ipc.open_stream(node.ask_raw("ask.tail.1", {"after": node.ask("ask.cut.1")["committed"]})).read_all()
        assert len(tail) == 7 * 600
        send(1)
        node.wait_for(is_committed)
        node.tell("upkeep.done", {"small": 3})
        time.sleep(0.5)
        send(1)
        node.wait_for(is_committed)
        assert len(node.table()) == sent * 600
    finally:
        node.stop()
