"""What is said in VDA 5050, in one form for all its versions; :mod:`read` and :mod:`write` know the differences."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

VERSIONS = ("2.0.0", "2.1.0", "3.0.0")
Level = Literal["WARNING", "URGENT", "CRITICAL", "FATAL"]
ConnectionWord = Literal["ONLINE", "OFFLINE", "HIBERNATING", "CONNECTION_BROKEN"]
STOPPING: frozenset[str] = frozenset({"CRITICAL", "FATAL"})  # levels at which a robot does not drive on by itself
FINAL: frozenset[str] = frozenset({"FINISHED", "FAILED"})


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a robot is: m, and rad within -pi and pi, in the system of a map."""

    x: float
    y: float
    theta: float
    map_id: str
    localized: bool = True


class RobotError(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error that a robot reports; ``references``: key -> value, such as the order it is about."""

    type: str
    level: Level
    description: str = ""
    references: dict[str, str] = {}


class ActionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an action is."""

    id: str
    status: str
    type: str = ""
    result: str = ""


class PathNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node still to be passed, as a robot reports it."""

    id: str
    sequence: int
    released: bool


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state message. ``stamp``: the robot's time, ns UTC; ``header``: its counter of messages of this topic.

    ``battery``: percent; ``emergency_stop`` and ``field_violation``: of the safety system.
    """

    header: int
    stamp: int
    version: str
    order_id: str
    update_id: int
    last_node: str
    last_sequence: int
    driving: bool
    mode: str
    battery: float
    charging: bool
    nodes: tuple[PathNode, ...] = ()
    edges: int = 0
    position: Position | None = None
    speed: float | None = None  # m/s
    paused: bool = False
    actions: tuple[ActionState, ...] = ()
    errors: tuple[RobotError, ...] = ()
    loads: int | None = None
    emergency_stop: str = "NONE"
    field_violation: bool = False

    @property
    def automatic(self) -> bool:
        """Whether it drives by itself."""
        return self.mode in ("AUTOMATIC", "SEMIAUTOMATIC")

    @property
    def worst(self) -> RobotError | None:
        """The error that matters most; None if there is none."""
        rank = {"WARNING": 0, "URGENT": 1, "CRITICAL": 2, "FATAL": 3}
        return max(self.errors, key=lambda e: rank[e.level], default=None)

    def action(self, id: str) -> ActionState | None:
        """State of one action."""
        return next((a for a in self.actions if a.id == id), None)


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to do at a node, or at once (instant action)."""

    type: str
    id: str
    parameters: dict[str, Any] = {}
    blocking: str = "HARD"


class OrderNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node of an order; ``sequence`` is even, the edge to it has the odd number before."""

    id: str
    sequence: int
    released: bool
    x: float
    y: float
    map_id: str
    actions: tuple[Action, ...] = ()
    deviation: float = 0.0  # m within which the node counts as reached; 0: the robot's own rule


class OrderEdge(msgspec.Struct, frozen=True, omit_defaults=True):
    """An edge of an order; ``speed``: m/s at most, 0: no limit."""

    id: str
    sequence: int
    released: bool
    start: str
    end: str
    speed: float = 0.0


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order or its update: what is released is the base, what follows it the horizon."""

    id: str
    update: int
    nodes: tuple[OrderNode, ...]
    edges: tuple[OrderEdge, ...] = ()


class Robot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a robot is: its twin, and how it is addressed."""

    twin: str
    manufacturer: str
    serial: str
    version: str = "2.1.0"

    @property
    def topic(self) -> str:
        """Its topics without the last level (VDA 5050, topic names): ``uagv/v2/maker/serial``."""
        return f"uagv/v{self.version[0]}/{self.manufacturer}/{self.serial}"
