"""What happened in a fleet and what was done about it, in words for people."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

Weight = Literal["info", "warning", "alarm"]
KEPT_EVENTS = 300


class FleetEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event. ``kind``: a stable word for programs; ``text``: what happened, why, and what is done about it."""

    number: int
    at: int
    kind: str
    text: str
    weight: Weight = "info"
    robot: str = ""
    place: str = ""


class Events:
    """Events of a fleet, the last ones kept; new ones wait to be told."""

    def __init__(self, kept: list[FleetEvent]) -> None:
        self.kept: deque[FleetEvent] = deque(kept, KEPT_EVENTS)
        self._number = kept[-1].number if kept else 0
        self._new: list[FleetEvent] = []

    def note(self, at: int, kind: str, text: str, *, weight: Weight = "info", robot: str = "", place: str = "") -> None:
        """Something happened at ``at`` (ns UTC)."""
        self._number += 1
        event = FleetEvent(self._number, at, kind, text, weight, robot, place)
        self.kept.append(event)
        self._new.append(event)

    def take(self) -> list[FleetEvent]:
        """Events that nobody has been told yet."""
        new, self._new = self._new, []
        return new
