"""Observations over HTTP into a real stream of a real bus."""

import asyncio
import json
import threading
import time

import msgspec
import pytest
from api_node import Node, uid

from servitwin.engines.bus import BusClient, NatsServer


class ThreadedBus:
    """A real bus client for a node whose event loop another thread runs: connected on first use, in that loop."""

    def __init__(self, server):
        self._server = server
        self._client = None
        self._lock = threading.Lock()

    @property
    def connected(self):
        return self._client is not None and self._client.connected

    async def _get(self):
        if self._client is None:
            self._client = await BusClient.connect("127.0.0.1", self._server.port, "house", "secret", "web")
        return self._client

    def __getattr__(self, name):
        async def call(*arguments):
            return await getattr(await self._get(), name)(*arguments)

        return call


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = NatsServer(tmp_path_factory.mktemp("bus"), "house", "secret", time.time_ns, max_stream_bytes=2**20)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory, server):
    with Node(tmp_path_factory.mktemp("node"), bus=ThreadedBus(server)) as running:
        yield running


@pytest.fixture
def gateway(node, adam):
    """A program that may report for acme's twins and nothing else."""
    token = adam.post("/api/v1/tokens", json={"label": "gateway", "roles": ["machine"]}).json()["token"]
    with node.program(token) as client:
        yield client


def send(client, twin, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        f"/api/v1/twins/{twin}/observations", content=content, headers={"Content-Type": "application/json", **headers}
    )


def test_session_and_seq_count_once(gateway):
    payload = {"time": "2026-01-01T00:00:00Z", "values": {"power": 1.5}, "session": "s1", "seq": 7}
    first = send(gateway, "mill-1", payload)
    assert first.status_code == 202, first.text
    assert first.json()["duplicate"] is False
    again = send(gateway, "mill-1", {**payload, "values": {"power": 9.9}}).json()
    assert again["duplicate"] is True
    assert again["cut"] == first.json()["cut"], "the answer names the sequence it has in the stream"
    other = send(gateway, "mill-2", payload).json()
    assert other["duplicate"] is False, "another twin's session of the same name is another one"


def test_callers_key_counts_once_and_content_without_a_time_counts_every_time(gateway):
    assert send(gateway, "mill-1", {"values": {"door": True}}, **{"Idempotency-Key": "k1"}).json()["duplicate"] is False
    assert send(gateway, "mill-1", {"values": {"door": True}}, **{"Idempotency-Key": "k1"}).json()["duplicate"] is True
    for _ in range(2):
        assert send(gateway, "mill-1", {"values": {"door": False}}).json()["duplicate"] is False
    timed = {"time": 1_760_000_000_000_000_000, "values": {"door": True}}
    assert [send(gateway, "mill-1", timed).json()["duplicate"] for _ in range(2)] == [False, True]


def test_what_cannot_be_understood_is_taken_for_ingest_to_judge(gateway):
    for body in (b"\xff\xfe", b"{not json", b"[" * 100_000, b'"text"', b'{"session": "\\ud800 \\n", "seq": 1}'):
        assert send(gateway, "mill-1", body).status_code == 202, body[:20]
    assert send(gateway, "mill-1", b"").json()["code"] == "payload:empty"


def test_lines_are_published_each_by_itself_in_order(node, server, gateway):
    lines = [json.dumps({"time": 10**18 + i, "values": {"power": i}, "session": "n", "seq": i}) for i in range(700)]
    answer = gateway.post(
        "/api/v1/twins/mill-2/observations",
        content="\n".join([*lines, lines[3], ""]).encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 202, answer.text
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (701, 1)

    async def read():
        import nats

        connection = await nats.connect(f"nats://127.0.0.1:{server.port}", user="house", password="secret")
        stream = connection.jetstream()
        highest = answer.json()["cut"]["1"]
        found = [await stream.get_msg("SERVITWIN", seq) for seq in range(highest - 699, highest + 1)]
        await connection.close()
        return found

    stored = asyncio.run(read())
    assert [json.loads(m.data)["seq"] for m in stored] == list(range(700))
    assert {m.subject for m in stored} == {"in.mill-2.observations"}
    assert stored[5].headers["Nats-Msg-Id"] == f"{uid(3)}:n:5"


def test_only_who_reports_for_the_twin_may_send(gateway, anna, olga):
    payload = {"values": {"power": 1.0}}
    assert send(gateway, "other-mill", payload).json()["code"] == "twin:unknown"
    assert send(anna, "mill-1", payload).json()["code"] == "access:not-permitted"
    assert send(olga, "mill-1", payload).json()["code"] == "twin:unknown"
    assert gateway.get("/api/v1/twins/mill-1/state").json()["values"] == {}, "a gateway reports, it does not read"


def test_too_large_is_refused_before_it_is_read(gateway):
    answer = send(gateway, "mill-1", b" " * (8 * 2**20 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "request:too-large")

    def trickle():
        for _ in range(9):
            yield b" " * 2**20

    answer = gateway.post("/api/v1/twins/mill-1/observations", content=trickle())
    assert (answer.status_code, answer.json()["code"]) == (413, "request:too-large")


def test_full_stream_refuses_and_nothing_is_acknowledged(gateway):
    big = {"time": 1, "values": {"text": "x" * 200_000}, "session": "big"}
    codes = [send(gateway, "mill-1", {**big, "seq": i}).status_code for i in range(8)]
    assert codes[-1] == 503
    answer = send(gateway, "mill-1", {**big, "seq": 99})
    assert answer.json()["code"] == "bus:refused"
    assert answer.headers["retry-after"]


def test_cut_and_counts_come_from_ingest(node, gateway, server):
    asked = []

    async def serve(stop):
        client = await BusClient.connect("127.0.0.1", server.port, "house", "secret", "test")

        async def cut(_):
            return b'{"committed": 5, "received": 7}'

        async def counts(payload):
            asked.append(msgspec.json.decode(payload))
            return b'{"messages": 3, "stored": 9, "quarantined": 1, "repeated": 0, "since": 1700000000000000000}'

        for shard in (0, 1):
            await client.answer(f"ask.cut.{shard}", cut)
        await client.answer("ask.ingest", counts)
        await client.flush()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        await client.close()

    assert gateway.get("/api/v1/cut").json()["code"] == "bus:no-answer"
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(stop)))
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while (answer := gateway.get("/api/v1/cut")).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert answer.json() == {"committed": {"0": 5, "1": 5}, "received": {"0": 7, "1": 7}}
        counted = gateway.get("/api/v1/twins/mill-1/ingest", params={"session": "s1"}).json()
        assert counted == {
            "twin": "mill-1", "session": "s1", "messages": 3, "stored": 9, "quarantined": 1, "repeated": 0,
            "since": "2023-11-14T22:13:20Z",
        }  # fmt: skip
        assert asked[-1] == {"twin": uid(2), "session": "s1"}
    finally:
        stop.set()
        thread.join()
