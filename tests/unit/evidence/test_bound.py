"""Rows as they are committed are bound once, whatever history does with its files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from servitwin.domain.instant import DAY
from servitwin.domain.observation import Rows
from servitwin.engines.history import DeltaWriter, compact, retain, roll_up
from servitwin.engines.history.bound import CommittedRows
from servitwin.engines.history.copies import backup, restore
from servitwin.proof.log.catalogue import SegmentBody
from servitwin.usecases.bind_observations import LATE_AFTER, body_of, unbound
from servitwin.usecases.check_log import against_rows
from tests.unit.evidence.samples import T0


def rows(shard: int, first: int, last: int, day: int = 0) -> Rows:
    """Two values a sequence: a number and a text."""
    n = 2 * (last - first + 1)
    seq = np.repeat(np.arange(first, last + 1), 2)
    number = np.where(np.arange(n) % 2 == 0, seq * 0.5, np.nan)
    return Rows(
        twins=["u1", "u2"],
        signals=["t", "mode"],
        twin=(seq % 2).astype(np.int32),
        signal=(np.arange(n) % 2).astype(np.int32),
        time=T0 + day * DAY + seq * 1000,
        received=np.full(n, T0, np.int64),
        number=number,
        text=[None if i % 2 == 0 else f"word {s % 3}" for i, s in enumerate(seq)],
        flag=None,
        quality=np.zeros(n, np.uint8),
        replayed=np.zeros(n, bool),
        shard=np.full(n, shard, np.int32),
        seq=seq.astype(np.int64),
        idx=(np.arange(n) % 2).astype(np.int32),
    )


def write(folder: Path, writer: DeltaWriter, shard: int, first: int, last: int, day: int = 0) -> None:
    writer.commit([rows(shard, first, last, day)], [], {f"S/1/{shard}": last}, {})


def bind_all(source: CommittedRows, bound: dict[int, int], most: int = 500_000) -> list[SegmentBody]:
    found = []
    while bodies := list(unbound(source, bound, T0, most)):
        found += bodies
        bound |= {b.shard: b.last for b in bodies}
    return found


def test_segments_follow_each_other_and_cover_every_row_once(tmp_path: Path) -> None:
    writers = [DeltaWriter(tmp_path, shard=s, now=lambda: T0) for s in (0, 1)]
    source, bound = CommittedRows(tmp_path), {}
    assert list(unbound(source, bound, T0)) == []
    first: list[SegmentBody] = []
    for n in range(6):
        write(tmp_path, writers[0], 0, 10 * n + 1, 10 * n + 10, day=n % 2)
        if n % 2:
            write(tmp_path, writers[1], 1, 5 * n, 5 * n + 4)
        first += bind_all(source, bound)
    for shard in (0, 1):
        own = [b for b in first if b.shard == shard]
        assert own[0].first == 0
        assert all(a.last + 1 == b.first for a, b in pairwise(own))
    assert sum(b.count for b in first) == 120 + 30
    writers[0].commit([], [], {"S/1/0": 99}, {})
    assert bind_all(source, bound) == [], "sequences without rows wait for the segment that follows"
    write(tmp_path, writers[0], 0, 100, 101)
    (body,) = bind_all(source, bound)
    assert (body.first, body.last, body.count) == (61, 101, 4)
    check = against_rows(CommittedRows(tmp_path))
    assert [check(0, b) for b in [*first, body]] == [None] * (len(first) + 1)


def test_compaction_retention_and_restore_change_nothing_that_is_bound(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    writer = DeltaWriter(folder, shard=0, now=lambda: T0)
    for n in range(12):
        write(folder, writer, 0, 10 * n, 10 * n + 9, day=n // 6)
    source, bound = CommittedRows(folder), {}
    bodies = bind_all(source, bound, most=30)
    assert len(bodies) > 6, "a long past is bound in portions"
    assert sum(b.count for b in bodies) == 240
    roll_up(folder, now=lambda: T0, define=lambda *_: None)
    assert compact(folder, now=lambda: T0, fewest=2) > 0
    check = against_rows(CommittedRows(folder))
    assert [check(0, b) for b in bodies] == [None] * len(bodies)
    assert bind_all(CommittedRows(folder), dict(bound)) == []
    fresh = bind_all(CommittedRows(folder), {}, most=30)
    assert sum(b.count for b in fresh) == 240
    backup(folder, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    assert against_rows(CommittedRows(tmp_path / "again"))(0, bodies[0]) is None
    # A history that was put back to before is not bound a second time.
    assert bind_all(CommittedRows(tmp_path / "again"), {0: 10**6}) == []
    retain(folder, now=lambda: T0 + 10 * DAY, rows_for=9 * DAY)
    gone = against_rows(CommittedRows(folder))(0, bodies[0])
    assert gone is not None
    assert gone.what == "incomplete"
    assert against_rows(CommittedRows(folder), T0 + DAY // 2)(0, bodies[0]) is None
    assert check(0, bodies[-1]) is None


def test_what_was_received_long_before_is_bound_late(tmp_path: Path) -> None:
    found = CommittedRows(tmp_path)
    DeltaWriter(tmp_path, shard=0, now=lambda: T0).commit([rows(0, 0, 1)], [], {"S/1/0": 1}, {})
    for made, late in ((T0 + LATE_AFTER, False), (T0 + LATE_AFTER + 1, True)):
        assert body_of(0, 0, 1, found.rows(0, 0, 1), made).late is late
