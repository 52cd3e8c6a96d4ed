"""Statements: what a party says and stands for, as canonical JSON under its signature (docs/concepts/evidence.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from servitwin.domain.agreement import signed_text
from servitwin.domain.canonical_json import canonical, digest_of_bytes
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import NS, format_instant, parse_instant

VERSION = "servitwin-statement@1"
PURPOSE = "statement"
Kind = Literal[
    "key", "key-revoked", "segment", "verdict", "repair", "repair-verified", "exclusion", "settlement",
    "machine-key", "machine-key-revoked", "release", "release-withdrawn",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)  # the catalogue of a log knows a kind by its place here: new ones come last
LONGEST_ENTRY = 1 << 20
Signer = Callable[[str, bytes], tuple[str, str]]  # party, content -> public key, signature; both base64


class Subject(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a statement is about; empty parts are left out."""

    twin: str = ""
    contract: str = ""
    case: str = ""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``by`` says; ``made`` is RFC 3339 with nine decimals."""

    statement: str
    kind: str
    by: str
    subject: Subject
    made: str
    body: dict[str, Any]

    @property
    def made_at(self) -> int:
        """When it was made, ns UTC."""
        return parse_instant(self.made)


class Entry(msgspec.Struct, frozen=True):
    """An entry of the log, read: the statement, its digest, and the signature under it (base64)."""

    statement: Statement
    digest: str
    key: str
    signature: str


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    content: Statement
    key: str
    signature: str


_decode = msgspec.json.Decoder(_Written).decode


def exact_instant(ns: int) -> str:
    """RFC 3339 with nine decimals and Z, so that an instant has one way to be written."""
    seconds, rest = divmod(ns, NS)
    return f"{format_instant(seconds * NS)[:-1]}.{rest:09d}Z"


def statement_bytes(kind: Kind, by: str, subject: Subject, made: int, body: Mapping[str, Any]) -> bytes:
    """Canonical JSON of a statement; ``made`` in ns UTC.

    Raises:
        ValueError: the body holds what JSON does not have.
    """
    return canonical(Statement(VERSION, kind, by, subject, exact_instant(made), dict(body)))


def sign_statement(content: bytes, party: str, sign: Signer) -> bytes:
    """The entry of a statement: content, key and signature. Its parts are canonical and in order, so is the whole."""
    public, signature = sign(party, signed_text(PURPOSE, digest_of_bytes(content)))
    return _entry_bytes(content, key_id(public), signature)


def _entry_bytes(content: bytes, key: str, signature: str) -> bytes:
    return b'{"content":%b,"key":"%b","signature":"%b"}' % (content, key.encode(), signature.encode())


def read_entry(raw: bytes) -> Entry:
    """An entry as it lies in the log. Its signature is not checked here: that needs the key.

    Raises:
        InvalidInputError: ``statement:malformed``, ``statement:not-canonical``, ``statement:kind-unknown``.
    """
    if len(raw) > LONGEST_ENTRY:
        raise _wrong("malformed", f"{len(raw)} bytes are no statement")
    try:
        written = _decode(raw)
        parse_instant(written.content.made)
    except (msgspec.MsgspecError, InvalidInputError, UnicodeDecodeError) as e:
        raise _wrong("malformed", f"This is no entry of an evidence log: {e}") from None
    if written.content.statement != VERSION:
        raise _wrong("malformed", f"{written.content.statement[:40]!r} is not {VERSION}")
    if written.content.kind not in KINDS:
        raise _wrong("kind-unknown", f"{written.content.kind[:40]!r} is no kind of statement")
    try:
        content = canonical(written.content)
    except (ValueError, RecursionError) as e:
        raise _wrong("malformed", str(e)) from None
    if _entry_bytes(content, written.key, written.signature) != raw:
        raise _wrong("not-canonical", "The entry is not canonical JSON (RFC 8785)")
    return Entry(written.content, digest_of_bytes(content), written.key, written.signature)


def glance(raw: bytes) -> Entry:
    """An entry that was checked before (:func:`read_entry`) or made here, read quickly.

    Raises:
        InvalidInputError: ``statement:malformed``.
    """
    try:
        written = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise _wrong("malformed", f"This is no entry of an evidence log: {e}") from None
    content = raw[len(b'{"content":') : raw.rindex(b',"key":"')]
    return Entry(written.content, digest_of_bytes(content), written.key, written.signature)


def is_signed(entry: Entry, public_key: str) -> bool:
    """Whether the entry's statement was signed with that key (base64)."""
    return verifies(public_key, entry.key, entry.signature, PURPOSE, entry.digest)


def verifies(public_key: str, key: str, signature: str, purpose: str, digest: str) -> bool:
    """Whether the signature stands under that digest for that purpose, by the key of that id (all base64)."""
    try:
        raw = base64.b64decode(public_key, validate=True)
        signed = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signed, signed_text(purpose, digest))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    # Base64 has several ways to write the same bytes: one alone is good, so that no byte can change unseen.
    return key == _id_of(raw) and base64.b64encode(signed).decode() == signature


def key_id(public_key: str) -> str:
    """The id of a public key (base64): the first 32 hex digits of its SHA-256."""
    return _id_of(base64.b64decode(public_key))


def _id_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def _wrong(what: str, message: str) -> InvalidInputError:
    return InvalidInputError(Fault(f"statement:{what}", message, "See docs/concepts/evidence.md, Statements"))
