"""Ready time of a warm start and idle memory of all processes, with 1 000 twins that have told a day of values.

usage: node.py [TWINS] [--runs N] [--rest SECONDS]

Every twin has sent values before the warm starts, so that history, live state, states and levels are those of a plant
that works. Memory is read ``--rest`` seconds after ready, with nothing coming in: PSS (pages that processes share are
counted once over all of them, which is what the machine has to give) and RSS (each counts them whole).
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

TYPE = """machine_type: probe
version: 1
title: Probe
signals:
  execution: {type: text, reporting: {mode: on-change, max_gap: 1m}}
  temperature: {unit: Cel, reporting: {mode: periodic, max_gap: 10s}}
states:
  word: execution
  needs: [execution]
  rules: [{when: {execution: {equals: ACTIVE}}, state: producing}]
  otherwise: standby
"""


def plant(folder: Path, twins: int) -> list[str]:
    """Arguments of ``serve`` for a plant of twins ``m00000`` ... of one type."""
    lines = ["plant: bench", "parties: {maker: {name: Maker, kind: manufacturer}}", "twins:"]
    lines += [f"  m{i:05d}: {{type: probe@1, serial: S{i:05d}, owner: maker}}" for i in range(twins)]
    (folder / "probe.yaml").write_text(TYPE)
    (folder / "plant.yaml").write_text("\n".join(lines) + "\n")
    return ["--plant", str(folder / "probe.yaml"), "--plant", str(folder / "plant.yaml")]


def start(data: Path, *more: str) -> tuple[subprocess.Popen[str], float]:
    """Start a node; seconds until its first line."""
    command = [sys.executable, "-m", "servitwin.bootstrap", "serve", "--json", "--data", str(data)]
    began = time.monotonic()
    node = subprocess.Popen(
        [*command, "--port", "0", "--mqtt-port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert node.stdout is not None
    node.stdout.readline()
    return node, time.monotonic() - began


def stop(node: subprocess.Popen[str]) -> None:
    node.send_signal(signal.SIGINT)
    node.wait(60)


def memory_mb(pid: int) -> tuple[float, float]:
    """PSS and RSS of a process."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    found = {words[0]: int(words[1]) / 1024 for words in lines}
    return found["Pss:"], found["Rss:"]


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far, children that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15]) / 100


def fill(data: Path, twins: int) -> None:
    """Every twin tells a day of temperatures and states, at once, and all is stored."""
    address = json.loads((data / "run" / "address.json").read_text())
    now = time.time_ns()
    times = [now - k * 3600 * 10**9 for k in reversed(range(24))]
    values = {"temperature": [20.0 + k for k in range(24)], "execution": ["ACTIVE", "READY"] * 12}
    payload = json.dumps({"times": times, "values": values}).encode()
    for i in range(twins):
        post(address, f"/api/v1/twins/m{i:05d}/observations", payload)
    while True:
        cut = ask(address, "/api/v1/cut")
        if cut["committed"] == cut["received"]:
            return
        time.sleep(0.2)


def post(address: dict[str, Any], path: str, payload: bytes) -> None:
    """Send JSON to the node."""
    head = {"Authorization": f"Bearer {address['token']}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address["web"] + path, payload, head), timeout=30):
        pass


def ask(address: dict[str, Any], path: str) -> Any:
    """JSON of the node."""
    head = {"Authorization": f"Bearer {address['token']}"}
    with urllib.request.urlopen(urllib.request.Request(address["web"] + path, headers=head), timeout=30) as answer:
        return json.load(answer)


def until_levels(data: Path, twins: int, patience_s: float = 300.0) -> float:
    """Seconds until every twin has a level on record; ``patience_s`` if that takes longer."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < patience_s:
        with sqlite3.connect(data / "records.db") as records:
            if records.execute("SELECT count(DISTINCT twin) FROM levels WHERE subject = ''").fetchone()[0] >= twins:
                break
        time.sleep(0.1)
    return passed


def processes(node: subprocess.Popen[str], data: Path) -> dict[str, int]:
    """Ids of the supervisor and all of its children by name."""
    children = json.loads((data / "run" / "children.json").read_text())
    return {"supervisor": node.pid, **{c["name"]: c["pid"] for c in children}}


def table(parts: dict[str, float]) -> str:
    """A sum with its parts, in MB."""
    return f"{sum(parts.values()):.0f} MB ({', '.join(f'{name} {mb:.0f}' for name, mb in sorted(parts.items()))})"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("twins", type=int, nargs="?", default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rest", type=float, default=75.0)
    options = parser.parse_args()
    twins: int = options.twins
    with tempfile.TemporaryDirectory(prefix="servitwin-bench-") as folder:
        data = Path(folder) / "data"
        node, cold = start(data, *plant(Path(folder), twins))
        levels = until_levels(data, twins)
        fill(data, twins)
        time.sleep(5)
        stop(node)
        warm = []
        for run in range(options.runs):
            node, seconds = start(data)
            warm.append(seconds)
            if run == options.runs - 1:
                time.sleep(options.rest)
                pids = processes(node, data)
                memory = {name: memory_mb(pid) for name, pid in pids.items()}
                spent = {name: cpu_seconds(pid) for name, pid in pids.items()}
            stop(node)
    print(f"| work, {twins} twins | at least | aim | measured |\n| --- | --- | --- | --- |")
    print(f"| first start, plant imported | | | {cold:.1f} s |")
    print(f"| from there until every twin has its level | | | {levels:.1f} s |")
    print(f"| ready, warm (median of {len(warm)}) | 5 s | 2 s | {sorted(warm)[len(warm) // 2]:.1f} s |")
    print(f"| idle memory of all processes, PSS | 450 MB | 250 MB | {table({n: m[0] for n, m in memory.items()})} |")
    print(f"| the same, RSS | | | {table({n: m[1] for n, m in memory.items()})} |")
    parts = ", ".join(f"{name} {s:.1f}" for name, s in sorted(spent.items()))
    print(f"| CPU seconds from start to {options.rest:.0f} s after ready | | | {sum(spent.values()):.1f} ({parts}) |")


if __name__ == "__main__":
    main()
