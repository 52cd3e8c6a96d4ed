"""Settlement: a year of a thousand machines with ten thousand intervals each, and one machine's intervals as JSON.

Run: ``python benchmarks/settlement.py [machines] [intervals]``. Prints wall seconds; the seed is fixed.
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal

import msgspec
import numpy as np

from servitwin.domain.contract import Contract, Guarantee, Price, StepBand
from servitwin.domain.contract_period import Period, periods
from servitwin.domain.settlement import MachineFacts, settle
from servitwin.domain.state_time import State
from servitwin.domain.time_table import STATES, TimeTable
from servitwin.formats.settlement_document import interval_rows

WORDS = (State.PRODUCING, State.FAILED, State.STANDBY, State.UNKNOWN)
SHARES = (0.7, 0.05, 0.2, 0.05)


def table(period: Period, count: int, random: np.random.Generator) -> TimeTable:
    """A year of one machine: states at random, a third of the stops on each side, a third on nobody's."""
    inner = np.sort(random.integers(period.start, period.end, count - 1))
    edges = np.concatenate([[period.start], inner, [period.end]])
    nothing = np.zeros(count, np.int32)
    states = np.array([STATES.index(s) for s in WORDS], np.int32)[random.choice(len(WORDS), count, p=SHARES)]
    party = random.integers(0, 3, count).astype(np.int32)
    return TimeTable(edges[:-1], edges[1:], states, nothing, party, nothing, nothing, ("", "maker", "plant"))


def main() -> None:
    """Print the table."""
    machines, count = (int(a) for a in (*sys.argv[1:], "1000", "10000")[:2])
    band = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
    contract = Contract(
        "bench", 1, "Bench", "maker", "plant", tuple(f"m{i}" for i in range(machines)), "2026-01-01", "2027-01-01",
        "Europe/Helsinki", "EUR", Price(Decimal(48_000_000)), Guarantee(Decimal(98), band, settle="year"),
    )  # fmt: skip
    period = periods(contract)[0]
    random = np.random.default_rng(1)
    facts = [MachineFacts(m, table(period, count, random)) for m in contract.machines]
    began = time.perf_counter()
    settled = settle(contract, period, facts, [], [])
    took = time.perf_counter() - began
    began = time.perf_counter()
    rows = msgspec.json.encode(interval_rows(settled.machines[0].time))
    written = time.perf_counter() - began
    print("| work | seconds |\n| --- | --- |")
    print(f"| settle a year of {machines} machines x {count} intervals | {took:.2f} |")
    print(f"| intervals of one machine as JSON ({len(rows) / 1e6:.1f} MB) | {written:.3f} |")


if __name__ == "__main__":
    main()
