"""Payloads that are signed at the machine: one line before the payload, whatever the payload is (decision 0153).

``servitwin-signed <key id> <signature, base64>`` and a line feed, then the payload byte by byte. The signature is
Ed25519 (RFC 8032) over ``servitwin observations sha256:<hex>``, the SHA-256 of the twin's id, a line feed, and the
payload: what one machine said is worth nothing as the word of another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from servitwin.domain.agreement import signed_text
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.machine_key import PURPOSE

MARK = b"servitwin-signed "
_LONGEST_LINE = 300


class Signature(NamedTuple):
    """The line before a payload: id of the key, and the signature."""

    key: str
    signature: bytes


def sign_payload(key: Ed25519PrivateKey, twin: str, payload: bytes) -> bytes:
    """What a gateway publishes instead of the payload: the line with its signature, and the payload.

    ``twin``: id of the twin that the payload is of.
    """
    line = b"%b%b %b\n" % (MARK, key_id(public_text(key)).encode(), base64.b64encode(key.sign(_text(twin, payload))))
    return line + payload


def split_signed(message: bytes) -> tuple[Signature | None, bytes]:
    """Signature line and payload of a message; without such a line None and the message as it is."""
    if not message.startswith(MARK):
        return None, message
    end = message.find(b"\n", 0, _LONGEST_LINE)
    words = message[len(MARK) : end].split(b" ") if end >= 0 else []
    if len(words) != 2:
        return None, message
    try:
        signature = base64.b64decode(words[1], validate=True)
        return Signature(words[0].decode("ascii"), signature), message[end + 1 :]
    except (binascii.Error, ValueError):
        return None, message


def is_signed(public_key: str, twin: str, payload: bytes, signature: bytes) -> bool:
    """Whether that is the signature of that key (base64) under that payload of that twin (id)."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(signature, _text(twin, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(public_key: str) -> str:
    """The id of a public key (base64): the first 32 hex digits of its SHA-256.

    Raises:
        InvalidInputError: ``machine-key:malformed`` if it is not the base64 of 32 bytes, written the one right way.
    """
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32 or base64.b64encode(raw).decode() != public_key:
        raise InvalidInputError(
            Fault(
                "machine-key:malformed",
                f"{public_key[:60]!r} is no public key",
                "Give the 32 bytes of the Ed25519 public key in base64",
                "public_key",
            )
        )
    return hashlib.sha256(raw).hexdigest()[:32]


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key of a private one, base64."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _text(twin: str, payload: bytes) -> bytes:
    return signed_text(PURPOSE, "sha256:" + hashlib.sha256(twin.encode() + b"\n" + payload).hexdigest())
