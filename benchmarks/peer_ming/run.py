"""Drive Mosquitto, Node-RED and InfluxDB with the load that ``benchmarks/ingest.py`` gives servitwin, and compare.

    python benchmarks/peer_ming/run.py --modules FOLDER [--ours] [--json]

With ``--ours`` servitwin is run right before each case, and the ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ingest as ours

# name: (protocol of ours, messages of ours, messages of the peer, samples, naive flow)
CASES = {
    "naive": ("mqtt", 100_000, 100_000, 1, True),
    "tuned": ("mqtt", 300_000, 300_000, 1, False),
    "batch": ("mqtt", 12_000, 12_000, 100, False),
}
POINT = """
const p = msg.payload, machine = msg.topic.split('/')[1], points = [];
const many = Array.isArray(p.ts) ? p.ts : null, names = Object.keys(p.values);
for (let i = 0; i < (many ? many.length : 1); i++) {
  const fields = {};
  for (const n of names) fields[n] = many ? p.values[n][i] : p.values[n];
  points.push({measurement: 'samples', tags: {machine}, fields, timestamp: new Date(many ? many[i] : p.ts)});
}
"""
NAIVE = POINT + "return points.map(x => ({payload: [{...x.fields, time: x.timestamp}, x.tags]}))[0];"
BUFFERED = (
    POINT
    + """
