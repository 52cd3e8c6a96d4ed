"""The machines that benchmarks speak for: one type with units and limits, so that every check of ingest is on."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition

# Unit and limits of each signal.
SIGNALS: Mapping[str, tuple[str, tuple[float, float] | None]] = {
    "temperature": ("Cel", (-50, 200)),
    "vibration": ("mm/s", (0, 100)),
    "speed": ("/min", (0, 30000)),
    "power": ("kW", (0, 500)),
    "pressure": ("bar", (0, 400)),
    "load": ("%", (0, 200)),
    "good": ("1", None),
    "total": ("1", None),
}
TYPE = MachineType(
    "bench", 1, signals=tuple(SignalDefinition(n, unit=u, limits=limits) for n, (u, limits) in SIGNALS.items())
)
# What the design asks for at least on two cores: messages/s, messages/s, values/s, ms.
FLOORS: Mapping[str, float] = {"mqtt": 30_000, "nats": 60_000, "batch": 2_500_000, "events": 100}


def plant_file(machines: int) -> bytes:
    """Plant of ``m00000``, ``m00001``, ... of :data:`TYPE`, as a manufacturer would write it."""
    lines = ["plant: bench", "parties: {maker: {name: Maker, kind: manufacturer}}", "twins:"]
    lines += [f"  m{n:05d}: {{type: bench@1, serial: B{n:05d}, owner: maker}}" for n in range(machines)]
    return "\n".join([*lines, ""]).encode()
