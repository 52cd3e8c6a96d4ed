"""Configuration of a connection: a fleet with its map and its master, or simulated robots."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.connectors.vda5050.message import VERSIONS, Robot
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.fleet.road_map import Graph, Place, RoadMap, Way, checked_map, grid_map
from servitwin.domain.fleet.scheduled import ScheduleStations
from servitwin.domain.twin import TWIN_ID


class MapConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A map: rows of square cells, or places and ways. Cells are [column, row] from the upper left."""

    id: str = "hall"
    rows: tuple[str, ...] = ()
    cell_m: float = 2.0
    places: tuple[Place, ...] = ()
    ways: tuple[Way, ...] = ()
    stations: dict[str, tuple[int, int] | str] = {}
    chargers: tuple[tuple[int, int] | str, ...] = ()
    parking: tuple[tuple[int, int] | str, ...] = ()

    def road_map(self) -> RoadMap:
        """The map.

        Raises:
            InvalidInputError: all that is wrong with it.
        """
        if bool(self.rows) == bool(self.places):
            raise InvalidInputError(Fault("map:empty", "Give rows, or places and ways", "See README.md", "map"))
        if not self.rows:
            named = {k: _name(v) for k, v in self.stations.items()}
            spots = [tuple(_name(c) for c in cells) for cells in (self.chargers, self.parking)]
            return checked_map(RoadMap(self.id, self.places, self.ways, named, *spots))
        if not 0.1 <= self.cell_m <= 100:
            raise InvalidInputError(Fault("map:cell", f"cell_m is {self.cell_m}", "0.1 to 100 m", "map.cell_m"))
        grid = grid_map(self.rows, map_id=self.id, cell_m=self.cell_m)
        named = {k: _name(v) for k, v in self.stations.items()}
        spots = [tuple(_name(c) for c in cells) for cells in (self.chargers, self.parking)]
        return checked_map(msgspec.structs.replace(grid, stations=named, chargers=spots[0], parking=spots[1]))


def _name(cell: tuple[int, int] | str) -> str:
    return cell if isinstance(cell, str) else f"{cell[0]}-{cell[1]}"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules of a fleet.

    Attributes:
        fastest_m_s: no robot is faster; ``nearest_m``: middles of two robots nearer than that touch.
        silent_s: a robot that says nothing for so long is lost (VDA 5050: at least every 30 s).
        ahead: places released in front of a robot.
        low, critical, full: battery in percent: goes to charge after its task, at once, and is done.
        load_type: ``loadType`` of the actions pick and drop.
    """

    fastest_m_s: float = 2.0
    nearest_m: float = 0.7
    silent_s: float = 35.0
    ahead: int = 3
    low: float = 25.0
    critical: float = 13.0
    full: float = 85.0
    load_type: str = "tray"


class Shuttle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transport that comes again and again: a task every ``every_s`` seconds while fewer than ``most`` are open."""

    origin: str
    target: str
    every_s: float = 60.0
    most: int = 2
    load: str = ""


class SimulatedConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated robot. ``start``: place it first stands on; ``fastest``: m/s, as its factsheet says; 0: usual."""

    twin: str
    manufacturer: str
    serial: str
    start: tuple[int, int] | str
    version: str = "2.1.0"
    battery: float = 80.0
    fastest: float = 0.0

    @property
    def robot(self) -> Robot:
        """Who it is."""
        return Robot(self.twin, self.manufacturer, self.serial, self.version)


class Simulate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Simulated robots; ``speed``: simulated seconds per second."""

    robots: tuple[SimulatedConfig, ...]
    speed: float = 1.0


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Address of the MQTT broker; ``certificate``: PEM file of the one it must have, where it speaks TLS."""

    host: str = "127.0.0.1"
    port: int = 1883
    certificate: str = ""


class VdaConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of one connection: ``fleet`` (its twin) with ``robots``, or ``simulate``; and their ``map``.

    ``steer`` false: another master steers these robots; they are only heard, and who has credentials for the fleet's
    twin may speak as that master.

    ``broker``, ``user``, ``password``, ``folder`` are added by the worker.
    """

    map: MapConfig
    fleet: str = ""
    robots: tuple[Robot, ...] = ()
    steer: bool = True
    limits: Limits = Limits()
    shuttles: tuple[Shuttle, ...] = ()
    schedule: ScheduleStations | None = None
    simulate: Simulate | None = None
    broker: Broker = Broker()
    user: str = ""
    password: str = ""
    folder: str = ""


