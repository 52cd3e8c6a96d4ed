"""Scenarios: named changes of a line model, and what a scenario is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.line_model import Duration, LineModel, Station, Stop, check_line

YEAR_H = 8760
What = Literal[
    "machines", "availability", "cycle", "repair", "failures", "pauses", "setup", "places", "scrap", "supply"
]  # fmt: skip
_SET = {"machines", "availability", "places", "scrap", "setup"}  # by ``to``; all but the first four by ``times`` too
_HINTS: dict[str, str] = {
    "machines": "to: how many machines stand side by side, 1 to 1000",
    "availability": "to: share of its time at work and in failure in which it works, above 0 to below 1",
    "cycle": "times: factor of the seconds per part, above 0",
    "repair": "times: factor of how long failures last, 0 or more",
    "failures": "times: factor of the time between failures, above 0",
    "pauses": "times: factor of how long pauses last, 0 or more",
    "setup": "times: factor of how long set-ups last, 0 or more; or to: seconds of a set-up",
    "places": "to: parts that may wait before it, 0 or more",
    "scrap": "to: share of scrap, 0 to below 1",
    "supply": "times: factor of the time between two parts that come in, above 0",
}


class Change(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One change at one station (for ``supply``: of the sources that lead to it)."""

    what: What
    station: str
    to: float | None = None
    times: float | None = None


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Changes under a name. ``cost_per_year``: what having them costs, decimal text in the comparison's currency."""

    name: str
    changes: tuple[Change, ...]
    cost_per_year: str = "0"


