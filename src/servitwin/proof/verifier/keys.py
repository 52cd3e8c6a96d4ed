"""Who signed: Ed25519 signatures (RFC 8032) under digests, keys that follow each other, and keys that were revoked.

A key that only the file itself names shows that the file fits together. *Who* it belongs to is known where the reader
brought the key from outside, or a key that he brought signed for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import shape
from .refusal import RefusedError


@dataclass
class Key:
    """A public key: whose, since when (ns), whether the reader knows it, and from when on it counts for nothing."""

    id: str
    party: str
    public: Ed25519PublicKey
    since: int
    known: bool
    revoked: int | None = None
    revoked_at_entry: int | None = None


@dataclass
class KeyRing:
    """All keys that the file states, judged by those that the reader brought (``outside``, by id)."""

    outside: dict[str, Key] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)

    def add(self, body: Any, signer: str, where: str) -> None:
        """Take in the body of a ``key`` statement that the key ``signer`` signed (its signature is checked later).

        Raises:
            RefusedError: ``proof:key-wrong`` if the id is not that of the key, or the party had keys before and none
                of them signed.
        """
        shape.table(body, where, "key", "public_key", "party", "since")
        party, named = shape.text(body["party"], where), shape.text(body["key"], where)
        key = public_key(body["public_key"], named, party, shape.instant(body["since"], f"{where}.since"), where)
        before = [k for k in self.keys.values() if k.party == party]
        if named in self.keys:
            raise RefusedError("proof:key-wrong", f"key {named} is stated twice", where)
        if before and signer not in {k.id for k in before}:
            raise RefusedError("proof:key-wrong", f"no earlier key of {party} signed for its key {named}", where)
        mine = self.outside.get(named)
        if mine is not None and mine.party != party:
            raise RefusedError("proof:key-wrong", f"key {named} is that of {mine.party}, not of {party}", where)
        key.known = mine is not None or any(k.id == signer and k.known for k in before)
        key.revoked = None if mine is None else mine.revoked
        self.keys[named] = key

    def find(self, named: str, where: str) -> Key:
        """A key by its id.

        Raises:
            RefusedError: ``proof:key-unknown`` if nobody stated it, or the reader brought keys and none leads to it.
        """
        key = self.keys.get(named) or self.outside.get(named)
        if key is None:
            raise RefusedError("proof:key-unknown", f"key {named[:64]} is not stated in the file", where)
        if self.outside and not key.known:
            message = f"key {named} says it is {key.party}'s; none of the keys that you gave is it or signed for it"
            raise RefusedError("proof:key-unknown", message, where)
        return key

    def check(self, named: str, signature: Any, purpose: str, digest: str, made: int, where: str) -> Key:
        """The key whose signature stands under a digest, for one purpose.

        Raises:
            RefusedError: ``proof:key-unknown``, ``proof:key-revoked`` or ``proof:signature-wrong``.
        """
        key = self.find(shape.text(named, where), where)
        if made < key.since:
            raise RefusedError("proof:key-unknown", f"key {key.id} was not in use before {shape.time_text(key.since)}")
        if key.revoked is not None and made >= key.revoked:
            since = shape.time_text(key.revoked)
            raise RefusedError("proof:key-revoked", f"key {key.id} of {key.party} is revoked since {since}", where)
        try:
            key.public.verify(shape.binary(signature, where), f"servitwin {purpose} {digest}".encode())
        except InvalidSignature:
            message = f"the signature of {key.party} does not stand under this {purpose}"
            raise RefusedError("proof:signature-wrong", message, where) from None
        return key


def public_key(encoded: Any, named: str, party: str, since: int, where: str) -> Key:
    """A key from 32 bytes in base64; its id is the beginning of its SHA-256.

    Raises:
        RefusedError: ``proof:key-wrong``.
    """
    raw = shape.binary(encoded, where)
    if len(raw) != 32 or hashlib.sha256(raw).hexdigest()[:32] != named:
        raise RefusedError("proof:key-wrong", f"{named[:64]} is not the id of this key", where)
    return Key(named, party, Ed25519PublicKey.from_public_bytes(raw), since, known=False)


def outside_keys(value: Any) -> dict[str, Key]:
    """Keys that the reader brought: a list of ``{"id", "party", "public_key", "since", "revoked"?}``."""
    found = {}
    for i, given in enumerate(shape.items(value, "keys")):
        where = f"keys[{i}]"
        row = shape.table(given, where, "id", "party", "public_key", "since")
        since = shape.instant(row["since"], f"{where}.since")
        key = public_key(row["public_key"], shape.text(row["id"], where), shape.text(row["party"], where), since, where)
        revoked = row.get("revoked")
        key.revoked = None if revoked is None else shape.instant(revoked, f"{where}.revoked")
        key.known = True
        found[key.id] = key
    return found
