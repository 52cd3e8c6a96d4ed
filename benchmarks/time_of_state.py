"""Time of state: one machine of 40 000 events, and a week of a fleet by day over a real history.

Run: ``python benchmarks/time_of_state.py [machines] [events a day]``. Prints wall and CPU seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from servitwin.domain.instant import DAY
from servitwin.domain.machine_type import MachineType, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import Rows, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State
from servitwin.domain.state_time_derive import derive_states
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.account_daily import daily_states
from servitwin.usecases.registry import Registry

WORDS = {"ACTIVE": State.PRODUCING, "READY": State.STANDBY, "WAIT": State.STARVED, "STOPPED": State.PLANNED_STOP}
RULES = tuple(StateRule((SignalTest("execution", equals=(w,)),), s) for w, s in WORDS.items())
FAULT = StateRule((SignalTest("system", equals=("fault",)),), State.FAILED)
SIGNALS = (SignalDefinition("execution", "text"), SignalDefinition("system", "condition"))
ONE_WORD = MachineType("word", 1, signals=SIGNALS, states=StateMapping(RULES, "execution", ("execution",)))
SEVERAL = MachineType("several", 1, signals=SIGNALS, states=StateMapping((FAULT, *RULES), "execution", ("execution",)))
START = 20_000 * DAY
DAYS = 7


def timed(label: str, work: Callable[[], object]) -> None:
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        print(f"{label}: {time.perf_counter() - wall:.3f} s wall, {time.process_time() - cpu:.3f} s CPU")


def one_machine(events: int) -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.choice(DAY, events, replace=False)).astype(np.int64)
    words = [list(WORDS)[n] for n in rng.integers(0, len(WORDS), events)]
    series = {"execution": Series("m", "execution", times, None, words, None, np.zeros(events, np.uint8), {})}
    timed(f"one machine, {events} events", lambda: derive_states(SEVERAL, series, (), 0, DAY))


def fleet(machine_type: MachineType, machines: int, events: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/records.db"
        migrate(url)
        records = SqlRecords(url)
        records.add_machine_type(machine_type)
        twins = [
            Twin(f"u{n:05}", f"m-{n}", "machine", type=(Dated(machine_type.reference, 0),)) for n in range(machines)
        ]
        for twin in twins:
            records.save_twin(twin)
        registry = Registry(records)
        writer = DeltaWriter(folder / "history", shard=0, now=lambda: START)
        for day in range(DAYS):
            writer.commit([a_day(twins, events, day)], [], {"S/1/0": day}, {})
        reader = DuckReader(
            folder / "history", shards=(), define=lambda uid, signal: registry.signals(uid, START).get(signal)
        )
        label = f"{machines} machines, {events} events a day, {DAYS} days, mapping {machine_type.name}"
        timed(label, lambda: daily_states(reader, registry, records, twins, START, START + DAYS * DAY))


def a_day(twins: list[Twin], events: int, day: int) -> Rows:
    rng = np.random.default_rng(day)
    count = len(twins) * events
    moments = np.sort(rng.integers(0, DAY, (len(twins), events)), axis=1).ravel()
    return Rows(
        [t.uid for t in twins],
        ["execution"],
        np.repeat(np.arange(len(twins), dtype=np.int32), events),
        np.zeros(count, np.int32),
        START + day * DAY + moments,
        np.full(count, START, np.int64),
        np.full(count, np.nan),
        [list(WORDS)[n] for n in rng.integers(0, len(WORDS), count)],
        None,
        np.zeros(count, np.uint8),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int32),
        np.full(count, day, np.int64),
        np.arange(count, dtype=np.int32),
    )


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:]]
    machines, events = [*numbers, *(1000, 100)[len(numbers) :]]
    one_machine(40_000)
    fleet(ONE_WORD, machines, events)
    fleet(SEVERAL, machines, events)
