"""What the master answers to people and programs, over ``plugin.<connection>.control``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from servitwin.connectors.vda5050.arrival import done_by, pace_shown
from servitwin.connectors.vda5050.config import VdaConfig
from servitwin.connectors.vda5050.desk import Desk
from servitwin.connectors.vda5050.fleet import Fleet, Zone
from servitwin.domain.error import Fault, InvalidInputError, ServitwinError
from servitwin.domain.fleet.scheduled import Move, ScheduleStations
from servitwin.domain.fleet.transport import OPEN, Task

Json = dict[str, Any]
MOST_PLANNED = 20  # transports of the plan whose time has not come, that are shown


def starting() -> Json:
    """While the master is not there yet."""
    fault = Fault("fleet:starting", "The fleet's master is starting", "Ask again in a second")
    return {"faults": [msgspec.to_builtins(fault)]}


class _TaskIn(msgspec.Struct):
    id: str
    origin: str
    target: str
    priority: int = 0
    load: str = ""
    due: int | None = None


class _ZoneIn(msgspec.Struct):
    id: str
    places: tuple[str, ...]
    kind: str = "blocked"
    reason: str = ""


def answer(fleet: Fleet, message: Mapping[str, Any], now: int, clock: float, config: VdaConfig | None = None) -> Json:
    """The answer to one message; what is wrong comes back as ``faults``.

    Messages: ``{"do": "fleet"}``, ``map``, ``add-task`` (``task``), ``cancel-task`` (``id``, ``reason``),
    ``close-zone`` (``zone``), ``open-zone`` (``id``), ``trust`` (``robot``), and, of the node itself,
    ``follow-schedule`` (``moves``, ``revision``). ``config``: of the connection.
    """
    schedule = config.schedule if config is not None else None
    if config is not None and not config.steer and message.get("do") not in ("fleet", "map"):
        fault = Fault("fleet:steered-elsewhere", "Another master steers this fleet", "Ask that master")
        return {"faults": [msgspec.to_builtins(fault)], "error": "InvalidInputError"}
    doings: dict[str, Callable[[], Json]] = {
        "fleet": lambda: shown(fleet, now, clock),
        "map": lambda: shown_map(fleet),
        "add-task": lambda: _task(fleet.add_task(_new_task(message), now)),
        "cancel-task": lambda: _task(fleet.cancel_task(str(message.get("id")), str(message.get("reason") or ""), now)),
        "close-zone": lambda: msgspec.to_builtins(fleet.close_zone(_new_zone(message), now)),
        "open-zone": lambda: _opened(fleet, message, now),
        "follow-schedule": lambda: _followed(fleet, message, schedule, now),
        "trust": lambda: _trusted(fleet, message, now, clock),
    }
    doing = doings.get(str(message.get("do")))
    if doing is None:
        fault = Fault("fleet:order-unknown", f"{message.get('do')!r} is nothing a fleet does", ", ".join(doings))
        return {"faults": [msgspec.to_builtins(fault)]}
    try:
        return {"answer": doing()}
    except ServitwinError as e:
        return {"faults": [msgspec.to_builtins(f) for f in e.faults], "error": type(e).__name__}
    except msgspec.ValidationError as e:
        fault = Fault("fleet:order-wrong", str(e), "Compare it with docs/concepts/robots.md")
        return {"faults": [msgspec.to_builtins(fault)], "error": "InvalidInputError"}


def shown(fleet: Fleet, now: int, clock: float) -> Json:
    """The fleet now: robots with places and plans, tasks, zones, events, the checker's findings."""
    done = [t for t in fleet.tasks.all() if t.state in ("done", "failed", "cancelled")][-30:]
    ripe = [t for t in fleet.tasks.open() if t.ripe(now)]
    planned = sorted((t for t in fleet.tasks.open() if not t.ripe(now)), key=lambda t: t.not_before or 0)
    return {
        "robots": [shown_robot(fleet, d, clock) for d in fleet.desks.values()],
        "tasks": [
            _task(t) | {"planned": not t.ripe(now), "expected": done_by(fleet, t, now)}
            for t in [*ripe, *planned[:MOST_PLANNED]]
        ]
        + [_task(t) for t in reversed(done)],
        "planned": len(planned),
        "zones": [msgspec.to_builtins(z) for z in fleet.zones.values()],
        "events": [msgspec.to_builtins(e) for e in reversed(fleet.events.kept)],
        "conflicts": [msgspec.to_builtins(c) for c in fleet.conflicts],
        "checked": fleet.check.reports,
        "planning_ms": round(fleet.planned_ms, 3),
    }


