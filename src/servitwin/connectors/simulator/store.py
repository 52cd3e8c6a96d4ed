"""State of simulated machines on disk: written whole and renamed, so that a reader never sees half of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from servitwin.connectors.simulator.machine import MachineState
from servitwin.connectors.simulator.plant import MODELS, MachineConfig

log = logging.getLogger(__name__)


class Past(msgspec.Struct, frozen=True):
    """The stretch [start, end) of past that this connection fills in; kept so that a second try repeats it exactly."""

    start: int
    end: int
    done: bool = False


class Store:
    """Files in the plugin's own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, config: MachineConfig) -> tuple[MachineState, int] | None:
        """A machine's state and when it was saved; None if there is none. An unreadable one is put aside."""
        path = self._folder / f"{config.twin}.json"
        if not path.exists():
            return None
        try:
            raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
            if raw["model"] != config.model:
                raise msgspec.ValidationError(f"it was a {raw['model']}")
            return msgspec.convert(raw["state"], MODELS[config.model].state_type), int(raw["saved"])
        except (msgspec.DecodeError, KeyError, ValueError) as e:
            aside = path.with_suffix(".unreadable")
            path.replace(aside)
            log.warning("%s: state not readable (%s); it lies in %s, the machine starts anew", config.twin, e, aside)
            return None

    def save(self, config: MachineConfig, state: MachineState, now: int) -> None:
        """Keep a machine's state."""
        self._write(f"{config.twin}.json", {"model": config.model, "saved": now, "state": state})

    def past(self) -> Past | None:
        """What was begun or done of the past."""
        path = self._folder / "past.json"
        return msgspec.json.decode(path.read_bytes(), type=Past) if path.exists() else None

    def save_past(self, past: Past) -> None:
        """Remember it."""
        self._write("past.json", past)

    def _write(self, name: str, value: Any) -> None:
        part = self._folder / f"{name}.part"
        with part.open("wb") as f:
            f.write(msgspec.json.encode(value))
            f.flush()
            os.fsync(f.fileno())
        part.replace(self._folder / name)
