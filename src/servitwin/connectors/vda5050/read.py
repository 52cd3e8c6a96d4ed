"""Reads messages of VDA 5050 2.0, 2.1 and 3.0: checked against what the versions demand, all faults at once."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from servitwin.connectors.vda5050.message import (
    Action,
    ActionState,
    ConnectionWord,
    Order,
    OrderEdge,
    OrderNode,
    PathNode,
    Position,
    RobotError,
    State,
)
from servitwin.connectors.vda5050.reading import Header, Json, Reading

MODES_2 = frozenset({"AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACHIN"})
MODES_3 = frozenset({"STARTUP", "AUTOMATIC", "SEMIAUTOMATIC", "INTERVENED", "MANUAL", "SERVICE", "TEACH_IN"})
LEVELS_2 = frozenset({"WARNING", "FATAL"})
LEVELS_3 = frozenset({"WARNING", "URGENT", "CRITICAL", "FATAL"})
STATUSES_2 = frozenset({"WAITING", "INITIALIZING", "RUNNING", "FINISHED", "FAILED", "PAUSED"})
STATUSES_3 = STATUSES_2 | {"RETRIABLE"}
_TURN = math.pi + 1e-6


def read_state(payload: bytes) -> State:
    """A state message.

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    r = Reading(payload)
    head = r.header()
    c, three = r.content, head.major == 3
    battery = r.block(c, "powerSupply" if three else "batteryState", "", needed=True) or {}
    charge = "stateOfCharge" if three else "batteryCharge"
    in_battery = "powerSupply." if three else "batteryState."
    safety = r.block(c, "safetyState", "", needed=True) or {}
    velocity = r.block(c, "velocity", "", needed=False)
    speed = None
    if velocity is not None:
        speed = math.hypot(r.number(velocity, "vx", "velocity.", 0.0), r.number(velocity, "vy", "velocity.", 0.0))
    loads = r.rows(c, "loads", "", needed=False) if "loads" in c else None
    instant = r.rows(c, "instantActionStates", "", needed=True) if three else []
    actions = [*r.rows(c, "actionStates", "", needed=True), *instant]
    state = State(
        head.number,
        head.stamp,
        head.version,
        r.text(c, "orderId", ""),
        r.whole(c, "orderUpdateId", ""),
        r.text(c, "lastNodeId", ""),
        r.whole(c, "lastNodeSequenceId", ""),
        r.flag(c, "driving", ""),
        r.word(c, "operatingMode", "", MODES_3 if three else MODES_2).replace("TEACH_IN", "TEACHIN"),
        r.number(battery, charge, in_battery, low=0, high=100) if battery else 0.0,
        r.flag(battery, "charging", in_battery) if battery else False,
        tuple(_path_node(r, n, i) for i, n in enumerate(r.rows(c, "nodeStates", "", needed=True))),
        len(r.rows(c, "edgeStates", "", needed=True)),
        _position(r, head),
        speed,
        r.flag(c, "paused", "", False),
        tuple(_action_state(r, a, i, three) for i, a in enumerate(actions)),
        tuple(_error(r, e, i, three) for i, e in enumerate(r.rows(c, "errors", "", needed=True))),
        None if loads is None else len(loads),
        r.text(safety, "activeEmergencyStop" if three else "eStop", "safetyState.") if safety else "NONE",
        r.flag(safety, "fieldViolation", "safetyState.") if safety else False,
    )
    r.done()
    return state


