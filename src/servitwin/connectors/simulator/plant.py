"""Configured machines and how they are coupled: each hears its neighbours' cumulative counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from servitwin.connectors.simulator.cell import Cell
from servitwin.connectors.simulator.crane import Crane
from servitwin.connectors.simulator.defects import Event
from servitwin.connectors.simulator.machine import Inputs, MachineState, Model, Outputs
from servitwin.connectors.simulator.mill import Mill
from servitwin.connectors.simulator.physics import ambient
from servitwin.domain.instant import DAY, HOUR, NS

MODELS: Mapping[str, Model] = {m.name: m for m in (Crane(), Mill(), Cell())}


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a machine is staffed: on these days (0 Monday), from ``start`` to ``end`` in local hours of the day."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: float = 0.0
    end: float = 24.0


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which signal of which neighbour is a machine's counter."""

    twin: str
    signal: str


class MachineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated machine. ``hears``: the model's counter name -> neighbour's signal. None hours: always staffed."""

    twin: str
    model: str
    seed: int = 0
    hours: Hours | None = None
    hears: dict[str, Link] = {}


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Address of the MQTT broker; ``certificate``: PEM file of the one it must have, where it speaks TLS."""

    host: str = "127.0.0.1"
    port: int = 1883
    certificate: str = ""


class SimulatorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of one connection.

    Attributes:
        machines: what this process simulates and speaks for.
        neighbours: the plant's other machines, simulated elsewhere; needed to fill in the past alike everywhere.
        time_zone: IANA zone of the plant's shifts.
        speed: simulated seconds per second.
        backfill_days: on the very first start so many days of past are filled in (marked replayed); 0: none.
        sign: whether the machines sign what they send; each makes its own key at its first start.
        history_days: before those, so many days of the control's words and alarms alone.
        trusts: parties whose releases the machines install; trusted_keys: their public keys, added when it starts.
        broker, user, password, folder: added by the worker.
    """

    machines: tuple[MachineConfig, ...]
    neighbours: tuple[MachineConfig, ...] = ()
    time_zone: str = "Europe/Helsinki"
    speed: float = 1.0
    backfill_days: float = 0.0
    history_days: int = 0
    sign: bool = False
    trusts: tuple[str, ...] = ()
    trusted_keys: tuple[str, ...] = ()
    broker: Broker = Broker()
    user: str = ""
    password: str = ""
    folder: str = ""


def past_range(config: SimulatorConfig, now: int) -> tuple[int, int]:
    """Where the long past and the detailed past of a connection begin, if it first starts at ``now``."""
    detailed = now // DAY * DAY - int(config.backfill_days * DAY)
    return detailed - config.history_days * DAY, detailed


class LocalTime:
    """Weekday and hour in a time zone, cheap to ask at each step: the offset is looked up once an hour."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._hour = -1
        self._offset = 0

    def at(self, now: int) -> tuple[int, float]:
        """Weekday (0 Monday) and hour of the day with fraction."""
        hour = now // HOUR
        if hour != self._hour:
            offset = datetime.fromtimestamp(now // NS, UTC).astimezone(self._zone).utcoffset()
            self._offset = int(offset.total_seconds()) * NS if offset else 0
            self._hour = hour
        local = now + self._offset
        return (local // DAY + 3) % 7, local % DAY / HOUR


class Machine:
    """One machine with its state between steps; all chance comes from its seed and the number of the step."""

    def __init__(self, config: MachineConfig, state: MachineState | None = None) -> None:
        self.config = config
        self.model = MODELS[config.model]
        fresh: MachineState = state or self.model.fresh(Random(f"{config.seed}:fresh"))
        feeds = {name: link.twin for name, link in config.hears.items()}
        self.state = msgspec.structs.replace(fresh, name=config.twin, feeds=feeds)
        self._rng = Random(f"{config.seed}:{self.state.steps}")
        self._noise = Random(f"{config.seed}:{self.state.steps}:noise")

    def advance(self, now: int, dt: float, local: LocalTime, heard: Mapping[str, float]) -> list[Event]:
        """Go on by ``dt`` seconds, ending at ``now``; what happened in them."""
        weekday, hour = local.at(now)
        h = self.config.hours
        staffed = h is None or (weekday in h.days and h.start <= hour < h.end)
        inputs = Inputs(now, staffed, ambient(hour), heard)
        self.state, events = self.model.advance(self.state, dt, inputs, self._rng)
        return events

    def show(self) -> Outputs:
        """What the sensors show now. Their noise is apart from the physics: who does not look changes nothing."""
        return self.model.show(self.state, self._noise)

    def step(self, now: int, dt: float, local: LocalTime, heard: Mapping[str, float]) -> tuple[Outputs, list[Event]]:
        """Both."""
        events = self.advance(now, dt, local, heard)
        return self.show(), events

    def command(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Carry out a command; empty if done, else why it was refused."""
        self.state, why = self.model.command(self.state, name, parameters)
        return why


class Plant:
    """Machines coupled in one process, as filling in the past needs them: counters are heard a step later."""

    def __init__(self, configs: Sequence[MachineConfig], time_zone: str) -> None:
        self.machines = {c.twin: Machine(c) for c in configs}
        self._local = LocalTime(time_zone)
        self._counters: dict[str, dict[str, int]] = {}

    def step(self, now: int, dt: float) -> dict[str, list[Event]]:
        """All machines ``dt`` seconds later; what happened to each."""
        counters, events = {}, {}
        for twin, machine in self.machines.items():
            heard: dict[str, float] = {}
            for name, link in machine.config.hears.items():
                value = self._counters.get(link.twin, {}).get(link.signal)
                if value is not None:
                    heard[name] = value
            events[twin] = machine.advance(now, dt, self._local, heard)
            counters[twin] = machine.model.counters(machine.state)
        self._counters = counters
        return events
