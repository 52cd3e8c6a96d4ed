"""Connector mqtt: decodes what machines published to the broker."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from servitwin.connectors.mqtt.mapping import Config, Mapping, faults_of, fill, filter_pattern, topics_of
from servitwin.domain.command import Command
from servitwin.domain.error import Fault
from servitwin.domain.observation import CONNECTION
from servitwin.sdk.connector import Batch, BrokenError, DecodeFault, Discovered
from servitwin.sdk.connector import Config as RawConfig
from servitwin.sdk.payload import MAX_PAYLOAD, UNAVAILABLE, Fields, at_path, decode_content, decode_payload, read_json

_HANDED_ON = "in/_foreign/"  # before a foreign topic of quality of service 0, which ingest puts into its own stream
_OWN = re.compile(r"(?:servitwin|in)/([^/]+)/(observations|connection)\Z")


def check(config: RawConfig) -> Sequence[Fault]:
    """All faults of the configuration."""
    return faults_of(dict(config))[1]


def connect(config: RawConfig) -> Connector:
    """The connector for a checked configuration."""
    return Connector(msgspec.convert(dict(config), Config))


def topics(config: RawConfig, twin: str) -> Sequence[str]:
    """Topic filters beside servitwin's own on which a machine of that twin may publish."""
    return topics_of(msgspec.convert(dict(config), Config), twin)


def foreign_topics(config: RawConfig) -> Sequence[str]:
    """Topic filters of all that the mappings read, and of what is admitted beside them."""
    read = msgspec.convert(dict(config), Config)
    return [*(m.topic for m in read.mappings), *read.admit]


class Connector:
    """Decodes what the broker hands over; it polls nothing by itself."""

    def __init__(self, config: Config) -> None:
        self._mappings = [(filter_pattern(m.topic), m) for m in config.mappings]
        self._twins = frozenset(config.twins)

    def decode(self, topic: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
        """Batches and faults of one message; see README.md."""
        own = None if topic.startswith(_HANDED_ON) else _OWN.match(topic)
        if own is not None:
            twin, kind = own.groups()
            if kind == "observations":
                refused = _refused(twin, payload) if topic.startswith("in/") else None
                return ([], [refused]) if refused is not None else decode_payload(twin, payload, received)
            return _connection(twin, payload, received)
        topic = topic.removeprefix(_HANDED_ON)
        for pattern, mapping in self._mappings:
            matched = pattern.match(topic)
            if matched is not None and (not self._twins or fill(mapping.twin, matched.groups()) in self._twins):
                return _mapped(mapping, matched.groups(), payload, received)
        return [], [
            DecodeFault(
                Fault(
                    "topic:unknown",
                    f"Nothing is known about topic {topic[:200]!r}",
                    "Publish to servitwin/{twin}/observations, or add a mapping",
                    topic[:200],
                )
            )
        ]

    async def observations(self) -> AsyncIterator[tuple[str, bytes]]:
        """Nothing: the broker hands payloads over."""
        return
        yield  # what makes this an iterator

    async def send(self, command: Command) -> None:
        """Commands go out over the bus itself."""
        raise BrokenError(f"command {command.name!r} goes out over servitwin/{{twin}}/commands, not through here")

    async def discover(self) -> Sequence[Discovered]:
        """MQTT cannot tell who is there."""
        return []

    async def close(self) -> None:
        """Nothing is held."""


class _Refused(msgspec.Struct):
    """What the process of a connection could not read, with its reason and its bytes (``bootstrap.plugin_worker``)."""

    source: str
    fault: Fault
    raw: str


_REFUSED = msgspec.json.Decoder(_Refused)


def _refused(twin: str, payload: bytes) -> DecodeFault | None:
    """The fault that a connection's process found in a message; None if this is something else."""
    if not payload.startswith(b'{"source":'):
        return None
    try:
        return DecodeFault(_REFUSED.decode(payload).fault, twin)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _connection(twin: str, payload: bytes, received: int) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
    word = payload.decode("utf-8", "replace").strip().lower()
    if word in {"online", "offline"}:
        return [Batch(twin, [received], {CONNECTION: [word]})], []
    fault = Fault("payload:wrong-shape", f"{word[:40]!r} is no state of a connection", "Send online or offline")
    return [], [DecodeFault(fault, twin)]


def _mapped(
    mapping: Mapping, groups: Sequence[str | None], payload: bytes, received: int
) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
    twin = fill(mapping.twin, groups)
    if mapping.signal:
        batches, faults = _one_value(mapping, twin, fill(mapping.signal, groups), payload, received)
    else:
        batches, faults = decode_payload(twin, payload, received, mapping.fields)
    if mapping.signals:
        for batch in batches:
            batch.columns = {mapping.signals.get(k, k): v for k, v in batch.columns.items()}
            batch.units = {mapping.signals.get(k, k): v for k, v in batch.units.items()}
    return batches, faults


def _one_value(
    mapping: Mapping, twin: str, signal: str, payload: bytes, received: int
) -> tuple[Sequence[Batch], Sequence[DecodeFault]]:
    """A payload that is one value, or an object with the value at path ``values``."""
    if len(payload) > MAX_PAYLOAD:
        return decode_payload(twin, payload, received)
    content = read_json(payload)
    if not isinstance(content, dict | list | str | int | float):
        text = payload.decode("utf-8", "replace")
        content = None if content is None or text == UNAVAILABLE else text
    if isinstance(content, dict):
        value = at_path(content, mapping.values)
        return decode_content(twin, {**content, "_value": {signal: value}}, received, _at_value(mapping), [])
    return decode_content(twin, {"values": {signal: content}}, received, Mapping(topic="", twin="").fields, [])


def _at_value(mapping: Mapping) -> Fields:
    return msgspec.structs.replace(mapping.fields, values="_value", times="")
