"""What the master knows, on disk: written whole before anything is said that depends on it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from servitwin.connectors.vda5050.fleet import Kept

log = logging.getLogger(__name__)
_FILE, _TORN = "fleet.json", "fleet.unreadable.json"


class Store:
    """One file in the plugin's own folder, replaced as a whole, so that a kill leaves the old one or the new one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._written = b""

    def load(self) -> Kept | None:
        """What an earlier process wrote; None: nothing, or it cannot be read (it is put aside then)."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(content, type=Kept)
        except msgspec.DecodeError as e:
            log.error("%s cannot be read, it is put aside: %s", self._path, e)
            self._path.replace(self._path.with_name(_TORN))
            return None

    def save(self, kept: Kept) -> None:
        """Write it, if it has changed."""
        content = msgspec.json.encode(kept)
        if content == self._written:
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._written = content
