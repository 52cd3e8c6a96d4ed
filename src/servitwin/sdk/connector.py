"""Connectors: how machines of one protocol are heard and commanded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from servitwin.domain.command import Command
from servitwin.domain.error import Fault
from servitwin.domain.observation import Quality

Config = Mapping[str, Any]


class Absent(msgspec.Struct, frozen=True):
    """Type of :data:`ABSENT`."""


ABSENT = Absent()
Sample = float | str | bool | Absent | None


class Batch(msgspec.Struct, omit_defaults=True):
    """Samples of one twin as decoded from one payload, before its type has been asked about units and ranges.

    ``columns`` maps signal name to as many values as there are ``times``; None is UNAVAILABLE, and the
    marker :data:`ABSENT` says that the signal has no sample at that time. ``session``/``seq`` count once for good.
    """

    twin: str
    times: list[int]
    columns: dict[str, list[Sample]]
    session: str = ""
    seq: int | None = None
    replayed: bool = False
    quality: Quality = Quality.GOOD
    units: dict[str, str] = {}


class DecodeFault(msgspec.Struct, frozen=True):
    """What could not be understood in a payload: ``fault.where`` names the place in it.

    ``twin`` as far as it is known. The part that was understood is still used; the payload is kept in quarantine.
    """

    fault: Fault
    twin: str = ""


class ConnectorError(Exception):
    """Base of what a connection may report while it runs."""


class NotReadyError(ConnectorError):
    """The other side does not answer now; the connector tries again with back-off and jitter."""


class AuthFailedError(ConnectorError):
    """The other side answered and does not know us; trying again without a person is useless."""


class BrokenError(ConnectorError):
    """The other side speaks something else than this protocol; a person has to look."""


class Discovered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A machine found on the network or in a file: what a person confirms to make it a twin."""

    id: str
    title: str = ""
    serial: str = ""
    type: str = ""
    address: str = ""


class Decodes(Protocol):
    """What ingest asks about messages as they lie in the streams."""

    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """Pure: batches and faults of one payload as received. Never raises for what came in."""
        ...


@runtime_checkable
class Connector(Decodes, Protocol):
    """One configured connection to machines. Made by the plugin's ``connect(config)`` after ``check`` found nothing."""

    def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """Topic and payload as received, where this connector polls or runs; ends when there is nothing more."""
        ...

    async def send(self, command: Command) -> None:
        """Put a command on the wire; the acknowledgement comes as an event, not as a return value."""
        ...

    async def discover(self) -> Sequence[Discovered]:
        """Machines that can be seen from here; empty where the protocol cannot tell."""
        ...

    async def close(self) -> None:
        """Give everything back; may be called twice."""
        ...


@runtime_checkable
class Controlled(Protocol):
    """What a connector offers beside :class:`Connector` if people and programs may ask something of it."""

    def control(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a message of ``plugin.<connection>.control``; what is wrong comes back as ``{"faults": [...]}``."""
        ...


@runtime_checkable
class Runner(Controlled, Protocol):
    """What a connector offers beside :class:`Connector` if it speaks on its own in its worker process.

    The worker adds to the configuration: ``broker`` (``{"host", "port"}``), ``user``, ``password`` and ``folder``
    (path of the plugin's own state folder, which exists).
    """

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then save and return; raises a :class:`ConnectorError` if it cannot go on."""
        ...


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened to a twin, for people and programs; ``at``: ns UTC, ``data``: plain."""

    twin: str
    at: int
    data: dict[str, Any]


@runtime_checkable
class Tells(Protocol):
    """What a connector offers beside :class:`Connector` if things happen that are no observations.

    They become events of the node under the connector's name, for twins that the connection speaks for.
    """

    def told(self) -> Sequence[Told]:
        """What has happened since it was last asked; asked twice a second."""
        ...


class Topics(msgspec.Struct, frozen=True):
    """MQTT topic filters beside servitwin's own that a user of the broker may publish on, and may hear."""

    speaks: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()


@runtime_checkable
class OwnTopics(Protocol):
    """What a connector's module offers beside :class:`ConnectorPlugin` if its protocol has MQTT topics of its own."""

    def topics(self, config: Config) -> Topics:
        """Topics of the connection's own process, for a checked configuration."""
        ...

    def machine_topics(self, config: Config, twin: str) -> Topics:
        """Topics of a machine that has credentials of its own for that twin."""
        ...


@runtime_checkable
class ConnectorPlugin(Protocol):
    """What the entry point in group ``servitwin.connectors`` resolves to: a module with these two functions."""

    def check(self, config: Config) -> Sequence[Fault]:
        """All faults of a configuration at once, before anything starts."""
        ...

    def connect(self, config: Config) -> Connector:
        """A connector for a checked configuration; opens nothing yet."""
        ...
