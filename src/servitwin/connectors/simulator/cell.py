"""A conveyor cell: a conveyor collects the mills' parts, a robot picks them and packs them onto pallets."""

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
from servitwin.connectors.simulator.made_part import MadePart, shown_part
from servitwin.connectors.simulator.physics import between, happens, measured, relax

FAULTS = (
    FaultSpec(
        "conveyor-jam", "Conveyor drive jams", "conveyor",
        "The drive's current climbs while the belt slows down, a warning, then the drive trips and the mills fill up",
        "CV-0220", "CONVEYOR DRIVE OVERLOAD", "conveyor.condition", 45.0, 20.0, 0.02,
    ),
    FaultSpec(
        "gripper-leak", "Robot gripper leaks", "robot",
        "Vacuum falls from 0.72 to 0.2 bar, parts are dropped and become scrap, then the robot stops",
        "RB-1150", "GRIPPER VACUUM LOW", "robot.condition", 60.0, 20.0, 0.015,
    ),
    *SWITCHES,
)  # fmt: skip

PICK_S = 26.0
PALLET_PARTS, PALLET_CHANGE_S = 24, 50.0
BELT_PLACES, LANES = 18, 3
BELT_S = 6.0  # time between two parts taken from the mills onto the belt


class CellState(MachineState, kw_only=True):
    """State of the cell; phases idle, pick and pallet; ``belt`` parts on the conveyor, temperatures in Cel."""

    belt: int = 4
    belt_left_s: float = 0.0
    taken: tuple[int, int, int] = (0, 0, 0)
    on_pallet: int = 0
    pallets: int = 0
    total: int = 0
    good: int = 0
    scrap: int = 0
    drive_temp: float = 23.0
    robot_temp: float = 24.0
    speed_percent: float = 100.0
    why: str = ""
    queue: tuple[str, ...] = ()  # serial numbers on the belt, first the next one; parts of before are not known
    picked: str = ""
    part: MadePart | None = None