class ScenarioSet(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Scenarios of a line that are compared together. ``line``: id of its twin; money as in a comparison."""

    line: str
    scenarios: tuple[Scenario, ...]
    worth_per_part: str = ""
    currency: str = ""


def changed(model: LineModel, scenario: Scenario) -> LineModel:
    """The model with the changes of a scenario, one after the other.

    Raises:
        InvalidInputError: ``line:change-...`` of every change that cannot be made, and faults of the changed model.
    """
    faults: list[Fault] = []
    if not scenario.changes:
        faults.append(Fault("line:change-none", f"{scenario.name!r} changes nothing", "Name a change", "changes"))
    for i, change in enumerate(scenario.changes):
        where = f"{scenario.name}.changes[{i}]"
        station = model.station(change.station)
        if station is None:
            known = ", ".join(s.id for s in model.stations)
            said = f"There is no station {change.station[:80]!r}"
            faults.append(Fault("line:change-station", said, f"There are {known}", where))
        elif not _fits(change):
            said = f"{change.what} of {change.station} cannot be changed so"
            faults.append(Fault("line:change-value", said, _HINTS[change.what], where))
        else:
            try:
                model = _made(model, station, change)
            except ValueError as e:
                faults.append(Fault("line:change-value", str(e), _HINTS[change.what], where))
    faults = faults or check_line(model)
    if faults:
        raise InvalidInputError(faults)
    return model


def _fits(change: Change) -> bool:
    given = [v for v in (change.to, change.times) if v is not None]
    if len(given) != 1 or not math.isfinite(given[0]) or given[0] < 0:
        return False
    by_value = change.to is not None
    if by_value != (change.what in _SET) and not (change.what == "setup" and not by_value):
        return False
    if change.what in ("machines", "places"):
        return given[0] == int(given[0])
    if change.what in ("availability", "scrap"):
        return given[0] < 1 and (change.what == "scrap" or given[0] > 0)
    return given[0] > 0 or change.what in ("repair", "pauses", "setup")


def _made(model: LineModel, station: Station, change: Change) -> LineModel:
    to, times = change.to or 0.0, change.times if change.times is not None else 1.0
    match change.what:
        case "machines":
            station = msgspec.structs.replace(station, machines=int(to))
        case "places":
            station = msgspec.structs.replace(station, places=int(to))
        case "scrap":
            station = msgspec.structs.replace(station, scrap=to)
        case "cycle":
            products = {p: d.times(times) for p, d in station.by_product.items()}
            station = msgspec.structs.replace(station, cycle=station.cycle.times(times), by_product=products)
        case "availability":
            station = _stops(station, "failure", every=_to_reach(station, to))
        case "failures":
            station = _stops(station, "failure", every=times)
        case "repair":
            station = _stops(station, "failure", lasting=times)
        case "pauses":
            station = _stops(station, "pause", lasting=times)
        case "setup":
            station = _with_setup(station, change.to, times)
        case "supply":
            return _supply(model, station, times)
    stations = tuple(station if s.id == station.id else s for s in model.stations)
    return msgspec.structs.replace(model, stations=stations)


def _stops(station: Station, kind: str, *, every: float = 1.0, lasting: float = 1.0) -> Station:
    if not any(s.kind == kind for s in station.stops):
        raise ValueError(f"{station.id} has no stop of the kind {kind}")
    made = tuple(
        s
        if s.kind != kind
        else msgspec.structs.replace(s, every=s.every.times(every), lasting=s.lasting.times(lasting))
        for s in station.stops
    )
    return msgspec.structs.replace(station, stops=made)


def own_availability(station: Station) -> float:
    """Share of its time at work and in failure in which a station works, of failures alone: 1 / (1 + sum MTTR/MTBF)."""
    return 1.0 / (1.0 + sum(s.lasting.mean / s.every.mean for s in station.stops if s.kind == "failure"))


def _to_reach(station: Station, wanted: float) -> float:
    """Factor of the time between failures that gives the wanted availability."""
    now = own_availability(station)
    if now >= 1.0:
        raise ValueError(f"{station.id} has no failures: its availability is 1 already")
    return (1 / now - 1) / (1 / wanted - 1)


def _with_setup(station: Station, seconds: float | None, times: float) -> Station:
    """Set-ups at a change of the product, and those that the machine reports by itself."""
    own = [s for s in station.stops if s.kind == "setup"]
    if station.setup is None and not own:
        raise ValueError(f"{station.id} has no set-up")
    setup = None
    if station.setup is not None:
        setup = station.setup.times(times) if seconds is None else Duration("fixed", seconds)

    def other(stop: Stop) -> Stop:
        lasting = stop.lasting.times(times) if seconds is None else Duration("fixed", seconds)
        return msgspec.structs.replace(stop, lasting=lasting)

    stops = tuple(other(s) if s.kind == "setup" else s for s in station.stops)
    return msgspec.structs.replace(station, setup=setup, stops=stops)


def _supply(model: LineModel, station: Station, times: float) -> LineModel:
    if not any(s.to == station.id and s.every is not None for s in model.sources):
        raise ValueError(f"No timed source leads to {station.id}")
    sources = tuple(
        msgspec.structs.replace(s, every=s.every.times(times)) if s.to == station.id and s.every is not None else s
        for s in model.sources
    )
    return msgspec.structs.replace(model, sources=sources)


class Worth(msgspec.Struct, frozen=True):
    """Money per year: what more parts bring, less what the scenario costs; ``low`` and ``high`` of its interval."""

    per_year: Decimal
    low: Decimal
    high: Decimal
    currency: str


def decimal_of(text: str, where: str) -> Decimal:
    """An amount of money from decimal text.

    Raises:
        InvalidInputError: ``line:money``.
    """
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        said = f"{text[:40]!r} is no amount of money"
        raise InvalidInputError(Fault("line:money", said, "Write it as decimal text, like 12.50", where))
    return found


def worth(parts_per_hour: Sequence[float], per_part: Decimal, cost: Decimal, currency: str) -> Worth:
    """What a difference of good parts per hour (mean, low, high) is worth in a year of 8 760 hours."""
    made = [
        (Decimal(repr(float(p))) * YEAR_H * per_part - cost).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if math.isfinite(p)
        else Decimal(0)
        for p in parts_per_hour
    ]
    return Worth(made[0], made[1], made[2], currency)
