"""Programs and machines of every kind speak to one node: what is right is queryable once, what is wrong is kept."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import nats
import paho.mqtt.client as mqtt
import pyarrow as pa
import pytest

from tests.conftest import Node
from tests.stories.waiting import PRESS, Api, plant, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("nodes")]
T0 = 1_790_000_000_000_000_000  # 2026-09-21, ns


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("clients")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    return plant(node)


@pytest.fixture(scope="module")
def secret(node: Node, api: Api) -> str:
    """Password of the MQTT user press-1, once the bus knows it."""
    made = api.credential("press-1", "press-1")
    hello = json.dumps({"values": {"mode": "hello"}})
    wait_for(node, "the bus takes the new credential", 60, lambda: mosquitto(node, "press-1", made, hello) == 0)
    return made


def mosquitto(node: Node, user: str, password: str, message: str, topic: str = "servitwin/press-1/observations") -> int:
    """`mosquitto_pub` with QoS 1, which ends with 0 when it has the acknowledgement."""
    host = ["-h", "127.0.0.1", "-p", str(node.mqtt_port()), "-u", user, "-P", password]
    command = ["mosquitto_pub", *host, "-q", "1", "-t", topic, "-m", message]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode
    except subprocess.TimeoutExpired:
        return 124


def publish(node: Node, password: str, *messages: tuple[str, bytes], user: str = "press-1") -> None:
    """All of them by paho with QoS 1; returns when each is acknowledged."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{user}-{time.monotonic_ns()}")
    client.username_pw_set(user, password)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    try:
        assert connected.wait(30), "no connection to the broker"
        for info in [client.publish(topic, payload, qos=1) for topic, payload in messages]:
            info.wait_for_publish(30)
            assert info.is_published(), "no acknowledgement"
    finally:
        client.disconnect()
        client.loop_stop()


def counts(node: Node, api: Api, first: int, number: int) -> list[float]:
    """Values of `count` in [first, first + number), once as many are there; then whether more come."""
    asked = {"from": first, "to": first + number}
    wait_for(node, f"{number} values", 60, lambda: len(api.values("press-1", "count", **asked)) >= number)
    return [value for _, value in api.values("press-1", "count", **asked)]


def sample(at: int, value: Any, **more: Any) -> dict[str, Any]:
    return {"time": at, "values": {"count": value}, **more}


def test_mosquitto_pub_speaks_for_its_own_machine_alone(node: Node, api: Api, secret: str) -> None:
    before = int(wait_for(node, "ingest", 30, lambda: api.get("/health")["ingest"])["messages"])
    assert mosquitto(node, "press-1", secret, json.dumps(sample(T0, 1.0, session="m", seq=0))) == 0
    assert counts(node, api, T0, 1) == [1.0]
    foreign = "servitwin/press-2/observations"

    def wrong_credentials() -> int:
        return int(api.get("/health")["broker_refusals"]["counts"]["credential:wrong"])

    before_them = wrong_credentials()
    assert mosquitto(node, "press-1", "wrong", "{}") != 0, "a wrong password was let in"
    assert mosquitto(node, "nobody", secret, "{}") != 0, "an unknown user was let in"
    wait_for(node, "both counted, once each", 10, lambda: wrong_credentials() == before_them + 2)
    mosquitto(node, "press-1", secret, json.dumps(sample(T0, 666.0)), topic=foreign)  # MQTT 3.1.1 cannot say no
    assert mosquitto(node, "press-1", secret, json.dumps(sample(T0 + 1, 2.0, session="m", seq=1))) == 0
    assert counts(node, api, T0, 2) == [1.0, 2.0]
    assert api.values("press-2", "count", **{"from": T0}) == [], "one machine spoke for another"
    assert api.get("/health")["ingest"]["messages"] - before == 2


