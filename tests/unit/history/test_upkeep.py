"""Roll-ups, compaction, retention and backup change no answer, whatever order things happen in."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from model import Row, rows_of
from test_reader import values
from worlds import FLAG, GAPS, NUMBER, PAIRS, SPARSE, T0, TEXT, World, apps, commit_rows, define, worlds

from servitwin.domain.error import ConflictError, NotFoundError, UnavailableError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import Quarantined
from servitwin.engines.history import (
    DeltaWriter,
    DuckReader,
    Hold,
    backup,
    compact,
    mark_replayed,
    restore,
    retain,
    roll_up,
    vacuum,
)
from servitwin.engines.history.log import TableLog

AGGREGATIONS = ["mean", "min", "max", "first", "last", "tw_mean", "count", "sum"]
ALIGNED = [
    (T0, T0 + 40 * HOUR, HOUR),
    (T0 + 5 * HOUR, T0 + 29 * HOUR + 7, 2 * HOUR),
    (T0, T0 + 2 * DAY, DAY),
    (T0 - DAY, T0 + 39 * HOUR + 11, 2 * DAY),
]


STEPS = st.sampled_from(["", "roll", "compact", "roll+compact"])


class Clock:
    """Each reading a little later than the one before."""

    def __init__(self, start: int = T0 + 50 * DAY) -> None:
        self.at = start

    def __call__(self) -> int:
        self.at += 1000
        return self.at


def answers(reader: DuckReader) -> list[object]:
    out: list[object] = []
    for start, end, every in ALIGNED:
        out.append(reader.downsample(PAIRS, start, end, every, AGGREGATIONS))  # type: ignore[arg-type]
        out.append(reader.durations([TEXT, FLAG], start, end, every))
    found = reader.many_series(PAIRS, T0, T0 + 2 * DAY, before=True)
    out.append([values(found[pair]) for pair in PAIRS])
    out.append(sorted((v.twin, v.signal, v.time, v.value) for v in reader.last()))
    return out


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    world=worlds(most_commits=4),
    steps=st.lists(st.sampled_from(["", "roll", "compact", "roll+compact"]), min_size=5, max_size=5),
)
def test_answers_with_rollups_are_the_raw_ones_to_the_last_digit(world: World, steps: list[str]) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory() as plain, tempfile.TemporaryDirectory() as kept:
        for commit, step in zip([*world.commits, []], steps, strict=False):
            if commit:
                commit_rows(Path(plain), commit)
                commit_rows(Path(kept), commit)
            if "roll" in step:
                roll_up(kept, now=clock, define=define)
            if "compact" in step:
                compact(kept, now=clock, fewest=2)
        raw, rolled = world.reader(Path(plain)), world.reader(Path(kept))
        assert answers(rolled) == answers(raw)
        if world.rows:  # a cut before the roll-ups knows nothing of what they were made of
            cut = {s: seq // 2 for s, seq in world.cut.items()}
            at = [r.downsample(PAIRS, *ALIGNED[0], AGGREGATIONS, cut) for r in (raw, rolled)]  # type: ignore[arg-type]
            assert at[0] == at[1]


def row(seq: int, time: int, value: float = 1.0, pair: tuple[str, str] = NUMBER) -> Row:
    return Row(*pair, time, value, 0, seq, 0)


def test_rollups_serve_without_the_rows_they_cover(tmp_path: Path) -> None:
    """If raw rows were still read, the answer would be empty once they have been dropped."""
    commit_rows(tmp_path, [row(s, T0 + s * HOUR // 4, float(s)) for s in range(1, 30)])
    before = DuckReader(tmp_path, define=define).downsample([NUMBER], T0, T0 + DAY, HOUR, ["mean"])
    clock = Clock()
    assert roll_up(tmp_path, now=clock, define=define) == {0: 29}
    done = retain(tmp_path, now=clock, rows_for=DAY)
    assert [(d.table, d.day, d.rows, d.held) for d in done] == [("observations", "2026-09-21", 29, 0)]
    reader = DuckReader(tmp_path, define=define)
    assert len(reader.series(*NUMBER, T0, T0 + DAY)) == 0
    assert reader.downsample([NUMBER], T0, T0 + DAY, HOUR, ["mean"]) == before
    assert [v.value for v in reader.last()] == [29.0]


def test_a_changed_max_gap_is_answered_from_rows_until_rolled_up_anew(tmp_path: Path) -> None:
    rows = [row(s, T0 + s * HOUR, float(s), SPARSE) for s in range(1, 9)]
    commit_rows(tmp_path, rows)
    roll_up(tmp_path, now=Clock())  # without definitions: a value holds until the next one
    buckets = DuckReader(tmp_path, define=define).downsample([SPARSE], T0, T0 + DAY, DAY, ["tw_mean"])[SPARSE][
        "tw_mean"
    ]
    assert buckets[0].value == pytest.approx(4.5)  # each holds GAPS[SPARSE], the last one too
    assert GAPS[SPARSE] < HOUR
    longer = DuckReader(tmp_path).downsample([SPARSE], T0, T0 + DAY, DAY, ["tw_mean"])[SPARSE]["tw_mean"]
    assert longer[0].value == pytest.approx((sum(range(1, 8)) + 8 * 16) / 23)


def test_rows_that_are_not_rolled_up_are_neither_compacted_nor_dropped(tmp_path: Path) -> None:
    clock = Clock()
    for seq in range(1, 4):
        commit_rows(tmp_path, [row(seq, T0 + seq)])
    assert compact(tmp_path, now=clock, fewest=2) == 0
    assert retain(tmp_path, now=clock, rows_for=0) == []
    roll_up(tmp_path, now=clock)
    for seq in range(4, 6):
        commit_rows(tmp_path, [row(seq, T0 + seq)])
    assert compact(tmp_path, now=clock, fewest=2) == 3
    files = TableLog(tmp_path / "observations").snapshot().files.values()
    assert sorted((f.low["seq"], f.high["seq"], f.rows) for f in files) == [(1, 3, 3), (4, 4, 1), (5, 5, 1)]
    assert DuckReader(tmp_path).changed_since({0: 2}) == {"twin-a": (T0 + 3, T0 + 5)}


def test_our_reading_of_the_log_is_that_of_deltalake(tmp_path: Path) -> None:
    """Over checkpoints, removed files and application transactions."""
    clock = Clock()
    followed = TableLog(tmp_path / "observations")
    writer = DeltaWriter(tmp_path, shard=0, now=clock)
    for seq in range(1, 106):
        writer.commit([rows_of([row(seq, T0 + seq * HOUR)])], [], {apps(0): seq}, {})
        if seq % 30 == 0:
            roll_up(tmp_path, now=clock)
            compact(tmp_path, now=clock, fewest=2)
        if seq % 10 == 0:
            followed.snapshot()
    table = DeltaTable(str(tmp_path / "observations"))
    assert list((tmp_path / "observations" / "_delta_log").glob("*.checkpoint.parquet"))
    for log in (followed, TableLog(tmp_path / "observations")):
        snapshot = log.snapshot()
        assert snapshot.version == table.version()
        assert {str(tmp_path / "observations" / f.path) for f in snapshot.files.values()} == set(table.file_uris())
        assert snapshot.transactions == {apps(0): 105}
    assert followed.at(table.version() - 2).transactions == {apps(0): 103}  # type: ignore[union-attr]


def test_retention_keeps_what_is_on_hold(tmp_path: Path) -> None:
    clock = Clock(T0 + 10 * DAY)
    other = ("twin-b", "power")
    places = itertools.product(range(4), (1, 13), (NUMBER, other))
    rows = [row(i + 1, T0 + d * DAY + h * HOUR, 1.0, pair) for i, (d, h, pair) in enumerate(places)]
    commit_rows(tmp_path, rows)
    roll_up(tmp_path, now=clock)
    hold = Hold("twin-a", T0 + DAY, T0 + DAY + 12 * HOUR)
    done = retain(tmp_path, now=clock, rows_for=8 * DAY, rollups_for=8 * DAY, holds=[hold])
    assert [(d.table, d.day, d.rows, d.held) for d in done] == [
        ("observations", "2026-09-21", 4, 0),
        ("observations", "2026-09-22", 3, 1),
        ("rollups", "2026-09-21", 6, 0),
        ("rollups", "2026-09-22", 4, 2),
    ]
    assert retain(tmp_path, now=clock, rows_for=8 * DAY, rollups_for=8 * DAY, holds=[hold]) == []
    found = DuckReader(tmp_path).many_series([NUMBER, other], T0, T0 + 4 * DAY)
    assert found[NUMBER].time.tolist() == [T0 + DAY + HOUR, *(T0 + d * DAY + h * HOUR for d in (2, 3) for h in (1, 13))]
    assert len(found[other]) == 4


def test_vacuum_deletes_only_what_nobody_needs(tmp_path: Path) -> None:
    clock = Clock(1)  # removed long ago
    for seq in range(1, 5):
        commit_rows(tmp_path, [row(seq, T0 + seq)])
    roll_up(tmp_path, now=clock)
    assert compact(tmp_path, now=clock, fewest=2) == 4
    unfinished = tmp_path / "observations" / "day=2026-09-21" / "just-being-written.parquet"
    unfinished.write_bytes(b"PAR1")
    assert vacuum(tmp_path) == 4
    assert unfinished.exists()
    assert len(DuckReader(tmp_path).series(*NUMBER, T0, T0 + DAY)) == 4


def test_replayed_entries_leave_quarantine(tmp_path: Path) -> None:
    entries = [Quarantined(0, s, 0, T0 + s, "topic", "m", "signal:unknown", "x", "", b"{}") for s in (1, 2, 3)]
    DeltaWriter(tmp_path, shard=0, now=lambda: T0).commit([], entries, {apps(0): 3}, {})
    reader = DuckReader(tmp_path)
    mark_replayed(tmp_path, [(0, 1, 0), (0, 3, 0)], now=Clock())
    assert [q.seq for q in reader.quarantined()] == [2]
    assert reader.quarantine_counts() == {"signal:unknown": 1}


def test_a_backup_stands_at_its_cut_and_is_restored_whole(tmp_path: Path) -> None:
    live, clock = tmp_path / "live", Clock()
    writer = DeltaWriter(live, shard=0, now=clock)
    writer.snapshot_note({apps(0): 0}, b"marks")
    for seq in range(1, 4):
        commit_rows(live, [row(seq, T0 + seq)])
    roll_up(live, now=clock)
    compact(live, now=clock, fewest=2)
    assert backup(live, tmp_path / "now") == {0: 3}
    assert backup(live, tmp_path / "earlier", {0: 2}) == {0: 2}
    commit_rows(live, [row(4, T0 + 4)])
    for name, last in (("now", 3), ("earlier", 2)):
        place = tmp_path / "restored" / name
        place.parent.mkdir(exist_ok=True)
        assert restore(tmp_path / name, place) == {0: last}
        assert DuckReader(place).series(*NUMBER, T0, T0 + DAY).time.tolist() == [T0 + s for s in range(1, last + 1)]
        assert [v.time for v in DuckReader(place).last()] == [T0 + last]
        again = DeltaWriter(place, shard=0, now=clock)
        assert again.position(apps(0)) == last
        assert again.noted() == ({apps(0): 0}, b"marks")
        commit_rows(place, [row(last + 1, T0 + last + 1)])
        roll_up(place, now=clock)
        assert len(DuckReader(place).series(*NUMBER, T0, T0 + DAY)) == last + 1


def test_backup_and_restore_refuse_what_would_lose_data(tmp_path: Path) -> None:
    commit_rows(tmp_path / "live", [row(5, T0)])
    with pytest.raises(ConflictError, match="backup:exists"):
        backup(tmp_path / "live", tmp_path / "live")
    with pytest.raises(NotFoundError, match="backup:not-finished"):
        restore(tmp_path / "live", tmp_path / "other")
    (tmp_path / "live" / "observations" / "_delta_log" / f"{0:020d}.json").rename(tmp_path / "cleaned-away")
    with pytest.raises(UnavailableError, match="backup:cut-too-old"):
        backup(tmp_path / "live", tmp_path / "too-old", {0: 1})
    (tmp_path / "cleaned-away").rename(tmp_path / "live" / "observations" / "_delta_log" / f"{0:020d}.json")
    backup(tmp_path / "live", tmp_path / "copy")
    with pytest.raises(ConflictError, match="history:exists"):
        restore(tmp_path / "copy", tmp_path / "live")


def test_backlogs_tell_what_waits_for_roll_up_and_then_for_compaction(tmp_path: Path) -> None:
    reader, clock = DuckReader(tmp_path), Clock()
    assert {j: (b.files, b.rows) for j, b in reader.backlogs(0).items()} == {"roll-up": (0, 0), "compaction": (0, 0)}
    for seq in range(1, 28, 3):
        commit_rows(tmp_path, [row(seq + k, T0 + seq + k, float(k)) for k in range(3)])
    first = min(p.stat().st_mtime_ns for p in tmp_path.rglob("observations/day=*/*.parquet"))
    waiting = reader.backlogs(first + 90 * 10**9)
    assert (waiting["roll-up"].files, waiting["roll-up"].rows, waiting["roll-up"].seconds) == (9, 27, 90.0)
    assert waiting["compaction"].rows == 0, "what is not rolled up is not put together"
    roll_up(tmp_path, now=clock, define=define)
    assert reader.backlogs(first)["roll-up"].rows == 0
    assert (reader.backlogs(first)["compaction"].files, reader.backlogs(first)["compaction"].rows) == (9, 27)
    assert compact(tmp_path, now=clock) >= 9
    assert reader.backlogs(first)["compaction"].files == 0
