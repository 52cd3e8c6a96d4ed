"""Runs the cases of ``servitwin bench`` one after the other on a node in a folder that is thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop

from servitwin.bootstrap.bench.load import Message, MqttWire, NatsWire, Wire, connect
from servitwin.bootstrap.bench.plant import FLOORS, SIGNALS, TYPE, plant_file
from servitwin.bootstrap.data_folder import Address, DataFolder
from servitwin.bootstrap.starters import node_for_a_while
from servitwin.cli.starters import BenchPlan, Measured
from servitwin.client import Client
from servitwin.domain.error import Fault, UnavailableError
from servitwin.engines.bus.client import BusClient
from servitwin.usecases.ports import Bus

_USER = "servitwin"
_CONNECTIONS, _SAMPLES = 4, 100
_EVENTS_PER_S, _EVENTS_S, _QUERIES = 500, 5.0, 20
_DURABLE_WITHIN_S = 60.0


def measure(plan: BenchPlan, say: Callable[[str], None]) -> list[Measured]:
    """What ``plan`` asks for; ``say`` tells progress.

    Raises:
        UnavailableError: the node does not start, refuses, or is not done in time (``bench:...``).
    """
    with tempfile.TemporaryDirectory(prefix="servitwin-bench-", dir=plan.folder) as folder:
        data = Path(folder) / "data"
        with node_for_a_while(data):
            with Client.local(data) as client:
                client.add_machine_type(TYPE)
                client.import_plant(plant_file(plan.machines))
            return uvloop.run(_cases(plan, data, say))


async def _cases(plan: BenchPlan, data: Path, say: Callable[[str], None]) -> list[Measured]:
    address = msgspec.json.decode((data / "run" / "address.json").read_bytes(), type=Address)
    host, _, port = address.nats.rpartition("://")[2].rpartition(":")
    secret = DataFolder(data).secret("bus")
    bus = await BusClient.connect(host, int(port), _USER, secret, "bench")
    head = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient(base_url=f"{address.web}/api/v1", headers=head, timeout=60, trust_env=False) as web:
        bench = _Bench(plan, address, secret, bus, web)
        done = []
        try:
            for case in plan.cases:
                say(f"{case} ...")
                done.append(await getattr(bench, f"measure_{case}")())
        finally:
            await bus.close()
        return done


async def durable(bus: Bus, shard: int, messages: int, within_s: float = _DURABLE_WITHIN_S) -> dict[str, Any]:
    """Counters of ingest once it has taken that many messages since it began, and the shard has committed all it has.

    Raises:
        UnavailableError: ``bench:not-durable`` if that takes longer.
    """
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        # In this order: what was counted before the cut was asked for is in what the cut calls received.
        state: dict[str, Any] = json.loads(await bus.request("ask.ingest", b"{}", within_s))
        cut = json.loads(await bus.request(f"ask.cut.{shard}", b"{}", within_s))
        if cut["committed"] == cut["received"] and state["messages"] >= messages:
            return state
        await asyncio.sleep(0.05)
    raise UnavailableError(Fault("bench:not-durable", f"Not all was in history after {within_s:.0f} s"))


async def hear_events(web: httpx.AsyncClient, signals: Sequence[str], heard: list[float]) -> None:
    """Add the age (ms) of each value of ``signals`` that a browser hears; a value is the second it was published at."""
    async with web.stream("GET", "/events", params={"topics": "live"}) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                now = time.time_ns()
                values = json.loads(line[6:]).get("values", {})
                heard += [now / 1e6 - v[1] * 1e3 for name, v in values.items() if name in signals]


class _Bench:
    """The cases, by name ``measure_<case>``."""

    def __init__(self, plan: BenchPlan, address: Address, secret: str, bus: Bus, web: httpx.AsyncClient) -> None:
        self._plan, self._address, self._secret, self._bus, self._web = plan, address, secret, bus, web
        self._began = time.time_ns()

    async def measure_mqtt(self) -> Measured:
        return await self._load("mqtt", "MQTT QoS 1, 8 values a message", "messages/s", self._plan.messages, 1)

    async def measure_nats(self) -> Measured:
        return await self._load("nats", "acknowledged NATS, 8 values a message", "messages/s", self._plan.messages, 1)

    async def measure_batch(self) -> Measured:
        batches = max(self._plan.messages // 40, _CONNECTIONS)
        return await self._load("batch", f"batches of {_SAMPLES} samples (NATS)", "values/s", batches, _SAMPLES)

    async def _load(self, case: str, what: str, unit: str, messages: int, samples: int) -> Measured:
        """Publish as fast as the node takes it, until all is in history; then count what history answers."""
        mqtt = case == "mqtt"
        where = (self._address.mqtt if mqtt else self._address.nats).rpartition("://")[2]
        host, _, port = where.rpartition(":")
        kind: type[MqttWire | NatsWire] = MqttWire if mqtt else NatsWire

        def wire(name: str) -> Wire:
            return kind(_USER, self._secret, f"{case}-{name}")

        first = time.time_ns()
        before = json.loads(await self._bus.request("ask.ingest", b"{}", 10))["messages"]
        connections = await connect(host, int(port), wire, _CONNECTIONS)
        each = -(-messages // _CONNECTIONS)
        until = time.monotonic() + self._plan.seconds
        start = time.monotonic()
        try:
            streams = [
                islice(told(f"{case}{n}", range(n, self._plan.machines, _CONNECTIONS), first, samples), each)
                for n in range(_CONNECTIONS)
            ]
            await asyncio.gather(*(c.publish(s, until) for c, s in zip(connections, streams, strict=True)))
            acknowledged = sum(c.acknowledged for c in connections)
            published = time.monotonic() - start
            await durable(self._bus, 0 if mqtt else 1, before + acknowledged)
            seconds = time.monotonic() - start
        finally:
            for c in connections:
                c.close()
        values = acknowledged * samples * len(SIGNALS)
        last = first + (each * samples + 1) * _STEP_NS
        missing = values - await self._count(first, last)
        rate = (values if unit == "values/s" else acknowledged) / seconds
        detail = {"messages": acknowledged, "values": values, "missing": missing, "published_s": round(published, 2)}
        return Measured(case, what, unit, round(rate), FLOORS[case], round(seconds, 2), detail)

    async def _count(self, start: int, end: int) -> int:
        """Values that history has of all machines in [start, end)."""
        question = {
            "twins": [f"m{n:05d}" for n in range(self._plan.machines)],
            "signals": list(SIGNALS),
            "from": str(start),
            "to": str(end),
            "every": "1d",
            "aggregates": ["count"],
        }
        answer = _answered(await self._web.post("/observations/query", json=question))
        return sum(b["count"] for s in answer["series"] for b in s["buckets"])

    async def measure_events(self) -> Measured:
        """From publish to the browser's event, at a moderate rate."""
        host, _, port = self._address.nats.rpartition("://")[2].rpartition(":")
        (connection,) = await connect(host, int(port), lambda name: NatsWire(_USER, self._secret, f"ev-{name}"), 1)
        heard: list[float] = []
        listening = asyncio.create_task(hear_events(self._web, ("total",), heard))
        await asyncio.sleep(1.0)
        heard.clear()
        start, sent = time.monotonic(), 0
        while (passed := time.monotonic() - start) < min(_EVENTS_S, self._plan.seconds):
            while sent < passed * _EVENTS_PER_S:
                now = time.time_ns()
                payload = b'{"time":%d,"values":{"total":%.6f}}' % (now, now / 1e9)
                await connection.send((f"m{sent % self._plan.machines:05d}", payload))
                sent += 1
            await asyncio.sleep(0.002)
        await connection.settled(time.monotonic() + 10)
        await asyncio.sleep(0.5)
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        connection.close()
        if not heard:
            raise UnavailableError(Fault("bench:no-events", f"{sent} values were published and no event came"))
        heard.sort()
        detail = {"published": sent, "events": len(heard), "median_ms": round(statistics.median(heard), 1)}
        what = f"publish to browser event at {_EVENTS_PER_S} messages/s, p99"
        p99 = round(heard[int(len(heard) * 0.99)], 1)
        return Measured("events", what, "ms", p99, FLOORS["events"], round(time.monotonic() - start, 2), detail)

    async def measure_query(self) -> Measured:
        """One signal of one machine in buckets of a second, all that was measured before."""
        params: dict[str, Any] = {"from": self._began - 10**9, "to": time.time_ns() + 10**9, "every": "1s"}
        took = []
        start = time.monotonic()
        for n in range(_QUERIES):
            machine = f"m{n % self._plan.machines:05d}"
            began = time.monotonic()
            _answered(await self._web.get(f"/twins/{machine}/signals/load/observations", params=params))
            took.append((time.monotonic() - began) * 1e3)
        median = round(statistics.median(took[1:]), 1)
        detail = {"queries": _QUERIES, "first_ms": round(took[0], 1), "slowest_ms": round(max(took[1:]), 1)}
        return Measured(
            "query", "mean by second of one signal", "ms", median, None, round(time.monotonic() - start, 2), detail
        )


