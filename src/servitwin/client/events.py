"""Server-sent events (WHATWG HTML, section 9.2) read from a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from servitwin.client.answers import ServerEvent


def parse_events(pieces: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Events of a stream; comments and events without JSON data are left out."""
    rest = b""
    event, last_id = "message", ""
    data: list[str] = []
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for raw in lines:
            line = raw.rstrip(b"\r").decode("utf-8", "replace")
            if not line:
                if data:
                    yield ServerEvent(event, msgspec.json.decode("\n".join(data), type=dict), last_id)
                event, data = "message", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                event = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                last_id = value
