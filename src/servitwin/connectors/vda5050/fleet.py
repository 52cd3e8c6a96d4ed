"""The master of a fleet: hears robots, gives tasks, plans, and says how far each may drive. No clock, no network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.connectors.vda5050.config import Limits, Shuttle
from servitwin.connectors.vda5050.desk import Desk, KeptDesk, kept, take_up
from servitwin.connectors.vda5050.event import Events, FleetEvent
from servitwin.connectors.vda5050.message import Action, Order, Robot
from servitwin.connectors.vda5050.pace import Pace, Paces
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.fleet.ahead import AheadPlanner, Coming
from servitwin.domain.fleet.right_of_way import RightOfWay
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.fleet.scheduled import Move, ScheduleStations, in_words, revise, tasks_of
from servitwin.domain.fleet.transport import Task, TaskList
from servitwin.domain.fleet_check import Conflict, DrivenCheck

ZoneKind = Literal["blocked", "person"]


class Zone(msgspec.Struct, frozen=True, omit_defaults=True):
    """Places that somebody closed: ``blocked`` (an aisle), or ``person`` (somebody is in there: all stop)."""

    id: str
    places: tuple[str, ...]
    kind: ZoneKind = "blocked"
    reason: str = ""
    since: int = 0


class Kept(msgspec.Struct, omit_defaults=True):
    """All that outlives the process of the master."""

    tasks: list[Task] = []
    zones: list[Zone] = []
    desks: list[KeptDesk] = []
    events: list[FleetEvent] = []
    life: int = 0
    on_the_way: dict[str, dict[str, set[str]]] = {}
    paces: dict[str, Pace] = {}


class Say(msgspec.Struct, frozen=True):
    """Something to be sent to a robot."""

    robot: Robot
    order: Order | None = None
    actions: tuple[Action, ...] = ()


class Fleet:
    """State of one fleet. :mod:`hear` and :mod:`steer` work on it; here is what people and programs ask of it."""

    def __init__(
        self,
        robots: Sequence[Robot],
        graph: Graph,
        limits: Limits,
        kept_state: Kept | None,
        *,
        shuttles: Sequence[Shuttle] = (),
        born: int = 0,
    ) -> None:
        """``kept_state``: what an earlier process wrote down, or None; ``born``: a number that grows from life to life.

        Robots remember ids of orders: without it a master that lost its notes would use them again.
        """
        k = kept_state or Kept()
        self.graph, self.limits, self.shuttles = graph, limits, shuttles
        self.desks = {r.twin: Desk(r) for r in robots}
        self.tasks = TaskList(k.tasks)
        self.zones = {z.id: z for z in k.zones}
        self.events = Events(k.events)
        self.right = RightOfWay()
        self.paces = Paces(limits.fastest_m_s, k.paces)
        self.planner = AheadPlanner(graph, 7)
        self.life = max(k.life + 1, born)
        self.check = DrivenCheck({(w.start, w.end) for w in graph.road_map.ways}, limits.fastest_m_s, limits.nearest_m)
        self.conflicts: list[Conflict] = []
        self.plans: dict[str, list[int]] = {}
        self.next_shuttle: dict[int, int] = {}
        self.planned_ms = 0.0
        self.began: float | None = None  # clock of the first step
        self.asked = -1e9
        self.on_the_way = dict(k.on_the_way)  # zone -> robot -> places it had been released to before the zone closed
        self.heard_all = False
        self.said_conditions: dict[str, str] = {}  # of each robot, as it was told last
        self._ids = itertools.count(1)
        for d in k.desks:
            desk = self.desks.get(d.twin)
            if desk is not None:
                take_up(desk, d)
                places = [graph.index[n.id] for n in desk.base if n.id in graph.index]
                if len(places) == len(desk.base):
                    self.right.take(d.twin, places)
                else:  # the map is another one: it is placed when it is heard
                    self.desks[d.twin] = Desk(desk.robot, doubt=desk.doubt)

    def new_id(self, word: str) -> str:
        """An id that no earlier life of the master has used."""
        return f"{word}-{self.life}-{next(self._ids)}"

    def place(self, name: str) -> int:
        """Number of a station's or place's place.

        Raises:
            NotFoundError: ``map:place-unknown``.
        """
        found = self.graph.places_of([name])
        if not found:
            raise NotFoundError(Fault("map:place-unknown", f"{name[:60]!r} is not on the map", "", "place"))
        return found[0]

    def coming(self, twin: str, clock: float, *, stopped: bool = False) -> Coming | None:
        """When a robot will be at the last place it is released to; None: it stands there.

        Args:
            twin: who.
            clock: seconds that never jump.
            stopped: something holds it where it is, nobody knows for how long.
        """
        desk, held = self.desks[twin], self.right.held.get(twin, [])
        if len(held) < 2 or not desk.order_id or len(desk.base) < 2:
            return None
        pace, seconds, behind = self.paces.of(twin), 0.0, []
        cost, unit = self.planner.travel.at(pace).cost, self.planner.travel.at(pace).unit_m
        p = desk.state.position if desk.state is not None else None
        for number, (a, b) in enumerate(itertools.pairwise(held)):
            share = 1.0
            if number == 0 and p is not None and self.graph.length.get((a, b)):
                left = math.hypot(self.graph.x[b] - p.x, self.graph.y[b] - p.y)
                share = min(1.0, left / self.graph.length[a, b])
            seconds += (1 if cost is None else cost.get((a, b), 0)) * unit * share / pace
            if number == 0 and desk.state is not None and desk.state.driving:
                seconds = max(0.0, seconds - (clock - desk.heard))
            behind.append((a, math.inf if stopped else seconds))
        return Coming(math.inf if stopped else seconds, tuple(behind))

    def closed(self) -> frozenset[int]:
        """Places that zones close."""
        return frozenset(i for z in self.zones.values() for i in self.graph.places_of(z.places))

    def follow_schedule(self, moves: Sequence[Move], where: ScheduleStations, revision: int, now: int) -> int:
        """Bring tasks up to what a production plan wants; how many transports of it robots can do.

        Args:
            moves: all that the plan wants.
            where: stations of its machines.
            revision: of the published plan.
            now: ns UTC.
        """
        wanted = tasks_of(moves, where, lambda name: bool(self.graph.places_of([name])))
        for task in wanted:
            task.created = now
        changes = revise(self.tasks, wanted, self._begun, now)
        if changes:
            text = f"Plan {revision} of {where.party} asks for {len(wanted)} transports: {in_words(changes)}."
            self.events.note(now, "schedule", text)
        for kind, task in changes:
            if kind == "withdrawn":
                text = f"Task {task.id} is withdrawn: {task.reason}."
                self.events.note(now, "task-cancelled", text, robot=task.robot, place=task.origin)
        return len(wanted)

    def _begun(self, task: Task) -> bool:
        desk = self.desks.get(task.robot) if task.state == "assigned" else None
        return task.state == "loaded" or (desk is not None and bool(desk.job))

    # -- what people and programs ask ---------------------------------------------------------------------------
    def add_task(self, task: Task, now: int) -> Task:
        """Take a transport task on; the same again changes nothing.

        Raises:
            InvalidInputError, ConflictError: see :meth:`TaskList.add`.
        """
        task = msgspec.structs.replace(task, created=now, state="waiting", robot="", reason="")
        if self.tasks.add(task, lambda name: bool(self.graph.places_of([name]))):
            text = f"{task.load or 'A load'} is to go from {task.origin} to {task.target}."
            self.events.note(now, "task-asked", text, place=task.origin)
        return self.tasks.one(task.id)

    def cancel_task(self, id: str, reason: str, now: int) -> Task:
        """Give a task up. A robot that has the load on board keeps it until somebody takes it away.

        Raises:
            NotFoundError: ``task:unknown``.
            InvalidInputError: ``task:over``.
        """
        task = self.tasks.one(id)
        if task.state not in ("waiting", "assigned", "loaded"):
            raise InvalidInputError(Fault("task:over", f"The task is {task.state}", "Only open tasks can be cancelled"))
        self.events.note(
            now, "task-cancelled", f"Task {id} was cancelled: {reason or 'no reason given'}.", robot=task.robot
        )
        task.state, task.reason, task.ended = "cancelled", reason, now
        return task

    def close_zone(self, zone: Zone, now: int) -> Zone:
        """Close places; what has to be done about it is done at the next step.

        Raises:
            InvalidInputError: ``zone:wrong`` with all that is.
        """
        faults = [
            Fault("map:place-unknown", f"{p[:60]!r} is not on the map", "Name places of the map", "places")
            for p in zone.places
            if not self.graph.places_of([p])
        ]
        if not zone.places:
            faults.append(Fault("zone:empty", "The zone has no place", "Name the places that are closed", "places"))
        if not zone.id or len(zone.id) > 60:
            faults.append(Fault("zone:id-wrong", f"{zone.id[:40]!r} is no id", "1 to 60 characters", "id"))
        if faults:
            raise InvalidInputError(faults)
        zone = msgspec.structs.replace(zone, since=now)
        self.zones[zone.id] = zone
        self.on_the_way[zone.id] = {t: {self.graph.ids[p] for p in held} for t, held in self.right.held.items()}
        named = ", ".join(zone.places[:6]) + (" ..." if len(zone.places) > 6 else "")
        why = f" ({zone.reason})" if zone.reason else ""
        if zone.kind == "person":
            text = f"Somebody is in {zone.id}{why}: robots in there stop, nobody drives in."
        else:
            text = f"{zone.id} is blocked{why}: nobody drives into {named}; who was on the way goes round."
        self.events.note(now, f"zone-{zone.kind}", text, weight="warning", place=zone.places[0])
        return zone

    def open_zone(self, id: str, now: int) -> None:
        """The zone is free again.

        Raises:
            NotFoundError: ``zone:unknown``.
        """
        if id not in self.zones:
            raise NotFoundError(
                Fault("zone:unknown", f"No zone {id[:60]!r} is closed", "See the fleet's zones", "zone")
            )
        zone = self.zones.pop(id)
        self.on_the_way.pop(id, None)
        self.events.note(now, "zone-open", f"{id} is free again.", place=zone.places[0])

    def trust(self, twin: str, now: int) -> None:
        """A person has looked: the robot's next position counts.

        Raises:
            NotFoundError: ``robot:unknown``.
        """
        desk = self.desk(twin)
        if desk.doubt:
            self.events.note(now, "trusted", f"{twin} is believed again: a person has looked.", robot=twin)
        desk.doubt, desk.state, desk.plausible = "", None, 0
        self.right.give_back(twin)
        desk.base, desk.order_id = [], ""
        self.check.forget(twin)

    def desk(self, twin: str) -> Desk:
        """What is known of a robot.

        Raises:
            NotFoundError: ``robot:unknown``.
        """
        found = self.desks.get(twin)
        if found is None:
            raise NotFoundError(Fault("robot:unknown", f"{twin[:60]!r} is no robot of this fleet", "See its robots"))
        return found

    def to_keep(self) -> Kept:
        """What has to be written down before anything is sent."""
        desks = [kept(d) for d in self.desks.values()]
        zones, events = list(self.zones.values()), list(self.events.kept)
        return Kept(self.tasks.all(), zones, desks, events, self.life, dict(self.on_the_way), self.paces.known)
