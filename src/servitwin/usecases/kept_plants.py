"""What the records keep of imported plants beside their twins."""

from __future__ import annotations

import msgspec

from servitwin.formats.plant import Connection
from servitwin.usecases.ports import Records

PLANTS = "plants"  # the setting they are kept in


class KeptPlant(msgspec.Struct):
    """What is kept of a plant beside its twins: which of them the file declared, and its connections.

    ``requirements``: names of those that the file added to a twin, by its id.
    """

    title: str = ""
    twins: list[str] = []
    connections: list[Connection] = []
    requirements: dict[str, list[str]] = {}


def kept_plants(records: Records) -> dict[str, KeptPlant]:
    """Plants that were imported, by name."""
    text = records.setting(PLANTS)
    return {} if text is None else msgspec.json.decode(text, type=dict[str, KeptPlant])


def is_mapped(connection: Connection) -> bool:
    """Whether ingest itself reads what the connection says, so that it needs no process and no restart."""
    return connection.connector == "mqtt"


def connections(records: Records) -> list[Connection]:
    """Connections of all plants that were imported."""
    return [c for plant in kept_plants(records).values() for c in plant.connections]
