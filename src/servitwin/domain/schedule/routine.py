"""Minutes of daily routine, as a shift says them itself: by kind of routine, without names.

An entry belongs to a shift at a machine, a workplace or a line. Nobody is timed and nobody is named: it keeps what the
shift said, and nothing of who said it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.money import decimals, money
from servitwin.domain.register import RegisterKind

Side = Literal["before", "after"]
STUDY = "production"
"""Id of the one entry that says how a company asks for minutes of routine."""

_KIND_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_IN_IDS = re.compile(r"[A-Za-z0-9_.-]{1,24}")


class RoutineKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of routine; ``title`` is what a shift reads."""

    id: str
    title: str


class UsedSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The local day from which on the shift assistant is used at a machine or line."""

    place: str
    since: str


KINDS = (
    RoutineKind("what-next", "Finding out what comes next"),
    RoutineKind("shift-log", "Writing the shift log"),
    RoutineKind("fault-information", "Looking for information on a fault"),
    RoutineKind("material-tools", "Looking for material or tools"),
    RoutineKind("replanning", "Planning anew by hand"),
    RoutineKind("other", "Other routine"),
)
"""Kinds of a company that has no list of its own."""


class RoutineStudy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a company asks for minutes of routine.

    Attributes:
        since: local day from which on the assistant is used; shifts of earlier days are before it. Empty: not said.
        places: days of machines or lines (and what is below them) that differ from it.
        rate: what an hour of routine costs, in ``currency``; decimal text. Empty: nothing is told in money.
        note: for those who read the comparison, such as how the shifts were asked.
    """

    since: str = ""
    places: tuple[UsedSince, ...] = ()
    kinds: tuple[RoutineKind, ...] = KINDS
    rate: str = ""
    currency: str = "EUR"
    note: str = ""


class ShiftRoutine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a shift said about its routine.

    Attributes:
        place: twin of the machine, workplace or line.
        day, shift: local day on which the shift began, and its name in the calendar.
        begins: when it began; shift_minutes: how long it was without its breaks.
        minutes: by kind of routine; of one workplace (where several people stand, on average of them).
        whole: False where the shift was covered in part only; such a shift is not compared.
        period: side that was said; empty: by the day from which on the assistant is used.
        products: that the place worked on.
    """

    place: str
    day: str
    shift: str
    begins: str
    shift_minutes: int
    minutes: dict[str, int]
    whole: bool = True
    period: Literal["", "before", "after"] = ""
    products: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Minutes of all kinds together."""
        return sum(self.minutes.values())


def entry_id(place: str, day: str, shift: str) -> str:
    """Id of a shift's entry, the same whenever it is said again; a name that no id can hold is written as a digest."""
    name = shift if _IN_IDS.fullmatch(shift) else f"shift-{sha256(shift.encode()).hexdigest()[:12]}"
    return f"{place}:{day}:{name}"


def minutes_faults(minutes: dict[str, int], shift_minutes: int) -> list[Fault]:
    """What is wrong with minutes by themselves."""
    faults = [
        Fault("routine:minutes-negative", f"{kind} took {spent} minutes", "Give 0 or more", f"minutes.{kind}")
        for kind, spent in minutes.items()
        if spent < 0
    ]
    if not minutes:
        faults.append(Fault("routine:nothing-said", "No kind has minutes", "Give each kind, 0 for none", "minutes"))
    total = sum(minutes.values())
    if not faults and total > shift_minutes:
        message = f"{total} minutes of routine do not fit into a shift of {shift_minutes}"
        hint = "Give minutes of one workplace; where several people stand, on average of them"
        faults.append(Fault("routine:more-than-the-shift", message, hint, "minutes"))
    return faults


def kind_faults(minutes: Iterable[str], kinds: Sequence[RoutineKind]) -> list[Fault]:
    """Kinds that the company's list does not have, and kinds of it that were left out."""
    said, known = set(minutes), {k.id for k in kinds}
    listed = f"Kinds are {', '.join(k.id for k in kinds)}"
    faults = [
        Fault("routine:kind-unknown", f"No kind {k[:60]!r}", listed, f"minutes.{k[:60]}") for k in sorted(said - known)
    ]
    return faults + [
        Fault("routine:kind-missing", f"Nothing is said about {k}", "Give 0 where there was none", f"minutes.{k}")
        for k in sorted(known - said)
    ]


def side_of(said: ShiftRoutine, since: str) -> Side | None:
    """Whether a shift lies before or after; None: nobody has said so, nor since when the assistant is used there."""
    if said.period:
        return said.period
    return None if not since else ("after" if said.day >= since else "before")


def day_fault(day: str, where: str) -> Fault | None:
    """The fault of a text that is no local day."""
    try:
        if date.fromisoformat(day).isoformat() == day:
            return None
    except ValueError:
        pass
    return Fault("routine:no-day", f"{day[:40]!r} is no day", "Write it YYYY-MM-DD", where)


def _said(said: ShiftRoutine) -> Sequence[Fault]:
    faults = [f] if (f := day_fault(said.day, "day")) else []
    try:
        parse_instant(said.begins)
    except InvalidInputError as e:
        faults.append(Fault(e.fault.code, e.fault.message, e.fault.hint, "begins"))
    if said.shift_minutes <= 0:
        message = f"A shift of {said.shift_minutes} minutes is none"
        faults.append(Fault("routine:shift-length", message, "Give its minutes", "shift_minutes"))
        return faults
    return faults + minutes_faults(said.minutes, said.shift_minutes)


def _study(study: RoutineStudy) -> Sequence[Fault]:
    days = [("since", study.since)] if study.since else []
    days += [(f"places[{n}].since", p.since) for n, p in enumerate(study.places)]
    faults = [f for where, day in days if (f := day_fault(day, where))]
    ids = [k.id for k in study.kinds]
    if not ids:
        faults.append(
            Fault("routine:no-kinds", "There is no kind of routine", "Give one, or leave `kinds` out", "kinds")
        )
    for n, kind in enumerate(study.kinds):
        at = f"kinds[{n}]"
        if not _KIND_ID.fullmatch(kind.id) or not kind.title.strip():
            hint = "An id of small letters, digits and '-', at most 40, and a title"
            faults.append(Fault("routine:kind-invalid", f"{kind.id[:60]!r} is no kind of routine", hint, at))
        if ids.index(kind.id) != n:
            faults.append(Fault("routine:kind-twice", f"{kind.id} is there twice", "Give each its own id", at))
    if study.rate:
        faults += _rate_faults(study)
    return faults


def _rate_faults(study: RoutineStudy) -> list[Fault]:
    faults, currency = [], study.currency
    try:
        decimals(currency)
    except InvalidInputError as e:
        faults.append(msgspec.structs.replace(e.fault, where="currency"))
        currency = RoutineStudy().currency  # the rate is judged by itself
    try:
        wrong = money(study.rate, currency).amount < 0
    except InvalidInputError:
        wrong = True
    if wrong:
        hint = "Money an hour, like 42.50, at most 10^15, or nothing"
        faults.append(Fault("routine:rate-invalid", f"{study.rate[:40]!r} is no rate", hint, "rate"))
    return faults


SHIFT_ROUTINE = RegisterKind(
    "shift_routine", "Minutes of routine that shifts said, without names", ShiftRoutine, _said, nameless=True
)
ROUTINE_STUDY = RegisterKind("routine_study", "How minutes of routine are asked for", RoutineStudy, _study)
