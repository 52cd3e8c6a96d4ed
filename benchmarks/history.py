"""History at size: load, roll-ups, compaction, and the queries of the pages. Prints one table.

    python benchmarks/history.py [--rows 10] [--folder build/history]

``--rows`` in millions, spread over 1000 machines with five signals each (four numbers, one state) and seven days. The
tables are built once, through the same writer, roll-ups and compaction as in operation, and kept in the folder.
Seconds are CPU seconds of this process for the build, wall-clock milliseconds (median and slowest of 9)
for queries, and the CPU time of all threads, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.observation import Rows
from servitwin.engines.history import DeltaWriter, DuckReader, compact, roll_up, vacuum

MACHINES, DAYS = 1000, 7
SIGNALS = ["temperature", "power", "load", "speed", "state"]
STATES = ["ACTIVE", "READY", "INTERRUPTED", "STOPPED"]
T0 = 1_789_948_800_000_000_000  # 2026-09-21T00:00:00Z
TWINS = [f"01990000-0000-7000-8000-{i * 7919 % 10**12:012d}" for i in range(MACHINES)]
APP = "SERVITWIN/1/1"


def batches(rows: int) -> Iterator[Rows]:
    """One batch an hour, in order of time, as ingest would hand them over."""
    hours = DAYS * 24
    samples = rows // (MACHINES * len(SIGNALS) * hours)
    rng = np.random.default_rng(7)
    n = samples * MACHINES * len(SIGNALS)
    words = np.array(STATES, dtype=object)
    for hour in range(hours):
        k = np.arange(samples * MACHINES)
        sample, machine = k // MACHINES, k % MACHINES
        at = T0 + hour * HOUR + sample * (HOUR // samples) + machine * 1_000_000
        state = (np.sin((hour * 60 + sample * 60 / samples) / 95 + machine) > 0.3).astype(int) + (
            rng.random(len(k)) < 0.01
        )
        number = np.empty((len(k), 5))
        number[:, 0] = np.round(65 + 8 * np.sin(at / 6e12 + machine) + rng.normal(0, 0.3, len(k)), 2)
        number[:, 1] = np.round(np.where(state == 0, 12 + rng.normal(0, 0.6, len(k)), 0.8), 2)
        number[:, 2] = np.round(np.where(state == 0, 60 + rng.normal(0, 9, len(k)), 0), 1)
        number[:, 3] = np.where(state == 0, 8000, 0)
        number[:, 4] = np.nan
        text = np.full((len(k), 5), None, dtype=object)
        text[:, 4] = words[state]
        times = np.repeat(at, 5)
        yield Rows(
            twins=TWINS,
            signals=SIGNALS,
            twin=np.repeat(machine, 5).astype(np.int32),
            signal=np.tile(np.arange(5, dtype=np.int32), len(k)),
            time=times,
            received=times + 3_000_000,
            number=number.ravel(),
            text=text.ravel().tolist(),
            flag=None,
            quality=np.zeros(n, dtype=np.uint8),
            replayed=np.zeros(n, dtype=np.bool_),
            shard=np.ones(n, dtype=np.int32),
            seq=np.repeat(1 + hour * len(k) + k, 5),
            idx=np.tile(np.arange(5, dtype=np.int32), len(k)),
        )


def build(folder: Path, rows: int) -> dict[str, float]:
    work = folder.with_name(folder.name + ".building")
    shutil.rmtree(work, ignore_errors=True)
    writer = DeltaWriter(work, shard=1, now=time.time_ns)
    spent, written = {"load": 0.0, "roll up": 0.0, "compact": 0.0}, 0
    for batch in batches(rows):
        start = time.process_time()
        writer.commit([batch], [], {APP: int(batch.seq[-1])}, {})
        spent["load"] += time.process_time() - start
        written += len(batch)
    for name, step in (("roll up", roll_up), ("compact", compact)):
        start = time.process_time()
        step(work, now=time.time_ns)
        spent[name] = time.process_time() - start
    vacuum(work, grace_hours=0)
    (work / "about.json").write_text(json.dumps({"rows": written, **spent}))
    work.rename(folder)
    return {"rows": written, **spent}


def measure(work: Callable[[], object], times: int = 9) -> tuple[float, float, float]:
    took = []
    cpu = time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took), max(took), (time.process_time() - cpu) * 1e3 / times


def size(folder: Path) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*.parquet")) / 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=float, default=10, help="million rows")
    options.add_argument("--folder", type=Path, default=Path("build/history"))
    chosen = options.parse_args()
    folder = chosen.folder.with_name(f"{chosen.folder.name}-{chosen.rows:g}M")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        build(folder, int(chosen.rows * 1e6))
    about = json.loads((folder / "about.json").read_text())
    print(f"{about['rows'] / 1e6:.1f} million rows, {MACHINES} machines, {len(SIGNALS)} signals each, {DAYS} days")
    for step in ("load", "roll up", "compact"):
        print(f"  {step:<28}{about[step]:8.1f} CPU s {about['rows'] / about[step] / 1e6:6.2f} M rows/CPU s")
    for table in ("observations", "rollups"):
        print(f"  {table:<28}{size(folder / table):8.1f} MB")
    start = time.perf_counter()
    reader = DuckReader(folder)
    reader.last()
    print(f"  {'open and first answer':<28}{(time.perf_counter() - start) * 1e3:8.1f} ms")
    one, middle = (TWINS[42], "temperature"), T0 + 3 * DAY
    states = [(twin, "state") for twin in TWINS]
    zoom = middle + HOUR // 2
    queries: dict[str, Callable[[], object]] = {
        "last of every machine": reader.last,
        "last of one machine": lambda: reader.last([TWINS[42]]),
        "one signal a day by hour": lambda: reader.downsample(
            [one], middle, middle + DAY, HOUR, ["mean", "min", "max"]
        ),
        "the same, time-weighted": lambda: reader.downsample([one], middle, middle + DAY, HOUR, ["tw_mean"]),
        "one signal a day, raw": lambda: reader.series(*one, middle, middle + DAY),
        "one signal, 5 min by 1 s": lambda: reader.downsample([one], zoom, zoom + HOUR // 12, 10**9, ["mean"]),
        "one machine a day, all raw": lambda: reader.many_series(
            [(TWINS[42], s) for s in SIGNALS], middle, middle + DAY, before=True
        ),
        "one state a week, times by day": lambda: reader.durations([states[42]], T0, T0 + DAYS * DAY, DAY),
        "fleet state times by day": lambda: reader.durations(states, T0, T0 + DAYS * DAY, DAY),
        "fleet state times by hour": lambda: reader.durations(states, T0, T0 + DAYS * DAY, HOUR),
    }
    print(f"  {'query (ms)':<32}{'median':>9}{'slowest':>9}{'CPU':>9}")
    for name, work in queries.items():
        median, slowest, cpu = measure(work)
        print(f"  {name:<32}{median:9.1f}{slowest:9.1f}{cpu:9.1f}")
    memory = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(f"  peak memory of this process {memory:.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
