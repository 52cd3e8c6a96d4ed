"""System Structure and Parameterization (SSP 1.0): the structure of an ``.ssp`` package as a co-simulation.

Read are components with their connectors, connections with linear transformations and unit conversion, start values in
the file itself, nested systems whose connectors pass values on, and the default experiment. What else the standard
knows (external parameter files, signal dictionaries, other transformations) is told as a fault, never left out
silently.
"""

from __future__ import annotations

import math
from xml.etree import ElementTree

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.system_structure import Component, Connection, SystemStructure

_SSD = "{http://ssp-standard.org/SSP1/SystemStructureDescription}"
_SSC = "{http://ssp-standard.org/SSP1/SystemStructureCommon}"
_SSV = "{http://ssp-standard.org/SSP1/SystemStructureParameterValues}"
_DEFAULT_STEPS = 1000
_BASE_UNITS = ("kg", "m", "s", "A", "K", "mol", "cd", "rad")
Element = ElementTree.Element
Units = dict[str, tuple[float, float, tuple[int, ...]]]


class _Reader:
    def __init__(self, text: bytes) -> None:
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise _refused("ssp:not-read", "A structure has no document type and no entities")
        try:
            self.root = ElementTree.fromstring(text)  # noqa: S314 - entities are refused above
        except ElementTree.ParseError as e:
            raise _refused("ssp:not-read", f"This is no XML: {e}") from None
        self.faults: list[Fault] = []
        self.components: dict[str, Component] = {}
        self.links: list[tuple[tuple[str, str], tuple[str, str], float, float]] = []
        self.units = self._units()
        self.connectors: dict[tuple[str, str], str] = {}  # (element, connector) -> unit
        self.systems: set[str] = set()

    def say(self, code: str, message: str, hint: str = "Write it into the file that servitwin reads") -> None:
        self.faults.append(Fault(f"ssp:{code}", message[:300], hint, "ssp"))

    def _units(self) -> Units:
        found: Units = {}
        for unit in self.root.iterfind(f"{_SSD}Units/{_SSC}Unit"):
            base = unit.find(f"{_SSC}BaseUnit")
            if base is not None:
                powers = tuple(int(base.get(n, "0")) for n in _BASE_UNITS)
                found[unit.get("name", "")] = float(base.get("factor", "1")), float(base.get("offset", "0")), powers
        return found

    def system(self, element: Element, name: str) -> None:
        """A system with all in it; connectors of the system itself stand under its own name."""
        self.systems.add(name)
        self._connectors(element, name)
        if element.find(f"{_SSD}ParameterBindings") is not None:
            self.say("parameters", f"System {name or 'at the top'} binds parameters; those of components are read")
        children: dict[str, str] = {}
        for child in element.iterfind(f"{_SSD}Elements/*"):
            own = f"{name}_{child.get('name', '')}" if name else child.get("name", "")
            own = own.replace(".", "_")
            children[child.get("name", "")] = own
            if child.tag == f"{_SSD}System":
                self.system(child, own)
            elif child.tag == f"{_SSD}Component":
                self._component(child, own)
            else:
                self.say("element", f"{child.tag.rpartition('}')[2]} {own} cannot be simulated")
        for link in element.iterfind(f"{_SSD}Connections/{_SSD}Connection"):
            self._link(link, name, children)

    def _connectors(self, element: Element, name: str) -> None:
        for connector in element.iterfind(f"{_SSD}Connectors/{_SSD}Connector"):
            typed = next((t for t in connector if t.tag.startswith(_SSC)), None)
            unit = typed.get("unit", "") if typed is not None else ""
            self.connectors[name, connector.get("name", "")] = unit

    def _component(self, element: Element, name: str) -> None:
        source = element.get("source", "").removeprefix("./")
        kind = element.get("implementation", "any")
        if not source.endswith(".fmu") or "://" in source:
            self.say("source", f"{name} comes from {source[:100]!r}, which is no FMU in the package")
        if kind == "ModelExchange":
            self.say("implementation", f"{name} asks for model exchange; co-simulation is run")
        self._connectors(element, name)
        start: dict[str, float | str | bool] = {}
        for binding in element.iterfind(f"{_SSD}ParameterBindings/{_SSD}ParameterBinding"):
            if binding.get("source"):
                self.say("parameters", f"{name} takes parameters from {binding.get('source')!r}; write them inline")
            prefix = binding.get("prefix", "")
            for parameter in binding.iter(f"{_SSV}Parameter"):
                for value in parameter:
                    start[prefix + parameter.get("name", "")] = _value(value)
        self.components[name] = Component(name, source, start)

    def _link(self, link: Element, own: str, children: dict[str, str]) -> None:
        ends = []
        for side in ("start", "end"):
            inside = link.get(f"{side}Element")
            name = own if inside is None else children.get(inside)
            if name is None:
                self.say("connection", f"A connection names the element {inside!r}, which is not there")
                return
            ends.append((name, link.get(f"{side}Connector", "")))
        factor, offset = 1.0, 0.0
        for change in link:
            if change.tag == f"{_SSC}LinearTransformation":
                factor, offset = float(change.get("factor", "1")), float(change.get("offset", "0"))
            elif change.tag.startswith(_SSC) and change.tag != f"{_SSC}Annotations":
                self.say("transformation", f"{change.tag.rpartition('}')[2]} of a connection is not carried out")
        if link.get("suppressUnitConversion", "false") not in ("true", "1"):
            scale, shift = self._conversion(ends[0], ends[1])
            factor, offset = factor * scale, factor * shift + offset
        self.links.append((ends[0], ends[1], factor, offset))

    def _conversion(self, start: tuple[str, str], end: tuple[str, str]) -> tuple[float, float]:
        """Factor and offset from the unit of one connector to that of the other (SSP 1.0, 4.5.2)."""
        a, b = self.connectors.get(start, ""), self.connectors.get(end, "")
        if a == b or not a or not b:
            return 1.0, 0.0
        if a not in self.units or b not in self.units or self.units[a][2] != self.units[b][2]:
            self.say("unit", f"{'.'.join(start)} is in {a}, {'.'.join(end)} in {b}: they cannot be converted")
            return 1.0, 0.0
        (fa, oa, _), (fb, ob, _) = self.units[a], self.units[b]
        return fa / fb, (oa - ob) / fb

    def joined(self) -> list[Connection]:
        """Connections from component to component, followed through connectors of systems."""
        onward: dict[tuple[str, str], list[tuple[tuple[str, str], float, float]]] = {}
        for start, end, factor, offset in self.links:
            onward.setdefault(start, []).append((end, factor, offset))
        found = []
        for start in list(onward):
            if start[0] not in self.components:
                continue
            left = [(end, f, o, 0) for end, f, o in onward[start]]
            while left:
                end, factor, offset, depth = left.pop()
                if end[0] in self.components:
                    found.append(Connection(start[0], start[1], end[0], end[1], factor, offset))
                elif depth < len(self.systems) + 1:
                    left += [(e, f * factor, f * offset + o, depth + 1) for e, f, o in onward.get(end, [])]
        return found


