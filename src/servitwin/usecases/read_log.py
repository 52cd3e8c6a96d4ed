"""Read the evidence log for a caller: whoever may not read a statement sees its hash alone, and can check the tree."""

from __future__ import annotations

from typing import Any

import msgspec

from servitwin.domain.contract import Contract
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError, UnavailableError
from servitwin.domain.party import Actor
from servitwin.proof.log.catalogue import SegmentBody, places_of_segments, segment_of
from servitwin.proof.log.disclosure import Disclosure, disclose
from servitwin.proof.log.head import SignedHead, read_head
from servitwin.proof.log.merkle import leaf_hash
from servitwin.proof.log.segment import Segment
from servitwin.proof.log.statement import Entry, glance
from servitwin.proof.log.timestamp import HeadStamp
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.bind_observations import BoundRows
from servitwin.usecases.keep_log import FORKS, Cosigned, read_cosigned, read_forks
from servitwin.usecases.log_ports import HeadFiles, LogReader
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

_OPEN_KINDS = ("key", "key-revoked", "segment")


class ReadLog:
    """Head, entries, proofs and segments of this node's log."""

    def __init__(
        self,
        log: LogReader,
        heads: HeadFiles,
        rows: BoundRows,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
    ) -> None:
        self._log, self._heads, self._rows = log, heads, rows
        self._records, self._registry, self._authoriser = records, registry, authoriser

    def head(self) -> SignedHead:
        """The newest head.

        Raises:
            NotFoundError: ``log:empty``.
        """
        raw = self._heads.head()
        if raw is None:
            raise NotFoundError(
                Fault("log:empty", "This node has no evidence log yet", "Name who operates it: the setting `operator`")
            )
        return read_head(raw)

    def owner(self) -> Entry:
        """The first entry: the statement of the key that the log is named after."""
        self.head()
        return glance(self._log.entry(0))

    def cosigned(self) -> list[Cosigned]:
        """The newest co-signature of each party."""
        return sorted(read_cosigned(self._heads.cosigned()), key=lambda c: c.cosignature.party)

    def forks(self) -> list[dict[str, Any]]:
        """Heads that somebody signed with this log's key and that are not of this log."""
        return [msgspec.to_builtins(f) for f in read_forks(self._heads.lines(FORKS))]

    def stamped(self) -> list[int]:
        """Sizes of the heads that an authority has stamped, ascending."""
        return self._heads.stamped()

    def stamp(self, size: int) -> HeadStamp:
        """The time stamp of the head of that size.

        Raises:
            NotFoundError: ``timestamp:none``.
        """
        raw = self._heads.stamp(size)
        if raw is None:
            message = f"The head of {size} entries has no time stamp"
            raise NotFoundError(Fault("timestamp:none", message, "GET /api/v1/log/timestamps lists them", "size"))
        return msgspec.json.decode(raw, type=HeadStamp)

    def entries(self, actor: Actor, first: int, limit: int) -> list[dict[str, Any]]:
        """Entries from ``first`` on as text, or their leaf hashes where the actor may not read the statement."""
        contracts: dict[str, Contract] = {}
        found = []
        for n, raw in enumerate(self._log.entries(first, limit)):
            if self._may_read(actor, glance(raw), contracts):
                found.append({"index": first + n, "entry": raw.decode()})
            else:
                found.append({"index": first + n, "leaf": leaf_hash(raw).hex()})
        return found

    def proof(self, index: int, size: int | None) -> dict[str, Any]:
        """Inclusion proof of an entry in the log of ``size`` entries (default: of the newest head)."""
        of = self._size(size)
        if not 0 <= index < of:
            raise _unknown(index)
        leaf = leaf_hash(self._log.entry(index))
        path = [h.hex() for h in self._log.inclusion(index, of)]
        return {"index": index, "size": of, "leaf": leaf.hex(), "path": path, "root": self._log.root(of).hex()}

    def consistency(self, old: int, new: int | None) -> dict[str, Any]:
        """Proof that the log of ``new`` entries (default: of the newest head) begins with that of ``old``."""
        of = self._size(new)
        if not 0 <= old <= of:
            raise InvalidInputError(Fault("log:sizes", f"{old} entries cannot become {of}", "Ask from small to large"))
        return {"from": old, "to": of, "path": [h.hex() for h in self._log.consistency(old, of)]}

    def segments(
        self,
        limit: int,
        *,
        shard: int | None = None,
        first: int | None = None,
        last: int | None = None,
        start: int | None = None,
        end: int | None = None,
        after: int = -1,
    ) -> list[tuple[int, SegmentBody]]:
        """Segments by index that touch sequences [first, last] and event times [start, end), after an index."""
        rows = self._log.catalogue()
        places = [p for p in places_of_segments(rows, shard, first, last, start, end) if p > after]
        return [(p, segment_of(glance(self._log.entry(p)))) for p in places[:limit]]

    def segment(self, index: int) -> SegmentBody:
        """One segment.

        Raises:
            NotFoundError: ``log:entry-unknown``, ``log:no-segment``.
        """
        if not 0 <= index < len(self._log):
            raise _unknown(index)
        entry = glance(self._log.entry(index))
        if entry.statement.kind != "segment":
            raise NotFoundError(Fault("log:no-segment", f"Entry {index} is a {entry.statement.kind}", where="index"))
        return segment_of(entry)

    def rows(self, actor: Actor, index: int, twins: list[str]) -> Disclosure:
        """Rows of a segment: of the twins (ids) that are asked for, or of all that the actor may read in its time.

        Raises:
            UnavailableError: ``segment:rows-gone`` if none of its rows is kept any more.
        """
        body = self.segment(index)
        start, end = body.span
        rows = self._rows.rows(body.shard, body.first, body.last)
        segment = Segment(rows)
        if not len(rows):
            raise UnavailableError(Fault("segment:rows-gone", "Its rows are not kept any more", where="index"))
        wanted = []
        for twin in self._registry.twins(retired=True, simulated=True):
            if twins and twin.id not in twins:
                continue
            if self._authoriser.spans(actor, twin, "", start, end) == [(start, end)]:
                wanted.append(twin.uid)
        held = {t.uid for t in segment.twins}
        return disclose(segment, dict.fromkeys(u for u in wanted if twins or u in held))

    def _size(self, size: int | None) -> int:
        newest = self.head().head.size
        if size is None:
            return newest
        if not 0 <= size <= newest:
            raise InvalidInputError(Fault("log:sizes", f"The log has {newest} entries", "Ask for no more", "size"))
        return size

    def _may_read(self, actor: Actor, entry: Entry, contracts: dict[str, Contract]) -> bool:
        statement = entry.statement
        if statement.kind in _OPEN_KINDS:
            return True
        subject = statement.subject
        if subject.contract:
            if not contracts:
                contracts.update({a.contract.id: a.contract for a in self._records.contracts()})
            contract = contracts.get(subject.contract)
            return contract is not None and self._authoriser.may_on_contract(actor, "read_contract", contract)
        if subject.twin:
            twin = self._registry.by_uid(subject.twin)
            at = statement.made_at
            return twin is not None and self._authoriser.may(actor, "read", twin, at)
        return self._authoriser.may_administer(actor, statement.by)


def _unknown(index: int) -> NotFoundError:
    return NotFoundError(Fault("log:entry-unknown", f"The log has no entry {index}", "See `size` of its head", "index"))
