"""How minutes of routine changed since the assistant is used: means, Welch's interval, and what makes sides unlike.

Welch's t allows the two sides to scatter differently. The interval says what chance explains; it does not say that the
assistant was the cause: whatever else changed in the meantime is in the difference too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.error import Fault
from servitwin.domain.line_result import Estimate, student
from servitwin.domain.money import Money
from servitwin.domain.schedule.routine import RoutineStudy, ShiftRoutine

RULE = "routine-minutes@1"
SOURCE = (
    "Welch 1947, Biometrika 34, 28-35; degrees of freedom by Satterthwaite 1946, Biometrics Bulletin 2, 110-114, "
    "rounded down (secondary)"
)
LEAST = 5
"""Shifts on each side below which no difference is told."""
CONFIDENCE = 0.95
UNLIKE = 1 / 3
"""Share of shifts that would have to be others for the two sides to be made of the same."""


class Moments(msgspec.Struct, frozen=True):
    """How many shifts, their mean, and their standard deviation (of a sample), in minutes."""

    count: int
    mean: float
    deviation: float

    @staticmethod
    def of(values: Sequence[int]) -> Moments:
        """Of some values; of none everything is 0."""
        found = np.asarray(values, np.float64)
        mean = float(found.mean()) if len(found) else 0.0
        return Moments(len(found), mean, float(found.std(ddof=1)) if len(found) > 1 else 0.0)


class KindChange(msgspec.Struct, frozen=True):
    """One kind of routine (``""``: all of them together) on both sides, in minutes a shift.

    Attributes:
        difference: after less before, with its interval; None where it is ``refused``.
    """

    kind: str
    before: Moments
    after: Moments
    difference: Estimate | None
    refused: Fault | None


class SavedMoney(msgspec.Struct, frozen=True):
    """What a shift spends less on routine at the stated rate an hour, with the ends of the interval."""

    per_shift: Money
    low: Money
    high: Money


class RoutineChange(msgspec.Struct, frozen=True):
    """All kinds together, each kind, money where a rate is stated, and how the two sides differ otherwise."""

    total: KindChange
    kinds: tuple[KindChange, ...]
    money: SavedMoney | None
    warnings: tuple[Fault, ...]


def freedom(first: Moments, second: Moments) -> float:
    """Degrees of freedom of the difference of two means whose samples scatter differently (Satterthwaite)."""
    a, b = first.deviation**2 / first.count, second.deviation**2 / second.count
    return (a + b) ** 2 / (a**2 / (first.count - 1) + b**2 / (second.count - 1))


def welch(first: Moments, second: Moments, confidence: float = CONFIDENCE) -> Estimate:
    """Second less first with its interval; both have at least two values.

    Degrees of freedom are rounded down to whole ones, which never makes the interval narrower.
    """
    mean = second.mean - first.mean
    error = math.sqrt(first.deviation**2 / first.count + second.deviation**2 / second.count)
    half = 0.0
    if error > 0:
        half = student(1 - (1 - confidence) / 2, max(1, math.floor(freedom(first, second) + 1e-9))) * error
    return Estimate(mean, mean - half, mean + half, half, first.count + second.count, confidence)


def change_of(before: Sequence[ShiftRoutine], after: Sequence[ShiftRoutine], study: RoutineStudy) -> RoutineChange:
    """Compare whole shifts before with those after; kinds that only one side was asked for are told, not compared."""
    total = _change("", [s.total for s in before], [s.total for s in after])
    listed = [k.id for k in study.kinds]
    dropped = sorted({k for s in (*before, *after) for k in s.minutes} - set(listed))
    kinds = tuple(
        _change(k, [s.minutes[k] for s in before if k in s.minutes], [s.minutes[k] for s in after if k in s.minutes])
        for k in (*listed, *dropped)
    )
    money = None
    if study.rate and total.difference is not None:
        exact = Decimal(sum(s.total for s in before)) / len(before) - Decimal(sum(s.total for s in after)) / len(after)
        ends = (Decimal(repr(-total.difference.high)), Decimal(repr(-total.difference.low)))
        per_shift, low, high = (
            Money(Decimal(study.rate) * minutes / 60, study.currency).rounded() for minutes in (exact, *ends)
        )
        money = SavedMoney(per_shift, low, high)
    return RoutineChange(total, kinds, money, tuple(_unlike(before, after, total)) if before and after else ())


def _change(kind: str, before: Sequence[int], after: Sequence[int]) -> KindChange:
    first, second = Moments.of(before), Moments.of(after)
    if min(first.count, second.count) >= LEAST:
        return KindChange(kind, first, second, welch(first, second), None)
    refused = Fault(
        "routine:too-few-shifts",
        f"{first.count} shifts before and {second.count} after are too few to tell a difference from chance",
        f"At least {LEAST} whole shifts on each side",
        kind,
    )
    return KindChange(kind, first, second, None, refused)


def _unlike(before: Sequence[ShiftRoutine], after: Sequence[ShiftRoutine], total: KindChange) -> Iterable[Fault]:
    hint = "Compare shifts that are alike, or read the difference with this in mind"
    for noun, names in _MADE_OF:
        first, second = _shares(before, names), _shares(after, names)
        if first and second and _distance(first, second) > UNLIKE:
            message = f"The two sides differ by {noun}: before {_words(first)}; after {_words(second)}"
            yield Fault("routine:sides-differ", message, hint, noun)
    unknown = sum(1 for s in (*before, *after) if not s.products)
    if unknown:
        message = f"Of {unknown} of {len(before) + len(after)} shifts the products are not known"
        yield Fault("routine:products-unknown", message, "Answers to the plan tell them, or say them", "product")
    asked = [{k for s in side for k in s.minutes} for side in (before, after)]
    if asked[0] != asked[1]:
        message = f"Only one side was asked for {', '.join(sorted(asked[0] ^ asked[1]))}"
        yield Fault("routine:kinds-differ", message, "Read the kinds that both sides were asked for", "kinds")
    if total.difference is not None and total.difference.half == 0:
        message = "All shifts of a side said exactly the same: the interval has no width"
        yield Fault("routine:no-spread", message, "Ask whether they counted, or copied", "minutes")


_MADE_OF: tuple[tuple[str, Callable[[ShiftRoutine], Sequence[str]]], ...] = (
    ("shift", lambda s: (s.shift,)),
    ("place", lambda s: (s.place,)),
    ("product", lambda s: s.products),
)


def _shares(shifts: Sequence[ShiftRoutine], names: Callable[[ShiftRoutine], Sequence[str]]) -> dict[str, float]:
    """Shares of names among shifts that have any; a shift with several names is shared among them."""
    parts: dict[str, float] = {}
    for shift in shifts:
        found = names(shift)
        for name in found:
            parts[name] = parts.get(name, 0.0) + 1 / len(found)
    whole = sum(parts.values())
    return {name: part / whole for name, part in sorted(parts.items())}


def _distance(first: dict[str, float], second: dict[str, float]) -> float:
    return sum(abs(first.get(n, 0.0) - second.get(n, 0.0)) for n in first.keys() | second.keys()) / 2


def _words(shares: dict[str, float]) -> str:
    most = sorted(shares.items(), key=lambda x: -x[1])[:4]
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in most)
