"""Hears core subjects over a bare connection, and of those only what no stream has already."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from itertools import count
from typing import cast

from servitwin.engines.bus.protocol import PONG, FrameParser, connect_line

log = logging.getLogger(__name__)
# The MQTT gateway marks what it publishes with the quality of service it came with (nats-server, mqtt.go).
_FROM_MQTT, _STORED = b"Nmqtt-Pub:", (b"Nmqtt-Pub: 1", b"Nmqtt-Pub: 2", b"Nmqtt-Pub:1", b"Nmqtt-Pub:2")


class UnacknowledgedListener:
    """Calls ``heard(subject, payload)`` for messages without acknowledgement: MQTT QoS 0, and core NATS publishes.

    QoS 1 and 2 messages come by as well, because the gateway tells subscribers too; they lie in the gateway's own
    stream and are left out by their header, before anything is made of them.
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        password: str,
        subjects: Sequence[str],
        heard: Callable[[str, bytes], None],
    ) -> None:
        self._address, self._hello = (host, port), connect_line(user, password, "listener")
        self._subjects, self._heard = tuple(subjects), heard
        self._link: _Ear | None = None
        self._numbers: dict[str, int] = {}
        self._next_number = count(1)

    def listen(self, subjects: Sequence[str]) -> None:
        """Hear these from now on; those that stay miss nothing. None may overlap another, or it comes twice."""
        ended = [s for s in self._subjects if s not in subjects]
        begun = [s for s in subjects if s not in self._subjects]
        if self._link is not None:
            lines = [b"UNSUB %d\r\n" % self._numbers[s] for s in ended]
            self._link.write(b"".join([*lines, *map(self._subscription, begun)]))
        self._subjects = tuple(subjects)

    def _subscription(self, subject: str) -> bytes:
        number = self._numbers[subject] = next(self._next_number)
        return b"SUB %s %d\r\n" % (subject.encode(), number)

    async def run(self) -> None:
        """Listen until cancelled; a lost connection comes back, what was sent meanwhile is lost as QoS 0 allows."""
        while True:
            try:
                _, link = await asyncio.get_running_loop().create_connection(
                    lambda: _Ear(self._hello + b"".join(map(self._subscription, self._subjects)), self._heard),
                    *self._address,
                )
                self._link = link
                await link.closed
                self._link = None
            except OSError as e:
                log.info("not listening for unacknowledged messages: %s", e)
            await asyncio.sleep(random.uniform(0.2, 1.0))


class _Ear(asyncio.Protocol):
    def __init__(self, hello: bytes, heard: Callable[[str, bytes], None]) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hello, self._heard = hello, heard
        self._parser = FrameParser()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has transports of its own class

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def write(self, lines: bytes) -> None:
        """Send lines of the protocol; before the greeting they wait for it."""
        if self._hello:
            self._hello += lines
        elif self._transport is not None:
            self._transport.write(lines)

    def data_received(self, data: bytes) -> None:
        for subject, _, headers, payload in self._parser.feed(data):
            if headers and _FROM_MQTT in headers and any(mark in headers for mark in _STORED):
                continue
            self._heard(subject.decode("utf-8", "replace"), payload)
        for line in self._parser.controls:
            if self._transport is not None and line == b"PING":
                self._transport.write(PONG)
            elif self._transport is not None and line.startswith(b"INFO") and self._hello:
                self._transport.write(self._hello)
                self._hello = b""
        self._parser.controls.clear()
