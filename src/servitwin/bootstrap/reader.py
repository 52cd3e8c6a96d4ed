"""History as other processes read it: tables from the disk, and what is not committed yet from its owner."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar, cast

import msgspec

from servitwin.config import Settings
from servitwin.domain.error import UnavailableError
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.bus.client import BusClient
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry

_TAIL_S = 5.0
T = TypeVar("T")


class _OnDemand(Generic[T]):
    """A reader that is made at the first question: DuckDB and Arrow are 60 MB that nobody needs who asks nothing."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            with self._lock:
                self._made = self._made or self._make()
        return getattr(self._made, name)


class _Together:
    """An owner's tail for many threads: who asks while a question is under way is answered by the next one.

    No answer was asked for before whoever gets it wanted it. In a burst an answer takes its time, and a page asks for
    a dozen at once.
    """

    def __init__(self, ask: Callable[[int], bytes | None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked, self._after, self._answer = 0, -2, cast("bytes | None", None)

    def __call__(self, after: int) -> bytes | None:
        wanted = time.monotonic_ns()
        with self._lock:
            if self._asked <= wanted or self._after != after:
                asked = time.monotonic_ns()
                self._answer = self._ask(after)
                self._asked, self._after = asked, after
            return self._answer


def on_demand(make: Callable[[], T]) -> T:
    """A stand-in for what ``make`` gives, which is made at the first use of it."""
    return cast("T", _OnDemand(make))


def open_reader(
    settings: Settings, bus: BusClient, registry: Registry, loop: asyncio.AbstractEventLoop
) -> HistoryReader:
    """A reader for calls from threads beside the event loop (a call from the loop itself would wait for itself).

    Its engine is loaded at the first question (decision 0063).
    """

    def ask(shard: int, after: int) -> bytes | None:
        question = bus.request(f"ask.tail.{shard}", msgspec.json.encode({"after": after}), _TAIL_S)
        try:
            return asyncio.run_coroutine_threadsafe(question, loop).result(_TAIL_S + 1)
        except (UnavailableError, TimeoutError):
            return None

    owners: dict[int, _Together] = {}

    def tail(shard: int, after: int) -> bytes | None:
        return owners.setdefault(shard, _Together(partial(ask, shard)))(after)

    def define(uid: str, name: str) -> SignalDefinition | None:
        return registry.signals(uid, time.time_ns()).get(name)

    def make() -> HistoryReader:
        from servitwin.engines.history import DuckReader  # noqa: PLC0415 - on demand, see above

        return DuckReader(settings.history, tail, define=define)

    return on_demand(make)
