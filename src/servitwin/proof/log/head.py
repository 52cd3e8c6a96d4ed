"""Tree heads and co-signatures: what the log's owner says that the log is, and who has seen it so."""

from __future__ import annotations

import binascii
from typing import Any

import msgspec

from servitwin.domain.agreement import signed_text
from servitwin.domain.canonical_json import digest
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.proof.log.merkle import HASH_BYTES, is_consistent
from servitwin.proof.log.statement import Signer, exact_instant, key_id, verifies

HEAD_PURPOSE, COSIGN_PURPOSE = "tree-head", "cosign"


class TreeHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The log ``log`` (id of its first key) has ``size`` entries and this root (hex)."""

    log: str
    size: int
    root: str
    made: str


class SignedHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A head under the signature of the log's owner."""

    head: TreeHead
    key: str
    signature: str

    @property
    def root_bytes(self) -> bytes:
        """The root.

        Raises:
            InvalidInputError: ``head:malformed``.
        """
        return hash_of(self.head.root)


class Cosignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another party has checked a head against what it knew of the log; ``seen`` is RFC 3339."""

    party: str
    key: str
    signature: str
    seen: str


class Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two signed heads of one log that cannot both be true, and when that was noticed."""

    first: SignedHead
    second: SignedHead
    noticed: str
    why: str = ""


def hash_of(text: str) -> bytes:
    """32 bytes written as lower-case hex.

    Raises:
        InvalidInputError: ``head:malformed``.
    """
    try:
        raw = binascii.unhexlify(text)
    except ValueError:
        raw = b""
    if len(raw) != HASH_BYTES or raw.hex() != text:
        raise InvalidInputError(
            Fault("head:malformed", f"{text[:80]!r} is no SHA-256 hash", "Write 64 lower-case hex digits")
        )
    return raw


def sign_head(log: str, size: int, root: bytes, made: int, party: str, sign: Signer) -> SignedHead:
    """A head signed by the log's owner; ``made`` in ns UTC."""
    head = TreeHead(log, size, root.hex(), exact_instant(made))
    public, signature = sign(party, signed_text(HEAD_PURPOSE, digest(head)))
    return SignedHead(head, key_id(public), signature)


def cosign(signed: SignedHead, party: str, seen: int, sign: Signer) -> tuple[Cosignature, str]:
    """A co-signature, and the public key (base64) that made it; whoever signs has checked the head before."""
    public, signature = sign(party, signed_text(COSIGN_PURPOSE, digest(signed.head)))
    return Cosignature(party, key_id(public), signature, exact_instant(seen)), public


def is_signed_head(signed: SignedHead, public_key: str) -> bool:
    """Whether the head was signed with that key (base64)."""
    return verifies(public_key, signed.key, signed.signature, HEAD_PURPOSE, digest(signed.head))


def is_cosigned(signed: SignedHead, cosignature: Cosignature, public_key: str) -> bool:
    """Whether the co-signature is of that head and made with that key (base64)."""
    return verifies(public_key, cosignature.key, cosignature.signature, COSIGN_PURPOSE, digest(signed.head))


def read_head(content: Any) -> SignedHead:
    """A signed head of plain data or JSON bytes.

    Raises:
        InvalidInputError: ``head:malformed``.
    """
    try:
        if isinstance(content, bytes | str):
            found = msgspec.json.decode(content, type=SignedHead)
        else:
            found = msgspec.convert(content, SignedHead)
        parse_instant(found.head.made)
    except (msgspec.MsgspecError, InvalidInputError, UnicodeDecodeError) as e:
        raise InvalidInputError(Fault("head:malformed", f"This is no tree head: {e}", "See GET /api/v1/log")) from None
    if found.head.size < 0:
        raise InvalidInputError(Fault("head:malformed", "A log has no negative size", "See GET /api/v1/log"))
    hash_of(found.head.root)
    return found


def contradiction(older: SignedHead, newer: SignedHead, path: list[bytes]) -> str:
    """Why two heads of a log cannot both be true, in words; "" where ``path`` shows that one grew out of the other."""
    if older.head.log != newer.head.log:
        return f"log {newer.head.log} is not log {older.head.log}"
    old, new = sorted((older, newer), key=lambda s: s.head.size)
    if is_consistent(old.head.size, new.head.size, old.root_bytes, new.root_bytes, path):
        return ""
    if old.head.size == new.head.size:
        return f"two roots for the same {old.head.size} entries"
    return f"the {new.head.size} entries do not begin with the {old.head.size} that were there"
