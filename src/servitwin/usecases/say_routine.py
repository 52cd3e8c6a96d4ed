"""A shift says how many minutes its routine took: once for a shift, corrected later, without anybody's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from servitwin.domain.calendar import ShiftInterval
from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, MINUTE, format_instant, parse_instant
from servitwin.domain.party import Actor
from servitwin.domain.schedule.master_data import ShiftAnswer, Workplace
from servitwin.domain.schedule.routine import (
    STUDY,
    RoutineStudy,
    ShiftRoutine,
    day_fault,
    entry_id,
    kind_faults,
    minutes_faults,
)
from servitwin.domain.twin import Twin, value_at
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.plan_production import plain
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry

OFFERED = 4
"""Shifts that a page offers: the one that runs, and those before it."""
_LOOK_BACK = 9 * DAY  # over a weekend and a closed week


class ShiftToSay(msgspec.Struct, frozen=True):
    """A shift at a place: when, how many minutes without breaks, and what was said about it (None: nothing yet)."""

    day: str
    shift: str
    start: int
    end: int
    minutes: int
    said: ShiftRoutine | None


class SayRoutine:
    """For one caller at a time."""

    def __init__(self, registers: Registers, registry: Registry, now: Callable[[], int]) -> None:
        self._registers, self._registry, self._now = registers, registry, now

    def study(self, party: str) -> RoutineStudy:
        """How the party asks; what holds by default where it has not said."""
        return self._registers.body("routine_study", party, STUDY, RoutineStudy) or RoutineStudy()

    def shifts(self, actor: Actor, place: str, party: str = "") -> tuple[RoutineStudy, list[ShiftToSay]]:
        """The kinds that are asked for, and the last shifts that have begun at a place, newest first.

        Raises:
            InvalidInputError: ``routine:place-unknown``, ``routine:no-calendar``.
        """
        mine = self._registers.party_of(actor, party)
        self._registers.readable(actor, mine)
        now = self._now()
        begun = [s for s in self._intervals(mine, self._twin(mine, place), now - _LOOK_BACK, now) if s.start <= now]
        newest = sorted(begun, key=lambda s: -s.start)[:OFFERED]
        return self.study(mine), [
            ShiftToSay(s.day, s.name, s.start, s.end, _minutes(s), self._said(mine, entry_id(place, s.day, s.name)))
            for s in newest
        ]

    def say(
        self,
        actor: Actor,
        place: str,
        day: str,
        shift: str,
        minutes: Mapping[str, int],
        *,
        whole: bool = True,
        period: str = "",
        products: Sequence[str] = (),
        party: str = "",
    ) -> ShiftRoutine:
        """Keep what a shift says; said again it replaces the first, and both stay as revisions.

        Raises:
            InvalidInputError: everything that is wrong: ``routine:place-unknown``, ``routine:no-calendar``,
                ``routine:no-day``, ``routine:shift-unknown``, ``routine:shift-in-future``, ``routine:kind-unknown``,
                ``routine:kind-missing``, ``routine:minutes-negative``, ``routine:more-than-the-shift``.
            RefusedError: ``access:not-permitted``.
        """
        mine = self._registers.party_of(actor, party)
        self._registers.readable(actor, mine)
        twin = self._twin(mine, place)
        found = self._shift(mine, twin, day, shift)
        length = _minutes(found)
        faults = kind_faults(minutes, self.study(mine).kinds) + minutes_faults(dict(minutes), length)
        if faults:
            raise InvalidInputError(faults)
        made = tuple(sorted({p for p in products if p})) or self._products(mine, twin, found)
        body = {
            "place": place, "day": day, "shift": shift, "begins": format_instant(found.start),
            "shift_minutes": length, "minutes": dict(minutes), "whole": whole, "period": period,
            "products": list(made),
        }  # fmt: skip
        said = msgspec.convert(body, ShiftRoutine)
        id = entry_id(place, day, shift)
        self._registers.put(actor, "shift_routine", id, plain(said), mine, right="answer_plan")
        return said

    def _said(self, party: str, id: str) -> ShiftRoutine | None:
        return self._registers.body("shift_routine", party, id, ShiftRoutine)

    def _twin(self, party: str, place: str) -> Twin:
        twin = self._registry.by_id(place)
        now = self._now()
        if twin is None or twin.retired is not None or value_at(twin.owner, now) != party:
            hint = "Name a machine, workplace or line of your company by its id"
            raise InvalidInputError(Fault("routine:place-unknown", f"{party} has no {place[:80]!r}", hint, "place"))
        return twin

    def _intervals(self, party: str, twin: Twin, start: int, end: int) -> list[ShiftInterval]:
        own = self._registers.body("workplaces", party, twin.id, Workplace)
        name = (own.calendar if own else "") or calendar_name(self._registry, twin, self._now())
        calendar = self._registry.calendar(name) if name else None
        if calendar is None:
            message = f"{twin.id} has no calendar, so nobody can tell its shifts"
            raise InvalidInputError(
                Fault("routine:no-calendar", message, "Give it or its line a calendar in plant.yaml", "place")
            )
        return shift_intervals(calendar, start, end)

    def _shift(self, party: str, twin: Twin, day: str, shift: str) -> ShiftInterval:
        wrong = day_fault(day, "day")
        if wrong:
            raise InvalidInputError(wrong)
        try:
            noon = parse_instant(f"{day}T12:00:00Z")
        except InvalidInputError as e:
            raise InvalidInputError(msgspec.structs.replace(e.fault, where="day")) from None
        # Local midnight lies within 14 hours of that of UTC, and a shift begins within its day.
        on_day = [s for s in self._intervals(party, twin, noon - 2 * DAY, noon + 2 * DAY) if s.day == day]
        found = next((s for s in on_day if s.name == shift), None)
        if found is None:
            names = ", ".join(s.name for s in on_day) or "none"
            message = f"{twin.id} has no shift {shift[:60]!r} on {day}"
            raise InvalidInputError(Fault("routine:shift-unknown", message, f"Shifts of that day: {names}", "shift"))
        if found.start > self._now():
            message = f"The shift {shift} of {day} begins at {format_instant(found.start)}"
            raise InvalidInputError(
                Fault("routine:shift-in-future", message, "Say it once it has begun, best at its end", "day")
            )
        return found

    def _products(self, party: str, twin: Twin, shift: ShiftInterval) -> tuple[str, ...]:
        """What the place worked on in the shift, by the answers to the plan; none is written before it is said."""
        places = {twin.id, *(t.id for t in self._registry.descendants(twin.id, shift.start))}
        answers = self._registers.bodies_since("shift_answers", party, shift.start, ShiftAnswer)
        answers = [a for a in answers if a.machine in places and a.product]
        return tuple(sorted({a.product for a in answers if shift.start <= parse_instant(a.at) < shift.end}))


def _minutes(shift: ShiftInterval) -> int:
    spans = planned_spans([shift], shift.start, shift.end)
    return int(sum(int(end) - int(start) for start, end in spans.pairs()) // MINUTE)
