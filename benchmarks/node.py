"""Ready time of a warm start and idle memory of all processes, with 1 000 twins.

usage: node.py [TWINS]
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def proportional_mb(pid: int) -> float:
    """Memory of a process, pages shared with others counted in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    twins = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="servitwin-bench-") as folder:
        root = Path(folder)
        lines = ["plant: bench", "parties: {maker: {name: Maker, kind: manufacturer}}", "twins:"]
        lines += [f"  m{i:05d}: {{type: probe@1, serial: S{i:05d}, owner: maker}}" for i in range(twins)]
        (root / "probe.yaml").write_text(TYPE)
        (root / "plant.yaml").write_text("\n".join(lines) + "\n")
        data = root / "data"
        node, cold = start(data, "--plant", str(root / "probe.yaml"), "--plant", str(root / "plant.yaml"))
        stop(node)
        warm = []
        for _ in range(3):
            node, seconds = start(data)
            warm.append(seconds)
            time.sleep(20)
            children = json.loads((data / "run" / "children.json").read_text())
            memory = {c["name"]: proportional_mb(c["pid"]) for c in children}
            memory["supervisor"] = proportional_mb(node.pid)
            stop(node)
        print(f"| work, {twins} twins | at least | aim | measured |\n| --- | --- | --- | --- |")
        print(f"| first start, plant imported | | | {cold:.1f} s |")
        print(f"| ready, warm (median of 3) | 5 s | 2 s | {sorted(warm)[1]:.1f} s |")
        parts = ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(memory.items()))
        print(f"| idle memory of all processes | 450 MB | 250 MB | {sum(memory.values()):.0f} MB ({parts}) |")


if __name__ == "__main__":
    main()
