"""Structures of co-simulations: components that are FMUs, connected outputs and inputs, one fixed step."""

from __future__ import annotations

import math

import msgspec

from servitwin.domain.error import Fault

MOST_STEPS = 10_000_000
MOST_COMPONENTS = 50


class Component(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An FMU in the structure. ``fmu``: name under which it is given; ``start``: values before it begins, by name."""

    name: str
    fmu: str
    start: dict[str, float | str | bool] = {}


class Connection(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An output of ``source`` feeds an input of ``target`` as ``factor * value + offset``."""

    source: str
    output: str
    target: str
    input: str
    factor: float = 1.0
    offset: float = 0.0


class SystemStructure(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is simulated.

    Attributes:
        start, stop, step: seconds; the step is that between two communication points.
        show: ``component.variable`` to be shown; empty: every numeric output.
    """

    components: tuple[Component, ...]
    connections: tuple[Connection, ...] = ()
    start: float = 0.0
    stop: float = 10.0
    step: float = 0.01
    show: tuple[str, ...] = ()
    title: str = ""


def system_faults(system: SystemStructure) -> list[Fault]:
    """Everything that is wrong with a structure by itself."""
    faults: list[Fault] = []
    names = [c.name for c in system.components]
    if not 0 < len(names) <= MOST_COMPONENTS or len(set(names)) < len(names) or any(not n or "." in n for n in names):
        hint = f"Name 1 to {MOST_COMPONENTS} components, each once, without dots"
        faults.append(Fault("system:components", f"{len(names)} components are named", hint, "components"))
    times = (system.start, system.stop, system.step)
    if not all(map(math.isfinite, times)) or system.step <= 0 or system.stop <= system.start:
        said = f"From {system.start} to {system.stop} s in steps of {system.step} s"
        faults.append(Fault("system:time", said, "The stop is after the start, the step above 0", "step"))
    elif (system.stop - system.start) / system.step > MOST_STEPS:
        said = f"{(system.stop - system.start) / system.step:.0f} steps"
        faults.append(Fault("system:too-many-steps", said, f"Ask for {MOST_STEPS} steps at most", "step"))
    fed: set[tuple[str, str]] = set()
    for i, link in enumerate(system.connections):
        where = f"connections[{i}]"
        for end in (link.source, link.target):
            if end not in names:
                hint = f"There are {', '.join(names)}"
                faults.append(Fault("system:component-unknown", f"There is no component {end[:80]!r}", hint, where))
        if (link.target, link.input) in fed:
            said = f"{link.target}.{link.input} is fed twice"
            faults.append(Fault("system:fed-twice", said, "An input has one source", where))
        fed.add((link.target, link.input))
        if not (math.isfinite(link.factor) and math.isfinite(link.offset)):
            faults.append(Fault("system:factor", "Factor and offset must be finite", "Correct the numbers", where))
    return faults
