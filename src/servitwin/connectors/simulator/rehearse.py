"""A machine of the configuration run by itself at full speed: what an update would do, before a machine has it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.connectors.simulator.plant import LocalTime, Machine, SimulatorConfig
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS
from servitwin.sdk.rehearsal import Instruction, Rehearsed

STEP_S = 1.0


def rehearse(
    config: SimulatorConfig, twin: str, instructions: Sequence[Instruction], seconds: float, seed: int, every: float
) -> Rehearsed | None:
    """See :class:`servitwin.sdk.rehearsal.RehearsalPlugin`."""
    found = next((m for m in config.machines if m.twin == twin), None)
    if found is None:
        return None
    machine = Machine(msgspec.structs.replace(found, seed=seed, hears={}, hours=None))
    for one in instructions:
        why = machine.command(one.command, one.parameters)
        if why:
            message = f"The machine does not carry out {one.command}: {why}"
            raise InvalidInputError(Fault("rehearsal:refused", message, "Correct the setting", one.command))
    local = LocalTime(config.time_zone)
    shown = Rehearsed([], {})
    steps, next_show = int(seconds / STEP_S), 0.0
    for n in range(1, steps + 1):
        now = int(n * STEP_S * NS)
        machine.advance(now, STEP_S, local, {})
        if n * STEP_S >= next_show:
            next_show += every
            shown.times.append(now)
            for name, value in machine.show().items():
                shown.columns.setdefault(name, [None] * (len(shown.times) - 1)).append(value)
    return shown
