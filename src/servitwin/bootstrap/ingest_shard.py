"""One shard of ingest: a stream, its reader, its writer, and the tail between them."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from deltalake.exceptions import DeltaError

from servitwin.bootstrap.commit_pace import CommitPace
from servitwin.config import Settings
from servitwin.domain.error import ConflictError
from servitwin.domain.observation import PackedRows, Rows
from servitwin.engines.bus.reader import Source, StreamReader
from servitwin.engines.bus.server import MAX_PAYLOAD, note_committed
from servitwin.engines.history import DeltaWriter
from servitwin.engines.history.columns import ipc_of
from servitwin.sdk.connector import Decodes
from servitwin.usecases.ingest import Block, Ingest, Shared
from servitwin.usecases.ingest.tail import Tail, up_to

log = logging.getLogger("servitwin.ingest")
_TAIL_ROWS = 3_000_000
_MOST_TOLD = 60_000  # rows of the tail that are told at once: a few megabytes


class IngestShard:
    """Reads a stream, holds what is not committed, commits it, and only then acknowledges it."""

    def __init__(
        self,
        number: int,
        source: Source,
        writer: DeltaWriter,
        shared: Shared,
        connectors: Sequence[Decodes],
        settings: Settings,
        consumer_name: Callable[[], str],
    ) -> None:
        self.number, self._source, self._writer, self._settings = number, source, writer, settings
        self.ingest = Ingest(number, shared, connectors)
        self.reader = StreamReader(source, lambda: self.committed, self.ingest.feed, consumer_name)
        self.app = self._source_id = ""
        self._bus_folder = settings.folder / "bus"  # not there where the bus is another machine's
        self.committed = -1
        self.refused = ""  # why the last commit failed
        self.rows_per_second = 0.0
        self._tail = Tail(-1, 0, 0)
        self._told, self._telling = _NOTHING_TOLD, asyncio.Lock()
        self._committing: list[Block] = []
        self._last_commit = time.monotonic()
        self._pace = CommitPace(settings.commit_rows)

    def open(self) -> None:
        """Ask stream and table where to go on; blocks."""
        self._source_id = self._source.identity()
        self.app = f"{self._source_id}/{self.number}"
        self.committed = self._writer.position(self.app)
        self.ingest.received = self.committed
        self._tail = Tail(self.committed, int(self._settings.tail_seconds * 1e9), _TAIL_ROWS)

    def wants_commit(self, now: float) -> bool:
        """Whether what waits is to be committed before its time has come; ``now`` in seconds of a monotonic clock."""
        return self._pace.due(self.ingest.pending, self.ingest.received, now, half_full=self.reader.half_full)

    def kept(self, small_files: int) -> None:
        """A round of upkeep has ended and left so many small files."""
        self._pace.kept(small_files)

    def cut(self) -> Block | None:
        """What came in since the last cut; None if nothing did."""
        block = self.ingest.take()
        if block.last <= self.committed:
            return None
        self._committing.append(block)
        return block

    async def commit(self, block: Block, *, give_up: bool = False) -> None:
        """Commit a block and acknowledge its messages.

        A store that refuses is asked again and again: nothing is acknowledged meanwhile, and the reader stops by
        itself when it is too far ahead. A position that another writer has moved cannot be mended from here: the
        ``ConflictError`` ends the process, and the next one starts from what the table says.
        """
        note = {"marks": base64.b85encode(block.note).decode()} if block.note else {}
        wait = 0.2
        while True:
            try:
                await asyncio.to_thread(self._write, block, note)
                break
            except (OSError, DeltaError) as e:
                if not self.refused:
                    log.error("history refuses, nothing is acknowledged: %s", e)
                self.refused = "history:refused"
                if give_up:
                    return
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)
        self.refused = ""
        self._pace.committed()
        self._committing.remove(block)
        self._tail.add(block.rows, block.last, time.time_ns())
        self.committed = block.last
        self.reader.acknowledge(block.last)
        now = time.monotonic()
        self.rows_per_second = block.count / max(now - self._last_commit, 1e-3)
        self._last_commit = now

    def _write(self, block: Block, note: Mapping[str, str]) -> None:
        if not block.written:
            tried, block.tried = block.tried, True
            try:
                self._writer.commit(block.rows, block.quarantined, {self.app: block.last}, note)
            except ConflictError:
                # A store that fails may have taken the block all the same: its answer was lost, and not the block.
                if not tried or self._writer.position(self.app) != block.last:
                    raise
            block.written = True
        if self._bus_folder.is_dir():
            note_committed(self._bus_folder, self.number, self._source_id, block.last)

    def notes_since(self, positions: Mapping[str, int]) -> Iterator[Mapping[str, str]]:
        """Notes of this shard's commits after those positions."""
        return self._writer.notes_since(positions)

    def saved_marks(self) -> tuple[dict[str, int], bytes] | None:
        """The last snapshot of the marks of all shards."""
        return self._writer.noted()

    def save_marks(self, positions: Mapping[str, int], marks: bytes) -> None:
        """Save a snapshot of the marks of all shards."""
        self._writer.snapshot_note(positions, marks)

    async def answer_tail(self, payload: bytes) -> bytes:
        """``ask.tail.<shard>``."""
        asked = msgspec.json.decode(payload or b"{}", type=dict[str, int])
        async with self._telling:  # whoever asks for the same meanwhile finds it
            self._tail.forget(time.time_ns())
            cut, start = max(self.ingest.received, self.committed), max(asked.get("after", -1), self._tail.start)
            told = self._told
            # In a burst the oldest rows stay the same until they are committed: many readers ask for them.
            if told.after != start or not (told.shortened or told.cut == cut):
                pending = [r for block in self._committing for r in block.rows] + self.ingest.rows()
                rows = self._tail.after(start, pending)
                told = self._told = await asyncio.to_thread(tail_answer, rows, self.number, cut, start)
            return told.answer

    async def answer_cut(self, payload: bytes) -> bytes:
        """``ask.cut.<shard>``."""
        return msgspec.json.encode({"committed": self.committed, "received": max(self.ingest.received, self.committed)})


class Told(NamedTuple):
    """An answer of the tail: rows after a sequence, up to a cut."""

    after: int
    cut: int
    shortened: bool  # there were more rows than can be told at once
    answer: bytes


_NOTHING_TOLD = Told(-2, -2, False, b"")


def tail_answer(rows: Sequence[Rows | PackedRows], shard: int, cut: int, after: int, most: int = MAX_PAYLOAD) -> Told:
    """Rows of a shard after a sequence, up to ``cut``, or to an earlier one where it would be more than ``most`` bytes.

    In a burst more rows wait for their commit than one message of the bus can hold, or than can be written into one
    while somebody waits: who asks gets the oldest of them.
    """
    share = _MOST_TOLD / max(sum(map(len, rows)), 1)
    shortened = False
    while True:
        if share < 1.0:
            each = [np.repeat(r.seq, len(r) // len(r.seq)) for r in rows]  # packed rows share the sequence of a message
            sequences = np.sort(np.concatenate(each))
            cut = int(sequences[int(len(sequences) * share)]) - 1
            rows = [r for r in (up_to(r, cut) for r in rows) if len(r)]
            shortened = True
        answer = ipc_of(rows, {shard: cut}, {shard: after})
        if len(answer) <= most or not rows:
            return Told(after, cut, shortened, answer)
        share = 0.9 * most / len(answer)
