"""A content-addressed folder: what was put is found under the SHA-256 of its bytes, once, and cannot change unseen."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path

from servitwin.domain.error import Fault, UnavailableError

_ADDRESS = re.compile(r"sha256:([0-9a-f]{64})\Z", re.ASCII)


class FileFolder:
    """Files under ``folder`` (``usecases.ports.Files``); several processes may put and get at once."""

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)

    def put(self, content: bytes) -> str:
        """Keep it, durably, and return its address (``sha256:`` and 64 hexadecimal digits)."""
        digest = hashlib.sha256(content).hexdigest()
        target = self._path(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Whoever writes the same content at the same time writes the same bytes: the last rename changes nothing.
            # Threads of a process write each to their own file, else one would rename what another still writes.
            fresh = target.with_name(f"{digest}.{os.getpid()}-{threading.get_ident()}.new")
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)
        return f"sha256:{digest}"

    def get(self, address: str) -> bytes | None:
        """What was put under that address; None if nothing was or it is no address.

        Raises:
            UnavailableError: ``file:damaged`` if the bytes on the disk are no longer those that were put.
        """
        match = _ADDRESS.match(address)
        if match is None:
            return None
        try:
            content = self._path(match[1]).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(content).hexdigest() != match[1]:
            raise UnavailableError(
                Fault("file:damaged", "the bytes on the disk are not those that were put", "Restore a backup", address)
            )
        return content

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
