"""Unexpected situations: each is handled in the step in which it is seen, and told with what is done about it."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.connectors.vda5050.desk import Desk
from servitwin.connectors.vda5050.event import Weight
from servitwin.connectors.vda5050.fleet import Fleet

GIVES_BACK = frozenset({"failed", "lost", "untrusted", "manual"})
_TEXTS: dict[str, tuple[Weight, str]] = {
    "lost": (
        "warning",
        "{r} is not heard any more ({why}). It may still drive as far as it was released: its places stay its own, "
        "others go round.",
    ),
    "failed": ("alarm", "{r} has failed at {at}: {why}. Others go round."),
    "manual": ("warning", "{r} is in mode {why}: it is driven by a person and gets no orders."),
    "person": ("warning", "{r} has stopped at {at}: something is in its safety field. It drives on by itself."),
    "untrusted": ("alarm", "{r} is told to stop: {why}."),
}


def look_after(fleet: Fleet, conditions: Mapping[str, str], now: int) -> None:
    """Tell what has changed and do what follows from it."""
    for twin, condition in conditions.items():
        desk = fleet.desks[twin]
        _tell(fleet, desk, condition, now)
        if condition in GIVES_BACK:
            _give_back_task(fleet, desk, condition, now)
        elif condition == "ready" and (task := fleet.tasks.of(twin)) is not None:
            task.reason = ""
        if condition == "untrusted":
            desk.pauses.add("untrusted")
        elif condition not in ("lost", "unseen"):
            desk.pauses.discard("untrusted")
        _battery(fleet, desk, condition, now)
        _load(fleet, desk, condition, now)
    _zones(fleet, conditions, now)


def _tell(fleet: Fleet, desk: Desk, condition: str, now: int) -> None:
    before = fleet.said_conditions.get(desk.twin, "unseen")
    if condition == before:
        return
    fleet.said_conditions[desk.twin] = condition
    if condition in _TEXTS:
        weight, text = _TEXTS[condition]
        at = desk.base[0].id if desk.base else "an unknown place"
        said = text.format(r=desk.twin, at=at, why=_why(desk, condition))
        fleet.events.note(
            now, f"robot-{condition}", said, weight=weight, robot=desk.twin, place=desk.base[0].id if desk.base else ""
        )
    elif before in _TEXTS and condition in ("ready", "paused", "cancelling"):
        fleet.events.note(now, "robot-back", f"{desk.twin} is back: it was {before}.", robot=desk.twin)


def _why(desk: Desk, condition: str) -> str:
    s = desk.state
    if condition == "untrusted":
        return desk.doubt
    if condition == "manual":
        return s.mode if s else ""
    if condition == "lost":
        words = {"CONNECTION_BROKEN": "the connection is broken", "OFFLINE": "it has signed off"}
        return words.get(desk.connection or "", "it has been silent for too long")
    if s is not None and s.worst is not None and condition == "failed":
        return s.worst.description or s.worst.type
    return "the emergency stop is pressed" if s is not None and s.emergency_stop != "NONE" else ""


def _give_back_task(fleet: Fleet, desk: Desk, condition: str, now: int) -> None:
    """A robot out of use with nothing on board, and not released to pick up: somebody else does its task."""
    task = fleet.tasks.of(desk.twin)
    if task is None:
        return
    if task.state == "assigned" and not desk.job:
        task.state, task.robot, task.reason = "waiting", "", f"{desk.twin} is {condition}, another robot does it"
        text = f"Task {task.id} goes to another robot: {desk.twin} is {condition}."
        fleet.events.note(now, "task-given-back", text, weight="warning", robot=desk.twin)
        if condition == "failed" and len(desk.base) > 1 and not desk.cancel:
            desk.cancel, desk.cancel_sent = fleet.new_id("cancel"), 0.0
    elif not task.reason:
        carries = "with the load" if task.state == "loaded" else "and was released to fetch it"
        task.reason = f"{desk.twin} is {condition} {carries}"
        text = f"Task {task.id} waits for {desk.twin}, which is {condition} {carries}."
        fleet.events.note(now, "task-stuck", text, weight="alarm", robot=desk.twin)


def _battery(fleet: Fleet, desk: Desk, condition: str, now: int) -> None:
    """Low: it charges after its task. Critical: at once, unless it has a load on board."""
    s = desk.state
    if s is None or desk.charger is not None or condition in ("unseen", "lost", "untrusted"):
        return
    task = fleet.tasks.of(desk.twin)
    urgent = s.battery < fleet.limits.critical
    if s.battery >= fleet.limits.low or (
        task is not None and not (urgent and task.state == "assigned" and not desk.job)
    ):
        return
    if condition not in ("ready", "paused") or not desk.base:
        return
    taken = {d.charger for d in fleet.desks.values() if d.charger is not None}
    graph = fleet.graph
    at = graph.index[desk.base[-1].id]
    spots = [p for p in graph.places_of(graph.road_map.chargers) if p not in taken]
    spots.sort(key=lambda p: fleet.planner.distances.to(p)[at])
    if not spots:
        if desk.told != "no-charger":
            desk.told = "no-charger"
            text = f"{desk.twin} has {s.battery:.0f} % left and no charger is free: it waits for one and takes no task."
            fleet.events.note(now, "no-charger", text, weight="warning", robot=desk.twin)
        return
    desk.charger = spots[0]
    text = f"{desk.twin} has {s.battery:.0f} % left and drives to the charger at {graph.ids[spots[0]]}."
    if task is not None:
        task.state, task.robot, task.reason = "waiting", "", f"{desk.twin} has to charge"
        text += f" Its task {task.id} goes to another robot."
    fleet.events.note(now, "battery-low", text, weight="warning", robot=desk.twin)


def _load(fleet: Fleet, desk: Desk, condition: str, now: int) -> None:
    """A load that no task knows (its task was cancelled, or forgotten): a person has to take it."""
    s = desk.state
    task = fleet.tasks.of(desk.twin)
    unknown = s is not None and bool(s.loads) and task is None and not desk.job and condition == "ready"
    if unknown and not desk.unknown_load:
        text = f"{desk.twin} has a load on board that no task knows: it gets no task until somebody has taken it."
        fleet.events.note(now, "load-unknown", text, weight="warning", robot=desk.twin)
    desk.unknown_load = unknown


def _zones(fleet: Fleet, conditions: Mapping[str, str], now: int) -> None:
    graph = fleet.graph
    people = {i for z in fleet.zones.values() if z.kind == "person" for i in graph.places_of(z.places)}
    blocked = {i for z in fleet.zones.values() if z.kind == "blocked" for i in graph.places_of(z.places)}
    for twin, held in fleet.right.held.items():
        desk = fleet.desks[twin]
        if people.intersection(held):
            if "person" not in desk.pauses:
                desk.pauses.add("person")
                text = f"{twin} stops: somebody is in the zone that it is in or was released to."
                fleet.events.note(now, "stopped-for-person", text, weight="warning", robot=twin)
        else:
            desk.pauses.discard("person")
        ahead = blocked.intersection(held[1:]) if held and held[0] not in blocked else set()
        usable = conditions.get(twin) in ("ready", "person", "paused")
        if ahead and usable and not desk.cancel and desk.order_id:
            desk.cancel, desk.cancel_sent = fleet.new_id("cancel"), 0.0
            text = f"{twin} was released to {graph.ids[min(ahead)]}, which is blocked now: "
            text += "its order is cancelled, it gets another way."
            fleet.events.note(now, "rerouted", text, weight="warning", robot=twin)
