"""Compare minutes of routine before and after the shift assistant, over what shifts said themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.party import Actor
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.routine import STUDY, RoutineStudy, ShiftRoutine, side_of
from servitwin.domain.schedule.routine_change import RoutineChange, change_of
from servitwin.domain.twin import value_at
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry


class CountedShift(msgspec.Struct, frozen=True):
    """A shift that was compared, and the revision of the register that says it; ``at``: when it was written (ns)."""

    entry: str
    revision: int
    at: int
    said: ShiftRoutine


class RoutineReport(msgspec.Struct, frozen=True):
    """What was compared, and what came out.

    Attributes:
        from_, to: shifts that began in [from, to), ns UTC.
        place: that was asked for with all below it; empty: everything of the party.
        places: where shifts said anything.
        left_out: shifts that were not compared, and why.
    """

    party: str
    place: str
    from_: int
    to: int
    places: tuple[str, ...]
    study: RoutineStudy
    before: tuple[CountedShift, ...]
    after: tuple[CountedShift, ...]
    change: RoutineChange
    left_out: tuple[Fault, ...]


class CompareRoutine:
    """For one caller at a time."""

    def __init__(self, records: Records, registers: Registers, registry: Registry, now: Callable[[], int]) -> None:
        self._records, self._registers, self._registry, self._now = records, registers, registry, now

    def compare(self, actor: Actor, start: int, end: int, place: str = "", party: str = "") -> RoutineReport:
        """Shifts of the caller's party that began in [start, end) (ns UTC), or of one place with all below it.

        Raises:
            InvalidInputError: ``routine:place-unknown`` where nothing was ever said at the place and below it.
            RefusedError: ``access:not-permitted``.
        """
        mine = self._registers.party_of(actor, party)
        self._registers.readable(actor, mine)
        study = self._registers.body("routine_study", mine, STUDY, RoutineStudy) or RoutineStudy()
        # What was written before the period was said before the shift began, and does not count anyway.
        entries = self._records.register_changes(["shift_routine"], mine, start - 1)
        shifts = _within(_newest_of_each(e for e in entries if not e.removed), start, end, self._now())
        places = tuple(sorted({s.said.place for s in shifts}))
        if place:
            inside = {place, *(t.id for t in self._registry.descendants(place, self._now()))}
            shifts = [s for s in shifts if s.said.place in inside]
            twin = self._registry.by_id(place)
            if not shifts and (twin is None or value_at(twin.owner, self._now()) != mine):
                hint = f"Shifts said something at {', '.join(places) or 'no place yet'}"
                raise InvalidInputError(Fault("routine:place-unknown", f"{mine} has no {place[:80]!r}", hint, "place"))
        sides: dict[str, list[CountedShift]] = {"before": [], "after": []}
        part = undated = future = 0
        since = {p.place: p.since for p in study.places}
        for shift in shifts:
            side = side_of(shift.said, self._since(shift.said, study, since))
            if parse_instant(shift.said.begins) > min(self._now(), shift.at):
                future += 1
            elif not shift.said.whole:
                part += 1
            elif side is None:
                undated += 1
            else:
                sides[side].append(shift)
        left_out = _left_out(part, undated, future)
        before, after = tuple(sides["before"]), tuple(sides["after"])
        change = change_of([s.said for s in before], [s.said for s in after], study)
        return RoutineReport(mine, place, start, end, places, study, before, after, change, left_out)

    def _since(self, said: ShiftRoutine, study: RoutineStudy, since: Mapping[str, str]) -> str:
        """The day of the place itself, of the nearest one above that has one, or of the whole company."""
        at, current, seen = parse_instant(said.begins), said.place, set[str]()
        while current and current not in seen:
            if current in since:
                return since[current]
            seen.add(current)
            twin = self._registry.by_id(current)
            current = (value_at(twin.parent, at) or "") if twin else ""
        return study.since


def _newest_of_each(entries: Iterable[RegisterEntry]) -> list[CountedShift]:
    """Each shift once, as it was said last, also where an import has given it another id."""
    newest: dict[tuple[str, str, str], CountedShift] = {}
    for entry in entries:
        said = msgspec.convert(entry.body, ShiftRoutine)
        key = (said.place, said.day, said.shift)
        if key not in newest or entry.at >= newest[key].at:
            newest[key] = CountedShift(entry.id, entry.revision, entry.at, said)
    return sorted(newest.values(), key=lambda s: (s.said.begins, s.said.place))


def _within(shifts: Iterable[CountedShift], start: int, end: int, now: int) -> list[CountedShift]:
    """Shifts that began in [start, end), and those that have not begun: their day is wrong, and that is told."""
    begins = ((shift, parse_instant(shift.said.begins)) for shift in shifts)
    return [shift for shift, at in begins if start <= at < end or at > now]


def _left_out(part: int, undated: int, future: int) -> tuple[Fault, ...]:
    found = (
        (part, "routine:part-of-a-shift", "covered in part only", ""),
        (undated, "routine:undated", "of neither side", "Say since when the assistant is used"),
        (future, "routine:shift-in-future", "said ahead of time", "Correct their day in the register"),
    )
    return tuple(
        Fault(code, f"{n} {'shift' if n == 1 else 'shifts'} {words}", hint) for n, code, words, hint in found if n
    )
