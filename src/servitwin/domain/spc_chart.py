"""Control charts: centre line and limits from a baseline, and points judged against them.

Charts of means with ranges or standard deviations (X-bar/R, X-bar/S), of single values with moving ranges (I-MR), of
shares (p) and of counts per unit (u): Shewhart; NIST/SEMATECH e-Handbook of Statistical Methods 6.3.2 and 6.3.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.spc_constant import group_constants
from servitwin.domain.spc_rule import LONGEST_WINDOW, Rule, broken_rules

ChartKind = Literal["xbar-r", "xbar-s", "individuals", "p", "u"]
VARIABLE_KINDS: tuple[ChartKind, ...] = ("xbar-r", "xbar-s", "individuals")
ENOUGH_GROUPS = 20  # below it limits are wide estimates: NIST 6.3.2 asks for 20 to 25 subgroups
LEAST_GROUPS = 2


class Line(msgspec.Struct, frozen=True):
    """Centre line with its limits; ``None``: there is no such limit."""

    centre: float
    lower: float | None
    upper: float | None

    def sigmas(self, value: float) -> float:
        """How many sigmas a value lies from the centre: a limit is three; a limit that coincides with it is none."""
        limit = self.upper if value >= self.centre else self.lower
        if limit is None or limit == self.centre:
            return 0.0 if value == self.centre or limit is None else math.copysign(math.inf, value - self.centre)
        return math.copysign(3 * (value - self.centre) / (limit - self.centre), value - self.centre)


class Limits(msgspec.Struct, frozen=True):
    """Limits of a chart of measured values.

    Attributes:
        location: of means or single values; ``spread``: of ranges, standard deviations or moving ranges.
        sigma: of a single value within a subgroup, as the spread says.
        groups: how many subgroups they rest on; ``size``: values in each.
    """

    kind: ChartKind
    location: Line
    spread: Line
    sigma: float
    groups: int
    size: int


class Judged(msgspec.Struct, frozen=True):
    """A point of a chart: value, its line, its distance in sigmas, and the rules that it breaks."""

    value: float
    line: Line
    sigmas: float
    rules: tuple[str, ...] = ()


def limits_of(kind: ChartKind, groups: Sequence[Sequence[float]]) -> Limits:
    """Limits from the subgroups of a baseline; for ``individuals`` each subgroup is a single value.

    Raises:
        InvalidInputError: ``spc:not-enough-data``, ``spc:groups-differ``, ``spc:group-size``, ``spc:no-variation``,
            ``spc:chart-unknown``.
    """
    if kind not in VARIABLE_KINDS:
        raise InvalidInputError(
            Fault("spc:chart-unknown", f"{kind!r} is no chart of measured values", f"One of {VARIABLE_KINDS}", "kind")
        )
    if len(groups) < LEAST_GROUPS:
        hint = f"At least {LEAST_GROUPS}, better {ENOUGH_GROUPS}: wait, or choose smaller subgroups or a longer range"
        raise InvalidInputError(Fault("spc:not-enough-data", f"{len(groups)} subgroups", hint, "from"))
    size = len(groups[0])
    if any(len(g) != size for g in groups) or (kind == "individuals" and size != 1):
        raise InvalidInputError(
            Fault("spc:groups-differ", "Subgroups are not of one size", "Give each as many values", "size")
        )
    found = _individuals(groups) if kind == "individuals" else _means(kind, groups, size)
    if found.sigma <= 0:
        message = "All values of the baseline are the same: nothing can be told from chance"
        raise InvalidInputError(Fault("spc:no-variation", message, "Look at the resolution of the gauge", "from"))
    return found


def _individuals(groups: Sequence[Sequence[float]]) -> Limits:
    values = [g[0] for g in groups]
    c = group_constants(2)
    moving = math.fsum(abs(b - a) for a, b in pairwise(values)) / (len(values) - 1)
    mean = math.fsum(values) / len(values)
    reach = 3 * moving / c.d2
    return Limits(
        "individuals", Line(mean, mean - reach, mean + reach),
        Line(moving, c.lower_range * moving, c.upper_range * moving), moving / c.d2, len(groups), 1,
    )  # fmt: skip


def _means(kind: ChartKind, groups: Sequence[Sequence[float]], size: int) -> Limits:
    c = group_constants(size)
    mean = math.fsum(location_of(g) for g in groups) / len(groups)
    spread = math.fsum(spread_of(kind, g) for g in groups) / len(groups)
    by_range = kind == "xbar-r"
    reach = (c.a2 if by_range else c.a3) * spread
    low, high = (c.lower_range, c.upper_range) if by_range else (c.lower_deviation, c.upper_deviation)
    return Limits(
        kind, Line(mean, mean - reach, mean + reach), Line(spread, low * spread, high * spread),
        spread / (c.d2 if by_range else c.c4), len(groups), size,
    )  # fmt: skip


def location_of(group: Sequence[float]) -> float:
    """Mean of a subgroup."""
    return math.fsum(group) / len(group)


def spread_of(kind: ChartKind, group: Sequence[float], before: float | None = None) -> float:
    """Range, standard deviation, or for single values the step from the value ``before`` (none: 0)."""
    if kind == "xbar-r":
        return max(group) - min(group)
    if kind == "individuals":
        return 0.0 if before is None else abs(group[0] - before)
    mean = location_of(group)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in group) / (len(group) - 1))


def share_line(defective: int, of: int, size: int) -> Line:
    """Line of a p chart for a subgroup of ``size`` where the baseline has ``defective`` of ``of`` (binomial)."""
    p = defective / of
    reach = 3 * math.sqrt(p * (1 - p) / size)
    return Line(p, max(0.0, p - reach), min(1.0, p + reach))


def rate_line(defects: int, units: float, size: float) -> Line:
    """Line of a u chart (Poisson) for a subgroup of ``size`` units; size 1 everywhere makes it a c chart."""
    u = defects / units
    reach = 3 * math.sqrt(u / size)
    return Line(u, max(0.0, u - reach), u + reach)


def attribute_chart(kind: Literal["p", "u"], counts: Sequence[tuple[int, int]], rules: Sequence[Rule]) -> list[Judged]:
    """Points of a p or u chart over ``counts`` of (defective or defects, inspected), limits from all of them.

    Raises:
        InvalidInputError: ``spc:not-enough-data``, ``spc:count-impossible``.
    """
    total, inspected = sum(c for c, _ in counts), sum(n for _, n in counts)
    if len(counts) < LEAST_GROUPS:
        raise InvalidInputError(
            Fault("spc:not-enough-data", f"{len(counts)} subgroups", f"At least {LEAST_GROUPS}", "from")
        )
    if any(c < 0 or n <= 0 or (kind == "p" and c > n) for c, n in counts):
        raise InvalidInputError(
            Fault(
                "spc:count-impossible", "A subgroup has no parts, or more defective than inspected ones", "Count again"
            )
        )
    lines = [share_line(total, inspected, n) if kind == "p" else rate_line(total, inspected, n) for _, n in counts]
    return judge([(c / n, line) for (c, n), line in zip(counts, lines, strict=True)], rules, zones=False)


def judge(points: Sequence[tuple[float, Line]], rules: Sequence[Rule], *, zones: bool) -> list[Judged]:
    """Points of a chart in order of time, each judged with those before it."""
    window: list[float] = []
    out = []
    for value, line in points:
        window = [*window[-(LONGEST_WINDOW - 1) :], line.sigmas(value)]
        out.append(Judged(value, line, window[-1], broken_rules(window, rules, zones)))
    return out
