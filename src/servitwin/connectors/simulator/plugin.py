"""Door of the simulator plugin: checks a configuration and makes its connector."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from servitwin.connectors.simulator import rehearse as _rehearse
from servitwin.connectors.simulator.connector import SimulatorConnector
from servitwin.connectors.simulator.plant import MODELS, MachineConfig, SimulatorConfig
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.twin import TWIN_ID
from servitwin.sdk.connector import Config, Connector
from servitwin.sdk.rehearsal import Instruction, Rehearsed


def _read(config: Config) -> SimulatorConfig | Fault:
    try:
        return msgspec.convert(dict(config), SimulatorConfig, strict=False)
    except msgspec.ValidationError as e:
        return Fault("simulator:wrong-shape", str(e), "Compare it with README.md of the simulator plugin")


def check(config: Config) -> Sequence[Fault]:
    """All faults of a configuration at once."""
    read = _read(config)
    if isinstance(read, Fault):
        return [read]
    faults = []
    if not read.machines:
        faults.append(Fault("simulator:no-machine", "No machine is named", "Add one to machines", "machines"))
    if not 0 < read.speed <= 100:
        faults.append(Fault("simulator:speed", f"speed {read.speed} is not in (0, 100]", "Use 1", "speed"))
    if not 0 <= read.backfill_days <= 60:
        faults.append(Fault("simulator:past", "More than 60 days of past", "Use up to 60", "backfill_days"))
    if not 0 <= read.history_days <= 1000:
        faults.append(Fault("simulator:past", "More than 1000 days of long past", "Use up to 1000", "history_days"))
    try:
        ZoneInfo(read.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(
            Fault(
                "simulator:time-zone",
                f"{read.time_zone!r} is no IANA time zone",
                "Write it like Europe/Helsinki",
                "time_zone",
            )
        )
    seen: set[str] = set()
    for part, machines in (("machines", read.machines), ("neighbours", read.neighbours)):
        for i, machine in enumerate(machines):
            faults += _check_machine(machine, f"{part}[{i}]", seen)
    return faults


def _check_machine(machine: MachineConfig, where: str, seen: set[str]) -> list[Fault]:
    faults = []
    if not TWIN_ID.match(machine.twin):
        faults.append(Fault("simulator:twin", f"{machine.twin!r} is no twin id", "Use a-z, 0-9, - and _", where))
    if machine.twin in seen:
        faults.append(Fault("simulator:twin-twice", f"{machine.twin!r} is named twice", "Name it once", where))
    seen.add(machine.twin)
    model = MODELS.get(machine.model)
    if model is None:
        known = ", ".join(MODELS)
        faults.append(Fault("simulator:model", f"{machine.model!r} is no model", f"Use one of {known}", where))
        return faults
    for name in machine.hears:
        if name not in model.links:
            hint = f"A {machine.model} hears {', '.join(model.links)}"
            faults.append(Fault("simulator:hears", f"{name!r} is no counter of this model", hint, f"{where}.hears"))
    if machine.hours is not None and not (
        all(0 <= d <= 6 for d in machine.hours.days) and 0 <= machine.hours.start < machine.hours.end <= 24
    ):
        faults.append(
            Fault(
                "simulator:hours", "Hours are not 0 <= start < end <= 24", "Days are 0 (Monday) to 6", f"{where}.hours"
            )
        )
    return faults


def connect(config: Config) -> Connector:
    """A connector for a checked configuration; it also is a :class:`servitwin.sdk.connector.Runner`.

    Raises:
        InvalidInputError: the configuration was not checked, or its faults were ignored.
    """
    faults = check(config)
    read = _read(config)
    if isinstance(read, Fault) or faults:
        raise InvalidInputError(faults)
    return SimulatorConnector(read, time.time_ns, lambda: uuid.uuid4().hex)


def rehearse(
    config: Config, twin: str, instructions: Sequence[Instruction], seconds: float, seed: int, every: float
) -> Rehearsed | None:
    """See :class:`servitwin.sdk.rehearsal.RehearsalPlugin`.

    Raises:
        InvalidInputError: the configuration is faulty, or an instruction is refused.
    """
    faults = check(config)
    read = _read(config)
    if isinstance(read, Fault) or faults:
        raise InvalidInputError(faults)
    return _rehearse.rehearse(read, twin, instructions, seconds, seed, every)
