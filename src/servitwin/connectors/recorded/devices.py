"""``Devices.xml`` of an MTConnect agent becomes machine types (MTConnect Part 2, Device Information Model)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from servitwin.connectors.recorded.states import state_mapping
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.machine_type import Component, ControlModes, MachineType, SignalTest
from servitwin.domain.signal import SignalDefinition, SignalType

# MTConnect units (Part 2, table of units) as UCUM codes. A revolution has no unit of its own in UCUM.
UCUM = {
    "AMPERE": "A", "CELSIUS": "Cel", "COUNT": "1", "CUBIC_MILLIMETER": "mm3", "DECIBEL": "dB", "DEGREE": "deg",
    "DEGREE/SECOND": "deg/s", "DEGREE/SECOND^2": "deg/s2", "HERTZ": "Hz", "JOULE": "J", "KILOGRAM": "kg",
    "LITER": "L", "LITER/SECOND": "L/s", "MICRO_RADIAN": "urad", "MILLIMETER": "mm", "MILLIMETER/REVOLUTION": "mm",
    "MILLIMETER/SECOND": "mm/s", "MILLIMETER/SECOND^2": "mm/s2", "NEWTON": "N", "NEWTON_METER": "N.m", "OHM": "Ohm",
    "PASCAL": "Pa", "PASCAL_SECOND": "Pa.s", "PERCENT": "%", "PH": "[pH]", "REVOLUTION/MINUTE": "1/min",
    "REVOLUTION/SECOND": "1/s", "SECOND": "s", "SIEMENS/METER": "S/m", "VOLT": "V", "VOLT_AMPERE": "V.A",
    "WATT": "W", "WATT_SECOND": "J",
}  # fmt: skip
# Events that are numbers though they may come without units; a tool number or a line is an identifier, so text.
NUMERIC_EVENTS = {
    "PART_COUNT": "1",
    "PATH_FEEDRATE_OVERRIDE": "%",
    "AXIS_FEEDRATE_OVERRIDE": "%",
    "ROTARY_VELOCITY_OVERRIDE": "%",
}
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_NOT_A_TYPE = re.compile(r"[^a-z0-9]+", re.ASCII)


class Device(msgspec.Struct, frozen=True):
    """One device of the model: its type, and the signal behind each data item's name and id."""

    name: str
    title: str
    serial: str
    type: MachineType
    signal_of: dict[str, str]
    notes: tuple[str, ...] = ()


class DeviceModel(msgspec.Struct, frozen=True):
    """All devices of a ``Devices.xml`` and the time at which the agent says the model was made, if it does."""

    created: int | None
    devices: dict[str, Device]


def signal_name(text: str) -> str:
    """A data item's name as a signal name: what is not allowed in one becomes ``_``."""
    return _NOT_A_NAME.sub("_", text.strip())[:200]


def type_name(*words: str) -> str:
    """Words as the name of a machine type, such as ``mazak-integrex``."""
    return _NOT_A_TYPE.sub("-", " ".join(words).lower()).strip("-")


def read_devices(path: Path) -> DeviceModel:
    """The device model of an agent.

    Raises:
        InvalidInputError: ``devices:not-xml`` if the file is no XML.
    """
    try:
        root = ET.parse(path).getroot()  # noqa: S314  (expat expands no external entities; the file is local)
    except ET.ParseError as e:
        fault = Fault(
            "devices:not-xml", f"{path.name}: {e}", "Save the agent's probe answer again", file=path.name,
            line=e.position[0], column=e.position[1] + 1,
        )  # fmt: skip
        raise InvalidInputError(fault) from None
    header = next((e for e in root if _tag(e) == "Header"), None)
    created = header.get("creationTime") if header is not None else None
    devices = [_device(e) for e in root.iter() if _tag(e) == "Device"]
    return DeviceModel(parse_instant(created) if created else None, {d.name: d for d in _named_types(devices)})


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _items(parent: ET.Element, path: str) -> Iterator[tuple[str, ET.Element]]:
    """Data items below an element in document order, each with the path of its component."""
    for child in parent:
        tag = _tag(child)
        if tag == "DataItem":
            yield path, child
        elif tag in ("DataItems", "Components"):
            yield from _items(child, path)
        elif parent.tag.endswith("Components"):
            name = signal_name(child.get("name") or child.get("id") or tag)
            yield from _items(child, f"{path}.{name}" if path else name)


