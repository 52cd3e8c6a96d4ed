"""Sets of stretches of time, measured exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from servitwin.domain.observation import Bools, Int64s


@dataclass(slots=True, eq=False)
class Spans:
    """Disjoint stretches [start, end) in order, ns UTC."""

    start: Int64s
    end: Int64s

    @staticmethod
    def of(pairs: Iterable[tuple[int, int]]) -> Spans:
        """The union of any stretches, in any order; empty ones count for nothing."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(p for p in pairs if p[1] > p[0]):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        both: Int64s = np.array(merged, np.int64).reshape(-1, 2)
        return Spans(both[:, 0].copy(), both[:, 1].copy())

    def pairs(self) -> list[tuple[int, int]]:
        """The stretches as pairs."""
        return list(zip(self.start.tolist(), self.end.tolist(), strict=True))

    def contain(self, times: Int64s) -> Bools:
        """Whether each instant lies in one of the stretches."""
        if not len(self.start):
            return np.zeros(len(times), np.bool_)
        index = np.searchsorted(self.start, times, side="right") - 1
        inside: Bools = (index >= 0) & (times < self.end[np.maximum(index, 0)])
        return inside

    def covered(self, starts: Int64s, ends: Int64s) -> Int64s:
        """Nanoseconds of each [start, end) that lie in the stretches."""
        return self._until(ends) - self._until(starts)

    def total(self) -> int:
        """Nanoseconds of all stretches."""
        return int((self.end - self.start).sum())

    def clip(self, start: int, end: int) -> Spans:
        """What of the stretches lies in [start, end)."""
        return Spans.of((max(s, start), min(e, end)) for s, e in self.pairs() if e > start and s < end)

    def minus(self, other: Spans) -> Spans:
        """What of the stretches the others do not cover."""
        return self._where(other, wanted=False)

    def meet(self, other: Spans) -> Spans:
        """What both cover."""
        return self._where(other, wanted=True)

    def _until(self, times: Int64s) -> Int64s:
        if not len(self.start):
            return np.zeros(len(times), np.int64)
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.end - self.start)])
        index = np.searchsorted(self.start, times, side="right")
        last = np.maximum(index - 1, 0)
        partial = np.where(index > 0, np.minimum(times, self.end[last]) - self.start[last], 0)
        whole: Int64s = np.where(index > 0, before[last], 0) + partial
        return whole

    def _where(self, other: Spans, *, wanted: bool) -> Spans:
        edges = np.unique(np.concatenate([self.start, self.end, other.start, other.end]))
        if len(edges) < 2:
            return Spans.of([])
        left, right = edges[:-1], edges[1:]
        keep = self.contain(left) & (other.contain(left) == wanted)
        return Spans.of(zip(left[keep].tolist(), right[keep].tolist(), strict=True))
