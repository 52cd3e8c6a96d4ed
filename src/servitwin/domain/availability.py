"""Availability by named formulas: exact integer nanoseconds until the one division at the end.

Which state counts under which term of each formula is the table in ``docs/concepts/state.md``. The paid standards
were not read: the formulas follow public descriptions of ISO 22400-2, EN 15341:2007/2019 and VDI 3423 (secondary).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_span import Spans

S = State  # one letter keeps the tables below readable


class Formula(msgspec.Struct, frozen=True):
    """One way to call a machine available.

    Attributes:
        key: ``name@version`` as contracts and the API name it.
        title: what people read.
        source: where the formula comes from.
        terms: term -> states whose time it sums; a state may belong to several terms or to none.
        numerator: terms added.
        denominator: terms added; undefined where they sum to nothing.
    """

    key: str
    title: str
    source: str
    terms: dict[str, tuple[State, ...]]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]


class Availability(msgspec.Struct, frozen=True):
    """A figure with what it was made of; times in nanoseconds. ``value`` None: undefined, with ``reason``."""

    formula: str
    value: float | None
    numerator: int
    denominator: int
    unknown: int
    terms: dict[str, int]
    reason: str = ""


_EN_TERMS: dict[str, tuple[State, ...]] = {
    "OT": (S.PRODUCING,),
    "standby": (S.SETUP, S.STANDBY),
    "external": (S.STARVED, S.BLOCKED, S.EXTERNAL),
    "TTR": (S.FAILED, S.REPAIR),
    "preventive": (S.PREVENTIVE,),
}
_VDI_TERMS: dict[str, tuple[State, ...]] = {
    "TN": (S.PRODUCING, S.SETUP),
    "TO": (S.STANDBY, S.STARVED, S.BLOCKED, S.EXTERNAL, S.OFF),
    "TT": (S.FAILED, S.REPAIR),
    "TW": (S.PREVENTIVE,),
}
_ALL = [
    Formula(
        "iso22400@1",
        "Availability, actual production time over planned busy time",
        "ISO 22400-2, availability = APT / PBT (secondary)",
        {
            "APT": (S.PRODUCING,),
            "PBT": (S.PRODUCING, S.SETUP, S.STANDBY, S.STARVED, S.BLOCKED, S.FAILED, S.REPAIR, S.EXTERNAL, S.OFF),
        },
        ("APT",),
        ("PBT",),
    ),
    Formula(
        "en15341-m10@1",
        "Operational availability, able to run over required time",
        "EN 15341, M10 = (OT + standby + external) / required time (secondary)",
        _EN_TERMS,
        ("OT", "standby", "external"),
        ("OT", "standby", "external", "TTR"),
    ),
    Formula(
        "en15341-m12@1",
        "Availability by time to restore",
        "EN 15341, M12 = OT / (OT + TTR) (secondary)",
        _EN_TERMS,
        ("OT",),
        ("OT", "TTR"),
    ),
    Formula(
        "en15341-pha8@1",
        "Availability in which preventive maintenance counts as down time",
        "EN 15341, PHA8 = OT / (OT + TTR + preventive) (secondary)",
        _EN_TERMS,
        ("OT",),
        ("OT", "TTR", "preventive"),
    ),
    Formula(
        "vdi3423@1",
        "Technical availability",
        "VDI 3423, (TB - TT) / TB with TB = TN + TO + TT + TW (secondary)",
        _VDI_TERMS,
        ("TN", "TO", "TW"),
        ("TN", "TO", "TT", "TW"),
    ),
    Formula(
        "vdi3423-use@1",
        "Degree of use",
        "VDI 3423, (TB - TO - TT - TW) / TB with TB = TN + TO + TT + TW (secondary)",
        _VDI_TERMS,
        ("TN",),
        ("TN", "TO", "TT", "TW"),
    ),
]
FORMULAS: dict[str, Formula] = {f.key: f for f in _ALL}


def formula(key: str) -> Formula:
    """The formula of that key.

    Raises:
        InvalidInputError: ``formula:unknown``, naming those there are.
    """
    found = FORMULAS.get(key)
    if found is None:
        raise InvalidInputError(
            Fault("formula:unknown", f"There is no formula {key!r}", f"One of {', '.join(FORMULAS)}", "formula")
        )
    return found


def state_totals(intervals: Sequence[StateInterval], within: Spans | None = None) -> dict[State, int]:
    """Nanoseconds per state, of all the time or of that inside ``within``."""
    states = list(State)
    number = {state: n for n, state in enumerate(states)}
    starts = np.array([i.start for i in intervals], np.int64)
    ends = np.array([i.end for i in intervals], np.int64)
    lengths = ends - starts if within is None else within.covered(starts, ends)
    sums = np.zeros(len(states), np.int64)
    np.add.at(sums, np.array([number[i.state] for i in intervals], np.intp), lengths)
    return {state: int(total) for state, total in zip(states, sums, strict=True) if total}


def availability(key: str, time_in_state: Mapping[State, int]) -> Availability:
    """The figure by the formula of that key from nanoseconds per state.

    Time of unknown state belongs to no term: it is neither good nor bad here, and is told beside the figure.
    Count only planned time where a calendar is known (:func:`state_totals` with ``within``).
    """
    chosen = formula(key)
    terms = {name: sum(time_in_state.get(s, 0) for s in states) for name, states in chosen.terms.items()}
    numerator = sum(terms[name] for name in chosen.numerator)
    denominator = sum(terms[name] for name in chosen.denominator)
    if key.startswith("vdi3423"):
        terms = {"TB": denominator, **terms}
    unknown = time_in_state.get(State.UNKNOWN, 0)
    return _figure(key, numerator, denominator, unknown, terms, _why_undefined(time_in_state))


def availability_by_words(intervals: Sequence[StateInterval], good: frozenset[str], name: str) -> Availability:
    """A contract's own definition over known hours: time in which the machine's word is one of ``good``.

    Every other word counts as not available; time for which no word is known counts for neither.
    ``name`` labels the figure (``custom:only-active@1``).
    """
    sums: dict[str, int] = {}
    unknown = 0
    for i in intervals:
        if not i.word:
            unknown += i.duration
        else:
            sums[i.word] = sums.get(i.word, 0) + i.duration
    able = sum(ns for word, ns in sums.items() if word in good)
    return _figure(name, able, sum(sums.values()), unknown, sums, "no-known-time")


def _why_undefined(time_in_state: Mapping[State, int]) -> str:
    known = sum(ns for state, ns in time_in_state.items() if state is not State.UNKNOWN)
    if known:
        return "no-required-time"
    return "all-unknown" if time_in_state.get(State.UNKNOWN) else "no-time"


def _figure(key: str, numerator: int, denominator: int, unknown: int, terms: dict[str, int], why: str) -> Availability:
    if denominator <= 0:
        return Availability(key, None, numerator, denominator, unknown, terms, why)
    return Availability(key, numerator / denominator, numerator, denominator, unknown, terms)