const queue = context.get('queue') || [];
queue.push(...points);
const send = () => { const q = context.get('queue'); context.set('queue', []); if (q.length) node.send({payload: q}); };
context.set('queue', queue);
if (queue.length >= 5000) send();
else if (!context.get('timer')) context.set('timer', setTimeout(() => { context.set('timer', null); send(); }, 1000));
return null;
"""
)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Stack:
    """The three programs in one folder."""

    def __init__(self, folder: Path, modules: Path, *, naive: bool) -> None:
        self.folder = folder
        self.mqtt, self.influx, backup = free_port(), free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "nodered").mkdir(parents=True)
        (folder / "mosquitto.conf").write_text(
            f"listener {self.mqtt} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n"
        )
        (folder / "influx.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{backup}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\nindex-version = "tsi1"\n'
            "cache-max-memory-size = 4294967296\n[monitor]\nstore-enabled = false\n"
            f'[http]\nbind-address = "127.0.0.1:{self.influx}"\nlog-enabled = false\n'
        )
        (folder / "nodered" / "settings.js").write_text(
            "module.exports = {flowFile: 'flows.json', disableEditor: true, httpAdminRoot: false, uiHost: '127.0.0.1', "
            f"uiPort: {free_port()}, logging: {{console: {{level: 'info'}}}}}};"
        )
        (folder / "nodered" / "flows.json").write_text(json.dumps(self._flows(naive)))
        (folder / "nodered" / "node_modules").symlink_to(modules / "node_modules")
        self._modules = modules

    def _flows(self, naive: bool) -> list[dict[str, Any]]:
        host = {"hostname": "127.0.0.1", "port": str(self.influx), "protocol": "http", "database": "bench"}
        broker = {"broker": "127.0.0.1", "port": str(self.mqtt), "clientid": "nodered", "protocolVersion": "4"}
        topic = {"topic": "servitwin/+/observations", "qos": "1", "datatype": "json"}
        out = {"measurement": "samples", "precision": "ms", "database": "bench", "wires": []}
        # ids must not be words that occur as values: Node-RED takes every such value for a reference
        return [
            {"id": "id-0", "type": "tab", "label": "bench"},
            {
                "id": "id-1",
                "type": "mqtt-broker",
                "autoConnect": True,
                "keepalive": "60",
                "cleansession": True,
                **broker,
            },
            {
                "id": "id-2",
                "type": "influxdb",
                **host,
                "influxdbVersion": "1.x",
                "url": f"http://127.0.0.1:{self.influx}",
            },
            {"id": "id-3", "type": "mqtt in", "z": "id-0", "broker": "id-1", "wires": [["id-4"]], **topic},
            {
                "id": "id-4",
                "type": "function",
                "z": "id-0",
                "func": NAIVE if naive else BUFFERED,
                "outputs": 1,
                "wires": [["id-5"]],
            },
            {
                "id": "id-5",
                "type": "influxdb out" if naive else "influxdb batch",
                "z": "id-0",
                "influxdb": "id-2",
                **out,
            },
        ]

    def start(self) -> None:
        self._run(["mosquitto", "-c", str(self.folder / "mosquitto.conf")], "mosquitto")
        self._run(["influxd", "-config", str(self.folder / "influx.conf")], "influx")
        until(lambda: self.query("create database bench") is not None, 30, "InfluxDB")
        red = self._modules / "node_modules" / "node-red" / "red.js"
        user = self.folder / "nodered"
        self._run(
            ["node", "--max-old-space-size=4096", str(red), "-u", str(user), "-s", str(user / "settings.js")], "nodered"
        )
        log = self.folder / "nodered.log"
        until(lambda: b"Connected to broker" in log.read_bytes(), 60, "Node-RED")
        time.sleep(1)

    def _run(self, command: list[str], name: str) -> None:
        path = os.environ["PATH"] + ":/usr/sbin"
        with (self.folder / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "PATH": path})
            )

    def query(self, text: str) -> Any:
        url = f"http://127.0.0.1:{self.influx}/query?db=bench&q={urllib.parse.quote(text)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as answer:
                return json.loads(answer.read())
        except (urllib.error.URLError, OSError):
            return None

    def points(self) -> int:
        answer = self.query("select count(total) from samples")
        series = answer["results"][0].get("series") if answer else None
        return int(series[0]["values"][0][1]) if series else 0

    def stop(self) -> None:
        for p in reversed(self._processes):
            p.terminate()
        for p in self._processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def until(condition: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not get ready")
        time.sleep(0.1)


def run_peer(
    generator: Path, folder: Path, modules: Path, messages: int, samples: int, *, naive: bool
) -> dict[str, Any]:
    """One run: from the first message until all points can be queried, or nothing more comes."""
    stack = Stack(folder, modules, naive=naive)
    try:
        stack.start()
        start = time.monotonic()
        command = [str(generator), "mqtt", str(stack.mqtt), str(messages), "-s", str(samples), "-m", str(ours.MACHINES)]
        subprocess.run([*command, "-f", "plain"], check=True, capture_output=True)
        wanted, seen, moved = messages // 4 * 4 * samples, 0, time.monotonic()
        while seen < wanted and time.monotonic() - moved < 15:
            time.sleep(0.2)
            now = stack.points()
            if now > seen:
                seen, moved = now, time.monotonic()
        seconds = moved - start
    finally:
        stack.stop()
    return {
        "messages_per_s": round(seen / samples / seconds),
        "values_per_s": round(seen * 8 / seconds),
        "seconds": round(seconds, 2),
        "lost_points": wanted - seen,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=Path, required=True, help="folder with node_modules of Node-RED")
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if shutil.which("influxd") is None:
        sys.exit("influxd was not found: install the Debian package influxdb")
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        generator = ours.build_generator(Path(scratch))
        records = ours.registered(Path(scratch) / "records") if options.ours else None
        for name, (protocol, our_messages, messages, samples, naive) in CASES.items():
            if options.only not in (None, name):
                continue
            r: dict[str, Any] = {}
            if records is not None:
                r["servitwin"] = ours.run(
                    generator, records, Path(scratch) / f"ours-{name}", protocol, our_messages, samples
                )
            modules = options.modules.resolve()
            r["peer"] = run_peer(generator, Path(scratch) / f"peer-{name}", modules, messages, samples, naive=naive)
            if records is not None:
                r["ratio"] = round(r["servitwin"]["values_per_s"] / max(r["peer"]["values_per_s"], 1), 1)
            results[name] = r
            if not options.json:
                print(name, json.dumps(r), flush=True)
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
