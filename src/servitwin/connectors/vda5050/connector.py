"""The fleet's connection: hears its robots, runs the master, hands on what was heard as observations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from servitwin.connectors.vda5050 import answers, steer, write
from servitwin.connectors.vda5050.config import VdaConfig
from servitwin.connectors.vda5050.decode import IMPOSSIBLE, OWN, Decoded, Decoder
from servitwin.connectors.vda5050.fleet import Fleet, Say
from servitwin.connectors.vda5050.hear import hear_connection, hear_factsheet, hear_state, watch_state
from servitwin.connectors.vda5050.mqtt_link import MqttLink
from servitwin.connectors.vda5050.read import read_connection, read_factsheet, read_state
from servitwin.connectors.vda5050.store import Store
from servitwin.domain.command import Command
from servitwin.domain.error import InvalidInputError
from servitwin.domain.fleet.road_map import Graph
from servitwin.domain.instant import NS
from servitwin.sdk.connector import BrokenError, Discovered, Told

log = logging.getLogger(__name__)
STEP_S = 0.5
SOON_S = 0.05  # after a report that changes something
MOST_WAITING = 5_000  # messages that wait to become observations; beyond them positions alone are dropped
MOST_EVENTS = 200
_LEAVES = (("state", 0), ("connection", 1), ("visualization", 0), ("factsheet", 0))


class FleetConnector:
    """One fleet. ``now``: ns UTC; ``clock``: seconds that never jump."""

    def __init__(self, config: VdaConfig, now: Callable[[], int], clock: Callable[[], float]) -> None:
        self._config, self._now, self._clock = config, now, clock
        self._graph = Graph(config.map.road_map())
        self._decoder = Decoder(config.robots, self._graph)
        self._by_topic = {r.topic: r for r in config.robots}
        self._headers: dict[str, int] = {}
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._soon = asyncio.Event()
        self._fleet: Fleet | None = None
        self._store: Store | None = None
        self._link: MqttLink | None = None
        self._strangers: dict[str, Discovered] = {}
        self._told: dict[str, bytes] = {}
        self._events: list[Told] = []
        self.dropped = 0

    # -- Connector --------------------------------------------------------------------------------------------
    def decode(self, topic: str, payload: bytes, received: int) -> Decoded:
        """Batches and faults of one message; see README.md."""
        return self._decoder.decode(topic, payload, received)

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """What robots say, and what the master says of them, while it steers."""
        store = self._store = Store(Path(self._config.folder))
        c = self._config
        self._fleet = Fleet(c.robots, self._graph, c.limits, store.load(), shuttles=c.shuttles, born=self._now() // NS)
        hears = [(f"{t}/{leaf}", qos) for t in self._by_topic for leaf, qos in _LEAVES]
        hears.append(("uagv/+/+/+/connection", 1))
        self._link = MqttLink(f"{c.fleet}-master", c.broker, c.user, c.password, hears, self._hear)
        self._link.open()
        steering = asyncio.create_task(self._steer())
        try:
            while True:
                getting = asyncio.create_task(self._queue.get())
                await asyncio.wait({getting, steering}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    await steering  # it has failed: say why
                    return
                yield getting.result()
        finally:
            steering.cancel()
            await self.close()

    async def send(self, command: Command) -> None:
        """Robots are told by orders alone."""
        raise BrokenError(f"command {command.name!r}: robots get transport tasks, not commands")

    async def discover(self) -> Sequence[Discovered]:
        """Robots that speak on the broker and are not in the configuration."""
        return list(self._strangers.values())

    async def close(self) -> None:
        """End the connection to the broker."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def control(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer what the API asks; see :mod:`answers`."""
        if self._fleet is None or self._store is None:
            return answers.starting()
        said = answers.answer(self._fleet, message, self._now(), self._clock(), self._config)
        self._store.save(self._fleet.to_keep())
        self._soon.set()
        return said

    def told(self) -> Sequence[Told]:
        """Events of the fleet since it was last asked."""
        told, self._events = self._events, []
        return told

    # -- the master -------------------------------------------------------------------------------------------
    def _hear(self, topic: str, payload: bytes) -> None:
        """One message of a robot; in the event loop."""
        assert self._fleet is not None
        address, _, leaf = topic.rpartition("/")
        robot = self._by_topic.get(address)
        if robot is None:
            _, _, maker, serial = (address.split("/") + [""] * 4)[:4]
            self._strangers[address] = Discovered(f"{maker}/{serial}", serial=serial, address=address)
            return
        now, clock = self._now(), self._clock()
        why = ""
        try:
            if leaf == "state":
                hear = hear_state if self._config.steer else watch_state
                why = hear(self._fleet, robot.twin, read_state(payload), now, clock)
                self._soon.set()
            elif leaf == "factsheet":
                self._fleet.desk(robot.twin).sheet_tries = steer.SHEET_TRIES  # it has one, whatever it says
                hear_factsheet(self._fleet, robot.twin, read_factsheet(payload)[1])
            elif leaf == "connection":
                head, word = read_connection(payload)
                hear_connection(self._fleet, robot.twin, word, now, clock, head.stamp)
                self._soon.set()
        except InvalidInputError:
            log.debug("%s cannot be read, it goes to quarantine", topic)
        if self._queue.qsize() > MOST_WAITING and leaf == "visualization":
            self.dropped += 1
            return
        self._queue.put_nowait((f"{IMPOSSIBLE}{why.replace('/', ' ')}/{topic}" if why else topic, payload))

    async def _steer(self) -> None:
        assert self._fleet is not None and self._store is not None
        while True:
            says = steer.step(self._fleet, self._now(), self._clock()) if self._config.steer else []
            # Before anything is sent: a master that is killed here knows afterwards what robots may have been told.
            self._store.save(self._fleet.to_keep())
            for say in says:
                self._send(say)
            self._tell()
            try:
                await asyncio.wait_for(self._soon.wait(), STEP_S)
                await asyncio.sleep(SOON_S)
            except TimeoutError:
                pass
            self._soon.clear()

    def _send(self, say: Say) -> None:
        if self._link is None:
            return
        leaf = "order" if say.order is not None else "instantActions"
        topic = f"{say.robot.topic}/{leaf}"
        number = self._headers[topic] = self._headers.get(topic, 0) + 1
        if say.order is not None:
            payload = write.order(say.robot, number, self._now(), say.order)
        else:
            payload = write.instant_actions(say.robot, number, self._now(), list(say.actions))
        self._link.publish(topic, payload)

    def _tell(self) -> None:
        """Events and figures as observations of the fleet's twin, each robot's status as its own."""
        fleet = self._fleet
        assert fleet is not None
        now = self._now()
        for event in fleet.events.take():
            values = {
                "event": event.text,
                "event.kind": event.kind,
                "event.weight": event.weight,
                "event.robot": event.robot,
            }
            self._own(self._config.fleet, event.at, values)
            told = Told(self._config.fleet, event.at, msgspec.to_builtins(event))
            self._events = [*self._events[-MOST_EVENTS:], told]
        for twin, values in answers.figures(fleet, self._config.fleet, now, self._clock()).items():
            content = msgspec.json.encode(values)
            if self._told.get(twin) != content:
                self._told[twin] = content
                self._own(twin, now, values)

    def _own(self, twin: str, at: int, values: Mapping[str, Any]) -> None:
        self._queue.put_nowait((f"{OWN}{twin}", msgspec.json.encode({"time": at, "values": values})))
