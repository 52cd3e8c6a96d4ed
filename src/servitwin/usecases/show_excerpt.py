"""Show observations with what binds them to the log: rows of some signals of a twin, segment by segment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import HOUR, MINUTE, format_instant
from servitwin.domain.observation import Cut
from servitwin.proof.file.block import block_of
from servitwin.proof.file.excerpt_part import BoundSegment
from servitwin.proof.log.catalogue import SEGMENT, segment_of
from servitwin.proof.log.segment import Segment
from servitwin.proof.log.statement import Entry, glance
from servitwin.usecases.bind_observations import BoundRows
from servitwin.usecases.log_ports import LogReader

#: Rows further ahead of their receipt are not taken in: segments made earlier cannot hold rows of an excerpt.
AHEAD = 5 * MINUTE
LONGEST = 24 * HOUR


class ShowExcerpt:
    """Reads bound rows for proof files, and checks each segment against the log on the way."""

    def __init__(self, log: LogReader, rows: BoundRows) -> None:
        self._log = log
        self._rows = rows

    def stated(self, begin: int, cut: Cut) -> list[tuple[int, Entry]]:
        """Statements of all segments up to the cut, from one on that was made five minutes before ``begin``.

        Index and entry, in the order of the log; of every shard without a hole.
        """
        catalogue = self._log.catalogue()
        places = np.flatnonzero(catalogue["kind"] == SEGMENT)
        found: list[tuple[int, Entry]] = []
        left = set(cut)
        for index in reversed(places.tolist()):
            if not left:
                break
            shard = int(catalogue["shard"][index])
            if shard not in left or int(catalogue["first"][index]) > cut[shard]:
                continue
            entry = glance(self._log.entry(index))
            found.append((index, entry))
            if entry.statement.made_at <= begin - AHEAD:
                left.discard(shard)
        return found[::-1]

    def segments(
        self, stated: Sequence[tuple[int, Entry]], twin: str, signals: Sequence[str], begin: int, end: int
    ) -> Iterator[BoundSegment]:
        """The segments with rows of [begin, end), showing the blocks of those signals of the twin.

        Raises:
            ConflictError: ``proof:segment-differs``: history is not what was bound.
        """
        if end - begin > LONGEST:
            raise InvalidInputError(
                Fault(
                    "proof:excerpt-too-long",
                    f"The proof would need observations from {format_instant(begin)} on, more than a day",
                    "Declare `max_gap` for signals that are silent for long, so that their machine repeats them",
                )
            )
        for index, entry in stated:
            body = segment_of(entry)
            since, until = body.span
            if until <= begin or since >= end:
                continue
            segment = Segment(self._rows.rows(body.shard, body.first, body.last))
            if segment.root.hex() != body.root:
                raise ConflictError(
                    Fault(
                        "proof:segment-differs",
                        f"Segment {index} (shard {body.shard}, {body.first} to {body.last}) is not what was bound",
                        "Run `servitwin log check`; nothing is proven from observations that were changed",
                    )
                )
            mine = next((t for t in segment.twins if t.uid == twin), None)
            own = mine.signals if mine is not None else ()
            yield BoundSegment(
                index,
                [(t.uid, t.root) for t in segment.twins],
                [(s.name, s.digest) for s in own],
                {s.name: block_of(segment.block(s)) for s in own if s.name in signals},
            )
