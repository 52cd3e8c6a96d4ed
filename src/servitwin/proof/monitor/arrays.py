"""The algebra of truth over time on arrays, for a history."""

from __future__ import annotations

import numpy as np

from servitwin.domain.observation import Bools, Int64s
from servitwin.proof.monitor import binding, truth
from servitwin.proof.monitor.algebra import Algebra, Stretches
from servitwin.proof.monitor.changes import CHANGED, FAR, UNKNOWN, change_parts
from servitwin.proof.monitor.truth import FIRST, LAST, Truth, present


def runs(times: Int64s, flags: Bools, before: bool) -> Truth:
    """A truth from samples that hold, ``before`` until the first of them."""
    if not len(times):
        return present(np.array([FIRST]), np.array([before]))
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    first = times[:1] if bool(flags[0]) != before else times[:0]
    start = np.concatenate([np.array([FIRST]), first, times[changes]])
    true = np.empty(len(start), np.bool_)
    true[0::2], true[1::2] = before, not before
    return Truth(start, true, np.zeros(len(start), np.int64), np.ones(len(start), np.int64), at_once=True)


class Arrays(Algebra[Truth]):
    """The algebra on arrays of runs."""

    def constant(self, value: bool) -> Truth:
        """As the algebra says."""
        return truth.constant(value)

    def negation(self, a: Truth) -> Truth:
        """As the algebra says."""
        return truth.negation(a)

    def both(self, a: Truth, b: Truth) -> Truth:
        """As the algebra says."""
        return truth.both(a, b)

    def either(self, a: Truth, b: Truth) -> Truth:
        """As the algebra says."""
        return truth.either(a, b)

    def shifted(self, a: Truth, by: int) -> Truth:
        """As the algebra says."""
        return truth.shifted(a, by)

    def throughout(self, a: Truth, low: int, high: int) -> Truth:
        """As the algebra says."""
        return truth.throughout(a, low, high)

    def somewhere(self, a: Truth, low: int, high: int) -> Truth:
        """As the algebra says."""
        return truth.somewhere(a, low, high)

    def settled(self, a: Truth) -> Truth:
        """As the algebra says."""
        return truth.settled(a)

    def with_past(self, a: Truth, cut: int, value: bool) -> Truth:
        """As the algebra says."""
        return truth.with_past(a, cut, value)

    def at_least(self, a: Truth, past: int, need: int) -> Truth:
        """As the algebra says."""
        return truth.at_least(a, past, need)

    def until_ever(self, hold: Truth, goal: Truth) -> Truth:
        """As the algebra says."""
        return binding.until_ever(hold, goal)

    def since_ever(self, hold: Truth, goal: Truth) -> Truth:
        """As the algebra says."""
        return binding.since_ever(hold, goal)

    def next_change(self, at: Stretches, then: Truth, low: int, high: int, *, unknown: bool) -> Truth:
        """As the algebra says.

        Too far away is decided when the window has run out, too near when the change comes, and in the window when the
        change has come and ``then`` is decided.
        """
        start, run, part = change_parts(at, low, high)
        e = np.append(at.start[1:], LAST - 1)[run]
        i = then.index(e)
        true = np.where(part == CHANGED, then.true[i], (part == UNKNOWN) & unknown)
        line = (part == FAR) | ((part == UNKNOWN) & ~at.known[run])
        base = np.where(part == CHANGED, np.maximum(e, then.base[i] + then.slope[i] * e), e)
        base = np.where(line, np.where(part == FAR, high, 0), base)
        return truth.tidy(start, true, base, line.astype(np.int64))

    def value_before(self, a: Truth, cut: int) -> bool:
        """As the algebra says."""
        return a.decided_at(cut - 1)[0]

    def occurs_before(self, a: Truth, cut: int, value: bool) -> bool:
        """As the algebra says."""
        before = int(np.searchsorted(a.start, cut - 1, side="right"))
        return bool((a.true[:before] == value).any())
