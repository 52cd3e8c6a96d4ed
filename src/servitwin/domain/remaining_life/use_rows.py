"""Rows of a life from signals as they come: means over equal times in use, a new life at each renewal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from servitwin.domain.observation import Floats, Int64s, Observation
from servitwin.domain.remaining_life.held_values import expiries, held_on, number_of

MOST_ROWS = 5_000  # of a life; older ones are forgotten, their number is kept


class RowSpec(msgspec.Struct, frozen=True):
    """How rows are made.

    Attributes:
        columns: names of the signals, settings first; every: time in use that a row stands for, ns.
        in_use: signal that is above zero (or true) while the component is in use; empty: always.
        renewed: signal whose change begins a new life; empty: never.
        holds: longest time that each value holds, ns (None: until the next one).
    """

    columns: tuple[str, ...]
    every: int
    in_use: str = ""
    renewed: str = ""
    holds: dict[str, int | None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All signals that are read."""
        more = [n for n in (self.in_use, self.renewed) if n]
        return tuple(dict.fromkeys([*self.columns, *more]))


class RowState(msgspec.Struct):
    """What is kept between steps.

    Attributes:
        last: time and value of the last observation of each signal; at: instant up to which use has been counted.
        used: time in use of the open row, ns; sums, weights: of each column in it (value x ns, ns known).
        rows: rows of this life, float32, one after another; count: rows of this life, forgotten ones included.
        begun: whether the beginning of this life was seen; since: when it began, ns UTC.
        life: number of this life.
    """

    last: dict[str, tuple[int, float | None]] = {}
    at: int | None = None
    used: int = 0
    sums: list[float] = []
    weights: list[float] = []
    rows: bytes = b""
    count: int = 0
    begun: bool = False
    since: int = 0
    life: int = 0

    def array(self, columns: int) -> Floats:
        """Rows (n, columns) of this life that are kept; NaN: not measured."""
        return np.frombuffer(self.rows, np.float32).reshape(-1, columns).astype(np.float64)


class EndedLife(msgspec.Struct, frozen=True):
    """A life that a renewal ended: its rows (n, columns), when, and whether its beginning was seen."""

    rows: Floats
    since: int
    until: int
    begun: bool


class Part(msgspec.Struct, frozen=True):
    """A row that was completed at ``time``, with all rows (n, columns) of its life so far; or a life that ended."""

    time: int
    rows: Floats
    ended: EndedLife | None = None


class UseRows:
    """Counts use; any split of the same observations gives the same rows."""

    def __init__(self, spec: RowSpec, state: RowState | None = None) -> None:
        self.spec, self.state = spec, state or RowState()
        if not self.state.sums:
            self.state.sums = [0.0] * len(spec.columns)
            self.state.weights = [0.0] * len(spec.columns)

    def take(self, observations: Mapping[str, Sequence[Observation]]) -> Iterator[Part]:
        """Observations in order of time; each row completed and each life that ended, in order.

        The state is that of the part given out, until the next one is asked for.
        """
        s, spec = self.state, self.spec
        new = {n: [(o.time, number_of(o.value)) for o in observations.get(n, ())] for n in spec.names}
        times = np.unique(np.array([t for rows in new.values() for t, _ in rows], np.int64))
        if s.at is not None:
            times = times[times > s.at]
        if not len(times):
            self._remember(new)
            return
        over = [e for n in spec.names for e in expiries(s.last.get(n), new[n], spec.holds.get(n))]
        begin, end = int(times[0]) if s.at is None else s.at, int(times[-1])
        times = np.unique(np.concatenate([times, np.array([e for e in over if begin < e < end], np.int64)]))
        grid = times if s.at is None else np.concatenate([[s.at], times])
        values = {n: held_on(grid, s.last.get(n), new[n], spec.holds.get(n)) for n in spec.names}
        self._remember(new)
        s.since, s.at = s.since or int(grid[0]), int(grid[-1])
        begins = 0
        for k in self._renewals(values, grid):
            yield from self._count(grid[begins : k + 1], {n: v[begins : k + 1] for n, v in values.items()})
            until = int(grid[k])
            yield Part(until, self._known(), EndedLife(self._known(), s.since, until, s.begun))
            self._begin(until)
            begins = k
        yield from self._count(grid[begins:], {n: v[begins:] for n, v in values.items()})

    def _known(self) -> Floats:
        return self.state.array(len(self.spec.columns))

    def _begin(self, at: int) -> None:
        s, d = self.state, len(self.spec.columns)
        s.used, s.sums, s.weights = 0, [0.0] * d, [0.0] * d
        s.rows, s.count, s.begun, s.since, s.life = b"", 0, True, at, s.life + 1

    def _remember(self, new: Mapping[str, list[tuple[int, float | None]]]) -> None:
        for name, rows in new.items():
            if rows:
                self.state.last[name] = rows[-1]

    def _renewals(self, values: Mapping[str, Floats], grid: Int64s) -> list[int]:
        """Indices at which the renewal signal has another value than the one known before."""
        if not self.spec.renewed:
            return []
        value = values[self.spec.renewed]
        known = np.flatnonzero(~np.isnan(value))
        changed = np.flatnonzero(np.diff(value[known]) != 0) + 1
        return [int(k) for k in known[changed]]

    def _count(self, grid: Int64s, values: Mapping[str, Floats]) -> Iterator[Part]:
        """Add the time from each instant to the next; a stretch that completes a row belongs to it whole."""
        s, spec = self.state, self.spec
        if len(grid) < 2:
            return
        span = np.diff(grid)
        if spec.in_use:
            on = values[spec.in_use][:-1]
            span = np.where(on > 0, span, 0)  # unknown is not in use
        matrix = np.stack([values[n][:-1] for n in spec.columns], 1)
        used = s.used + np.concatenate([[0], np.cumsum(span)])
        first = 0
        while first < len(span):
            after = int(np.searchsorted(used, (used[first] // spec.every + 1) * spec.every))
            stop = min(after, len(span))
            self._add(matrix[first:stop], span[first:stop])
            if after <= len(span):
                self._complete()
                yield Part(int(grid[after]), self._known())
            first = stop
        s.used = int(used[-1] % spec.every)

    def _add(self, rows: Floats, span: Int64s) -> None:
        """Sums in the order of time, so that no split changes them by rounding."""
        s = self.state
        weight = np.where(np.isnan(rows), 0.0, span[:, None].astype(np.float64))
        value = np.where(np.isnan(rows), 0.0, rows) * weight
        for j in range(rows.shape[1]):
            s.sums[j] = float(np.cumsum(np.concatenate([[s.sums[j]], value[:, j]]))[-1])
            s.weights[j] = float(np.cumsum(np.concatenate([[s.weights[j]], weight[:, j]]))[-1])

    def _complete(self) -> None:
        s = self.state
        row = [a / w if w > 0 else np.nan for a, w in zip(s.sums, s.weights, strict=True)]
        width = 4 * len(row)
        s.rows = (s.rows + np.array(row, np.float32).tobytes())[-MOST_ROWS * width :]
        s.count += 1
        s.sums, s.weights = [0.0] * len(row), [0.0] * len(row)
