"""Private keys (Ed25519) of the parties that this node signs for: one file each, which only its owner can read."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class PartyKeyFolder:
    """Keys under ``folder``, made when a party first signs here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, party: str, content: bytes) -> tuple[str, str]:
        """Public key and signature, both base64, of the party's key on this node."""
        key = self._key(party)
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(public).decode(), base64.b64encode(key.sign(content)).decode()

    def _key(self, party: str) -> Ed25519PrivateKey:
        path = self._folder / f"{party}.key"
        try:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_text("ascii")))
        except FileNotFoundError:
            pass
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Ed25519PrivateKey.generate()
        raw = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(raw))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # whoever is first makes the key; the other takes that one
        except FileExistsError:
            return self._key(party)
        finally:
            fresh.unlink()
        return key
