"""Plant files: twins with their dates, parties, calendars and connections, read with all faults at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.machine_type import MachineType
from servitwin.domain.party import Business, Party
from servitwin.domain.twin import Dated, TwinKind
from servitwin.formats.dates import read_instant
from servitwin.formats.plant import BEGINNING, Connection, History, Plant, PlantTwin
from servitwin.formats.plant_aggregates import read_aggregates
from servitwin.formats.plant_calendar import read_calendar
from servitwin.formats.plant_requirements import read_twin_requirements
from servitwin.formats.plant_tree import check_tree, parents_first
from servitwin.formats.structure import Structure, did_you_mean, where
from servitwin.formats.yaml_node import Key, Parsed, parse

Path = tuple[Key, ...]
Block = Mapping[str, Any]
CheckConnection = Callable[[str, Mapping[str, Any]], Sequence[Fault]]
_SECRET = re.compile(r"(pass(word|wd|phrase)|secret|token|api_?key|private_?key|credentials?)\Z", re.IGNORECASE)


class Known(msgspec.Struct, frozen=True):
    """What exists beside the file: on the node, and in other files checked with it. ``types`` None: not known."""

    types: Mapping[str, MachineType] | None = None  # by name@version
    parties: Collection[str] = ()
    calendars: Collection[str] = ()
    twins: Collection[str] = ()
    connections: Mapping[str, Sequence[Connection]] = {}  # by plant


def read_plant(
    source: str | Parsed,
    file: str | None = None,
    *,
    known: Known = Known(),  # noqa: B008  # immutable
    check_connection: CheckConnection | None = None,
) -> tuple[Plant | None, list[Fault]]:
    """The plant in a YAML (or JSON) text; None as soon as there is one fault.

    ``check_connection(connector, config)`` gives the faults of a connection's configuration, with ``where`` as a
    path inside it. Faults of structure have codes ``yaml:...`` and ``file:...``; of meaning ``plant:...``,
    ``twin:...``, ``calendar:...``, ``aggregate:...``, ``formula:...`` and the connector's own.
    """
    root, faults, file = parse(source, file)
    if root is None:
        return None, faults
    structure = Structure(root, "plant", file)
    structure.faults += faults
    read = _PlantReader(structure, known, check_connection).read()
    found = sorted(structure.faults, key=lambda f: (f.line or 0, f.column or 0))
    return (None if found else read), found


class _PlantReader:
    def __init__(self, structure: Structure, known: Known, check_connection: CheckConnection | None) -> None:
        self._structure = structure
        self._say = structure.say_of_clean
        self._known = known
        self._check_connection = check_connection
        self._data: Block = structure.clean()
        self._parties = {*self._data.get("parties", {}), *known.parties}
        self._calendars = {*self._data.get("calendars", {}), *known.calendars}
        self._twin_ids = {*self._data.get("twins", {}), *known.twins}

    def read(self) -> Plant:
        data = self._data
        calendars = [
            read_calendar(name, c, ("calendars", name), self._say) for name, c in data.get("calendars", {}).items()
        ]
        twins = {id: self._twin(id, t, ("twins", id)) for id, t in data.get("twins", {}).items()}
        self._check_serials(twins.values())
        check_tree(twins, self._say)
        read_aggregates(twins, data.get("twins", {}), self._known.types, self._structure)
        read_twin_requirements(twins, data.get("twins", {}), self._known.types, self._structure)
        connections = [self._connection(n, c, ("connections", n)) for n, c in data.get("connections", {}).items()]
        return Plant(
            name=data.get("plant", ""),
            title=data.get("title", ""),
            parties=tuple(
                Party(id, p.get("name", ""), p.get("kind", "customer"), _business(p))
                for id, p in data.get("parties", {}).items()
            ),
            calendars=tuple(calendars),
            twins=tuple(parents_first(twins)),
            connections=tuple(connections),
        )

    # twins ----------------------------------------------------------------------------------------------------

    def _twin(self, id: str, entry: Block, path: Path) -> PlantTwin:
        commissioned = read_instant(entry["commissioned"]) if "commissioned" in entry else None
        start = BEGINNING if commissioned is None else min(commissioned, _earliest(entry, commissioned))
        calendar = entry.get("calendar", "")
        if calendar and calendar not in self._calendars:
            self._unknown("calendar", calendar, self._calendars, (*path, "calendar"), "calendars")
        twin = PlantTwin(
            id=id,
            kind=self._kind(id, entry, path),
            title=entry.get("title", ""),
            serial=entry.get("serial", ""),
            dtid=entry.get("dtid", ""),
            commissioned=commissioned,
            type=self._history(entry, "type", "type", path, start),
            owner=self._history(entry, "owner", "party", path, start),
            place=self._history(entry, "place", "place", path, start),
            parent=self._history(entry, "part_of", "twin", path, start),
            calendar=calendar,
        )
        self._check_references(entry, path)
        return twin

    def _kind(self, id: str, entry: Block, path: Path) -> TwinKind:
        wrote = self._structure.wrote
        if not wrote((*path, "kind")) and not wrote((*path, "type")):
            hint = "Say its machine type (`type: mill-500@2`), or `kind:` line, factory, fleet ..."
            self._say(path, "twin:kind-missing", f"The twin {id!r} has neither type nor kind", hint, key=True)
        kind: TwinKind = entry.get("kind", "machine")
        return kind

    def _history(self, entry: Block, field: str, value_key: str, path: Path, start: int) -> History:
        said = entry.get(field)
        if said is None:
            return History()
        if isinstance(said, str):
            return History((Dated(said, start),))
        periods: list[Dated] = []
        for i, one in enumerate(said):
            place: Path = (*path, field, i)
            wrote = self._structure.wrote
            if value_key not in one or any(wrote((*place, k)) and k not in one for k in ("from", "to")):
                continue  # told already, and what follows from it would be told falsely
            begin = read_instant(one["from"]) if "from" in one else start
            end = read_instant(one["to"]) if "to" in one else None
            if end is not None and end <= begin:
                message = f"{where(place)} ends before it begins"
                self._say((*place, "to"), "twin:period-reversed", message, "Give a later day for `to`")
                continue
            previous = periods[-1] if periods else None
            if previous is not None and (
                begin <= previous.start or (previous.end is not None and begin < previous.end)
            ):
                message = f"{where(place)} overlaps the entry before it"
                hint = "Entries follow each other in time: begin it when the one before has ended"
                self._say((*place, "from") if "from" in one else place, "twin:periods-overlap", message, hint)
                continue
            if previous is not None and previous.end is None:
                periods[-1] = Dated(previous.value, previous.start, begin)
            periods.append(Dated(one[value_key], begin, end))
        return History(tuple(periods), dated=True)

    def _check_references(self, entry: Block, path: Path) -> None:
        for place, value in _values(entry, "owner", "party", path):
            if value not in self._parties:
                self._unknown("party", value, self._parties, place, "parties")
        for place, value in _values(entry, "part_of", "twin", path):
            if value not in self._twin_ids:
                self._unknown("twin", value, self._twin_ids, place, "twins")
            elif value == path[-1]:
                self._say(place, "plant:cycle", f"The twin {value!r} is part of itself", "Name another twin")
        types = self._known.types
        for place, value in _values(entry, "type", "type", path) if types is not None else ():
            if value not in (types or {}):
                name = value.partition("@")[0]
                versions = sorted(t for t in types or {} if t.partition("@")[0] == name)
                hint = f"There is {', '.join(versions)}" if versions else did_you_mean(value, types)
                hint = hint or "Register the machine type first, or check its file together with this one"
                self._say(place, "twin:type-unknown", f"There is no machine type {value!r}", hint)

    def _unknown(self, what: str, value: str, known: Iterable[str], path: Path, block: str) -> None:
        hint = did_you_mean(value, list(known)) or f"Declare it under {block}"
        self._say(path, f"twin:{what}-unknown", f"There is no {what} {value!r}", hint)

    def _check_serials(self, twins: Iterable[PlantTwin]) -> None:
        seen: dict[tuple[str, str], str] = {}
        for twin in twins:
            if not twin.serial:
                continue
            for name in {e.value.partition("@")[0] for e in twin.type.entries} or {""}:
                first = seen.setdefault((name, twin.serial), twin.id)
                if first != twin.id:
                    message = f"The twin {first!r} has the serial number {twin.serial!r} and the same type"
                    path = ("twins", twin.id, "serial")
                    self._say(path, "twin:serial-duplicate", message, "A serial number belongs to one machine")

    # connections ----------------------------------------------------------------------------------------------

    def _connection(self, name: str, entry: Block, path: Path) -> Connection:
        config = entry.get("config", {})
        secrets = [p for p in _paths(config, (*path, "config")) if _SECRET.search(str(p[-1]))]
        for place in secrets:
            message = f"{place[-1]!r} is a secret, and this file is shared and kept"
            self._say(place, "plant:secret-in-file", message, "Remove it here and set it on the running node", key=True)
        connector = entry.get("connector", "")
        if connector and self._check_connection is not None and not secrets:
            for fault in self._check_connection(connector, config):
                place = (*path, "config", *_steps(fault.where)) if fault.where else (*path, "connector")
                self._say(place, fault.code, fault.message, fault.hint)
        for key in ("twins", "reads"):
            for i, twin in enumerate(entry.get(key, ())):
                if twin not in self._twin_ids:
                    self._unknown("twin", twin, self._twin_ids, (*path, key, i), "twins")
        return Connection(name, connector, dict(config), tuple(entry.get("twins", ())), tuple(entry.get("reads", ())))


def _business(party: Block) -> Business | None:
    said = party.get("business")
    if said is None or "country" not in said:
        return None
    return Business(**{"name": party.get("name", ""), **said})


def _earliest(entry: Block, otherwise: int) -> int:
    said = entry.get("type")
    starts = [read_instant(e["from"]) for e in said if "from" in e] if isinstance(said, list) else []
    return min(starts, default=otherwise)


def _values(entry: Block, field: str, key: str, path: Path) -> Iterable[tuple[Path, str]]:
    said = entry.get(field)
    if isinstance(said, str):
        yield (*path, field), said
    for i, one in enumerate(said if isinstance(said, list) else ()):
        if key in one:
            yield (*path, field, i, key), one[key]


def _paths(value: Any, path: Path) -> Iterable[Path]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key)
            yield from _paths(child, (*path, key))
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from _paths(child, (*path, i))


def _steps(text: str) -> Path:
    found = re.findall(r"\[(\d+)\]|([^.\[\]]+)", text)
    return tuple(int(index) if index else name for index, name in found)