def read_config(raw: Any) -> VdaConfig:
    """The configuration.

    Raises:
        InvalidInputError: all that is wrong with it.
    """
    try:
        config = msgspec.convert(raw, VdaConfig, strict=False)
    except msgspec.ValidationError as e:
        hint = "Compare it with README.md of the vda5050 plugin"
        raise InvalidInputError(Fault("vda5050:config-wrong", str(e), hint)) from e
    faults: list[Fault] = []
    graph = None
    try:
        graph = Graph(config.map.road_map())
    except InvalidInputError as e:
        faults += e.faults
    if (config.simulate is None) == (not config.fleet):
        faults.append(Fault("vda5050:config-wrong", "Name a fleet, or simulate robots", "One of the two", "fleet"))
    if config.fleet and not TWIN_ID.match(config.fleet):
        faults.append(Fault("vda5050:twin-wrong", f"{config.fleet!r} is no twin id", "Use a-z, 0-9, - and _", "fleet"))
    robots = [*config.robots, *(r.robot for r in (config.simulate.robots if config.simulate else ()))]
    if not robots:
        faults.append(Fault("vda5050:no-robot", "No robot is named", "Add one to robots", "robots"))
    faults += _faults_of_robots(robots)
    if graph is not None:
        for i, shuttle in enumerate(config.shuttles):
            for name in (shuttle.origin, shuttle.target):
                if not graph.places_of([name]):
                    faults.append(Fault("map:place-unknown", f"{name!r} is no station", "Name one", f"shuttles[{i}]"))
        faults += _faults_of_schedule(config, graph)
        for i, r in enumerate(config.simulate.robots if config.simulate else ()):
            if not graph.places_of([_name(r.start)]):
                where = f"simulate.robots[{i}].start"
                faults.append(Fault("map:place-unknown", f"{_name(r.start)!r} is no place", "Name a free cell", where))
    for i, r in enumerate(config.simulate.robots if config.simulate else ()):
        if not 0 <= r.fastest <= config.limits.fastest_m_s:
            hint = f"0 (usual), up to limits.fastest_m_s ({config.limits.fastest_m_s:g} m/s)"
            where = f"simulate.robots[{i}].fastest"
            faults.append(Fault("vda5050:config-wrong", f"fastest is {r.fastest}", hint, where))
    if faults:
        raise InvalidInputError(faults)
    return config


def _faults_of_schedule(config: VdaConfig, graph: Graph) -> list[Fault]:
    s = config.schedule
    if s is None:
        return []
    named = {**{f"stations.{m}": n for m, n in s.stations.items()}, "store": s.store, "finished": s.finished}
    faults = [
        Fault("map:place-unknown", f"{name!r} is no station", "Name one", f"schedule.{key}")
        for key, name in named.items()
        if name and not graph.places_of([name])
    ]
    if not config.steer:
        hint = "Leave schedule out, or steer the fleet"
        faults.append(Fault("fleet:steered-elsewhere", "Another master gives the tasks", hint, "schedule"))
    if not 0 <= s.lead_minutes <= 24 * 60:
        hint = "0 to 1440 minutes"
        faults.append(Fault("vda5050:config-wrong", f"lead_minutes is {s.lead_minutes}", hint, "schedule.lead_minutes"))
    return faults


def _faults_of_robots(robots: list[Robot]) -> list[Fault]:
    faults = []
    seen: set[str] = set()
    for i, r in enumerate(robots):
        where = f"robots[{i}]"
        if not TWIN_ID.match(r.twin):
            faults.append(Fault("vda5050:twin-wrong", f"{r.twin!r} is no twin id", "Use a-z, 0-9, - and _", where))
        for part in (r.manufacturer, r.serial):
            if not part or any(c in part for c in "/+#$ .*>"):
                hint = "One level of an MQTT topic: letters, digits, - and _"
                faults.append(Fault("vda5050:name-wrong", f"{part!r} cannot be part of a topic", hint, where))
        if r.version not in VERSIONS:
            hint = f"One of {', '.join(VERSIONS)}"
            faults.append(Fault("vda5050:version-unknown", f"Version {r.version!r} is not spoken", hint, where))
        for name in (r.twin, f"{r.manufacturer}/{r.serial}"):
            if name in seen:
                faults.append(Fault("vda5050:robot-twice", f"{name} is named twice", "Name each robot once", where))
            seen.add(name)
    return faults


def simulated_place(config: SimulatedConfig, graph: Graph) -> int:
    """Number of the place where a simulated robot first stands."""
    return graph.places_of([_name(config.start)])[0]
