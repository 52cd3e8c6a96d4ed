"""A line as a queueing network: stations, buffers, routes, times, stops, shifts, set-ups and scrap.

The model is what a discrete-event simulation runs, what it was built from stands beside it (``assumed``), and a
scenario is a named change of it (:mod:`servitwin.domain.line_change`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.error import Fault

Floats = npt.NDArray[np.float64]
Family = Literal["fixed", "exponential", "weibull", "lognormal", "gamma", "measured"]
StopKind = Literal["failure", "setup", "pause", "supply", "removal"]
EXIT = ""
WEEK_S = 7 * 86400.0
MOST_STATIONS = 200


class Duration(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A law of durations in seconds.

    Attributes:
        scale, shape: fixed: the duration; exponential: mean; Weibull: scale and shape; lognormal: median and sigma of
            the logarithm; gamma: scale and shape.
        least: added to each draw of any law but ``measured``.
        values: of ``measured``: equally likely quantiles of what was measured, ascending.
        note: where it comes from, for people.
    """

    family: Family
    scale: float = 0.0
    shape: float = 1.0
    least: float = 0.0
    values: tuple[float, ...] = ()
    note: str = ""

    @property
    def mean(self) -> float:
        """Mean in seconds."""
        match self.family:
            case "measured":
                return float(np.mean(self.values))
            case "weibull":
                return self.least + self.scale * math.gamma(1 + 1 / self.shape)
            case "lognormal":
                return self.least + self.scale * math.exp(self.shape**2 / 2)
            case "gamma":
                return self.least + self.scale * self.shape
            case _:
                return self.least + self.scale

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """``count`` independent durations in seconds."""
        match self.family:
            case "measured":
                values = np.asarray(self.values)
                return values[random.integers(0, len(values), count)]
            case "exponential":
                return self.least + random.standard_exponential(count) * self.scale
            case "weibull":
                return self.least + random.standard_exponential(count) ** (1.0 / self.shape) * self.scale
            case "lognormal":
                return self.least + self.scale * np.exp(random.standard_normal(count) * self.shape)
            case "gamma":
                return self.least + random.standard_gamma(self.shape, count) * self.scale
            case _:
                return np.full(count, self.least + self.scale)

    def residual(self, random: np.random.Generator) -> float:
        """Time left at a random moment of an endless row of such durations: a run begins amid its stops' lives."""
        ends = np.cumsum(self.draw(256, random))
        moment = random.random() * float(ends[-1])
        return float(ends[np.searchsorted(ends, moment, "right").clip(0, 255)]) - moment

    def times(self, factor: float) -> Duration:
        """The law of durations ``factor`` times as long."""
        return msgspec.structs.replace(
            self,
            scale=self.scale * factor,
            least=self.least * factor,
            values=tuple(v * factor for v in self.values),
        )


