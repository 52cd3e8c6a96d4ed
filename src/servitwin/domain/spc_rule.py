"""Rules that say when a control chart shows more than chance.

Nelson, The Shewhart Control Chart - Tests for Special Causes (1984), rules 1 to 8; Western Electric, Statistical
Quality Control Handbook (1956), rules 1 to 4. Both look at points measured in sigmas from the centre line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

RuleSet = Literal["nelson", "western-electric"]
LONGEST_WINDOW = 15


class Rule(msgspec.Struct, frozen=True):
    """A rule by name.

    Attributes:
        name: as the books number it, ``nelson-1``.
        says: what is seen, in words.
        length: how many points it looks at.
        zones: whether it needs zones of equal width on both sides, as charts of means and single values have.
        breaks: whether the last ``length`` points (in sigmas from the centre, oldest first) break it.
    """

    name: str
    says: str
    length: int
    zones: bool
    breaks: Callable[[Sequence[float]], bool]


def _beyond(points: Sequence[float], count: int, sigmas: float) -> bool:
    """Whether ``count`` of the points, the last among them, lie beyond that many sigmas on one and the same side."""
    last = points[-1]
    return any(s * last > sigmas and sum(s * p > sigmas for p in points) >= count for s in (1, -1))


def _one_side(points: Sequence[float]) -> bool:
    return all(p > 0 for p in points) or all(p < 0 for p in points)


def _steady(points: Sequence[float]) -> bool:
    pairs = list(pairwise(points))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)


def _alternates(points: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(points)]
    return all(a * b < 0 for a, b in pairwise(steps))


NELSON = (
    Rule("nelson-1", "one point beyond three sigmas", 1, False, lambda p: abs(p[-1]) > 3),
    Rule("nelson-2", "nine points in a row on one side of the centre", 9, False, _one_side),
    Rule("nelson-3", "six points in a row, each higher or each lower than the one before", 6, False, _steady),
    Rule("nelson-4", "fourteen points in a row that go up and down in turn", 14, False, _alternates),
    Rule("nelson-5", "two of three points beyond two sigmas on one side", 3, True, lambda p: _beyond(p, 2, 2)),
    Rule("nelson-6", "four of five points beyond one sigma on one side", 5, True, lambda p: _beyond(p, 4, 1)),
    Rule("nelson-7", "fifteen points in a row within one sigma", 15, True, lambda p: all(abs(v) < 1 for v in p)),
    Rule(
        "nelson-8", "eight points in a row beyond one sigma, on both sides", 8, True,
        lambda p: all(abs(v) > 1 for v in p) and not _one_side(p),
    ),
)  # fmt: skip
WESTERN_ELECTRIC = (
    Rule("western-electric-1", "one point beyond three sigmas", 1, False, lambda p: abs(p[-1]) > 3),
    Rule(
        "western-electric-2", "two of three points beyond two sigmas on one side", 3, True, lambda p: _beyond(p, 2, 2)
    ),
    Rule("western-electric-3", "four of five points beyond one sigma on one side", 5, True, lambda p: _beyond(p, 4, 1)),
    Rule("western-electric-4", "eight points in a row on one side of the centre", 8, False, _one_side),
)
RULE_SETS: dict[str, tuple[Rule, ...]] = {"nelson": NELSON, "western-electric": WESTERN_ELECTRIC}
RULES = {r.name: r for rules in RULE_SETS.values() for r in rules}


def broken_rules(points: Sequence[float], rules: Sequence[Rule], zones: bool = True) -> tuple[str, ...]:
    """Names of the rules that the newest point breaks.

    Args:
        points: the newest points in sigmas from the centre line, oldest first; more than 15 change nothing.
        rules: those to be judged by.
        zones: whether the chart has zones (means, single values); without them rules on zones are left out.
    """
    return tuple(
        r.name for r in rules if (zones or not r.zones) and len(points) >= r.length and r.breaks(points[-r.length :])
    )
