"""Writes messages of VDA 5050 2.0, 2.1 and 3.0 as their JSON schemas demand."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.connectors.vda5050.message import Action, ActionState, ConnectionWord, Order, OrderNode, Robot, State
from servitwin.domain.instant import format_instant

Json = dict[str, Any]
# Actions that are sent outside of orders; 3.0 reports them in a list of their own.
INSTANT = frozenset({"cancelOrder", "startPause", "stopPause", "stopCharging", "stateRequest", "factsheetRequest"})


def header(robot: Robot, number: int, now: int) -> Json:
    """What every message begins with; ``now``: ns UTC."""
    stamp = format_instant(now // 1_000_000 * 1_000_000)
    return {
        "headerId": number, "timestamp": stamp, "version": robot.version,
        "manufacturer": robot.manufacturer, "serialNumber": robot.serial,
    }  # fmt: skip


def order(robot: Robot, number: int, now: int, what: Order) -> bytes:
    """An order or order update."""
    three = robot.version[0] == "3"
    edges = [
        {
            "edgeId": e.id, "sequenceId": e.sequence, "released": e.released,
            "startNodeId": e.start, "endNodeId": e.end, "actions": [],
            **({"maximumSpeed" if three else "maxSpeed": e.speed} if e.speed else {}),
        }
        for e in what.edges
    ]  # fmt: skip
    body = {
        "orderId": what.id, "orderUpdateId": what.update,
        "nodes": [_node(robot, n) for n in what.nodes], "edges": edges,
    }  # fmt: skip
    return msgspec.json.encode({**header(robot, number, now), **body})


def instant_actions(robot: Robot, number: int, now: int, actions: list[Action]) -> bytes:
    """Actions to be done at once."""
    rows = [_action(robot, msgspec.structs.replace(a, blocking="NONE")) for a in actions]
    body: Json = {"actions": rows}
    if robot.version.startswith("2.0"):
        # Its schema asks for actions with actionName, its text for actionType; robots that grew up with 1.1 (such as
        # those of vda-5050-lib) look for the list under its name of then.
        body = {"actions": [{**row, "actionName": row["actionType"]} for row in rows], "instantActions": rows}
    return msgspec.json.encode({**header(robot, number, now), **body})


def connection(robot: Robot, number: int, now: int, word: ConnectionWord) -> bytes:
    """A connection message; who hibernates in 2.x, which has no word for it, is offline."""
    spelled: str = word
    if robot.version[0] != "3":
        spelled = {"CONNECTION_BROKEN": "CONNECTIONBROKEN", "HIBERNATING": "OFFLINE"}.get(word, word)
    return msgspec.json.encode({**header(robot, number, now), "connectionState": spelled})


def state(robot: Robot, now: int, what: State) -> bytes:
    """A state message, as a robot sends it."""
    three = robot.version[0] == "3"
    own = [a for a in what.actions if not (three and a.type in INSTANT)]
    actions, instant = (
        [_action_state(a, three=three) for a in rows] for rows in (own, [a for a in what.actions if a not in own])
    )
    levels = {"URGENT": "WARNING", "CRITICAL": "FATAL"}  # 2.x knows two levels
    errors = [
        {
            "errorType": e.type, "errorLevel": e.level if three else levels.get(e.level, e.level),
            "errorDescription": e.description,
            "errorReferences": [{"referenceKey": k, "referenceValue": v} for k, v in e.references.items()],
        }
        for e in what.errors
    ]  # fmt: skip
    body: Json = {
        "orderId": what.order_id, "orderUpdateId": what.update_id,
        "lastNodeId": what.last_node, "lastNodeSequenceId": what.last_sequence,
        "driving": what.driving, "paused": what.paused, "newBaseRequest": False,
        "operatingMode": what.mode.replace("TEACHIN", "TEACH_IN") if three else what.mode,
        "nodeStates": [{"nodeId": n.id, "sequenceId": n.sequence, "released": n.released} for n in what.nodes],
        "edgeStates": [
            {"edgeId": f"to-{n.id}", "sequenceId": n.sequence - 1, "released": n.released} for n in what.nodes
        ],
        "actionStates": actions, "errors": errors, "information": [],
        "loads": [{"loadId": f"load-{i}"} for i in range(what.loads or 0)],
        **_position(robot, what),
    }  # fmt: skip
    if three:
        stop = "MANUAL" if what.emergency_stop == "AUTOACK" else what.emergency_stop
        body |= {
            "instantActionStates": instant,
            "powerSupply": {"stateOfCharge": what.battery, "charging": what.charging},
            "safetyState": {"activeEmergencyStop": stop, "fieldViolation": what.field_violation},
        }
    else:
        body |= {
            "batteryState": {"batteryCharge": what.battery, "charging": what.charging},
            "safetyState": {"eStop": what.emergency_stop, "fieldViolation": what.field_violation},
        }
    return msgspec.json.encode({**header(robot, what.header, now), **body})


def visualization(robot: Robot, number: int, now: int, what: State) -> bytes:
    """Position and speed alone, between two state messages."""
    more = {"referenceStateHeaderId": what.header} if robot.version[0] == "3" else {}
    return msgspec.json.encode({**header(robot, number, now), **more, **_position(robot, what)})


def factsheet(robot: Robot, number: int, now: int, fastest: float, size: tuple[float, float]) -> bytes:
    """The factsheet of a simulated robot; ``fastest``: m/s, ``size``: length and width, m."""
    three = robot.version[0] == "3"
    length, width = size
    if three:
        kind = {"mobileRobotKinematics": "DIFFERENTIAL", "mobileRobotClass": "CARRIER", "maximumLoadMass": 100}
        physical = {
            "minimumSpeed": 0.05, "maximumSpeed": fastest, "maximumAcceleration": 1.0, "maximumDeceleration": 1.5,
            "minimumHeight": 0.4, "maximumHeight": 1.2, "width": width, "length": length,
        }  # fmt: skip
        limits: Json = {
            "maximumStringLengths": {}, "maximumArrayLengths": {},
            "timing": {"minimumOrderInterval": 0.2, "minimumStateInterval": 0.1},
        }  # fmt: skip
        features: Json = {"optionalParameters": [], "mobileRobotActions": []}
        rest: Json = {"protocolFeatures": features, "mobileRobotGeometry": {}, "loadSpecification": {}}
    else:
        kind = {"agvKinematic": "DIFF", "agvClass": "CARRIER", "maxLoadMass": 100}
        physical = {
            "speedMin": 0.05, "speedMax": fastest, "accelerationMax": 1.0, "decelerationMax": 1.5,
            "heightMin": 0.4, "heightMax": 1.2, "width": width, "length": length,
        }  # fmt: skip
        limits = {
            "maxStringLens": {}, "maxArrayLens": {}, "timing": {"minOrderInterval": 0.2, "minStateInterval": 0.1},
        }  # fmt: skip
        features = {"optionalParameters": [], "agvActions": []}
        rest = {"protocolFeatures": features, "agvGeometry": {}, "loadSpecification": {}}
    kind |= {"seriesName": "AGV-100", "localizationTypes": ["NATURAL"], "navigationTypes": ["VIRTUAL_LINE_GUIDED"]}
    body = {"typeSpecification": kind, "physicalParameters": physical, "protocolLimits": limits, **rest}
    return msgspec.json.encode({**header(robot, number, now), **body})


def _position(robot: Robot, what: State) -> Json:
    p = what.position
    if p is None:
        return {}
    three = robot.version[0] == "3"
    place = {"x": p.x, "y": p.y, "theta": p.theta, "mapId": p.map_id}
    velocity = {"vx": what.speed or 0.0, "vy": 0.0, "omega": 0.0}
    if three:
        return {"mobileRobotPosition": {**place, "localized": p.localized}, "velocity": velocity}
    return {"agvPosition": {**place, "positionInitialized": p.localized}, "velocity": velocity}


def _action_state(a: ActionState, *, three: bool) -> Json:
    result = {"actionResult" if three else "resultDescription": a.result} if a.result else {}
    return {"actionId": a.id, "actionType": a.type, "actionStatus": a.status, **result}


def _action(robot: Robot, action: Action) -> Json:
    blocking = "HARD" if action.blocking == "SINGLE" and robot.version[0] != "3" else action.blocking
    parameters = [{"key": k, "value": v} for k, v in action.parameters.items()]
    return {
        "actionType": action.type, "actionId": action.id, "blockingType": blocking,
        "actionParameters": parameters,
    }  # fmt: skip


def _node(robot: Robot, node: OrderNode) -> Json:
    position: Json = {"x": node.x, "y": node.y, "mapId": node.map_id}
    if node.deviation:
        if robot.version[0] == "3":
            position["allowedDeviationXY"] = {"a": node.deviation, "b": node.deviation, "theta": 0.0}
        else:
            name = "allowedDeviationXy" if robot.version.startswith("2.0") else "allowedDeviationXY"
            position[name] = node.deviation
    return {
        "nodeId": node.id, "sequenceId": node.sequence, "released": node.released,
        "nodePosition": position, "actions": [_action(robot, a) for a in node.actions],
    }  # fmt: skip
