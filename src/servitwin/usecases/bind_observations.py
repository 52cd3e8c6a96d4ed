"""Bind observations: each committed row of each shard is covered by one segment of the evidence log.

Where a shard goes on is read from the log itself, so that a restart neither leaves a hole nor binds a row twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from servitwin.domain.instant import MINUTE
from servitwin.domain.observation import Cut
from servitwin.proof.log.catalogue import SegmentBody
from servitwin.proof.log.segment import Segment, SegmentRows
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


def body_of(shard: int, first: int, last: int, rows: SegmentRows, made: int) -> SegmentBody:
    """Body of the statement that binds rows; ``made`` (ns UTC) decides whether it comes late."""
    segment = Segment(rows)
    start, end = segment.span
    late = len(rows) > 0 and made - int(rows.received.min()) > LATE_AFTER
    return SegmentBody(
        shard, first, last, len(rows), segment.root.hex(), len(segment.twins), exact_instant(start),
        exact_instant(end), late,
    )  # fmt: skip


def unbound(source: BoundRows, bound: Cut, now: int, most: int = ROWS) -> Iterator[SegmentBody]:
    """Segments that bind what is committed and not bound yet, at most one a shard; of about ``most`` rows each.

    Args:
        source: history.
        bound: shard -> last sequence that is bound.
        now: ns UTC.
        most: rows of a segment.
    """
    for shard, last in sorted(source.committed().items()):
        first = bound.get(shard, -1) + 1
        if last < first:  # nothing new, or history was put back to before: then the log knows more than it does
            continue
        reached = source.reach(shard, first, last, most)
        rows = source.rows(shard, first, reached)
        if len(rows):  # sequences that brought no row are covered by the segment that follows
            yield body_of(shard, first, reached, rows, now)


def plain_body(body: SegmentBody) -> dict[str, object]:
    """The body as JSON has it."""
    found: dict[str, object] = msgspec.to_builtins(body)
    return found
