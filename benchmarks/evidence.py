"""Evidence: statements appended durably, proofs over a million entries, and rows bound.

Run: ``python benchmarks/evidence.py [entries] [rows]``. Everything is on the disk that the temporary folder is on; the
seed is fixed. Prints the table of docs/benchmarks.md.
"""

from __future__ import annotations

import hashlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from servitwin.engines.files.evidence_log import EvidenceLog
from servitwin.engines.files.party_keys import PartyKeyFolder
from servitwin.proof.log.catalogue import ROW, describe
from servitwin.proof.log.merkle import is_consistent, is_included, leaf_hash
from servitwin.proof.log.segment import Segment, SegmentRows
from servitwin.proof.log.statement import Subject, sign_statement, statement_bytes

T0 = 1_790_000_000_000_000_000
BATCH = 500


def seconds(what: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Wall time of a call, or the time of another clock."""
    began = clock()
    what()
    return clock() - began


def entry(keys: PartyKeyFolder, n: int) -> bytes:
    """A verdict, as long as real ones are."""
    digest = "sha256:" + hashlib.sha256(b"%d" % n).hexdigest()
    body = {
        "requirement": digest, "logic": "stl@1", "verdict": "false", "from": "2026-09-21T08:15:00.250000000Z",
        "to": "2026-09-21T08:20:00.250000000Z", "least": -1.25, "most": 2.5, "cut": {"0": n, "1": n}, "excerpt": digest,
    }  # fmt: skip
    subject = Subject(twin="019a0b5e-7c00-7000-8000-000000000001")
    return sign_statement(statement_bytes("verdict", "aurora", subject, T0 + n, body), "aurora", keys.sign)


def rows(count: int, twins: int, signals: int) -> SegmentRows:
    """Messages of machines in turn, each with all of its signals: as ingest commits them."""
    place = np.arange(count)
    message = place // signals
    random = np.random.default_rng(7)
    return SegmentRows(
        [f"019a0b5e-7c00-7000-8000-{i:012d}" for i in range(twins)], [f"spindle.signal{i}" for i in range(signals)],
        [], (message % twins).astype(np.int32), (place % signals).astype(np.int32), T0 + message * 1000, message,
        (place % signals).astype(np.int32), np.zeros(count, np.uint8), np.zeros(count, bool), random.random(count),
        np.full(count, -1, np.int32), np.full(count, -1, np.int8), np.full(count, T0, np.int64),
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    entries, count = (int(a) for a in (*sys.argv[1:], "1000000", "1000000")[:2])
    print("| what | measured | floor |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        keys = PartyKeyFolder(Path(folder) / "keys")
        log = EvidenceLog(Path(folder) / "log", ROW, describe)
        signed: list[bytes] = []
        signing = seconds(lambda: signed.extend(entry(keys, n) for n in range(10_000)), time.process_time)
        durable = seconds(lambda: [log.append(signed[k : k + BATCH]) for k in range(0, len(signed), BATCH)])
        rate = len(signed) / durable
        print(f"| statements appended durably, batches of {BATCH} (write, fdatasync, tree) | {rate:,.0f}/s | 5 000/s |")
        print(f"| statements built and signed (Ed25519) | {len(signed) / signing:,.0f} per CPU-second | |")
        filler = signed[:5000]
        while len(log) < entries:
            log.append(filler[: entries - len(log)])
        size, random = len(log), np.random.default_rng(1)
        times, inclusions = [], []
        for old in random.integers(1, size, 200).tolist():
            path: list[bytes] = []
            times.append(seconds(lambda old=old, path=path: path.extend(log.consistency(old, size))))  # type: ignore[misc]
            assert is_consistent(old, size, log.root(old), log.root(), path)
            proof: list[bytes] = []
            inclusions.append(seconds(lambda old=old, proof=proof: proof.extend(log.inclusion(old, size))))  # type: ignore[misc]
            assert is_included(leaf_hash(log.entry(old)), old, size, proof, log.root())
        worst = max(times) * 1e3
        print(f"| consistency proof over {size:,} entries, median of 200 | {statistics.median(times) * 1e3:.2f} ms | |")
        print(f"| the same, slowest | {worst:.2f} ms | under 50 ms |")
        print(f"| inclusion proof, median | {statistics.median(inclusions) * 1e3:.2f} ms | |")
        log.close()
        opening = seconds(lambda: EvidenceLog(Path(folder) / "log", ROW, describe).close())
        print(f"| opening that log | {opening * 1e3:.0f} ms | |")
    best = 0.0
    for twins, signals in ((100, 10), (1000, 5)):
        columns = rows(count, twins, signals)
        took = min(
            seconds(lambda columns=columns: Segment(columns).root, time.process_time)  # type: ignore[misc]
            for _ in range(3)
        )
        best = max(best, count / took)
        what = f"rows bound, {twins} twins of {signals} signals"
        print(f"| {what} | {count / took:,.0f} per CPU-second | 1 000 000 |")
    print(f"| memory at most | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB | |")
    if rate < 5000 or worst >= 50 or best < 1e6:
        sys.exit("below the floor")


if __name__ == "__main__":
    main()
