"""The demo's robots alone, without its machines, on their own hall, and what stories ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from ruamel.yaml import YAML

from tests.conftest import ROOT, Node
from tests.stories.waiting import Api, wait_for

FLEET = "/fleets/robots-1"
FASTER = 6  # simulated seconds per second
_YAML = YAML(typ="safe", pure=True)


def demo_hall() -> Any:
    """The demo's file of robots with two parties, faster robots, and no transports that come by themselves."""
    content = _YAML.load((ROOT / "examples" / "demo" / "robots.yaml").read_text("utf-8"))
    content["parties"] = {"kivi": {"name": "Kivi"}, "aurora": {"name": "Aurora", "kind": "manufacturer"}}
    master, simulated = (content["connections"][n]["config"] for n in ("hall-1-robots", "hall-1-robots-simulated"))
    for made_by_itself in ("shuttles", "schedule"):
        master.pop(made_by_itself, None)
    master["limits"] = {"fastest_m_s": 10, "load_type": "EPAL"}
    simulated["simulate"]["speed"] = FASTER
    return content


def robot_of(content: Any, twin: str, **changed: str) -> Any:
    """The fleet's entry of a robot, changed."""
    robot = next(r for r in content["connections"]["hall-1-robots"]["config"]["robots"] if r["twin"] == twin)
    robot.update(changed)
    return robot


def not_simulated(content: Any, *twins: str) -> None:
    """These robots are played by somebody else."""
    simulate = content["connections"]["hall-1-robots-simulated"]["config"]["simulate"]
    simulate["robots"] = [r for r in simulate["robots"] if r["twin"] not in twins]


@contextmanager
def hall(folder: Path, content: Any) -> Iterator[Node]:
    """A node with that hall."""
    plant = folder / "robots.yaml"
    with plant.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    types = ROOT / "examples" / "demo" / "machine-types" / "agv-100.yaml"
    with Node(folder / "data", arguments=["--plant", str(types), "--plant", str(plant)]).running() as node:
        yield node


def fleet(api: Api) -> Any:
    return api.get(FLEET)


def robot(api: Api, twin: str) -> Any:
    return next(r for r in fleet(api)["robots"] if r["robot"] == twin)


def ready(node: Node, api: Api, count: int) -> None:
    """Wait until so many robots are ready."""

    def look() -> bool:
        answer = api.http.get(FLEET)  # 503 as long as the master is starting
        return answer.is_success and [r["condition"] for r in answer.json()["robots"]].count("ready") >= count

    wait_for(node, f"{count} robots that are ready", 30, look)


def let_in(node: Node, api: Api, user: str, twin: str) -> str:
    """A password for that twin, once the broker knows it: programs of others give up where it refuses them."""
    secret = api.credential(user, twin)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{user}-first")
    client.username_pw_set(user, secret)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", node.mqtt_port())
    client.loop_start()
    try:
        wait_for(node, f"{user} known to the broker", 20, client.is_connected)
    finally:
        client.disconnect()
        client.loop_stop()
    return secret


def kinds(api: Api) -> set[str]:
    return {e["kind"] for e in fleet(api)["events"]}


def ask(api: Api, word: str, pairs: list[tuple[str, str]]) -> list[str]:
    ids = [f"{word}-{i}" for i in range(len(pairs))]
    for id, (origin, target) in zip(ids, pairs, strict=True):
        api.post(f"{FLEET}/tasks", {"id": id, "from": origin, "to": target, "load": word})
    return ids


def done(api: Api, ids: list[str]) -> bool:
    now = fleet(api)
    left = [t for t in now["tasks"] if t["id"] in ids and t["state"] != "done"]
    if left:
        raise KeyError(
            left,
            [(r["robot"], r["condition"], r["activity"], r["held"], r["waits"], r["errors"]) for r in now["robots"]],
        )
    return True


@contextmanager
def room_at(node: Node, api: Api, place: str) -> Iterator[None]:
    """As a person puts a robot down: the place is closed until nobody holds it and the robot is known to be there.

    The master cannot know where a robot stands that it has never heard.
    """
    api.post(f"{FLEET}/zones", {"id": "set-down", "places": [place], "reason": "a robot is put down here"})
    wait_for(node, f"{place} left", 30, lambda: not any(place in r["held"] for r in fleet(api)["robots"]))
    try:
        yield
    finally:
        api.ask("DELETE", f"{FLEET}/zones/set-down")
