"""Judge requirements over history: verdicts of a stretch, why one was violated, how far a repair is proven."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.finding import Explanation, Sample
from servitwin.domain.formula.tree import STATE, Formula, Implies, reach, signals_of
from servitwin.domain.instant import DAY, EARLIEST
from servitwin.domain.observation import CONNECTION, Cut
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import offline_spans
from servitwin.domain.twin import Twin
from servitwin.proof.monitor.explanation import explain
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.pieces import NEVER
from servitwin.proof.monitor.trace import Piece, Trace, Verdict
from servitwin.proof.monitor.trace_of import signal_trace, state_trace
from servitwin.proof.monitor.trigger import Occurrence, occurrences, trigger_of, triggered
from servitwin.proof.repair import RepairProgress, repair_progress
from servitwin.usecases.machine_time import Sources, declared_gaps, read_machines, read_series
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.requirement_set import Demand

LONGEST = 400 * DAY


class TryOut(msgspec.Struct, frozen=True):
    """How a formula would have done over a stretch.

    Attributes:
        violations: stretches in which it was certainly violated, with the bounds of the margin.
        triggered: how often the left of its ``->`` became true; None without one. 0: it held vacuously.
        seconds: of each verdict.
    """

    violations: tuple[Piece, ...]
    triggered: int | None
    seconds: dict[str, float]


class JudgeRequirement:
    """Reads what formulas need from history, at a cut, and asks the monitor."""

    def __init__(self, history: HistoryReader, registry: Registry, records: Records) -> None:
        self._history = history
        self._registry = registry
        self._records = records

    def trace(
        self, twin: Twin, formulas: Sequence[Formula], start: int, end: int, cut: Cut | None = None
    ) -> Trace:  # fmt: skip
        """All that the formulas read over [start, end), from before it as far as they look back.

        Raises:
            InvalidInputError: ``range:too-long``.
        """
        if end - start > LONGEST:
            raise InvalidInputError(
                Fault("range:too-long", "A requirement is judged over at most 400 days", "Ask for less", "from")
            )
        sources = Sources(self._history, self._registry, self._records, self._history.cut() if cut is None else cut)
        pasts = [reach(f)[0] for f in formulas]
        known = [p for p in pasts if p is not None]
        earliest = EARLIEST if len(known) < len(pasts) else max(EARLIEST, start - max(known, default=0))
        names = dict.fromkeys(name for f in formulas for name in signals_of(f))
        definitions = self._registry.signals(twin.uid, start)
        wanted = {n: definitions[n] for n in names if n in definitions}
        pairs = {(twin.uid, n): d for n, d in wanted.items()}
        pairs[twin.uid, CONNECTION] = SignalDefinition(CONNECTION, "text")
        series = read_series(sources, pairs, earliest, end)
        gaps = declared_gaps(sources, [twin]).get(twin.uid, [])
        offline = offline_spans(series.get((twin.uid, CONNECTION)), end)
        declared = Spans.of((g.start, g.end) for g in gaps)
        signals = {n: signal_trace(series[twin.uid, n], d, declared, offline, end) for n, d in wanted.items()}
        if STATE in names:
            first = min((s.time[0] for s in series.values() if len(s)), default=start)
            begin = max(earliest, min(int(first), start))
            signals[STATE] = state_trace(read_machines(sources, [twin], begin, end)[twin.uid].intervals)
        return Trace(start, end, signals)

    def verdicts(
        self, twin: Twin, formula: Formula, start: int, end: int, now: int, cut: Cut | None = None
    ) -> list[Piece]:  # fmt: skip
        """Verdicts over [start, end), with margins; what comes after ``end`` up to ``now`` is looked at as well."""
        until = max(start, min(now, end + reach(formula)[1]))
        return clip(evaluate(formula, self.trace(twin, [formula], start, until, cut), robustness=True).pieces, end)

    @staticmethod
    def judged(formula: Formula, trace: Trace) -> list[Piece]:
        """Verdicts over a trace, with margins."""
        return evaluate(formula, trace, robustness=True).pieces

    def try_out(self, twin: Twin, formula: Formula, start: int, end: int, now: int) -> TryOut:
        """How often a formula would have been violated in [start, end)."""
        until = max(start, min(now, end + reach(formula)[1]))
        trace = self.trace(twin, [formula], start, until)
        pieces = clip(evaluate(formula, trace, robustness=True).pieces, end)
        seconds = dict.fromkeys((v.value for v in Verdict), 0.0)
        for p in pieces:
            seconds[p.verdict.value] += (p.end - p.start) / 1e9
        condition = signals_of(trigger_of(formula))
        times = triggered(formula, trace).times if condition else ()
        return TryOut(
            tuple(p for p in pieces if p.verdict is Verdict.FALSE),
            sum(1 for t in times if t < end) if condition else None,
            seconds,
        )

    def explanation(self, twin: Twin, demand: Demand, at: int, now: int) -> Explanation | None:
        """Why the requirement is false at an instant; None if it is not, as known now."""
        formula = demand.formula
        if formula is None:
            return None
        until = max(at + 1, min(now, at + reach(formula)[1] + 1))
        found = explain(formula, self.trace(twin, [formula], at, until), at)
        if found is None:
            return None
        return Explanation(
            at,
            tuple(Sample(s.signal, s.time, s.value) for s in found.samples),
            tuple((*p.at, p.verdict.value) for p in found.parts if p.at[1] > p.at[0]),
        )

    def signs(self, twin: Twin, formulas: dict[str, Formula], at: int, now: int) -> dict[str, str]:
        """The verdict of each formula at an instant, by its key."""
        if not formulas:
            return {}
        trace = self.trace(twin, list(formulas.values()), at, max(at + 1, min(now, at + 1)))
        found = {key: evaluate(f, trace).at(at) for key, f in formulas.items()}
        return {key: piece.verdict.value for key, piece in found.items() if piece is not None}

    def progress(self, twin: Twin, demand: Demand, since: int, until: int, cut: Cut | None = None) -> RepairProgress:
        """How far a repair done at ``since`` is proven by what was observed until ``until``.

        An occurrence is a stretch in which the rule's condition came and held; it counts only if what the requirement
        itself is about (the left of its ``->``) came in it as well, and each time of that makes one count: nobody
        finds more occurrences in a proof file. What is counted begins where the requirement was
        first kept after the repair, and anew after each time in which it could not be judged: the proof file says
        of all of that time that the requirement was kept.
        """
        formula, condition = demand.formula, demand.condition
        rule = demand.requirement.repair
        until = min(until, since + LONGEST)  # what did not come in all that time proves nothing any more
        conditioned = condition is not None or bool(rule.when)  # a condition that cannot be read never came
        if formula is None or until <= since or (conditioned and condition is None):
            return repair_progress(rule, (), since, max(since, until), conditioned=conditioned)
        read = [formula, *([condition] if condition is not None else [])]
        trace = self.trace(twin, read, since, until, cut)
        pieces = evaluate(formula, trace).pieces
        begin, again = kept_from(pieces, since), recurrences(pieces)
        if begin >= until:
            return repair_progress(rule, again, begin, begin, conditioned=conditioned)
        if begin > since:
            trace = self.trace(twin, read, begin, until, cut)
        if condition is None:
            # Without a condition every stretch of one verdict is an occurrence.
            kept = [Occurrence(max(p.start, begin), p.end, p.verdict) for p in pieces if p.end > begin]
        else:
            kept = occurrences(Implies(condition, formula), trace)
            own = trigger_of(formula)
            if signals_of(own):
                kept = meeting(kept, occurrences(Implies(own, own), trace))
            # What went on when the counting began did not come again.
            kept = [o for o in kept if o.start > begin or o.verdict is Verdict.FALSE]
        failed = [o for o in kept if o.verdict is Verdict.FALSE]
        # A violation refutes the repair wherever it is, also where nothing would have been counted.
        missed = [o for o in again if not _touches(o, failed)]
        return repair_progress(rule, [*kept, *missed], begin, until, conditioned=conditioned)


def kept_from(pieces: Sequence[Piece], since: int) -> int:
    """Where the count of a repair begins: behind the violation that went on, and behind what was never judged.

    What is inconclusive as long as it waits for what is to come breaks nothing.
    """
    begin, going_on = since, True
    for p in pieces:
        going_on = going_on and p.verdict is not Verdict.TRUE
        if p.determined < NEVER and (going_on or p.verdict is Verdict.INCONCLUSIVE):
            begin = max(begin, p.end)
    return begin


def recurrences(pieces: Sequence[Piece]) -> list[Occurrence]:
    """Violations after the requirement had been kept: what merely went on from before the repair is none."""
    kept = next((p.start for p in pieces if p.verdict is Verdict.TRUE), None)
    if kept is None:
        return []
    return [Occurrence(p.start, p.end, p.verdict) for p in pieces if p.verdict is Verdict.FALSE and p.start > kept]


def meeting(found: Sequence[Occurrence], met: Sequence[Occurrence]) -> list[Occurrence]:
    """Those of ``found`` in which one of ``met`` was; each of ``met`` makes one count. Both are in order."""
    kept, place = [], 0
    for one in found:
        while place < len(met) and met[place].end <= one.start:
            place += 1
        if place < len(met) and met[place].start < one.end:
            kept.append(one)
            place += 1
    return kept


def _touches(one: Occurrence, others: Sequence[Occurrence]) -> bool:
    """Whether it overlaps one of others, which are in order and apart from each other."""
    place = bisect_right(others, one.start, key=lambda o: o.end)
    return place < len(others) and others[place].start < one.end


def clip(pieces: Sequence[Piece], end: int) -> list[Piece]:
    """The pieces before ``end``."""
    return [p if p.end <= end else msgspec.structs.replace(p, end=end) for p in pieces if p.start < end]
