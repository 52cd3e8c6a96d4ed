"""History's writer: rows and stream positions in one commit, exactly once."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from servitwin.domain.error import ConflictError
from servitwin.domain.observation import Quarantined, Rows
from servitwin.engines.history import DeltaWriter

T0 = 1_789_948_800_000_000_000  # 2026-09-21T00:00:00Z
APP = "SERVITWIN/1789948800000000000/0"


def rows(seqs: range, *, step: int = 1_000_000_000, start: int = T0, shard: int = 0) -> Rows:
    """One number, one text, one flag and one UNAVAILABLE row for each sequence."""
    n = len(seqs) * 4
    seq = np.repeat(np.array(seqs, dtype=np.int64), 4)
    idx = np.tile(np.arange(4, dtype=np.int32), len(seqs))
    time = start + (seq - seqs.start) * step
    return Rows(
        twins=["unused", "twin-b", "twin-a"],
        signals=["power", "mode", "door", "load"],
        twin=(1 + seq % 2).astype(np.int32),
        signal=idx,
        time=time,
        received=time + 5,
        number=np.where(idx == 0, seq + 0.5, np.nan),
        text=[("AUTOMATIC" if i == 1 else None) for i in idx],
        flag=np.where(idx == 2, seq % 2, -1).astype(np.int8),
        quality=np.where(idx == 3, 2, 0).astype(np.uint8),
        replayed=np.zeros(n, dtype=np.bool_),
        shard=np.full(n, shard, dtype=np.int32),
        seq=seq,
        idx=idx,
    )


def bad(seq: int, idx: int = 0) -> Quarantined:
    return Quarantined(0, seq, idx, T0 + seq, "topic", "mill-1", "payload:not-json", "no JSON", "$.x", b"\xff\x00{")


def writer(folder: Path) -> DeltaWriter:
    clock = itertools.count(T0)
    return DeltaWriter(folder, shard=0, now=lambda: next(clock))


def stored(folder: Path, table: str = "observations") -> list[dict[str, object]]:
    batches = DeltaTable(str(folder / table)).scan().read_all()
    names = batches.schema.names
    columns = [[v.as_py() for v in batches[name]] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def test_rows_are_kept_as_they_came_with_the_position_of_their_stream(tmp_path: Path) -> None:
    w = writer(tmp_path)
    assert w.position(APP) == -1
    w.commit([rows(range(1, 3)), rows(range(3, 5))], [], {APP: 4}, {})
    assert w.position(APP) == writer(tmp_path).position(APP) == 4
    kept = sorted(stored(tmp_path), key=lambda r: (r["seq"], r["idx"]))
    assert [(r["seq"], r["idx"]) for r in kept] == [(s, i) for s in range(1, 5) for i in range(4)]
    first = kept[0]
    assert (first["twin"], first["signal"], first["number"], first["text"], first["flag"]) == (
        "twin-a", "power", 1.5, None, None,
    )  # fmt: skip
    assert [kept[i]["text"] for i in (1, 2)] == ["AUTOMATIC", None]
    assert [kept[i]["flag"] for i in (2, 6)] == [True, False]
    assert (kept[3]["number"], kept[3]["text"], kept[3]["flag"], kept[3]["quality"]) == (None, None, None, 2)


def test_a_commit_over_midnight_goes_to_both_days(tmp_path: Path) -> None:
    w = writer(tmp_path)
    w.commit([rows(range(1, 5), step=12 * 3600 * 10**9)], [], {APP: 4}, {})
    assert {(r["day"], r["seq"]) for r in stored(tmp_path)} == {
        ("2026-09-21", 1), ("2026-09-21", 2), ("2026-09-22", 3), ("2026-09-22", 4),
    }  # fmt: skip


@pytest.mark.parametrize("seq", [3, 4])
def test_a_position_that_is_not_beyond_the_one_in_the_table_appends_nothing(tmp_path: Path, seq: int) -> None:
    w = writer(tmp_path)
    w.commit([rows(range(1, 5))], [], {APP: 4}, {})
    with pytest.raises(ConflictError, match="history:position-behind"):
        w.commit([rows(range(1, 3))], [bad(2)], {APP: seq}, {})
    assert len(stored(tmp_path)) == 16
    assert stored(tmp_path, "quarantine") == []


def test_a_stale_writer_sees_what_another_one_committed(tmp_path: Path) -> None:
    stale, other = writer(tmp_path), writer(tmp_path)
    other.commit([rows(range(1, 5))], [], {APP: 4}, {})
    with pytest.raises(ConflictError, match="history:position-behind"):
        stale.commit([rows(range(1, 3))], [], {APP: 2}, {})
    assert stale.position(APP) == 4
    stale.commit([rows(range(5, 6))], [], {APP: 5}, {})
    assert len(stored(tmp_path)) == 20


def test_a_message_without_rows_still_moves_the_position(tmp_path: Path) -> None:
    w = writer(tmp_path)
    w.commit([], [], {APP: 7}, {})
    assert writer(tmp_path).position(APP) == 7


def test_quarantine_is_not_doubled_if_the_process_dies_before_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = writer(tmp_path)

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(w, "_write_rows", die)
        with pytest.raises(SystemExit):
            w.commit([rows(range(1, 4))], [bad(2)], {APP: 3}, {})
    again = writer(tmp_path)
    assert again.position(APP) == -1
    again.commit([rows(range(1, 7))], [bad(2), bad(5), bad(5, 1)], {APP: 6}, {})  # a longer batch than before
    assert sorted((r["seq"], r["idx"]) for r in stored(tmp_path, "quarantine")) == [(2, 0), (5, 0), (5, 1)]
    assert stored(tmp_path, "quarantine")[0]["payload"] == b"\xff\x00{"
    assert len(stored(tmp_path)) == 24


def test_notes_come_back_in_order_beyond_the_positions_given(tmp_path: Path) -> None:
    w, other = writer(tmp_path), DeltaWriter(tmp_path, shard=1, now=lambda: T0)
    second = "MQTT/5/0"
    w.commit([], [], {APP: 1}, {"n": "1"})
    other.commit([], [], {"X/9/1": 40}, {"n": "of another shard"})
    w.commit([], [], {second: 9}, {"n": "2"})
    w = writer(tmp_path)
    w.commit([], [], {APP: 3}, {"n": "3"})
    assert [n["n"] for n in w.notes_since({})] == ["1", "2", "3"]
    assert [n["n"] for n in w.notes_since({APP: 1})] == ["2", "3"]
    assert [n["n"] for n in w.notes_since({APP: 1, second: 9})] == ["3"]
    assert list(writer(tmp_path).notes_since({APP: 3, second: 9})) == []


def test_marks_are_replaced_whole(tmp_path: Path) -> None:
    w = writer(tmp_path)
    assert w.noted() is None
    w.snapshot_note({APP: 3}, b"\n\x00one")
    w.snapshot_note({APP: 5}, b"two\nlines")
    assert writer(tmp_path).noted() == ({APP: 5}, b"two\nlines")


def test_a_synced_commit_is_on_the_disk_with_its_files_and_folders_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    to_disk = os.fsync

    def noted(handle: int) -> None:
        reached.append(str(Path(f"/proc/self/fd/{handle}").readlink().relative_to(tmp_path)))
        to_disk(handle)

    w = DeltaWriter(tmp_path, shard=0, now=lambda: T0, sync=True)
    monkeypatch.setattr("os.fsync", noted)
    w.commit([rows(range(1, 3))], [bad(2)], {APP: 2}, {})
    for table in ("quarantine", "observations"):
        mine = [r.removeprefix(f"{table}/") for r in reached if r.startswith(table)]
        data = {str(p.relative_to(tmp_path / table)) for p in (tmp_path / table).rglob("*.parquet")}
        assert data
        assert data < set(mine[:-2]), "data files, and the folders that name them, come first"
        assert mine[-2:] == ["_delta_log/00000000000000000001.json", "_delta_log"], "then the commit that names them"
