"""OEE and its losses after ISO 22400-2 (secondary): terms that add up, and figures as ratios of their sums.

Terms of machines, shifts and products may be added (:func:`add_terms`); figures never are: the OEE of a factory is the
ratio of its sums, not the mean of its machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import msgspec
import numpy as np

from servitwin.domain.availability import state_totals
from servitwin.domain.instant import NS
from servitwin.domain.oee_counter import Counts, Parts
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_span import Spans

NOT_PRODUCTION = frozenset({State.PLANNED_STOP, State.PREVENTIVE, State.UNKNOWN})
Key = TypeVar("Key", str, State)
Amount = TypeVar("Amount", int, float)
LossKind = Literal["schedule", "unknown", "availability", "performance", "quality"]


class Terms(msgspec.Struct, frozen=True):
    """What the figures are made of, all additive; times in nanoseconds, parts as counted.

    Attributes:
        calendar: all the time looked at.
        planned: whether planned time was known (by a calendar), so that ``in_state`` holds planned time only.
        in_state: time per state inside planned time; planned busy time is all of it but planned stops,
            preventive maintenance and what is unknown.
        made: parts made per product (PQ).
        good: good parts per product (GQ).
        ideal: ideal time of the parts made, sum of PRI x PQ; None where a cycle is not known.
        ideal_good: ideal time of the good parts, sum of PRI x GQ.
        left_out: parts made across unknown time, which cannot be placed.
        counted: whether anything counts parts.
        assumed: what stood in for what was not known, in sentences.
    """

    calendar: int
    planned: bool
    in_state: dict[State, int]
    made: dict[str, float]
    good: dict[str, float]
    ideal: int | None
    ideal_good: int | None
    left_out: float
    counted: bool
    assumed: tuple[str, ...] = ()

    @property
    def planned_busy(self) -> int:
        """PBT: planned time of known state, less planned stops and preventive maintenance."""
        return sum(ns for state, ns in self.in_state.items() if state not in NOT_PRODUCTION)

    @property
    def production(self) -> int:
        """APT: actual production time."""
        return self.in_state.get(State.PRODUCING, 0)

    @property
    def processing(self) -> int:
        """AUPT: actual unit processing time, set-up counted as no loss."""
        return self.production + self.in_state.get(State.SETUP, 0)


class Loss(msgspec.Struct, frozen=True):
    """One step of the waterfall: nanoseconds, and the share of planned busy time (None before planned busy time)."""

    name: str
    duration: int
    share: float | None
    kind: LossKind
    state: str | None = None


class Oee(msgspec.Struct, frozen=True):
    """The figures, ratios 0-1; None where undefined, with ``reason``. ``called`` utilisation where inputs are missing.

    ``nee`` and ``teep`` are variants and no OEE: NEE counts set-up as no loss, TEEP relates to calendar time.
    Of ``utilisation`` without an ideal cycle, ``oee`` is production over planned busy (or calendar) time.
    """

    oee: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    nee: float | None
    teep: float | None
    called: Literal["OEE", "utilisation"]
    losses: tuple[Loss, ...]
    assumed: tuple[str, ...]
    flags: tuple[str, ...]
    reason: str
    terms: Terms


class PartSums(msgspec.Struct):
    """Running sums of parts per product, added in order of time so that any steps give the same digits."""

    made: dict[str, float] = {}
    good: dict[str, float] = {}
    left_out: float = 0.0

    def add(self, parts: Parts, countable: Spans, unknown: Spans) -> None:
        """Count the parts made within ``countable``; those that cannot be placed for ``unknown`` time are left out.

        A part reported at an instant was made just before it. Several parts reported after unknown time may have
        been made in it; a single one is taken as made when it was reported.
        """
        self.left_out = _place(self.made, parts, parts.made, countable, unknown, self.left_out)
        _place(self.good, parts, parts.good, countable, unknown, 0.0)


def oee_terms(
    intervals: Sequence[StateInterval],
    parts: Parts,
    cycles: Mapping[str, float],
    planned: Spans | None,
    within: Spans,
) -> Terms:
    """Terms of one machine over ``within`` (the whole range, or the stretches of a shift or product).

    Args:
        intervals: time of state that covers ``within``.
        parts: parts counted.
        cycles: ideal cycle per product in seconds, ``""`` for any other.
        planned: planned time by the calendar; None: not known, all time is taken.
        within: the stretches looked at.
    """
    inside = within if planned is None else within.meet(planned)
    sums = PartSums()
    sums.add(parts, countable_time(intervals, inside), unknown_time(intervals))
    in_state = state_totals(intervals, inside)
    return terms_of(within.total(), in_state, sums, parts, cycles, planned=planned is not None)


def countable_time(intervals: Sequence[StateInterval], inside: Spans) -> Spans:
    """Time in which parts count: inside planned time, state known, no planned stop and no preventive maintenance."""
    return inside.minus(Spans.of((i.start, i.end) for i in intervals if i.state in NOT_PRODUCTION))


def unknown_time(intervals: Sequence[StateInterval]) -> Spans:
    """Time of unknown state."""
    return Spans.of((i.start, i.end) for i in intervals if i.state is State.UNKNOWN)


def terms_of(
    calendar: int,
    in_state: dict[State, int],
    sums: PartSums,
    parts: Parts,
    cycles: Mapping[str, float],
    *,
    planned: bool,
) -> Terms:
    """Terms from sums of time and parts, with what had to be assumed."""
    assumed = list(parts.assumed)
    if not planned:
        assumed.append("No calendar: all calendar time counts as planned")
    missing = sorted(p for p in sums.made if not cycles.get(p, cycles.get("", 0.0)) > 0)
    rated = parts.counted and not missing and any(cycle > 0 for cycle in cycles.values())
    if not parts.counted:
        assumed.append("No signal counts parts: neither performance nor quality is known")
    elif not rated:
        names = ", ".join(p or "any product" for p in missing)
        assumed.append(f"No ideal cycle{' for ' + names if names else ''}: performance is not known")
    return Terms(
        calendar,
        planned,
        in_state,
        sums.made,
        sums.good,
        _ideal(sums.made, cycles) if rated else None,
        _ideal(sums.good, cycles) if rated else None,
        sums.left_out,
        parts.counted,
        tuple(assumed),
    )


def add_terms(many: Iterable[Terms]) -> Terms:
    """The sum of several machines or stretches; what one of them lacks, the sum lacks."""
    each = list(many)
    assumed = dict.fromkeys(text for terms in each for text in terms.assumed)
    ideal = [t.ideal for t in each]
    ideal_good = [t.ideal_good for t in each]
    return Terms(
        sum(t.calendar for t in each),
        bool(each) and all(t.planned for t in each),
        _add(t.in_state for t in each),
        _add(t.made for t in each),
        _add(t.good for t in each),
        None if None in ideal or not each else sum(i for i in ideal if i is not None),
        None if None in ideal_good or not each else sum(i for i in ideal_good if i is not None),
        sum(t.left_out for t in each),
        bool(each) and all(t.counted for t in each),
        tuple(assumed),
    )


def oee_of(terms: Terms) -> Oee:
    """All figures and the waterfall of losses from the terms; each figure is one division of exact sums."""
    busy, production = terms.planned_busy, terms.production
    ideal, good = terms.ideal, terms.ideal_good
    performance = _ratio(ideal, production)
    quality = _ratio(good, ideal) if ideal is not None else _ratio(sum(terms.good.values()), sum(terms.made.values()))
    called: Literal["OEE", "utilisation"] = "OEE" if terms.planned and ideal is not None else "utilisation"
    oee = _ratio(production, busy) if ideal is None else _ratio(good, busy)
    nee = None if good is None or not production else _ratio(terms.processing * good, busy * production)
    return Oee(
        oee,
        _ratio(production, busy),
        performance,
        quality if terms.counted else None,
        nee,
        _ratio(good, terms.calendar),
        called,
        tuple(_losses(terms)),
        terms.assumed,
        tuple(_flags(terms, performance)),
        _reason(terms),
        terms,
    )


def _place(
    sums: dict[str, float], parts: Parts, counts: Counts, countable: Spans, unknown: Spans, left_out: float
) -> float:
    before = counts.time - 1
    inside = countable.contain(before)
    across = (np.abs(counts.amount) > 1) & (unknown.covered(counts.since, counts.time) > 0)
    rows = zip(before[inside].tolist(), counts.amount[inside].tolist(), across[inside].tolist(), strict=True)
    for at, amount, lost in rows:
        if lost:
            left_out += amount
        else:
            product = parts.product_at(at)
            sums[product] = sums.get(product, 0.0) + amount
    return left_out


def _ideal(amounts: Mapping[str, float], cycles: Mapping[str, float]) -> int:
    return sum(round(n * round(cycles.get(p, cycles.get("", 0.0)) * NS)) for p, n in sorted(amounts.items()))


def _add(many: Iterable[Mapping[Key, Amount]]) -> dict[Key, Amount]:
    sums: dict[Key, Amount] = {}
    for one in many:
        for key, value in one.items():
            sums[key] = sums[key] + value if key in sums else value
    return sums


def _ratio(numerator: float | None, denominator: float) -> float | None:
    return None if numerator is None or denominator <= 0 else numerator / denominator


def _reason(terms: Terms) -> str:
    if terms.planned_busy > 0:
        return ""
    if terms.in_state.get(State.UNKNOWN):
        return "all-unknown"
    return "no-planned-time" if terms.calendar else "no-time"


def _losses(terms: Terms) -> Iterable[Loss]:
    busy = terms.planned_busy
    planned = sum(terms.in_state.values())
    if terms.calendar > planned:
        yield Loss("not-planned", terms.calendar - planned, None, "schedule")
    for state in (State.PLANNED_STOP, State.PREVENTIVE):
        if terms.in_state.get(state):
            yield Loss(state.value, terms.in_state[state], None, "schedule", state.value)
    if terms.in_state.get(State.UNKNOWN):
        yield Loss("unknown", terms.in_state[State.UNKNOWN], None, "unknown", State.UNKNOWN.value)
    for state in State:
        if state is not State.PRODUCING and state not in NOT_PRODUCTION and terms.in_state.get(state):
            lost = terms.in_state[state]
            yield Loss(state.value, lost, _ratio(lost, busy), "availability", state.value)
    if terms.ideal is not None and terms.ideal_good is not None:
        slow = terms.production - terms.ideal
        yield Loss("performance", slow, _ratio(slow, busy), "performance")
        bad = terms.ideal - terms.ideal_good
        yield Loss("quality", bad, _ratio(bad, busy), "quality")


def _flags(terms: Terms, performance: float | None) -> Iterable[str]:
    if performance is not None and performance > 1:
        yield f"effectiveness-above-one: {performance:.1%}; the ideal cycle is too long, or production was not seen"
    if terms.ideal and not terms.production:
        yield "parts-without-production: parts were counted while the machine never produced"
    if terms.left_out:
        yield f"parts-across-unknown-time: {terms.left_out:g} parts cannot be placed and are left out"
    if terms.ideal is not None and terms.ideal_good is not None and terms.ideal_good > terms.ideal:
        yield "good-above-made: more good parts than parts made were counted"