def _components(parent: ET.Element, path: str = "") -> Iterator[Component]:
    for child in parent:
        if _tag(child) != "Components":
            continue
        for element in child:
            name = signal_name(element.get("name") or element.get("id") or _tag(element))
            below = f"{path}.{name}" if path else name
            yield Component(below, title=f"{_tag(element)} {element.get('name') or ''}".strip())
            yield from _components(element, below)


def _device(element: ET.Element) -> Device:
    name = element.get("name") or element.get("id") or "device"
    description = next((e for e in element if _tag(e) == "Description"), ET.Element("Description"))
    signals: list[SignalDefinition] = []
    signal_of: dict[str, str] = {}
    by_id: dict[str, str] = {}
    notes: list[str] = []
    taken: set[str] = set()
    for path, item in _items(element, ""):
        item_id = item.get("id") or ""
        wanted = signal_name(item.get("name") or item_id)
        signal = wanted
        if signal in taken:
            signal = signal_name(f"{path}.{wanted}") if path else signal_name(item_id)
            notes.append(f"{name}: two data items are named {wanted}; the one with id {item_id} is signal {signal}")
        taken.add(signal)
        signal_of.setdefault(item.get("name") or item_id, signal)
        by_id.setdefault(item_id, signal)
        signals.append(_definition(item, signal, path))
    components = {c.path: c for c in _components(element)}
    words = [description.get("manufacturer") or "", description.get("model") or ""]
    machine_type = MachineType(
        name=type_name(*words) or type_name(name),
        version=1,
        title=" ".join(w for w in words if w) or name,
        manufacturer=words[0],
        signals=tuple(signals),
        components=tuple(components.values()),
        states=state_mapping(signals),
        modes=modes(signals),
        registered_from="Devices.xml",
    )
    title = " ".join((description.text or "").split()) or name
    # A name goes before an id: one item's id may be another's name.
    known = {**by_id, **signal_of}
    return Device(name, title, description.get("serialNumber") or "", machine_type, known, tuple(notes))


def _definition(item: ET.Element, name: str, path: str) -> SignalDefinition:
    kind, unit = kind_and_unit(item.get("category") or "", item.get("type") or "", item.get("units") or "")
    sub_type = item.get("subType")
    return SignalDefinition(
        name=name,
        type=kind,
        unit=unit,
        semantic=f"mtconnect:{item.get('type') or ''}",
        title=f"{name} ({sub_type.lower()})" if sub_type else "",
        component=path,
    )


def kind_and_unit(category: str, item_type: str, units: str) -> tuple[SignalType, str]:
    """Signal type and UCUM unit of a data item. Vectors (``MILLIMETER_3D``) and unknown units stay text."""
    if category == "CONDITION":
        return "condition", ""
    if units in UCUM:
        return "number", UCUM[units]
    if item_type in NUMERIC_EVENTS:
        return "number", NUMERIC_EVENTS[item_type]
    if category == "SAMPLE" and not units:
        return "number", "1"
    return "text", ""


def modes(signals: Sequence[SignalDefinition]) -> ControlModes:
    """A triggered emergency stop is a safety stop: commands are refused."""
    stops = [s.name for s in signals if s.semantic == "mtconnect:EMERGENCY_STOP" and s.type == "text"]
    return ControlModes(safety_stop=tuple(SignalTest(name, equals=("TRIGGERED",)) for name in stops))


def _named_types(devices: Sequence[Device]) -> Iterator[Device]:
    """Devices of one make and model share a type where it is the same in every signal; else it is the device's own."""
    first: dict[str, MachineType] = {}
    for device in devices:
        shared = first.setdefault(device.type.name, device.type)
        if shared == device.type:
            yield device
        else:
            own = msgspec.structs.replace(device.type, name=type_name(device.type.name, device.name))
            yield msgspec.structs.replace(device, type=own)
