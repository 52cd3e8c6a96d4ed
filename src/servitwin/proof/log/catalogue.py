"""One row of fixed width for each entry, so that segments, keys and digests are found without reading the log."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.statement import KINDS, Entry, glance

ROW = np.dtype(
    [
        ("kind", "<u1"),  # place in KINDS
        ("shard", "<i4"),
        ("first", "<i8"),
        ("last", "<i8"),
        ("from", "<i8"),
        ("to", "<i8"),
        ("digest", "<u8"),  # the first eight bytes of the statement's digest
    ]
)
Rows = npt.NDArray[Any]
SEGMENT = KINDS.index("segment")
NO_KIND = 255
_PLACE_OF_KIND = {k: n for n, k in enumerate(KINDS)}


class SegmentBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of a ``segment`` statement; ``from`` and ``to`` are RFC 3339.

    ``late``: a row had been received more than a minute before it was bound, so that the node's own word stands for
    what it was until then.
    ``signed``: leaves (hex) of the twins whose rows, but for those of their connection, came in messages that bore a
    good signature of the machine's key when the node took them in.
    """

    shard: int
    first: int
    last: int
    count: int
    root: str
    twins: int
    from_: str = msgspec.field(name="from")
    to: str = ""
    late: bool = False
    signed: tuple[str, ...] = ()

    @property
    def span(self) -> tuple[int, int]:
        """Event times [from, to) in ns UTC."""
        return parse_instant(self.from_), parse_instant(self.to)


def segment_of(entry: Entry) -> SegmentBody:
    """The body of a segment's statement.

    Raises:
        InvalidInputError: ``statement:malformed``.
    """
    try:
        return msgspec.convert(entry.statement.body, SegmentBody)
    except msgspec.ValidationError as e:
        raise InvalidInputError(Fault("statement:malformed", f"This segment cannot be read: {e}")) from None


def describe(raw: bytes) -> bytes:
    """The row of an entry; of what is no statement, a row that nothing is found by."""
    row = np.zeros(1, ROW)
    try:
        entry = glance(raw)
        row["kind"] = _PLACE_OF_KIND.get(entry.statement.kind, NO_KIND)
        row["digest"] = short_digest(entry.digest)
        if entry.statement.kind == "segment":
            body = segment_of(entry)
            row["shard"], row["first"], row["last"] = body.shard, body.first, body.last
            row["from"], row["to"] = body.span
    except InvalidInputError:
        row["kind"] = NO_KIND
    return row.tobytes()


def short_digest(digest: str) -> int:
    """The number by which a digest (``sha256:...``) stands in the catalogue."""
    return int.from_bytes(bytes.fromhex(digest.removeprefix("sha256:")[:16]), "little")


def places_of_digest(rows: Rows, digest: str) -> list[int]:
    """Indices of entries that may have that digest; whoever asks reads them to be sure."""
    return [int(i) for i in np.flatnonzero(rows["digest"] == np.uint64(short_digest(digest)))]


def places_of_kinds(rows: Rows, *kinds: str) -> list[int]:
    """Indices of entries of those kinds, in order."""
    return [int(i) for i in np.flatnonzero(np.isin(rows["kind"], [KINDS.index(k) for k in kinds]))]


def last_sequences(rows: Rows) -> dict[int, int]:
    """Shard -> last sequence that a segment binds."""
    segments = rows[rows["kind"] == SEGMENT]
    found: dict[int, int] = {}
    for shard in np.unique(segments["shard"]).tolist():
        found[int(shard)] = int(segments["last"][segments["shard"] == shard].max())
    return found


def last_segments(rows: Rows) -> list[int]:
    """Index of the newest segment of each shard."""
    places = np.flatnonzero(rows["kind"] == SEGMENT)
    shards = rows["shard"][places]
    return [int(places[shards == shard].max()) for shard in np.unique(shards)]


def places_of_segments(
    rows: Rows, shard: int | None, first: int | None, last: int | None, start: int | None, end: int | None
) -> list[int]:
    """Indices of segments that touch the sequences [first, last] and the event times [start, end); None: no bound."""
    fits = rows["kind"] == SEGMENT
    for bound, column, after in ((shard, "shard", None), (first, "last", True), (last, "first", False)):
        if bound is not None:
            values = rows[column]
            fits &= values == bound if after is None else values >= bound if after else values <= bound
    if start is not None:
        fits &= rows["to"] > start
    if end is not None:
        fits &= rows["from"] < end
    return [int(i) for i in np.flatnonzero(fits)]
