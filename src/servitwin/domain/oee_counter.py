"""Parts from cumulative counters: resets, gaps and late data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from servitwin.domain.machine_type import Production
from servitwin.domain.observation import Bools, Floats, Int64s, Observation, Quality, Series
from servitwin.domain.state_time_span import Spans

LARGEST_COUNT = 2.0**53  # beyond it a double no longer counts by ones


@dataclass(slots=True, eq=False)
class Counts:
    """What a counter rose by: ``amount[i]`` parts were reported at ``time[i]``, the report before was ``since[i]``."""

    time: Int64s
    since: Int64s
    amount: Floats

    @staticmethod
    def none() -> Counts:
        """No parts at all."""
        return Counts(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))

    def times(self, factor: float) -> Counts:
        """The same reports with every amount multiplied."""
        return Counts(self.time, self.since, self.amount * factor)

    def plus(self, other: Counts) -> Counts:
        """Both, in order of time."""
        time = np.concatenate([self.time, other.time])
        order = np.argsort(time, kind="stable")
        since = np.concatenate([self.since, other.since])[order]
        return Counts(time[order], since, np.concatenate([self.amount, other.amount])[order])


@dataclass(slots=True, eq=False)
class Parts:
    """Parts made and good parts, the product in work over time, and what had to be assumed."""

    made: Counts
    good: Counts
    counted: bool
    assumed: tuple[str, ...]
    product_time: Int64s
    product: list[str]

    def product_spans(self, start: int, end: int) -> dict[str, Spans]:
        """When each product was in work within [start, end); under ``""`` when it is not known."""
        edges = [start, *(t for t in self.product_time.tolist() if start < t < end), end]
        spans: dict[str, list[tuple[int, int]]] = {}
        for begin, finish in pairwise(edges):
            spans.setdefault(self.product_at(begin), []).append((begin, finish))
        return {name: Spans.of(pairs) for name, pairs in spans.items()}

    def product_at(self, at: int) -> str:
        """The product in work at that instant, or ``""``."""
        index = int(np.searchsorted(self.product_time, at, side="right")) - 1
        return "" if index < 0 else self.product[index]


def counts_of(series: Series | None) -> Counts:
    """Rises of a cumulative counter.

    The first value only says where counting starts. A value lower than the last one is a reset, and what the counter
    shows then was made since. What is no count (below zero, beyond 2**53, bad or UNAVAILABLE) is passed over.
    """
    if series is None or series.number is None:
        return Counts.none()
    number = series.number
    with np.errstate(invalid="ignore"):
        valid: Bools = (number >= 0) & (number <= LARGEST_COUNT) & (series.quality != Quality.BAD)
    value, time = number[valid], series.time[valid]
    if len(value) < 2:
        return Counts.none()
    rise = np.diff(value)
    rise = np.where(rise < 0, value[1:], rise)
    up = rise > 0
    return Counts(time[1:][up], time[:-1][up], rise[up])


def is_count(o: Observation) -> bool:
    """Whether a counter's observation is a count; see :func:`counts_of`."""
    number = isinstance(o.value, float | int) and not isinstance(o.value, bool)
    return number and o.quality != Quality.BAD and 0 <= float(o.value or 0) <= LARGEST_COUNT


def parts_of(production: Production, series: Mapping[str, Series]) -> Parts:
    """Parts as the type declares its counters; what is missing is derived from the others, or assumed and told."""
    total, good, scrap = (
        counts_of(series.get(name)) if name else None for name in (production.total, production.good, production.scrap)
    )
    assumed: list[str] = []
    if good is not None:
        made = total if total is not None else good.plus(scrap if scrap is not None else Counts.none())
        if total is None and scrap is None:
            assumed.append("Neither all parts nor scrap are counted: every part made counts as good")
    elif total is not None:
        made = total
        good = total if scrap is None else total.plus(scrap.times(-1.0))
        if scrap is None:
            assumed.append("Neither good parts nor scrap are counted: every part made counts as good")
    else:
        made = good = Counts.none()
    counted = total is not None or bool(production.good)
    at, names = _products(series.get(production.product) if production.product else None)
    return Parts(made, good, counted, tuple(assumed), at, names)


def _products(series: Series | None) -> tuple[Int64s, list[str]]:
    if series is None or series.text is None:
        return np.zeros(0, np.int64), []
    return series.time, [text or "" for text in series.text]
