"""Bind observations: each committed row of each shard is covered by one segment of the evidence log.

Where a shard goes on is read from the log itself, so that a restart neither leaves a hole nor binds a row twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec
import numpy as np

from servitwin.domain.instant import LATEST, MINUTE
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.observation import CONNECTION, Cut
from servitwin.proof.log.catalogue import SegmentBody
from servitwin.proof.log.segment import Segment, SegmentRows, twin_leaf
from servitwin.proof.log.statement import exact_instant

LATE_AFTER = MINUTE
ROWS = 200_000


class BoundRows(Protocol):
    """Committed rows by shard and sequence (``engines.history.bound.CommittedRows``)."""

    def committed(self) -> Cut:
        """Last sequence of each shard that is committed."""
        ...

    def reach(self, shard: int, first: int, last: int, rows: int) -> int:
        """A sequence up to ``last`` until which there are about that many rows."""
        ...

    def rows(self, shard: int, first: int, last: int) -> SegmentRows:
        """All rows of the shard between two sequences, both included."""
        ...


def body_of(
    shard: int,
    first: int,
    last: int,
    rows: SegmentRows,
    made: int,
    keys: Mapping[str, Sequence[MachineKey]] = MappingProxyType({}),
) -> SegmentBody:
    """Body of the statement that binds rows; ``made`` (ns UTC) decides whether it comes late.

    ``keys``: of machines, by uid: ingest took nothing unsigned of them while they demanded a signature.
    """
    segment = Segment(rows)
    start, end = segment.span
    late = len(rows) > 0 and made - int(rows.received.min()) > LATE_AFTER
    return SegmentBody(
        shard, first, last, len(rows), segment.root.hex(), len(segment.twins), exact_instant(start),
        exact_instant(end), late, tuple(_signed(segment, rows, keys)),
    )  # fmt: skip


def _signed(segment: Segment, rows: SegmentRows, keys: Mapping[str, Sequence[MachineKey]]) -> Iterator[str]:
    if not keys:
        return
    own = np.array([signal != CONNECTION for signal in rows.signals])[rows.signal]
    for twin in segment.twins:
        if twin.uid not in keys:
            continue
        mine = own & np.array([uid == twin.uid for uid in rows.twins])[rows.twin]
        received = rows.received[mine]
        demanded = np.zeros(len(received), np.bool_)
        for key in keys[twin.uid]:
            demanded |= (received >= key.since) & (received < (LATEST if key.released is None else key.released))
        if len(received) and demanded.all():
            yield twin_leaf(twin.uid, twin.root).hex()


def unbound(
    source: BoundRows,
    bound: Cut,
    now: int,
    most: int = ROWS,
    keys: Mapping[str, Sequence[MachineKey]] = MappingProxyType({}),
) -> Iterator[SegmentBody]:
    """Segments that bind what is committed and not bound yet, at most one a shard; of about ``most`` rows each.

    Args:
        source: history.
        bound: shard -> last sequence that is bound.
        now: ns UTC.
        most: rows of a segment.
        keys: of machines, by uid.
    """
    for shard, last in sorted(source.committed().items()):
        first = bound.get(shard, -1) + 1
        if last < first:  # nothing new, or history was put back to before: then the log knows more than it does
            continue
        reached = source.reach(shard, first, last, most)
        rows = source.rows(shard, first, reached)
        if len(rows):  # sequences that brought no row are covered by the segment that follows
            yield body_of(shard, first, reached, rows, now, keys)


def plain_body(body: SegmentBody) -> dict[str, object]:
    """The body as JSON has it."""
    found: dict[str, object] = msgspec.to_builtins(body)
    return found
