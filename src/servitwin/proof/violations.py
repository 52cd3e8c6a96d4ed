"""From verdicts, as they become certain, to violations: maximal stretches in which a requirement is false."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from servitwin.proof.monitor.trace import Piece, Verdict


class Violation(msgspec.Struct):
    """A stretch [start, end) in which a requirement is false.

    Attributes:
        first: where it began as far as was known when it was found: its identity, for verdicts of earlier instants can
            become certain later and move ``start`` back.
        determined: when it was found.
        over: whether the instant ``end`` is certainly not false; else it may go on.
    """

    first: int
    start: int
    end: int
    determined: int
    over: bool = False


class Change(msgspec.Struct, frozen=True):
    """What became of a violation: ``found``, ``ended``, or ``joined`` into an earlier one, which stays."""

    kind: Literal["found", "ended", "joined"]
    violation: Violation


class Violations(msgspec.Struct):
    """The violations of one requirement of one twin that may still change.

    ``others``: stretches that are certainly not false and border on one that may still be found.
    """

    open: list[Violation] = []
    others: list[tuple[int, int]] = []

    def take(self, pieces: Iterable[Piece], open_since: int | None) -> list[Change]:
        """Take pieces in the order in which they became certain.

        ``open_since``: the first instant whose verdict still waits, None if none does: nothing before it changes.
        """
        changes = []
        for piece in pieces:
            if piece.verdict is Verdict.FALSE:
                changes += self._false(piece)
            else:
                self._other(piece.start, piece.end)
        for violation in self.open:
            if not violation.over and any(a <= violation.end < b for a, b in self.others):
                violation.over = True
                changes.append(Change("ended", msgspec.structs.replace(violation)))
        self._forget(open_since)
        return changes

    def _false(self, piece: Piece) -> list[Change]:
        touching = [v for v in self.open if v.start <= piece.end and piece.start <= v.end]
        if not touching:
            found = Violation(piece.start, piece.start, piece.end, piece.determined)
            self.open.append(found)
            return [Change("found", msgspec.structs.replace(found))]
        kept = min(touching, key=lambda v: (v.determined, v.first))
        kept.start = min(piece.start, *(v.start for v in touching), kept.start)
        kept.end = max(piece.end, *(v.end for v in touching), kept.end)
        kept.over = False
        self.open = [v for v in self.open if v is kept or v not in touching]
        return [Change("joined", v) for v in touching if v is not kept]

    def _other(self, start: int, end: int) -> None:
        if self.others and self.others[-1][1] == start:
            self.others[-1] = (self.others[-1][0], end)
        else:
            self.others.append((start, end))

    def _forget(self, open_since: int | None) -> None:
        """Keep what may still change: what borders on an instant that waits, and the last stretch."""
        latest = max([v.end for v in self.open] + [b for _, b in self.others], default=0)
        border = latest if open_since is None else min(open_since, latest)
        self.open = [v for v in self.open if not v.over or v.end >= border]
        self.others = [(a, b) for a, b in self.others if b >= border]