class Cell:
    """The model ``cell``."""

    name: ClassVar[str] = "cell"
    machine_type: ClassVar[str] = "cell-2"
    faults: ClassVar[tuple[FaultSpec, ...]] = FAULTS
    state_type: ClassVar[type[MachineState]] = CellState
    links: ClassVar[tuple[str, ...]] = ("out-1", "out-2", "out-3")
    periodic: ClassVar[frozenset[str]] = frozenset(
        {
            "conveyor.speed", "conveyor.current", "conveyor.temperature", "robot.axis1", "robot.temperature",
            "robot.vacuum", "power", "energy",
        }
    )  # fmt: skip

    def fresh(self, rng: Random) -> CellState:
        """See :class:`Model`."""
        return CellState(on_pallet=rng.randint(0, PALLET_PARTS - 1))

    def advance(self, state: CellState, dt: float, inputs: Inputs, rng: Random) -> tuple[CellState, list[Event]]:
        """See :class:`Model`."""
        s = begin_step(state, inputs)
        s.defects, events = develop(self.faults, s.defects, dt, s.phase == "pick", inputs.now, rng)
        s.powered = inputs.staffed or s.phase == "pick"
        busy = 0.0
        go_on = partial(self._advance, s, inputs, rng)
        for _, _, worked in stretches(s, dt, go_on, partial(self._words, s), events):
            busy += worked
        self._heat(s, dt, busy, inputs)
        s.power_kw = self._power(s)
        s.energy_kwh += s.power_kw * dt / 3600.0
        return s, events

    def _advance(self, s: CellState, inputs: Inputs, rng: Random, limit: float) -> tuple[float, float]:
        """Go on for at most ``limit`` seconds to the next event of belt or robot; seconds used and seconds worked."""
        s.why = ""
        if not s.powered or stands(s, self.faults):
            return limit, 0.0
        if s.belt_left_s <= 0.0:
            self._collect(s)
        used = min(limit, max(s.belt_left_s, 0.5))
        rests = s.phase == "idle" and not s.stopped and inputs.staffed and s.pause_left_s <= 0.0
        if rests and self._begin(s, rng):
            return 0.0, 0.0
        worked = 0.0
        if s.pause_left_s > 0.0:
            used = min(used, s.pause_left_s)
            s.pause_left_s -= used
            s.why = "pause"
        elif s.phase != "idle":
            used = min(used, s.left_s)
            s.left_s -= used
            worked = used if s.phase == "pick" else 0.0
            s.why = "blocked" if s.phase == "pallet" else ""
            if s.left_s <= 1e-9:
                self._finish(s, rng)
        elif not s.stopped:
            s.why = "starved"
        s.belt_left_s -= used
        return used, worked

    def _collect(self, s: CellState) -> None:
        """Take one part from the fullest mill onto the belt, if there is one and the belt has a place."""
        pace = s.speed_percent / 100.0 * (1.0 - 0.7 * severity(s.defects, "conveyor-jam"))
        s.belt_left_s = BELT_S / max(0.1, pace)
        waiting = {
            i: s.heard[f"out-{i + 1}"] - s.taken[i] for i in range(LANES) if f"out-{i + 1}" in s.heard
        }  # a lane that nobody feeds delivers nothing
        if s.belt >= BELT_PLACES:
            return
        if not waiting:
            s.belt += 1
            if not s.feeds:
                s.queue = (*s.queue, f"{s.name}-in-{s.total + s.belt + (s.phase == 'pick'):06d}")
            return
        fullest = max(waiting, key=lambda i: (waiting[i], -i))
        if waiting[fullest] >= 1:
            counts = list(s.taken)
            counts[fullest] += 1
            s.taken = (counts[0], counts[1], counts[2])
            s.belt += 1
            s.queue = (*s.queue, f"{s.feeds.get(f'out-{fullest + 1}', '')}-{counts[fullest]:06d}")

    def _begin(self, s: CellState, rng: Random) -> bool:
        """Change the pallet, take a break, or pick a part; whether there was anything to begin."""
        if s.on_pallet >= PALLET_PARTS:
            late = rng.uniform(60.0, 300.0) if rng.random() < 0.08 else 0.0  # the fork-lift is late
            s.phase, s.left_s = "pallet", PALLET_CHANGE_S * rng.uniform(0.8, 1.2) + late
        elif happens(rng, 0.25, PICK_S):
            s.pause_left_s = rng.uniform(40.0, 180.0)
        elif s.belt > 0:
            s.belt -= 1
            known = len(s.queue) > s.belt
            s.picked, s.queue = (s.queue[0], s.queue[1:]) if known else ("", s.queue)
            s.phase, s.left_s = "pick", PICK_S * rng.uniform(1.0, 1.12)
        else:
            return False
        return True

    def _finish(self, s: CellState, rng: Random) -> None:
        if s.phase == "pick":
            s.total += 1
            before = s.good
            if rng.random() < 0.003 + 0.5 * severity(s.defects, "gripper-leak") ** 2:
                s.scrap += 1
            else:
                s.good += 1
                s.on_pallet += 1
            if s.picked:
                packed = s.good > before
                pallet = f"{s.name}-pallet-{s.pallets + 1:05d}" if packed else ""
                s.part = MadePart(s.picked, good=packed, reason="none" if packed else "dropped", container=pallet)
        else:
            s.on_pallet, s.pallets = 0, s.pallets + 1
        s.phase, s.left_s = "idle", 0.0

    def _heat(self, s: CellState, dt: float, busy: float, inputs: Inputs) -> None:
        share = busy / dt if dt else 0.0
        jam = severity(s.defects, "conveyor-jam")
        runs = s.powered and not stands(s, self.faults)
        s.drive_temp = relax(s.drive_temp, inputs.ambient + 2.0 + 16.0 * runs + 60.0 * jam * runs, dt, 500.0)
        s.robot_temp = relax(s.robot_temp, inputs.ambient + 3.0 + 18.0 * share, dt, 1200.0)

    def _power(self, s: CellState) -> float:
        """Electrical power, kW: control, conveyor drive (more when it jams) and robot."""
        runs = s.powered and not stands(s, self.faults)
        picking = runs and s.phase == "pick" and not s.why
        jam = severity(s.defects, "conveyor-jam")
        return (0.5 + 1.3 * runs + 2.4 * picking + 3.0 * jam * runs) * s.powered

    def counters(self, state: CellState) -> dict[str, int]:
        """See :class:`Model`."""
        return {f"flow.lane-{i + 1}": n for i, n in enumerate(state.taken)}

    def show(self, state: CellState, rng: Random) -> Outputs:
        """See :class:`Model`."""
        s = state
        runs = s.powered and not stands(s, self.faults)
        picking = runs and s.phase == "pick" and not s.why
        jam, leak = severity(s.defects, "conveyor-jam"), severity(s.defects, "gripper-leak")
        speed = 0.35 * s.speed_percent / 100.0 * (1.0 - 0.7 * jam) if runs else 0.0
        current = (3.1 + 0.06 * s.belt + 9.5 * jam) if runs else 0.0
        swing = abs(1.0 - 2.0 * s.left_s / PICK_S) if picking else 1.0
        values: dict[str, Value] = {
            "conveyor.speed": max(0.0, measured(speed, 0.01, rng, 3)) if runs else 0.0,
            "conveyor.current": max(0.0, measured(current, 0.1, rng)) if runs else 0.0,
            "conveyor.temperature": measured(s.drive_temp, 0.6, rng),
            "conveyor.speed_setpoint": s.speed_percent,
            "robot.axis1": round(between(-90.0 + 180.0 * swing, -170.0, 170.0), 2),
            "robot.temperature": measured(s.robot_temp, 0.6, rng),
            "robot.vacuum": max(0.0, measured((0.72 - 0.52 * leak) * picking, 0.01, rng, 3)) if picking else 0.0,
            "buffer.belt": s.belt,
            "pallet.parts": s.on_pallet,
            "pallets": s.pallets,
            "parts.total": s.total,
            "parts.good": s.good,
            "parts.scrap": s.scrap,
            "power": max(0.0, measured(s.power_kw, 0.03, rng, 3)) if s.powered else 0.0,
            "energy": round(s.energy_kwh, 4),
            **self.counters(s),
        }
        values.update(shown_part(s.part))
        values.update(control_outputs(s, self.faults, s.powered))
        return values

    def _words(self, s: CellState, phase: str) -> tuple[str, str, str]:
        """Execution, functional mode and wait state while it was in ``phase``."""
        wait = {"starved": "MATERIAL_LOAD", "blocked": "MATERIAL_UNLOAD"}.get(s.why, "NONE")
        if not s.powered or stands(s, self.faults) or (s.stopped and phase == "idle"):
            return "STOPPED", "PRODUCTION", wait
        if s.why == "pause":
            return "INTERRUPTED", "PRODUCTION", wait
        return "ACTIVE" if phase == "pick" else "READY", "PRODUCTION", wait

    def command(self, state: CellState, name: str, parameters: Mapping[str, Any]) -> tuple[CellState, str]:
        """See :class:`Model`. Commands: set-conveyor-speed, stop (after the part in work), start, reset-alarm."""
        own = {"set-conveyor-speed": set_percent("speed_percent", 30, 120)}
        return commanded(state, name, parameters, self.faults, own)
