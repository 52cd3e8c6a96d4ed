"""How much of its design life a hoist mechanism and its brake have used up, from the loads that they really carried.

ISO 12482:2014, Cranes - Monitoring for crane design working period, with FEM 9.755:1993 (both secondary): a mechanism
is designed for D hours at full load; what it has used is S = f * k_m * T, with T its running hours, k_m the spectrum
factor (mean over the running time of the cube of the load's share of the rated load) and f a factor for how the use was
recorded: the less is known, the more is counted. A brake is counted in equivalent full-load stops in the same way, each
stop by its load's share, for its lining dissipates the energy of the load. Numbers of the tables are data, and can be
replaced by a maker's own.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.error import Fault
from servitwin.domain.observation import Floats

Recording = Literal["recorder", "counter", "documents", "unknown"]
# Factor f by how the use was recorded.
RECORDED_BY: dict[Recording, float] = {"recorder": 1.0, "counter": 1.1, "documents": 1.2, "unknown": 1.5}
# Full-load hours that a mechanism of each ISO 4301-1 group is designed for (FEM 9.755, table 2; secondary).
FULL_LOAD_HOURS = {"M3": 400.0, "M4": 800.0, "M5": 1600.0, "M6": 3200.0, "M7": 6300.0, "M8": 12500.0}
DESIGN_YEARS = 10.0  # for which the group is chosen where nothing else is said
WARN_SHARE, STOP_SHARE = 0.1, 0.0


class Spectrum(msgspec.Struct):
    """What a recorder has counted: additive, so that parts of time can be joined.

    Attributes:
        running_h: hours in which the hoist ran; loaded_h: hours times the cube of the load's share.
        stops: how often it stopped with or without load; full_stops: stops times the load's share.
        heaviest: largest share of the rated load; over: starts with more than the rated load.
        since, until: ns UTC of the first and last moment known, 0 before anything was.
    """

    running_h: float = 0.0
    loaded_h: float = 0.0
    stops: int = 0
    full_stops: float = 0.0
    heaviest: float = 0.0
    over: int = 0
    since: int = 0
    until: int = 0

    @property
    def factor(self) -> float | None:
        """Spectrum factor k_m, 0 to about 1; None before it has run."""
        return self.loaded_h / self.running_h if self.running_h > 0 else None


class Design(msgspec.Struct, frozen=True):
    """What a hoist was built for.

    Attributes:
        rated_load: in the unit of the load signal; group: ISO 4301-1 group of the mechanism.
        full_load_hours: design life D, instead of the group's; full_load_stops: the same of the brake.
        years: design period in years of calendar time.
    """

    rated_load: float
    group: str = "M5"
    full_load_hours: float | None = None
    full_load_stops: float = 1_000_000.0
    years: float = DESIGN_YEARS

    @property
    def hours(self) -> float:
        """D: full-load hours that it was designed for."""
        return self.full_load_hours if self.full_load_hours is not None else FULL_LOAD_HOURS[self.group]

    def faults(self) -> list[Fault]:
        """All that cannot be."""
        found = []
        for name in ("rated_load", "full_load_stops", "years"):
            if not getattr(self, name) > 0:
                message = f"{name} is {getattr(self, name)}"
                found.append(Fault("spectrum:design-not-positive", message, "Give a number above zero", name))
        if self.full_load_hours is None and self.group not in FULL_LOAD_HOURS:
            hint = f"One of {', '.join(FULL_LOAD_HOURS)}, or give full_load_hours"
            found.append(Fault("spectrum:group-unknown", f"There is no group {self.group!r}", hint, "group"))
        if self.full_load_hours is not None and not self.full_load_hours > 0:
            found.append(
                Fault("spectrum:design-not-positive", f"full_load_hours is {self.full_load_hours}",
                      "Give a number above zero", "full_load_hours")
            )  # fmt: skip
        return found


class Before(msgspec.Struct, frozen=True):
    """The use before recording began.

    Attributes:
        years: of use before the recorder; recording: what is known of them.
        running_h, factor, stops: as far as known; what is not known is counted as the design foresaw it.
    """

    years: float = 0.0
    recording: Recording = "unknown"
    running_h: float | None = None
    factor: float | None = None
    stops: float | None = None


class UsedLife(msgspec.Struct, frozen=True):
    """Share of the design life that is used, and what is left.

    Attributes:
        used, remaining: shares; ``remaining`` is not below 0. recorded, assumed: the parts of ``used`` that were
            recorded, and that stand for the time before.
        per_day: share used per day of calendar time lately; None while too little is known.
        days, days_low, days_high: until nothing remains, at that rate and its scatter from day to day.
        over: remaining life is used up: a general overhaul is due before it goes on.
    """

    used: float
    remaining: float
    recorded: float
    assumed: float
    per_day: float | None
    days: float | None
    days_low: float | None
    days_high: float | None

    @property
    def over(self) -> bool:
        """Whether the design working period is used up."""
        return self.remaining <= STOP_SHARE


def hoist_used(design: Design, counted: Spectrum, before: Before, daily: Floats | None = None) -> UsedLife:
    """The hoist: full-load hours against those it was designed for. ``daily``: full-load hours of each whole day."""
    assumed_h = _assumed(before, design.hours, design.years, before.running_h, before.factor)
    return _used(design.hours, counted.loaded_h, assumed_h, daily)


def brake_used(design: Design, counted: Spectrum, before: Before, daily: Floats | None = None) -> UsedLife:
    """The brake: equivalent full-load stops against those it was designed for. ``daily``: those of each whole day."""
    assumed = _assumed(before, design.full_load_stops, design.years, before.stops, before.factor)
    return _used(design.full_load_stops, counted.full_stops, assumed, daily)


def _assumed(before: Before, whole: float, years: float, amount: float | None, factor: float | None) -> float:
    """What stands for the use before recording: what is known, else what the design foresaw, by the factor f.

    Loads that nobody recorded count as full (factor 1): unknown history shortens the life that remains.
    """
    if before.years <= 0 and amount is None:
        return 0.0
    known = amount is not None
    used = amount * (factor if factor is not None else 1.0) if amount is not None else before.years / years * whole
    recording: Recording = before.recording if known else "unknown"
    return used * RECORDED_BY[recording]


def _used(whole: float, recorded: float, assumed: float, daily: Floats | None) -> UsedLife:
    share = (recorded + assumed) / whole
    remaining = max(0.0, 1.0 - share)
    if daily is None or len(daily) < 2 or float(daily.sum()) <= 0:
        return UsedLife(share, remaining, recorded / whole, assumed / whole, None, None, None, None)
    rate = float(daily.mean()) / whole
    doubt = 1.645 * float(daily.std(ddof=1)) / whole / len(daily) ** 0.5
    low = remaining / (rate + doubt)
    high = remaining / (rate - doubt) if rate > doubt else None
    return UsedLife(share, remaining, recorded / whole, assumed / whole, rate, remaining / rate, low, high)


def join(a: Spectrum, b: Spectrum) -> Spectrum:
    """Two stretches of time as one."""
    known = [t for t in (a.since, b.since) if t]
    return Spectrum(
        a.running_h + b.running_h, a.loaded_h + b.loaded_h, a.stops + b.stops, a.full_stops + b.full_stops,
        max(a.heaviest, b.heaviest), a.over + b.over, min(known) if known else 0, max(a.until, b.until),
    )  # fmt: skip
