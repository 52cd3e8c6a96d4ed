"""What a monitor refuses before it starts: formulas that it cannot decide, and traces that are none."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.formula.tree import (
    Always,
    Compare,
    Count,
    Duration,
    Eventually,
    Expression,
    Formula,
    Historically,
    NextChange,
    Number,
    Once,
    Since,
    Until,
    Window,
    invariant,
    parts_of,
    reach,
    signals_of,
    walk,
)
from servitwin.proof.monitor.trace import SignalTrace

#: Longest window (ns, 73 years): sums with instants stay inside 64 bits.
LONGEST = 1 << 61


def check_formula(formula: Formula, signals: Collection[str]) -> Formula:
    """The invariant of a requirement, if a monitor can decide it.

    Args:
        formula: as it was read.
        signals: names for which there are data.

    Raises:
        InvalidInputError: ``formula:signal-unknown``, ``formula:unbounded``, ``formula:window-wrong``,
            ``formula:count-not-alone``, ``formula:count-of-future``.
    """
    bare = invariant(formula)
    faults = [
        Fault("formula:signal-unknown", f"There is no signal {name!r}", "Name a signal of the machine type", name)
        for name in signals_of(bare)
        if name not in signals
    ]
    counts: set[int] = set()
    for node in walk(bare):
        match node:
            case Always(window=w) | Eventually(window=w) | Until(window=w) | NextChange(window=w):
                faults += _window(node, w, future=True)
            case Historically(window=w) | Once(window=w) | Since(window=w):
                faults += _window(node, w, future=False)
            case Compare(Count() | Duration(), _, Number()):
                counts.add(id(node.left))
            case Count() | Duration():
                faults += _count(node, alone=id(node) in counts)
            case _:
                pass
    if faults:
        raise InvalidInputError(faults)
    return bare


def check_signal(name: str, trace: SignalTrace) -> None:
    """Raise unless times rise strictly and every instant has a value.

    Raises:
        InvalidInputError: ``trace:times-not-rising``, ``trace:lengths-differ``, ``trace:word-unknown``.
    """
    n = len(trace.times)
    if len(trace.values) != n or len(trace.known) != n:
        raise InvalidInputError(
            Fault("trace:lengths-differ", f"{name}: times, values and flags differ in number", "", name)
        )
    if n > 1 and not np.all(trace.times[1:] > trace.times[:-1]):
        raise InvalidInputError(
            Fault(
                "trace:times-not-rising",
                f"{name}: an observation is not later than the one before it",
                "Sort by time; of several observations of one instant the last one holds",
                name,
            )
        )
    if n and trace.words:
        codes = trace.values[trace.known]
        if len(codes) and not (codes.min() >= 0 and codes.max() < len(trace.words)):
            raise InvalidInputError(Fault("trace:word-unknown", f"{name}: a code names no word", "", name))


def _place(node: Formula | Expression) -> str:
    return f"characters {node.at[0]} to {node.at[1]}"


def _window(node: Formula, window: Window, *, future: bool) -> list[Fault]:
    high = window.high
    if high is None and future:
        return [
            Fault(
                "formula:unbounded",
                "An obligation without end can never be found violated",
                "Give it bounds, such as eventually[0s, 10min]",
                _place(node),
            )
        ]
    if window.low < 0 or (high is not None and window.low > high) or max(window.low, high or 0) > LONGEST:
        return [
            Fault("formula:window-wrong", "The bounds of a window rise from 0 to at most 73 years", "", _place(node))
        ]
    return []


def _count(node: Count | Duration, *, alone: bool) -> list[Fault]:
    faults = []
    if not alone:
        hint = "Write it alone on the left: count[10min](p) <= 3"
        faults.append(Fault("formula:count-not-alone", "It is compared with one number alone", hint, _place(node)))
    if not 0 < node.past <= LONGEST:
        faults.append(Fault("formula:window-wrong", "It looks back over a positive time", "", _place(node)))
    if any(reach(part)[1] for part in parts_of(node)):
        hint = "Use operators of the past inside count and duration"
        faults.append(Fault("formula:count-of-future", "What is counted must not look ahead", hint, _place(node)))
    return faults
