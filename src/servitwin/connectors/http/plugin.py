"""Connector http: decodes what was posted to the API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from servitwin.domain.command import Command
from servitwin.domain.error import Fault
from servitwin.sdk.connector import Batch, BrokenError, Config, DecodeFault, Discovered
from servitwin.sdk.payload import decode_payload

_TOPIC = re.compile(r"in/([^/]+)/observations\Z")


def check(config: Config) -> Sequence[Fault]:
    """Nothing can be configured."""
    return [Fault("http:option-unknown", f"{key!r} is no option", "Leave it out", key) for key in config]


def connect(config: Config) -> Connector:
    """The connector."""
    return Connector()


class Connector:
    """Decodes what the web process published; it polls nothing by itself."""

    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """Batches and faults of one posted payload."""
        matched = _TOPIC.match(topic)
        if matched is None:
            fault = Fault("topic:unknown", f"{topic[:200]!r} is no subject of the API", "Use in/{twin}/observations")
            return [], [DecodeFault(fault)]
        return decode_payload(matched[1], payload, received)

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """Nothing: the API hands payloads over."""
        return
        yield  # what makes this an iterator

    async def send(self, command: Command) -> None:
        """Nobody listens behind a request that is over."""
        raise BrokenError(f"command {command.name!r} cannot be sent: HTTP clients are not listening")

    async def discover(self) -> Sequence[Discovered]:
        """HTTP clients come by themselves."""
        return []

    async def close(self) -> None:
        """Nothing is held."""
