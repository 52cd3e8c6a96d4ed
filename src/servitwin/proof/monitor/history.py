"""Verdicts of a requirement over a stretch of history, all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.formula.tree import Active, Compare, Formula, Is, reach, signals_of
from servitwin.domain.observation import Int64s
from servitwin.proof.monitor.algebra import Stretches
from servitwin.proof.monitor.arrays import Arrays, runs
from servitwin.proof.monitor.changes import stretches
from servitwin.proof.monitor.check import check_formula, check_signal
from servitwin.proof.monitor.margin import margins
from servitwin.proof.monitor.pieces import pieces_of, stretches_of
from servitwin.proof.monitor.reading import compare, member
from servitwin.proof.monitor.trace import Piece, SignalTrace, Trace
from servitwin.proof.monitor.tracks import Pair, truths
from servitwin.proof.monitor.truth import Truth, constant


@dataclass(slots=True, eq=False)
class Verdicts:
    """Verdicts over [start, end) without overlap or hole, neighbours differ.

    ``determined`` of a piece is :data:`servitwin.proof.monitor.pieces.NEVER` where the verdict waits for what comes
    after the end of the trace; such a piece is inconclusive so far.
    """

    pieces: list[Piece] = field(default_factory=list)

    def at(self, t: int) -> Piece | None:
        """The piece that holds an instant."""
        starts = [p.start for p in self.pieces]
        i = int(np.searchsorted(np.array(starts, np.int64), t, side="right")) - 1
        return self.pieces[i] if i >= 0 and t < self.pieces[i].end else None


class TraceSource:
    """The comparisons of a formula over a trace, whose instants from ``earliest`` on are read (None: all)."""

    algebra = Arrays()

    def __init__(self, trace: Trace, earliest: int | None = None) -> None:
        self.signals = {name: cut(name, signal, trace.end) for name, signal in trace.signals.items()}
        self._earliest = earliest

    def unobserved(self) -> TraceSource:
        """The same signals without any observation."""
        none = slice(0, 0)
        silent = {
            name: SignalTrace(s.times[none], s.values[none], s.known[none], s.accuracy, s.words)
            for name, s in self.signals.items()
        }
        return TraceSource(Trace(0, 0, silent))

    def leaf(self, node: Compare | Is | Active) -> Pair[Truth]:
        """Its truth; before the first observation it may be anything."""
        sampled = compare(node, self.signals) if isinstance(node, Compare) else member(node, self.signals[node.signal])
        times = sampled.times
        if not signals_of(node):
            return Pair(constant(bool(sampled.certain[0])), constant(bool(sampled.possible[0])))
        if sampled.certain is sampled.possible and self._starts_before(times):
            yes = runs(times, sampled.certain, before=bool(sampled.certain[0]))
            return Pair(yes, yes)
        return Pair(runs(times, sampled.certain, before=False), runs(times, sampled.possible, before=True))

    def _starts_before(self, times: Int64s) -> bool:
        return self._earliest is not None and len(times) > 0 and int(times[0]) <= self._earliest

    def stretches(self, signal: str) -> Stretches:
        """The values of a signal as runs."""
        return stretches(self.signals[signal])


def evaluate(formula: Formula, trace: Trace, *, robustness: bool = False) -> Verdicts:
    """The verdict of a requirement at each instant of [trace.start, trace.end).

    Args:
        formula: read and checked; an ``always`` without bounds around the whole is taken off.
        trace: signals as they were, from before ``start`` as far as the formula looks back.
        robustness: whether pieces carry the bounds of their margin; else they are minus and plus infinity.

    Raises:
        InvalidInputError: as :func:`~servitwin.proof.monitor.check.check_formula` and ``trace:*`` say.
    """
    bare = check_formula(formula, trace.signals)
    if trace.end <= trace.start:
        return Verdicts()
    past = reach(bare)[0]
    source = TraceSource(trace, None if past is None else trace.start - past)
    found = truths(bare, source)
    stretch = stretches_of(found[id(bare)], trace.start, trace.end)
    least, most = np.full(len(stretch.start), -np.inf), np.full(len(stretch.start), np.inf)
    if robustness:
        least, most = margins(bare, source.signals, trace.end, found).least_of(stretch.start, trace.end)
    return Verdicts(pieces_of(stretch, least, most))


def margin_over(formula: Formula, trace: Trace, start: int, end: int) -> tuple[float, float]:
    """Bounds of the least margin over [start, end), with all that the trace holds after it.

    Raises:
        InvalidInputError: as :func:`evaluate` says.
    """
    bare = check_formula(formula, trace.signals)
    source = TraceSource(trace)
    found = truths(bare, source)
    least, most = margins(bare, source.signals, trace.end, found).least_of(np.array([start], np.int64), end)
    return float(least[0]), float(most[0])


def cut(name: str, one: SignalTrace, end: int) -> SignalTrace:
    """The observations before ``end``, checked."""
    check_signal(name, one)
    n = int(np.searchsorted(one.times, end, side="left"))
    if n == len(one.times):
        return one
    return SignalTrace(one.times[:n], one.values[:n], one.known[:n], one.accuracy, one.words)


def outside(start: int, end: int) -> InvalidInputError:
    """The fault of an instant that is not in a trace."""
    return InvalidInputError(Fault("trace:outside", "The instant lies outside the trace", f"Ask within {start}..{end}"))
