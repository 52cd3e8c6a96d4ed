"""One trace as the monitor and as the verifier reads it, and what both say about a formula."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from servitwin.domain.formula.tree import Formula, invariant
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.trace import SignalTrace, Trace
from servitwin.proof.verifier import formula as second
from servitwin.proof.verifier import step

#: A stretch: from, to, verdict, least and most.
Row = tuple[int, int, str, float, float]


def held_of(signal: SignalTrace, end: int) -> step.Step:
    """What the verifier holds of a signal whose trace ends at ``end``."""

    def value(raw: float) -> Any:
        if signal.words:
            word = signal.words[int(raw)]
            if "|" in word or not word:
                return frozenset(tuple(entry.split("|")) for entry in word.split("\n") if entry)
            return word
        if signal.values.dtype.kind == "i":
            return bool(raw)
        d = signal.accuracy
        return (raw, raw - d, raw + d) if math.isfinite(raw) else None

    rows = zip(signal.times.tolist(), signal.values.tolist(), signal.known.tolist(), strict=True)
    before = [(t, value(v) if known else None) for t, v, known in rows if t < end]
    return step.joined([step.BEGIN, *(t for t, _ in before), end], [None, *(v for _, v in before), None])


def tree_of(formula: Formula) -> Any:
    return msgspec.json.decode(msgspec.json.encode(invariant(formula)))


def known_of(formula: Formula, trace: Trace) -> second.Known:
    held = {name: held_of(s, trace.end) for name, s in trace.signals.items()}
    return second.evaluate(tree_of(formula), held, end=trace.end)


def of_verifier(formula: Formula, trace: Trace) -> list[Row]:
    """Stretches of one verdict with the least bounds of their margins, by the verifier's evaluator."""
    known = known_of(formula, trace)
    changes = sorted({trace.start, *(t for part in known for t in part.starts if trace.start < t < trace.end)})
    rows: list[Row] = []
    for begin, end in zip(changes, [*changes[1:], trace.end], strict=True):
        sure, possible, least, most = (part.at(begin) for part in known)
        verdict = "true" if sure else "inconclusive" if possible else "false"
        last = rows[-1] if rows else None
        if last is not None and last[2] == verdict:
            rows[-1] = (last[0], end, verdict, min(last[3], least), min(last[4], most))
        else:
            rows.append((begin, end, verdict, least, most))
    return rows


def of_monitor(formula: Formula, trace: Trace) -> list[Row]:
    """The same by the monitor: what waits for more data is inconclusive to a reader of this trace alone."""
    rows: list[Row] = []
    for p in evaluate(formula, trace, robustness=True).pieces:
        last = rows[-1] if rows else None
        if last is not None and last[2] == p.verdict.value:
            rows[-1] = (last[0], p.end, last[2], min(last[3], p.least), min(last[4], p.most))
        else:
            rows.append((p.start, p.end, p.verdict.value, p.least, p.most))
    return rows
