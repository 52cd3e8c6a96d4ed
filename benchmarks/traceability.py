"""Traceability: genealogy of one part and recall of a batch of 10 000 parts, among a million parts.

Run: ``python benchmarks/traceability.py [parts]``. Parts are made of batches of 10 000, cut by tools that last 500
parts, measured (three features) and packed by 24; two machines, one owner; the caller is a person of the owner's
party, so that every right is looked up. Records are SQLite on the local disk, as a node has them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from servitwin.domain.instant import NS
from servitwin.domain.kept_trace import KeptTrace, ObjectQuery
from servitwin.domain.party import Actor, Party
from servitwin.domain.trace_event import Measure, TraceEvent, Used
from servitwin.domain.trace_id import batch_id, part_id
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.authorise import Authoriser
from servitwin.usecases.registry import Registry
from servitwin.usecases.trace_parts import TraceParts
from servitwin.usecases.trace_sight import TraceSight

PARTS, BATCH, TOOL, BOX, LOT = 1_000_000, 10_000, 500, 24, 2_000
T0 = 1_700_000_000 * NS
ME = Actor("paula", "person", "kivi", ("production_manager",))


def traces(first: int, count: int, rng: Random) -> list[KeptTrace]:
    found = []
    for i in range(first, first + count):
        twin = f"mill-{i % 2 + 1}"
        used = (Used(batch_id(f"H-{i // BATCH:05d}"), "batch", 1.0), Used(part_id(f"T-{i // TOOL:05d}"), "tool"))
        measures = tuple(
            Measure(n, 25 + rng.gauss(0, 0.004), "mm", 24.98, 25.02, 25.0) for n in ("bore", "length", "face")
        )
        event = TraceEvent(
            "made", T0 + i * NS, (part_id(f"p-{i:07d}"),), inputs=used, place=twin, product="lid", program="O1001",
            role="operator", settings={"feed.override": 100.0}, measures=measures,
        )  # fmt: skip
        found.append(KeptTrace(event, f"uid-{twin}", "kivi", "", event.time))
    for box in range((first + BOX - 1) // BOX, (first + count) // BOX):
        inside = tuple(part_id(f"p-{i:07d}") for i in range(box * BOX, box * BOX + BOX) if first <= i < first + count)
        if inside:
            event = TraceEvent(
                "packed", T0 + box * BOX * NS + NS, inside, parent=part_id(f"box-{box:06d}"), place="mill-1"
            )
            found.append(KeptTrace(event, "uid-mill-1", "kivi", "", event.time))
    return found


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time, ms."""
    begin, cpu = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - cpu)


def shown(times: tuple[float, float]) -> str:
    return f"{times[0]:.1f} ms ({times[1]:.1f} ms)"


def run(parts: int = PARTS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/records.db"
        migrate(url)
        records = SqlRecords(url)
        records.save_party(Party("kivi", "Kivi"))
        for n in (1, 2):
            records.save_twin(Twin(f"uid-mill-{n}", f"mill-{n}", "machine", owner=(Dated("kivi", 0),)))
        registry = Registry(records)
        authoriser = Authoriser(registry, records, lambda: "kivi", time.time_ns)
        rng, begin, spent = Random(7), time.perf_counter(), time.process_time()
        for first in range(0, parts, LOT):
            records.add_traces(traces(first, min(LOT, parts - first), rng))
        seconds, cpu = time.perf_counter() - begin, time.process_time() - spent
        size = sum(p.stat().st_size for p in Path(folder).iterdir()) / 1e6

        def ask() -> TraceParts:
            return TraceParts(records, TraceSight(authoriser, registry, ME))

        ask().life(part_id("p-0000000"))  # the policies are read once
        lives = sorted(timed(lambda: ask().life(part_id(f"p-{rng.randrange(parts):07d}"))) for _ in range(200))
        batches = max(1, parts // BATCH)
        recalls = [timed(lambda: ask().recall([batch_id(f"H-{rng.randrange(batches):05d}")])) for _ in range(5)]
        found = ask().recall([batch_id("H-00000")])
        made = sum(o.object.kind == "part" for o in found.objects)
        assert made == min(BATCH, parts), made
        begin_at = T0 + parts // 2 * NS
        hour = timed(lambda: ask().recall_interval("uid-mill-1", begin_at, begin_at + 3600 * NS))
        search = timed(lambda: ask().find(ObjectQuery(None, {}, name=f"p-{parts // 3:07d}"[:-2])))
        newest = timed(lambda: ask().find(ObjectQuery(None, {}, limit=200)))
        records.close()
    print(f"| {parts} parts, {size:.0f} MB | wall (processor) |")
    print("| --- | --- |")
    taken = parts + parts // BOX
    print(f"| events taken | {taken / seconds:.0f}/s ({taken / cpu:.0f}/s of processor time) |")
    print(f"| genealogy of one part, median of 200 | {shown(lives[100])} |")
    print(f"| the slowest of 200 | {shown(lives[-1])} |")
    print(f"| recall of a batch, {made} parts and their boxes, slowest of 5 | {shown(max(recalls))} |")
    print(f"| recall of a machine's hour | {shown(hour)} |")
    print(f"| search by the beginning of a serial number | {shown(search)} |")
    print(f"| newest 200 parts | {shown(newest)} |")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else PARTS)
