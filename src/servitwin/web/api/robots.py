"""Mobile robots: fleets, what they do, transport tasks, closed zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from servitwin.domain.fleet.road_map import Place, RoadMap, Way
from servitwin.domain.instant import format_instant
from servitwin.domain.party import Actor
from servitwin.formats.lif import write_layout
from servitwin.usecases.robot_fleets import RobotFleets
from servitwin.web.api.answers import answer, answer_tagged, at, time_of
from servitwin.web.api.callers import Me, Parts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.routers import router_of
from servitwin.web.api.shapes.base import Done
from servitwin.web.api.shapes.robot import (
    CancelIn,
    FleetMap,
    Fleets,
    FleetShape,
    Robots,
    RobotShape,
    TaskIn,
    TaskShape,
    ZoneIn,
    ZoneShape,
)

router = router_of("robots")
Json = dict[str, Any]


async def _fleets(parts: Parts) -> RobotFleets:
    return RobotFleets(parts.records, parts.registry, parts.authoriser, parts.bus, parts.audit)


Masters = Annotated[RobotFleets, Depends(_fleets)]


@router.get("/robots", response_model=Robots)
async def list_robots(parts: Parts, fleets: Masters, me: Me) -> Response:
    """Robots of all fleets."""
    items = []
    for twin, _ in fleets.all(me):
        said = await fleets.ask(me, twin.id, {"do": "fleet"})
        items += [_robot(parts, twin.id, r) for r in said["robots"]]
    return answer({"items": items})


@router.get("/fleets", response_model=Fleets)
def list_fleets(parts: Parts, fleets: Masters, me: Me) -> Response:
    """Fleets of robots."""
    return answer({"items": [_summary(parts, me, twin.id) for twin, _ in fleets.all(me)]})


@router.get("/fleets/{id}", response_model=FleetShape)
async def read_fleet(parts: Parts, fleets: Masters, me: Me, id: str) -> Response:
    """A fleet now: robots with places and plans, tasks, closed zones, what happened."""
    said = await fleets.ask(me, id, {"do": "fleet"})
    shown = {
        **_summary(parts, me, id),
        **said,
        "robots": [_robot(parts, id, r) for r in said["robots"]],
        "tasks": [_task(t) for t in said["tasks"]],
        "zones": [_zone(z) for z in said["zones"]],
        "events": [{"robot": "", "place": "", "weight": "info", **e, "at": at(e["at"])} for e in said["events"]],
        "conflicts": [_conflict(c) for c in said["conflicts"]],
    }
    return answer(shown)


@router.get("/fleets/{id}/map", response_model=FleetMap)
async def read_fleet_map(request: Request, fleets: Masters, me: Me, id: str) -> Response:
    """The map on which a fleet drives."""
    return answer_tagged(request, await fleets.ask(me, id, {"do": "map"}))


@router.get("/fleets/{id}/layout", response_class=Response)
async def export_fleet_layout(parts: Parts, fleets: Masters, me: Me, id: str) -> Response:
    """The map as a file of the Layout Interchange Format (LIF 1.0, VDMA)."""
    said = await fleets.ask(me, id, {"do": "map"})
    road_map = RoadMap(
        said["id"],
        tuple(Place(p["id"], p["x"], p["y"]) for p in said["places"]),
        tuple(Way(f"{a}_{b}", a, b) for a, b in said["ways"]),
        said["stations"],
        tuple(said["chargers"]),
    )
    name = f'attachment; filename="{id}.lif.json"'
    content = write_layout(road_map, format_instant(parts.now()))
    return Response(content, 200, {"Content-Disposition": name}, "application/json")


@router.post("/fleets/{id}/tasks", response_model=TaskShape, status_code=201)
async def add_transport_task(fleets: Masters, me: Me, id: str, body: TaskIn) -> Response:
    """Ask for a transport. The same id with the same content counts once, with other content it is refused (409)."""
    task = {
        "id": body.id, "origin": body.from_, "target": body.to, "priority": body.priority, "load": body.load,
        "due": None if body.due is None else time_of(body.due, "due"),
    }  # fmt: skip
    return answer(_task(await fleets.ask(me, id, {"do": "add-task", "task": task}, "command")), 201)


@router.post("/fleets/{id}/tasks/{task}/cancel", response_model=TaskShape)
async def cancel_transport_task(fleets: Masters, me: Me, id: str, task: str, body: CancelIn) -> Response:
    """Give a transport up."""
    order = {"do": "cancel-task", "id": task, "reason": body.reason}
    return answer(_task(await fleets.ask(me, id, order, "command")))


@router.post("/fleets/{id}/zones", response_model=ZoneShape, status_code=201)
async def close_zone(fleets: Masters, me: Me, id: str, body: ZoneIn) -> Response:
    """Close places: robots go round, and where somebody is in the zone every robot in it stops."""
    zone = {"id": body.id, "places": body.places, "kind": body.kind, "reason": body.reason}
    return answer(_zone(await fleets.ask(me, id, {"do": "close-zone", "zone": zone}, "command")), 201)


@router.delete("/fleets/{id}/zones/{zone}", response_model=Done)
async def open_zone(fleets: Masters, me: Me, id: str, zone: str) -> Response:
    """Open a zone again."""
    await fleets.ask(me, id, {"do": "open-zone", "id": zone}, "command")
    return answer({"done": True})


@router.post("/fleets/{id}/robots/{robot}/trust", response_model=RobotShape)
async def trust_robot(parts: Parts, fleets: Masters, me: Me, id: str, robot: str) -> Response:
    """Say that somebody has looked at a robot whose positions were not believed: its next report counts again."""
    return answer(_robot(parts, id, await fleets.ask(me, id, {"do": "trust", "robot": robot}, "command")))


def _summary(parts: WebParts, me: Actor, id: str) -> Json:
    twin = parts.registry.by_id(id)
    title = (twin.title if twin is not None else "") or id
    may = twin is not None and parts.authoriser.may(me, "command", twin)
    return {"id": id, "title": title, "may_command": may}


def _robot(parts: WebParts, fleet: str, robot: Mapping[str, Any]) -> Json:
    twin = parts.registry.by_id(robot["robot"])
    arrives = robot["arrives"]
    shown = {**robot, "arrives": None if arrives is None else at(arrives)}
    return {**shown, "fleet": fleet, "title": (twin.title if twin is not None else "") or robot["robot"]}


def _task(task: Mapping[str, Any]) -> Json:
    due, ended = task.get("due"), task.get("ended")
    return {
        "id": task["id"], "from": task["origin"], "to": task["target"], "priority": task["priority"],
        "load": task["load"], "due": None if due is None else at(due), "created": at(task["created"]),
        "state": task["state"], "robot": task["robot"], "reason": task["reason"],
        "order": task["order"], "operation": task["operation"], "planned": task.get("planned", False),
        "not_before": None if task.get("not_before") is None else at(task["not_before"]),
        "ended": None if ended is None else at(ended),
        "expected": None if task.get("expected") is None else at(task["expected"]),
    }  # fmt: skip


def _zone(zone: Mapping[str, Any]) -> Json:
    return {"kind": "blocked", "reason": "", **zone, "since": at(zone["since"])}


def _conflict(conflict: Mapping[str, Any]) -> Json:
    shown = {k: v for k, v in conflict.items() if k != "step"}
    return {"detail": "", **shown, "at": at(conflict["step"])}