def read_visualization(payload: bytes) -> tuple[Header, Position | None, float | None]:
    """Position and speed (m/s) of a visualization message.

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    r = Reading(payload)
    head = r.header()
    position = _position(r, head)
    velocity = r.block(r.content, "velocity", "", needed=False) or {}
    speed = math.hypot(r.number(velocity, "vx", "velocity.", 0.0), r.number(velocity, "vy", "velocity.", 0.0))
    r.done()
    return head, position, speed if velocity else None


def read_connection(payload: bytes) -> tuple[Header, ConnectionWord]:
    """Word of a connection message; ``CONNECTIONBROKEN`` of 2.x is told as 3.0 spells it.

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    r = Reading(payload)
    head = r.header()
    two = frozenset({"ONLINE", "OFFLINE", "CONNECTIONBROKEN"})
    three = frozenset({"ONLINE", "OFFLINE", "HIBERNATING", "CONNECTION_BROKEN"})
    word = r.word(r.content, "connectionState", "", three if head.major == 3 else two)
    r.done()
    words: dict[str, ConnectionWord] = {
        "ONLINE": "ONLINE",
        "OFFLINE": "OFFLINE",
        "HIBERNATING": "HIBERNATING",
    }
    return head, words.get(word, "CONNECTION_BROKEN")


class Factsheet(msgspec.Struct, frozen=True):
    """What is used of a factsheet: m/s, m, kg."""

    series: str
    fastest: float
    width: float
    length: float
    load_kg: float


