"""Signatures under digests: Ed25519 (RFC 8032), checked with the public key that a party gave."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from servitwin.domain.agreement import Signature, signed_text


def key_id(public_key: str) -> str:
    """The id of a public key (base64): the first 32 hex digits of its SHA-256."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:32]


def is_valid(signature: Signature, public_key: str, purpose: str) -> bool:
    """Whether the signature was made with that key, under that digest, for that purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature.signature, validate=True), signed_text(purpose, signature.digest))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return signature.key == key_id(public_key)
