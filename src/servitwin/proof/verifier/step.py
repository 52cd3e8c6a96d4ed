"""Functions of time that are constant in steps, over whole nanoseconds from minus to plus infinity.

Values are ordered: false < true, or numbers. What a formula may say about time is the largest or the smallest value in
a window; so each operator here serves truth and margins alike.
"""

from __future__ import annotations

import bisect
import math
import operator
from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from .refusal import RefusedError

BEGIN = -math.inf
MOST_STEPS = 20_000_000


class Step(NamedTuple):
    """``values[i]`` holds on [starts[i], starts[i + 1]), the last one for ever; ``starts[0]`` is minus infinity."""

    starts: list[Any]
    values: list[Any]

    def at(self, t: int) -> Any:
        """The value at an instant."""
        return self.values[bisect.bisect_right(self.starts, t) - 1]

    def during(self, begin: int, end: int) -> list[Any]:
        """All values on [begin, end)."""
        first = bisect.bisect_right(self.starts, begin) - 1
        return self.values[first : bisect.bisect_left(self.starts, end)]


def constant(value: Any) -> Step:
    """Always the same."""
    return Step([BEGIN], [value])


def joined(starts: Sequence[Any], values: Sequence[Any]) -> Step:
    """A step function without steps that change nothing."""
    changes = [True, *map(operator.ne, values[1:], values)]
    return Step(list(compress(starts, changes)), list(compress(values, changes)))


def each(of: Step, change: Callable[[Any], Any]) -> Step:
    """Each value changed."""
    return joined(of.starts, [change(v) for v in of.values])


def both(a: Step, b: Step, join: Callable[[Any, Any], Any]) -> Step:
    """Two functions joined at each instant."""
    starts, left, right = aligned(a, b)
    return joined(starts, list(map(join, left, right)))


def aligned(a: Step, b: Step) -> tuple[list[Any], list[Any], list[Any]]:
    """The steps of both: starts, values of a, values of b."""
    if a.starts == b.starts:
        return a.starts, a.values, b.values
    starts = a.starts if len(b.starts) == 1 else sorted({*a.starts, *b.starts})
    return starts, _spread(a, starts), _spread(b, starts)


def _spread(f: Step, starts: list[Any]) -> list[Any]:
    if len(f.starts) == 1:
        return f.values * len(starts)
    found, i, n = [], 0, len(f.starts)
    for start in starts:
        while i + 1 < n and f.starts[i + 1] <= start:
            i += 1
        found.append(f.values[i])
    return found


def largest(f: Step, low: float, high: float) -> Step:
    """T -> the largest value of f in [t + low, t + high]."""
    ends = [*f.starts[1:], math.inf]
    enters = [s - high for s in f.starts]  # the step is seen from here ...
    leaves = [e - low for e in ends]  # ... to here
    starts = sorted({BEGIN, *enters, *(t for t in leaves if t != math.inf)})
    seen: deque[int] = deque()  # steps in the window that no later one exceeds
    values, i, n = [], 0, len(enters)
    for t in starts:
        while i < n and enters[i] <= t:
            while seen and f.values[seen[-1]] <= f.values[i]:
                seen.pop()
            seen.append(i)
            i += 1
        while leaves[seen[0]] <= t:
            seen.popleft()
        values.append(f.values[seen[0]])
    return joined(starts, values)


def until(hold: Step, goal: Step, low: int, high: float, bottom: Any, top: Any) -> Step:
    """T -> the largest min(goal(t'), smallest hold on [t, t')) over t' in [t + low, t + high].

    ``bottom`` and ``top`` are the least and the greatest value.
    """
    starts, holds, goals = aligned(hold, goal)
    ends = [*starts[1:], math.inf]
    edges = starts[1:]
    cuts = {t for b in edges for t in (b, b - low, b - low + 1, b - high) if t != BEGIN}
    order = sorted(cuts)
    values = []
    budget = MOST_STEPS
    for t in [order[0] - 1 if order else 0, *order]:
        best, held = bottom, top
        for k in range(bisect.bisect_right(starts, t) - 1, len(starts)):
            budget -= 1
            begin = max(starts[k], t)
            candidate = max(begin, t + low)
            if candidate > t + high:
                break
            if candidate < ends[k]:
                best = max(best, min(held, holds[k], goals[k]) if candidate > begin else min(held, goals[k]))
            held = min(held, holds[k])
            if held <= best:
                break
        if budget < 0:
            raise RefusedError("proof:too-much-work", f"an until needs more than {MOST_STEPS} steps", "requirement")
        values.append(best)
    return joined([BEGIN, *order], values)


def reversed_time(f: Step) -> Step:
    """T -> f(-t): the past becomes the future."""
    ends = [*f.starts[1:], math.inf]
    return Step([1 - e for e in reversed(ends)], f.values[::-1])


def moved(f: Step, by: int) -> Step:
    """T -> f(t + by)."""
    return Step([s - by for s in f.starts], f.values)


def measured(f: Step, past: int) -> list[tuple[Any, int, int]]:
    """How many nanoseconds of (t - past, t] the truth function f is true: straight lines, each (from, value, slope)."""
    edges = f.starts[1:]
    if not edges:
        return [(BEGIN, past if f.values[0] else 0, 0)]
    first, last = edges[0] - past - 2, edges[-1] + past + 2  # before and after, nothing changes any more
    starts = [first, *edges]
    ends = [*edges, last]
    true = [(s, e) for s, e, v in zip(starts, ends, f.values, strict=True) if v]
    slopes: dict[int, int] = {}
    for s, e in true:
        for at, change in ((s - 1, 1), (e - 1, -1), (s - 1 + past, -1), (e - 1 + past, 1)):
            slopes[at] = slopes.get(at, 0) + change
    lines: list[tuple[Any, int, int]] = [(BEGIN, past if f.values[0] else 0, 0)]
    value, slope, before = 0, 0, first - 1
    for at in sorted(slopes):
        value += slope * (at - before)
        slope += slopes[at]
        before = at
        if edges[0] - 1 <= at < last - 1:
            lines.append((at, value, slope))
    return lines
