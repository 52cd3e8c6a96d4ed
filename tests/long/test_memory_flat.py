"""Memory of each process stays flat under load, for an hour or as long as SERVITWIN_MEMORY_SECONDS says."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servitwin.bootstrap.data_folder import DataFolder
from tests.conftest import ROOT, Node
from tests.stories.waiting import Api, wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]
SECONDS = float(os.environ.get("SERVITWIN_MEMORY_SECONDS", "3600"))
MACHINES = 1000
SHARE = 0.7  # of the rate that this machine takes
GROWTH, ROOM_MB = 1.10, 20.0  # what may lie between the second and the last quarter
SIGNALS = ("temperature", "vibration", "speed", "power", "pressure", "load", "good", "total")


def files(folder: Path) -> list[str]:
    """A machine type and a thousand machines of it."""
    kind = folder / "bench.yaml"
    signals = "".join(f'  {name}: {{unit: "1"}}\n' for name in SIGNALS)
    kind.write_text(f"machine_type: bench\nversion: 1\ntitle: Bench\nmanufacturer: acme\nsignals:\n{signals}")
    plant = folder / "plant.yaml"
    twins = "".join(f"  m{i:05}: {{type: bench@1, owner: acme, commissioned: 2020-01-01}}\n" for i in range(MACHINES))
    plant.write_text(f"plant: bench\nparties:\n  acme: {{name: Acme, kind: manufacturer}}\ntwins:\n{twins}")
    return ["--plant", str(kind), "--plant", str(plant)]


def ends_of(node: Node, samples: dict[str, list[float]]) -> str:
    """What the broker and the workers said last, and how large they were."""
    broker = (node.data / "bus" / "nats.log").read_text("utf-8", "replace")[-3000:]
    sizes = {name: found[-1] for name, found in samples.items()}
    return f"{sizes}\n-- nats.log\n{broker}\n{node.logs()}"


def test_memory_of_each_process_is_flat_at_70_percent_of_the_measured_rate(
    node_factory: Callable[..., Node], tmp_path: Path
) -> None:  # fmt: skip
    generator = tmp_path / "loadgen"
    subprocess.run(["cc", "-O2", "-pthread", "-o", generator, ROOT / "benchmarks" / "loadgen.c"], check=True)
    node = node_factory(*files(tmp_path))
    api = Api.of(node)
    secret = DataFolder(node.data).secret("bus")

    def load(session: str, messages: int, rate: float) -> subprocess.Popen[str]:
        command = [str(generator), "mqtt", str(node.mqtt_port()), str(messages), "-u", "servitwin", "-k", secret]
        command += ["-m", str(MACHINES), "-x", session, "-r", str(rate)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def settled() -> bool:
        cut = api.get("/cut")
        return bool(cut["committed"] == cut["received"])

    began = time.monotonic()
    # Long enough for roll-ups and compaction to take their share: a short burst would promise too much.
    first = json.loads(load("measure", 3_000_000, 0).communicate(timeout=900)[0])
    wait_for(node, "the measured load in history", 600, settled)
    rate = SHARE * first["acked"] / (time.monotonic() - began)
    before = api.get("/health")["ingest"]["messages"]
    running = load("hour", int(rate * SECONDS), rate)
    samples: dict[str, list[float]] = {}
    try:
        while running.poll() is None:
            time.sleep(max(0.5, SECONDS / 400))
            for process in api.get("/health")["processes"]:
                samples.setdefault(process["name"], []).append(process["memory_mb"])
        said = running.communicate()[0]
        assert running.returncode == 0, f"the load ended early: {said}\n{ends_of(node, samples)}"
        done: dict[str, Any] = json.loads(said)
    finally:
        running.kill()
    assert done["refused"] == 0, done
    wait_for(node, "all of it in history", 300, settled)
    assert api.get("/health")["ingest"]["messages"] - before == done["acked"], "messages were lost or doubled"
    grown = {}
    for name, sizes in samples.items():
        quarter = len(sizes) // 4
        assert quarter >= 3, f"too few samples of {name}: run for longer"
        early, late = statistics.median(sizes[quarter : 2 * quarter]), statistics.median(sizes[-quarter:])
        if late > early * GROWTH + ROOM_MB:
            grown[name] = (early, late)
    assert not grown, f"memory in MB grew from the second to the last quarter: {grown} at {rate:.0f} messages/s"
    assert all(p["restarts"] == 0 for p in api.get("/health")["processes"]), "a process died on the way"
