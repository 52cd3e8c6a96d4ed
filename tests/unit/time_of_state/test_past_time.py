"""What is kept of the past gives the same intervals as reading all of it, whatever arrives late."""

from __future__ import annotations

import random
from typing import Any

import pytest

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.observation import Cut
from servitwin.domain.state_time import Gap
from servitwin.domain.time_table import TimeTable
from servitwin.usecases.machine_time import Sources, read_machines
from servitwin.usecases.past_time import PastTime
from tests.unit.time_of_state.account_plant import DAY_START, MemoryHistory, plant

WORDS = ("ACTIVE", "READY", "STOPPED", "INTERRUPTED", "UNAVAILABLE", None)


class GrowingHistory(MemoryHistory):
    """Observations that arrive in order of a sequence; tells which twins changed since a cut."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[tuple[str, int]] = []

    def arrive(self, id: str, signal: str, time: int, value: Any) -> None:
        self.add(id, signal, (time, value))
        self.arrived.append((f"uid-{id}", time))

    def changed_since(self, cut: Cut) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for uid, time in self.arrived[cut.get(0, -1) + 1 :]:
            low, high = found.get(uid, (time, time))
            found[uid] = min(low, time), max(high, time)
        return found

    def many_series(self, wanted: Any, start: int, end: int, *, before: bool = False, cut: Cut | None = None) -> Any:
        return super().many_series(wanted, start, end, before=before, cut={0: 41})


def columns(table: TimeTable) -> list[tuple[Any, ...]]:
    names = table.names
    return [
        (a, b, s, *(names[n] for n in texts))
        for a, b, s, *texts in zip(
            table.start.tolist(), table.end.tolist(), table.state.tolist(), table.cause, table.party, table.word,
            table.reason, strict=True,
        )
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_the_past_that_is_kept_is_the_past_that_is_read(seed: int) -> None:
    rng = random.Random(seed)
    _, records, registry = plant()
    history = GrowingHistory()
    machines = [t for t in (registry.by_id("mill-1"), registry.by_id("crane-1")) if t is not None]
    definitions = [(m.id, name) for m in machines for name in registry.signals(m.uid, DAY_START)]
    past, now, start = PastTime(), DAY_START + 2 * DAY, DAY_START
    for round_ in range(30):
        for _ in range(rng.randint(0, 8)):
            id, name = rng.choice(definitions)
            late = rng.random() < 0.2
            time = now - rng.randint(0, (2 * DAY if late else HOUR))
            value: Any = rng.choice(WORDS)
            if registry.signals(f"uid-{id}", DAY_START)[name].type == "number":
                value = rng.choice([0.0, 1.0, 50.0, None])
            if registry.signals(f"uid-{id}", DAY_START)[name].type == "flag":
                value = rng.choice([True, False, None])
            if registry.signals(f"uid-{id}", DAY_START)[name].type == "condition":
                value = rng.choice(["normal||||", "fault|E1|||broken", "warning|W1|||hot", "UNAVAILABLE"])
            history.arrive(id, name, time, value)
        if rng.random() < 0.1:
            begin = now - rng.randint(HOUR, DAY)
            records.declared.setdefault("uid-mill-1", []).append(Gap(begin, begin + HOUR, "declared"))
        sources = Sources(history, registry, records, {0: len(history.arrived) - 1})  # type: ignore[arg-type]
        end = now - (rng.randint(0, DAY) if rng.random() < 0.2 else 0)
        start += rng.choice([-1, 0, 1, 1]) * rng.choice([1, MINUTE, 2 * HOUR])
        kept = past.tables(sources, machines, start, end)
        whole = read_machines(sources, machines, start, end)
        for machine in machines:
            expected = columns(TimeTable.of(whole[machine.uid].intervals))
            assert columns(kept[machine.uid]) == expected, f"{machine.id} in round {round_}"
        now += rng.choice([MINUTE, 10 * MINUTE, 5 * HOUR])


def test_who_asks_again_reads_what_is_new_alone() -> None:
    _, records, registry = plant()
    history = GrowingHistory()
    mill = registry.by_id("mill-1")
    assert mill is not None
    past, now = PastTime(), DAY_START + 30 * DAY
    sources = Sources(history, registry, records, {0: -1})  # type: ignore[arg-type]
    past.tables(sources, [mill], DAY_START, now)
    history.reads.clear()
    past.tables(sources, [mill], DAY_START, now + MINUTE)
    assert min(start for _, start, _ in history.reads) == now - 2 * MINUTE
    history.reads.clear()
    past.tables(sources, [mill], DAY_START + MINUTE, now + 2 * MINUTE)  # the same month up to now, a minute later
    assert min(start for _, start, _ in history.reads) == now - MINUTE
