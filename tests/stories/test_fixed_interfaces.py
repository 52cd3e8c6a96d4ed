"""The promises of the fixed interfaces, held against a real node by clients that share no code with it."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pyarrow as pa
import pytest

from tests.conftest import Node
from tests.stories.waiting import API, Api, plant, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]
FORMULAS = ("iso22400@1", "en15341-m10@1", "en15341-m12@1", "en15341-pha8@1", "vdi3423@1")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("fixed"), arguments=["--anonymous-role", "viewer"]).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    return plant(node)


@pytest.fixture(scope="module")
def machine(node: Node, api: Api) -> Iterator[mqtt.Client]:
    """A machine on MQTT 3.1.1 with a credential of its own."""
    secret = api.credential("press-machine", "press-1")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="press-1", protocol=mqtt.MQTTv311)
    client.username_pw_set("press-machine", secret)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    wait_for(node, "the machine connected", 10, client.is_connected)
    yield client
    client.disconnect()
    client.loop_stop()


def publish(client: mqtt.Client, payload: bytes | dict[str, Any]) -> None:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = client.publish("servitwin/press-1/observations", data, qos=1)
    sent.wait_for_publish(20)
    assert sent.is_published(), "no acknowledgement"


def test_times_of_every_form_arrive_to_the_nanosecond(api: Api, machine: mqtt.Client, node: Node) -> None:
    base = "2026-03-01T10:00:0"
    publish(machine, {"time": base + "0.123456789Z", "values": {"temperature": 1}})
    publish(machine, {"time": base + "1.000000001+02:00", "values": {"temperature": 2}})
    publish(machine, {"time": 1_772_359_202_000_000_007, "values": {"temperature": 3}})
    publish(machine, {"time": base + "3Z", "values": {"temperature": "UNAVAILABLE"}})
    publish(machine, {"time": base + "4Z", "values": {"temperature": None}})
    wanted = [
        ("2026-03-01T08:00:01.000000001Z", 2), (base + "0.123456789Z", 1), (base + "2.000000007Z", 3),
        (base + "3.000000000Z", None), (base + "4.000000000Z", None),
    ]  # fmt: skip
    span = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}
    wait_for(node, "five rows", 20, lambda: len(api.values("press-1", "temperature", **span)) == 5)
    assert api.values("press-1", "temperature", **span) == wanted


def test_batches_in_json_and_arrow_and_what_is_repeated_counts_once(api: Api, machine: mqtt.Client, node: Node) -> None:
    batch = {
        "times": ["2026-03-02T00:00:00Z", "2026-03-02T00:00:01.5Z", 1_772_409_603_000_000_000],
        "values": {"count": [1, 2, None], "mode": ["a", "UNAVAILABLE", "b"], "door": [True, False, True]},
        "session": "s", "seq": 1,
    }  # fmt: skip
    times = pa.array([1_772_409_610_000_000_000 + k for k in range(3)], pa.int64())
    table = pa.table({"time": times, "count": pa.array([10.0, 11.0, None]), "mode": pa.array(["x", "y", "z"])})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema.with_metadata({"session": "s", "seq": "2"})) as writer:
        writer.write_table(table)
    for _ in range(3):
        publish(machine, batch)
        publish(machine, sink.getvalue())
    publish(machine, {"time": "2026-03-02T23:00:00Z", "values": {"mode": "end"}})
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    wait_for(node, "the last row", 20, lambda: any(v == "end" for _, v in api.values("press-1", "mode", **span)))
    assert [v for _, v in api.values("press-1", "count", **span)] == [1, 2, None, 10, 11, None]
    assert [v for _, v in api.values("press-1", "mode", **span)] == ["a", None, "b", "x", "y", "z", "end"]
    told = api.get("/twins/press-1/ingest", session="s")
    assert (told["stored"], told["quarantined"], told["repeated"]) == (15, 0, 30)


def test_a_viewer_without_a_token_may_read_and_nothing_else(node: Node, api: Api) -> None:
    with httpx.Client(base_url=node.web + API) as nobody:
        for path in ("/twins", "/twins/press-1", "/twins/press-2", "/twins/press-1/state", "/quarantine", "/health"):
            assert nobody.get(path).status_code == 200, path
        refused = nobody.post("/twins/press-1/observations", json={"values": {"count": 1}})
        assert refused.status_code in (401, 403)
        assert {"code", "message", "hint", "where"} <= refused.json().keys()
        assert nobody.post("/twins/press-1/commands/stop", json={"parameters": {}}).status_code in (401, 403)
        assert nobody.put("/twins/press-9", json={"kind": "machine"}).status_code in (401, 403)
        wrong = nobody.get("/twins", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401, "a wrong token is no token: it must not fall back to the anonymous role"


def test_paths_and_fields_that_programs_rely_on(node: Node, api: Api) -> None:
    web = httpx.Client(base_url=node.web)
    assert web.get("/").headers["location"] == "/app/"
    for path in ("/health/live", "/health/ready", "/metrics", "/api/v1/openapi.json", "/app/"):
        assert web.get(path).status_code == 200, path
    twins = web.get(API + "/twins").json()["items"]
    assert {"id", "uid", "level", "state"} <= twins[0].keys()
    assert {"level", "since"} <= web.get(API + "/twins/press-1").json()["level"].keys()
    at = API + "/twins/press-1"
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:01:00Z"}
    buckets = web.get(at + "/signals/count/observations", params={**span, "every": "30s", "aggregate": "mean"}).json()
    assert [b["mean"] for b in buckets["buckets"]] == [pytest.approx(6.0), None]
    seconds = web.get(at + "/signals/mode/observations", params={**span, "aggregate": "duration"}).json()["seconds"]
    assert seconds["a"] == 1.5
    assert seconds["b"] == pytest.approx(7)
    assert sum(seconds.values()) == pytest.approx(60)
    states = web.get(at + "/states", params=span).json()
    assert {"from", "to", "intervals", "totals", "cut"} <= states.keys()
    assert {"from", "to", "state", "cause", "party"} <= states["intervals"][0].keys()
    assert sum(states["totals"].values()) == pytest.approx(60)
    for formula in FORMULAS:
        found = web.get(at + "/availability", params={**span, "formula": formula}).json()
        assert {"value", "formula", "numerator_s", "denominator_s", "unknown_s", "cut"} <= found.keys()
        assert found["formula"] == formula
        assert found["value"] is not None or found["reason"]
    oee = web.get(at + "/oee", params=span).json()
    assert {"oee", "availability", "performance", "quality", "losses", "assumed", "cut"} <= oee.keys()
    assert web.get(API + "/quarantine").json().keys() >= {"items", "next"}
    unknown = web.get(at + "/availability", params={"formula": "mine@1"})
    assert unknown.status_code in (400, 422)
    assert {"code", "message", "hint", "where"} <= unknown.json().keys()


def test_what_cannot_be_used_is_kept_with_its_reason(api: Api, machine: mqtt.Client, node: Node) -> None:
    far = time.time_ns() + 3600 * 10**9
    sent: dict[str, bytes] = {
        "payload:not-json": b"{nonsense",
        "payload:wrong-shape": b'{"time": 1772409603000000000}',
        "time:not-rfc3339": b'{"time": "yesterday", "values": {"count": 1}}',
        "time:in-future": json.dumps({"time": far, "values": {"count": 1}}).encode(),
        "time:before-commissioning": b'{"time": "1970-01-01T00:00:00Z", "values": {"count": 1}}',
        "time:out-of-range": b'{"time": 99999999999999999999999, "values": {"count": 1}}',
        "signal:unknown": b'{"time": "2026-03-04T00:00:00Z", "values": {"nothing": 1, "count": 77}}',
        "value:wrong-type": b'{"time": "2026-03-04T00:00:01Z", "values": {"count": "12", "mode": "kept"}}',
        "value:not-finite": b'{"time": "2026-03-04T00:00:02Z", "values": {"count": NaN}}',
        "value:impossible": b'{"time": "2026-03-04T00:00:03Z", "values": {"temperature": 1e9}}',
        "unit:not-convertible": b'{"time": "2026-03-04T00:00:04Z", "values": {"temperature": 1}, '
        b'"units": {"temperature": "kg"}}',
        "batch:lengths-differ": b'{"times": ["2026-03-04T00:00:05Z"], "values": {"count": [1, 2]}}',
    }

    def kept(code: str) -> list[Any]:
        return api.get("/quarantine", twin="press-1", code=code, limit=200)["items"]

    before = {code: {item["id"] for item in kept(code)} for code in sent}
    for payload in sent.values():
        publish(machine, payload)
    for code, payload in sent.items():
        entry = wait_for(
            node, f"{code} in quarantine", 20, lambda c=code: [i for i in kept(c) if i["id"] not in before[c]]
        )[0]  # fmt: skip
        whole = api.get(f"/quarantine/{entry['id']}")
        assert whole["message"], code
        assert whole["payload_text"] == payload.decode(), "kept as it was received"
    span = {"from": "2026-03-04T00:00:00Z", "to": "2026-03-05T00:00:00Z"}
    assert [v for _, v in api.values("press-1", "count", **span)] == [77], "a fault must not take its neighbours"
    assert [v for _, v in api.values("press-1", "mode", **span)] == ["kept"]


def test_what_the_broker_does_not_take_is_refused_and_the_machine_goes_on(
    api: Api, machine: mqtt.Client, node: Node
) -> None:
    secret = api.credential("rude-machine", "press-1")
    counts = api.get("/quarantine")["counts"]

    def refusals() -> dict[str, int]:
        return {r: n for r, n in api.get("/health")["broker_refusals"]["counts"].items() if r != "credential:wrong"}

    before = refusals()

    def rude(topic: str, payload: bytes) -> None:
        so_far = refusals()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="rude", protocol=mqtt.MQTTv311)
        client.username_pw_set("rude-machine", secret)
        client.connect("127.0.0.1", node.mqtt_port())
        client.loop_start()
        wait_for(node, "the rude machine connected", 10, client.is_connected)
        client.publish(topic, payload, qos=1)
        wait_for(node, f"a message on {topic} refused", 20, lambda: refusals() != so_far)
        client.disconnect()
        client.loop_stop()

    value = json.dumps({"time": "2026-03-05T00:00:00Z", "values": {"count": 666}}).encode()
    rude("servitwin/press-2/observations", value)
    rude("servitwin/no-such-twin/observations", value)
    rude("servitwin/press-1/observations/more", value)
    rude("servitwin/press 1/observations", value)
    rude("servitwin/press.1/observations", value)
    rude("servitwin/press-1/observations", b"x" * (8 * 2**20 + 1))
    publish(machine, {"time": "2026-03-05T00:00:01Z", "values": {"count": 1}})
    span = {"from": "2026-03-05T00:00:00Z", "to": "2026-03-06T00:00:00Z"}
    wait_for(node, "the other machine's value", 20, lambda: api.values("press-1", "count", **span))
    assert [v for _, v in api.values("press-1", "count", **span)] == [1]
    assert api.values("press-2", "count", **span) == []
    assert api.get("/quarantine")["counts"] == counts, "what the broker refuses does not come in"
    new = {reason: n - before[reason] for reason, n in refusals().items()}
    codes = {
        "topic:not-permitted": 4,
        "topic:odd": 1,
        "payload:too-long": 1,
        "filter:not-permitted": 0,
        "stream:full": 0,
    }
    assert new == codes, "and its owner can see that it was refused"
    assert 'servitwin_broker_refused_total{code="payload:too-long"} 1' in httpx.get(node.web + "/metrics").text


def test_web_refuses_what_is_too_long_or_for_nobody(api: Api) -> None:
    long = api.http.post("/twins/press-1/observations", content=b"x" * (8 * 2**20 + 1))
    assert (long.status_code, long.json()["code"].split(":")[0]) == (413, "request")
    assert api.http.post("/twins/nobody/observations", json={"values": {"count": 1}}).status_code == 404
    twice = [
        api.post("/twins/press-1/observations", {"values": {"count": 9}, "session": "w", "seq": 1}, 202)
        for _ in range(2)
    ]
    assert twice[0]["accepted"] == 1
    wait_for(api.node, "one row", 20, lambda: api.get("/twins/press-1/ingest", session="w")["stored"] == 1)
    assert sum(v == 9 for _, v in api.values("press-1", "count")) == 1
