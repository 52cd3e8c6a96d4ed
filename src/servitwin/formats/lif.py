"""Layouts of the Layout Interchange Format (VDMA, LIF 1.0.0, March 2024), the map format beside VDA 5050."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.fleet.road_map import Place, RoadMap, Way, checked_map

CHARGING = "startCharging"  # the action of VDA 5050 that makes a node a charging point


class _Position(msgspec.Struct):
    x: float
    y: float


class _Action(msgspec.Struct, rename="camel"):
    action_type: str = ""


class _NodeProperties(msgspec.Struct, rename="camel"):
    vehicle_type_id: str = ""
    actions: list[_Action] | None = None


class _Node(msgspec.Struct, rename="camel"):
    node_id: str
    node_position: _Position
    map_id: str = ""
    node_description: str = ""
    vehicle_type_node_properties: list[_NodeProperties] | None = None


class _EdgeProperties(msgspec.Struct, rename="camel"):
    vehicle_type_id: str = ""
    max_speed: float | None = None


class _Edge(msgspec.Struct, rename="camel"):
    edge_id: str
    start_node_id: str
    end_node_id: str
    vehicle_type_edge_properties: list[_EdgeProperties] | None = None


class _Station(msgspec.Struct, rename="camel"):
    station_id: str
    interaction_node_ids: list[str]
    station_name: str = ""


class _Layout(msgspec.Struct, rename="camel"):
    layout_id: str
    nodes: list[_Node]
    edges: list[_Edge]
    stations: list[_Station] = []


class _File(msgspec.Struct, rename="camel"):
    meta_information: dict[str, Any]
    layouts: list[_Layout]


def read_layout(content: bytes, layout: str = "", vehicle_type: str = "") -> RoadMap:
    """One layout of a LIF file as a map.

    Args:
        content: the file.
        layout: id of the layout; empty: the file has one.
        vehicle_type: only what this type of vehicle may use (empty: everything).

    Raises:
        InvalidInputError: no JSON, cut off, not this shape, or ways to nodes that are not there.
    """
    try:
        file = msgspec.json.decode(content, type=_File)
    except msgspec.ValidationError as e:
        raise InvalidInputError(Fault("map:not-lif", str(e), "Compare it with LIF 1.0.0 (VDMA)")) from e
    except msgspec.DecodeError as e:
        raise InvalidInputError(Fault("map:not-json", str(e), "The file was cut off, or is no JSON")) from e
    found = [one for one in file.layouts if not layout or one.layout_id == layout]
    if len(found) != 1:
        names = ", ".join(one.layout_id for one in file.layouts) or "none"
        message = f"{len(found)} layouts fit {layout!r}"
        raise InvalidInputError(Fault("map:layout-unknown", message, f"Name one of: {names}", "layouts"))
    chosen = found[0]
    nodes = [n for n in chosen.nodes if _fits(n.vehicle_type_node_properties, vehicle_type)]
    there = {n.node_id for n in nodes}
    left_out = {n.node_id for n in chosen.nodes} - there
    ways = []
    for edge in chosen.edges:
        if not _fits(edge.vehicle_type_edge_properties, vehicle_type):
            continue
        if edge.start_node_id in left_out or edge.end_node_id in left_out:
            continue
        speeds = [p.max_speed for p in edge.vehicle_type_edge_properties or () if p.max_speed]
        ways.append(Way(edge.edge_id, edge.start_node_id, edge.end_node_id, min(speeds, default=0.0)))
    maps = {n.map_id for n in nodes if n.map_id}
    if len(maps) > 1:
        message = f"The layout spreads over the maps {', '.join(sorted(maps))}"
        raise InvalidInputError(Fault("map:several", message, "Give one file a map", "layouts.nodes"))
    stations = {s.station_id: n for s in chosen.stations for n in s.interaction_node_ids[:1] if n not in left_out}
    places = tuple(Place(n.node_id, n.node_position.x, n.node_position.y) for n in nodes)
    chargers = tuple(n.node_id for n in nodes if _charges(n))
    return checked_map(RoadMap(next(iter(maps), chosen.layout_id), places, tuple(ways), stations, chargers))


def write_layout(road_map: RoadMap, exported: str, creator: str = "servitwin") -> bytes:
    """The map as a LIF file. ``exported``: RFC 3339 time of the export."""
    stations = [
        {"stationId": name, "interactionNodeIds": [place], "stationName": name}
        for name, place in road_map.stations.items()
    ]
    charging = {"actionType": CHARGING, "requirementType": "OPTIONAL", "blockingType": "HARD"}
    nodes = [
        {
            "nodeId": p.id,
            "mapId": road_map.id,
            "nodePosition": {"x": p.x, "y": p.y},
            "vehicleTypeNodeProperties": [{"vehicleTypeId": "any", "actions": [charging]}]
            if p.id in road_map.chargers
            else [{"vehicleTypeId": "any"}],
        }
        for p in road_map.places
    ]
    edges = [
        {
            "edgeId": w.id,
            "startNodeId": w.start,
            "endNodeId": w.end,
            "vehicleTypeEdgeProperties": [
                {"vehicleTypeId": "any", "vehicleOrientation": 0.0, **({"maxSpeed": w.speed} if w.speed else {})}
            ],
        }
        for w in road_map.ways
    ]
    meta = {
        "projectIdentification": road_map.id,
        "creator": creator,
        "exportTimestamp": exported,
        "lifVersion": "1.0.0",
    }
    layout = {"layoutId": road_map.id, "layoutVersion": "1", "nodes": nodes, "edges": edges, "stations": stations}
    return msgspec.json.encode({"metaInformation": meta, "layouts": [layout]})


def _fits(properties: list[_NodeProperties] | list[_EdgeProperties] | None, vehicle_type: str) -> bool:
    return not vehicle_type or any(p.vehicle_type_id == vehicle_type for p in properties or ())


def _charges(node: _Node) -> bool:
    return any(a.action_type == CHARGING for p in node.vehicle_type_node_properties or () for a in p.actions or ())
