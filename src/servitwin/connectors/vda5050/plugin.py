"""Door of the plugin: checks a configuration and makes the fleet's master, or simulated robots."""

from __future__ import annotations

import time
from collections.abc import Sequence

from servitwin.connectors.vda5050.config import read_config
from servitwin.connectors.vda5050.message import Robot
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.sdk.connector import Config, Connector, Topics

_ROBOT_SAYS = ("state", "connection", "visualization", "factsheet")
_MASTER_SAYS = ("order", "instantActions")
_ANYBODY = "uagv/+/+/+/connection"  # by which a master finds out who is there


def check(config: Config) -> Sequence[Fault]:
    """All faults of a configuration at once."""
    try:
        read_config(dict(config))
    except InvalidInputError as e:
        return e.faults
    return []


def connect(config: Config) -> Connector:
    """The master of a fleet, or simulated robots, of a checked configuration.

    Raises:
        InvalidInputError: the configuration was not checked, or its faults were ignored.
    """
    from servitwin.connectors.vda5050.connector import FleetConnector  # noqa: PLC0415 - others only ask for topics
    from servitwin.connectors.vda5050.simulated_fleet import SimulatedFleet  # noqa: PLC0415

    read = read_config(dict(config))
    if read.simulate is not None:
        return SimulatedFleet(read, time.time_ns, time.monotonic)
    return FleetConnector(read, time.time_ns, time.monotonic)


def topics(config: Config) -> Topics:
    """MQTT topics on which the connection's process speaks and hears.

    Raises:
        InvalidInputError: the configuration has faults.
    """
    read = read_config(dict(config))
    if read.simulate is not None:
        return _joined([_robot_topics(r.robot) for r in read.simulate.robots])
    both = _joined([_robot_topics(r) for r in read.robots])
    return Topics(both.hears if read.steer else (), (*both.speaks, _ANYBODY))


def machine_topics(config: Config, twin: str) -> Topics:
    """MQTT topics on which the robot of that twin speaks and hears, by credentials of its own.

    A fleet that is steered by another master: credentials for the fleet's twin are those of that master.

    Raises:
        InvalidInputError: the configuration has faults.
    """
    read = read_config(dict(config))
    if twin == read.fleet:
        both = _joined([_robot_topics(r) for r in read.robots])
        return Topics() if read.steer else Topics(both.hears, (*both.speaks, _ANYBODY))
    return _joined([_robot_topics(r) for r in read.robots if r.twin == twin])


def _robot_topics(robot: Robot) -> Topics:
    says = tuple(f"{robot.topic}/{leaf}" for leaf in _ROBOT_SAYS)
    return Topics(says, tuple(f"{robot.topic}/{leaf}" for leaf in _MASTER_SAYS))


def _joined(parts: Sequence[Topics]) -> Topics:
    return Topics(tuple(t for p in parts for t in p.speaks), tuple(t for p in parts for t in p.hears))
