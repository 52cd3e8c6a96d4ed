"""Commands as nobody should send them: each is answered clearly, one key is one command, and nothing is sent twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.conftest import Node
from tests.stories.waiting import Api, plant, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("nodes")]
SPEED = "/twins/robot-1/commands/set-speed"
ROBOT = b"""machine_type: robot
version: 1
title: Robot
signals:
  alarm: {type: condition}
commands:
  set-speed:
    title: Set speed
    risk: information
    timeout: 2s
    parameters:
      speed: {type: number, unit: "%", minimum: 0, maximum: 100}
      note: {type: text, required: false}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("attacks")).running() as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    api = plant(node)
    api.ask("POST", "/machine-types", content=ROBOT, headers={"Content-Type": "application/yaml"})
    for twin in ("robot-1", "robot-2"):
        api.put(f"/twins/{twin}", {"kind": "machine", "type": "robot@1", "owner": "acme"})
    return api


@pytest.fixture(scope="module")
def heard(node: Node, api: Api) -> Iterator[list[dict[str, Any]]]:
    """What the robot's control hears; it answers nothing."""
    commands: list[dict[str, Any]] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="robot-1", protocol=mqtt.MQTTv311)
    client.username_pw_set("robot", api.credential("robot", "robot-1"))
    client.on_message = lambda *a: commands.append(json.loads(a[2].payload))
    client.on_connect = lambda *_: client.subscribe("servitwin/robot-1/commands/+", qos=1)
    listening = []
    client.on_subscribe = lambda *_: listening.append(True)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    wait_for(node, "the robot listens", 20, lambda: listening)
    yield commands
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b'{"parameters":{"speed":NaN}}', 422, "request:invalid"),
        (b'{"parameters":{"speed":1e999}}', 422, "request:invalid"),
        (b'{"parameters":{"speed":' + b"9" * 5000 + b"}}", 422, "request:invalid"),
        (b'{"parameters":{"speed":18446744073709551616}}', 400, "command:parameter-range"),
        (b'{"parameters":{"speed":-0.001}}', 400, "command:parameter-range"),
        (b'{"parameters":{"speed":"5"}}', 400, "command:parameter-type"),
        (b'{"parameters":{"speed":true}}', 400, "command:parameter-type"),
        (b'{"parameters":{"speed":null}}', 422, "request:invalid"),
        (b'{"parameters":{"speed":[1]}}', 422, "request:invalid"),
        (b'{"parameters":[]}', 422, "request:invalid"),
        (b'{"parameters":{}}', 400, "command:parameter-missing"),
        (b'{"parameters":{"speed":1,"note":"\\ud800"}}', 422, "request:invalid"),
        (json.dumps({"parameters": {"speed": 1, "note": "x" * 1_000_000}}).encode(), 422, "request:invalid"),
        (json.dumps({"parameters": {f"p{k}": k for k in range(20_000)}}).encode(), 422, "request:invalid"),
        (json.dumps({"parameters": {"y" * 500_000: 1}}).encode(), 422, "request:invalid"),
        (json.dumps({"parameters": {"speed": 1}, "key": "k" * 1000}).encode(), 422, "request:invalid"),
    ],
)
def test_odd_parameters_are_told_and_not_sent(
    api: Api, heard: list[dict[str, Any]], raw: bytes, status: int, code: str
) -> None:
    before = len(heard)
    answer = api.http.post(SPEED, content=raw, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.content) < 10_000, "what was wrong is named, not sent back"
    assert len(heard) == before


