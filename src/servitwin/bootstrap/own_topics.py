"""MQTT topics of protocols that have their own: whose process and whose machines may use them on the broker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from servitwin.domain.error import Fault
from servitwin.formats.plant import Connection
from servitwin.sdk.connector import Batch, DecodeFault, Topics
from servitwin.sdk.discovery import plugin
from servitwin.sdk.topic import filters_overlap
from servitwin.usecases.kept_plants import connections, is_mapped
from servitwin.usecases.ports import Records

log = logging.getLogger("servitwin.topics")
_HINT = "Publish to servitwin/{twin}/observations, or add a mapping"


def process_topics(connection: Connection) -> Topics:
    """Topics of the connection's own process; none where its protocol has none."""
    return _asked(connection, lambda module: module.topics(connection.config))


def machine_topics(records: Records, twins: Sequence[str]) -> Topics:
    """Topics of machines with credentials of their own, of all connections that speak for their twins."""
    parts = [
        _asked(c, _of_machine(c, t))
        for c in connections(records)
        if not is_mapped(c)
        for t in twins
        if not c.twins or t in c.twins
    ]
    return Topics(tuple(t for p in parts for t in p.speaks), tuple(t for p in parts for t in p.hears))


def _of_machine(connection: Connection, twin: str) -> Callable[[Any], Topics]:
    return lambda module: module.machine_topics(connection.config, twin)


def heard_elsewhere(records: Records) -> list[str]:
    """Topic filters that processes of connections hear themselves, so that ingest has no business with them."""
    parts = [process_topics(c) for c in connections(records) if not is_mapped(c)]
    return list(dict.fromkeys(t for p in parts for t in (*p.speaks, *p.hears)))


class Elsewhere:
    """Decodes nothing of those topics, and says that this is right."""

    def __init__(self, filters: Sequence[str]) -> None:
        self._filters = tuple(filters)

    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """Nothing where a process hears the topic itself, else ``topic:unknown``."""
        if any(filters_overlap(topic, f) for f in self._filters):
            return [], []
        return [], [
            DecodeFault(Fault("topic:unknown", f"Nothing is known about topic {topic[:200]!r}", _HINT, topic[:200]))
        ]


def _asked(connection: Connection, ask: Callable[[Any], Topics]) -> Topics:
    try:
        found = plugin("connector", connection.connector)
        return ask(found.load()) if found.manifest.own_topics else Topics()
    except Exception as e:  # noqa: BLE001 - a partner's code: what it raises keeps nobody else from the broker
        log.error("connection %s has no topics of its own: %s: %s", connection.name, type(e).__name__, e)
        return Topics()
