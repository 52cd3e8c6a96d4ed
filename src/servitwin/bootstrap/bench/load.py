"""Load with a bound: publishes over MQTT (QoS 1) or acknowledged NATS, never more than a window ahead of the acks.

Protocol frames are written by hand, because a client library would cost more than the node that is measured.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus.protocol import PONG, FrameParser, connect_line

_WINDOW, _AT_A_TIME = 512, 64
# Publishes of a connection: the number of a message to twin and payload.
Message = tuple[str, bytes]


class Wire(Protocol):
    """One protocol: how to greet, how a message looks, what an answer means."""

    greeting: bytes

    def frame(self, twin: str, payload: bytes) -> bytes:
        """A publish that the other side has to acknowledge."""
        ...

    def heard(self, data: bytes) -> tuple[int, int, bytes]:
        """Acknowledged and refused messages in what came in, and what has to be answered at once."""
        ...


class MqttWire:
    """MQTT 3.1.1 with QoS 1. Everything that a broker sends to a publisher is four bytes long."""

    def __init__(self, user: str, password: str, name: str) -> None:
        body = b"\x00\x04MQTT\x04\xc2\x00\x00" + b"".join(_text(t) for t in (name, user, password))
        self.greeting = b"\x10" + _length(len(body)) + body
        self._ids = itertools.cycle(range(1, 65536))
        self._rest = b""

    def frame(self, twin: str, payload: bytes) -> bytes:
        """PUBLISH with QoS 1."""
        body = b"%b%b%b" % (_text(f"servitwin/{twin}/observations"), struct.pack(">H", next(self._ids)), payload)
        return b"\x32" + _length(len(body)) + body

    def heard(self, data: bytes) -> tuple[int, int, bytes]:
        """PUBACK is an acknowledgement; CONNACK with a code is a refusal."""
        data = self._rest + data
        whole = len(data) // 4 * 4
        self._rest = data[whole:]
        kinds = data[0:whole:4]
        refused = sum(1 for at in range(0, whole, 4) if data[at] == 0x20 and data[at + 3]) if 0x20 in kinds else 0
        return kinds.count(0x40), refused, b""


class NatsWire:
    """NATS: every message names an inbox where the stream says that it has it."""

    def __init__(self, user: str, password: str, name: str) -> None:
        self._inbox, self._name = f"_INBOX.{name}".encode(), name
        self.greeting = connect_line(user, password, name) + b"SUB %b 1\r\n" % self._inbox
        self._parser, self._numbers = FrameParser(), itertools.count()

    def frame(self, twin: str, payload: bytes) -> bytes:
        """HPUB with a message id, as a program does that wants to be able to send again."""
        head = b"NATS/1.0\r\nNats-Msg-Id: %b-%d\r\n\r\n" % (self._name.encode(), next(self._numbers))
        sizes = b"%d %d" % (len(head), len(head) + len(payload))
        return b"HPUB in.%b.observations %b %b\r\n%b%b\r\n" % (twin.encode(), self._inbox, sizes, head, payload)

    def heard(self, data: bytes) -> tuple[int, int, bytes]:
        """The stream's answers; an error is a refusal, and so is no stream at all (status in the headers)."""
        answers = self._parser.feed(data)
        refused = sum(1 for _, _, head, answer in answers if head or b'"error"' in answer)
        refused += sum(line.startswith(b"-ERR") for line in self._parser.controls)
        pings = self._parser.controls.count(b"PING")
        self._parser.controls.clear()
        return len(answers) - refused, refused, PONG * pings


class Publisher(asyncio.Protocol):
    """One connection that publishes, waits when it is a window ahead, and counts what was acknowledged."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self.sent = self.acknowledged = self.refused = 0
        self._moved = asyncio.Event()
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has transports of its own class
        self._transport.write(self._wire.greeting)

    def data_received(self, data: bytes) -> None:
        """Count what is acknowledged."""
        acknowledged, refused, answer = self._wire.heard(data)
        self.acknowledged += acknowledged
        self.refused += refused
        if answer and self._transport is not None:
            self._transport.write(answer)
        self._moved.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        self._lost = True
        self._moved.set()

    async def publish(self, messages: Iterator[Message], until: float) -> None:
        """Publish all, or those that there is time for, and wait until each is acknowledged.

        Args:
            messages: twin and payload of each.
            until: moment (``time.monotonic``) after which no more is sent and, ten seconds later, waited for.

        Raises:
            UnavailableError: ``bench:refused``, ``bench:connection-lost`` or ``bench:not-acknowledged``.
        """
        assert self._transport is not None
        while time.monotonic() < until:
            free = min(_WINDOW - self.sent + self.acknowledged, _AT_A_TIME)
            if free <= 0:
                await self._wait(until)
                continue
            frames = [self._wire.frame(*message) for message in itertools.islice(messages, free)]
            if not frames:
                break
            self._transport.write(b"".join(frames))
            self.sent += len(frames)
            await asyncio.sleep(0)
        await self.settled(until + 10)

    async def send(self, message: Message) -> None:
        """Publish one now."""
        assert self._transport is not None
        self._transport.write(self._wire.frame(*message))
        self.sent += 1

    async def settled(self, until: float) -> None:
        """Until everything sent is acknowledged; raises as :meth:`publish`."""
        while self.acknowledged < self.sent:
            await self._wait(until)

    async def _wait(self, until: float) -> None:
        if self.refused:
            raise UnavailableError(
                Fault("bench:refused", f"The bus refused {self.refused} messages", "Is its disk full?")
            )
        if self._lost:
            raise UnavailableError(Fault("bench:connection-lost", "The bus closed the connection"))
        self._moved.clear()
        try:
            await asyncio.wait_for(self._moved.wait(), max(until - time.monotonic(), 0.0))
        except TimeoutError as e:
            missing = self.sent - self.acknowledged
            fault = Fault("bench:not-acknowledged", f"{missing} messages were not acknowledged in time")
            raise UnavailableError(fault) from e

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


async def connect(host: str, port: int, wire: Callable[[str], Wire], count: int) -> list[Publisher]:
    """``count`` connections; ``wire`` makes the protocol of a name."""
    loop = asyncio.get_running_loop()
    made = []
    for n in range(count):
        name = f"bench{n}"
        _, publisher = await loop.create_connection(lambda name=name: Publisher(wire(name)), host, port)  # type: ignore[misc]
        made.append(publisher)
    return made


def _text(text: str) -> bytes:
    """A text of MQTT: length in two bytes, then UTF-8."""
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _length(size: int) -> bytes:
    """Remaining length of MQTT: seven bits a byte, lowest first (section 2.2.3)."""
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)
