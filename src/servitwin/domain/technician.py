"""Technicians: what each can do, when each works, from where each starts.

A technician is planned by skills and time alone; nothing here compares one person with another.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.calendar import Calendar
from servitwin.domain.calendar_shift import check_calendar, planned_spans, shift_intervals
from servitwin.domain.error import Fault
from servitwin.domain.money import CURRENCIES
from servitwin.domain.travel import Place, check_place


class Technician(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A service technician.

    Attributes:
        calendar: shifts in the technician's time zone; ``closed`` are the days off.
        rate_per_hour, rate_per_km: what an hour of work or driving, and a kilometre, cost.
        account: id of the person's account; empty: the technician sees no jobs on the phone.
        van_capacity: what the van carries, in the unit of the visits' ``load``; 0: it does not matter.
    """

    name: str
    skills: tuple[str, ...]
    base: Place
    calendar: Calendar
    rate_per_hour: Decimal
    currency: str
    rate_per_km: Decimal = Decimal(0)
    account: str = ""
    van_capacity: int = 0


def check_technician(technician: Technician) -> list[Fault]:
    """All faults of a technician at once."""
    faults = [
        Fault(f.code, f.message, f.hint, f"calendar.{f.where}") for f in check_calendar(technician.calendar)
    ]  # fmt: skip
    if not technician.calendar.shifts:
        hint = "Give at least one shift: without it nothing can be planned for this person"
        faults.append(Fault("technician:no-shift", "The calendar has no working time", hint, "calendar.shifts"))
    if not technician.skills or any(not s.strip() for s in technician.skills):
        hint = "Name what the technician may do, like hydraulics or mechanics"
        faults.append(Fault("technician:no-skill", "A technician needs at least one skill", hint, "skills"))
    faults += check_place(technician.base, "base")
    if technician.currency not in CURRENCIES:
        message = f"There is no currency {technician.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    for field in ("rate_per_hour", "rate_per_km"):
        value: Decimal = getattr(technician, field)
        if not value.is_finite() or value < 0:
            faults.append(Fault("technician:rate-negative", f"{value} is no rate", "Give zero or more", field))
    if technician.van_capacity < 0:
        faults.append(
            Fault("technician:capacity-negative", "A van carries nothing negative", "0: not known", "van_capacity")
        )  # fmt: skip
    return faults


def working_spans(technician: Technician, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches of work in [start, end), ns UTC, one for each shift between its breaks.

    Raises:
        InvalidInputError: ``calendar:...`` if the calendar is faulty.
    """
    return [
        pair
        for shift in shift_intervals(technician.calendar, start, end)
        for pair in planned_spans((shift,), start, end).pairs()
    ]
