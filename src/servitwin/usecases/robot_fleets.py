"""Fleets of mobile robots: whose they are, which connection is their master, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from servitwin.domain.error import (
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    ServitwinError,
    UnavailableError,
)
from servitwin.domain.party import Actor
from servitwin.domain.twin import Twin
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Action, Authoriser
from servitwin.usecases.kept_plants import connections
from servitwin.usecases.ports import Bus, Records
from servitwin.usecases.registry import Registry

Json = dict[str, Any]
_ASK_S = 5.0
_ERRORS: Mapping[str, type[ServitwinError]] = {
    "InvalidInputError": InvalidInputError,
    "NotFoundError": NotFoundError,
    "ConflictError": ConflictError,
}


class RobotFleets:
    """What a person or program may see and ask of fleets of robots. A fleet is known by the id of its twin."""

    def __init__(self, records: Records, registry: Registry, authoriser: Authoriser, bus: Bus, audit: Audit) -> None:
        self._records = records
        self._registry = registry
        self._authoriser = authoriser
        self._bus = bus
        self._audit = audit

    def all(self, me: Actor) -> list[tuple[Twin, str]]:
        """Twins of the fleets that the caller may read, each with the connection of its master."""
        found = []
        for connection in connections(self._records):
            name = connection.config.get("fleet")
            twin = self._registry.by_id(name) if isinstance(name, str) else None
            if twin is not None and twin.kind == "fleet" and self._authoriser.may(me, "read", twin):
                found.append((twin, connection.name))
        return sorted(found, key=lambda f: f[0].id)

    async def ask(self, me: Actor, fleet: str, message: Mapping[str, Any], action: Action = "read") -> Json:
        """Ask the master of a fleet.

        Args:
            me: who asks.
            fleet: id of the fleet's twin.
            message: what the master is asked (``do``, and what belongs to it).
            action: what the caller must be permitted to do with the fleet; all but ``read`` is noted in the audit.

        Raises:
            NotFoundError: ``fleet:unknown``, or what the master does not know.
            RefusedError: ``access:not-permitted``.
            UnavailableError: ``fleet:silent`` while its process does not answer.
            InvalidInputError, ConflictError: what the master says is wrong.
        """
        found = next((f for f in self.all(me) if f[0].id == fleet), None)
        if found is None:
            raise NotFoundError(Fault("fleet:unknown", f"There is no fleet {fleet[:60]!r}", "GET /api/v1/fleets", "id"))
        twin, connection = found
        self._authoriser.require(me, action, twin)
        try:
            said = await self._bus.request(f"plugin.{connection}.control", msgspec.json.encode(message), _ASK_S)
        except UnavailableError as e:
            hint = f"See connection {connection} under system health"
            raise UnavailableError(Fault("fleet:silent", f"The master of {fleet} does not answer", hint)) from e
        answer = msgspec.json.decode(said, type=Json)
        if "faults" in answer:
            faults = msgspec.convert(answer["faults"], list[Fault])
            raise _ERRORS.get(str(answer.get("error")), UnavailableError)(faults)
        if action != "read":
            self._audit.note(me, "fleet.order", fleet, message)
        result: Json = answer["answer"]
        return result
