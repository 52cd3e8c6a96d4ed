"""Private keys (Ed25519) of the parties that this node signs for: one file each, which only its owner can read."""

from __future__ import annotations

import base64
import os
import re
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from servitwin.domain.error import Fault, InvalidInputError

_PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z", re.ASCII)
_NEXT = ".next"


class PartyKeyFolder:
    """Keys under ``folder``, made when a party first signs here.

    A party whose key changes has a second file for a moment: the key that is next. It signs nothing until it is
    taken, which ends the one before for good.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], Ed25519PrivateKey, str]] = {}

    def sign(self, party: str, content: bytes) -> tuple[str, str]:
        """Public key and signature, both base64, of the party's key on this node."""
        key, public = self._key(self._path(party))
        return public, base64.b64encode(key.sign(content)).decode()

    def public_key(self, party: str) -> str:
        """The party's public key (base64); the pair is made if there is none yet."""
        return self._key(self._path(party))[1]

    def has(self, party: str) -> bool:
        """Whether this node holds a key of the party."""
        return self._path(party).exists()

    def next_key(self, party: str, *, make: bool) -> str | None:
        """Public key (base64) of the pair that is next; made if asked for, None if there is none."""
        path = self._path(party, _NEXT)
        return self._key(path)[1] if make or path.exists() else None

    def take_next(self, party: str) -> None:
        """From now on the party signs with the key that is next; the one before is gone."""
        self._path(party, _NEXT).replace(self._path(party))
        self._to_disk()

    def _path(self, party: str, ending: str = "") -> Path:
        if _PARTY.match(party) is None:
            raise InvalidInputError(
                Fault("party:id-malformed", f"{party[:80]!r} is no id of a party", "Use letters, digits, - and _")
            )
        return self._folder / f"{party}.key{ending}"

    def _key(self, path: Path) -> tuple[Ed25519PrivateKey, str]:
        try:
            found = path.stat()
            seen = (found.st_ino, found.st_mtime_ns)
            known = self._read.get(path)
            if known is None or known[0] != seen:
                key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_text("ascii")))
                known = self._read[path] = (seen, key, _public(key))
            return known[1], known[2]
        except FileNotFoundError:
            return self._make(path)

    def _make(self, path: Path) -> tuple[Ed25519PrivateKey, str]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Ed25519PrivateKey.generate()
        raw = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(raw))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # whoever is first makes the key; the other takes that one
            self._to_disk()
        except FileExistsError:
            return self._key(path)
        finally:
            fresh.unlink()
        return key, _public(key)

    def _to_disk(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()
