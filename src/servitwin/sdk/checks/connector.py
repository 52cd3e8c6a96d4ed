"""Checks of connectors: pure and reproducible decoding that survives whatever comes in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from servitwin.sdk.connector import ABSENT, Batch, Connector, ConnectorPlugin, DecodeFault


class Message(msgspec.Struct, omit_defaults=True):
    """One payload as received; ``payload`` as text, or base64 in ``binary``."""

    topic: str
    received: int
    payload: str = ""
    binary: bytes = b""

    @property
    def content(self) -> bytes:
        """The bytes on the wire."""
        return self.binary or self.payload.encode()


class ConnectorCase(msgspec.Struct, omit_defaults=True):
    """A configuration, what came in under it, and what it has to become.

    ``batches`` and ``fault_codes`` are what all messages together decode to, in order; a case of a
    configuration that must be refused lists the codes in ``config_faults`` and has no messages.
    """

    config: dict[str, Any]
    messages: list[Message] = []
    batches: list[dict[str, Any]] = []
    fault_codes: list[str] = []
    config_faults: list[str] = []


def _decoded(connector: Connector, messages: Sequence[Message]) -> tuple[list[Batch], list[DecodeFault]]:
    batches: list[Batch] = []
    faults: list[DecodeFault] = []
    for m in messages:
        b, f = connector.decode(m.topic, m.content, m.received)
        batches += b
        faults += f
    return batches, faults


def as_data(batch: Batch) -> dict[str, Any]:
    """A batch as plain data; a sample that is absent becomes the text ``<absent>``."""
    plain = msgspec.to_builtins(msgspec.structs.replace(batch, columns={}))
    plain["columns"] = {k: ["<absent>" if v is ABSENT else v for v in vs] for k, vs in batch.columns.items()}
    return dict(plain)


def reports_all_faults_of_a_configuration(plugin: ConnectorPlugin, case: ConnectorCase) -> None:
    """``check`` finds what the case expects, changes nothing, and says how to mend each fault."""
    before = msgspec.json.encode(case.config)
    faults = plugin.check(case.config)
    assert msgspec.json.encode(case.config) == before, "check() changed the configuration"
    assert sorted(f.code for f in faults) == sorted(case.config_faults), f"faults found: {[str(f) for f in faults]}"
    assert all(f.message and f.hint for f in faults), "a fault says what is wrong and how to mend it"


def decodes_as_recorded(plugin: ConnectorPlugin, case: ConnectorCase) -> None:
    """Recorded payloads become exactly the recorded batches and faults, the same each time, order of calls aside."""
    if case.config_faults:
        return
    batches, faults = _decoded(plugin.connect(case.config), case.messages)
    assert [as_data(b) for b in batches] == case.batches
    assert [f.fault.code for f in faults] == case.fault_codes
    again, _ = _decoded(plugin.connect(case.config), list(reversed(case.messages)))
    key = msgspec.json.Encoder(order="deterministic").encode
    assert sorted(key(as_data(b)) for b in again) == sorted(key(as_data(b)) for b in batches), (
        "order changed the result"
    )


def batches_are_well_formed(plugin: ConnectorPlugin, case: ConnectorCase) -> None:
    """Every column has as many values as there are times."""
    if case.config_faults:
        return
    for batch in _decoded(plugin.connect(case.config), case.messages)[0]:
        for name, values in batch.columns.items():
            assert len(values) == len(batch.times), f"{name}: {len(values)} values for {len(batch.times)} times"


def survives_whatever_comes_in(plugin: ConnectorPlugin, case: ConnectorCase) -> None:
    """Cut, mangled, empty and foreign payloads give batches or faults, never an exception, and never nothing."""
    if case.config_faults:
        return
    connector = plugin.connect(case.config)
    rng = random.Random(20260921)
    topics = [m.topic for m in case.messages] or ["servitwin/x/observations"]
    absurd = [
        b"",
        b"\x00",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"time":1e999}',
        b"[" * 5000,
        b'{"values":' + b"9" * 5000,
    ]
    for m in case.messages:
        content = m.content
        for _ in range(20):
            cut = content[: rng.randrange(len(content) + 1)]
            absurd.append(cut)
            if content:
                at = rng.randrange(len(content))
                absurd.append(content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :])
    for payload in absurd:
        topic = rng.choice(topics)
        batches, faults = connector.decode(topic, payload, 1_790_000_000_000_000_000)
        assert batches or faults, f"{payload[:60]!r} on {topic} vanished: neither observation nor fault"
        for fault in faults:
            assert ":" in fault.fault.code and fault.fault.message, f"fault without code or message: {fault}"


def closes_twice(plugin: ConnectorPlugin, case: ConnectorCase) -> None:
    """``close`` may be called twice, before anything was opened."""
    if case.config_faults:
        return

    async def both() -> None:
        connector = plugin.connect(case.config)
        await connector.close()
        await connector.close()

    asyncio.run(both())


CONNECTOR_CHECKS: tuple[Callable[[ConnectorPlugin, ConnectorCase], None], ...] = (
    reports_all_faults_of_a_configuration,
    decodes_as_recorded,
    batches_are_well_formed,
    survives_whatever_comes_in,
    closes_twice,
)
