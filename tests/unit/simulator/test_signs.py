"""Simulated machines that sign what they send, over the real broker into ingest."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servitwin.connectors.simulator.key import machine_key
from servitwin.domain.error import InvalidInputError
from servitwin.domain.machine_key import MachineKey
from servitwin.engines.bus import BusClient, NatsServer, plugin_user
from servitwin.sdk.signed_payload import key_id, public_text
from servitwin.usecases.ingest import Shared
from tests.unit.ingest.given import Feed, FewTwins
from tests.unit.simulator.test_over_mqtt import MILL, running

CRANE = {"twin": "crane-1", "model": "crane", "seed": 5}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    s = NatsServer(tmp_path_factory.mktemp("bus") / "bus", "internal", "s3cret", time.time_ns)
    s.set_users([plugin_user("sim", "pw", ["mill-1", "mill-2", "crane-1"], reads=["mill-1"])])
    s.start()
    yield s
    s.stop()


def test_what_a_signing_machine_says_is_taken_with_its_key_and_with_no_other(
    server: NatsServer, tmp_path: Path
) -> None:
    heard: list[bytes] = []

    async def scene() -> str:
        bus = await BusClient.connect(server.host, server.port, "internal", "s3cret", "test")

        async def hear(_: str, payload: bytes) -> None:
            heard.append(payload)

        await bus.subscribe("servitwin.mill-1.observations", hear)
        await bus.flush()
        async with running(server, tmp_path, MILL, sign=True) as simulator:
            end = time.monotonic() + 15
            while len(heard) < 3 and time.monotonic() < end:
                await asyncio.sleep(0.05)
            public = simulator.control({"do": "status"})["machines"]["mill-1"]["public_key"]
        await bus.close()
        return str(public)

    public = asyncio.run(scene())
    assert len(heard) >= 3
    assert public == public_text(machine_key(tmp_path, "mill-1"))
    now = time.time_ns()
    for key, quarantined in (
        (public, []),
        (public_text(machine_key(tmp_path, "another")), ["signature:key-unknown"] * len(heard)),
    ):
        feed = Feed(Shared(FewTwins(keys=[MachineKey(key_id(key), "uid-1", key, "gateway", since=1)])))
        feed.ingest.feed([feed.raw(payload, received=now) for payload in heard])
        block = feed.ingest.take()
        codes = [q.code for q in block.quarantined if q.code.startswith("signature:")]
        assert codes == quarantined


def test_a_neighbour_understands_signed_counters(server: NatsServer, tmp_path: Path) -> None:
    async def scene() -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        hears = {"taken-1": {"twin": "mill-1", "signal": "parts.total"}}
        async with (
            running(server, tmp_path / "a", MILL, sign=True),
            running(server, tmp_path / "b", {**CRANE, "hears": hears}) as crane,
        ):
            end = time.monotonic() + 15
            while "mill-1" not in crane._shown and time.monotonic() < end:
                await asyncio.sleep(0.05)
            assert "parts.total" in crane._shown["mill-1"]

    asyncio.run(scene())


def test_a_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = public_text(machine_key(tmp_path, "mill-1"))
    assert public_text(machine_key(tmp_path, "mill-1")) == first
    assert stat.S_IMODE((tmp_path / "mill-1.key").stat().st_mode) == 0o600
    (tmp_path / "mill-1.key").write_bytes(b"short")
    with pytest.raises(InvalidInputError) as e:
        machine_key(tmp_path, "mill-1")
    assert e.value.fault.code == "simulator:key-damaged"
