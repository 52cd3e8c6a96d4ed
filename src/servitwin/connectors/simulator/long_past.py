"""The long past: months before the detailed past, in which only the control's words and alarms were kept.

Failures and repairs follow an alternating renewal process with a law of its own for each model; between them the
machine works and rests. It is enough for time of state, contracts and the price of risk, and small enough to send.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from servitwin.connectors.simulator.defects import FaultSpec
from servitwin.connectors.simulator.plant import MODELS as MODELS_BY_NAME
from servitwin.connectors.simulator.plant import LocalTime, MachineConfig
from servitwin.domain.instant import DAY, HOUR, MINUTE, NS

SAID_AGAIN = 10 * MINUTE  # below the types' max_gap of these signals
CHUNK = 20 * DAY
_MAINTENANCE_EVERY, _MAINTENANCE_FOR = 28 * DAY, 4 * HOUR


class Habit(msgspec.Struct, frozen=True):
    """How a model lives over months: hours between failures (Weibull) and down (lognormal), of work and of rest."""

    scale_h: float
    shape: float
    down_h: float
    spread: float
    work_h: float
    rest_h: float


HABITS = {
    "crane": Habit(210.0, 1.2, 3.2, 0.6, 1.2, 0.35),
    "mill": Habit(150.0, 1.1, 2.0, 0.7, 3.0, 0.4),
    "cell": Habit(120.0, 1.0, 1.4, 0.6, 2.0, 0.3),
}


def long_past(config: MachineConfig, start: int, end: int, time_zone: str) -> Iterator[dict[str, Any]]:
    """Messages of a machine over [start, end), always the same for a seed and a range."""
    random = Random(f"{config.seed}:long-past")
    words = _Words(config, LocalTime(time_zone))
    habit = HABITS[config.model]
    trips = _trips(config)
    conditions: list[tuple[int, str, str]] = [(start, s.condition, "normal||||") for s in _once(trips)]
    stops = _stops(random, habit, trips, start, end, conditions)
    times: list[int] = []
    told: list[tuple[str, str, str]] = []
    for at, spell in _spells(random, habit, stops, start, end):
        for moment in range(at, spell[0], SAID_AGAIN):
            times.append(moment)
            told.append(words.of(moment, spell[1]))
    yield from _chunks(times, told, conditions, start, end)


def stops_of(config: MachineConfig, start: int, end: int) -> list[tuple[int, int]]:
    """Failures of that past as [begin, end), in order."""
    return [(begin, over) for begin, repair, over in _all_stops(config, start, end) if repair > begin]


def planned_work(config: MachineConfig, start: int, end: int) -> list[tuple[int, int]]:
    """Planned work of that past as [begin, end), in order."""
    return [(begin, over) for begin, repair, over in _all_stops(config, start, end) if repair == begin]


def _all_stops(config: MachineConfig, start: int, end: int) -> list[tuple[int, int, int]]:
    return _stops(Random(f"{config.seed}:long-past"), HABITS[config.model], _trips(config), start, end, [])


def _trips(config: MachineConfig) -> list[FaultSpec]:
    """Faults that stop the machine and raise an alarm."""
    return [s for s in MODELS_BY_NAME[config.model].faults if s.trips and s.condition]


class _Words:
    """What the control says in an activity, by the hours in which the machine is staffed."""

    def __init__(self, config: MachineConfig, local: LocalTime) -> None:
        self._hours = config.hours
        self._local = local

    def of(self, at: int, activity: str) -> tuple[str, str, str]:
        """Power state, execution and functional mode."""
        if self._hours is not None:
            day, hour = self._local.at(at)
            if not (day in self._hours.days and self._hours.start <= hour < self._hours.end):
                return ("OFF", "READY", "PRODUCTION")
        if activity == "repair":
            return ("ON", "STOPPED", "MAINTENANCE")
        return ("ON", "ACTIVE" if activity == "work" else "STOPPED" if activity == "failed" else "READY", "PRODUCTION")


def _stops(
    random: Random, habit: Habit, trips: list[FaultSpec], start: int, end: int, conditions: list[tuple[int, str, str]]
) -> list[tuple[int, int, int]]:
    """Failures as (begin, repair begins, end), and planned work; alarms go up and down with them."""
    found: list[tuple[int, int, int]] = []
    at = start
    planned = start + int(random.random() * _MAINTENANCE_EVERY)
    while True:
        at += int(random.weibullvariate(habit.scale_h, habit.shape) * HOUR)
        while planned < min(at, end):
            if not found or planned > found[-1][2]:
                found.append((planned, planned, planned + _MAINTENANCE_FOR))
            planned += _MAINTENANCE_EVERY
        if found:
            at = max(at, found[-1][2] + MINUTE)
        if at >= end:
            return [s for s in found if s[2] < end]
        down = int(random.lognormvariate(0, habit.spread) * habit.down_h * HOUR)
        waits = int(down * (0.3 + 0.4 * random.random()))
        spec = random.choice(trips)
        if at + down < end:
            conditions += [
                (at, spec.condition, f"fault|{spec.code}|||{spec.text}"),
                (at + waits, spec.condition, "normal||||"),
            ]
        found.append((at, at + waits, at + down))
        at += down


def _spells(
    random: Random, habit: Habit, stops: list[tuple[int, int, int]], start: int, end: int
) -> Iterator[tuple[int, tuple[int, str]]]:
    """(begin, (end, activity)) that follow each other from ``start`` to ``end``."""
    at = start
    for begin, repair, over in [*stops, (end, end, end)]:
        while at < begin:
            for activity, hours in (("work", habit.work_h), ("rest", habit.rest_h)):
                until = min(begin, at + max(NS, int(random.expovariate(1 / hours) * HOUR)))
                if until > at:
                    yield at, (until, activity)
                at = until
        if repair > begin:
            yield begin, (repair, "failed")
        if over > repair:
            yield repair, (over, "repair")
        at = max(at, over)


def _chunks(
    times: list[int], told: list[tuple[str, str, str]], conditions: list[tuple[int, str, str]], start: int, end: int
) -> Iterator[dict[str, Any]]:
    names = ("power_state", "execution", "functional_mode")
    place = 0
    for since in range(start, end, CHUNK):
        first, until = place, min(end, since + CHUNK)
        while place < len(times) and times[place] < until:
            place += 1
        if place > first:
            columns = {name: [row[n] for row in told[first:place]] for n, name in enumerate(names)}
            yield {"times": times[first:place], "values": columns, "replayed": True}
        for signal in dict.fromkeys(c[1] for c in conditions):
            inside = sorted((at, text) for at, name, text in conditions if name == signal and since <= at < until)
            if inside:
                values = {signal: [text for _, text in inside]}
                yield {"times": [at for at, _ in inside], "values": values, "replayed": True}


def _once(specs: list[FaultSpec]) -> list[FaultSpec]:
    """One fault of each condition signal."""
    return list({s.condition: s for s in specs}.values())
