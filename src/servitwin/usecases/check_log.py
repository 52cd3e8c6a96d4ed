"""Check a log, and history against it: every entry, every root, and each segment that is not what was bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from servitwin.domain.error import InvalidInputError, ServitwinError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.catalogue import SegmentBody, segment_of
from servitwin.proof.log.disclosure import Disclosure, disclosed
from servitwin.proof.log.head import SignedHead, is_signed_head
from servitwin.proof.log.key_ring import KeyRing
from servitwin.proof.log.merkle import MemoryTree
from servitwin.proof.log.statement import Entry, glance, is_signed, read_entry
from servitwin.usecases.bind_observations import BoundRows, body_of
from servitwin.usecases.witness_log import is_hidden, leaf_of

What = Literal["entry", "head", "rewritten", "hole", "differs", "incomplete"]
CheckSegment = Callable[[int, SegmentBody], "Difference | None"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is not as it was bound.

    Attributes:
        what: ``entry`` or ``head`` is not good in itself; ``rewritten``: the log says otherwise than it did when the
            witness co-signed it; ``hole``: segments do not follow each other; ``differs``: history has other rows than
            were bound; ``incomplete``: rows are missing.
        index: entry of the log.
        from_, to: event times of the segment, RFC 3339.
        twins: uids of the twins that the segment's rows in history belong to.
    """

    what: What
    message: str
    index: int = -1
    shard: int = -1
    first: int = -1
    last: int = -1
    from_: str = msgspec.field(name="from", default="")
    to: str = ""
    twins: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True):
    """What a check found; ``segments`` and ``rows`` were recomputed, ``late`` of the segments were bound late."""

    log: str
    size: int
    witnessed: int
    segments: int
    rows: int
    late: int
    hidden: int
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as it was bound."""
        return not self.differences


def check_log(
    entries: list[bytes],
    head: SignedHead | None,
    witnessed: list[bytes] | None,
    check_segment: CheckSegment,
    say: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Check entries of a log, its head, and history against what they bind.

    Args:
        entries: the log as its node shows it.
        head: its newest head.
        witnessed: a witness's copy: where it goes, it is believed, and not the node.
        check_segment: recomputes a segment from history; None where it is as bound.
        say: told how far it is.
    """
    faults = list(_check_entries(entries, head))
    if witnessed is not None:
        faults += _compare(entries, witnessed)
    truth = list(witnessed or []) + entries[len(witnessed or []) :]
    bound: dict[int, int] = {}
    dated: dict[int, int] = {}
    segments = rows = late = 0
    for index, raw in enumerate(truth):
        entry = None if is_hidden(raw) else _glanced(raw)
        if entry is None or entry.statement.kind != "segment":
            continue
        try:
            body = segment_of(entry)
        except InvalidInputError as e:
            faults.append(Difference("entry", str(e.fault.message), index))
            continue
        expected = bound.get(body.shard, body.first - 1) + 1
        if body.first != expected:
            faults.append(_of(body, "hole", index, f"the segment before it ends at {expected - 1}"))
        made = entry.statement.made_at
        if made < dated.get(body.shard, made):
            faults.append(_of(body, "entry", index, "it is dated before the segment that it follows"))
        bound[body.shard], dated[body.shard] = body.last, made
        found = check_segment(index, body)
        if found is not None:
            faults.append(found)
        segments, rows, late = segments + 1, rows + body.count, late + body.late
        if segments % 1000 == 0:
            say(f"{segments} segments checked")
    log = head.head.log if head is not None else ""
    hidden = sum(map(is_hidden, truth))
    return Checked(log, len(entries), len(witnessed or []), segments, rows, late, hidden, tuple(faults))


