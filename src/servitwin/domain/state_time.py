"""Time of state: every nanosecond of a machine's calendar belongs to exactly one state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    (``no-data``, ``stale``, ``unavailable``, ``declared-gap``, ``disconnected``; ``no-mapping``: the type says
    nothing about states; ``no-rule``: no rule applied; ``rule``: a rule says so; ``not-yet``: still to come;
    ``no-constraint``: a line whose constraint is not known).
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


def totals(intervals: Iterable[StateInterval]) -> dict[State, int]:
    """Nanoseconds per state; only states that occur."""
    sums: dict[State, int] = {}
    for interval in intervals:
        sums[interval.state] = sums.get(interval.state, 0) + interval.end - interval.start
    return sums


def clip(intervals: Sequence[StateInterval], start: int, end: int) -> list[StateInterval]:
    """The parts of the intervals inside [start, end)."""
    inside = []
    for i in intervals:
        if i.end > start and i.start < end:
            whole = start <= i.start and i.end <= end
            inside.append(i if whole else msgspec.structs.replace(i, start=max(i.start, start), end=min(i.end, end)))
    return inside


def join(parts: Iterable[Sequence[StateInterval]]) -> list[StateInterval]:
    """Consecutive lists as one, merged where an interval goes on with everything the same."""
    joined: list[StateInterval] = []
    for part in parts:
        for interval in part:
            last = joined[-1] if joined else None
            if last is not None and last.end == interval.start and same_kind(last, interval):
                joined[-1] = msgspec.structs.replace(last, end=interval.end)
            else:
                joined.append(interval)
    return joined


def same_kind(a: StateInterval, b: StateInterval) -> bool:
    """Whether two intervals differ in nothing but their time."""
    return (a.state, a.cause, a.party, a.word, a.reason) == (b.state, b.cause, b.party, b.word, b.reason)


def unknown(start: int, end: int, reason: str) -> list[StateInterval]:
    """One unknown interval, or nothing where the range is empty."""
    return [StateInterval(start, end, State.UNKNOWN, reason=reason)] if end > start else []
