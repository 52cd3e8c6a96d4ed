"""Publish to browser event: live messages on a real bus, through the web part, to browsers that only measure.

    python benchmarks/events.py --rate 5000 --twins 200 --browsers 5 --seconds 10

Prints one line of JSON: latency from publish to the event's arrival (ms), CPU seconds of the web process per second,
events a browser, and the load of the machine while it ran.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx
import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "api"))


def serve(folder: str, port: int, pipe) -> None:
    """The web part over a real bus client, until told to end; answers its CPU seconds when asked."""
    from api_node import Node
    from test_observations import ThreadedBus

    class Server:
        pass

    server = Server()
    server.port = port
    with Node(Path(folder), anonymous_role="viewer", bus=ThreadedBus(server)) as node:
        pipe.send(node.url)
        while pipe.recv() == "cpu":
            pipe.send(time.process_time())


async def publish(port: int, rate: int, twins: int, seconds: float) -> int:
    """``rate`` messages a second of one signal each, evenly over the twins; the value is the time of publishing."""
    import nats

    connection = await nats.connect(f"nats://127.0.0.1:{port}", user="house", password="secret")
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * rate:
            now = time.time_ns()
            n = sent % twins
            values = {"power": (now, now / 1e9, 0, now)}
            message = {"twin": f"m{n}", "uid": f"u{n}", "values": values, "cut": {"0": sent}}
            await connection.publish(f"live.m{n}", msgspec.json.encode(message))
            sent += 1
        await asyncio.sleep(0.002)
    await connection.drain()
    return sent


async def browse(url: str, seconds: float) -> list[float]:
    """Latencies in ms of what one browser hears."""
    heard: list[float] = []
    async with (
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("GET", "/api/v1/events", params={"topics": "live"}) as answer,
    ):
        until = time.perf_counter() + seconds
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                now = time.time_ns()
                heard += [(now - value[3]) / 1e6 for value in json.loads(line[6:])["values"].values()]
            if time.perf_counter() > until:
                break
    return heard


def add_twins(folder: Path, count: int) -> None:
    """Twins m0 ... of the node, so that rights are asked for real ones."""
    from api_node import machine

    from servitwin.engines.records import SqlRecords, migrate

    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    records = SqlRecords(url)
    for n in range(count):
        records.save_twin(msgspec.structs.replace(machine(n, f"m{n}", "acme"), uid=f"u{n}"))
    records.close()


def listen(url: str, seconds: float, pipe) -> None:
    """A browser in a process of its own: its work is not the server's."""
    pipe.send(asyncio.run(browse(url, seconds)))


def main() -> None:
    """Run and print."""
    from servitwin.engines.bus import NatsServer

    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--twins", type=int, default=200)
    parser.add_argument("--browsers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="servitwin-events-"))
    add_twins(folder, options.twins)
    server = NatsServer(folder / "bus", "house", "secret", time.time_ns)
    server.start()
    here, there = multiprocessing.Pipe()
    web = multiprocessing.Process(target=serve, args=(str(folder), server.port, there))
    web.start()
    try:
        url = here.recv()
        pipes = []
        for _ in range(options.browsers):
            mine, its = multiprocessing.Pipe()
            multiprocessing.Process(target=listen, args=(url, options.seconds, its)).start()
            pipes.append(mine)
        time.sleep(2)
        here.send("cpu")
        before = here.recv()
        sent = asyncio.run(publish(server.port, options.rate, options.twins, options.seconds))
        here.send("cpu")
        cpu = here.recv() - before
        each = [p.recv() for p in pipes]
        heard = sorted(x for one in each for x in one)
        here.send("end")
        print(
            json.dumps(
                {
                    "rate": round(sent / options.seconds),
                    "twins": options.twins,
                    "browsers": options.browsers,
                    "events_per_browser": len(heard) // options.browsers,
                    "p50_ms": round(heard[len(heard) // 2], 1),
                    "p99_ms": round(heard[int(len(heard) * 0.99)], 1),
                    "web_cpu": round(cpu / options.seconds, 2),
                    "load": os.getloadavg()[0],
                }
            )
        )
    finally:
        web.join(5)
        if web.is_alive():
            web.kill()
        server.stop()


if __name__ == "__main__":
    main()
