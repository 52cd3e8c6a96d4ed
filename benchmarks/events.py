"""Publish to browser event: messages on a real bus, through the web part, to browsers that only measure.

    python benchmarks/events.py --rate 5000 --twins 200 --browsers 5 --seconds 10 [--whole]

Without ``--whole`` live messages go to the web part alone; with it observations go to a whole node: stream, ingest,
history, services, web. Prints one line of JSON: latency from publish to the event's arrival (ms), events a browser,
CPU seconds per second (of the web process, or of each process of the node), the load of the machine, and how late a
timer of 5 ms was on it meanwhile: what other work does to every process that waits for its turn is in both.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx
import msgspec

from servitwin.bootstrap.bench.measure import hear_events

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


def live_message(n: int, sent: int, now: int) -> tuple[str, object]:
    """A change of twin ``n`` as ingest tells it."""
    values = {"power": (now, now / 1e9, 0, now)}
    return f"live.m{n}", {"twin": f"m{n}", "uid": f"u{n}", "values": values, "cut": {"0": sent}}


def observation(n: int, _: int, now: int) -> tuple[str, object]:
    """An observation of twin ``n`` as a program publishes it."""
    return f"in.m{n:05d}.observations", {"time": now, "values": {"temperature": now / 1e9}}


async def publish(url: str, user: str, password: str, message, rate: int, twins: int, seconds: float) -> int:
    """``rate`` messages a second of one signal each, evenly over the twins; the value is the time of publishing."""
    import nats

    connection = await nats.connect(url, user=user, password=password)
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * rate:
            subject, payload = message(sent % twins, sent, time.time_ns())
            await connection.publish(subject, msgspec.json.encode(payload))
            sent += 1
        await asyncio.sleep(0.002)
    await connection.drain()
    return sent


async def browse(url: str, seconds: float) -> list[float]:
    """Latencies in ms of what one browser hears."""
    heard: list[float] = []
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30) as client:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hear_events(client, ("power", "temperature"), heard), seconds)
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


def watch_timer(seconds: float, pipe) -> None:
    """How late a process is that does nothing but wait 5 ms at a time (ms, 99 of 100)."""
    late, until = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        time.sleep(0.005)
        late.append((time.perf_counter() - began) * 1e3 - 5)
    pipe.send(sorted(late)[int(len(late) * 0.99)])


def in_processes(work, many: int, *arguments) -> list:
    """Start ``many`` processes that send one answer each; where to read the answers."""
    pipes = []
    for _ in range(many):
        mine, its = multiprocessing.Pipe()
        multiprocessing.Process(target=work, args=(*arguments, its)).start()
        pipes.append(mine)
    return pipes


def measure(options, url: str, cpu, *target) -> None:
    """Publish, listen and print; ``cpu()`` gives CPU seconds so far by process."""
    pipes = in_processes(listen, options.browsers, url, options.seconds + 1)
    (timer,) = in_processes(watch_timer, 1, options.seconds)
    time.sleep(2)
    before = cpu()
    sent = asyncio.run(publish(*target, options.rate, options.twins, options.seconds))
    spent = {name: round((total - before[name]) / options.seconds, 2) for name, total in cpu().items()}
    heard = sorted(x for pipe in pipes for x in pipe.recv())
    print(
        json.dumps(
            {
                "rate": round(sent / options.seconds),
                "twins": options.twins,
                "browsers": options.browsers,
                "events_per_browser": len(heard) // options.browsers,
                "p50_ms": round(heard[len(heard) // 2], 1),
                "p99_ms": round(heard[int(len(heard) * 0.99)], 1),
                "cpu": spent,
                "timer_p99_ms": round(timer.recv(), 1),
                "load": os.getloadavg()[0],
            }
        )
    )


def through_web(options, folder: Path) -> None:
    """Live messages to the web part alone."""
    from servitwin.engines.bus import NatsServer

    add_twins(folder, options.twins)
    server = NatsServer(folder / "bus", "house", "secret", time.time_ns)
    server.start()
    here, there = multiprocessing.Pipe()
    web = multiprocessing.Process(target=serve, args=(str(folder), server.port, there))
    web.start()

    def cpu() -> dict[str, float]:
        here.send("cpu")
        return {"web": here.recv()}

    try:
        measure(options, here.recv(), cpu, server.url, "house", "secret", live_message)
        here.send("end")
    finally:
        web.join(5)
        if web.is_alive():
            web.kill()
        server.stop()


def through_node(options, folder: Path) -> None:
    """Observations to a whole node."""
    import node

    data = folder / "data"
    running, _ = node.start(data, *node.plant(folder, options.twins), "--anonymous-role", "viewer")
    try:
        pids = node.processes(running, data)
        address = json.loads((data / "run" / "address.json").read_text())
        secret = (data / "secrets" / "bus").read_text().strip()

        def cpu() -> dict[str, float]:
            return {name: node.cpu_seconds(pid) for name, pid in pids.items()}

        measure(options, address["web"], cpu, address["nats"], "servitwin", secret, observation)
    finally:
        node.stop(running)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--twins", type=int, default=200)
    parser.add_argument("--browsers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="servitwin-events-") as folder:
        (through_node if options.whole else through_web)(options, Path(folder))


if __name__ == "__main__":
    main()
