"""Time of state: every nanosecond of a machine's calendar belongs to exactly one state."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Canonical states. ``docs/concepts/state.md`` maps each of them to every formula."""

    PRODUCING = "producing"
    SETUP = "setup"
    STANDBY = "standby"
    STARVED = "starved"
    BLOCKED = "blocked"
    FAILED = "failed"
    REPAIR = "repair"
    PREVENTIVE = "preventive"
    PLANNED_STOP = "planned_stop"
    EXTERNAL = "external"
    OFF = "off"
    UNKNOWN = "unknown"


class StateInterval(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch [start, end) of one state, with its cause and responsible party as far as they are known.

    ``word`` is the machine's own word. ``party`` empty means unattributed. ``reason`` says why a state is unknown
    (``no-data``, ``stale``, ``unavailable``, ``declared-gap``, ``disconnected``).
    """

    start: int
    end: int
    state: State
    cause: str = ""
    party: str = ""
    word: str = ""
    reason: str = ""

    @property
    def duration(self) -> int:
        """Length in nanoseconds."""
        return self.end - self.start


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch for which a source declares that data are missing; it overrides what was observed."""

    start: int
    end: int
    reason: str
    source: str = ""
