"""How often a requirement was put to the test: where its trigger held, and what came of it."""

from __future__ import annotations

import msgspec
import numpy as np

from servitwin.domain.formula.tree import Constant, Formula, Implies, Named, invariant, reach, signals_of
from servitwin.domain.observation import Int64s
from servitwin.proof.monitor.check import check_formula
from servitwin.proof.monitor.history import TraceSource
from servitwin.proof.monitor.pieces import FALSE, TRUE, Stretch, stretches_of
from servitwin.proof.monitor.trace import Trace, Verdict
from servitwin.proof.monitor.tracks import truths


class Triggers(msgspec.Struct, frozen=True):
    """When the left of a top-level ``->`` occurred; without a trigger it is always demanded.

    It occurs when it is certainly true, and was certainly false since it occurred before: what trembles inside the
    accuracy of a sensor does not occur again (``docs/concepts/evidence.md``).

    Attributes:
        times: instants (ns) at which it occurred, ``start`` of the trace included if it held there.
        held: nanoseconds in which it certainly held.
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
    """From where the trigger occurred to where it last certainly held before it certainly did not.

    ``verdict`` of the requirement over [start, end): false as soon as it was false at one instant; true if it was
    determined true at all of them.
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
    """How often and when the trigger of a requirement occurred in [trace.start, trace.end).

    Raises:
        InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula` says.
    """
    trigger = trigger_of(formula)
    runs = _runs(trigger, trace)
    starts, ends = _certain(runs)
    return Triggers(tuple(_occurring(runs)[0].tolist()), int((ends - starts).sum()), signals_of(trigger))


def occurrences(formula: Formula, trace: Trace, qualifying: Formula | None = None) -> list[Occurrence]:
    """What the trigger demanded, occurrence by occurrence, with verdicts: what a proof of repair counts.

    Args:
        formula: the requirement.
        trace: what was observed since the repair.
        qualifying: what has to be certainly true at the instant at which the trigger occurred, such as a comparable
            load; occurrences that began otherwise are left out.

    Raises:
        InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula` says.
    """
    bare = check_formula(formula, trace.signals)
    starts, ends = _occurring(_runs(trigger_of(formula), trace))
    if qualifying is not None:
        begun, ended = _certain(_runs(qualifying, trace))
        place = np.searchsorted(begun, starts, side="right") - 1
        fits = (place >= 0) & (starts < np.append(ended, 0)[place])
        starts, ends = starts[fits], ends[fits]
    if not len(starts):
        return []
    runs = _runs(bare, trace)
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


def _runs(formula: Formula, trace: Trace) -> Stretch:
    """Verdicts of a formula on [trace.start, trace.end)."""
    bare = check_formula(formula, trace.signals)
    if trace.end <= trace.start:
        none = np.zeros(0, np.int64)
        return Stretch(none, none, none.astype(np.int8), none)
    past = reach(bare)[0]
    source = TraceSource(trace, None if past is None else trace.start - past)
    return stretches_of(truths(bare, source)[id(bare)], trace.start, trace.end)


def _certain(runs: Stretch) -> tuple[Int64s, Int64s]:
    """Where it is determined true."""
    true = runs.verdict == TRUE
    return runs.start[true], runs.end[true]


def _occurring(runs: Stretch) -> tuple[Int64s, Int64s]:
    """Where it is determined true, as one up to where it is determined false."""
    known = np.flatnonzero((runs.verdict == TRUE) | (runs.verdict == FALSE))
    true = runs.verdict[known] == TRUE
    first = true & ~np.append(False, true[:-1])[: len(true)]
    last = true & ~np.append(true[1:], False)[: len(true)]
    return runs.start[known[first]], runs.end[known[last]]
