"""Robots and a master written by others (`vda-5050-lib`, npm, MIT; VDA 5050 2.0) against ours, over the real broker."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Node
from tests.stories.robot_hall import (
    FLEET,
    ask,
    demo_hall,
    done,
    fleet,
    hall,
    kinds,
    let_in,
    not_simulated,
    ready,
    robot,
    robot_of,
    room_at,
)
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("nodes")]

# Its own virtual robot, as its documentation starts it.
ROBOT = """
const { AgvController, VirtualAgvAdapter } = require("vda-5050-lib");
const [url, username, password] = process.argv.slice(2);
const client = { interfaceName: "uagv", vdaVersion: "2.0.0", transport: { brokerUrl: url, username, password } };
const start = { mapId: "hall-1", x: 26, y: 0, theta: 0, lastNodeId: "13-7" };
const agv = new AgvController({ manufacturer: "aurora", serialNumber: "AG100-0038" }, client,
  { agvAdapterType: VirtualAgvAdapter }, { initialPosition: start, vehicleSpeed: 2, timeLapse: 3 });
agv.start().then(() => console.log("started"), (error) => { console.error(error); process.exit(1); });
"""

# Its master, which checks every message that it hears by its own schemas and tells each event of the orders it gives.
MASTER = """
const { MasterController, ActionStatus } = require("vda-5050-lib");
const [url, username, password] = process.argv.slice(2);
const client = { interfaceName: "uagv", vdaVersion: "2.0.0", transport: { brokerUrl: url, username, password } };
const agv = { manufacturer: "aurora", serialNumber: "AG100-0037" };
const say = (what, more) => console.log(JSON.stringify({ what, ...more }));
const master = new MasterController(client, { targetAgvs: agv });
const handler = (name) => ({
  onOrderProcessed: (error, cancelled, active) => say("processed", { name, error, cancelled, active }),
  onNodeTraversed: (node) => say("node", { name, node: node.nodeId }),
  onEdgeTraversed: (edge) => say("edge", { name, edge: edge.edgeId }),
  onActionStateChanged: (state, error) => say("action", { name, type: state.actionType, status: state.actionStatus }),
});
const instant = {
  onActionStateChanged: (state) => say("instant", { type: state.actionType, status: state.actionStatus }),
  onActionError: (error, action) => say("instant-error", { type: action.actionType, error }),
};
const place = (id) => {
  const [column, row] = id.split("-").map(Number);
  return { x: 2 * column, y: 2 * (7 - row), mapId: "hall-1" };
};
const order = (orderId, orderUpdateId, ids, released, first, actions = []) => ({
  orderId, orderUpdateId,
  nodes: ids.map((id, i) => ({
    nodeId: id, sequenceId: first + 2 * i, released: i < released, nodePosition: place(id),
    actions: i === released - 1 ? actions : [],
  })),
  edges: ids.slice(1).map((id, i) => ({
    edgeId: `${ids[i]}_${id}`, sequenceId: first + 2 * i + 1, released: i + 1 < released,
    startNodeId: ids[i], endNodeId: id, actions: [],
  })),
});
const action = (actionType) => [{ actionType, actionId: actionType, blockingType: "HARD", actionParameters: [] }];
let given = 0;
const commands = {
  assign: ([name, update, ids, released, first, what]) =>
    master.assignOrder(agv, order(name, update, ids, released, first, what ? action(what) : []), handler(name)),
  instant: ([actionType]) => {
    const one = { actionType, actionId: `now-${actionType}-${++given}`, blockingType: "NONE" };
    return master.initiateInstantActions(agv, { instantActions: [one] }, instant);
  },
};
master.start().then(() => {
  say("started", {});
  master.trackAgvs((id, state) => say("connection", { robot: id.serialNumber, state }));
  require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const [word, ...more] = JSON.parse(line);
    commands[word](more).catch((error) => say("refused", { error: String(error) }));
  });
}, (error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose programs find the library."""
    installed = ROOT / "tests" / "peers" / "node_modules"
    if not (installed / "vda-5050-lib").is_dir():
        pytest.skip(f"vda-5050-lib is not installed: run make {(installed / '.installed').relative_to(ROOT)}")
    folder = tmp_path_factory.mktemp("library")
    (folder / "node_modules").symlink_to(installed, target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def node(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Robot 8 of our fleet is the library's; robot 7 is a simulated one of a fleet that the library's master steers."""
    content = demo_hall()
    robot_of(content, "agv-8", version="2.0.0")
    robot_of(content, "agv-2", version="2.0.0")  # the library's master knows one version, and hears who is there
    seven = {**robot_of(content, "agv-7"), "version": "2.0.0"}
    not_simulated(content, "agv-1", "agv-4", "agv-5", "agv-6", "agv-8")
    ours = content["connections"]["hall-1-robots"]
    ours["config"]["robots"] = [r for r in ours["config"]["robots"] if r["twin"] in ("agv-2", "agv-3", "agv-8")]
    ours["twins"] = ["robots-1", "agv-2", "agv-3", "agv-8"]
    simulate = content["connections"]["hall-1-robots-simulated"]["config"]["simulate"]
    for one in simulate["robots"]:
        one["version"] = "2.0.0"
    content["twins"]["robots-2"] = {**content["twins"]["robots-1"], "title": "Robots with a master of their own"}
    content["twins"]["agv-7"]["part_of"] = "robots-2"
    config = {k: ours["config"][k] for k in ("map", "limits")}
    content["connections"]["others"] = {
        "connector": "vda5050",
        "twins": ["robots-2", "agv-7"],
        "config": {**config, "fleet": "robots-2", "robots": [seven], "steer": False},
    }
    with hall(tmp_path_factory.mktemp("others"), content) as made:
        yield made


@pytest.fixture(scope="module")
def api(node: Node) -> Api:
    api = Api.of(node)
    ready(node, api, 2)
    return api


@contextmanager
def program(library: Path, name: str, text: str, node: Node, user: str, secret: str) -> Iterator[Any]:
    """A program of the library on the broker, and the file with what it says."""
    script, log = library / f"{name}.js", library / f"{name}.log"
    script.write_text(text, "utf-8")
    path = {"PATH": f"{os.environ['PATH']}{os.pathsep}{ROOT / '.venv' / 'bin'}"}
    command = ["node", str(script), f"mqtt://127.0.0.1:{node.mqtt_port()}", user, secret]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=library, env={**os.environ, **path}
        )
        try:
            yield process, lambda: log.read_text("utf-8")
        finally:
            process.kill()
            process.wait()


