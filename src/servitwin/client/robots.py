"""The client's calls for fleets of mobile robots."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from servitwin.client.http import Connection

Json = dict[str, Any]


def _fleet(id: str, *rest: str) -> str:
    return "/".join(["/fleets", quote(id, safe=""), *(quote(r, safe="") for r in rest)])


class RobotCalls:
    """What a :class:`servitwin.client.Client` can do about robots. A fleet is named by the id of its twin."""

    _api: Connection

    def fleets(self) -> list[Json]:
        """Fleets that the caller may read."""
        return list(self._api.call("GET", "/fleets", dict)["items"])

    def robots(self) -> list[Json]:
        """Robots of all fleets."""
        return list(self._api.call("GET", "/robots", dict)["items"])

    def fleet(self, id: str) -> Json:
        """A fleet now: robots, tasks, zones, events."""
        return self._api.call("GET", _fleet(id), dict)

    def add_transport_task(self, fleet: str, task: Json) -> Json:
        """Ask for a transport (``id``, ``from``, ``to``, ``priority``, ``load``, ``due``)."""
        return self._api.call("POST", _fleet(fleet, "tasks"), dict, body=task)

    def cancel_transport_task(self, fleet: str, task: str, reason: str = "") -> Json:
        """Give a transport up."""
        return self._api.call("POST", _fleet(fleet, "tasks", task, "cancel"), dict, body={"reason": reason})

    def close_zone(self, fleet: str, zone: Json) -> Json:
        """Close places (``id``, ``places``, ``kind`` blocked or person, ``reason``)."""
        return self._api.call("POST", _fleet(fleet, "zones"), dict, body=zone)

    def open_zone(self, fleet: str, zone: str) -> Json:
        """Open a zone again."""
        return self._api.call("DELETE", _fleet(fleet, "zones", zone), dict)

    def trust_robot(self, fleet: str, robot: str) -> Json:
        """Say that somebody has looked at a robot whose positions were not believed."""
        return self._api.call("POST", _fleet(fleet, "robots", robot, "trust"), dict)
