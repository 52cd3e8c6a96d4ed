"""How fast observations become durable and queryable: generator, broker, ingest and history on the cores at hand.

    python benchmarks/ingest.py [--messages N] [--json]

Each run starts its own bus and ingest process with a machine type (units, limits), sessions and sequence numbers: all
checks are on. A run ends when ``ask.cut`` says that all is committed; then the rows of the table are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from deltalake import DeltaTable

from servitwin.bootstrap.bench import FLOORS, SIGNALS, TYPE
from servitwin.bootstrap.bench.measure import durable
from servitwin.domain.twin import Dated, Twin
from tests.node import Node

HERE = Path(__file__).resolve().parent
MACHINES = 1000


def build_generator(folder: Path) -> Path:
    """Compile the load generator."""
    target = folder / "loadgen"
    subprocess.run(
        ["cc", "-O2", "-pthread", "-o", str(target), str(HERE / "loadgen.c")], check=True, capture_output=True
    )
    return target


def registered(folder: Path) -> Path:
    """Records with the machine type and its machines, made once."""
    folder.mkdir()
    node = Node(folder)
    kind = (Dated("bench@1", 0),)
    node.register([TYPE], [Twin(f"uid-{i:05}", f"m{i:05}", "machine", type=kind) for i in range(MACHINES)])
    node.records.close()
    return folder / "records.db"


async def committed(node: Node, shard: int, messages: int) -> dict[str, Any]:
    """Counters of ingest once it has committed that many messages."""
    bus = await node.client("bench")
    try:
        return await durable(bus, shard, messages, within_s=600)
    finally:
        await bus.close()


def run(
    generator: Path, records: Path, folder: Path, protocol: str, messages: int, samples: int, rate: float = 0
) -> dict[str, Any]:
    """One run: publish, wait until all is committed, count."""
    folder.mkdir()
    shutil.copy(records, folder / "records.db")
    node = Node(folder)
    node.start()
    try:
        shard = 0 if protocol == "mqtt" else 1
        port = node.server.mqtt_port if protocol == "mqtt" else node.server.port
        assert node.ingest is not None
        assert node.server.pid is not None
        watched = {"ingest": psutil.Process(node.ingest.pid), "bus": psutil.Process(node.server.pid)}
        before = {k: sum(p.cpu_times()[:2]) for k, p in watched.items()}
        start = time.monotonic()
        command = [str(generator), protocol, str(port), str(messages), "-u", "internal", "-k", "s3cret"]
        command += ["-s", str(samples), "-m", str(MACHINES), "-r", str(rate)]
        published = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        state = asyncio.run(committed(node, shard, published["acked"]))
        seconds = time.monotonic() - start
        cpu = {k: round(sum(p.cpu_times()[:2]) - before[k], 2) for k, p in watched.items()}
        memory = {k: round(p.memory_info().rss / 2**20) for k, p in watched.items()}
        rows = DeltaTable(str(folder / "history" / "observations")).count()
    finally:
        node.stop()
    values = messages // 4 * 4 * len(SIGNALS) * samples
    assert published["refused"] == 0, f"refused: {published}"
    assert rows == values, f"{rows} rows for {values} values: {state}"
    return {
        "protocol": protocol,
        "messages": messages,
        "samples": samples,
        "seconds": round(seconds, 2),
        "messages_per_s": round(messages / seconds),
        "values_per_s": round(values / seconds),
        "published_in_s": published["seconds"],
        "cpu_s": {**cpu, "generator": published["cpu_s"]},
        "rss_mb": memory,
        "by_shape": state["fast"],
    }


def told(name: str, r: dict[str, Any]) -> str:
    """One line for people."""
    what = "values" if name == "batch" else "messages"
    return (
        f"{name:6} {r[f'{what}_per_s']:>10,} {what}/s (floor {FLOORS[name]:,}) in {r['seconds']} s; "
        f"CPU s {r['cpu_s']}; RSS MB {r['rss_mb']}; by shape {r['by_shape']:,}"
    )


def main() -> None:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=600_000)
    parser.add_argument("--only", choices=["mqtt", "nats", "batch"])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cases = {
        "mqtt": ("mqtt", options.messages, 1),
        "nats": ("nats", options.messages, 1),
        "batch": ("nats", options.messages // 40, 100),
    }
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        generator = build_generator(Path(scratch))
        records = registered(Path(scratch) / "records")
        for name, (protocol, messages, samples) in cases.items():
            for n in range(options.repeat):
                if options.only in (None, name):
                    r = {
                        "case": name,
                        **run(generator, records, Path(scratch) / f"{name}{n}", protocol, messages, samples),
                    }
                    results.append(r)
                    if not options.json:
                        print(told(name, r), flush=True)
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
