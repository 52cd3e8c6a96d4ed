"""Which key speaks for which party, at which place of the log: key statements and revocations, read in order."""

from __future__ import annotations

import base64
import binascii

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.statement import Entry, is_signed, key_id


class KnownKey(msgspec.Struct):
    """A key of a party. ``stated``: index of its statement; ``revoked``: from when on (ns) and where that was said."""

    id: str
    party: str
    public_key: str
    stated: int
    revoked_from: int | None = None
    revoked_at: int | None = None


class _KeyBody(msgspec.Struct, frozen=True):
    key: str
    public_key: str
    party: str
    since: str


class _RevokedBody(msgspec.Struct, frozen=True):
    key: str
    party: str
    from_: str = msgspec.field(name="from")
    reason: str = ""


class KeyRing:
    """Take entries in order with :meth:`take`: each is checked against the keys before it.

    The first key of a party signs its own statement; each later one is signed by a good key of that party. A revoked
    key is worth nothing for statements made from ``from`` on, nor for anything that comes after the revocation in the
    log, whatever date it gives itself: a thief can write any date, but cannot write before what is there.
    """

    def __init__(self) -> None:
        self._keys: dict[str, KnownKey] = {}

    def key(self, id: str) -> KnownKey | None:
        """The key of that id, or None."""
        return self._keys.get(id)

    def of(self, party: str) -> list[KnownKey]:
        """Keys of a party in the order in which they were stated."""
        return [k for k in self._keys.values() if k.party == party]

    def is_good(self, id: str, party: str, at: int, index: int) -> bool:
        """Whether that key speaks for the party at an instant (ns) and a place of the log."""
        known = self._keys.get(id)
        if known is None or known.party != party or known.stated > index:
            return False
        if known.revoked_at is not None and known.revoked_at < index:
            return False
        return known.revoked_from is None or at < known.revoked_from

    def take(self, entry: Entry, index: int) -> None:
        """Check one entry and learn from it.

        Raises:
            InvalidInputError: ``statement:key-unknown``, ``statement:key-revoked``, ``statement:signature-wrong``,
                ``statement:key-malformed``, ``statement:key-of-other``.
        """
        statement = entry.statement
        fresh = _fresh_key(entry, index) if statement.kind == "key" else None
        if fresh is not None and fresh.id in self._keys:
            raise _wrong("key-malformed", f"Key {fresh.id} is stated twice", index)
        first = fresh is not None and not self.of(fresh.party)
        known = fresh if first else self._keys.get(entry.key)
        if known is None or known.id != entry.key:
            raise _wrong("key-unknown", f"Nobody has stated the key {entry.key[:40]!r}", index)
        if known.party != statement.by:
            raise _wrong("key-of-other", f"{entry.key} is a key of {known.party}, not of {statement.by[:80]!r}", index)
        if not first and not self.is_good(known.id, known.party, statement.made_at, index):
            raise _wrong("key-revoked", f"The key {entry.key} of {known.party} is revoked", index)
        if not is_signed(entry, known.public_key):
            raise _wrong("signature-wrong", "The signature does not fit the statement", index)
        if fresh is not None:
            if fresh.party != statement.by:
                raise _wrong("key-of-other", f"{statement.by} cannot state a key of {fresh.party}", index)
            self._keys[fresh.id] = fresh
        elif statement.kind == "key-revoked":
            self._revoke(entry, index)

    def _revoke(self, entry: Entry, index: int) -> None:
        try:
            body = msgspec.convert(entry.statement.body, _RevokedBody)
            since = parse_instant(body.from_)
        except (msgspec.ValidationError, InvalidInputError) as e:
            raise _wrong("key-malformed", str(e), index) from None
        known = self._keys.get(body.key)
        if known is None or known.party != body.party or known.party != entry.statement.by:
            raise _wrong("key-of-other", f"{entry.statement.by} has no key {body.key[:40]!r} to revoke", index)
        if known.revoked_at is None or known.revoked_from is None or since < known.revoked_from:
            known.revoked_from, known.revoked_at = since, index


def _fresh_key(entry: Entry, index: int) -> KnownKey:
    try:
        body = msgspec.convert(entry.statement.body, _KeyBody)
        parse_instant(body.since)
        raw = base64.b64decode(body.public_key, validate=True)
    except (msgspec.ValidationError, InvalidInputError, ValueError, binascii.Error) as e:
        raise _wrong("key-malformed", f"This is no statement of a key: {e}", index) from None
    if len(raw) != 32 or base64.b64encode(raw).decode() != body.public_key or body.key != key_id(body.public_key):
        raise _wrong("key-malformed", "The id of the key is not that of its bytes", index)
    return KnownKey(body.key, body.party, body.public_key, index)


def _wrong(what: str, message: str, index: int) -> InvalidInputError:
    return InvalidInputError(
        Fault(f"statement:{what}", message, "Entries of a log rest on the keys stated before them", f"entries[{index}]")
    )
