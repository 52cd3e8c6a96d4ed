"""History in the plainest Python: what the reader must answer, computed row by row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from servitwin.domain.observation import Cut, Rows

Pair = tuple[str, str]
Value = float | str | bool | None


@dataclass(frozen=True)
class Row:
    twin: str
    signal: str
    time: int
    value: Value
    shard: int
    seq: int
    idx: int
    quality: int = 0

    @property
    def rank(self) -> tuple[int, int, int, int]:
        return self.time, self.shard, self.seq, self.idx


def rows_of(rows: Sequence[Row]) -> Rows:
    twins, signals = sorted({r.twin for r in rows}, reverse=True), sorted({r.signal for r in rows})
    time = np.array([r.time for r in rows], dtype=np.int64)
    return Rows(
        twins=twins,
        signals=signals,
        twin=np.array([twins.index(r.twin) for r in rows], dtype=np.int32),
        signal=np.array([signals.index(r.signal) for r in rows], dtype=np.int32),
        time=time,
        received=time + 1,
        number=np.array([r.value if type(r.value) is float else np.nan for r in rows], dtype=np.float64),
        text=[r.value if isinstance(r.value, str) else None for r in rows],
        flag=np.array([int(r.value) if isinstance(r.value, bool) else -1 for r in rows], dtype=np.int8),
        quality=np.array([r.quality for r in rows], dtype=np.uint8),
        replayed=np.zeros(len(rows), dtype=np.bool_),
        shard=np.array([r.shard for r in rows], dtype=np.int32),
        seq=np.array([r.seq for r in rows], dtype=np.int64),
        idx=np.array([r.idx for r in rows], dtype=np.int32),
    )


class Model:
    def __init__(self, rows: Sequence[Row], cut: Cut, max_gap: Mapping[Pair, int]) -> None:
        self.rows = [r for r in rows if r.seq <= cut.get(r.shard, -1)]
        self.max_gap = max_gap

    def of(self, pair: Pair) -> list[Row]:
        held: dict[int, Row] = {}
        for r in sorted((r for r in self.rows if (r.twin, r.signal) == pair), key=lambda r: r.rank):
            held[r.time] = r
        return [held[t] for t in sorted(held)]

    def series(self, pair: Pair, start: int, end: int, before: bool) -> list[tuple[int, Value]]:
        rows = self.of(pair)
        earlier = [r for r in rows if r.time < start][-1:] if before else []
        return [(r.time, r.value) for r in [*earlier, *(r for r in rows if start <= r.time < end)]]

    def holds(self, pair: Pair, start: int, end: int) -> list[tuple[int, int, Value]]:
        """(from, to, value) clipped to [start, end)."""
        rows = self.of(pair)
        out = []
        for i, r in enumerate(rows):
            until = min(rows[i + 1].time if i + 1 < len(rows) else end, r.time + self.max_gap.get(pair, 2**62), end)
            since = max(r.time, start)
            if until > since and r.value is not None:
                out.append((since, until, r.value))
        return out

    def bucket(self, pair: Pair, start: int, end: int, aggregation: str) -> float | None:
        values = [r.value for r in self.of(pair) if start <= r.time < end and r.value is not None]
        numbers = [float(v) for v in values if not isinstance(v, str)]
        if aggregation == "count":
            return float(len(values))
        if aggregation == "tw_mean":
            spans = [(b - a, float(v)) for a, b, v in self.holds(pair, start, end) if not isinstance(v, str)]
            total = sum(d for d, _ in spans)
            return math.fsum(d * v for d, v in spans) / total if total else None
        if not numbers:
            return None
        answers = {
            "sum": math.fsum(numbers),
            "mean": math.fsum(numbers) / len(numbers),
            "min": min(numbers),
            "max": max(numbers),
            "first": numbers[0],
            "last": numbers[-1],
        }
        return answers[aggregation]

    def durations(self, pair: Pair, start: int, end: int) -> dict[str, int]:
        out: dict[str, int] = {}
        for a, b, value in self.holds(pair, start, end):
            word = str(value).lower() if isinstance(value, bool) else str(value)
            out[word] = out.get(word, 0) + b - a
        unknown = end - start - sum(out.values())
        return {**out, **({"": unknown} if unknown else {})}

    def last(self) -> dict[Pair, tuple[int, Value]]:
        best: dict[Pair, Row] = {}
        for r in self.rows:
            key = r.twin, r.signal
            if key not in best or r.rank > best[key].rank:
                best[key] = r
        return {key: (r.time, r.value) for key, r in best.items()}
