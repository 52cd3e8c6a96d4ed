"""History as other processes read it: tables from the disk, and what is not committed yet from its owner."""

from __future__ import annotations

import asyncio
import time

import msgspec

from servitwin.config import Settings
from servitwin.domain.error import UnavailableError
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.bus.client import BusClient
from servitwin.engines.history import DuckReader
from servitwin.usecases.registry import Registry

_TAIL_S = 5.0


def open_reader(
    settings: Settings, bus: BusClient, registry: Registry, loop: asyncio.AbstractEventLoop
) -> DuckReader:  # fmt: skip
    """A reader for calls from threads beside the event loop (a call from the loop itself would wait for itself)."""

    def tail(shard: int, after: int) -> bytes | None:
        question = bus.request(f"ask.tail.{shard}", msgspec.json.encode({"after": after}), _TAIL_S)
        try:
            return asyncio.run_coroutine_threadsafe(question, loop).result(_TAIL_S + 1)
        except (UnavailableError, TimeoutError):
            return None

    def define(uid: str, name: str) -> SignalDefinition | None:
        return registry.signals(uid, time.time_ns()).get(name)

    return DuckReader(settings.history, tail, define=define)
