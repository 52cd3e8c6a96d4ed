"""Which observations decide a formula: from the whole down to the samples, leftmost part and earliest instant first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Compare,
    Count,
    Duration,
    Eventually,
    Expression,
    Formula,
    Historically,
    Implies,
    Is,
    Named,
    NextChange,
    Not,
    Once,
    Or,
    Since,
    Until,
    parts_of,
    reach,
    signals_of,
    walk,
)
from servitwin.domain.state_time_span import Spans
from servitwin.proof.monitor.changes import CHANGED, FAR, change_parts
from servitwin.proof.monitor.history import TraceSource
from servitwin.proof.monitor.tracks import Pair, truths
from servitwin.proof.monitor.truth import FIRST, LAST, Truth

#: Numbers of observations by signal.
Samples = dict[str, set[int]]
_TEMPORAL = Always | Eventually | Until | Historically | Once | Since | NextChange


class Witness:
    """Instants at which a part has a truth that is needed, handed down part by part; no recursion, any depth."""

    def __init__(self, formula: Formula, source: TraceSource, found: Mapping[int, Pair[Truth]]) -> None:
        self._formula, self._source, self._found = formula, source, found
        # What is so without any observation needs none, even where a part further left would show it too.
        self._anyhow = truths(formula, source.unobserved())
        self.parts: list[tuple[Formula | Expression, int, bool]] = []
        names = [name for n in walk(formula) for name in _own_signals(n)]
        self.irredundant = len(set(names)) == len(names) and not _is_nested(formula)
        self._samples: Samples = {}
        self._work: list[tuple[Formula, Spans, bool]] = []

    def of(self, time: int) -> Samples:
        """Observations that are enough for the formula to be false at ``time``."""
        self._work = [(self._formula, Spans.of([(time, time + 1)]), False)]
        while self._work:
            node, spans, wanted = self._work.pop()
            if len(spans.start):
                self.parts.append((node, int(spans.start[0]), wanted))
                spans = spans.minus(_where(self._anyhow[id(node)], wanted))
                # What was put there for this node comes from left to right.
                n = len(self._work)
                self._decide(node, spans, wanted)
                self._work[n:] = reversed(self._work[n:])
        return self._samples

    def _need(self, node: Formula, spans: Spans, wanted: bool) -> None:
        self._work.append((node, spans, wanted))

    def _decide(self, node: Formula, spans: Spans, wanted: bool) -> None:
        match node:
            case Named():
                self._need(node.of, spans, wanted)
            case Not():
                self._need(node.of, spans, not wanted)
            case And() | Or():
                self._parts([(p, wanted) for p in node.parts], spans, every=wanted == isinstance(node, And))
            case Implies():
                self._parts([(node.condition, not wanted), (node.then, wanted)], spans, every=not wanted)
            case Always(window=w) | Eventually(window=w):
                self._window(node.of, spans, w.low, w.high or 0, wanted, every=wanted == isinstance(node, Always))
            case Historically(window=w) | Once(window=w):
                low = -LAST if w.high is None else -w.high
                every = wanted == isinstance(node, Historically)
                self._window(node.of, spans, low, -w.low, wanted, every=every)
            case Until(window=w) | Since(window=w):
                self._binary(node, spans, w.low, LAST if w.high is None else w.high, wanted)
            case NextChange():
                self._next_change(node, spans, wanted)
            case Is() | Active():
                self._take(node.signal, spans)
            case Compare():
                for part in walk(node):
                    if isinstance(part, Count | Duration):
                        far = (reach(part)[0] or 0) + part.past + 1
                        spans = _wider(spans, -far, 0)
                for name in signals_of(node):
                    self._take(name, spans)
            case _:
                pass

    def _where(self, node: Formula, wanted: bool) -> Spans:
        return _where(self._found[id(node)], wanted)

    def _parts(self, parts: list[tuple[Formula, bool]], spans: Spans, *, every: bool) -> None:
        for part, wanted in parts:
            if every:
                self._need(part, spans, wanted)
            else:
                mine = spans.meet(self._where(part, wanted))
                self._need(part, mine, wanted)
                spans = spans.minus(mine)

    def _window(self, of: Formula, spans: Spans, low: int, high: int, wanted: bool, *, every: bool) -> None:
        if every:
            self._need(of, _wider(spans, low, high), wanted)
        else:
            self._need(of, Spans.of((a, b) for a, b, _, _ in _earliest(spans, self._where(of, wanted), low)), wanted)

    def _binary(self, node: Until | Since, spans: Spans, low: int, high: int, wanted: bool) -> None:
        ahead = isinstance(node, Until)
        hold, goal = self._where(node.hold, wanted), self._where(node.goal, wanted)
        if not ahead:
            spans, hold, goal = _mirrored(spans), _mirrored(hold), _mirrored(goal)
        holds: list[tuple[int, int]] = []
        goals: list[tuple[int, int]] = []
        if wanted:
            for a, b, first, _ in _earliest(spans, goal, low):
                goals.append((a, b))
                # Held from each t up to its goal: at t + low itself, or all of them up to the one they wait for.
                if a != first + low:
                    holds.append((first, a))
                elif low:
                    holds.append((first, b - 1))
        else:
            broken = _earliest(spans, hold, 0)
            for a, b, first, last in broken:
                if a == first:  # not held at t itself: that is enough, but for a goal at t
                    holds += [(first, last)] if high else []
                    goals += [(first, last)] if not low else []
                    continue
                near = max(first, a - high + 1)
                if near < last:
                    holds.append((a, b))
                    goals.append((near + low, b))
                goals.append((first + low, min(near, last) + high) if first < near else (0, 0))
            covered = Spans.of((first, last) for _, _, first, last in broken)
            goals += [(a + low, min(b + high, LAST)) for a, b in spans.minus(covered).pairs()]
        of_goal, of_hold = Spans.of(goals), Spans.of(holds)
        if not ahead:
            of_goal, of_hold = _mirrored(of_goal), _mirrored(of_hold)
        self._need(node.hold, of_hold, wanted)
        self._need(node.goal, of_goal, wanted)

    def _next_change(self, node: NextChange, spans: Spans, wanted: bool) -> None:
        at = self._source.stretches(node.signal)
        high = node.window.high or 0
        start, run, part = change_parts(at, node.window.low, high)
        begins = np.append(at.start, LAST)
        read, then = [], []
        for a, b, r, p in zip(start.tolist(), [*start[1:].tolist(), LAST], run.tolist(), part.tolist(), strict=True):
            for s, e in spans.meet(Spans.of([(a, b)])).pairs():
                change = int(begins[r + 1])
                read.append((s, e + high if p == FAR else change + 1))
                if p == CHANGED:
                    then.append((change, change + 1))
        self._take(node.signal, Spans.of(read))
        self._need(node.then, Spans.of(then), wanted)

    def _take(self, name: str, spans: Spans) -> None:
        times = self._source.signals[name].times
        first = np.maximum(np.searchsorted(times, spans.start, side="right") - 1, 0)
        last = np.searchsorted(times, spans.end, side="left")
        mine = self._samples.setdefault(name, set())
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            mine.update(range(a, b))


def _where(pair: Pair[Truth], wanted: bool) -> Spans:
    truth = pair.certain if wanted else pair.possible
    yes = np.flatnonzero(truth.true == wanted)
    ends = np.append(truth.start[1:], LAST)
    return Spans(truth.start[yes], ends[yes]) if len(yes) else Spans.of([])


def _own_signals(node: Formula | Expression) -> tuple[str, ...]:
    return signals_of(node) if isinstance(node, Is | Active | NextChange) or not parts_of(node) else ()


def _is_nested(formula: Formula) -> bool:
    """Whether a window lies inside a window, or something is counted: then one observation may serve twice."""
    open_nodes: list[tuple[Formula | Expression, bool]] = [(formula, False)]
    while open_nodes:
        node, inside = open_nodes.pop()
        temporal = isinstance(node, _TEMPORAL | Count | Duration)
        if (temporal and inside) or isinstance(node, Count | Duration | Until | Since | NextChange):
            return True
        open_nodes += [(part, inside or temporal) for part in parts_of(node)]
    return False


def _wider(spans: Spans, low: int, high: int) -> Spans:
    return Spans.of((max(a + low, FIRST), min(b + high, LAST)) for a, b in spans.pairs())


def _mirrored(spans: Spans) -> Spans:
    return Spans.of((1 - b, 1 - a) for a, b in spans.pairs())


def _earliest(spans: Spans, yes: Spans, low: int) -> list[tuple[int, int, int, int]]:
    """For the instants t of spans the first instants of ``yes`` from t + low on: (a, b, first t, last t + 1).

    Either t + low is one itself (then a = first + low, b = last + low), or all wait for the next one (b = a + 1).
    Instants after which there is none are left out.
    """
    found = []
    shifted = Spans.of((max(a + low, FIRST), max(b + low, FIRST + 1)) for a, b in spans.pairs())
    for a, b in shifted.meet(yes).pairs():
        found.append((a, b, a - low, b - low))
    for a, b in shifted.minus(yes).pairs():
        i = int(np.searchsorted(yes.start, a))
        if i < len(yes.start):
            found.append((int(yes.start[i]), int(yes.start[i]) + 1, a - low, b - low))
    return found