def test_batches_and_arrow_by_paho_count_once_however_often_they_are_sent(
    node: Node, api: Api, secret: str
) -> None:  # fmt: skip
    first, own = T0 + 1000, "servitwin/press-1/observations"
    batch = {
        "times": list(range(first, first + 100)), "values": {"count": [float(i) for i in range(100)]},
        "session": "b", "seq": 0,
    }  # fmt: skip
    table = pa.table(
        {"time": pa.array(range(first + 100, first + 200), pa.int64()), "count": [float(i) for i in range(100, 200)]}
    )
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema.with_metadata({"session": "arrow", "seq": "0"})) as writer:
        writer.write_table(table)
    messages = [(own, json.dumps(batch).encode()), (own, sink.getvalue())]
    publish(node, secret, *messages, *reversed(messages), *messages)
    assert counts(node, api, first, 200) == [float(i) for i in range(200)]
    later = (own, json.dumps(sample(first + 200, 200.0, session="b", seq=1)).encode())
    publish(node, secret, later)
    assert counts(node, api, first, 201) == [float(i) for i in range(201)], "a repeated batch was counted again"


def test_http_and_acknowledged_nats_count_once(node: Node, api: Api, secret: str) -> None:
    first = T0 + 10_000
    for _ in range(2):
        for i in range(10):
            api.post("/twins/press-1/observations", sample(first + i, float(i), session="h", seq=i), 202)
    lines = "\n".join(json.dumps(sample(first + i, float(i), session="h", seq=i)) for i in range(5, 20))
    sent = api.ask(
        "POST", "/twins/press-1/observations", 202, content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert sent["accepted"] == 15 and sent["duplicates"] == 5

    async def program() -> list[bool]:
        nc = await nats.connect(node.nats, user="press-1", password=secret, inbox_prefix="_INBOX_press-1")
        try:
            new = []
            for i in (*range(10), *range(10)):
                payload = json.dumps(sample(first + 20 + i, float(20 + i))).encode()
                header = {"Nats-Msg-Id": f"story-{i}"}
                ack = await nc.jetstream().publish("in.press-1.observations", payload, timeout=30, headers=header)
                new.append(not ack.duplicate)
            return new
        finally:
            await nc.close()

    assert asyncio.run(program()) == [True] * 10 + [False] * 10, "the stream did not know the message ids again"
    assert counts(node, api, first, 30) == [float(i) for i in range(30)]


def bad_inputs(now: int) -> dict[str, tuple[bytes, str]]:
    """Payload and expected code of each kind of bad input; each has a neighbour value or text that names it."""

    def told(**body: Any) -> bytes:
        return json.dumps({"time": now, "session": "bad", **body}).encode()

    return {
        "malformed": (b'{"time": 1, "values"', "payload:not-json"),
        "not utf-8": (b"\xff\xfe\x00 not JSON", "payload:not-json"),
        "no values": (b'{"time": 1}', "payload:wrong-shape"),
        "not an object": (b"[1, 2]", "payload:wrong-shape"),
        "deep": (b"[" * 100_000, "payload:not-json"),
        "huge": (told(seq=1, values={"mode": "x" * 3_000_000}), "payload:too-long"),
        "over-long text": (told(seq=2, values={"mode": "y" * 9_000}), "payload:too-long"),
        "NaN": (b'{"time": %d, "values": {"count": NaN}}' % now, "value:not-finite"),
        "infinity": (b'{"time": %d, "values": {"count": 1e999}}' % now, "value:not-finite"),
        "number as text": (told(seq=4, values={"count": "12"}), "value:wrong-type"),
        "impossible": (told(seq=5, values={"temperature": 1e6}), "value:impossible"),
        "wrong unit": (told(seq=6, values={"temperature": 20.0}, units={"temperature": "kg"}), "unit:not-convertible"),
        "future": (json.dumps(sample(now + 3_600_000_000_000, 1.0)).encode(), "time:in-future"),
        "1970": (json.dumps(sample("1970-01-01T00:00:00Z", 1.0)).encode(), "time:before-commissioning"),
        "no time": (json.dumps(sample("yesterday", 1.0)).encode(), "time:not-rfc3339"),
        "beyond": (json.dumps(sample(10**30, 1.0)).encode(), "time:out-of-range"),
        "lengths": (told(times=[now, now + 1], values={"count": [1.0]}), "batch:lengths-differ"),
    }


def test_bad_input_is_kept_with_its_code_and_its_neighbours_live(node: Node, api: Api, secret: str) -> None:
    now, own = time.time_ns(), "servitwin/press-1/observations"
    bad = bad_inputs(now)
    for name, (payload, _) in bad.items():
        try:
            publish(node, secret, (own, payload))
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}\n{node.logs()}") from e
    good = json.dumps({"time": now + 7, "values": {"count": 7.0, "nonsense": 1, "mode": "ok"}}).encode()
    publish(node, secret, (own, good))
    wanted: dict[str, int] = {"signal:unknown": 1}
    for _, code in bad.values():
        wanted[code] = wanted.get(code, 0) + 1

    def found() -> dict[str, int]:
        entries = api.get("/quarantine", twin="press-1", limit=1000)["items"]
        codes = [e["code"] for e in entries]
        return {code: codes.count(code) for code in set(codes)}

    wait_for(node, f"quarantine {wanted}", 60, lambda: sum(found().values()) >= sum(wanted.values()) and found())
    assert found() == wanted
    assert counts(node, api, now + 7, 1) == [7.0]
    one = next(e for e in api.get("/quarantine", code="value:wrong-type")["items"] if e["twin"] == "press-1")
    assert "12" in api.get(f"/quarantine/{one['id']}")["payload_text"], "the payload was not kept whole"


