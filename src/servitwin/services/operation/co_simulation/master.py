"""The master: steps every FMU of a structure with one fixed step, all inputs from the last communication point."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.system_structure import Connection, SystemStructure
from servitwin.services.operation.co_simulation.process import FmuProcess

MOST_ROWS = 20_000
_NUMBERS = {"Real", "Float32", "Float64", "Boolean", "Integer", "Enumeration"}


class Master:
    """One simulation; a context, for the processes of its FMUs end with it."""

    def __init__(
        self, system: SystemStructure, fmus: Mapping[str, bytes], cpu_s: int, memory_mb: int, cancel: Callable[[], bool]
    ) -> None:
        self._system, self._fmus = system, fmus
        self._limits = cpu_s, memory_mb
        self._cancel = cancel
        self._stack = ExitStack()
        self.parts: dict[str, FmuProcess] = {}

    def __enter__(self) -> Master:
        try:
            for component in self._system.components:
                process = FmuProcess(component.name, self._fmus[component.fmu], *self._limits, self._cancel)
                self.parts[component.name] = self._stack.enter_context(process)
            faults = self._faults()
            if faults:
                raise InvalidInputError(faults)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def rows(self) -> Iterator[tuple[float, dict[str, Any]]]:
        """Time (s) and outputs ``component.variable`` at each communication point, the first is the start.

        Raises:
            InvalidInputError: ``fmu:...`` with the FMU that failed.
        """
        s = self._system
        wanted = self._wanted()
        outputs: dict[str, Any] = {}
        for c in s.components:
            asked = {"do": "begin", "start": c.start, "from": s.start, "to": s.stop, "get": wanted[c.name]}
            outputs |= _full(c.name, self.parts[c.name].ask(asked)["values"])
        for c in s.components:
            asked = {"do": "ready", "set": self._inputs(c.name, outputs), "get": wanted[c.name]}
            outputs |= _full(c.name, self.parts[c.name].ask(asked)["values"])
        yield s.start, self._shown(outputs)
        steps = round((s.stop - s.start) / s.step)
        for n in range(steps):
            at = s.start + n * s.step
            inputs = {c.name: self._inputs(c.name, outputs) for c in s.components}
            for c in s.components:
                asked = {"do": "step", "at": at, "step": s.step, "set": inputs[c.name], "get": wanted[c.name]}
                outputs |= _full(c.name, self.parts[c.name].ask(asked)["values"])
            yield s.start + (n + 1) * s.step, self._shown(outputs)

    def written(self) -> list[str]:
        """FMUs that left files in the place where they may make any."""
        return [f"{name}: {', '.join(p.written()[:5])}" for name, p in self.parts.items() if p.written()]

    def _faults(self) -> list[Fault]:
        """Connections and names against what the FMUs really have."""
        faults = []
        for c in self._system.components:
            known = self.parts[c.name].variables
            for name in sorted(set(c.start) - known.keys()):
                faults.append(_no_variable(c.name, name, f"components.{c.name}.start"))
        for i, link in enumerate(self._system.connections):
            for end, name in ((link.source, link.output), (link.target, link.input)):
                if name not in self.parts[end].variables:
                    faults.append(_no_variable(end, name, f"connections[{i}]"))
            target = self.parts[link.target].variables.get(link.input)
            if target is not None and target["causality"] != "input":
                said = f"{link.target}.{link.input} is {target['causality']}, no input"
                faults.append(Fault("system:not-an-input", said, "Connect to an input", f"connections[{i}]"))
        for name in self._system.show:
            part, _, variable = name.partition(".")
            if part not in self.parts or variable not in self.parts[part].variables:
                faults.append(_no_variable(part, variable, "show"))
        return faults

    def _wanted(self) -> dict[str, list[str]]:
        """What is read of each FMU: outputs that are connected, and what is shown."""
        wanted: dict[str, list[str]] = {c.name: [] for c in self._system.components}
        for link in self._system.connections:
            wanted[link.source].append(link.output)
        for name in self.shown_names():
            part, _, variable = name.partition(".")
            wanted[part].append(variable)
        return {name: list(dict.fromkeys(names)) for name, names in wanted.items()}

    def shown_names(self) -> list[str]:
        """What is shown: what was asked for, else every numeric output."""
        if self._system.show:
            return list(self._system.show)
        return [
            f"{name}.{v['name']}"
            for name, part in self.parts.items()
            for v in part.variables.values()
            if v["causality"] == "output" and (v["type"] in _NUMBERS or "Int" in v["type"])
        ]

    def _inputs(self, name: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            c.input: _carried(c, outputs[f"{c.source}.{c.output}"])
            for c in self._system.connections
            if c.target == name and outputs.get(f"{c.source}.{c.output}") is not None
        }

    def _shown(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        return {name: outputs[name] for name in self.shown_names()}


def _carried(link: Connection, value: Any) -> Any:
    """The value with the connection's factor and offset; what is no number goes as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float) or (link.factor == 1 and link.offset == 0):
        return value
    return link.factor * value + link.offset


def _full(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{part}.{name}": value for name, value in values.items()}


def _no_variable(part: str, name: str, where: str) -> Fault:
    said = f"{part[:80]} has no variable {name[:80]!r}"
    return Fault("system:variable-unknown", said, "See the variables of the FMU", where)


def thinned(rows: list[tuple[float, dict[str, Any]]], most: int = MOST_ROWS) -> list[tuple[float, dict[str, Any]]]:
    """At most so many rows, evenly taken, the last one among them."""
    if len(rows) <= most:
        return rows
    every = math.ceil(len(rows) / most)
    return [*rows[:-1:every], rows[-1]]
