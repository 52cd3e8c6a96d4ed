"""A small plant in memory: two mills and a saw in a line, a crane beside it, and history as lists of observations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from servitwin.domain.calendar import Calendar, Shift
from servitwin.domain.instant import DAY
from servitwin.domain.machine_key import MachineKey
from servitwin.domain.machine_type import MachineType, Production, SignalTest, StateMapping, StateRule
from servitwin.domain.observation import Cut, Observation, Series
from servitwin.domain.reason import Reason
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap, State
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Dated, Twin
from servitwin.domain.work_order import WorkOrder
from servitwin.usecases.registry import Registry

WORDS = {"ACTIVE": State.PRODUCING, "READY": State.STANDBY, "WAIT": State.STARVED, "STOPPED": State.PLANNED_STOP}
WORD_RULES = tuple(StateRule((SignalTest("execution", equals=(w,)),), s) for w, s in WORDS.items())
FAULT = StateRule((SignalTest("system", equals=("fault",)),), State.FAILED, "fault:system", "maker")
EXECUTION = SignalDefinition("execution", "text")
SYSTEM = SignalDefinition("system", "condition")
COUNTERS = tuple(SignalDefinition(n, "number", "1") for n in ("total", "good"))
PRODUCT = SignalDefinition("product", "text")
MILL = MachineType(
    "mill",
    1,
    signals=(EXECUTION, SYSTEM, *COUNTERS, PRODUCT),
    states=StateMapping((FAULT, *WORD_RULES), word="execution", needs=("execution",)),
    production=Production("total", "good", "", "product", {"": 60.0, "bolt": 30.0}),
)
SAW = MachineType(
    "saw",
    1,
    signals=(EXECUTION, *COUNTERS),
    states=StateMapping(WORD_RULES, word="execution", needs=("execution",)),
    production=Production("total", "good", "", "", {"": 20.0}),
)
CRANE = MachineType(
    "crane", 1, signals=(EXECUTION,), states=StateMapping(WORD_RULES, word="execution", needs=("execution",))
)
TYPES = (MILL, SAW, CRANE)


def twin(id: str, kind: Any, type: str = "", parent: str = "", calendar: str = "") -> Twin:
    return Twin(
        f"uid-{id}",
        id,
        kind,
        type=(Dated(type, 0),) if type else (),
        parent=(Dated(parent, 0),) if parent else (),
        calendar=calendar,
    )


TWINS = [
    twin("plant", "factory", calendar="two-shifts"),
    twin("line-1", "line", parent="plant"),
    twin("mill-1", "machine", "mill@1", "line-1"),
    twin("mill-2", "machine", "mill@1", "line-1"),
    twin("saw-1", "machine", "saw@1", "line-1"),
    twin("crane-1", "machine", "crane@1", "plant"),
]
TWO_SHIFTS = Calendar(
    "two-shifts", "UTC", (Shift("early", tuple(range(7)), 360, 840), Shift("late", tuple(range(7)), 840, 1320))
)


class MemoryRecords:
    """The few records that accounts of time are made from."""

    def __init__(self, twins: Sequence[Twin] = TWINS, types: Sequence[MachineType] = TYPES) -> None:
        self._twins, self._types = list(twins), list(types)
        self.declared: dict[str, list[Gap]] = {}
        self.said: list[Reason] = []
        self.orders: list[WorkOrder] = []

    def twins(self) -> list[Twin]:
        return self._twins

    def machine_types(self) -> list[MachineType]:
        return self._types

    def twins_revision(self) -> int:
        return 1

    def machine_keys(self) -> dict[str, tuple[MachineKey, ...]]:
        return {}

    def calendar(self, name: str) -> Calendar | None:
        return TWO_SHIFTS if name == "two-shifts" else None

    def gaps(self, uid: str) -> list[Gap]:
        return self.declared.get(uid, [])

    def reasons(self, twins: Sequence[str], start: int, end: int) -> list[Reason]:
        return [r for r in self.said if r.twin in twins and r.start < end and r.end > start]

    def work_orders(self, twins: Sequence[str], start: int, end: int) -> list[WorkOrder]:
        return [o for o in self.orders if o.twin in twins and o.covers(start, end)]

    def all_gaps(self) -> dict[str, list[Gap]]:
        return self.declared


class MemoryHistory:
    """Observations by (uid, signal); counts what was read."""

    def __init__(self, types: Sequence[MachineType] = TYPES) -> None:
        self.rows: dict[tuple[str, str], list[Observation]] = {}
        self.definitions = {s.name: s for t in types for s in t.signals}
        self.reads: list[tuple[int, int, int]] = []

    def add(self, id: str, signal: str, *points: tuple[int, float | str | bool | None]) -> MemoryHistory:
        rows = self.rows.setdefault((f"uid-{id}", signal), [])
        rows += [Observation(t, v, seq=len(rows) + i) for i, (t, v) in enumerate(points)]
        return self

    def cut(self) -> Cut:
        return {0: 41}

    def many_series(
        self, wanted: Sequence[tuple[str, str]], start: int, end: int, *, before: bool = False, cut: Cut | None = None
    ) -> dict[tuple[str, str], Series]:
        assert cut == {0: 41}, "every read of an answer is at the answer's cut"
        self.reads.append((len(wanted), start, end))
        answer = {}
        for pair in wanted:
            definition = self.definitions.get(pair[1], SignalDefinition(pair[1], "text"))
            rows = sorted(self.rows.get(pair, []), key=lambda o: (o.time, o.seq))
            earlier = [o for o in rows if o.time < start][-1:] if before else []
            answer[pair] = series_of([*earlier, *(o for o in rows if start <= o.time < end)], definition)
        return answer

    def durations(
        self,
        wanted: Sequence[tuple[str, str]],
        start: int,
        end: int,
        every: int | None = None,
        cut: Cut | None = None,
    ) -> dict[tuple[str, str], list[tuple[int, dict[str, int]]]]:
        self.reads.append((len(wanted), start, end))
        answer = {}
        for pair in wanted:
            rows = sorted(self.rows.get(pair, []), key=lambda o: (o.time, o.seq))
            buckets = []
            for a in range(start, end, every or end - start):
                b = min(end, a + (every or end - start))
                held: dict[str, int] = {}
                edges = sorted({a, b, *(o.time for o in rows if a < o.time < b)})
                for x, y in itertools.pairwise(edges):
                    now = [o.value for o in rows if o.time <= x][-1:]
                    word = str(now[0]) if now and now[0] is not None else ""
                    held[word] = held.get(word, 0) + y - x
                buckets.append((a, held))
            answer[pair] = buckets
        return answer


def plant(types: Sequence[MachineType] = TYPES, twins: Sequence[Twin] = TWINS) -> tuple[Any, Any, Registry]:
    """History, records and registry of the plant; typed loosely, because they fulfil a part of their ports only."""
    records: Any = MemoryRecords(twins, types)
    return MemoryHistory(types), records, Registry(records)


DAY_START = 20_000 * DAY
