"""Watch over another node's evidence log: check that it only grows, keep a copy of it, and co-sign its heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import ConflictError, Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.catalogue import last_segments, last_sequences, places_of_kinds, segment_of
from servitwin.proof.log.head import Fork, SignedHead, contradiction, cosign, hash_of, is_signed_head, read_head
from servitwin.proof.log.key_ring import KeyRing
from servitwin.proof.log.merkle import grow, is_consistent, leaf_hash, root
from servitwin.proof.log.statement import (
    Entry,
    Subject,
    exact_instant,
    glance,
    is_signed,
    key_id,
    read_entry,
    sign_statement,
    statement_bytes,
)
from servitwin.usecases.keep_log import FORKS, Cosigned
from servitwin.usecases.log_ports import HeadFiles, LogWriter, PartyKeys, RemoteLog

_PAGE = 500
_HIDDEN = b"\xff"


def leaf_of(kept: bytes) -> bytes:
    """Leaf hash of an entry of a copy; one that the witness may not read is kept as 0xff and its hash."""
    return kept[1:] if kept[:1] == _HIDDEN else leaf_hash(kept)


def is_hidden(kept: bytes) -> bool:
    """Whether an entry of a copy is known by its hash alone."""
    return kept[:1] == _HIDDEN


class Followed(msgspec.Struct, frozen=True):
    """What a look at the other log brought: its size, entries that were new, whether its head was co-signed."""

    log: str
    size: int
    fresh: int
    cosigned: bool
    behind: int = 0  # entries that the other node does not show any more


class WitnessLog:
    """A party's watch over one log."""

    def __init__(
        self,
        copy: LogWriter,
        heads: HeadFiles,
        keys: PartyKeys,
        party: str,
        now: Callable[[], int],
        key_entries: Callable[[], Sequence[bytes]],
    ) -> None:
        """``key_entries``: entries that state the party's keys, oldest first; empty: one is made for its first key."""
        self._copy, self._heads, self._keys = copy, heads, keys
        self._party, self._now, self._key_entries = party, now, key_entries
        self._learn()

    def _learn(self) -> None:
        """Read from the copy what is known of keys and segments."""
        self._ring = KeyRing()
        for index in places_of_kinds(self._copy.catalogue(), "key", "key-revoked"):
            self._ring.take(read_entry(self._copy.entry(index)), index)
        self._bound = last_sequences(self._copy.catalogue())
        newest = [glance(self._copy.entry(i)).statement for i in last_segments(self._copy.catalogue())]
        self._dated = {int(s.body["shard"]): s.made_at for s in newest}

    def follow(self, remote: RemoteLog) -> Followed:
        """Look at the other log once.

        Raises:
            ConflictError: ``log:forked``: what it shows contradicts what was co-signed; both heads are kept.
            InvalidInputError: ``log:refused``: an entry or a signature is not good; nothing was co-signed.
        """
        head = read_head(remote.log_head()["head"])
        last = self._last()
        if last is not None:
            self._compare(last, head, remote)
            if head.head.size < last.head.size:
                behind = last.head.size - head.head.size
                return Followed(head.head.log, head.head.size, 0, cosigned=False, behind=behind)
        if self._ring.key(head.key) is not None:
            self._check_signature(head)
        before = len(self._copy)
        try:
            while len(self._copy) < head.head.size:
                self._take_page(head, remote)
        except BaseException:
            self._learn()  # nothing is known of entries that were checked and not kept: they will be looked at again
            raise
        if self._copy.root(head.head.size) != head.root_bytes:
            raise _refused("The entries do not make the root that was signed")
        self._check_signature(head)
        self._heads.save_head(canonical(head))  # before it is sent: whatever happens, it is known what was co-signed
        self._cosign(head, remote)
        return Followed(head.head.log, head.head.size, len(self._copy) - before, cosigned=True)

    def _last(self) -> SignedHead | None:
        raw = self._heads.head()
        return None if raw is None else read_head(raw)

    def _compare(self, last: SignedHead, head: SignedHead, remote: RemoteLog) -> None:
        """Refuse a head that does not go on from the last one that was co-signed."""
        why = ""
        if head.head.log != last.head.log:
            why = contradiction(last, head, [])
        elif head.head.size <= len(self._copy):
            if self._copy.root(head.head.size) != head.root_bytes:
                why = f"the {head.head.size} entries it shows are not those that were there"
        else:
            path = [hash_of(h) for h in remote.log_consistency(last.head.size, head.head.size)]
            why = contradiction(last, head, path)
        if why:
            known = [msgspec.json.decode(line, type=Fork) for line in self._heads.lines(FORKS)]
            if all(f.second.head != head.head for f in known):
                self._heads.add(FORKS, canonical(Fork(last, head, exact_instant(self._now()), why)))
            raise ConflictError(
                Fault("log:forked", f"The log of this node was rewritten: {why}",
                      "Both heads are kept; `servitwin log check --witness` names what differs", head.head.log)
            )  # fmt: skip

    def _take_page(self, head: SignedHead, remote: RemoteLog) -> None:
        """Fetch the entries that follow, show that they belong to the head, check them, and keep them."""
        first = len(self._copy)
        items = remote.log_entries(first, min(_PAGE, head.head.size - first))
        if not items or [i.get("index") for i in items] != list(range(first, first + len(items))):
            raise _refused(f"Entries from {first} on were asked for, others were given")
        kept = [_kept(i) for i in items]
        leaves = [leaf_of(k) for k in kept]
        fresh = {
            (level, (first >> level) + n): h
            for level, hashes in enumerate(grow(first, leaves, self._copy.node))
            for n, h in enumerate(hashes)
        }
        reached = first + len(kept)
        found = root(reached, lambda level, place: fresh.get((level, place)) or self._copy.node(level, place))
        path = [hash_of(h) for h in remote.log_consistency(reached, head.head.size)]
        if not is_consistent(reached, head.head.size, found, head.root_bytes, path):
            raise _refused(f"Entries {first} to {reached - 1} are not those of the head")
        for index, raw in enumerate(kept, first):
            if not is_hidden(raw):
                self._check(read_entry(raw), index)
            elif index == 0:
                raise _refused("The first entry, which names the log, is not shown")
        if first == 0 and glance(kept[0]).key != head.head.log:
            raise _refused("The log does not bear the name of its first key")
        self._copy.append(kept)

    def _check(self, entry: Entry, index: int) -> None:
        statement = entry.statement
        if statement.kind in ("key", "key-revoked"):
            self._ring.take(entry, index)
            return
        known = self._ring.key(entry.key)
        if known is None or not self._ring.is_good(known.id, statement.by, statement.made_at, index):
            raise _refused(f"Entry {index} bears no good key of {statement.by}")
        if not is_signed(entry, known.public_key):
            raise _refused(f"The signature under entry {index} is wrong")
        if statement.kind == "segment":
            body = segment_of(entry)
            if body.first != self._bound.get(body.shard, body.first - 1) + 1 or body.last < body.first:
                raise _refused(f"Entry {index}: between it and the segment before it there is a hole")
            if statement.made_at < self._dated.get(body.shard, statement.made_at):
                raise _refused(f"Entry {index}: it is dated before the segment that it follows")
            self._bound[body.shard], self._dated[body.shard] = body.last, statement.made_at

    def _check_signature(self, head: SignedHead) -> None:
        owner = glance(self._copy.entry(0)).statement.by
        known = self._ring.key(head.key)
        made = parse_instant(head.head.made)
        if known is None or not self._ring.is_good(known.id, owner, made, head.head.size):
            raise _refused(f"The head bears no good key of {owner}")
        if not is_signed_head(head, known.public_key):
            raise _refused("The signature under the head is wrong")

    def _cosign(self, head: SignedHead, remote: RemoteLog) -> None:
        cosignature, public = cosign(head, self._party, self._now(), self._keys.sign)
        body: dict[str, Any] = {
            "head": msgspec.to_builtins(head),
            "cosignature": msgspec.to_builtins(cosignature),
            "key_entries": [],
        }
        if self._ring.key(cosignature.key) is None:
            body["key_entries"] = [raw.decode() for raw in self._stated(public)]
        remote.send_cosignature(head.head.size, body)
        self._heads.save_cosigned(self._party, canonical(Cosigned(head, cosignature)))

    def _stated(self, public: str) -> list[bytes]:
        """Entries that lead to the party's present key."""
        entries = [raw for raw in self._key_entries() if glance(raw).statement.body.get("party") == self._party]
        if entries:
            return entries
        now = self._now()
        said = {"key": key_id(public), "public_key": public, "party": self._party, "since": exact_instant(now)}
        return [sign_statement(statement_bytes("key", self._party, Subject(), now, said), self._party, self._keys.sign)]


def _kept(item: dict[str, Any]) -> bytes:
    entry, leaf = item.get("entry"), item.get("leaf")
    if isinstance(entry, str) and entry:
        return entry.encode("utf-8", "surrogatepass")
    if isinstance(leaf, str):
        return _HIDDEN + hash_of(leaf)
    raise _refused("An entry has neither text nor hash")


def _refused(message: str) -> InvalidInputError:
    return InvalidInputError(Fault("log:refused", message, "Nothing was co-signed; ask the owner of the log"))
