"""The machine's side of the update gate: is that the maker's signed statement that this package passed?

A machine, or the gateway that stands before it, knows the public keys of those whose releases it takes. It trusts
neither the platform nor the way on which the command came.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from servitwin.domain.agreement import signed_text
from servitwin.domain.canonical_json import digest
from servitwin.sdk.signed_payload import key_id

_VERSION = "servitwin-statement@1"


def refusal_of_update(
    statement: str, machine_type: str, package: str, version: str, trusted: Iterable[str]
) -> tuple[str, Mapping[str, Any]]:
    """Why an update must not be installed (empty: it may be), and the body of its statement.

    Args:
        statement: the log's entry as JSON: content, key id and signature; empty where the command brought none.
        machine_type: name of the machine's own type.
        package: ``sha256:...`` of the package that is to be installed.
        version: version that the command names.
        trusted: public keys (base64) of those whose releases the machine takes.
    """
    if not statement:
        return "the update has no release statement", {}
    try:
        entry = msgspec.json.decode(statement, type=dict[str, Any])
        content, key, signature = entry["content"], str(entry["key"]), base64.b64decode(entry["signature"])
        kind, form, body = content["kind"], content["statement"], dict(content["body"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return "the release statement cannot be read", {}
    public = next((k for k in trusted if key_id(k) == key), None)
    if public is None:
        return "the release statement is signed by nobody whose releases this machine takes", {}
    try:
        raw = base64.b64decode(public)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, signed_text("statement", digest(content)))
    except (InvalidSignature, ValueError):
        return "the signature does not stand under the release statement", {}
    if form != _VERSION or kind != "release":
        return "the statement is not that of a passed gate", {}
    if body.get("machine_type") != machine_type:
        return f"the release is for {str(body.get('machine_type'))[:80]}, this is a {machine_type}", {}
    if body.get("artefact") != package:
        return "the release statement is about another package", {}
    if body.get("version") != version:
        return "the release statement is about another version", {}
    return "", body


def package_digest(content: bytes) -> str:
    """The digest of an update package as releases name it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