def _answered(answer: httpx.Response) -> Any:
    """JSON of an answer that is one."""
    if answer.is_error:
        raise UnavailableError(Fault("bench:node-refused", f"{answer.status_code}: {answer.text[:300]}"))
    return answer.json()


_STEP_NS = 1000


def told(session: str, machines: Sequence[int], first: int, samples: int) -> Iterator[Message]:
    """What machines tell in turn, without end: eight values a sample, times a microsecond apart from ``first`` on."""
    # Not random: the same load each time, and values that differ as those of machines do.
    steps = [(n * 2654435761 % 2**32) % 1000 / 1000 for n in range(64)]
    single = [_values([f"{x}" for x in (60 + 20 * s, 0.1 + s / 5, 1450 + s, 12 + s, 5 + s, 40 + s, 1000 + n, 1010 + n)])
              for n, s in enumerate(steps)]  # fmt: skip
    many = [
        _values([json.dumps([round(b + (s + k / samples) % 1, 3) for k in range(samples)]) for b in range(8)])
        for s in steps[:8]
    ]
    seq = 0
    while True:
        for machine in machines:
            if samples == 1:
                times, values = b'"time":%d' % (first + seq * _STEP_NS), single[seq % 64]
            else:
                start = first + seq * samples * _STEP_NS
                listed = range(start, start + samples * _STEP_NS, _STEP_NS)
                times, values = b'"times":[%b]' % ",".join(map(str, listed)).encode(), many[seq % 8]
            yield (
                f"m{machine:05d}",
                b'{%b,"session":"%b","seq":%d,"values":%b}' % (times, session.encode(), seq, values),
            )
            seq += 1


def _values(texts: Sequence[str]) -> bytes:
    """An object of JSON with each signal's value."""
    return ("{" + ",".join(f'"{name}":{text}' for name, text in zip(SIGNALS, texts, strict=True)) + "}").encode()
