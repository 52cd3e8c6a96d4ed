"""Machines that speak their own topics: mapped in the plant file, changed while the node runs, never taken twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from typer.testing import CliRunner

from servitwin.bootstrap.starters import starters
from servitwin.cli.app import create_cli
from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
SHOP = """plant: shop
connections:
  presses:
    connector: mqtt
    config:
      admit: ["shop/{twin}/#"]
      mappings:
        - {topic: shop/+/telemetry, twin: "{1}", time: ts, time_unit: ms, values: data, signals: {T: temperature}}
"""
MORE = """        - {topic: shop/+/raw/+, twin: "{1}", signal: "{2}"}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("foreign")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    return plant(node)


@pytest.fixture(scope="module")
def publish(node: Node, api: Api) -> Iterator[Callable[..., None]]:
    """A machine, user press-1, that publishes and waits for the acknowledgement of each message."""
    secret = api.credential("press-1", "press-1")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="press-1")
    client.username_pw_set("press-1", secret)
    connected = threading.Event()
    client.on_connect = lambda _c, _u, _f, code, _p: connected.set() if code == 0 else None
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    assert connected.wait(30), node.logs()

    def send(topic: str, payload: Any, qos: int = 1) -> None:
        wait_for(node, "connected", 30, client.is_connected)
        client.publish(topic, payload if isinstance(payload, str) else json.dumps(payload), qos=qos).wait_for_publish(
            30
        )

    yield send
    client.disconnect()
    client.loop_stop()


def bring_in(node: Node, folder: Path, text: str) -> dict[str, Any]:
    """`servitwin import`, as a person does it."""
    file = folder / "plant.yaml"
    file.write_text(text)
    done = CliRunner().invoke(create_cli(starters()), ["import", str(file), "--data", str(node.data), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_foreign_topic_becomes_rows_once_mapped_without_a_restart(
    node: Node, api: Api, publish: Callable[..., None], tmp_path: Path
) -> None:
    answer = bring_in(node, tmp_path, SHOP)
    assert answer["registered"] == ["connections:shop"]
    assert answer["restart"] == []
    shown = next(c for c in api.get("/connections")["items"] if c["id"] == "presses")
    assert (shown["condition"], shown["topics"]) == ("running", ["shop/+/telemetry"])
    start = time.time_ns() // 10**6

    def arrives() -> Any:  # the broker lets it in within a second; it acknowledges what it refuses as well
        publish("shop/press-1/telemetry", {"ts": start - 1000, "data": {"T": 1.0}})
        return api.values("press-1", "temperature")

    wait_for(node, "the machine's right to publish there", 30, arrives)
    for n in range(20):
        publish("shop/press-1/telemetry", {"ts": start + n, "data": {"T": 20.0 + n, "count": n}}, n % 2)
    wanted = [20.0 + n for n in range(20)]
    asked = {"from": start * 10**6}
    wait_for(node, "all of them", 30, lambda: [v for _, v in api.values("press-1", "temperature", **asked)] == wanted)
    time.sleep(1.0)
    assert [v for _, v in api.values("press-1", "temperature", **asked)] == wanted


def test_an_unmapped_topic_is_in_quarantine_and_becomes_rows_with_the_next_mapping(
    node: Node, api: Api, publish: Callable[..., None], tmp_path: Path
) -> None:
    bring_in(node, tmp_path, SHOP)
    publish("shop/press-1/raw/count", "7")
    publish("shop/press-1/raw/count", "7", 0)

    def unknown() -> Any:
        items = api.get("/quarantine", code="topic:unknown")["items"]
        return items if len(items) >= 2 else None

    entries = wait_for(node, "both in quarantine", 30, unknown)
    assert len(entries) == 2
    bring_in(node, tmp_path, SHOP + MORE)

    def arrives(value: float, qos: int) -> Any:  # ingest takes the mapping up within a second
        publish("shop/press-1/raw/count", str(value), qos)
        return value in [v for _, v in api.values("press-1", "count")]

    wait_for(node, "a value by QoS 1", 30, lambda: arrives(108.0, 1))
    wait_for(node, "a value by QoS 0", 30, lambda: arrives(109.0, 0))


def test_a_machine_speaks_for_itself_alone_on_foreign_topics_too(
    node: Node, api: Api, publish: Callable[..., None], tmp_path: Path
) -> None:
    bring_in(node, tmp_path, SHOP)
    publish("shop/press-2/telemetry", {"ts": time.time_ns() // 10**6, "data": {"T": 66.0}})
    publish("shop/press-1/telemetry", {"ts": time.time_ns() // 10**6, "data": {"T": 67.0}})
    wait_for(node, "its own", 30, lambda: 67.0 in [v for _, v in api.values("press-1", "temperature")])
    assert api.values("press-2", "temperature") == []


def test_every_fault_of_a_mapping_has_line_column_and_remedy(tmp_path: Path, node: Node, api: Api) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("""plant: shop
connections:
  presses:
    connector: mqtt
    config:
      mappings:
        - {topic: shop/+/a, twin: "{2}", time_unit: min}
        - {topic: live/+, twin: "{1}"}
        - {topic: shop/press-1/+, twin: press-1, valuez: v}
        - {topic: a/+b, twin: 7}
        - {twin: x}
""")
    done = CliRunner().invoke(create_cli(starters()), ["check", str(file), "--json"])
    assert done.exit_code == 1
    faults = json.loads(done.stdout)["faults"]
    assert [(f["line"], f["code"]) for f in faults] == [
        (7, "mqtt:template-wrong"), (7, "mqtt:time-unit-wrong"), (8, "mqtt:topic-reserved"),
        (9, "mqtt:topics-overlap"), (9, "mqtt:option-unknown"), (10, "mqtt:topic-wrong"),
        (10, "mqtt:mapping-wrong"), (11, "mqtt:mapping-wrong"),
    ]  # fmt: skip
    assert all(f["column"] and f["hint"] for f in faults)
    refused = api.ask("POST", "/plants", 400, content=file.read_bytes(), headers={"Content-Type": "application/yaml"})
    assert len(refused["faults"]) == len(faults)


def test_what_the_broker_refuses_is_counted_with_who_and_why(node: Node, api: Api) -> None:
    secret = api.credential("press-2", "press-2")
    before = api.get("/health")["broker_refusals"]["counts"]

    def send(topic: str, payload: str) -> None:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="press-2")
        client.username_pw_set("press-2", secret)
        client.connect("127.0.0.1", node.mqtt_port())
        client.loop_start()
        client.publish(topic, payload, qos=1)
        time.sleep(0.5)
        client.loop_stop()
        client.disconnect()

    def grown(code: str, topic: str, payload: str) -> Any:
        send(topic, payload)
        return api.get("/health")["broker_refusals"]["counts"][code] > before[code]

    for code, topic, payload in (
        ("payload:too-long", "servitwin/press-2/observations", "x" * (9 << 20)),
        ("topic:odd", "servitwin/press-2/with blank", "1"),
        ("topic:not-permitted", "servitwin/press-1/observations", "{}"),
    ):
        wait_for(node, code, 30, lambda case=(code, topic, payload): grown(*case))
    last = api.get("/health")["broker_refusals"]["last"][0]
    assert (last["user"], last["code"]) == ("press-2", "topic:not-permitted")
    assert "servitwin.press-1.observations" in last["message"]
    metrics = api.http.get(node.web + "/metrics").text
    assert 'servitwin_broker_refused_total{code="payload:too-long"}' in metrics
