"""The tail: rows that readers of the table cannot see yet, and those committed a moment ago."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from servitwin.domain.observation import PackedRows, Rows


class _Kept(NamedTuple):
    until: int  # ns; when it may be forgotten
    last: int
    rows: list[Rows | PackedRows]
    size: int


class Tail:
    """Rows of one shard, kept for a while beyond their commit."""

    def __init__(self, first: int, keep: int, most_rows: int) -> None:
        """Start after sequence ``first``; keep rows ``keep`` ns after the commit, but at most ``most_rows``."""
        self._keep, self._most = keep, most_rows
        self._kept: deque[_Kept] = deque()
        self._count = 0
        self.start = first  # every row after this sequence is here or not committed

    def add(self, rows: list[Rows | PackedRows], last: int, now: int) -> None:
        """Rows that have just been committed, up to sequence ``last``."""
        count = sum(map(len, rows))
        self._kept.append(_Kept(now + self._keep, last, rows, count))
        self._count += count
        self.forget(now)

    def forget(self, now: int) -> None:
        """Drop what has been kept long enough."""
        while self._kept and (self._kept[0].until <= now or self._count > self._most):
            gone = self._kept.popleft()
            self.start = gone.last
            self._count -= gone.size

    def after(self, start: int, pending: list[Rows | PackedRows]) -> list[Rows | PackedRows]:
        """Rows after ``start``, which is not before the tail's own, ``pending`` ones included."""
        kept = [r for block in self._kept if block.last > start for r in block.rows]
        return [r for r in (beyond(r, start) for r in [*kept, *pending]) if len(r)]


def beyond(rows: Rows | PackedRows, seq: int) -> Rows | PackedRows:
    """The rows after a sequence."""
    if not len(rows) or (rows.seq[0] > seq and rows.seq.min() > seq):
        return rows
    return _some(rows, np.flatnonzero(rows.seq > seq))


def up_to(rows: Rows | PackedRows, seq: int) -> Rows | PackedRows:
    """The rows up to a sequence, itself included."""
    return _some(rows, np.flatnonzero(rows.seq <= seq))


def _some(rows: Rows | PackedRows, at: npt.NDArray[np.intp]) -> Rows | PackedRows:
    if isinstance(rows, PackedRows):
        return rows.of_messages(at)
    return Rows(
        rows.twins,
        rows.signals,
        rows.twin[at],
        rows.signal[at],
        rows.time[at],
        rows.received[at],
        rows.number[at],
        None if rows.text is None else [rows.text[int(i)] for i in at],
        None if rows.flag is None else rows.flag[at],
        rows.quality[at],
        rows.replayed[at],
        rows.shard[at],
        rows.seq[at],
        rows.idx[at],
    )
