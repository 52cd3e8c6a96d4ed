"""Live state of all twins in memory, fed by ``live.*``: what the pages show and commands are checked against."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from servitwin.domain.condition import Condition, apply_condition, parse_condition
from servitwin.domain.error import UnavailableError

log = logging.getLogger("servitwin.live")

# A condition signal's live value is all its active entries, one a line.
ENTRY_SEPARATOR = "\n"
Value = float | str | bool | None
# time (ns UTC), value (None: UNAVAILABLE), quality, received (ns UTC)
LiveValue = tuple[int, Value, int, int]


class LiveMessage(msgspec.Struct, omit_defaults=True):
    """What changed of one twin, as it travels on ``live.<twin>``; ``ask.live`` answers with a list of these, whole."""

    twin: str
    uid: str
    values: dict[str, LiveValue]
    cut: dict[int, int] = {}


_decode = msgspec.json.Decoder(LiveMessage).decode
_decode_all = msgspec.json.Decoder(list[LiveMessage]).decode


def apply_entries(active: dict[str, Condition], text: str) -> dict[str, Condition]:
    """The active set after each entry of a condition's text, one a line; a line that is no condition changes nothing.

    A live value is whole: its active set is that of its text applied to an empty one.
    """
    for line in text.split(ENTRY_SEPARATOR):
        new = parse_condition(line)
        active = active if new is None else apply_condition(active, new)
    return active


class LiveBus(Protocol):
    """The part of the bus that a mirror needs."""

    async def subscribe(
        self, subject: str, callback: Callable[[str, bytes], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """Call back for each message."""
        ...

    async def request(self, subject: str, payload: bytes, timeout_s: float) -> bytes:
        """One answer."""
        ...


class LiveMirror:
    """Latest value of each signal of each twin. ``listener(message, payload)`` hears each change as it comes."""

    def __init__(self, listener: Callable[[LiveMessage, bytes], None] | None = None) -> None:
        self._twins: dict[str, dict[str, LiveValue]] = {}
        self._listener = listener
        self.cut: dict[int, int] = {}

    async def follow(self, bus: LiveBus) -> None:
        """Subscribe first, then take the whole: nothing falls between the two."""
        await bus.subscribe("live.>", self._on_message)
        await self.resync(bus)

    async def resync(self, bus: LiveBus) -> None:
        """Take the whole state again, after the bus or ingest was away; older values never replace newer ones."""
        try:
            answer = await bus.request("ask.live", b"{}", 5.0)
        except UnavailableError as e:
            log.info("live state cannot be had yet: %s", e)
            return
        for message in _decode_all(answer):
            self.apply(message)

    async def _on_message(self, _: str, payload: bytes) -> None:
        try:
            message = _decode(payload)
        except msgspec.DecodeError as e:
            log.warning("a live message cannot be read: %s", e)
            return
        self.apply(message)
        if self._listener is not None:
            self._listener(message, payload)

    def apply(self, message: LiveMessage) -> None:
        """Take over what is not older than what is known."""
        known = self._twins.setdefault(message.uid, {})
        for signal, value in message.values.items():
            before = known.get(signal)
            if before is None or before[0] <= value[0]:
                known[signal] = value
        for shard, seq in message.cut.items():
            self.cut[shard] = max(seq, self.cut.get(shard, -1))

    def values(self, uid: str) -> Mapping[str, LiveValue]:
        """Latest values of a twin by signal; empty if it has never been heard."""
        return self._twins.get(uid, {})

    def uids(self) -> Iterable[str]:
        """Twins that have been heard."""
        return self._twins.keys()
