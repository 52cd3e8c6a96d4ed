"""A fleet scored for anomalies, from history to outcomes: every machine one step of five minutes, on one core.

Run: ``python benchmarks/anomaly_fleet.py [--machines 10000]``. Real tables (Delta history, SQLite records), the real
runner and service; each machine has eight numeric signals every 30 s and a model that it has learnt before. What is
made first (history, twins, models) is not counted.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np

from servitwin.bootstrap.service_host import step_here
from servitwin.domain.instant import MINUTE
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation, Rows
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.discovery import plugins
from servitwin.sdk.service import TwinView
from servitwin.usecases.assign_service import Assignment, keep_assignments
from servitwin.usecases.keep_findings import KeepFindings
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_service import RunServices
from servitwin.usecases.service_ports import StepRequest, StepResult

T0 = 1_789_948_800_000_000_000  # 2026-09-21T00:00:00Z
SIGNALS = tuple(f"s{i}" for i in range(8))
EVERY = 30_000_000_000
PARAMETERS = {"every": "1m", "learn": "40m"}
TYPE = MachineType("probe", 1, signals=tuple(SignalDefinition(n, unit="1") for n in SIGNALS))
APP = "SERVITWIN/1/1"


class Host:
    """The service in this process, as the node runs what is its own."""

    def __init__(self) -> None:
        self._plugin = next(p for p in plugins("service") if p.name == "anomaly")
        self._manifests = {"anomaly": self._plugin.manifest}

    def manifests(self):
        return self._manifests

    def lane(self, service: str) -> str:
        return ""

    def check(self, service: str, parameters):
        return []

    def step(self, service: str, request: StepRequest) -> StepResult:
        return step_here(self._plugin.evaluator(), request)


def uid(number: int) -> str:
    return f"01990000-0000-7000-8000-{number:012d}"


def learnt(host: Host) -> bytes:
    """A snapshot just after learning."""
    rng = np.random.default_rng(3)
    begin = T0 - 41 * MINUTE
    rows = {
        name: [Observation(begin + k * EVERY, float(v), seq=k) for k, v in enumerate(50 + rng.standard_normal(82))]
        for name in SIGNALS
    }
    view = TwinView(Twin(uid(0), "m-0", "machine"), TYPE)
    return host.step("anomaly", StepRequest(view, PARAMETERS, None, rows, T0)).snapshot


def fill(folder: Path, machines: int) -> None:
    """Ten minutes of every signal of every machine."""
    writer = DeltaWriter(folder, shard=1, now=time.time_ns)
    rng = np.random.default_rng(5)
    seq = 0
    for first in range(0, machines, 1000):
        twins = [uid(i) for i in range(first, min(first + 1000, machines))]
        k = np.arange(len(twins) * 20)
        n, d = len(k) * len(SIGNALS), len(SIGNALS)
        times = np.repeat(T0 + (k // len(twins)) * EVERY, d)
        batch = Rows(
            twins=twins, signals=list(SIGNALS), twin=np.repeat(k % len(twins), d).astype(np.int32),
            signal=np.tile(np.arange(d, dtype=np.int32), len(k)), time=times, received=times,
            number=50 + rng.standard_normal(n), text=None, flag=None, quality=np.zeros(n, np.uint8),
            replayed=np.zeros(n, np.bool_), shard=np.ones(n, np.int32), seq=np.repeat(seq + 1 + k, d),
            idx=np.tile(np.arange(d, dtype=np.int32), len(k)),
        )  # fmt: skip
        seq += len(k)
        writer.commit([batch], [], {APP: seq}, {})


def fleet(machines: int, folder: Path) -> None:
    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    records, host = SqlRecords(url), Host()
    snapshot = learnt(host)
    version = host.manifests()["anomaly"].version
    with records.together():
        records.add_machine_type(TYPE)
        for i in range(machines):
            records.save_twin(Twin(uid(i), f"m-{i}", "machine", type=(Dated("probe@1", 0),)))
            key = Assignment("anomaly", uid(i), T0 - 41 * MINUTE, PARAMETERS).parameters_key
            records.save_outcome("anomaly", version, uid(i), key, T0 - 41 * MINUTE, T0, 0, "{}", b"{}", snapshot)
    keep_assignments(records, [Assignment("anomaly", uid(i), T0 - 41 * MINUTE, PARAMETERS) for i in range(machines)])
    fill(folder / "history", machines)
    registry = Registry(records)
    ids = itertools.count()
    history = DuckReader(folder / "history")
    findings = KeepFindings(registry, records, lambda: f"c{next(ids)}")
    runner = RunServices(history, records, registry, host, findings, lambda *_: None)
    rounds = (
        ("first step after a start", T0 + 6 * MINUTE),
        ("the next step", T0 + 11 * MINUTE),
        ("nothing due", T0 + 12 * MINUTE),
    )
    for name, now in rounds:
        wall, cpu = time.perf_counter(), time.process_time()
        steps = runner.advance(now)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"| {machines} machines, {name}: {steps} steps | {wall:.1f} s | {cpu:.1f} s |", flush=True)
    assert not runner.failures, next(iter(runner.failures.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=10_000)
    wanted = parser.parse_args().machines
    print("| fleet scored for anomalies, history to outcomes | wall clock | CPU |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as made:
        fleet(wanted, Path(made))