def test_reordered_and_jumping_back_in_time_is_stored_in_order_of_time(node: Node, api: Api, secret: str) -> None:
    first, own = T0 + 50_000, "servitwin/press-1/observations"
    order = [5, 3, 9, 0, 7, 1, 8, 2, 6, 4]
    publish(
        node, secret,
        *((own, json.dumps(sample(first + i, float(i), session="jump", seq=i)).encode()) for i in [*order, *order]),
    )  # fmt: skip
    assert counts(node, api, first, 10) == [float(i) for i in range(10)]


def test_an_unknown_signal_is_replayed_after_mending(node: Node, api: Api, secret: str) -> None:
    first = T0 + 90_000
    body = {"time": first, "values": {"count": 41.0, "gauge": 3.5}, "session": "g", "seq": 1}
    publish(node, secret, ("servitwin/press-1/observations", json.dumps(body).encode()))

    def entries() -> list[str]:
        ids = [e["id"] for e in api.get("/quarantine", code="signal:unknown", limit=1000)["items"]]
        return [i for i in ids if "gauge" in (api.get(f"/quarantine/{i}")["payload_text"] or "")]

    odd = wait_for(node, "the unknown signal in quarantine", 60, entries)
    api.ask(
        "POST", "/machine-types", headers={"Content-Type": "application/yaml"},
        content=PRESS.replace(b"version: 1", b"version: 2") + b'  gauge: {unit: "1"}\n',
    )  # fmt: skip
    dated = [{"type": "press@2", "from": "2020-01-01"}]
    api.put("/twins/press-1", {"kind": "machine", "type": dated, "owner": "acme", "commissioned": "2020-01-01"})
    assert api.post("/quarantine/replay", {"ids": odd})["replayed"] == 1
    asked = {"from": first, "to": first + 1}
    wait_for(node, "the signal's value", 60, lambda: [v for _, v in api.values("press-1", "gauge", **asked)] == [3.5])
    assert entries() == [], "an entry that was replayed is still in quarantine"
    assert [v for _, v in api.values("press-1", "count", **asked)] == [41.0]


@pytest.mark.parametrize("topic", ["servitwin/Press 1/observations", "servitwin/prüße/observations", "elsewhere/x"])
def test_odd_topics_are_refused_and_the_next_message_arrives(node: Node, api: Api, secret: str, topic: str) -> None:
    at = T0 + 200_000 + len(topic)
    mosquitto(node, "press-1", secret, json.dumps(sample(at, 666.0)), topic=topic)
    assert mosquitto(node, "press-1", secret, json.dumps(sample(at, 5.0))) == 0
    assert counts(node, api, at, 1) == [5.0]