def test_a_robot_of_others_is_driven_by_our_master(node: Node, api: Api, library: Path) -> None:
    secret = let_in(node, api, "agv-8-other", "agv-8")
    with ExitStack() as stack:
        with room_at(node, api, "13-7"):
            _, said = stack.enter_context(program(library, "robot", ROBOT, node, "agv-8-other", secret))
            wait_for(node, "the robot known", 30, lambda: robot(api, "agv-8")["held"])
        for twin in ("agv-2", "agv-3"):  # nobody else is free
            api.post("/simulator/faults", {"twin": twin, "fault": "manual", "active": True})
        ids = ask(api, "other", [("store-b", "cell-1")])
        wait_for(node, "the load on board", 40, lambda: robot(api, "agv-8")["loads"] == 1)
        # The aisle before it is blocked: the order is cancelled wherever it is, and it goes another way.
        wait_for(
            node, "it on its way", 20, lambda: len(robot(api, "agv-8")["held"]) > 2 and robot(api, "agv-8")["driving"]
        )
        blocked = robot(api, "agv-8")["held"][-1]
        api.post(f"{FLEET}/zones", {"id": "aisle", "places": [blocked], "reason": "a pallet fell"})
        wait_for(node, "another way", 30, lambda: "order-cancelled" in kinds(api))
        assert blocked not in robot(api, "agv-8")["held"]
        # Somebody is in its way: it pauses, and goes on.
        wait_for(node, "it on its way again", 20, lambda: len(robot(api, "agv-8")["held"]) > 1)
        walk = robot(api, "agv-8")["held"]
        api.post(f"{FLEET}/zones", {"id": "walk", "places": walk, "kind": "person"})
        wait_for(node, "the pause", 20, lambda: robot(api, "agv-8")["condition"] == "paused")
        wait_for(node, "standing", 20, lambda: not robot(api, "agv-8")["driving"])
        api.ask("DELETE", f"{FLEET}/zones/walk")
        api.ask("DELETE", f"{FLEET}/zones/aisle")
        wait_for(node, "carried by the other robot", 60, lambda: done(api, ids))
        assert next(t for t in fleet(api)["tasks"] if t["id"] == ids[0])["robot"] == "agv-8"
        wait_for(node, "it free", 20, lambda: robot(api, "agv-8")["loads"] == 0)
        assert "Drop" not in said(), said()  # the library heard nothing that its schemas do not know
    refused = {"order-refused", "order-forgotten", "order-unanswered", "impossible-position"} & kinds(api)
    assert fleet(api)["conflicts"] == [] and not refused, fleet(api)["events"]
    # The library's robot answers our question for its factsheet, with one that lacks what VDA 5050 demands.
    wait_for(node, "its factsheet in quarantine", 20, lambda: api.get("/quarantine")["items"])
    kept = {(q["twin"], q["code"], q["where"].partition(".")[0]) for q in api.get("/quarantine")["items"]}
    parts = ("typeSpecification", "physicalParameters")
    assert kept == {("agv-8", "vda5050:field-missing", part) for part in parts}
    wait_for(node, "its last will", 30, lambda: robot(api, "agv-8")["condition"] == "lost")


