"""When robots will be where they want to be, from lengths of ways, paces and the plan."""

from __future__ import annotations

import math

from servitwin.connectors.vda5050.desk import Desk
from servitwin.connectors.vda5050.fleet import Fleet
from servitwin.connectors.vda5050.work import target_of
from servitwin.domain.fleet.transport import Task
from servitwin.domain.instant import NS, format_instant

LATE_S = 60.0  # a transport that will be as late as that is told


def note_arrivals(fleet: Fleet, goals: dict[str, int], now: int) -> None:
    """Write down when each robot will be at what it does next; tell transports that will be late."""
    for twin, desk in fleet.desks.items():
        target = target_of(fleet, desk)
        seconds = fleet.planner.arrives.get(twin, math.inf) if twin in goals else math.inf
        if target is None or (desk.job and len(desk.base) == 1):
            seconds = math.inf  # it has nothing to do, or is there
        elif goals.get(twin, target) != target:  # it waits for another one before the station
            seconds += fleet.planner.travel.seconds(fleet.paces.of(twin), goals[twin], target) + fleet.paces.work_s
        _compare(fleet, desk, seconds, now)
        desk.arrives = None if math.isinf(seconds) else now + round(seconds * fleet.paces.traffic * NS)
    for task in fleet.tasks.open():
        _tell_late(fleet, task, now)


def _compare(fleet: Fleet, desk: Desk, seconds: float, now: int) -> None:
    """Learn from what was foretold when a trip began how much traffic holds robots up."""
    task = fleet.tasks.of(desk.twin)
    trip = f"{task.id} {task.state}" if task is not None else ""
    if desk.foretold is not None and (desk.foretold[0] != trip or desk.condition(0.0, math.inf) != "ready"):
        desk.foretold = None  # it does something else now, or something else than traffic holds it up
    if desk.foretold is not None and desk.job and len(desk.base) == 1:
        fleet.paces.arrived((now - desk.foretold[1]) / NS, desk.foretold[2])
        desk.foretold = None
    elif trip and desk.foretold is None and 0.0 < seconds < math.inf:
        desk.foretold = (trip, now, seconds)


def done_by(fleet: Fleet, task: Task, now: int) -> int | None:
    """Ns UTC at which a task will probably be done; None: nobody does it yet, or nobody knows."""
    desk = fleet.desks.get(task.robot)
    if desk is None or task.state not in ("assigned", "loaded"):
        return None
    works = bool(desk.job) and len(desk.base) == 1
    if desk.arrives is None and not works:
        return None
    at = max(now, desk.arrives or now) + round(fleet.paces.work_s * NS)
    if task.state == "loaded":
        return at
    way = fleet.planner.travel.seconds(fleet.paces.of(desk.twin), fleet.place(task.origin), fleet.place(task.target))
    return None if math.isinf(way) else at + round((way + fleet.paces.work_s) * NS)


def _tell_late(fleet: Fleet, task: Task, now: int) -> None:
    """Once for each transport; what a robot may make up for by a minute is not told."""
    if task.due is None or task.late_told:
        return
    done = done_by(fleet, task, now)
    if done is None or done - task.due < LATE_S * NS:
        return
    task.late_told = True
    for_whom = f" for operation {task.operation} of {task.order}" if task.order else ""
    text = f"{task.robot} will probably bring {task.load or 'the load'} to {task.target}{for_whom} "
    text += f"{(done - task.due) / NS / 60:.0f} min late: it is due at {format_instant(task.due)}."
    fleet.events.note(now, "late", text, weight="warning", robot=task.robot, place=task.target)


def pace_shown(fleet: Fleet, desk: Desk) -> dict[str, float | None]:
    """Speeds of a robot, m/s: now, by its factsheet, and with which it is planned."""
    s, known = desk.state, fleet.paces.known.get(desk.twin)
    says = known.says if known is not None else 0.0
    return {"speed": s.speed if s is not None else None, "speed_max": says or None, "pace": fleet.paces.of(desk.twin)}
