"""Robots over the real broker: the demo's fleet drives, an aisle is blocked, robots fail, the master is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from servitwin.connectors.vda5050 import write
from servitwin.connectors.vda5050.message import Robot
from servitwin.connectors.vda5050.simulated_robot import SimulatedRobot
from tests.conftest import Node
from tests.stories.robot_hall import (
    FASTER,
    FLEET,
    ask,
    demo_hall,
    done,
    fleet,
    hall,
    kinds,
    not_simulated,
    ready,
    robot_of,
    room_at,
)
from tests.stories.robot_hall import robot as seen
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("nodes")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Robot 8 is not simulated by the plant: a test plays it with credentials of its own."""
    content = demo_hall()
    robot_of(content, "agv-8", version="2.0.0")
    not_simulated(content, "agv-8")
    with hall(tmp_path_factory.mktemp("robots"), content) as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    api = Api.of(node)
    ready(node, api, 7)
    return api


PAIRS = [
    ("store-a", "mill-1"),
    ("store-b", "mill-3"),
    ("mill-2", "cell-1"),
    ("mill-1", "cell-1"),
    ("cell-1", "store-b"),
]


def test_a_blocked_aisle_is_driven_round_and_everything_arrives(node: Node, api: Api) -> None:
    events: list[Any] = []
    secret = api.credential("listener", "robots-1")
    listener = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="listener")
    listener.username_pw_set("listener", secret)
    listener.on_connect = lambda c, *_: c.subscribe("servitwin/robots-1/events/+", 1)
    listener.on_message = lambda _c, _u, m: events.append(json.loads(m.payload))
    listener.reconnect_delay_set(1, 1)
    listener.connect("127.0.0.1", node.mqtt_port())
    listener.loop_start()
    try:
        ids = ask(api, "first", PAIRS)
        wait_for(node, "robots on their way", 20, lambda: any(r["driving"] for r in fleet(api)["robots"]))
        zone = {"id": "aisle", "places": ["4-1", "4-2"], "reason": "a pallet fell"}
        assert api.post(f"{FLEET}/zones", zone)["kind"] == "blocked"
        wait_for(node, "everything there", 60, lambda: done(api, ids))
        now = fleet(api)
        assert now["conflicts"] == [] and now["checked"] > 50
        assert not any({"4-1", "4-2"} & {*r["held"], *r["plan"]} for r in now["robots"])
        api.ask("DELETE", f"{FLEET}/zones/aisle")
        assert {"zone-blocked", "delivered", "zone-open"} <= kinds(api)
        wait_for(node, "the event by MQTT", 30, lambda: any(e["data"]["kind"] == "zone-blocked" for e in events))
        assert all(e["kind"] == "vda5050" and e["subject"] == "robots-1" for e in events)
    finally:
        listener.disconnect()
        listener.loop_stop()
    assert any(v == "zone-blocked" for _, v in api.values("robots-1", "event.kind"))
    assert api.get("/twins/agv-1/state")["values"]["battery.charge"]["value"] > 0
    assert api.get("/quarantine")["items"] == []


def test_faults_of_the_simulator_are_handled_and_explained(node: Node, api: Api) -> None:
    tray = [f for f in api.get("/simulator")["faults"] if f["twin"] == "agv-3"]
    assert {"fail", "network", "low-battery", "lost-position", "person"} <= {f["fault"] for f in tray}
    ids = ask(api, "second", PAIRS)
    api.post("/simulator/faults", {"twin": "agv-3", "fault": "fail", "active": True})
    api.post("/simulator/faults", {"twin": "agv-5", "fault": "network", "active": True})
    api.post("/simulator/faults", {"twin": "agv-6", "fault": "lost-position", "active": True})
    wanted = {"robot-failed", "robot-lost", "impossible-position"}
    wait_for(node, "three robots told", 30, lambda: wanted <= kinds(api))
    wait_for(node, "quarantine", 20, lambda: api.get("/quarantine")["counts"]["vda5050:position-impossible"])
    for twin, fault in (("agv-3", "fail"), ("agv-5", "network"), ("agv-6", "lost-position")):
        api.post("/simulator/faults", {"twin": twin, "fault": fault, "active": False})
    wait_for(node, "everything there", 60, lambda: done(api, ids))
    ready(node, api, 7)
    assert fleet(api)["conflicts"] == []


def test_a_killed_master_goes_on(node: Node, api: Api) -> None:
    ids = ask(api, "third", PAIRS)
    wait_for(node, "robots on their way", 20, lambda: any(len(r["held"]) > 1 for r in fleet(api)["robots"]))
    running = json.loads((node.data / "run" / "children.json").read_bytes())
    os.kill(next(c["pid"] for c in running if c["name"] == "plugin-hall-1-robots"), signal.SIGKILL)
    wait_for(node, "the master gone", 30, lambda: api.http.get(FLEET).status_code == 503)
    wait_for(node, "the master back", 30, lambda: api.http.get(FLEET).status_code == 200)
    wait_for(node, "everything there", 60, lambda: done(api, ids))
    assert fleet(api)["conflicts"] == []
    again = api.post(f"{FLEET}/tasks", {"id": ids[0], "from": PAIRS[0][0], "to": PAIRS[0][1], "load": "third"})
    assert again["state"] == "done"  # it knows its tasks: the same again is not carried twice
    api.ask("POST", f"{FLEET}/tasks", 409, json={"id": ids[0], "from": "mill-2", "to": "mill-3"})
    wrong = api.ask("POST", f"{FLEET}/tasks", 400, json={"id": "x", "from": "moon", "to": "mars"})
    assert [f["code"] for f in wrong["faults"]] == ["task:place-unknown", "task:place-unknown"]


