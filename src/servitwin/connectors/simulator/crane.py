"""An overhead crane that brings pallets of blanks from the store to the machines' stations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, ClassVar

from servitwin.connectors.simulator.defects import SWITCHES, Event, FaultSpec, develop, severity
from servitwin.connectors.simulator.machine import (
    Inputs,
    MachineState,
    Outputs,
    Value,
    begin_step,
    commanded,
    control_outputs,
    set_percent,
    stands,
    stretches,
)
from servitwin.connectors.simulator.physics import between, measured, relax

FAULTS = (
    FaultSpec(
        "brake-worn", "Hoist brake is worn", "brake",
        "The load slips while the brake holds it: the slip grows lift by lift, a warning, then the crane stops",
        "HB-31", "HOIST BRAKE SLIP", "brake.condition", 90.0, 30.0, 0.004,
    ),
    FaultSpec(
        "hoist-overheating", "Hoist motor overheats", "hoist",
        "The motor temperature climbs beyond 100 degrees, a warning, then the thermal protection stops the crane",
        "HM-12", "HOIST MOTOR TEMPERATURE HIGH", "hoist.condition", 90.0, 40.0, 0.006,
    ),
    FaultSpec(
        "load-cell-drift", "Load cell drifts", "load_cell",
        "The empty hook shows up to a tonne; the crane goes on working and raises a warning",
        "LC-07", "LOAD CELL ZERO DRIFT", "load_cell.condition", 90.0, 20.0, 0.003, trips=False,
    ),
    *SWITCHES,
)  # fmt: skip

PALLET_BLANKS = 6
TIDY_AFTER_S = 40.0  # without an order for so long it moves a pallet inside the store
ORDER_AT = 8  # a station that has no more blanks than this gets a pallet
STORE = (2.0, 3.0)  # bridge and trolley position of the store, m
STATIONS = ((14.0, 5.0), (22.0, 5.0), (30.0, 5.0))
SHELF = (6.0, 9.0)  # where a pallet goes that is moved inside the store
TOP, FLOOR = 6.0, 0.6  # heights of the hook, m
HOIST_SPEED, BRIDGE_SPEED, TROLLEY_SPEED = 0.25, 1.0, 0.5  # m/s
NEW_LINING = 10.0  # mm
TEST_LIFTS, TEST_LOAD, TEST_HEIGHT = 6, 5.0, 1.6  # after work on the brake: times, t, m
TESTING = len(STATIONS) + 1  # as a station: behind the shelf


class CraneState(MachineState, kw_only=True):
    """State of the crane.

    Phases are idle, to_store, lower_empty, attach, lift, carry, lower, release, raise and return; hold in a test of the
    brake. Heights and positions in m, load in t, temperatures in Cel, lining and slip in mm; ``tests`` lifts are still
    to do.
    """

    whole_s: float = 0.0
    origin: tuple[float, float, float] = (*STORE, TOP)
    goal: tuple[float, float, float] = (*STORE, TOP)
    station: int = 0  # as an index; beyond the last one it is the shelf
    idle_s: float = 0.0
    tests: int = 0
    load: float = 0.0
    motor_temp: float = 24.0
    brake_temp: float = 22.0
    lining: float = 8.7
    slip: float = 0.0
    lifts: int = 0
    heavy: int = 0
    delivered: tuple[int, int, int] = (0, 0, 0)
    speed_percent: float = 100.0


class Crane:
    """The model ``crane``."""

    name: ClassVar[str] = "crane"
    machine_type: ClassVar[str] = "crane-12"
    faults: ClassVar[tuple[FaultSpec, ...]] = FAULTS
    state_type: ClassVar[type[MachineState]] = CraneState
    links: ClassVar[tuple[str, ...]] = ("taken-1", "taken-2", "taken-3")
    periodic: ClassVar[frozenset[str]] = frozenset(
        {
            "hoist.height", "hoist.speed", "hoist.temperature", "hoist.current", "load_cell.load", "brake.temperature",
            "brake.slip", "bridge.position", "trolley.position", "power", "energy",
        }
    )  # fmt: skip

    def fresh(self, rng: Random) -> CraneState:
        """See :class:`Model`. Stations start with two pallets each."""
        return CraneState(lining=rng.uniform(7.5, 9.5), delivered=(16, 16, 16))

    def advance(self, state: CraneState, dt: float, inputs: Inputs, rng: Random) -> tuple[CraneState, list[Event]]:
        """See :class:`Model`."""
        s = begin_step(state, inputs)
        s.defects, events = develop(self.faults, s.defects, dt, s.phase != "idle", inputs.now, rng)
        if any(e.kind == "repaired" and e.fault == "brake-worn" for e in events) or s.lining < 2.0:
            # Nobody works on a brake that holds a load: it was set down, and what slips from now on is the new brake's.
            s.lining, s.slip, s.tests = NEW_LINING, 0.0, TEST_LIFTS
        s.powered = inputs.staffed or s.phase != "idle"
        hoisting = held = 0.0
        go_on = partial(self._advance, s, inputs, rng)
        for phase, used, moving in stretches(s, dt, go_on, partial(self._words, s), events):
            if moving and phase in ("lift", "lower", "lower_empty", "raise"):
                hoisting += used
            elif s.load > 0.0:
                held += used
        self._brake_and_heat(s, dt, hoisting, held, inputs)
        s.power_kw = self._power(s)
        s.energy_kwh += s.power_kw * dt / 3600.0
        return s, events

    def _advance(self, s: CraneState, inputs: Inputs, rng: Random, limit: float) -> tuple[float, bool]:
        """Go on for at most ``limit`` seconds to the next change of phase; seconds used, and whether it moved."""
        if not s.powered or stands(s, self.faults) or (s.stopped and s.phase == "idle"):
            return limit, False
        if s.phase == "idle":
            station = self._next_order(s) if inputs.staffed else None
            if s.tests and inputs.staffed:
                station = TESTING
            if station is None and inputs.staffed and s.idle_s >= TIDY_AFTER_S:
                station = len(STATIONS)
            if station is None:
                used = min(limit, max(1.0, TIDY_AFTER_S - s.idle_s))
                s.idle_s += used
                return used, False
            s.station, s.idle_s = station, 0.0
            self._go(s, "to_store", (*STORE, TOP))
            return 0.0, True
        used = min(limit, s.left_s)
        s.left_s -= used
        if s.left_s <= 1e-9:
            self._next_phase(s, rng)
        return used, True

    def _next_order(self, s: CraneState) -> int | None:
        """The station with the fewest blanks, if it is low enough; a station that nobody works at gets none."""
        stock = {
            i: s.delivered[i] - s.heard[f"taken-{i + 1}"] for i in range(len(STATIONS)) if f"taken-{i + 1}" in s.heard
        }
        if not stock:
            return s.lifts % len(STATIONS)
        lowest = min(stock, key=lambda i: (stock[i], i))
        return lowest if stock[lowest] <= ORDER_AT else None

    def _position(self, s: CraneState) -> tuple[float, float, float]:
        """Bridge, trolley and hook height now, m."""
        done = 1.0 - s.left_s / s.whole_s if s.whole_s > 0 else 1.0
        bridge, trolley, height = (a + (b - a) * done for a, b in zip(s.origin, s.goal, strict=True))
        return bridge, trolley, height

    def _go(self, s: CraneState, phase: str, goal: tuple[float, float, float]) -> None:
        """Start a motion to ``goal``: bridge and trolley travel together, the hoist by itself."""
        here = self._position(s)
        hoist = HOIST_SPEED * s.speed_percent / 100.0 * (1.3 if s.load == 0.0 else 1.0)
        s.phase, s.origin, s.goal = phase, here, goal
        s.whole_s = s.left_s = 3.0 + max(
            abs(goal[0] - here[0]) / BRIDGE_SPEED,
            abs(goal[1] - here[1]) / TROLLEY_SPEED,
            abs(goal[2] - here[2]) / hoist,
        )

    def _wait(self, s: CraneState, phase: str, seconds: float) -> None:
        here = self._position(s)
        s.phase, s.origin, s.goal, s.whole_s, s.left_s = phase, here, here, seconds, seconds

    def _next_phase(self, s: CraneState, rng: Random) -> None:
        bridge, trolley, _ = self._position(s)
        station = (*STATIONS, SHELF, STORE)[s.station]
        testing = s.station == TESTING
        s.left_s = 0.0
        if s.phase == "to_store":
            self._go(s, "lower_empty", (bridge, trolley, FLOOR))
        elif s.phase == "lower_empty":
            self._wait(s, "attach", 7.0)
        elif s.phase == "attach":
            s.load = TEST_LOAD if testing else round(rng.uniform(3.2, 7.6), 2)
            s.slip = 0.0
            self._go(s, "lift", (bridge, trolley, TEST_HEIGHT if testing else TOP))
        elif s.phase == "lift":
            s.lifts += 1
            s.heavy += s.load > 4.0
            s.lining -= 2e-5 * s.load
            if testing:
                self._wait(s, "hold", 6.0)
            else:
                self._go(s, "carry", (*station, TOP))
        elif s.phase in ("carry", "hold"):
            self._go(s, "lower", (bridge, trolley, FLOOR))
        elif s.phase == "lower":
            self._wait(s, "release", 6.0)
        elif s.phase == "release":
            s.load, s.slip = 0.0, 0.0
            if s.station < len(STATIONS):
                counts = list(s.delivered)
                counts[s.station] += PALLET_BLANKS
                s.delivered = (counts[0], counts[1], counts[2])
            s.tests -= testing
            if testing and s.tests:
                self._wait(s, "attach", 3.0)
            else:
                self._go(s, "raise", (bridge, trolley, TOP))
        elif s.phase == "raise":
            self._go(s, "return", (*STORE, TOP))
        else:
            self._wait(s, "idle", 0.0)

    def _brake_and_heat(self, s: CraneState, dt: float, hoisting: float, held: float, inputs: Inputs) -> None:
        """Slip of the held load (mm) by wear of the brake, and first-order heating of motor and brake."""
        worn = severity(s.defects, "brake-worn")
        s.slip += held * (0.006 + 0.9 * worn**1.5) * s.load / 6.0
        share = hoisting / dt if dt else 0.0
        fan = severity(s.defects, "hoist-overheating")
        target = inputs.ambient + 3.0 + share * (38.0 + 5.0 * s.load) + 110.0 * fan
        s.motor_temp = relax(s.motor_temp, target, dt, 700.0 if fan < 0.05 else 120.0)
        friction = held / dt * 160.0 * worn if dt else 0.0
        s.brake_temp = relax(s.brake_temp, inputs.ambient + 1.0 + 18.0 * share + friction, dt, 260.0)

    def _hoisting(self, s: CraneState) -> float:
        """Speed of the hook now, m/s, up positive."""
        if not s.powered or stands(s, self.faults):
            return 0.0
        sign = {"lift": 1.0, "raise": 1.0, "lower": -1.0, "lower_empty": -1.0}.get(s.phase, 0.0)
        return sign * abs(s.goal[2] - s.origin[2]) / max(0.1, s.whole_s - 3.0) if sign else 0.0

    def _power(self, s: CraneState) -> float:
        """Electrical power, kW: control, hoist (load x g x speed over the gear's efficiency), bridge and trolley."""
        speed = self._hoisting(s)
        travels = s.phase in ("carry", "to_store", "return") and not stands(s, self.faults)
        lifting = max(0.0, speed) * s.load * 9.81 / 0.82
        return (0.45 + lifting + 1.1 * (speed != 0) + 2.6 * travels) * s.powered

    def counters(self, state: CraneState) -> dict[str, int]:
        """See :class:`Model`."""
        return {f"flow.station-{i + 1}": n for i, n in enumerate(state.delivered)}

    def show(self, state: CraneState, rng: Random) -> Outputs:
        """See :class:`Model`."""
        s = state
        speed = self._hoisting(s)
        bridge, trolley, height = self._position(s)
        height = max(0.0, height - s.slip / 1000.0)
        current = 6.0 + 9.0 * s.load * (speed > 0)
        hook = s.load + 1.0 * severity(s.defects, "load-cell-drift")
        values: dict[str, Value] = {
            "hoist.height": between(measured(height, 0.01, rng, 3), 0.0, 7.0),
            "hoist.speed": round(speed, 3),
            "hoist.temperature": measured(s.motor_temp, 0.8, rng),
            "hoist.current": max(0.0, measured(current, 0.4, rng)) if speed else 0.0,
            "hoist.speed_limit": s.speed_percent,
            "load_cell.load": max(0.0, measured(hook, 0.03, rng, 3)),
            "brake.state": "OPEN" if speed else "CLOSED",
            "brake.temperature": measured(s.brake_temp, 0.8, rng),
            "brake.slip": max(0.0, measured(s.slip, 0.3, rng)) if s.load else 0.0,
            "brake.lining": round(s.lining * (1.0 - 0.85 * severity(s.defects, "brake-worn")), 2),
            "bridge.position": round(bridge, 3),
            "trolley.position": round(trolley, 3),
            "rope.cycles": s.lifts * 2,
            "job": self._job(s),
            "phase": s.phase,
            "parts.total": s.lifts,
            "lifts.heavy": s.heavy,
            "power": max(0.0, measured(s.power_kw, 0.05, rng, 3)) if s.powered else 0.0,
            "energy": round(s.energy_kwh, 4),
            **self.counters(s),
        }
        values.update(control_outputs(s, self.faults, s.powered))
        return values

    def _job(self, s: CraneState) -> str:
        if s.phase == "idle":
            return "waiting"
        if s.station == TESTING:
            return "test of the brake"
        return f"pallet to station {s.station + 1}" if s.station < len(STATIONS) else "tidying the store"

    def _words(self, s: CraneState, phase: str) -> tuple[str, str, str]:
        """Execution, functional mode and wait state while it was in ``phase``."""
        if not s.powered or stands(s, self.faults) or (s.stopped and phase == "idle"):
            return "STOPPED", "PRODUCTION", "NONE"
        return "ACTIVE" if phase != "idle" else "READY", "PRODUCTION", "NONE"

    def command(self, state: CraneState, name: str, parameters: Mapping[str, Any]) -> tuple[CraneState, str]:
        """See :class:`Model`. Commands: set-hoist-speed, stop (after the lift in work), start, reset-alarm."""
        own = {"set-hoist-speed": set_percent("speed_percent", 20, 100)}
        return commanded(state, name, parameters, self.faults, own)