def read_structure(text: bytes, step: float | None = None) -> SystemStructure:
    """The structure of a ``SystemStructure.ssd``; FMUs by their path in the package.

    Raises:
        InvalidInputError: ``ssp:...``, everything that cannot be read or carried out.
    """
    try:
        return _structure(_Reader(text), step)
    except (ValueError, RecursionError) as e:
        raise _refused("ssp:not-read", f"A number or name cannot be read: {e}") from None


def _structure(reader: _Reader, step: float | None) -> SystemStructure:
    system = reader.root.find(f"{_SSD}System")
    if reader.root.tag != f"{_SSD}SystemStructureDescription" or system is None:
        raise _refused("ssp:not-read", "This is no SystemStructureDescription of SSP 1.0")
    reader.system(system, "")
    experiment = reader.root.find(f"{_SSD}DefaultExperiment")
    begin = float(experiment.get("startTime", "0")) if experiment is not None else 0.0
    end = float(experiment.get("stopTime", "1")) if experiment is not None else 1.0
    if step is None:
        base = next((e.get("baseStepSize") for e in reader.root.iter() if e.tag.endswith("FixedStepAlgorithm")), None)
        step = float(base) if base is not None else (end - begin) / _DEFAULT_STEPS
    if not reader.components:
        reader.say("element", "The structure has no component")
    if reader.faults:
        raise InvalidInputError(reader.faults)
    if not math.isfinite(step) or step <= 0:
        raise _refused("ssp:step", f"A step of {step} s is none")
    title = reader.root.get("name", "")
    return SystemStructure(
        tuple(reader.components.values()), tuple(reader.joined()), begin, end, step, (), title
    )  # fmt: skip


def _value(value: Element) -> float | str | bool:
    text, kind = value.get("value", ""), value.tag.rpartition("}")[2]
    if kind == "Boolean":
        return text in ("true", "1")
    return text if kind in ("String", "Enumeration", "Binary") else float(text)


def _refused(code: str, message: str) -> InvalidInputError:
    return InvalidInputError(Fault(code, message[:300], "Bring in an SSP 1.0 package", "ssp"))
