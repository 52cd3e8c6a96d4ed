"""Killed with SIGKILL at any moment, history has every committed sequence once and goes on where it was."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servitwin.engines.history import DeltaWriter, DuckReader, compact, roll_up

T0 = 1_789_948_800_000_000_000
APP = "S/1/0"
WRITE = """
import sys, time
import numpy as np
from servitwin.domain.observation import Quarantined, Rows
from servitwin.engines.history import DeltaWriter
writer = DeltaWriter(sys.argv[1], shard=0, now=time.time_ns)
while True:
    first = writer.position("S/1/0") + 1
    seq = np.arange(first, first + 1 + first % 5, dtype=np.int64)
    n, time_ = len(seq), T0 + seq * 10**9
    ones = np.zeros(n, dtype=np.int32)
    rows = Rows(["t"], ["s"], ones, ones, time_, time_, seq + 0.5, None, None, ones.astype(np.uint8),
                ones.astype(bool), ones, seq, ones)
    bad = [Quarantined(0, int(s), 1, T0, "x", "t", "a:b", "m") for s in seq]
    writer.commit([rows], bad, {"S/1/0": int(seq[-1])}, {"n": str(first)})
    print(int(seq[-1]), flush=True)
""".replace("T0", str(T0))
KEEP = """
import sys, time
from servitwin.engines.history import compact, roll_up
while True:
    roll_up(sys.argv[1], now=time.time_ns)
    compact(sys.argv[1], now=time.time_ns, fewest=2)
    print("kept", flush=True)
"""


@pytest.mark.crash
def test_history_survives_kills_of_writer_and_keeper(tmp_path: Path) -> None:
    chance = random.Random(7)
    told = -1
    for _ in range(3):
        children = [
            subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
            for code in (WRITE, KEEP)
        ]
        assert all(c.stdout is not None and c.stdout.readline() for c in children)
        time.sleep(chance.uniform(0.1, 1.0))
        for child in children:
            child.kill()
        written = children[0].communicate()[0].split()
        children[1].communicate()
        told = int(written[-1]) if written and written[-1].isdecimal() else told
        position = DeltaWriter(tmp_path, shard=0, now=time.time_ns).position(APP)
        assert position >= told, "what was told to be committed is there"
        reader = DuckReader(tmp_path)
        series = reader.series("t", "s", T0, T0 + 10**15)
        assert series.time.tolist() == [T0 + s * 10**9 for s in range(position + 1)], "each sequence once"
        assert reader.changed_since({}) == {"t": (T0, T0 + position * 10**9)}
    roll_up(tmp_path, now=time.time_ns)
    compact(tmp_path, now=time.time_ns, fewest=2)
    reader = DuckReader(tmp_path)
    counts = reader.downsample([("t", "s")], T0, T0 + 2 * 3600 * 10**9, 3600 * 10**9, ["count", "sum"])["t", "s"]
    assert sum(b.count for b in counts["count"]) == position + 1
    assert sum(b.value or 0 for b in counts["sum"]) == sum(s + 0.5 for s in range(position + 1))
    assert sum(reader.quarantine_counts().values()) - (position + 1) in range(6), "at most one batch ahead of the rows"
