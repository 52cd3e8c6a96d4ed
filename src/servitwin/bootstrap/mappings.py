"""Mappings of foreign MQTT topics: the connections of the plant that no process of their own runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from servitwin.connectors.mqtt import plugin as mqtt
from servitwin.engines.bus.credentials import subjects_of
from servitwin.sdk.connector import Connector
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.usecases.ports import Records

log = logging.getLogger("servitwin.mappings")
Config = Mapping[str, Any]


def mapping_configs(records: Records) -> list[Config]:
    """Configurations of the plant's connections of connector mqtt, each with the twins it speaks for.

    One that has a fault (kept by an earlier version, perhaps) is left out and told: the others still work.
    """
    found: list[Config] = []
    for connection in connections(records):
        if not is_mapped(connection):
            continue
        config = {**connection.config, **({"twins": list(connection.twins)} if connection.twins else {})}
        faults = mqtt.check(config)
        for fault in faults:
            log.error("connection %s is left out: %s", connection.name, fault)
        if not faults:
            found.append(config)
    return found


def decoders(configs: Sequence[Config]) -> list[Connector]:
    """The connectors that ingest asks in turn: servitwin's own topics first, then each connection's mappings."""
    return [mqtt.connect({}), *(mqtt.connect(c) for c in configs)]


def topics(config: Config, twin: str) -> Sequence[str]:
    """Topic filters on which a machine of that twin may publish."""
    return mqtt.topics(config, twin)


def foreign_subjects(configs: Sequence[Config]) -> tuple[str, ...]:
    """Subjects of the bus on which machines speak with foreign topics.

    By first level, which a filter always spells out: so that none overlaps another and nothing is heard twice.
    """
    first = sorted({t.partition("/")[0] for c in configs for t in mqtt.foreign_topics(c)})
    return tuple(s for level in first for s in subjects_of(f"{level}/#"))
