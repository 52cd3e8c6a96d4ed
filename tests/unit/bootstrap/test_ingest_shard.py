"""A shard's commits when the store fails in the middle of one."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from servitwin.bootstrap import ingest_shard
from servitwin.bootstrap.ingest_shard import IngestShard, Told, tail_answer
from servitwin.config import Settings
from servitwin.domain.error import ConflictError
from servitwin.domain.observation import Quarantined, Rows
from servitwin.engines.history import DeltaWriter
from servitwin.usecases.ingest import Block, Shared
from tests.unit.history.test_writer import T0, rows
from tests.unit.ingest.given import FewTwins


class AnswerLost(DeltaWriter):
    """Writes, and then fails as a disk does that goes away before it has answered."""

    lost = 1

    def commit(
        self,
        rows: Sequence[Rows | Any],
        quarantined: Sequence[Quarantined],
        positions: Mapping[str, int],
        note: Mapping[str, str],
    ) -> int:
        version = super().commit(rows, quarantined, positions, note)
        if self.lost:
            self.lost -= 1
            raise OSError("the disk went away")
        return version


class Stream:
    """A stream that nobody reads."""

    def identity(self) -> str:
        return "SERVITWIN/1789948800000000000"


def shard(folder: Path, writer: type[DeltaWriter]) -> IngestShard:
    clock = itertools.count(T0)
    settings = Settings(data=str(folder))
    opened = writer(folder / "history", shard=0, now=lambda: next(clock))
    made = IngestShard(0, Stream(), opened, Shared(FewTwins()), [], settings, lambda: "c")  # type: ignore[arg-type]
    made.open()
    return made


def seqs(folder: Path) -> list[int]:
    batches = DeltaTable(str(folder / "history" / "observations")).scan().read_all()
    return sorted(v.as_py() for v in batches["seq"])


def test_a_block_whose_answer_was_lost_is_in_the_table_once_and_acknowledged(tmp_path: Path) -> None:
    it = shard(tmp_path, AnswerLost)
    for first in (10, 20):
        block = Block([rows(range(first, first + 5))], last=first + 4, count=20)
        it._committing.append(block)
        asyncio.run(it.commit(block))
        assert it.committed == first + 4 and not it.refused
    assert seqs(tmp_path) == sorted([*range(10, 15), *range(20, 25)] * 4)


def test_what_another_writer_has_committed_ends_the_process(tmp_path: Path) -> None:
    it, other = shard(tmp_path, DeltaWriter), shard(tmp_path, DeltaWriter)
    other._write(Block([rows(range(10, 15))], last=14, count=20), {})
    with pytest.raises(ConflictError, match="history:position-behind"):
        it._write(Block([rows(range(10, 15))], last=14, count=20), {})


@pytest.mark.parametrize("most", [8_000_000, 60_000, 12_000, 5_000])
def test_a_tail_that_no_message_can_hold_is_told_from_its_oldest_row_on(most: int) -> None:
    waiting = [rows(range(1000, 1600)), rows(range(1600, 1601)), rows(range(1601, 2000))]
    told = tail_answer(waiting, 0, 2005, 999, most)
    answer = told.answer
    assert told.shortened == (most < 8_000_000)
    assert len(answer) <= most
    table = pa.ipc.open_stream(answer).read_all()
    reached = json.loads(table.schema.metadata[b"cut"])["0"]
    assert json.loads(table.schema.metadata[b"after"]) == {"0": 999}
    assert table["seq"].to_pylist() == [s for s in range(1000, min(reached, 1999) + 1) for _ in range(4)]
    assert (reached == 2005) == (most == 8_000_000)
    assert reached > 999


def test_one_message_too_large_to_be_told_is_left_for_the_commit() -> None:
    answer = tail_answer([rows(range(7, 8))], 0, 7, 6, 10).answer
    assert json.loads(pa.ipc.open_stream(answer).read_all().schema.metadata[b"cut"]) == {"0": 6}


@pytest.mark.parametrize(("count", "again"), [(20_000, 1), (10, 2)])
def test_in_a_burst_the_oldest_rows_are_written_once_for_all_who_ask(
    count: int, again: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Told] = []

    def write(*given: Any) -> Told:
        written.append(tail_answer(*given))
        return written[-1]

    monkeypatch.setattr(ingest_shard, "tail_answer", write)
    it = shard(tmp_path, DeltaWriter)

    async def ask() -> list[bytes]:
        it.ingest._block.rows.append(rows(range(10, 10 + count)))  # four rows each
        it.ingest.received = 9 + count
        first = await asyncio.gather(it.answer_tail(b""), it.answer_tail(b""))
        it.ingest._block.rows.append(rows(range(10 + count, 20 + count)))
        it.ingest.received = 19 + count
        return [*first, await it.answer_tail(b"")]

    one, other, later = asyncio.run(ask())
    assert one == other and len(written) == again
    assert (later == one) == (again == 1), "the rest is told as soon as all of it can be"
    assert set(pa.ipc.open_stream(later).read_all()["seq"].to_pylist()) == set(
        range(10, min(20 + count, written[-1].cut + 1))
    )