def shown_robot(fleet: Fleet, desk: Desk, clock: float) -> Json:
    """One robot."""
    s, ids = desk.state, fleet.graph.ids
    task = fleet.tasks.of(desk.twin)
    condition = desk.condition(clock, fleet.limits.silent_s)
    held = [ids[p] for p in fleet.right.held.get(desk.twin, ())]
    plan: list[str] = []
    for p in fleet.plans.get(desk.twin, []):
        if ids[p] != (plan[-1] if plan else held[-1] if held else ""):
            plan.append(ids[p])
    position = s.position if s is not None else None
    return {
        "robot": desk.twin,
        "manufacturer": desk.robot.manufacturer,
        "serial": desk.robot.serial,
        "version": desk.robot.version,
        "condition": condition,
        "activity": activity(fleet, desk, condition),
        "x": position.x if position else None,
        "y": position.y if position else None,
        "theta": position.theta if position else None,
        "battery": s.battery if s else None,
        "charging": s.charging if s else False,
        "driving": s.driving if s else False,
        "loads": s.loads if s else None,
        "place": s.last_node if s else "",
        "held": held,
        "plan": plan,
        "arrives": desk.arrives,
        **pace_shown(fleet, desk),
        "task": task.id if task else "",
        "waits": desk.waits,
        "doubt": desk.doubt,
        "errors": [msgspec.to_builtins(e) for e in s.errors] if s else [],
        "heard_s": round(clock - desk.heard, 1) if desk.heard else None,
    }


def activity(fleet: Fleet, desk: Desk, condition: str) -> str:
    """What a robot does, in words."""
    if condition != "ready":
        return condition
    s, task = desk.state, fleet.tasks.of(desk.twin)
    if s is not None and s.charging:
        return "charges"
    if desk.charger is not None:
        return "drives to charge"
    if task is None:
        return "drives out of the way" if s is not None and s.driving else "free"
    if desk.job and s is not None and not s.driving and s.last_node == desk.base[-1].id:
        return f"picks up at {task.origin}" if task.state == "assigned" else f"drops at {task.target}"
    return f"fetches from {task.origin}" if task.state == "assigned" else f"brings to {task.target}"


def shown_map(fleet: Fleet) -> Json:
    """The map for drawing."""
    m = fleet.graph.road_map
    regions = fleet.graph.regions()
    sizes: dict[int, int] = {}
    for r in regions:
        sizes[r] = sizes.get(r, 0) + 1
    largest = max(sizes, key=lambda r: sizes[r])
    return {
        "id": m.id,
        "places": [{"id": p.id, "x": p.x, "y": p.y} for p in m.places],
        "ways": [[w.start, w.end] for w in m.ways],
        "stations": m.stations,
        "chargers": list(m.chargers),
        "parking": list(m.parking),
        "unreachable": [i for i, r in zip(fleet.graph.ids, regions, strict=True) if r != largest][:1000],
    }


def figures(fleet: Fleet, twin: str, now: int, clock: float) -> dict[str, Json]:
    """Values of the fleet's twin and status of each robot, by twin."""
    tasks = fleet.tasks.all()
    conditions = {d.twin: d.condition(clock, fleet.limits.silent_s) for d in fleet.desks.values()}
    values: dict[str, Json] = {
        twin: {
            "tasks.open": float(sum(t.state in OPEN and t.ripe(now) for t in tasks)),
            "robots.ready": float(sum(c == "ready" for c in conditions.values())),
            "zones.closed": float(len(fleet.zones)),
            "conflicts": float(len(fleet.conflicts)),
        }
    }
    for desk in fleet.desks.values():
        if desk.state is not None:
            values[desk.twin] = {
                "status": conditions[desk.twin],
                "activity": activity(fleet, desk, conditions[desk.twin]),
            }
    return values


def _task(task: Task) -> Json:
    shown: Json = msgspec.to_builtins(task)
    empty = {"robot": "", "reason": "", "load": "", "priority": 0, "state": "waiting", "order": "", "operation": ""}
    return {**empty, **shown}


def _new_task(message: Mapping[str, Any]) -> Task:
    t = msgspec.convert(message.get("task"), _TaskIn)
    return Task(t.id, t.origin, t.target, t.priority, t.load, t.due)


def _new_zone(message: Mapping[str, Any]) -> Zone:
    z = msgspec.convert(message.get("zone"), _ZoneIn)
    return msgspec.convert({"id": z.id, "places": z.places, "kind": z.kind, "reason": z.reason}, Zone)


def _followed(fleet: Fleet, message: Mapping[str, Any], schedule: ScheduleStations | None, now: int) -> Json:
    if schedule is None:
        fault = Fault("fleet:no-schedule", "The fleet follows no production plan", "Add schedule to its connection")
        raise InvalidInputError(fault)
    moves = msgspec.convert(message.get("moves"), list[Move])
    return {"transports": fleet.follow_schedule(moves, schedule, int(message.get("revision") or 0), now)}


def _opened(fleet: Fleet, message: Mapping[str, Any], now: int) -> Json:
    fleet.open_zone(str(message.get("id")), now)
    return {}


def _trusted(fleet: Fleet, message: Mapping[str, Any], now: int, clock: float) -> Json:
    twin = str(message.get("robot"))
    fleet.trust(twin, now)
    return shown_robot(fleet, fleet.desk(twin), clock)