class Stop(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What interrupts a station again and again.

    Attributes:
        name: unique at its station.
        every: seconds between the end of one and the next, in time at work; lasting: seconds that it takes.
        kind: to which account its time goes: failure counts against availability, a set-up does not; ``supply`` and
            ``removal`` stand for what the model leaves out at its edges (blanks, pallets).
        clock: ``work``: only time at work counts towards the next one; ``calendar``: all time does.
    """

    name: str
    every: Duration
    lasting: Duration
    kind: StopKind = "failure"
    clock: Literal["work", "calendar"] = "work"


class Route(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a finished part goes: to a station, or out (empty), in that share of the cases."""

    to: str = EXIT
    share: float = 1.0


class Station(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A step of the process.

    Attributes:
        machines: equal machines side by side that share the places before them.
        cycle: seconds per part and machine without stops, and ``by_product`` where a product has its own.
        places: parts that may wait before it; None: without limit.
        setup: seconds when the product changes, on top of the stops.
        scrap: share of the parts that leave it as scrap, 0 to below 1.
        open: [start, end) in seconds of the week (from Monday 00:00, the line's local time); empty: always open.
        twins: ids of the machines that it was built from.
    """

    id: str
    cycle: Duration
    title: str = ""
    machines: int = 1
    by_product: dict[str, Duration] = {}
    places: int | None = None
    stops: tuple[Stop, ...] = ()
    setup: Duration | None = None
    scrap: float = 0.0
    routes: tuple[Route, ...] = (Route(),)
    open: tuple[tuple[float, float], ...] = ()
    twins: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where parts come in.

    Attributes:
        to: the station.
        every: seconds between two parts; None: there is always one more (the station is never starved).
        lots: products in turn, each with the parts of a lot; empty: one product.
    """

    to: str
    every: Duration | None = None
    lots: tuple[tuple[str, int], ...] = ()


class LineModel(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line that can be simulated.

    Attributes:
        assumed: what nobody measured, in words; printed beside each result.
        built: of which twin and interval it was built, for people.
    """

    name: str
    stations: tuple[Station, ...]
    sources: tuple[Source, ...]
    title: str = ""
    assumed: tuple[str, ...] = ()
    built: str = ""

    def station(self, id: str) -> Station | None:
        """The station of that id, or None."""
        return next((s for s in self.stations if s.id == id), None)


def check_line(model: LineModel) -> list[Fault]:
    """All faults of a model at once; none: it can be simulated."""
    faults: list[Fault] = []
    ids = [s.id for s in model.stations]
    if not 0 < len(ids) <= MOST_STATIONS:
        hint = f"A line has 1 to {MOST_STATIONS} stations"
        return [Fault("line:stations", f"The line has {len(ids)} stations", hint, "stations")]
    for id in sorted({i for i in ids if ids.count(i) > 1 or not i}):
        faults.append(Fault("line:station-id", f"{id!r} is no id of one station alone", "Give it another", "stations"))
    for i, station in enumerate(model.stations):
        faults += _station_faults(station, f"stations[{i}]", set(ids))
    if not model.sources:
        faults.append(Fault("line:no-source", "No part ever comes in", "Name a source with its station", "sources"))
    for i, source in enumerate(model.sources):
        faults += _source_faults(source, f"sources[{i}]", set(ids))
    return faults or _flow_faults(model)


def _station_faults(station: Station, where: str, ids: set[str]) -> list[Fault]:
    faults = [f for d, at in _durations(station) for f in duration_faults(d, f"{where}.{at}")]

    def say(code: str, message: str, hint: str, at: str) -> None:
        faults.append(Fault(f"line:{code}", f"{station.id}: {message}", hint, f"{where}.{at}"))

    if not 1 <= station.machines <= 1000:
        say("machines", f"{station.machines} machines", "A station has 1 to 1000 machines", "machines")
    if station.places is not None and station.places < 0:
        say("places", f"{station.places} places before it", "0 or more, or none for no limit", "places")
    if not 0.0 <= station.scrap < 1.0:
        say("scrap", f"a share of scrap of {station.scrap}", "A share from 0 to below 1", "scrap")
    if station.cycle.mean <= 0.0 and not faults:
        say("cycle", "a cycle takes no time", "State seconds per part above 0", "cycle")
    shares = sum(r.share for r in station.routes)
    if not station.routes or any(not 0 <= r.share <= 1 for r in station.routes) or abs(shares - 1.0) > 1e-6:
        say("shares", f"its routes have shares of {shares:g} in all", "Shares are 0 to 1 and add up to 1", "routes")
    for unknown in sorted({r.to for r in station.routes} - ids - {EXIT}):
        say(
            "route", f"a route leads to {unknown!r}, which is no station", "Name a station, or leave it empty", "routes"
        )
    spans = sorted(station.open)
    if any(not 0 <= a < b <= WEEK_S for a, b in spans) or any(b > c for (_, b), (c, _) in pairwise(spans)):
        say("open", "its open times overlap or leave the week", "Seconds of the week, each [start, end) once", "open")
    names = [s.name for s in station.stops]
    if len(set(names)) < len(names):
        say("stops", "two of its stops have one name", "Name each once", "stops")
    return faults


def _source_faults(source: Source, where: str, ids: set[str]) -> list[Fault]:
    faults = [] if source.every is None else duration_faults(source.every, f"{where}.every")
    if source.to not in ids:
        faults.append(Fault("line:source", f"{source.to!r} is no station", "Name a station", f"{where}.to"))
    if source.every is not None and source.every.mean <= 0.0 and not faults:
        faults.append(Fault("line:source", "Parts come in no time", "State seconds between them", f"{where}.every"))
    if any(n < 1 for _, n in source.lots):
        faults.append(Fault("line:lots", "A lot has no part", "Lots have 1 part or more", f"{where}.lots"))
    return faults


def _flow_faults(model: LineModel) -> list[Fault]:
    """Every part that comes in must be able to leave: a cycle without a way out never ends."""
    leaves = {s.id for s in model.stations if s.scrap > 0 or any(r.to == EXIT and r.share > 0 for r in s.routes)}
    while True:
        more = {
            s.id for s in model.stations if s.id not in leaves and any(r.to in leaves and r.share > 0 for r in s.routes)
        }
        if not more:
            break
        leaves |= more
    reached: set[str] = set()
    left = [s.to for s in model.sources]
    while left:
        id = left.pop()
        if id not in reached:
            reached.add(id)
            station = model.station(id)
            left += [r.to for r in station.routes if r.to != EXIT and r.share > 0] if station else []
    faults = []
    caught = sorted(reached - leaves)
    if caught:
        said = f"Parts that reach {', '.join(caught)} never leave: the routing is a cycle without a way out"
        faults.append(Fault("line:cyclic", said, "Give one of them a route out with a share above 0", "stations"))
    lonely = sorted({s.id for s in model.stations} - reached)
    if lonely:
        said = f"No part ever reaches {', '.join(lonely)}"
        faults.append(Fault("line:unreached", said, "Route parts to it, or take it out", "stations"))
    return faults


def _durations(station: Station) -> list[tuple[Duration, str]]:
    found = [(station.cycle, "cycle"), *((d, f"by_product.{p}") for p, d in station.by_product.items())]
    if station.setup is not None:
        found.append((station.setup, "setup"))
    for i, stop in enumerate(station.stops):
        found += [(stop.every, f"stops[{i}].every"), (stop.lasting, f"stops[{i}].lasting")]
    return found


def duration_faults(duration: Duration, where: str) -> list[Fault]:
    """All faults of a law of durations."""
    said = ""
    if duration.family == "measured":
        if not duration.values:
            said = "has no measured values"
        elif any(not math.isfinite(v) or v < 0 for v in duration.values):
            said = "has a measured value that is no time"
    elif not (math.isfinite(duration.scale) and duration.scale >= 0):
        said = f"has the scale {duration.scale}"
    elif not (math.isfinite(duration.shape) and 0.01 <= duration.shape <= 1000):
        said = f"has the shape {duration.shape}"
    if not said and not (math.isfinite(duration.least) and duration.least >= 0):
        said = f"has at least {duration.least} s"
    if where.endswith(".every") and ".stops[" in where and not said and duration.mean <= 0:
        said = "comes again and again without any time between"
    hint = "Finite seconds of 0 or more, a shape of 0.01 to 1000"
    return [Fault("line:duration", f"The law of durations {said}", hint, where)] if said else []


def measured(seconds: Sequence[float] | Floats, note: str = "", most: int = 200) -> Duration:
    """The law of what was measured: its values, or ``most`` equally likely quantiles of them."""
    values = np.sort(np.asarray(seconds, np.float64))
    if len(values) > most:
        values = np.quantile(values, (np.arange(most) + 0.5) / most)
    return Duration("measured", values=tuple(round(float(v), 6) for v in values), note=note)