def test_our_simulated_robot_is_driven_by_a_master_of_others(node: Node, api: Api, library: Path) -> None:
    secret = let_in(node, api, "master", "robots-2")
    with program(library, "master", MASTER, node, "master", secret) as (process, said):

        def told() -> list[Any]:
            lines = said().splitlines()
            assert all(line.startswith("{") for line in lines), said()  # anything else is a message that it drops
            return [json.loads(line) for line in lines if line.endswith("}")]

        def tell(*command: Any) -> None:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()

        def happens(what: str, **more: Any) -> Callable[[], bool]:
            return lambda: any(e["what"] == what and more.items() <= e.items() for e in told())

        wait_for(node, "the robot online", 30, happens("connection", robot="AG100-0037", state="ONLINE"))
        tell("assign", "first", 0, ["9-7", "8-7", "7-7", "7-6"], 3, 0, "")
        wait_for(node, "the base driven", 30, happens("processed", name="first", active=True))
        tell("assign", "first", 1, ["7-7", "7-6", "7-5", "7-4"], 4, 4, "pick")
        wait_for(node, "the order done", 40, happens("processed", name="first", active=False, cancelled=False))
        events = told()
        nodes = [e["node"] for e in events if e["what"] == "node"]
        assert nodes == ["9-7", "8-7", "7-7", "7-6", "7-5", "7-4"]
        assert [e["status"] for e in events if e["what"] == "action" and e["type"] == "pick"][-1] == "FINISHED"
        wait_for(node, "the load seen here", 20, lambda: api.get("/fleets/robots-2")["robots"][0]["loads"] == 1)
        tell("assign", "second", 0, ["7-4", "8-4", "9-4", "10-4", "11-4", "12-4", "13-4", "14-4"], 8, 0, "drop")
        wait_for(node, "the second order begun", 20, happens("node", name="second", node="8-4"))
        tell("instant", "startPause")
        wait_for(node, "the pause", 20, happens("instant", type="startPause", status="FINISHED"))
        wait_for(node, "the pause seen here", 20, lambda: api.get("/twins/agv-7/state")["values"]["paused"]["value"])
        tell("instant", "stopPause")
        tell("instant", "cancelOrder")
        wait_for(node, "the order cancelled", 30, happens("processed", name="second", cancelled=True))
        tell("instant", "cancelOrder")
        wait_for(node, "nothing to cancel", 20, happens("instant", type="cancelOrder", status="FAILED"))
        assert not any(e["what"] in ("refused", "instant-error") or e.get("error") for e in told())
    assert api.ask("POST", "/fleets/robots-2/tasks", 400, json={"id": "x", "from": "store-a", "to": "mill-1"})[
        "code"
    ] == ("fleet:steered-elsewhere")
