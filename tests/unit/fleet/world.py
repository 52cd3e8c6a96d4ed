"""A hall in which the real master and real simulated robots talk over a wire that delays and loses messages."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

from servitwin.connectors.vda5050 import hear, read, steer, write
from servitwin.connectors.vda5050.config import Limits, MapConfig
from servitwin.connectors.vda5050.event import FleetEvent
from servitwin.connectors.vda5050.fleet import Fleet, Kept, Say
from servitwin.connectors.vda5050.message import VERSIONS, Robot
from servitwin.connectors.vda5050.pace import Paces
from servitwin.connectors.vda5050.simulated_robot import SimulatedRobot
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.fleet.transport import OPEN, Task
from servitwin.domain.fleet_check import Conflict, DrivenCheck

ROWS = (
    "..............",
    ".@@.@@.@@.@@..",
    ".@@.@@.@@.@@..",
    "..............",
    "..............",
    ".@@@.@@@@.@@@.",
    "..............",
)
STATIONS = {"mill-1": (1, 0), "mill-2": (4, 0), "mill-3": (7, 0), "store": (10, 0), "cell-1": (5, 6), "cell-2": (8, 6)}
HALL = MapConfig(
    rows=ROWS,
    cell_m=2.0,
    stations=dict(STATIONS),
    chargers=((13, 1), (13, 2)),
    parking=((13, 3), (13, 4), (13, 6), (12, 6), (0, 6), (1, 6), (0, 4), (0, 3)),
)
GRAPH = Graph(HALL.road_map())
TOUCH_M = 0.7
USUAL_M_S = 1.2
START = 1_790_000_000_000_000_000
WAYS = {(w.start, w.end) for w in GRAPH.road_map.ways}


class EqualPaces(Paces):
    """All robots are planned as equally fast, whatever they say and however they drive."""

    def of(self, twin: str) -> float:
        return USUAL_M_S


class World:
    """Args:
        count: number of robots.
        loss: share of messages lost in either direction; ``delay``: mean seconds on the way.
        seed: of where robots are first, and of everything that happens by chance.
        speeds: m/s of each robot; what is left over drives 1.2 m/s.
        equal: plan them all as if they were equally fast, as it was done once.
        sheets: the broker has kept the factsheets of all robots; otherwise they were lost.

    Attributes:
        check: the independent checker, which sees where robots really are at every moment, whatever they say.
        conflicts: what it has found.
    """

    def __init__(
        self, count: int = 8, *, loss: float = 0.0, delay: float = 0.1, seed: int = 1,
        speeds: Sequence[float] = (), equal: bool = False, sheets: bool = True,
    ) -> None:  # fmt: skip
        self.rng = random.Random(seed)
        self.t = 0.0
        self.loss, self.delay = loss, delay
        free = list(range(GRAPH.size))
        self.rng.shuffle(free)
        self.robots: dict[str, SimulatedRobot] = {}
        for i in range(count):
            robot = Robot(f"agv-{i}", "aurora", f"s{i}", VERSIONS[i % len(VERSIONS)])
            p, battery = free[i], self.rng.uniform(40, 90)
            fastest = speeds[i] if i < len(speeds) else USUAL_M_S
            self.robots[robot.twin] = SimulatedRobot(
                robot, GRAPH.ids[p], GRAPH.x[p], GRAPH.y[p], map_id="hall", battery=battery, fastest=fastest
            )
        self.equal, self.sheets = equal, sheets
        self.said: Counter[tuple[str, str]] = Counter()  # robot, type of an instant action -> how often it was sent
        self.fleet = self._master(None)
        self.events: list[FleetEvent] = []
        self.nearest = math.inf
        self.check, self.conflicts = DrivenCheck(WAYS, Limits().fastest_m_s, TOUCH_M), list[Conflict]()
        self._released: dict[tuple[str, str, int], int] = {}  # robot, order, node -> when it was first told so
        self.jump = 0  # of the clock, ns
        self._wire: list[tuple[float, int, Callable[[], None]]] = []
        self._sent = 0
        self._headers: Counter[str] = Counter()
        self._said: dict[str, float] = {}
        self._next_step = 0.0
        self.kept = Kept()

    @property
    def now(self) -> int:
        return START + int(self.t * 1e9) + self.jump

    def ask(self, count: int) -> None:
        names = sorted(STATIONS)
        have = len(self.fleet.tasks.all())
        for k in range(have, have + count):
            origin, target = self.rng.sample(names, 2)
            self.fleet.add_task(Task(f"t{k}", origin, target), self.now)

    def open(self) -> list[Task]:
        return [t for t in self.fleet.tasks.all() if t.state in OPEN]

    def kinds(self) -> set[str]:
        return {e.kind for e in self.events}

    def restart_master(self) -> None:
        """Killed and started again: it knows what it had written, and nothing else."""
        self.fleet = self._master(self.kept)

    def _master(self, kept: Kept | None) -> Fleet:
        fleet = Fleet([r.robot for r in self.robots.values()], GRAPH, Limits(), kept)
        if self.equal:
            fleet.paces = EqualPaces(USUAL_M_S)
        for twin in self.robots if self.sheets else ():  # kept by the broker
            self._hear_sheet(fleet, twin)
        return fleet

    def _hear_sheet(self, fleet: Fleet, twin: str) -> None:
        robot = self.robots[twin]
        sheet = write.factsheet(robot.robot, 1, START, robot.fastest, (0.9, 0.6))
        hear.hear_factsheet(fleet, twin, read.read_factsheet(sheet)[1])

    def written(self) -> None:
        """What people asked is written down before they are answered."""
        self.kept = self.fleet.to_keep()

    def cut(self, twin: str) -> None:
        self.robots[twin].faults.add("network")
        hear.hear_connection(self.fleet, twin, "CONNECTION_BROKEN", self.now, self.t)

    def run(self, seconds: float, dt: float = 0.2, until: Callable[[], bool] = lambda: False) -> None:
        end = self.t + seconds
        while self.t < end and not until():
            self.t += dt
            due = sorted((w for w in self._wire if w[0] <= self.t), key=lambda w: w[:2])
            self._wire = [w for w in self._wire if w[0] > self.t]
            for _, _, deliver in due:
                deliver()
            for twin, robot in self.robots.items():
                robot.step(dt)
                self._say_state(twin, robot)
            if self.t >= self._next_step:
                self._next_step = self.t + 0.5
                says = steer.step(self.fleet, self.now, self.t)
                self.kept = self.fleet.to_keep()
                for say in says:
                    self._send(say)
                self.events += self.fleet.events.take()
            self._measure()

    def _on_wire(self, deliver: Callable[[], None]) -> None:
        if self.rng.random() >= self.loss:
            self._sent += 1
            self._wire.append((self.t + self.delay * self.rng.uniform(0.2, 2), self._sent, deliver))

    def _say_state(self, twin: str, robot: SimulatedRobot) -> None:
        if "network" in robot.faults or not (robot.changed or self.t - self._said.get(twin, -9) > 1.0):
            return
        robot.changed = False
        self._said[twin] = self.t
        self._headers[twin] += 1
        payload = write.state(robot.robot, self.now, robot.state(self._headers[twin], self.now))
        self._on_wire(lambda: self.hear(twin, payload))

    def hear(self, twin: str, payload: bytes) -> str:
        return hear.hear_state(self.fleet, twin, read.read_state(payload), self.now, self.t)

    def _send(self, say: Say) -> None:
        robot = self.robots[say.robot.twin]
        self.said.update((say.robot.twin, action.type) for action in say.actions)
        for node in say.order.nodes if say.order is not None else ():
            if say.order is not None and node.released:
                self._released.setdefault((say.robot.twin, say.order.id, node.sequence), self.now)
        if "network" in robot.faults:
            return
        if say.order is not None:
            order = write.order(say.robot, 1, self.now, say.order)
            self._on_wire(lambda: robot.hear_order(order))
        else:
            actions = write.instant_actions(say.robot, 1, self.now, list(say.actions))
            self._on_wire(lambda: self._act(robot, actions))

    def _act(self, robot: SimulatedRobot, actions: bytes) -> None:
        robot.hear_instant_actions(actions)
        if robot.sheet_asked and "no factsheet" not in robot.faults:
            robot.sheet_asked = False
            self._on_wire(lambda: self._hear_sheet(self.fleet, robot.robot.twin))

    def _measure(self) -> None:
        """Where the robots really are."""
        them = list(self.robots.values())
        for i, a in enumerate(them):
            for b in them[:i]:
                self.nearest = min(self.nearest, math.hypot(a.x - b.x, a.y - b.y))
        at = START + int(self.t * 1e9)
        for twin, robot in self.robots.items():
            ahead, shut = robot.heading_for, self._shut(twin, robot)
            self.conflicts += self.check.seen(
                twin, at, robot.last_node, robot.x, robot.y, heading_for=ahead, closed=shut
            )

    def _shut(self, twin: str, robot: SimulatedRobot) -> set[str]:
        """Places closed before the robot was told that it may drive to its last node."""
        told = self._released.get((twin, robot.order_id, robot.last_sequence), 0)
        return {p for z in self.fleet.zones.values() if z.since < told for p in z.places}
