"""What the master knows of one robot: its order, how far it may drive, and whether it can be relied on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.connectors.vda5050.message import (
    FINAL,
    STOPPING,
    Action,
    ConnectionWord,
    Order,
    OrderEdge,
    OrderNode,
    Robot,
    State,
)
from servitwin.domain.fleet.road_map import Graph

Condition = Literal[
    "ready", "unseen", "lost", "hibernating", "untrusted", "failed", "manual", "person", "cancelling", "paused"
]
# A robot in one of these may stay where it is for long: others plan around the places it holds.
OUT_OF_PLAN: frozenset[str] = frozenset({"unseen", "lost", "hibernating", "untrusted", "failed", "manual"})
REACH_M = 1.0  # metres around a place within which a robot stands on it
MID_WAY_M = 0.5  # metres from a place beyond which it is in the way at the next one too


class Desk(msgspec.Struct, omit_defaults=True):
    """Bookkeeping of one robot; what of it has to outlive the process is in :class:`KeptDesk`.

    Attributes:
        base: released nodes from the last one passed on; the last one is as far as it may drive.
        update: number of the last update sent, ``taken``: whether the robot has said that it has it.
        job: id of the action that its goal asks for, once it has been released; empty: not yet.
        cancel: id of the cancelOrder that is under way.
        pauses: why it was told to pause; it drives on when nothing is left.
        doubt: why its positions are not believed; empty: they are.
    """

    robot: Robot
    state: State | None = None
    heard: float = 0.0
    connection: ConnectionWord | None = None
    connection_at: int = 0  # the robot's time of that word
    order_id: str = ""
    update: int = 0
    taken: bool = True
    sent_at: float = 0.0
    sent: Order | None = None
    tries: int = 0
    refused: int = 0  # times in a row that it has refused what was sent
    retry_at: float = 0.0
    base: list[OrderNode] = []
    horizon: int = 0
    job: str = ""
    cancel: str = ""
    cancel_sent: float = 0.0
    pauses: set[str] = set()
    pause_sent: float = -1e9
    unplug_sent: float = -1e9
    sheet_sent: float = -1e9
    sheet_tries: int = 0  # how often it was asked for its factsheet
    doubt: str = ""
    plausible: int = 0
    charger: int | None = None
    unknown_load: bool = False  # told that it carries what no task knows
    waits: str = ""
    blocked_since: float | None = None
    told: str = ""
    late: tuple[int, int] = (-1, 0)
    arrives: int | None = None  # ns UTC at which it will probably be where it has something to do next
    foretold: tuple[str, int, float] | None = None  # what for, when (ns UTC), and in how many seconds without traffic

    @property
    def twin(self) -> str:
        """Id of its twin."""
        return self.robot.twin

    def condition(self, now: float, silent_s: float) -> Condition:
        """Whether it can be used; ``now``: seconds of a clock that never jumps."""
        s = self.state
        if s is None:
            return "unseen"
        if self.connection == "HIBERNATING":
            return "hibernating"
        if self.connection in ("CONNECTION_BROKEN", "OFFLINE") or now - self.heard > silent_s:
            return "lost"
        if self.doubt:
            return "untrusted"
        if any(e.level in STOPPING for e in s.errors) or s.emergency_stop != "NONE":
            return "failed"
        if not s.automatic:
            return "manual"
        if self.cancel:
            return "cancelling"
        if self.pauses or s.paused:
            return "paused"
        return "person" if s.field_violation else "ready"

    @property
    def complete(self) -> bool:
        """Whether it has nothing left to do of its order, so that a new one may begin."""
        s = self.state
        if s is None or s.nodes or s.driving:
            return False
        if not self.order_id:
            return True
        ours = s.order_id == self.order_id and self.taken
        done = all(a.status in FINAL for a in s.actions)
        return ours and done and (not self.base or s.last_node == self.base[-1].id)

    def order_for(
        self,
        graph: Graph,
        places: Sequence[int],
        horizon: Sequence[int],
        jobs: Sequence[Action],
        new_id: str,
        beside: int | None = None,
    ) -> Order:
        """The order or update that releases ``places`` and foretells ``horizon``.

        Args:
            graph: the map.
            places: released now, in order; the first one is next to the last place of the base.
            horizon: what will probably follow.
            jobs: to do at the last released place; where none is released, at the one it stands on (new orders only).
            new_id: id for a new order; empty: an update of the one it has.
            beside: the other end of the way on which it has stopped between two places; None: it stands on one.
        """
        if new_id:
            self._begin(graph, places, jobs, new_id, beside)
        else:
            self.update += 1
        nodes = list(self.base) if new_id else [self.base[-1]]
        told = len(nodes)
        for number, place in enumerate([*places, *horizon]):
            released = number < len(places)
            node = node_of(graph, place, nodes[-1].sequence + 2, released=released)
            if jobs and number == len(places) - 1:
                node = msgspec.structs.replace(node, actions=tuple(jobs))
            nodes.append(node)
        edges = []
        for a, b in itertools.pairwise(nodes):
            way = graph.way[graph.index[a.id], graph.index[b.id]]
            edges.append(OrderEdge(way.id, a.sequence + 1, b.released, a.id, b.id, way.speed))
        self.base += nodes[told : told + len(places)]
        self.horizon = len(horizon)
        self.sent = Order(self.order_id, self.update, tuple(nodes), tuple(edges))
        self.taken, self.tries = False, 0
        return self.sent

    def _begin(
        self, graph: Graph, places: Sequence[int], jobs: Sequence[Action], new_id: str, beside: int | None
    ) -> None:
        """The first nodes of a new order.

        Who has stopped between two places need not drive to the first node of an order: so that it leaves along its
        way and cuts no corner, the order begins at the end behind it.
        """
        starts = [graph.index[self.base[-1].id]]
        if beside is not None and beside not in places[:1] and (beside, starts[0]) in graph.way:
            starts.insert(0, beside)
        p, far = self.state.position if self.state is not None else None, 0.0
        if p is not None and beside is not None:
            far = math.hypot(graph.x[starts[0]] - p.x, graph.y[starts[0]] - p.y)
        deviation = max(REACH_M, far + MID_WAY_M)
        first = node_of(graph, starts[0], 0, released=True, deviation=deviation)
        rest = [node_of(graph, place, 2, released=True) for place in starts[1:]]
        self.order_id, self.update, self.base = new_id, 0, [first, *rest]
        if not places:
            self.base[-1] = msgspec.structs.replace(self.base[-1], actions=tuple(jobs))

    def passed(self, sequence: int, id: str) -> list[str] | None:
        """It has come to a node: what lies before it in the base is over.

        Returns:
            Ids of the nodes passed since the last report, the last one included; None if it is not in the base.
        """
        for i, node in enumerate(self.base):
            if node.sequence == sequence and node.id == id:
                gone = [n.id for n in self.base[1 : i + 1]]
                self.base = self.base[i:]
                return gone
        return None

    def begin_at(self, node: OrderNode) -> None:
        """It stands at a node and has no order any more."""
        self.base, self.order_id, self.update, self.job = [node], "", 0, ""
        self.sent, self.taken, self.horizon, self.cancel = None, True, 0, ""


class KeptDesk(msgspec.Struct, omit_defaults=True):
    """What has to be known of a robot after the master has died: written before an order goes out."""

    twin: str
    order_id: str = ""
    update: int = 0
    sent: Order | None = None
    base: list[OrderNode] = []
    horizon: int = 0
    job: str = ""
    doubt: str = ""
    charger: int | None = None
    cancel: str = ""


def kept(desk: Desk) -> KeptDesk:
    """The part to keep."""
    d = desk
    return KeptDesk(d.twin, d.order_id, d.update, d.sent, list(d.base), d.horizon, d.job, d.doubt, d.charger, d.cancel)


def take_up(desk: Desk, k: KeptDesk) -> None:
    """Go on with what was kept; whether the robot got the last order it will say itself."""
    desk.order_id, desk.update, desk.sent, desk.base, desk.horizon = (
        k.order_id,
        k.update,
        k.sent,
        list(k.base),
        k.horizon,
    )
    desk.job, desk.doubt, desk.charger, desk.taken = k.job, k.doubt, k.charger, not k.order_id
    desk.cancel = k.cancel


def node_of(graph: Graph, place: int, sequence: int, *, released: bool, deviation: float = 0.0) -> OrderNode:
    """A place of the map as a node of an order."""
    x, y, map_id = graph.x[place], graph.y[place], graph.road_map.id
    return OrderNode(graph.ids[place], sequence, released, x, y, map_id, (), deviation)


def nearest(graph: Graph, x: float, y: float) -> tuple[int, float]:
    """The place nearest to a position, and how far it is, m."""
    return min(((i, math.hypot(graph.x[i] - x, graph.y[i] - y)) for i in range(graph.size)), key=lambda f: f[1])


def places_beside(graph: Graph, at: int, x: float, y: float) -> list[int]:
    """The other end of the way on which a robot stands whose nearest place is ``at``; none where it stands on that."""
    if math.hypot(graph.x[at] - x, graph.y[at] - y) <= MID_WAY_M:
        return []
    ends = {*graph.out[at], *graph.into[at]}
    beside = sorted((off_route(graph, [at, w], x, y), math.hypot(graph.x[w] - x, graph.y[w] - y), w) for w in ends)
    return [beside[0][2]] if beside else []


def off_route(graph: Graph, places: Sequence[int], x: float, y: float) -> float:
    """Metres between a position and the way along some places."""
    if not places:
        return 0.0
    points = [(graph.x[p], graph.y[p]) for p in places]
    best = math.hypot(points[0][0] - x, points[0][1] - y)
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        t = 0.0 if length == 0 else max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
        best = min(best, math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y))
    return best