def test_a_robot_with_credentials_of_its_own_joins_and_speaks_only_for_itself(node: Node, api: Api) -> None:
    """A robot of another maker: its own process would be this thread; version 2.0 over MQTT with last will."""
    robot = Robot("agv-8", "aurora", "AG100-0038", "2.0.0")
    secret = api.credential("agv-8", "agv-8")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="agv-8")
    client.username_pw_set("agv-8", secret)
    client.will_set(
        f"{robot.topic}/connection", write.connection(robot, 1, time.time_ns(), "CONNECTION_BROKEN"), 1, True
    )
    start = "13-7"
    simulated = SimulatedRobot(robot, start, 26.0, 0.0, map_id="hall-1", fastest=1.2 * FASTER)
    heard = threading.Event()
    client.on_connect = lambda c, *_: c.subscribe([(f"{robot.topic}/order", 0), (f"{robot.topic}/instantActions", 0)])

    def on_message(_c: Any, _u: Any, m: Any) -> None:
        heard.set()
        (simulated.hear_order if m.topic.endswith("order") else simulated.hear_instant_actions)(m.payload)

    client.on_message = on_message
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    try:
        wait_for(node, "connected", 30, client.is_connected)
        client.publish(f"{robot.topic}/connection", write.connection(robot, 1, time.time_ns(), "ONLINE"), 1, True)
        # What it says of another robot the broker refuses: nothing of it reaches the master.
        other = Robot("agv-1", "aurora", "AG100-0031", "2.1.0")
        place = seen(api, "agv-1")["place"]
        lie = SimulatedRobot(other, "0-0", 0, 14, map_id="hall-1").state(10**6, time.time_ns())
        client.publish(f"{other.topic}/state", write.state(other, time.time_ns(), lie))
        number = 0

        def drive() -> str:
            nonlocal number
            simulated.step(0.1)
            number += 1
            client.publish(
                f"{robot.topic}/state", write.state(robot, time.time_ns(), simulated.state(number, time.time_ns()))
            )
            return simulated.last_node

        with room_at(node, api, start):
            wait_for(node, "the robot known to the master", 20, lambda: drive() and seen(api, "agv-8")["held"])
        wait_for(node, "the robot driven by the master", 30, lambda: drive() != start)
        assert heard.is_set()
        assert seen(api, "agv-1")["condition"] == "ready", place
    finally:
        client._sock_close()  # the network is gone: the broker says so by its last will
        client.loop_stop()
    wait_for(node, "the last will", 30, lambda: seen(api, "agv-8")["condition"] == "lost")


def test_people_and_the_command_line_see_what_they_may(node: Node, api: Api) -> None:
    viewer = Api.of(node, api.token("kivi", "viewer")["token"])
    assert viewer.get("/fleets")["items"] == [{"id": "robots-1", "title": "Mobile robots", "may_command": False}]
    viewer.ask("POST", f"{FLEET}/zones", 403, json={"id": "z", "places": ["0-0"]})
    stranger = Api.of(node, api.token("aurora", "viewer")["token"])
    assert stranger.get("/fleets")["items"] == [] and stranger.get("/robots")["items"] == []
    stranger.ask("GET", FLEET, 404)
    assert len(api.get(f"{FLEET}/map")["places"]) == 92
    assert json.loads(api.http.get(f"{FLEET}/layout").content)["layouts"][0]["layoutId"] == "hall-1"
    wrong = api.ask("POST", f"{FLEET}/zones", 400, json={"id": "z", "places": ["moon"]})
    assert wrong["code"] == "map:place-unknown"
    api.ask("DELETE", f"{FLEET}/zones/none", 404)
    api.ask("POST", f"{FLEET}/robots/none/trust", 404, json={})
    for arguments, said in (
        (["list"], "agv-1"),
        (["block", "corner", "0-0"], "corner is closed"),
        (["open", "corner"], "corner is open"),
        (["events"], "corner is blocked"),
        (["block", "cell", "14-0"], "cell is closed"),  # so that the task cannot be done before it is cancelled
        (["send", "cli-1", "mill-1", "cell-1"], "cli-1 is"),
        (["tasks"], "cli-1"),
        (["cancel", "cli-1"], "cancelled"),
        (["open", "cell"], "cell is open"),
    ):
        assert said in command(node, *arguments)


def command(node: Node, *arguments: str) -> str:
    full = [sys.executable, "-m", "servitwin.bootstrap", "robots", *arguments, "--data", str(node.data)]
    ended = subprocess.run(full, capture_output=True, text=True, timeout=120, cwd=Path(node.data))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
