"""A CNC mill: parts are cut in cycles, tools wear, products change over, bearings and pumps fail."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, ClassVar

import msgspec

from servitwin.connectors.simulator.defects import Event, FaultSpec, develop, severity
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
from servitwin.connectors.simulator.made_part import (
    POROUS_SCRAP,
    MadePart,
    cast_batch,
    is_bad_tool,
    is_porous,
    measure,
    shown_part,
    tool_id,
)
from servitwin.connectors.simulator.mill_faults import FAULTS
from servitwin.connectors.simulator.physics import between, happens, measured, relax


class Product(msgspec.Struct, frozen=True):
    """How a product is cut: program, ideal cycle (s), spindle speed (1/min), load (%), feed (mm/min), lot size."""

    program: str
    cycle_s: float
    speed: float
    load: float
    feed: float
    lot: int


PRODUCTS = {
    "bracket": Product("O1001", 80.0, 8200.0, 46.0, 2400.0, 40),
    "housing": Product("O2002", 110.0, 6100.0, 62.0, 1800.0, 30),
    "flange": Product("O3003", 95.0, 4200.0, 71.0, 1500.0, 35),
}
LOAD_S, UNLOAD_S = 9.0, 7.0  # loading and unloading belong to the cycle
SETUP_S, TOOL_CHANGE_S = 360.0, 60.0
TRIAL_S, TRIAL_EVERY_S = 35.0, 60.0  # in a set-up the program is tried in the air and on the first blank
IN_PLACES, OUT_PLACES = 16, 8
WORKLOADS = (1.0, 0.75, 0.55)  # roughing, semi-finishing, finishing: shares of the product's load


class MillState(MachineState, kw_only=True):
    """State of a mill; phases idle, load, cut, unload, setup and tool, ``left_s`` of a phase at full feed.

    Wear 0 to 1; temperatures in Cel.
    """

    software: str = "4.1.0"
    product: str = "bracket"
    wanted: str = ""
    lot_left: int = 40
    feed_percent: float = 100.0
    hold: bool = False
    total: int = 0
    good: int = 0
    scrap: int = 0
    taken: int = 0
    out: int = 0
    spoilt: bool = False
    tool: int = 1
    tool_wear: float = 0.1
    tool_pace: float = 1.0  # how fast this tool wears against others of its kind
    spindle_temp: float = 22.0
    axis_temp: float = 22.0
    coolant_temp: float = 21.0
    coolant_level: float = 92.0
    position: float = 0.0
    why: str = ""  # why it does not work: pause, starved, blocked, or empty
    batch: str = ""  # of the blank in work
    porous: bool = False
    tool_changes: int = 0
    set_up: bool = False  # the next part is the first one after a set-up
    part: MadePart | None = None


def tool_pace(tool: int, parts: int) -> float:
    """How fast a tool wears, 0.65 to 1.55: tools of one kind last differently long.

    Made from what is known of the moment it is put in, so that it draws no random number that others would have drawn.
    """
    share = (tool * 0.6180339887 + parts * 0.7548776662) % 1.0
    return 0.65 + 0.9 * share


class Mill:
    """The model ``mill``."""

    name: ClassVar[str] = "mill"
    machine_type: ClassVar[str] = "mill-500"
    faults: ClassVar[tuple[FaultSpec, ...]] = FAULTS
    state_type: ClassVar[type[MachineState]] = MillState
    links: ClassVar[tuple[str, ...]] = ("delivered", "removed")
    periodic: ClassVar[frozenset[str]] = frozenset(
        {
            "spindle.speed", "spindle.load", "spindle.temperature", "spindle.vibration", "axis.position", "axis.load",
            "axis.temperature", "feed.rate", "coolant.pressure", "coolant.temperature", "power", "energy", "tool.wear",
        }
    )  # fmt: skip

    def fresh(self, rng: Random) -> MillState:
        """See :class:`Model`."""
        product = rng.choice(list(PRODUCTS))
        lot = rng.randint(5, PRODUCTS[product].lot)
        return MillState(product=product, lot_left=lot, tool_wear=rng.uniform(0.05, 0.7), tool=rng.randint(1, 24))

    def advance(self, state: MillState, dt: float, inputs: Inputs, rng: Random) -> tuple[MillState, list[Event]]:
        """See :class:`Model`."""
        s = begin_step(state, inputs)
        running = s.phase in ("cut", "setup") and not s.why
        s.defects, events = develop(self.faults, s.defects, dt, running, inputs.now, rng)
        if any(e.kind == "fault" for e in events):
            s.spoilt = s.spoilt or s.phase == "cut"
        s.powered = inputs.staffed or s.phase in ("load", "cut", "unload")  # the last part is finished
        cut_s = 0.0
        go_on = partial(self._advance, s, inputs, rng)
        for _, _, cutting in stretches(s, dt, go_on, partial(self._words, s), events):
            cut_s += cutting
        self._wear_and_heat(s, dt, cut_s, inputs)
        s.power_kw = self._power(s)
        cutting = cut_s / dt if dt else 0.0
        mean = s.power_kw if s.phase != "cut" else s.power_kw * cutting + 1.5 * (1.0 - cutting)
        s.energy_kwh += mean * dt / 3600.0
        return s, events

    def _advance(self, s: MillState, inputs: Inputs, rng: Random, limit: float) -> tuple[float, float]:
        """Go on for at most ``limit`` seconds to the next change of phase; returns seconds used and seconds cut."""
        s.why = ""
        if not s.powered or stands(s, self.faults) or s.hold:
            return limit, 0.0
        if s.pause_left_s > 0.0:
            used = min(limit, s.pause_left_s)
            s.pause_left_s -= used
            s.why = "pause"
            return used, 0.0
        if s.phase == "idle":
            used = self._begin(s, limit, inputs, rng)
            if s.phase == "load":
                s.batch, s.porous = cast_batch(inputs.now), is_porous(inputs.now)
            return used, 0.0
        pace = s.feed_percent / 100.0 if s.phase == "cut" else 1.0
        if pace <= 0.0:
            return limit, 0.0
        used = min(limit, s.left_s / pace)
        s.left_s -= used * pace
        cutting = used if s.phase == "cut" else 0.0
        if s.left_s <= 1e-9:
            self._next_phase(s, rng)
        return used, cutting

    def _begin(self, s: MillState, limit: float, inputs: Inputs, rng: Random) -> float:
        """At rest between two parts: change over, change the tool, pause, wait, or load the next blank."""
        if s.stopped or not inputs.staffed:
            return limit
        if s.wanted and s.wanted != s.product:
            s.phase, s.left_s = "setup", SETUP_S * rng.uniform(0.8, 1.3)
        elif s.tool_wear >= 0.9:
            s.phase, s.left_s = "tool", TOOL_CHANGE_S
        elif "delivered" in s.heard and s.heard["delivered"] - s.taken < 1:
            s.why = "starved"
            return limit
        elif "removed" in s.heard and s.out - s.heard["removed"] >= OUT_PLACES:
            s.why = "blocked"
            return limit
        elif happens(rng, 0.6, 100.0):
            s.pause_left_s = rng.uniform(60.0, 420.0)
        else:
            s.taken += 1
            s.phase, s.left_s = "load", LOAD_S * rng.uniform(1.0, 1.8)
        return 0.0

    def _next_phase(self, s: MillState, rng: Random) -> None:
        product = PRODUCTS[s.product]
        if s.phase == "load":
            s.phase, s.left_s = "cut", product.cycle_s - LOAD_S - UNLOAD_S
        elif s.phase == "cut":
            s.phase, s.left_s = "unload", UNLOAD_S
        elif s.phase == "unload":
            self._count(s, rng)
            s.phase, s.left_s = "idle", 0.0
        elif s.phase == "setup":
            s.product, s.wanted = s.wanted, ""
            s.lot_left = PRODUCTS[s.product].lot
            s.phase, s.set_up = "idle", True
        else:
            s.tool_wear, s.tool, s.tool_changes = 0.0, s.tool % 24 + 1, s.tool_changes + 1
            s.tool_pace = tool_pace(s.tool, s.total)
            s.phase = "idle"

    def _count(self, s: MillState, rng: Random) -> None:
        """One part more: scrap if a fault spoilt it, else by chance that grows with wear, vibration and feed."""
        chance = 0.006 + 0.03 * s.tool_wear**4 + 0.25 * severity(s.defects, "spindle-bearing")
        chance += 0.02 * max(0.0, s.feed_percent / 100.0 - 1.0)
        s.total += 1
        reason = "fault while cutting" if s.spoilt else ""
        if not s.spoilt and rng.random() < chance:
            reason = "vibration" if severity(s.defects, "spindle-bearing") > 0.1 else "handling"
        self._finish_part(s, reason)
        if s.part is not None and not s.part.good:
            s.scrap += 1
        else:
            s.good += 1
            s.out += 1
        s.spoilt = False
        s.lot_left -= 1
        if s.lot_left <= 0:
            names = list(PRODUCTS)
            s.wanted = s.wanted or names[(names.index(s.product) + 1) % len(names)]

    def _finish_part(self, s: MillState, reason: str) -> None:
        """Mark the part that leaves, good ones with the number by which the cell takes them, and measure it."""
        bad_tool = is_bad_tool(s.tool_changes)
        seed = f"{s.name}:{s.total}"
        found, wrong = measure(s.product, seed, s.tool_wear, bad_tool, s.spindle_temp - 25.0)
        if not reason and s.porous and Random(f"{seed}:porosity").random() < POROUS_SCRAP:
            reason = "porosity"
        reason = reason or (f"{wrong} out of tolerance" if wrong else "none")
        good = reason == "none"
        s.part = MadePart(
            f"{s.name}-{s.out + 1:06d}" if good else f"{s.name}-S{s.scrap + 1:05d}", s.product, s.batch,
            tool_id(s.name, s.tool, s.tool_changes), "setter" if s.set_up else "operator", good, reason,
            PRODUCTS[s.product].cycle_s, "", found,
        )  # fmt: skip
        s.set_up = False

    def _load(self, s: MillState) -> float:
        """Spindle load in % while it cuts now: product, stage of the program, feed, wear of tool and bearing."""
        product = PRODUCTS[s.product]
        whole = product.cycle_s - LOAD_S - UNLOAD_S
        stage = WORKLOADS[min(2, int(3.0 * (1.0 - s.left_s / whole)))] if s.phase == "cut" else 0.3
        load = product.load * stage * (0.4 + 0.6 * s.feed_percent / 100.0) * (1.0 + 0.35 * s.tool_wear)
        load *= 1.0 + 0.25 * severity(s.defects, "spindle-bearing")
        return between(load * (1.0 - 0.8 * severity(s.defects, "tool-breakage")), 2.0, 140.0)

    def _wear_and_heat(self, s: MillState, dt: float, cut_s: float, inputs: Inputs) -> None:
        """Taylor-like tool wear (life falls with load and feed), first-order heating of spindle, axis and coolant."""
        product = PRODUCTS[s.product]
        share = cut_s / dt if dt else 0.0
        feed = s.feed_percent / 100.0
        dry = severity(s.defects, "coolant-pump")
        pace = (product.load / 60.0) ** 1.5 * feed**1.3 * (1 + 3 * dry)
        s.tool_wear = min(1.0, s.tool_wear + cut_s / 9000.0 * s.tool_pace * pace)
        hot = inputs.ambient + 2.0 + share * (0.42 * product.load * feed + 12.0 * dry)
        hot += share * 34.0 * severity(s.defects, "spindle-bearing")
        s.spindle_temp = relax(s.spindle_temp, hot, dt, 600.0 if hot > s.spindle_temp else 1100.0)
        warm = inputs.ambient + 1.0 + share * 9.0 * feed + 45.0 * severity(s.defects, "axis-servo") * (cut_s > 0)
        s.axis_temp = relax(s.axis_temp, warm, dt, 700.0)
        s.coolant_temp = relax(s.coolant_temp, inputs.ambient + 1.0 + 6.0 * share, dt, 1800.0)
        s.coolant_level -= cut_s * 0.00045
        if s.coolant_level < 55.0 and s.phase != "cut":
            s.coolant_level = 95.0  # topped up by the operator
        s.position = (s.position + cut_s * product.feed * feed / 60.0) % 1000.0

    def _moves(self, s: MillState) -> bool:
        return s.powered and not (s.why or s.hold or stands(s, self.faults))

    def _turns(self, s: MillState) -> bool:
        """Whether the spindle turns: it cuts, or a set-up is tried."""
        return self._moves(s) and (s.phase == "cut" or (s.phase == "setup" and s.left_s % TRIAL_EVERY_S < TRIAL_S))

    def _power(self, s: MillState) -> float:
        """Electrical power, kW: control and hydraulics, axes, coolant pump and spindle."""
        moving, cutting = self._moves(s), self._turns(s)
        spindle = 1.4 + 11.0 * self._load(s) / 100.0 if cutting else 0.0
        return (0.9 + 0.6 * moving + spindle) * s.powered

    def counters(self, state: MillState) -> dict[str, int]:
        """See :class:`Model`."""
        return {"flow.taken": state.taken, "flow.out": state.out}

    def show(self, state: MillState, rng: Random) -> Outputs:
        """See :class:`Model`."""
        s = state
        product = PRODUCTS[s.product]
        cutting = self._turns(s)
        load = self._load(s) if cutting else 0.0
        speed = product.speed if cutting else 0.0
        bearing, servo, dry = (severity(s.defects, n) for n in ("spindle-bearing", "axis-servo", "coolant-pump"))
        vibration = 0.15 + (speed / 8000.0 * (0.9 + 0.5 * s.tool_wear) + load / 160.0 + 7.0 * bearing) * cutting
        pressure = 18.0 * (1.0 - 0.85 * dry) if cutting else 0.3
        x = s.position if s.position < 500.0 else 1000.0 - s.position
        values: dict[str, Value] = {
            "spindle.speed": max(0.0, measured(speed, 6.0, rng, 0)) if cutting else 0.0,
            "spindle.load": max(0.0, measured(load, 1.5, rng, 1)) if cutting else 0.0,
            "spindle.temperature": measured(s.spindle_temp, 0.5, rng),
            "spindle.vibration": max(0.02, measured(vibration, 0.12, rng, 3)),
            "axis.position": round(x, 3),
            "axis.load": max(0.0, measured(8.0 + load * 0.5 + 60.0 * servo, 2.0, rng, 1)) if cutting else 0.0,
            "axis.temperature": measured(s.axis_temp, 0.5, rng),
            "feed.rate": max(0.0, measured(product.feed * s.feed_percent / 100.0, 5.0, rng, 0)) if cutting else 0.0,
            "feed.override": s.feed_percent,
            "coolant.pressure": max(0.0, measured(pressure, 0.2, rng)),
            "coolant.temperature": measured(s.coolant_temp, 0.5, rng),
            "coolant.level": float(round(s.coolant_level)),
            "tool.number": s.tool,
            "tool.wear": round(100.0 * s.tool_wear, 2),
            "power": max(0.0, measured(s.power_kw, 0.05, rng, 3)) if s.powered else 0.0,
            "energy": round(s.energy_kwh, 4),
            "program": product.program,
            "product": s.product,
            "product.next": s.wanted or s.product,
            "parts.total": s.total,
            "parts.good": s.good,
            "parts.scrap": s.scrap,
            **self.counters(s),
            "control.software": s.software,
            "buffer.in": int(between(s.heard.get("delivered", s.taken + IN_PLACES) - s.taken, 0, 99)),
            "buffer.out": int(between(s.out - s.heard.get("removed", s.out), 0, 99)),
        }
        values.update(shown_part(s.part))
        values.update(control_outputs(s, self.faults, s.powered))
        return values

    def _words(self, s: MillState, phase: str) -> tuple[str, str, str]:
        """Execution, functional mode and wait state while it was in ``phase``."""
        mode = "SETUP" if phase in ("setup", "tool") else "PRODUCTION"
        wait = {"starved": "MATERIAL_LOAD", "blocked": "MATERIAL_UNLOAD"}.get(s.why, "NONE")
        if not s.powered or stands(s, self.faults) or (s.stopped and phase == "idle"):
            return "STOPPED", mode, wait
        if s.hold:
            return "FEED_HOLD", mode, wait
        if s.why == "pause":
            return "INTERRUPTED", mode, wait
        return "ACTIVE" if phase in ("load", "cut", "unload") else "READY", mode, wait

    def command(self, state: MillState, name: str, parameters: Mapping[str, Any]) -> tuple[MillState, str]:
        """See :class:`Model`.

        Commands: set-feed, select-product, update-software, stop, start, hold, reset-alarm.
        """
        own = {
            "set-feed": set_percent("feed_percent", 10, 150),
            "select-product": self._select_product,
            "hold": self._hold,
            "start": self._start,
            "update-software": self._update,
        }
        return commanded(state, name, parameters, self.faults, own)

    def _select_product(self, s: MillState, parameters: Mapping[str, Any]) -> str:
        product = parameters.get("product")
        if product not in PRODUCTS:
            return f"no program for product {product!r}"
        s.wanted = str(product)
        return ""

    def _update(self, s: MillState, parameters: Mapping[str, Any]) -> str:
        """Whether it may be installed the connection has judged; it runs from the next part on."""
        s.software = str(parameters.get("version", ""))[:64]
        return "" if s.software else "the update names no version"

    def _hold(self, s: MillState, _: Mapping[str, Any]) -> str:
        s.hold = True
        return ""

    def _start(self, s: MillState, _: Mapping[str, Any]) -> str:
        """A start ends a hold and a pause as well."""
        if stands(s, self.faults):
            return "a fault keeps the machine from starting"
        s.stopped, s.hold, s.pause_left_s = False, False, 0.0
        return ""
