"""The text protocol of NATS (client protocol, INFO to HMSG) as a parser of received bytes, without a socket."""

from __future__ import annotations

import json

# One message: subject, reply (empty: none), headers (empty: none), payload.
Frame = tuple[bytes, bytes, bytes, bytes]

PING = b"PING\r\n"
PONG = b"PONG\r\n"


class FrameParser:
    """Splits a byte stream into messages; whatever is no message is handed out as a control line."""

    __slots__ = ("_rest", "controls")

    def __init__(self) -> None:
        self._rest = b""
        self.controls: list[bytes] = []  # INFO, PING, PONG, +OK and -ERR lines in order; the reader empties it

    def feed(self, data: bytes) -> list[Frame]:
        """Messages that are complete with ``data``; an incomplete one waits for more."""
        buffer = self._rest + data if self._rest else data
        at, end = 0, len(buffer)
        frames: list[Frame] = []
        append, find = frames.append, buffer.find
        while at < end:
            line_end = find(b"\r\n", at)
            if line_end < 0:
                break
            kind = buffer[at]
            if kind == 77:  # MSG subject sid [reply] size
                parts = buffer[at:line_end].split(b" ")
                start = line_end + 2
                stop = start + int(parts[-1])
                if stop + 2 > end:
                    break
                append((parts[1], parts[3] if len(parts) == 5 else b"", b"", buffer[start:stop]))
                at = stop + 2
            elif kind == 72:  # HMSG subject sid [reply] header-size size
                parts = buffer[at:line_end].split(b" ")
                start = line_end + 2
                stop = start + int(parts[-1])
                if stop + 2 > end:
                    break
                body = start + int(parts[-2])
                append((parts[1], parts[3] if len(parts) == 6 else b"", buffer[start:body], buffer[body:stop]))
                at = stop + 2
            else:
                self.controls.append(buffer[at:line_end])
                at = line_end + 2
        self._rest = buffer[at:] if at < end else b""
        return frames


def connect_line(user: str, password: str, name: str) -> bytes:
    """CONNECT with headers on, followed by PING so that PONG tells that the server accepted it."""
    options = {
        "verbose": False,
        "pedantic": False,
        "headers": True,
        "no_responders": True,
        "lang": "servitwin",
        "version": "1",
        "protocol": 1,
        "name": name,
    }
    if user:
        options |= {"user": user, "pass": password}
    return b"CONNECT " + json.dumps(options).encode() + b"\r\n" + PING


def publish_line(subject: bytes, reply: bytes, payload: bytes) -> bytes:
    """PUB frame; ``reply`` may be empty."""
    return b"PUB %s %s%s%d\r\n%s\r\n" % (subject, reply, b" " if reply else b"", len(payload), payload)


def mqtt_topic(subject: str) -> str:
    """MQTT topic of a NATS subject as the gateway maps them: ``.`` is ``/``, ``//`` is a dot inside a level."""
    return subject.replace("//", "\0").replace(".", "/").replace("\0", ".").replace("/./", "//")


def status_of(headers: bytes) -> int:
    """Status code in the first line of headers (``NATS/1.0 404 No Messages``); 0 if there is none."""
    line = headers.split(b"\r\n", 1)[0].split(b" ", 2)
    return int(line[1]) if len(line) > 1 and line[1].isdigit() else 0


def header(headers: bytes, name: bytes) -> bytes:
    """Value of a header, or empty."""
    start = headers.find(b"\r\n" + name + b": ")
    if start < 0:
        return b""
    start += len(name) + 4
    return headers[start : headers.index(b"\r\n", start)]
