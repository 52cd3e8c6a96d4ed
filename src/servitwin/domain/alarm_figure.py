"""Figures about alarms after ISA-18.2 / IEC 62682 (secondary): rate, floods, chatter, standing alarms."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from servitwin.domain.alarm import Alarm
from servitwin.domain.instant import DAY, MINUTE

WINDOW = 10 * MINUTE
FLOOD_ABOVE = 10
FLOOD_OVER_BELOW = 5
CHATTER_TIMES = 3
CHATTER_WITHIN = MINUTE


class Flood(msgspec.Struct, frozen=True):
    """A stretch with too many alarms for a person: [start, end) with ``count`` alarms."""

    start: int
    end: int
    count: int


class AlarmFigures(msgspec.Struct, frozen=True):
    """What the alarms of a range say about the alarm system."""

    count: int
    per_ten_minutes: float | None
    floods: tuple[Flood, ...]
    in_flood_share: float | None
    chattering: tuple[tuple[str, str], ...]
    standing: tuple[Alarm, ...]
    by_severity: dict[str, int]


def alarm_figures(alarms: Sequence[Alarm], start: int, end: int) -> AlarmFigures:
    """All figures over [start, end); alarms count where they start, standing ones where they still are at ``end``."""
    begun = [a for a in alarms if start <= a.start < end]
    starts = sorted(a.start for a in begun)
    floods = alarm_floods(starts)
    severities: dict[str, int] = {}
    for a in begun:
        severities[a.severity] = severities.get(a.severity, 0) + 1
    flooded = sum(min(f.end, end) - f.start for f in floods)
    return AlarmFigures(
        len(begun),
        alarm_rate(len(begun), start, end),
        tuple(floods),
        flooded / (end - start) if end > start else None,
        tuple(chattering(begun)),
        tuple(standing(alarms, end)),
        severities,
    )


def alarm_rate(count: int, start: int, end: int) -> float | None:
    """Alarms per ten minutes; below one per operator is the aim. None for an empty range."""
    return count * WINDOW / (end - start) if end > start else None


def alarm_floods(starts: Sequence[int]) -> list[Flood]:
    """Floods in sorted start times: one begins with the first of more than ten alarms in ten minutes.

    It ends when fewer than five alarms came in the ten minutes that follow an alarm of it, ten minutes after that.
    """
    floods: list[Flood] = []
    first = 0
    while first < len(starts):
        if _in_window(starts, first) <= FLOOD_ABOVE:
            first += 1
            continue
        last = first
        while _in_window(starts, last) >= FLOOD_OVER_BELOW:
            last += 1
        after = bisect_left(starts, starts[last] + WINDOW)
        floods.append(Flood(starts[first], starts[last] + WINDOW, after - first))
        first = after
    return floods


def chattering(alarms: Sequence[Alarm]) -> list[tuple[str, str]]:
    """Alarms (signal, code) that chatter: see :func:`chatter_runs`."""
    starts: dict[tuple[str, str], list[int]] = {}
    for a in alarms:
        starts.setdefault((a.signal, a.code), []).append(a.start)
    return [key for key, begun in sorted(starts.items()) if chatter_runs(sorted(begun))]


def chatter_runs(starts: Sequence[int]) -> list[tuple[int, int]]:
    """Runs (index of the first, of the last) in the sorted starts of one alarm in which it chatters.

    It chatters where it began three times or more within a minute; stretches that share a beginning are one run.
    """
    runs: list[tuple[int, int]] = []
    for last in range(CHATTER_TIMES - 1, len(starts)):
        first = last - CHATTER_TIMES + 1
        if starts[last] - starts[first] > CHATTER_WITHIN:
            continue
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs


def standing(alarms: Sequence[Alarm], at: int, longer_than: int = DAY) -> list[Alarm]:
    """Alarms that were active at ``at`` and had been for longer than that: nobody reacts to them any more."""
    return [a for a in alarms if a.start + longer_than < at and (a.end is None or a.end > at)]


def _in_window(starts: Sequence[int], first: int) -> int:
    return bisect_left(starts, starts[first] + WINDOW) - first
