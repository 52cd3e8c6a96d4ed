"""Messages of three versions against the official JSON schemas, and the rules of orders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from servitwin.connectors.vda5050 import read, write
from servitwin.connectors.vda5050.desk import Desk, node_of
from servitwin.connectors.vda5050.message import VERSIONS, Action, Order, OrderEdge, OrderNode, Robot
from servitwin.connectors.vda5050.simulated_robot import SimulatedRobot
from servitwin.domain.error import InvalidInputError
from tests.conftest import shared_data
from tests.unit.fleet.world import GRAPH, World

NOW = 1_790_000_000_123_456_789
NODES = tuple(
    OrderNode(f"n{i}", 2 * i, i < 3, 2.0 * i, 0.0, "m", (Action("pick", "a1", {"loadId": "x"}),) if i == 2 else (), 0.5)
    for i in range(4)
)
EDGES = tuple(OrderEdge(f"e{i}", 2 * i + 1, i < 2, f"n{i}", f"n{i + 1}", 1.0) for i in range(3))
ORDER = Order("o1", 0, NODES, EDGES)


def robot(version: str) -> Robot:
    return Robot("agv", "aurora", "r1", version)


def valid(data: Path, version: str, name: str, payload: bytes) -> None:
    # The factsheet and order schemas of tag 3.0.0 are no JSON; those of the branch it was made from are.
    path = data / ("main_2026-07-02" if version[0] == "3" else version) / f"{name}.schema"
    if path.exists():
        schema = json.loads(path.read_text())
        jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(json.loads(payload))


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_written_is_valid_by_the_official_schema_and_read_back(version: str) -> None:
    data = shared_data("vda5050")
    r = robot(version)
    payload = write.order(r, 1, NOW, ORDER)
    valid(data, version, "order", payload)
    assert read.read_order(payload)[1] == ORDER
    payload = write.instant_actions(r, 1, NOW, [Action("cancelOrder", "c1")])
    valid(data, version, "instantActions", payload)
    assert read.read_instant_actions(payload)[1][0].type == "cancelOrder"
    for word in ("ONLINE", "OFFLINE", "CONNECTION_BROKEN", "HIBERNATING"):
        payload = write.connection(r, 1, NOW, word)  # type: ignore[arg-type]
        valid(data, version, "connection", payload)
        if word != "HIBERNATING" or version[0] == "3":
            assert read.read_connection(payload)[1] == word
    simulated = SimulatedRobot(r, "n0", 0, 0, map_id="m")
    simulated.faults |= {"low-battery"}
    simulated.hear_order(write.order(r, 1, NOW, ORDER))
    simulated.hear_order(write.order(r, 1, NOW, Order("other", 0, NODES, EDGES)))
    simulated.hear_instant_actions(write.instant_actions(r, 1, NOW, [Action("stateRequest", "s1")]))
    for _ in range(60):
        simulated.step(0.2)
        state = simulated.state(7, NOW)
        payload = write.state(r, NOW, state)
        valid(data, version, "state", payload)
        back = read.read_state(payload)
        assert (back.nodes, back.position, back.last_node) == (state.nodes, state.position, state.last_node)
        assert {a.id: a.status for a in back.actions} == {a.id: a.status for a in state.actions}
    valid(data, version, "visualization", write.visualization(r, 1, NOW, state))
    payload = write.factsheet(r, 1, NOW, 1.2, (0.9, 0.6))
    valid(data, version, "factsheet", payload)
    assert read.read_factsheet(payload)[1].fastest == 1.2


def test_all_that_the_master_sends_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    data = shared_data("vda5050")
    sent = 0
    real = write.order

    def checked(r: Robot, number: int, now: int, what: Order) -> bytes:
        nonlocal sent
        payload = real(r, number, now, what)
        if sent % 5 == 0:
            valid(data, r.version, "order", payload)
        sent += 1
        return payload

    monkeypatch.setattr(write, "order", checked)
    world = World(6, seed=21)
    world.ask(6)
    world.run(60)
    assert sent > 60


def test_the_only_third_party_order_is_refused_for_its_angle() -> None:
    content = (shared_data("vda5050") / "examples_flywei" / "order.json").read_bytes()
    with pytest.raises(InvalidInputError) as e:
        read.read_order(content)
    assert any("theta" in f.where for f in e.value.faults)


def test_levels_modes_and_words_of_one_version_are_not_taken_in_another() -> None:
    state: dict[str, Any] = json.loads(
        write.state(robot("3.0.0"), NOW, SimulatedRobot(robot("3.0.0"), "n", 0, 0, map_id="m").state(1, NOW))
    )
    assert read.read_state(json.dumps(state).encode()).battery == 80
    for change, code in (
        ({"version": "4.0.0"}, "vda5050:version-unknown"),
        ({"version": "2.1.0"}, "vda5050:field-missing"),
        ({"operatingMode": "TEACHIN"}, "vda5050:word-unknown"),
        ({"headerId": -1}, "vda5050:value-wrong"),
        ({"timestamp": "yesterday"}, "vda5050:time-wrong"),
        ({"mobileRobotPosition": {**state["mobileRobotPosition"], "x": 1e999}}, "vda5050:"),
    ):
        with pytest.raises(InvalidInputError) as e:
            read.read_state(json.dumps({**state, **change}).encode())
        assert e.value.fault.code.startswith(code)
    with pytest.raises(InvalidInputError) as all_at_once:
        read.read_state(json.dumps({**state, "driving": 1, "lastNodeId": 3, "errors": None}).encode())
    assert len(all_at_once.value.faults) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_rules_of_orders(version: str) -> None:
    r = robot(version)
    three = version[0] == "3"
    simulated = SimulatedRobot(r, "n0", 0, 0, map_id="m")

    def hear(order: Order) -> list[str]:
        simulated.hear_order(write.order(r, 1, NOW, order))
        return [e.type for e in simulated.state(1, NOW).errors]

    assert hear(ORDER) == []
    assert hear(ORDER) == []  # the same again is nothing new
    changed = Order("o1", 0, NODES[:3], EDGES[:2])
    assert hear(changed) == ["SAME_ORDER_UPDATE_ID" if three else "orderUpdateError"]
    more = (NODES[2], OrderNode("n3", 6, True, 6.0, 0.0, "m"))
    update = Order("o1", 2, more, (OrderEdge("e2", 5, True, "n2", "n3"),))
    assert hear(update) == []
    assert hear(Order("o1", 1, NODES, EDGES)) == ["OUTDATED_ORDER_UPDATE" if three else "orderUpdateError"]
    assert "OTHER_ORDER_ACTIVE" in str(simulated.state(1, NOW).errors) or hear(Order("o2", 0, NODES, EDGES))
    beside = Order("o1", 3, (OrderNode("n9", 8, True, 9, 0, "m"),), ())
    assert hear(beside)[-1] == ("VALIDATION_FAILURE" if three else "validationError")
    for _ in range(200):
        simulated.step(0.2)
    state = simulated.state(2, NOW)
    assert (state.last_node, state.loads, simulated.busy) == ("n3", 1, False)
    far = Order("o3", 0, (OrderNode("n0", 0, True, 0.0, 0.0, "m"),), ())
    assert hear(far)[-1] == ("START_NODE_OUT_OF_RANGE" if three else "noRouteError")
    simulated.hear_instant_actions(write.instant_actions(r, 1, NOW, [Action("cancelOrder", "c1")]))
    assert simulated.state(3, NOW).action("c1").status == "FAILED"  # type: ignore[union-attr]


def test_an_update_begins_with_the_last_base_node_as_it_was() -> None:
    desk = Desk(robot("2.1.0"), base=[node_of(GRAPH, GRAPH.index["0-0"], 0, released=True)])
    first = desk.order_for(GRAPH, [GRAPH.index["1-0"], GRAPH.index["2-0"]], [GRAPH.index["3-0"]], [], "o1")
    second = desk.order_for(GRAPH, [GRAPH.index["3-0"]], [], [Action("drop", "d1")], "")
    assert second.nodes[0] == first.nodes[2] and (second.id, second.update) == ("o1", 1)
    assert [n.sequence for n in second.nodes] == [4, 6] and second.nodes[1].actions[0].id == "d1"
    assert [n.released for n in first.nodes] == [True, True, True, False]
    assert second.edges[0].start == "2-0" and second.edges[0].sequence == 5


def test_a_cancelled_order_ends_at_the_next_node_and_takes_no_update() -> None:
    r = robot("3.0.0")
    simulated = SimulatedRobot(r, "n0", 0, 0, map_id="m")
    simulated.hear_order(write.order(r, 1, NOW, ORDER))
    for _ in range(5):
        simulated.step(0.2)
    simulated.hear_instant_actions(write.instant_actions(r, 1, NOW, [Action("cancelOrder", "c1")]))
    assert simulated.state(1, NOW).action("c1").status == "RUNNING"  # type: ignore[union-attr]
    for _ in range(20):
        simulated.step(0.2)
    state = simulated.state(2, NOW)
    assert (state.last_node, state.nodes, state.action("c1").status) == ("n1", (), "FINISHED")  # type: ignore[union-attr]
    assert state.action("a1").status == "FAILED"  # type: ignore[union-attr]
    simulated.hear_order(write.order(r, 1, NOW, Order("o1", 1, (NODES[1],), ())))
    assert simulated.state(3, NOW).errors[-1].type == "ORDER_UPDATE_FOLLOWING_CANCEL"
