"""How often a requirement was put to the test: where its trigger held, and what came of it."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.formula.tree import Constant, Formula, Implies, Named, invariant, reach, signals_of
from servitwin.domain.observation import Int64s
from servitwin.proof.monitor.check import check_formula
from servitwin.proof.monitor.history import TraceSource
from servitwin.proof.monitor.pieces import FALSE, TRUE, stretches_of
from servitwin.proof.monitor.trace import Trace, Verdict
from servitwin.proof.monitor.tracks import truths


class Triggers(msgspec.Struct, frozen=True):
    """When the left of a top-level ``->`` certainly became true; without a trigger it is always demanded.

    Attributes:
        times: instants (ns) at which it became true, ``start`` of the trace included if it held there.
        held: nanoseconds in which it held.
        signals: what it reads, in the order of the text.
    """

    times: tuple[int, ...]
    held: int
    signals: tuple[str, ...]

    @property
    def count(self) -> int:
        """How often; 0: the requirement holds vacuously."""
        return len(self.times)


class Occurrence(msgspec.Struct, frozen=True):
    """A stretch [start, end) in which the trigger held, and the verdict of the requirement over it.

    False as soon as it was false at one instant; true if it was determined true at all of them.
    """

    start: int
    end: int
    verdict: Verdict


def trigger_of(formula: Formula) -> Formula:
    """The left of a top-level ``->``, or ``true``."""
    bare = invariant(formula)
    while isinstance(bare, Named):
        bare = invariant(bare.of)
    return bare.condition if isinstance(bare, Implies) else Constant(True)


def triggered(formula: Formula, trace: Trace) -> Triggers:
    """How often and when the trigger of a requirement became true in [trace.start, trace.end).

    Raises:
        InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula` says.
    """
    trigger = trigger_of(formula)
    starts, ends = _where(trigger, trace)
    return Triggers(tuple(starts.tolist()), int((ends - starts).sum()), signals_of(trigger))


def occurrences(formula: Formula, trace: Trace, qualifying: Formula | None = None) -> list[Occurrence]:
    """Stretches in which the trigger held, each with its verdict: what a proof of repair counts.

    Args:
        formula: the requirement.
        trace: what was observed since the repair.
        qualifying: what has to be certainly true at the instant at which the trigger became true, such as a
            comparable load; stretches that began otherwise are left out.

    Raises:
        InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula` says.
    """
    bare = check_formula(formula, trace.signals)
    starts, ends = _where(trigger_of(formula), trace)
    if qualifying is not None:
        begun, ended = _where(qualifying, trace)
        place = np.searchsorted(begun, starts, side="right") - 1
        fits = (place >= 0) & (starts < np.append(ended, 0)[place])
        starts, ends = starts[fits], ends[fits]
    if not len(starts):
        return []
    runs = stretches_of(truths(bare, TraceSource(trace, _earliest(bare, trace)))[id(bare)], trace.start, trace.end)
    first = np.searchsorted(runs.start, starts, side="right") - 1
    last = np.searchsorted(runs.start, ends, side="left")
    found = []
    for a, b, i, j in zip(starts.tolist(), ends.tolist(), first.tolist(), last.tolist(), strict=True):
        verdicts = runs.verdict[i:j]
        if (verdicts == FALSE).any():
            verdict = Verdict.FALSE
        else:
            verdict = Verdict.TRUE if (verdicts == TRUE).all() else Verdict.INCONCLUSIVE
        found.append(Occurrence(a, b, verdict))
    return found


def _earliest(formula: Formula, trace: Trace) -> int | None:
    past = reach(formula)[0]
    return None if past is None else trace.start - past


def _where(formula: Formula, trace: Trace) -> tuple[Int64s, Int64s]:
    """Stretches of [trace.start, trace.end) in which a formula is determined true."""
    bare = check_formula(formula, trace.signals)
    if trace.end <= trace.start:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    runs = stretches_of(truths(bare, TraceSource(trace, _earliest(bare, trace)))[id(bare)], trace.start, trace.end)
    true = runs.verdict == TRUE
    return runs.start[true], runs.end[true]
