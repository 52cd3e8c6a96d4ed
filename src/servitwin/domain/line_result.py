"""What simulated runs of a line showed, and how sure that is: intervals over replications, paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

FIGURES = ("parts_per_hour", "wip", "lead_time_s", "scrap_share", "availability")


class StationRun(msgspec.Struct, frozen=True):
    """One station in one run; shares of its machines' time, which add up to 1.

    Attributes:
        waiting: parts before it on average; ``made``: parts finished, scrap included.
        availability: 1 - share of failures in the time that it was open.
    """

    id: str
    made: int
    scrapped: int
    working: float
    failed: float
    setup: float
    paused: float
    starved: float
    blocked: float
    closed: float
    waiting: float
    availability: float


class LineRun(msgspec.Struct, frozen=True):
    """One simulated run.

    Attributes:
        seconds: simulated time that was counted, after the warm-up.
        parts, scrapped: parts that left good, and as scrap; by_product: good ones.
        parts_per_hour: good parts; wip: parts in the line on average; lead_time_s: mean time in it of those that left.
        events: steps of the simulation.
    """

    seconds: float
    parts: int
    scrapped: int
    by_product: dict[str, int]
    parts_per_hour: float
    wip: float
    lead_time_s: float
    stations: tuple[StationRun, ...]
    events: int

    @property
    def scrap_share(self) -> float:
        """Scrap among all parts that left."""
        return self.scrapped / max(1, self.parts + self.scrapped)

    @property
    def availability(self) -> float:
        """Mean of the stations' availabilities."""
        return float(np.mean([s.availability for s in self.stations]))

    def figure(self, name: str) -> float:
        """One of :data:`FIGURES`, or ``STATION.NAME`` of a station (``mill.working``)."""
        if name in FIGURES:
            return float(getattr(self, name))
        id, _, part = name.rpartition(".")
        station = next(s for s in self.stations if s.id == id)
        return float(getattr(station, part))


class Estimate(msgspec.Struct, frozen=True):
    """A mean over replications with its interval [low, high]; ``half`` is half its width, ``count`` of replications."""

    mean: float
    low: float
    high: float
    half: float
    count: int
    confidence: float

    @property
    def clear(self) -> bool:
        """Whether zero lies outside of the interval: a difference that is more than chance."""
        return self.low > 0 or self.high < 0


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean with Student's interval of independent replications; of one value the interval is without end.

    Source: Law, Simulation Modeling and Analysis, 5th ed., chapter 9 (secondary).
    """
    found = np.asarray(values, np.float64)
    count, mean = len(found), float(found.mean())
    if count < 2:
        return Estimate(mean, -math.inf, math.inf, math.inf, count, confidence)
    half = student(1 - (1 - confidence) / 2, count - 1) * float(found.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half, half, count, confidence)


def difference(base: Sequence[float], changed: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Changed less base, paired by replication: both ran with the same random numbers."""
    return estimate([b - a for a, b in zip(base, changed, strict=True)], confidence)


def spread(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Where one more run of the same length would lie, whatever the law: a prediction interval of order statistics.

    Of n runs the j-th smallest and the j-th largest hold one more with probability (n + 1 - 2j) / (n + 1): 39 runs
    give 95 % by their smallest and largest. With fewer runs these two are given all the same, and hold less.
    """
    found = sorted(values)
    place = max(1, int((len(found) + 1) * (1 - confidence) / 2 + 1e-9))
    return found[place - 1], found[-place]


def student(probability: float, freedom: int) -> float:
    """Quantile of Student's t for whole degrees of freedom, by bisection of its exact distribution function."""
    if probability < 0.5:
        return -student(1 - probability, freedom)
    low, high = 0.0, 2.0
    while _student_below(high, freedom) < probability and high < 1e9:
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_below(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def _student_below(t: float, freedom: int) -> float:
    """P(T <= t), t >= 0: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    if freedom > 400:  # the normal law with the first term of the expansion 26.7.8
        z = t * (1 - 1 / (4 * freedom)) / math.sqrt(1 + t * t / (2 * freedom))
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))
    angle = math.atan(t / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    term, total = 1.0, 1.0
    if freedom % 2 == 0:
        for k in range(1, freedom // 2):
            term *= (2 * k - 1) / (2 * k) * square
            total += term
        return 0.5 * (1 + sine * total)
    if freedom == 1:
        return 0.5 + angle / math.pi
    for k in range(1, (freedom - 1) // 2):
        term *= (2 * k) / (2 * k + 1) * square
        total += term
    return 0.5 + (angle + sine * math.cos(angle) * total) / math.pi
