"""What a twin's signals newly say in one step, read once for all of its requirements."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from math import isfinite

import numpy as np

from servitwin.domain.formula.tree import Active, Compare, Is, Measured, Number, signals_of
from servitwin.domain.observation import Bools, Int64s
from servitwin.proof.monitor.feed import Held, SignalSettings, Told
from servitwin.proof.monitor.reading import Sampled, compare, member
from servitwin.proof.monitor.trace import SignalTrace

#: Instants at which something is told, with its truth from there on: the first sample, then the changes.
Flips = list[tuple[int, bool]]
Leaf = Compare | Is | Active
_COMPARED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Batch:
    """The samples of one step, by signal. Give the same one to every monitor of a twin: what one has read is read.

    Monitors may stand at different places: only what they hold in common is shared.
    """

    def __init__(self, samples: Mapping[str, SignalTrace]) -> None:
        self._samples = samples
        self._told: dict[object, Told | None] = {}
        self._flips: dict[object, tuple[Flips, Flips]] = {}
        self._ranges: dict[int, tuple[float, float] | None] = {}

    def told(self, name: str, held: Held, settings: SignalSettings, now: int, watermark: int) -> Told | None:
        """What a signal newly says in [now, watermark), as :meth:`Held.told` gives it."""
        key = (name, now, watermark, held, settings)
        if key not in self._told:
            self._told[key] = held.told(name, self._samples.get(name), settings, now, watermark)
        return self._told[key]

    def flips(self, node: Leaf, told: Told) -> tuple[Flips, Flips]:
        """Where a comparison of one signal is certain, and possible; one list where both are the same."""
        key = (_key(node), id(told))
        found = self._flips.get(key)
        if found is None:
            found = self._flips[key] = self._read(node, told)
        return found

    def _read(self, node: Leaf, told: Told) -> tuple[Flips, Flips]:
        trace = told.fresh
        if not isinstance(node, Compare):
            return flips_of(member(node, trace))
        left, right, relation = node.left, node.right, node.relation
        if not isinstance(left, Measured) or not isinstance(right, Number):
            return flips_of(compare(node, {name: trace for name in signals_of(node)}))
        found = self._range(told) if relation in _COMPARED and (left.factor, left.offset) == (1.0, 0.0) else None
        if found is None or not isfinite(right.value):
            return flips_of(compare(node, {left.signal: trace}))
        # Relations to a constant are monotone: what the smallest and the largest reading agree on, all do.
        related, limit, d = _COMPARED[relation], float(right.value), trace.accuracy
        ends = [related(x + by, limit) for x in found for by in ((-d, d) if d else (0.0,))]
        if all(ends) or not any(ends):
            one = [(int(trace.times[0]), bool(ends[0]))]
            return one, one
        if d:
            return flips_of(compare(node, {left.signal: trace}))
        flags = _flips(trace.times, related(trace.values.astype(np.float64, copy=False), limit))
        return flags, flags

    def _range(self, told: Told) -> tuple[float, float] | None:
        """The smallest and the largest reading, None where one is not known or not finite."""
        key = id(told)
        if key not in self._ranges:
            trace = told.fresh
            low, high = float(trace.values.min()), float(trace.values.max())
            certain = isfinite(low - trace.accuracy) and isfinite(high + trace.accuracy) and bool(trace.known.all())
            self._ranges[key] = (low, high) if certain else None
        return self._ranges[key]


def flips_of(sampled: Sampled, since: int | None = None) -> tuple[Flips, Flips]:
    """Changes of a comparison among its samples, those from ``since`` (ns) on."""
    times, certain, possible = sampled
    if since is not None and len(times) and times[0] < since:
        first = int(np.searchsorted(times, since))
        same = certain is possible
        times, certain = times[first:], certain[first:]
        possible = certain if same else possible[first:]
    one = _flips(times, certain)
    return one, one if certain is possible else _flips(times, possible)


def _flips(times: Int64s, flags: Bools) -> Flips:
    if not len(times):
        return []
    changes = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    true = bool(flags[0])
    found = [(int(times[0]), true)]
    if len(changes):
        for at in times[changes].tolist():
            true = not true
            found.append((at, true))
    return found


def _key(node: Leaf) -> object:
    """What two comparisons that mean the same have in common, wherever they stand in a text."""
    if isinstance(node, Is):
        return (node.signal, node.values)
    if isinstance(node, Active):
        return (node.signal, node.code, node.warnings)
    if isinstance(node.left, Measured) and isinstance(node.right, Number):
        left = node.left
        return (left.signal, left.factor, left.offset, node.relation, node.right.value)
    return id(node)
