"""Keep the evidence log: the one who writes it, signs its heads, states keys, and takes co-signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.agreement import PartyKey
from servitwin.domain.canonical_json import canonical
from servitwin.domain.error import ConflictError, Fault, InvalidInputError, NotFoundError, UnavailableError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.catalogue import last_segments, last_sequences, places_of_digest, places_of_kinds
from servitwin.proof.log.head import (
    Cosignature,
    Fork,
    SignedHead,
    is_cosigned,
    is_signed_head,
    read_head,
    sign_head,
)
from servitwin.proof.log.key_ring import KeyRing
from servitwin.proof.log.statement import (
    Kind,
    Subject,
    exact_instant,
    glance,
    key_id,
    read_entry,
    sign_statement,
    statement_bytes,
)
from servitwin.usecases.log_ports import HeadFiles, LogWriter, PartyKeys
from servitwin.usecases.ports import Records

FORKS = "forks"


class Cosigned(msgspec.Struct, frozen=True):
    """A head and a co-signature under it, as it is kept."""

    head: SignedHead
    cosignature: Cosignature


class KeepLog:
    """Owner of a node's log. It belongs to the party whose key is its first entry: the node's operator then."""

    def __init__(
        self,
        log: LogWriter,
        heads: HeadFiles,
        keys: PartyKeys,
        records: Records,
        operator: Callable[[], str],
        now: Callable[[], int],
    ) -> None:
        """Read what the log says of keys.

        Raises:
            UnavailableError: ``log:shorter-than-head``, ``log:not-its-head``: the log is not what was signed last.
        """
        self._log, self._heads, self._keys = log, heads, keys
        self._records, self._operator, self._now = records, operator, now
        self._ring = KeyRing()
        for index in places_of_kinds(log.catalogue(), "key", "key-revoked"):
            self._ring.take(read_entry(log.entry(index)), index)
        self._head = self._check_head()
        self.owner = glance(log.entry(0)).statement.by if len(log) else ""
        self._bound = last_sequences(log.catalogue())
        newest = [glance(log.entry(i)).statement.made_at for i in last_segments(log.catalogue())]
        self._last_bound = max(newest, default=0)

    # what is there -------------------------------------------------------------------------------------------

    @property
    def head(self) -> SignedHead | None:
        """The newest head; None while the log is empty."""
        return self._head

    def bound(self) -> dict[int, int]:
        """Shard -> last sequence that a segment binds."""
        return dict(self._bound)

    def open(self) -> bool:
        """Begin the log with its owner's key; False while nobody operates this node."""
        if not self.owner:
            owner = self._operator()
            if not owner:
                return False
            self._state_key(owner)
            self.owner = owner
        self._sign()  # also where the one before died between the entries and their head
        return True

    # what is added -------------------------------------------------------------------------------------------

    def append(self, contents: Sequence[bytes]) -> list[int]:
        """Sign statements (canonical JSON) for those who say them, add them in one batch, and sign a new head."""
        said = [msgspec.json.decode(c, type=_By) for c in contents]
        parties = [s.by for s in said]
        for party in dict.fromkeys(parties):
            # A party's first key counts from the first thing that it says, which waited for its place in the log.
            self._state_key(party, min(parse_instant(s.made) for s in said if s.by == party))
        entries = [sign_statement(c, by, self._keys.sign) for c, by in zip(contents, parties, strict=True)]
        first = self._add(entries)
        self._sign()
        return list(range(first, first + len(entries)))

    def bind(self, bodies: Sequence[tuple[int, int, dict[str, object]]]) -> None:
        """Add segments: shard, last sequence, and the body of the statement.

        None is dated before the one that it follows, also where the clock was set back: whoever reads the log relies on
        that order to see that no segment is left out.
        """
        made = self._last_bound = max(self._now(), self._last_bound)
        self.append([statement_bytes("segment", self.owner, Subject(), made, body) for _, _, body in bodies])
        self._bound |= {shard: last for shard, last, _ in bodies}

    def take_waiting(self, limit: int = 1000) -> int:
        """Add statements that wait in the records; returns how many there were.

        A statement that is in the log already, because its owner died before he noted it, is only noted.

        Raises:
            InvalidInputError: a party has no good key for what it says; all others' statements are in the log.
        """
        waiting = self._records.waiting_statements(limit)
        fresh: list[tuple[str, bytes]] = []
        for digest, content in waiting:
            place = self._find(digest)
            if place is None:
                fresh.append((digest, content))
            else:
                self._records.place_statement(digest, place)
        faults: list[Fault] = []
        by_party: dict[str, list[tuple[str, bytes]]] = {}
        for one in fresh:
            by_party.setdefault(msgspec.json.decode(one[1], type=_By).by, []).append(one)
        for said in by_party.values():
            try:
                places = self.append([content for _, content in said])
            except (InvalidInputError, ConflictError) as e:
                faults += e.faults  # a party without a good key must not keep the others waiting
                continue
            for (digest, _), place in zip(said, places, strict=True):
                self._records.place_statement(digest, place)
        if faults:
            raise InvalidInputError(faults)
        return len(waiting)

    def state_keys(self) -> int:
        """State keys of parties that sign on this node and whose present key is not in the log yet; how many.

        Raises:
            InvalidInputError: a key does not follow from the one that the log knows of that party.
        """
        stated = 0
        faults: list[Fault] = []
        for party in sorted({k.party for k in self._records.party_keys()}):
            if not self._keys.has(party):
                continue
            waiting = self._keys.next_key(party, make=False)
            if waiting is not None and self._ring.key(key_id(waiting)) is not None:
                self._keys.take_next(party)  # a rotation was broken off after the new key was stated
            try:
                stated += self._state_key(party)
            except InvalidInputError as e:
                faults += e.faults
        if stated:
            self._sign()
        if faults:
            raise InvalidInputError(faults)
        return stated

    # keys ----------------------------------------------------------------------------------------------------

    def rotate(self, party: str) -> PartyKey:
        """Give a party a new key: the old one signs the statement of the new one and is gone then.

        Old signatures stay good. A rotation that was broken off is finished.

        Raises:
            NotFoundError: ``key:none-here`` if this node does not sign for that party.
        """
        self._require_here(party)
        self._state_key(party)
        public = self._keys.next_key(party, make=True)
        assert public is not None
        if self._ring.key(key_id(public)) is None:
            self._add([sign_statement(self._key_content(party, public), party, self._keys.sign)])
        fresh = PartyKey(key_id(public), party, public, self._now())
        self._records.save_party_key(fresh)
        self._keys.take_next(party)
        self._sign()
        return fresh

    def revoke(self, party: str, key: str, since: int, reason: str) -> PartyKey:
        """Say that a key is worth nothing for what is said from ``since`` (ns UTC) on; the present key is replaced.

        Returns the key that the party signs with now.

        Raises:
            NotFoundError: ``key:unknown``, ``key:none-here``.
            ConflictError: ``key:revoked``.
        """
        self._require_here(party)
        self._state_key(party)
        known = self._ring.key(key)
        if known is None or known.party != party:
            raise NotFoundError(Fault("key:unknown", f"{party} has no key {key[:40]!r} in the log", where="key"))
        if known.revoked_at is not None:
            raise ConflictError(Fault("key:revoked", f"The key {key} is revoked already", where="key"))
        if key_id(self._keys.public_key(party)) == key:
            self.rotate(party)
        body = {"key": key, "party": party, "from": exact_instant(since), "reason": reason}
        self.append([statement_bytes("key-revoked", party, Subject(), self._now(), body)])
        self._records.save_party_key(PartyKey(key, party, known.public_key, since, since))
        public = self._keys.public_key(party)
        return PartyKey(key_id(public), party, public, self._now())

    # co-signatures -------------------------------------------------------------------------------------------

    def cosigned(self, head: SignedHead, cosignature: Cosignature, key_entries: Sequence[str] = ()) -> None:
        """Keep a co-signature; the co-signer's keys are stated first by its own entries of kind ``key``.

        Raises:
            ConflictError: ``log:forked`` if somebody has signed another log with this log's key; it is kept and shown.
            InvalidInputError: ``head:not-of-this-log``, ``cosignature:key-unknown``, ``cosignature:wrong``.
        """
        own = self._head
        owner = self._ring.key(head.key)
        if own is None or head.head.log != own.head.log or owner is None or not is_signed_head(head, owner.public_key):
            raise _refused("head:not-of-this-log", "No key of this log has signed that head")
        size = head.head.size
        if not self._ring.is_good(owner.id, self.owner, parse_instant(head.head.made), size):
            raise _refused("head:not-of-this-log", f"{owner.id} is no good key of the log's owner for that head")
        if size > len(self._log) or self._log.root(size) != head.root_bytes:
            why = f"a head of {size} entries bears the log's signature and is not this log"
            self._keep_fork(Fork(own, head, exact_instant(self._now()), why))
            raise ConflictError(Fault("log:forked", why, "Both heads are kept and shown; ask who else has the key"))
        for key_entry in key_entries:
            self._take_key(key_entry, cosignature)
        known = self._ring.key(cosignature.key)
        index, now = len(self._log), self._now()
        if known is None or not self._ring.is_good(known.id, cosignature.party, now, index):
            raise _refused("cosignature:key-unknown", f"The log knows no such key of {cosignature.party[:80]!r}")
        if not is_cosigned(head, cosignature, known.public_key):
            raise _refused("cosignature:wrong", "The co-signature does not fit the head and the key")
        newest = {c.cosignature.party: c.head.head.size for c in read_cosigned(self._heads.cosigned())}
        if newest.get(cosignature.party, -1) < size:
            self._heads.save_cosigned(cosignature.party, canonical(Cosigned(head, cosignature)))

    def _take_key(self, key_entry: str, cosignature: Cosignature) -> None:
        raw = key_entry.encode()
        entry = read_entry(raw)
        body = entry.statement.body
        if entry.statement.kind != "key" or body.get("party") != cosignature.party or cosignature.party == self.owner:
            raise _refused("cosignature:key-unknown", "That is no statement of the co-signer's key")
        if self._ring.key(str(body.get("key"))) is not None:
            return
        self._add([raw])
        self._sign()
        public = str(body["public_key"])
        self._records.save_party_key(PartyKey(str(body["key"]), cosignature.party, public, entry.statement.made_at))

    # -----------------------------------------------------------------------------------------------------------

    def _add(self, entries: Sequence[bytes]) -> int:
        """Append what has been signed; keys are checked before, so that the log never holds a faulty entry."""
        index = len(self._log)
        for n, raw in enumerate(entries):
            entry = glance(raw)
            if entry.statement.kind in ("key", "key-revoked"):
                self._ring.take(read_entry(raw), index + n)
            elif not self._ring.is_good(entry.key, entry.statement.by, entry.statement.made_at, index + n):
                raise ConflictError(
                    Fault("signature:key-revoked", f"The key of {entry.statement.by} is not good for what it says")
                )
        return self._log.append(entries)

    def _sign(self) -> None:
        if self._head is not None and self._head.head.size == len(self._log):
            return
        owner = self.owner or self._operator()
        log = glance(self._log.entry(0)).key
        head = sign_head(log, len(self._log), self._log.root(), self._now(), owner, self._keys.sign)
        self._heads.save_head(canonical(head))
        self._head = head

    def _state_key(self, party: str, since: int | None = None) -> bool:
        """State the present key of a party if it is not in the log; whether it was not.

        ``since``: where it is the party's first key, it counts from then on (ns UTC); None: from now on.
        """
        public = self._keys.public_key(party)
        if self._ring.key(key_id(public)) is not None:
            return False
        self._records.save_party_key(PartyKey(key_id(public), party, public, self._now()))
        begins = None if self._ring.of(party) else since
        self._add([sign_statement(self._key_content(party, public, begins), party, self._keys.sign)])
        return True

    def _key_content(self, party: str, public: str, since: int | None = None) -> bytes:
        now = self._now()
        begins = now if since is None else min(since, now)
        body = {"key": key_id(public), "public_key": public, "party": party, "since": exact_instant(begins)}
        kind: Kind = "key"
        return statement_bytes(kind, party, Subject(), now, body)

    def _find(self, digest: str) -> int | None:
        for place in places_of_digest(self._log.catalogue(), digest):
            if glance(self._log.entry(place)).digest == digest:
                return place
        return None

    def _require_here(self, party: str) -> None:
        if not self._keys.has(party):
            raise NotFoundError(
                Fault("key:none-here", f"This node holds no key of {party[:80]!r}", "It is made when the party signs")
            )

    def _check_head(self) -> SignedHead | None:
        raw = self._heads.head()
        if raw is None:
            return None
        head = read_head(raw)
        size = head.head.size
        if size > len(self._log):
            raise UnavailableError(
                Fault("log:shorter-than-head", f"{len(self._log)} entries are left of {size} that were signed",
                      "Restore the log from a witness's copy: what others have co-signed must not be taken back")
            )  # fmt: skip
        if self._log.root(size) != head.root_bytes:
            raise UnavailableError(
                Fault("log:not-its-head", f"The first {size} entries are not those that were signed",
                      "Restore the log from a backup or from a witness's copy")
            )  # fmt: skip
        return head

    def _keep_fork(self, fork: Fork) -> None:
        known = (msgspec.json.decode(line, type=Fork) for line in self._heads.lines(FORKS))
        if all(f.second.head != fork.second.head for f in known):
            self._heads.add(FORKS, canonical(fork))


class _By(msgspec.Struct):
    by: str
    made: str


def _refused(code: str, message: str) -> InvalidInputError:
    return InvalidInputError(Fault(code, message, "See docs/concepts/evidence.md, The log"))


def read_cosigned(lines: Sequence[bytes]) -> list[Cosigned]:
    """Co-signatures as they are kept."""
    return [msgspec.json.decode(line, type=Cosigned) for line in lines]


def read_forks(lines: Sequence[bytes]) -> list[Fork]:
    """Forks as they are kept."""
    return [msgspec.json.decode(line, type=Fork) for line in lines]
