"""A simulated robot that follows VDA 5050: pure, stepped in seconds, with faults to break and mend."""

from __future__ import annotations

import math

import msgspec

from servitwin.connectors.vda5050.message import (
    FINAL,
    Action,
    ActionState,
    Order,
    OrderNode,
    PathNode,
    Position,
    Robot,
    RobotError,
    State,
)
from servitwin.connectors.vda5050.read import read_instant_actions, read_order
from servitwin.domain.error import InvalidInputError

FAULTS = {
    "fail": "Drive motor fails: the robot stops where it is",
    "lost-position": "Localisation fails: it reports impossible positions",
    "person": "A person stands in its way: the safety field stops it",
    "low-battery": "The battery is nearly empty",
    "network": "Its radio is gone: it drives on as far as it was released",
    "manual": "Somebody drives it by hand",
    "slow": "It drives at a fifth of its speed",
}
USUAL_FASTEST_M_S = 1.2
ACTION_S = {"pick": 4.0, "drop": 4.0}
_CLOSE_M = 0.02
_DRIVE_DRAIN, _REST_DRAIN, _CHARGE = 0.03, 0.004, 0.8  # percent a second
# Names of errors in 3.0 and in 2.x (VDA 5050, order rejection).
_NAMES_2 = {
    "VALIDATION_FAILURE": "validationError",
    "SAME_ORDER_UPDATE_ID": "orderUpdateError",
    "OUTDATED_ORDER_UPDATE": "orderUpdateError",
    "ORDER_UPDATE_FOLLOWING_CANCEL": "orderUpdateError",
    "OTHER_ORDER_ACTIVE": "orderError",
    "START_NODE_OUT_OF_RANGE": "noRouteError",
    "NO_ORDER_TO_CANCEL": "noOrderToCancel",
    "INVALID_INSTANT_ACTION": "instantActionError",
}


