"""Who does what, and where each robot wants to be."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.connectors.vda5050.desk import Desk
from servitwin.connectors.vda5050.fleet import Fleet
from servitwin.connectors.vda5050.message import Action
from servitwin.domain.fleet.distances import FAR
from servitwin.domain.fleet.transport import Task, assign
from servitwin.domain.instant import NS

QUEUE_STEPS = 3  # who has to wait for a station does so at this distance, in ways of usual length


def give_work(fleet: Fleet, conditions: Mapping[str, str], now: int, clock: float) -> None:
    """Give waiting tasks to robots that are free; say once why a task cannot be done now."""
    _shuttles(fleet, now)
    free = {}
    for twin, desk in fleet.desks.items():
        s = desk.state
        if s is None or s.loads or s.battery < fleet.limits.low or conditions[twin] != "ready" or not desk.base:
            continue
        if desk.charger is None and fleet.tasks.of(twin) is None:
            free[twin] = fleet.graph.index[desk.base[-1].id]
    waiting = [t for t in fleet.tasks.open() if t.state == "waiting" and t.ripe(now)]
    distances = fleet.planner.distances
    ways = {t: fleet.coming(t, clock) for t in free}
    first = {t: way.seconds if way is not None else 0.0 for t, way in ways.items()}

    def seconds(twin: str, place: int) -> float:
        return first[twin] + fleet.planner.travel.seconds(fleet.paces.of(twin), free[twin], place)

    given, unreachable = assign(waiting, free, fleet.place, lambda a, b: distances.to(b)[a] < FAR, seconds)
    for twin, task in given.items():
        task.state, task.robot, task.started, task.reason = "assigned", twin, now, ""
        what = task.load or "a load"
        text = f"{twin} fetches {what} at {task.origin} for {task.target}"
        text += f" (operation {task.operation} of {task.order})" if task.order else ""
        text += (
            f": of those that are free it is there soonest, in about {seconds(twin, fleet.place(task.origin)):.0f} s."
        )
        fleet.events.note(now, "task-given", text, robot=twin, place=task.origin)
    for task in unreachable:
        why = f"no free robot has a way to {task.origin} and on to {task.target}"
        if task.reason != why:
            task.reason = why
            fleet.events.note(
                now, "task-unreachable", f"Task {task.id} waits: {why}.", weight="warning", place=task.origin
            )
    for task in waiting:
        if task.state == "waiting" and task not in unreachable and not task.reason:
            task.reason = "no robot is free" if not free else "others are more urgent"


def _shuttles(fleet: Fleet, now: int) -> None:
    for number, shuttle in enumerate(fleet.shuttles):
        due = fleet.next_shuttle.get(number, now)
        if now < due or sum(t.origin == shuttle.origin and t.ripe(now) for t in fleet.tasks.open()) >= shuttle.most:
            continue
        fleet.next_shuttle[number] = now + int(shuttle.every_s * NS)
        fleet.add_task(Task(fleet.new_id("shuttle"), shuttle.origin, shuttle.target, load=shuttle.load), now)


def target_of(fleet: Fleet, desk: Desk) -> int | None:
    """Where a robot has something to do; None: nowhere."""
    if desk.charger is not None:
        return desk.charger
    task = fleet.tasks.of(desk.twin)
    if task is None:
        return None
    return fleet.place(task.origin if task.state == "assigned" else task.target)


def job_of(fleet: Fleet, desk: Desk) -> tuple[Action, ...]:
    """What it has to do once it is where it wants to be."""
    if desk.charger is not None:
        charging = desk.state is not None and desk.state.charging
        return () if charging else (Action("startCharging", fleet.new_id("charge")),)
    task = fleet.tasks.of(desk.twin)
    if task is None:
        return ()
    word = "pick" if task.state == "assigned" else "drop"
    station = task.origin if word == "pick" else task.target
    parameters = {"stationType": "floor", "loadType": fleet.limits.load_type, "stationName": station}
    return (
        Action(word, fleet.new_id(f"{task.id}-{word}"), {**parameters, **({"loadId": task.load} if task.load else {})}),
    )


def goals_of(fleet: Fleet, at: dict[str, int], conditions: Mapping[str, str]) -> dict[str, int]:
    """Where each robot wants to be, so that no two want the same place.

    Args:
        fleet: its tasks and robots.
        at: last place each robot is released to.
        conditions: of each robot.
    """
    distances = fleet.planner.distances
    goals: dict[str, int] = {}
    wanted: dict[int, list[str]] = {}
    for twin in at:
        target = target_of(fleet, fleet.desks[twin])
        if target is not None:
            wanted.setdefault(target, []).append(twin)
    near = _queue(fleet)
    for target, robots in wanted.items():
        # Who is there or works there comes first, then who is nearest, not who is soonest: a slow robot that had to let
        # others by before a station stood in their way. The others wait where they are in nobody's way.
        robots.sort(key=lambda r: (fleet.desks[r].job == "", distances.to(target)[at[r]], r))
        goals[robots[0]] = target
        for other in robots[1:]:
            if near < distances.to(target)[at[other]] < FAR:
                goals[other] = _before(fleet, target, at[other], set(goals.values()))
    for twin in sorted(at):
        if twin in goals or fleet.desks[twin].job:
            continue
        if target_of(fleet, fleet.desks[twin]) is None and conditions[twin] == "ready":
            spot = _parking(fleet, at[twin], set(goals.values()), {at[o] for o in at if o != twin})
            if spot is not None:
                goals[twin] = spot
    return goals


def _queue(fleet: Fleet) -> float:
    """How far before a station the next one waits, in units of the tables of distances."""
    return QUEUE_STEPS * fleet.graph.step_m / fleet.planner.distances.unit_m


def _before(fleet: Fleet, target: int, at: int, taken: set[int]) -> int:
    """A place on the way to the target, some steps before it."""
    table = fleet.planner.distances.to(target)
    near = _queue(fleet)
    place = at
    while table[place] > near:
        place = min(fleet.graph.out[place], key=lambda w: table[w])
    return place if place not in taken else at


def _parking(fleet: Fleet, at: int, taken: set[int], stood_on: set[int]) -> int | None:
    """The nearest parking place that is free for a robot without work; None if it may stay where it is."""
    graph = fleet.graph
    parking = graph.places_of(graph.road_map.parking)
    if at in parking and at not in taken:
        return at
    free = [p for p in parking if p not in taken and p not in stood_on]
    spots = [p for p in free if fleet.planner.distances.to(p)[at] < FAR]
    return min(spots, key=lambda p: fleet.planner.distances.to(p)[at], default=None)
