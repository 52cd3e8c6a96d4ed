"""Why a requirement is false at an instant: a smallest set of observations, and the parts that they decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from servitwin.domain.formula.tree import Expression, Formula
from servitwin.proof.monitor.check import check_formula
from servitwin.proof.monitor.history import TraceSource, outside
from servitwin.proof.monitor.trace import SignalTrace, Trace, Verdict
from servitwin.proof.monitor.tracks import truths
from servitwin.proof.monitor.witness import Samples, Witness


class Sample(msgspec.Struct, frozen=True):
    """An observation that the explanation needs: number ``index`` of its signal, held from ``time`` (ns) on."""

    signal: str
    index: int
    time: int
    value: float | str | bool


class Part(msgspec.Struct, frozen=True):
    """A part of the formula, by the characters ``at`` of its text, and what it was at the first instant that counts."""

    kind: str
    at: tuple[int, int]
    time: int
    verdict: Verdict


class Explanation(msgspec.Struct, frozen=True):
    """What alone makes the formula false at ``time``: without any one of the samples it is inconclusive there.

    ``parts`` are in the order of the text, outer ones first.
    """

    time: int
    samples: tuple[Sample, ...]
    parts: tuple[Part, ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, each once."""
        return tuple(dict.fromkeys(s.signal for s in self.samples))


def explain(formula: Formula, trace: Trace, time: int) -> Explanation | None:
    """Why the requirement is false at ``time``; None if it is not.

    The tie-break is: leftmost part, earliest instant; of what is still too much the latest observation goes first.
    Where each signal stands once and windows are not nested, no more work is needed; else every observation is tried.

    Args:
        formula: the requirement.
        trace: with the violation.
        time: usually the first instant of the violation, ns.

    Raises:
        InvalidInputError: ``trace:outside``, and as :func:`~servitwin.proof.monitor.check.check_formula` says.
    """
    bare = check_formula(formula, trace.signals)
    if not trace.start <= time < trace.end:
        raise outside(trace.start, trace.end)
    if not _is_false(bare, trace, time):
        return None
    source = TraceSource(trace)
    witness = Witness(bare, source, truths(bare, source))
    needed = witness.of(time)
    if not witness.irredundant:
        needed = _shortest(bare, trace, time, needed)
    samples = [
        Sample(name, i, int(one.times[i]), _value(one, i))
        for name, one in trace.signals.items()
        for i in sorted(needed.get(name, ()))
    ]
    parts = tuple(Part(_kind(n), n.at, t, Verdict.TRUE if v else Verdict.FALSE) for n, t, v in witness.parts)
    return Explanation(time, tuple(samples), parts)


def reduced(trace: Trace, kept: Mapping[str, Iterable[int]]) -> Trace:
    """The trace with nothing known but these samples (numbers by signal), each as long as it held."""
    signals = {}
    for name, one in trace.signals.items():
        index = np.array(sorted(kept.get(name, ())), np.int64)
        end = np.append(one.times, trace.end)[index + 1]
        times = np.stack([one.times[index], end], 1).ravel()
        twice = np.repeat(index, 2)
        known = np.stack([one.known[index], np.zeros(len(index), np.bool_)], 1).ravel()
        keep = np.ones(len(times), np.bool_)
        keep[:-1] = times[1:] != times[:-1]
        keep &= times < trace.end
        signals[name] = SignalTrace(times[keep], one.values[twice[keep]], known[keep], one.accuracy, one.words)
    return Trace(trace.start, trace.end, signals)


def _is_false(formula: Formula, trace: Trace, time: int) -> bool:
    possible = truths(formula, TraceSource(trace))[id(formula)].possible
    true, decided = possible.decided_at(time)
    return not true and decided < trace.end


def _shortest(formula: Formula, trace: Trace, time: int, needed: Samples) -> Samples:
    """Drop what is not needed, in blocks that halve, from the latest observation of the last signal on."""
    rows = [(int(trace.signals[n].times[i]), place, n, i) for place, n in enumerate(needed) for i in needed[n]]
    order = [(n, i) for _, _, n, i in sorted(rows, reverse=True)]
    kept = dict.fromkeys(order)
    block = len(order)
    while block:
        for a in range(0, len(order), block):
            tried = [s for s in order[a : a + block] if s in kept]
            if not tried:
                continue
            rest = {s: None for s in kept if s not in set(tried)}
            if _is_false(formula, reduced(trace, _by_signal(rest)), time):
                kept = rest
        block //= 2
    return _by_signal(kept)


def _by_signal(samples: Iterable[tuple[str, int]]) -> Samples:
    found: Samples = {}
    for name, index in samples:
        found.setdefault(name, set()).add(index)
    return found


def _value(one: SignalTrace, index: int) -> float | str | bool:
    if one.words:
        return one.words[int(one.values[index])]
    return float(one.values[index]) if one.values.dtype.kind == "f" else bool(one.values[index])


def _kind(node: Formula | Expression) -> str:
    return str(node.__struct_config__.tag)
