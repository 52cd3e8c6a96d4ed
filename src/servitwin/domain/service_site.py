"""Service sites: where machines stand, what an hour of each is worth, and when a technician may come."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from servitwin.domain.calendar import Calendar
from servitwin.domain.calendar_shift import check_calendar
from servitwin.domain.error import Fault
from servitwin.domain.money import CURRENCIES
from servitwin.domain.travel import Place, check_place


class MachineWorth(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an hour of a machine costs that is lost while an order takes it, and while none does in planned time."""

    busy_per_hour: Decimal
    idle_per_hour: Decimal = Decimal(0)


class ServiceSite(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A site that technicians go to.

    Attributes:
        machines: ids of twins there, with what an hour of each is worth to the customer.
        access: when a technician may come; None: at any time. visit_cost: of each visit beside work and drive.
    """

    name: str
    customer: str
    place: Place
    machines: dict[str, MachineWorth]
    currency: str
    visit_cost: Decimal = Decimal(0)
    access: Calendar | None = None
    contact: str = ""


def check_site(site: ServiceSite) -> list[Fault]:
    """All faults of a site at once."""
    faults = check_place(site.place, "place")
    if site.currency not in CURRENCIES:
        message = f"There is no currency {site.currency!r}"
        faults.append(Fault("money:currency-unknown", message, "Use its ISO 4217 code, like EUR", "currency"))
    costs = [("visit_cost", site.visit_cost)]
    for twin, worth in site.machines.items():
        costs += [(f"machines.{twin}.{n}", getattr(worth, n)) for n in ("busy_per_hour", "idle_per_hour")]
    faults += [
        Fault("site:cost-negative", f"{cost} is no cost", "Give zero or more", where)
        for where, cost in costs
        if not cost.is_finite() or cost < 0
    ]
    if site.access is not None:
        faults += [Fault(f.code, f.message, f.hint, f"access.{f.where}") for f in check_calendar(site.access)]
        if not site.access.shifts:
            hint = "Leave access out if a technician may come at any time"
            faults.append(Fault("site:no-access", "Nobody may ever come to this site", hint, "access.shifts"))
    return faults
