"""What connectors tell of their twins becomes events of the node: kept, on the event stream, and over MQTT."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from servitwin.sdk.connector import Told
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

log = logging.getLogger(__name__)
MOST = 100  # events taken of one message
MOST_BYTES = 4_000  # of one event


class KeepPluginEvents:
    """Takes events of connections' processes; ``publish`` takes a bus subject and a payload.

    The kind of an event is the connector's name, so that none passes for an event of the node itself, and a connection
    is heard on the twins it speaks for alone.
    """

    def __init__(self, records: Records, registry: Registry, publish: Callable[[str, bytes], None]) -> None:
        self._records = records
        self._registry = registry
        self._publish = publish

    def heard(self, subject: str, payload: bytes) -> None:
        """Events of ``plugin.CONNECTION.told``."""
        name = subject.split(".")[1]
        connection = next((c for c in connections(self._records) if c.name == name), None)
        try:
            told = msgspec.json.decode(payload, type=list[Told])
        except msgspec.DecodeError as e:
            log.warning("%s tells events that cannot be read: %s", name, e)
            return
        if connection is None:
            return
        kind = connection.connector.replace("_", "-")
        for one in told[:MOST]:
            twin = self._registry.by_id(one.twin)
            if twin is None or (connection.twins and twin.id not in connection.twins):
                continue
            if len(msgspec.json.encode(one.data)) > MOST_BYTES:
                continue
            number = self._records.add_event(kind, twin.id, one.at, one.data)
            event = {"id": number, "kind": kind, "subject": twin.id, "at": one.at, "data": one.data}
            self._publish("happened", msgspec.json.encode(event))