def against_rows(source: BoundRows, kept_since: int | None = None) -> CheckSegment:
    """Recompute segments from the rows of history.

    ``kept_since`` (ns UTC): rows with earlier event times need not be there any more (retention).
    """

    def check(index: int, body: SegmentBody) -> Difference | None:
        rows = source.rows(body.shard, body.first, body.last)
        try:
            found = body_of(body.shard, body.first, body.last, rows, 0)
        except ValueError as e:
            return _of(body, "differs", index, f"its rows cannot be read: {e}")
        if found.root == body.root and found.count == body.count:
            return None
        if len(rows) < body.count and kept_since is not None and body.span[0] < kept_since:
            return None
        twins = tuple(sorted({rows.twins[i] for i in set(rows.twin.tolist())}))
        if len(rows) < body.count:
            return _of(body, "incomplete", index, f"{len(rows)} of {body.count} rows are in history", twins)
        what = "other rows than were bound" if len(rows) == body.count else f"{len(rows)} rows, {body.count} were bound"
        return _of(body, "differs", index, what, twins)

    return check


def against_node(rows_of: Callable[[int], dict[str, Any]]) -> CheckSegment:
    """Check what a node discloses of each segment against its root."""

    def check(index: int, body: SegmentBody) -> Difference | None:
        try:
            shown = msgspec.convert(rows_of(index), Disclosure)
            disclosed(shown, bytes.fromhex(body.root), body.twins, [])
        except (ServitwinError, msgspec.ValidationError, ValueError) as e:
            message = e.fault.message if isinstance(e, ServitwinError) else str(e)
            return _of(body, "differs", index, message)
        return None

    return check


def _check_entries(entries: list[bytes], head: SignedHead | None) -> Iterator[Difference]:
    ring, tree = KeyRing(), MemoryTree([leaf_of(raw) for raw in entries])
    read: list[tuple[int, Entry]] = []
    for index, raw in enumerate(entries):
        if is_hidden(raw):
            continue
        try:
            entry = read_entry(raw)
            if entry.statement.kind in ("key", "key-revoked"):
                ring.take(entry, index)
            else:
                read.append((index, entry))
        except InvalidInputError as e:
            yield Difference("entry", e.fault.message, index)
    for index, entry in read:
        known = ring.key(entry.key)
        if known is None or not ring.is_good(known.id, entry.statement.by, entry.statement.made_at, index):
            yield Difference("entry", f"it bears no good key of {entry.statement.by}", index)
        elif not is_signed(entry, known.public_key):
            yield Difference("entry", "its signature is wrong", index)
    if head is None:
        yield Difference("head", "the log has no head")
        return
    known = ring.key(head.key)
    if known is None or not is_signed_head(head, known.public_key):
        yield Difference("head", "no key of the log has signed it")
    elif not ring.is_good(known.id, known.party, parse_instant(head.head.made), head.head.size):
        yield Difference("head", "its key was revoked")
    if head.head.size > len(entries) or tree.root(head.head.size) != head.root_bytes:
        yield Difference("head", "the entries do not make the root that was signed")


def _compare(entries: list[bytes], witnessed: list[bytes]) -> Iterator[Difference]:
    """The first entry that is not what the witness co-signed, and how many follow."""
    if len(entries) < len(witnessed):
        yield Difference("rewritten", f"{len(entries)} entries are shown, {len(witnessed)} were co-signed")
    for index, (shown, kept) in enumerate(zip(entries, witnessed, strict=False)):
        if leaf_of(shown) == leaf_of(kept):
            continue
        entry = None if is_hidden(kept) else _glanced(kept)
        message = "the log says otherwise here than it did when it was co-signed, and in what follows"
        if entry is not None and entry.statement.kind == "segment":
            yield _of(segment_of(entry), "rewritten", index, message)
        else:
            yield Difference("rewritten", message, index)
        return


def _glanced(raw: bytes) -> Entry | None:
    try:
        return glance(raw)
    except (InvalidInputError, ValueError):
        return None


def _of(body: SegmentBody, what: What, index: int, message: str, twins: tuple[str, ...] = ()) -> Difference:
    return Difference(what, message, index, body.shard, body.first, body.last, body.from_, body.to, twins)
