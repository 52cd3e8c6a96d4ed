"""DID documents of parties (W3C DID 1.0, method did:web): Ed25519 keys as Multikey (W3C Controlled Identifiers)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from servitwin.domain.agreement import PartyKey
from servitwin.domain.instant import format_instant
from servitwin.domain.machine_key import MachineKey

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"  # multicodec ed25519-pub


def did_of(host: str, party: str) -> str:
    """``did:web`` of a party on the node at ``host`` (with its port): resolved at ``/parties/{party}/did.json``."""
    return f"did:web:{quote(host, safe='')}:parties:{quote(party, safe='')}"


def did_document(
    host: str, party: str, keys: Sequence[PartyKey], machines: Sequence[MachineKey] = ()
) -> dict[str, Any]:  # fmt: skip
    """The document; a revoked key is listed with the instant, and asserts nothing any more.

    ``machines``: keys of machines that the party owns. They sign observations alone: they are listed as methods, and
    assert nothing in the party's name.
    """
    did = did_of(host, party)
    own = [_method(f"{did}#{k.id}", did, k) for k in keys]
    good = [m["id"] for m, k in zip(own, keys, strict=True) if k.revoked is None]
    methods = own + [_method(f"{did}#machine-{m.id}", did, m) for m in machines]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": good,
        "authentication": good,
    }


def multibase(public_key: str) -> str:
    """Multikey of an Ed25519 public key (base64): ``z`` and base58btc of the multicodec and the 32 bytes."""
    raw = _ED25519 + base64.b64decode(public_key)
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _ALPHABET[rest] + text
    return "z" + text


def _method(id: str, did: str, key: PartyKey | MachineKey) -> dict[str, Any]:
    method = {"id": id, "type": "Multikey", "controller": did, "publicKeyMultibase": multibase(key.public_key)}
    if key.revoked is not None:
        method["revoked"] = format_instant(key.revoked)
    return method
