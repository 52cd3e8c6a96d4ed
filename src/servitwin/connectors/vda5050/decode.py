"""Pure decoding: what a robot or the master said becomes observations of its twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from servitwin.connectors.vda5050.message import Position, Robot, State
from servitwin.connectors.vda5050.plausible import why_outside
from servitwin.connectors.vda5050.read import read_connection, read_factsheet, read_state, read_visualization
from servitwin.connectors.vda5050.reading import Header
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.observation import CONNECTION
from servitwin.sdk.connector import Batch, DecodeFault, Sample
from servitwin.sdk.payload import decode_payload

OWN = "own/"  # what the master itself says, of the twin that follows
IMPOSSIBLE = "impossible/"  # before the topic of a message that the master has found to contradict what it knows
Decoded = tuple[Sequence[Batch], Sequence[DecodeFault]]


class Decoder:
    """Decodes messages of the robots of one fleet."""

    def __init__(self, robots: Sequence[Robot], graph: Graph) -> None:
        self._twins = {r.topic: r.twin for r in robots}
        self._graph = graph
        self._kinds: Mapping[str, Callable[[str, bytes, int], Batch]] = {
            "state": self._state,
            "connection": _connection,
            "visualization": _visualization,
            "factsheet": _factsheet,
        }

    def decode(self, topic: str, payload: bytes, received: int) -> Decoded:
        """Batches and faults of one message."""
        if topic.startswith(OWN):
            return decode_payload(topic.removeprefix(OWN), payload, received)
        why = ""
        if topic.startswith(IMPOSSIBLE):
            why, _, topic = topic.removeprefix(IMPOSSIBLE).partition("/uagv/")
            topic = f"uagv/{topic}"
        address, _, kind = topic.rpartition("/")
        twin, read = self._twins.get(address), self._kinds.get(kind)
        if twin is None or read is None:
            hint = "Robots are named in the connection's configuration, topics end in state, connection, ..."
            fault = Fault("vda5050:topic-unknown", f"Nothing is known about topic {topic[:200]!r}", hint, topic[:200])
            return [], [DecodeFault(fault)]
        if why:
            hint = "The robot keeps its places until its reports fit again, or a person has looked"
            return [], [DecodeFault(Fault("vda5050:position-impossible", why, hint), twin)]
        try:
            return [read(twin, payload, received)], []
        except InvalidInputError as e:
            return [], [DecodeFault(f, twin) for f in e.faults]

    def _state(self, twin: str, payload: bytes, received: int) -> Batch:
        s = read_state(payload)
        why = why_outside(self._graph, s)
        if why:
            raise InvalidInputError(Fault("vda5050:position-impossible", why, "Check its map and localisation"))
        return state_batch(twin, s)


def state_batch(twin: str, s: State) -> Batch:
    """Observations of a state message, at the robot's time."""
    worst = s.worst
    values: dict[str, Sample] = {
        "battery.charge": s.battery,
        "battery.charging": s.charging,
        "driving": s.driving,
        "paused": s.paused,
        "operating_mode": s.mode,
        "order": s.order_id,
        "last_node": s.last_node,
        "emergency_stop": s.emergency_stop != "NONE",
        "field_violation": s.field_violation,
        "error": f"{worst.level} {worst.type}" if worst else "",
        **_position(s.position, s.speed),
    }
    if s.loads is not None:
        values["loads"] = float(s.loads)
    return Batch(twin, [s.stamp], {k: [v] for k, v in values.items()})


def _position(p: Position | None, speed: float | None) -> dict[str, Sample]:
    values: dict[str, Sample] = {}
    if p is not None:
        values |= {"position.x": p.x, "position.y": p.y, "position.theta": p.theta}
    if speed is not None:
        values["speed"] = speed
    return values


def _connection(twin: str, payload: bytes, received: int) -> Batch:
    head, word = read_connection(payload)
    # The broker sends the last will as it was written at the start: only its arrival says when the robot was lost.
    at = received if word == "CONNECTION_BROKEN" else head.stamp
    there = "online" if word in ("ONLINE", "HIBERNATING") else "offline"
    return Batch(twin, [at], {CONNECTION: [there], "connection": [word]})


def _visualization(twin: str, payload: bytes, received: int) -> Batch:
    head, position, speed = read_visualization(payload)
    values = _position(position, speed)
    if not values:
        raise InvalidInputError(Fault("vda5050:field-missing", "It shows neither position nor speed", "Send one"))
    return _at(twin, head, values)


def _factsheet(twin: str, payload: bytes, received: int) -> Batch:
    head, sheet = read_factsheet(payload)
    values: dict[str, Sample] = {"factsheet.series": sheet.series, "factsheet.speed": sheet.fastest}
    return _at(twin, head, {**values, "factsheet.load": sheet.load_kg})


def _at(twin: str, head: Header, values: dict[str, Sample]) -> Batch:
    return Batch(twin, [head.stamp], {k: [v] for k, v in values.items()})