def test_twenty_callers_with_one_key_send_one_command(node: Node, api: Api, heard: list[dict[str, Any]]) -> None:
    heard.clear()

    def send(_: int) -> tuple[int, str]:
        answer = Api.of(node).http.post(SPEED, json={"parameters": {"speed": 7}, "key": "race"})
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(10) as callers:
        answers = set(callers.map(send, range(20)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 202
    wait_for(node, "the robot heard it", 10, lambda: heard)
    other = api.ask("POST", SPEED, 409, json={"parameters": {"speed": 8}, "key": "race"})
    assert other["code"] == "command:key-used"
    time.sleep(0.5)
    assert [c["parameters"] for c in heard] == [{"speed": 7.0}]


def test_late_answers_and_strangers_change_nothing(node: Node, api: Api, heard: list[dict[str, Any]]) -> None:
    sent = api.post(SPEED, {"parameters": {"speed": 9}})
    stranger = Api.of(node, api.token("other", "operator")["token"])
    for method, path in (("POST", SPEED), ("GET", "/twins/robot-1/commands"), ("GET", f"/commands/{sent['id']}")):
        more: dict[str, Any] = {"json": {"parameters": {"speed": 9}}} if method == "POST" else {}
        stranger.ask(method, path, 404, **more)
    timed_out = wait_for(
        node, "it timed out", 15,
        lambda: (c := api.get(f"/commands/{sent['id']}"))["status"] == "timed_out" and c,
    )  # fmt: skip
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="late", protocol=mqtt.MQTTv311)
    client.username_pw_set("late", api.credential("late", "robot-1", "robot-2"))
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    wait_for(node, "the late answerer is connected", 30, client.is_connected)
    for twin in ("robot-1", "robot-2"):
        topic = f"servitwin/{twin}/commands/{sent['id']}/ack"
        for payload in ('{"status":"done"}', "", "null", '{"status":{}}', '{"status":"done","reason":' + "[" * 5000):
            client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    time.sleep(1)
    assert api.get(f"/commands/{sent['id']}") == timed_out
    again = api.post(SPEED, {"parameters": {"speed": 10}})
    assert again["status"] == "sent", "the services worker lives"


def test_a_retired_twin_takes_no_command_and_keeps_the_answer_to_an_old_key(node: Node, api: Api) -> None:
    path = "/twins/robot-2/commands/set-speed"
    known = api.post(path, {"parameters": {"speed": 1}, "key": "old"})
    retire(api, "robot-2")
    wait_for(
        node, "nothing is sent any more", 10,
        lambda: api.http.post(path, json={"parameters": {"speed": 2}}).status_code == 404,
    )  # fmt: skip
    wait_for(
        node, "the open one times out", 15, lambda: api.get(f"/commands/{known['id']}")["status"] == "timed_out"
    )  # fmt: skip


def retire(api: Api, twin: str) -> None:
    """Out of use, as people do it: the twin was in the plant's file, and the next version of the file lacks it."""
    line = "  {}: {{type: robot@1, owner: acme}}\n"
    for twins in ((twin, "robot-3"), ("robot-3",)):
        text = "plant: cell\ntwins:\n" + "".join(line.format(t) for t in twins)
        done = api.ask("POST", "/plants", content=text.encode(), headers={"Content-Type": "application/yaml"})
    assert done["retired"] == [twin]


def test_pages_of_a_condition_hold_every_entry_of_one_moment_once(node: Node, api: Api) -> None:
    at = 1_700_000_000_000_000_000
    lines = [json.dumps({"time": at, "values": {"alarm": f"fault|N{k}||HIGH|text {k}"}}) for k in range(7)]
    lines += [json.dumps({"time": at + 1, "values": {"alarm": f"fault|M{k}||HIGH|text {k}"}}) for k in range(3)]
    body = "\n".join(lines).encode()
    api.ask("POST", "/twins/robot-1/observations", content=body, headers={"Content-Type": "application/x-ndjson"})
    asked: dict[str, Any] = {"from": at, "to": at + 2}

    def entries(limit: int) -> list[str]:
        found, cursor = [], None
        for _ in range(20):
            more = {"cursor": cursor} if cursor else {}
            page = api.get("/twins/robot-1/signals/alarm/observations", **asked, limit=limit, **more)
            found += [item["value"].split("|")[1] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found
        raise AssertionError("pages without end")

    wait_for(node, "all are readable", 20, lambda: len(entries(100)) == 10)
    for limit in (1, 2, 3, 7, 9):
        assert entries(limit) == [*(f"N{k}" for k in range(7)), *(f"M{k}" for k in range(3))]