class SimulatedRobot:
    """One robot: takes orders and instant actions as bytes, moves, and says its state."""

    def __init__(
        self, robot: Robot, place: str, x: float, y: float, *, map_id: str, battery: float = 80.0,
        fastest: float = USUAL_FASTEST_M_S,
    ) -> None:  # fmt: skip
        self.robot = robot
        self.x, self.y, self.theta = x, y, 0.0
        self.map_id = map_id
        self.battery, self.fastest = battery, fastest
        self.faults: set[str] = set()
        self.last_node, self.last_sequence = place, 0
        self.loads = 0
        self.changed = True  # something happened that a state message has to say at once
        self._order: Order | None = None
        self._cancelled = False
        self._path: list[OrderNode] = []  # nodes still to be passed, base and horizon
        self._speeds: dict[int, float] = {}  # limit of the edge before a node, by the node's sequence
        self._actions: dict[str, ActionState] = {}
        self._working: list[tuple[Action, float]] = []  # at this node: action and seconds left
        self._errors: list[RobotError] = []
        self.sheet_asked = False  # somebody wants its factsheet, which it has no link to send by
        self._cancels: list[str] = []  # orders to cancel that are not carried out yet
        self._paused = False
        self._charging = False
        self._speed = 0.0
        self._jumps = 0
        self._moving = False  # has left its last node and is on the way to the next

    # -- what it hears ----------------------------------------------------------------------------------------
    def hear_order(self, payload: bytes) -> None:
        """Take an order over, or say why not (VDA 5050, order acceptance and rejection)."""
        self.changed = True
        try:
            _, order = read_order(payload)
        except InvalidInputError as e:
            self._reject("VALIDATION_FAILURE", e.fault.message, {})
            return
        about = {"orderId": order.id, "orderUpdateId": str(order.update)}
        if self._order is not None and order.id == self._order.id:
            self._update(order, about)
        elif self.busy:
            self._reject("OTHER_ORDER_ACTIVE", f"order {self._order.id if self._order else ''} is not done", about)
        elif not self._near(order.nodes[0]):
            self._reject("START_NODE_OUT_OF_RANGE", f"{order.nodes[0].id} is too far away", about)
        else:
            self._order, self._cancelled = order, False
            self._errors, self._actions = [], {}
            self._path = list(order.nodes)
            self._note(order)

    def _update(self, order: Order, about: dict[str, str]) -> None:
        assert self._order is not None
        if order.update < self._order.update:
            self._reject("OUTDATED_ORDER_UPDATE", f"update {self._order.update} is here already", about)
        elif order.update == self._order.update:
            if order != self._order:
                self._reject("SAME_ORDER_UPDATE_ID", f"update {order.update} came with other content", about)
        elif self._cancelled or self._cancels:
            self._reject("ORDER_UPDATE_FOLLOWING_CANCEL", f"order {order.id} was cancelled", about)
        elif (order.nodes[0].id, order.nodes[0].sequence) != self._decision_point():
            self._reject("VALIDATION_FAILURE", f"{order.nodes[0].id} is not the end of the base", about)
        else:
            base = [n for n in self._path if n.released]
            keeps = {a.id for n in base for a in n.actions}
            for node in self._path[len(base) :]:
                for action in node.actions:
                    if action.id not in keeps:
                        self._actions.pop(action.id, None)
            self._path = [*base, *order.nodes[1:]]
            self._order = order
            self._errors = []
            self._note(order)

    def _note(self, order: Order) -> None:
        self._speeds |= {e.sequence + 1: e.speed for e in order.edges if e.speed}
        for node in order.nodes:
            for action in node.actions:
                self._actions.setdefault(action.id, ActionState(action.id, "WAITING", action.type))

    def _decision_point(self) -> tuple[str, int]:
        base = [n for n in self._path if n.released]
        return (base[-1].id, base[-1].sequence) if base else (self.last_node, self.last_sequence)

    def _near(self, node: OrderNode) -> bool:
        far = math.hypot(node.x - self.x, node.y - self.y)
        return far <= max(node.deviation, 0.5)

    def hear_instant_actions(self, payload: bytes) -> None:
        """Carry out what can be done at once."""
        self.changed = True
        try:
            _, actions = read_instant_actions(payload)
        except InvalidInputError as e:
            self._reject("INVALID_INSTANT_ACTION", e.fault.message, {})
            return
        for action in actions:
            if action.id in self._actions:
                continue  # came twice
            self._actions[action.id] = ActionState(action.id, "FINISHED", action.type)
            if action.type == "startPause":
                self._paused = True
            elif action.type == "stopPause":
                self._paused = False
            elif action.type == "stopCharging":
                self._charging = False
            elif action.type == "cancelOrder":
                self._begin_cancel(action)
            elif action.type == "factsheetRequest":
                self.sheet_asked = True
            elif action.type not in ("stateRequest", "initPosition"):
                self._actions[action.id] = ActionState(action.id, "FAILED", action.type, "unknown action")
                self._reject("INVALID_INSTANT_ACTION", f"{action.type} is unknown", {"actionId": action.id})

    def _begin_cancel(self, action: Action) -> None:
        if not self.busy:
            self._actions[action.id] = ActionState(action.id, "FAILED", action.type, "there is no order")
            self._reject("NO_ORDER_TO_CANCEL", "there is no order", {"actionId": action.id})
            return
        self._cancels.append(action.id)
        self._actions[action.id] = ActionState(action.id, "RUNNING", action.type)
        for id, a in self._actions.items():
            if a.status == "WAITING":
                self._actions[id] = msgspec.structs.replace(a, status="FAILED", result="order cancelled")
        self._path = [] if not self._moving else [n for n in self._path[:1] if n.released]
        self._path = [msgspec.structs.replace(n, actions=()) for n in self._path]

    def _reject(self, name: str, description: str, about: dict[str, str]) -> None:
        spelled = name if self.robot.version[0] == "3" else _NAMES_2.get(name, name)
        error = RobotError(spelled, "WARNING", f"{name}: {description}", about)
        if error not in self._errors:
            self._errors = [*self._errors[-9:], error]

    # -- moving -----------------------------------------------------------------------------------------------
    @property
    def busy(self) -> bool:
        """Whether it still has an order to carry out, or waits for the rest of one."""
        return bool(self._path) or any(a.status not in FINAL for a in self._actions.values())

    @property
    def moves(self) -> bool:
        """Whether it is driving now."""
        return self._speed > 0.0

    @property
    def heading_for(self) -> str:
        """The node to which it is on the way, also while something stops it there; empty where it stands on one."""
        return self._path[0].id if self._path and self._moving else ""

    @property
    def order_id(self) -> str:
        """The order that it has, or had last."""
        return self._order.id if self._order else ""

    @property
    def standing(self) -> str:
        """Why it does not drive although it could; empty if nothing holds it."""
        return next((f for f in ("fail", "person", "manual") if f in self.faults), "pause" if self._paused else "")

    def step(self, dt: float) -> None:
        """Go on by ``dt`` seconds."""
        before = (round(self.battery), self._charging)
        left = dt
        self._speed = 0.0
        while left > 1e-9 and not self.standing:
            used = self._work(left) if self._working else self._drive(left)
            if used <= 0.0:
                break
            left -= used
        drain = _DRIVE_DRAIN if self._speed else _REST_DRAIN
        self.battery += (_CHARGE if self._charging else -drain) * dt
        self.battery = min(100.0, max(0.0, self.battery))
        if "low-battery" in self.faults and self.battery > 12 and not self._charging:
            self.battery = 12.0
        if self._cancels and not self._path and not self._working:
            self._finish_cancel()
        if before != (round(self.battery), self._charging):
            self.changed = True

    def _finish_cancel(self) -> None:
        for id in self._cancels:
            self._actions[id] = msgspec.structs.replace(self._actions[id], status="FINISHED")
        self._cancels, self._cancelled, self.changed = [], True, True

    def _work(self, left: float) -> float:
        action, needed = self._working[0]
        used = min(left, needed)
        if used < needed:
            self._working[0] = (action, needed - used)
            return used
        self._working.pop(0)
        self._actions[action.id] = ActionState(action.id, "FINISHED", action.type)
        self.loads = {"pick": 1, "drop": 0}.get(action.type, self.loads)
        if action.type == "startCharging":
            self._charging = True
            self.faults.discard("low-battery")
        if self._working:
            self._actions[self._working[0][0].id] = ActionState(
                self._working[0][0].id, "RUNNING", self._working[0][0].type
            )
        self.changed = True
        return used if used > 0.0 else 1e-9

    def _drive(self, left: float) -> float:
        if not self._path or not self._path[0].released:
            return 0.0
        node = self._path[0]
        dx, dy = node.x - self.x, node.y - self.y
        far = math.hypot(dx, dy)
        if far <= _CLOSE_M:
            self._arrive(node)
            return 1e-9
        self._charging = False
        heading = math.atan2(dy, dx)
        turn = abs((heading - self.theta + math.pi) % (2 * math.pi) - math.pi)
        if turn > 0.05:
            used = min(left, turn / 2.0)
            sign = 1.0 if (heading - self.theta + math.pi) % (2 * math.pi) - math.pi > 0 else -1.0
            turned = heading if used >= turn / 2.0 else self.theta + sign * used * 2.0
            self.theta = math.atan2(math.sin(turned), math.cos(turned))
            return used
        speed = min(self.fastest, self._speeds.get(node.sequence) or self.fastest)
        speed *= 0.2 if "slow" in self.faults else 1.0
        used = min(left, far / speed)
        share = used * speed / far
        self.x, self.y = self.x + dx * share, self.y + dy * share
        self._speed, self._moving = speed, True
        return used

    def _arrive(self, node: OrderNode) -> None:
        self.x, self.y = node.x, node.y
        self.last_node, self.last_sequence = node.id, node.sequence
        self._path.pop(0)
        self._speeds.pop(node.sequence, None)
        self._moving = False
        self._working = [(a, ACTION_S.get(a.type, 1.0)) for a in node.actions]
        if self._working:
            first = self._working[0][0]
            self._actions[first.id] = ActionState(first.id, "RUNNING", first.type)
        self.changed = True

    # -- what it says -----------------------------------------------------------------------------------------
    def state(self, header: int, now: int) -> State:
        """Its state now."""
        errors = list(self._errors)
        if "fail" in self.faults:
            errors.append(RobotError("motorFailure", "FATAL", "The drive motor does not answer"))
        if "low-battery" in self.faults:
            errors.append(RobotError("batteryLow", "URGENT", "The battery is nearly empty"))
        x, y = self.x, self.y
        if "lost-position" in self.faults:
            self._jumps += 1
            x, y = x + 7.0 * (1 if self._jumps % 2 else -1), y + 5.0
        return State(
            header, now, self.robot.version,
            self.order_id, self._order.update if self._order else 0,
            self.last_node, self.last_sequence, self._speed > 0.0,
            "MANUAL" if "manual" in self.faults else "AUTOMATIC",
            round(self.battery, 1), self._charging,
            tuple(PathNode(n.id, n.sequence, n.released) for n in self._path),
            len(self._path), Position(round(x, 3), round(y, 3), max(-3.14159, min(3.14159, self.theta)), self.map_id),
            round(self._speed, 3), self._paused, tuple(self._actions.values()), tuple(errors), self.loads,
            "NONE", "person" in self.faults,
        )  # fmt: skip
