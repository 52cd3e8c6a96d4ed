"""Simulated robots on the real broker: each is an MQTT client of its own and knows nothing of the master."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from servitwin.connectors.vda5050 import write
from servitwin.connectors.vda5050.config import Simulate, VdaConfig, simulated_place
from servitwin.connectors.vda5050.decode import Decoded, Decoder
from servitwin.connectors.vda5050.mqtt_link import MqttLink
from servitwin.connectors.vda5050.simulated_robot import FAULTS, USUAL_FASTEST_M_S, SimulatedRobot
from servitwin.domain.command import Command
from servitwin.domain.error import Fault
from servitwin.domain.fleet.road_map import Graph
from servitwin.sdk.connector import BrokenError, Discovered

log = logging.getLogger(__name__)
STEP_S = 0.1
STATE_S = 1.0  # at least so often while it drives, and
REST_S = 10.0  # while it stands (VDA 5050: at least every 30 s)
SHOW_S = 0.5  # a visualization message while it drives
SAVE_S = 5.0
SIZE_M = (0.9, 0.6)


class _Where(msgspec.Struct):
    """What outlives the process: robots do not jump when their simulation is started again."""

    place: str
    x: float
    y: float
    theta: float
    battery: float
    loads: int = 0


class SimulatedFleet:
    """Runs the simulated robots of one connection. ``now``: ns UTC; ``clock``: seconds that never jump."""

    def __init__(self, config: VdaConfig, now: Callable[[], int], clock: Callable[[], float]) -> None:
        self._config, self._now, self._clock = config, now, clock
        self._simulate: Simulate = config.simulate or Simulate(())
        self._graph = Graph(config.map.road_map())
        self._fastest = config.limits.fastest_m_s
        robots = [r.robot for r in self._simulate.robots]
        self._decoder = Decoder(robots, self._graph)
        self._robots = {r.twin: self._new(r.twin) for r in robots}
        self._links: dict[str, MqttLink] = {}
        self._headers: dict[str, int] = {}
        self._said: dict[str, tuple[float, float]] = {}
        self._away: set[str] = set()
        self._since: dict[tuple[str, str], int] = {}

    def _new(self, twin: str) -> SimulatedRobot:
        c = next(r for r in self._simulate.robots if r.twin == twin)
        p, g = simulated_place(c, self._graph), self._graph
        return SimulatedRobot(
            c.robot, g.ids[p], g.x[p], g.y[p], map_id=g.road_map.id, battery=c.battery,
            fastest=c.fastest or min(USUAL_FASTEST_M_S, self._fastest),
        )  # fmt: skip

    # -- Connector --------------------------------------------------------------------------------------------
    def decode(self, topic: str, payload: bytes, received: int) -> Decoded:
        """As the master decodes; nothing comes in here."""
        return self._decoder.decode(topic, payload, received)

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """Nothing: the robots speak to the broker."""
        return
        yield  # what makes this an iterator

    async def send(self, command: Command) -> None:
        """Robots hear orders alone."""
        raise BrokenError(f"command {command.name!r}: robots hear the orders of their master")

    async def discover(self) -> Sequence[Discovered]:
        """Its own robots."""
        return [Discovered(t, serial=r.robot.serial) for t, r in self._robots.items()]

    async def close(self) -> None:
        """Every robot signs off."""
        for twin, link in self._links.items():
            robot = self._robots[twin].robot
            link.close((f"{robot.topic}/connection", write.connection(robot, self._next(twin), self._now(), "OFFLINE")))
        self._links = {}

    # -- Runner -----------------------------------------------------------------------------------------------
    async def run(self, stop: asyncio.Event) -> None:
        """Step until ``stop``."""
        path = Path(self._config.folder) / "robots.json"
        self._load(path)
        for twin in self._robots:
            self._open(twin)
        before, saved = self._clock(), 0.0
        try:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), STEP_S)
                clock = self._clock()
                self._step(min(clock - before, 1.0) * self._simulate.speed, clock)
                before = clock
                if clock - saved > SAVE_S:
                    saved = clock
                    self._save(path)
        finally:
            self._save(path)
            await self.close()

    def _open(self, twin: str) -> None:
        r, c = self._robots[twin], self._config
        topic = r.robot.topic
        will = write.connection(r.robot, 0, self._now(), "CONNECTION_BROKEN")
        link = self._links[twin] = MqttLink(
            f"{twin}-robot", c.broker, c.user, c.password,
            [(f"{topic}/order", 0), (f"{topic}/instantActions", 0)],
            lambda t, p: self._hear(twin, t, p),
            will=(f"{topic}/connection", will),
            on_connected=lambda: self._hello(twin),
        )  # fmt: skip
        link.open()

    def _hello(self, twin: str) -> None:
        r, link = self._robots[twin], self._links.get(twin)
        if link is None:
            return
        word = write.connection(r.robot, self._next(twin), self._now(), "ONLINE")
        link.publish(f"{r.robot.topic}/connection", word, 1, retain=True)
        self._show_sheet(twin)
        r.changed = True

    def _show_sheet(self, twin: str) -> None:
        r, link = self._robots[twin], self._links.get(twin)
        if link is None:
            return
        sheet = write.factsheet(r.robot, self._next(twin), self._now(), r.fastest, SIZE_M)
        link.publish(f"{r.robot.topic}/factsheet", sheet, 0, retain=True)

    def _hear(self, twin: str, topic: str, payload: bytes) -> None:
        r = self._robots[twin]
        if topic.endswith("/order"):
            r.hear_order(payload)
        else:
            r.hear_instant_actions(payload)
            if r.sheet_asked:
                r.sheet_asked = False
                self._show_sheet(twin)

    def _next(self, twin: str) -> int:
        self._headers[twin] = self._headers.get(twin, 0) + 1
        return self._headers[twin]

    def _step(self, dt: float, clock: float) -> None:
        for twin, r in self._robots.items():
            r.step(dt)
            self._follow_network(twin, r)
            link = self._links[twin]
            if not link.connected:
                continue
            state_at, shown_at = self._said.get(twin, (-1e9, -1e9))
            driving = r.moves
            if r.changed or clock - state_at > (STATE_S if driving else REST_S):
                r.changed = False
                state = r.state(self._next(twin), self._now())
                link.publish(f"{r.robot.topic}/state", write.state(r.robot, self._now(), state))
                self._said[twin] = (clock, clock)
            elif driving and clock - shown_at > SHOW_S:
                state = r.state(self._headers.get(twin, 0), self._now())
                shown = write.visualization(r.robot, self._next(twin), self._now(), state)
                link.publish(f"{r.robot.topic}/visualization", shown)
                self._said[twin] = (state_at, clock)

    def _follow_network(self, twin: str, r: SimulatedRobot) -> None:
        gone = "network" in r.faults
        if gone and twin not in self._away:
            self._away.add(twin)
            self._links[twin].cut()
        elif not gone and twin in self._away:
            self._away.discard(twin)
            self._links[twin].open()

    # -- the tray of faults -----------------------------------------------------------------------------------
    def control(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """``{"do": "list"}``, or ``inject`` and ``mend`` with ``twin`` and ``fault``."""
        do = message.get("do")
        if do in ("inject", "mend"):
            robot, fault = self._robots.get(str(message.get("twin"))), str(message.get("fault"))
            if robot is None or fault not in FAULTS:
                wrong = Fault("simulator:fault-unknown", f"No fault {fault[:60]!r}", "Ask with do: list")
                return {"faults": [msgspec.to_builtins(wrong)]}
            if do == "inject":
                robot.faults.add(fault)
                self._since[robot.robot.twin, fault] = self._now()
            else:
                robot.faults.discard(fault)
            robot.changed = True
        elif do != "list":
            wrong = Fault("simulator:order-unknown", f"{do!r} is no order", "list, inject or mend")
            return {"faults": [msgspec.to_builtins(wrong)]}
        return {
            "faults": [
                {
                    "twin": twin, "fault": fault, "title": title, "component": "",
                    "active": fault in r.faults,
                    "since": self._since.get((twin, fault)) if fault in r.faults else None,
                }
                for twin, r in self._robots.items()
                for fault, title in FAULTS.items()
            ]
        }  # fmt: skip

    # -- what outlives the process ----------------------------------------------------------------------------
    def _save(self, path: Path) -> None:
        kept = {t: _Where(r.last_node, r.x, r.y, r.theta, r.battery, r.loads) for t, r in self._robots.items()}
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(kept))
        fresh.replace(path)

    def _load(self, path: Path) -> None:
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=dict[str, _Where])
        except FileNotFoundError:
            return
        except msgspec.DecodeError as e:
            log.warning("%s cannot be read, robots start where they are configured: %s", path, e)
            return
        for twin, where in kept.items():
            r = self._robots.get(twin)
            if r is not None and where.place in self._graph.index:
                # A robot that was between two places is pushed back to the last one, as a person would do it.
                at = self._graph.index[where.place]
                r.last_node, r.x, r.y, r.theta = where.place, self._graph.x[at], self._graph.y[at], where.theta
                r.battery, r.loads = where.battery, where.loads