def read_factsheet(payload: bytes) -> tuple[Header, Factsheet]:
    """A factsheet (2.1 and 3.0; 2.0 has no schema for it and uses the form of 2.1).

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    r = Reading(payload)
    head = r.header()
    three = head.major == 3
    kind = r.block(r.content, "typeSpecification", "", needed=True) or {}
    size = r.block(r.content, "physicalParameters", "", needed=True) or {}
    load = "maximumLoadMass" if three else "maxLoadMass"
    sheet = Factsheet(
        r.text(kind, "seriesName", "typeSpecification."),
        r.number(size, "maximumSpeed" if three else "speedMax", "physicalParameters.", low=0, high=50),
        r.number(size, "width", "physicalParameters.", low=0, high=100),
        r.number(size, "length", "physicalParameters.", low=0, high=100),
        r.number(kind, load, "typeSpecification.", low=0),
    )
    r.done()
    return head, sheet


def read_order(payload: bytes) -> tuple[Header, Order]:
    """An order, as a robot reads it.

    Raises:
        InvalidInputError: all that is wrong with it, also with the order of its nodes and edges.
    """
    r = Reading(payload)
    head = r.header()
    c = r.content
    nodes = tuple(_order_node(r, n, f"nodes[{i}].") for i, n in enumerate(r.rows(c, "nodes", "", needed=True)))
    edges = tuple(_order_edge(r, e, f"edges[{i}].") for i, e in enumerate(r.rows(c, "edges", "", needed=True)))
    order = Order(r.text(c, "orderId", ""), r.whole(c, "orderUpdateId", ""), nodes, edges)
    r.done()
    if not nodes or len(edges) != len(nodes) - 1:
        r.fault("order-wrong", f"{len(nodes)} nodes, {len(edges)} edges", "One edge between two nodes", "edges")
    for i, edge in enumerate(edges):
        fits = i + 1 < len(nodes) and (edge.start, edge.end) == (nodes[i].id, nodes[i + 1].id)
        if not fits or edge.sequence != nodes[i].sequence + 1 or nodes[i + 1].sequence != edge.sequence + 1:
            r.fault(
                "order-wrong", f"Edge {edge.id} does not join the nodes beside it", "Number on by one", f"edges[{i}]"
            )
    released = [n.released for n in nodes]
    if not released or not released[0] or released != sorted(released, reverse=True):
        r.fault("order-wrong", "The base does not come first", "After a node that is not released none is", "nodes")
    r.done()
    return head, order


def read_instant_actions(payload: bytes) -> tuple[Header, list[Action]]:
    """Instant actions, as a robot reads them.

    In 2.0 the schema calls the type ``actionName``; in 1.1 the list was ``instantActions``.

    Raises:
        InvalidInputError: all that is wrong with them.
    """
    r = Reading(payload)
    head = r.header()
    older = "instantActions" in r.content and "actions" not in r.content  # the name of 1.1, which some say in 2.0
    rows = r.rows(r.content, "instantActions" if older else "actions", "", needed=True)
    actions = [
        _action(r, a if "actionType" in a else {**a, "actionType": a.get("actionName")}, f"actions[{i}].")
        for i, a in enumerate(rows)
    ]
    r.done()
    return head, actions


# parts ----------------------------------------------------------------------------------------------------------


def _position(r: Reading, head: Header) -> Position | None:
    name = "mobileRobotPosition" if head.major == 3 else "agvPosition"
    p = r.block(r.content, name, "", needed=False)
    if p is None:
        return None
    at = f"{name}."
    known = "localized" if head.major == 3 else "positionInitialized"
    return Position(
        r.number(p, "x", at), r.number(p, "y", at), r.number(p, "theta", at, low=-_TURN, high=_TURN),
        r.text(p, "mapId", at), r.flag(p, known, at),
    )  # fmt: skip


def _path_node(r: Reading, n: Json, i: int) -> PathNode:
    at = f"nodeStates[{i}]."
    return PathNode(r.text(n, "nodeId", at), r.whole(n, "sequenceId", at), r.flag(n, "released", at))


def _action_state(r: Reading, a: Json, i: int, three: bool) -> ActionState:
    at = f"actionStates[{i}]."
    status = r.word(a, "actionStatus", at, STATUSES_3 if three else STATUSES_2)
    result = r.text(a, "actionResult" if three else "resultDescription", at, "")
    return ActionState(r.text(a, "actionId", at), status, r.text(a, "actionType", at, ""), result)


def _error(r: Reading, e: Json, i: int, three: bool) -> RobotError:
    at = f"errors[{i}]."
    references = {
        r.text(x, "referenceKey", f"{at}errorReferences."): r.text(x, "referenceValue", f"{at}errorReferences.")
        for x in r.rows(e, "errorReferences", at, needed=False)
    }
    level: Any = r.word(e, "errorLevel", at, LEVELS_3 if three else LEVELS_2) or "WARNING"
    if level not in LEVELS_3:
        level = "WARNING"
    return RobotError(r.text(e, "errorType", at), level, r.text(e, "errorDescription", at, ""), references)


def _action(r: Reading, a: Json, at: str) -> Action:
    parameters = {
        r.text(p, "key", f"{at}actionParameters."): p.get("value")
        for p in r.rows(a, "actionParameters", at, needed=False)
    }
    blocking = r.word(a, "blockingType", at, frozenset({"NONE", "SOFT", "SINGLE", "HARD"}), "NONE")
    return Action(r.text(a, "actionType", at), r.text(a, "actionId", at), parameters, blocking)


def _order_node(r: Reading, n: Json, at: str) -> OrderNode:
    position = r.block(n, "nodePosition", at, needed=False) or {}
    where = f"{at}nodePosition."
    actions = tuple(_action(r, a, f"{at}actions[{i}].") for i, a in enumerate(r.rows(n, "actions", at, needed=True)))
    r.number(position, "theta", where, 0.0, low=-_TURN, high=_TURN)
    deviation = position.get("allowedDeviationXY", position.get("allowedDeviationXy", 0.0))
    if isinstance(deviation, dict):  # an ellipse in 3.0: the smaller half axis is within it in every direction
        deviation = min(r.number(deviation, "a", where, 0.0, low=0), r.number(deviation, "b", where, 0.0, low=0))
    return OrderNode(
        r.text(n, "nodeId", at), r.whole(n, "sequenceId", at), r.flag(n, "released", at),
        r.number(position, "x", where, 0.0), r.number(position, "y", where, 0.0), r.text(position, "mapId", where, ""),
        actions, float(deviation) if isinstance(deviation, int | float) else 0.0,
    )  # fmt: skip


def _order_edge(r: Reading, e: Json, at: str) -> OrderEdge:
    for i, a in enumerate(r.rows(e, "actions", at, needed=True)):
        _action(r, a, f"{at}actions[{i}].")
    speed = r.number(e, "maximumSpeed" if "maximumSpeed" in e else "maxSpeed", at, 0.0, low=0)
    return OrderEdge(
        r.text(e, "edgeId", at), r.whole(e, "sequenceId", at), r.flag(e, "released", at),
        r.text(e, "startNodeId", at, ""), r.text(e, "endNodeId", at, ""), speed,
    )  # fmt: skip
