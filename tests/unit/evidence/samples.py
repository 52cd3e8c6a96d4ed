"""Parties with keys, statements and logs for tests."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.proof.log.statement import (
    Kind,
    Subject,
    exact_instant,
    key_id,
    sign_statement,
    statement_bytes,
)

T0 = 1_790_000_000_000_000_000


class Signers:
    """Keys that follow from names, so that a test is the same each time."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def private(self, name: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())

    def public(self, party: str) -> str:
        raw = self.private(self.names.get(party, party)).public_key()
        return base64.b64encode(raw.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()

    def sign(self, party: str, content: bytes) -> tuple[str, str]:
        key = self.private(self.names.get(party, party))
        return self.public(party), base64.b64encode(key.sign(content)).decode()

    def say(self, kind: Kind, by: str, body: dict[str, Any], made: int = T0, subject: Subject | None = None) -> bytes:
        return sign_statement(statement_bytes(kind, by, subject or Subject(), made, body), by, self.sign)

    def state_key(self, party: str, public: str = "", made: int = T0) -> bytes:
        public = public or self.public(party)
        body = {"key": key_id(public), "public_key": public, "party": party, "since": exact_instant(made)}
        return self.say("key", party, body, made)

    def next_key(self, party: str, name: str) -> bytes:
        """The statement of a new key, signed by the present one, which is changed then."""
        before = self.names.get(party, party)
        self.names[party] = name
        public = self.public(party)
        self.names[party] = before
        entry = self.state_key(party, public)
        self.names[party] = name
        return entry

    def revoke(self, party: str, key: str, since: int, made: int) -> bytes:
        body = {"key": key, "party": party, "from": exact_instant(since), "reason": "lost"}
        return self.say("key-revoked", party, body, made)
