"""The past of machines' states, kept while nothing of it changes: who looks at a year again reads what is new alone.

What is kept is exact. A state depends on nothing that came after it, so a row that arrives late ends what is kept at
its own time; a gap that is declared or a type that changes there drops it. Settlements are made without it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import reduce

import msgspec

from servitwin.domain.instant import DAY, MINUTE
from servitwin.domain.observation import Cut
from servitwin.domain.state_time import Gap
from servitwin.domain.time_table import TimeTable
from servitwin.domain.twin import Twin
from servitwin.usecases.machine_time import Sources, declared_gaps, read_machines, type_stretches

_SHORTEST = DAY  # a shorter past is read faster than it is looked up
_FRESH = 2 * MINUTE  # what is newer is still coming in
_MOST_INTERVALS = 500_000  # some 20 MB


@dataclass(slots=True, eq=False)
class _Kept:
    """One machine's intervals over [start, end), true as of ``cut``, with what else decides them."""

    start: int
    end: int
    cut: Cut
    signature: tuple[object, ...]
    table: TimeTable


@dataclass(slots=True, eq=False)
class PastTime:
    """Keeps the past of machines for one process; safe to call from several threads."""

    _kept: dict[tuple[str, int], _Kept] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _busy: dict[str, threading.Lock] = field(default_factory=dict)

    def tables(self, sources: Sources, twins: Sequence[Twin], start: int, end: int) -> dict[str, TimeTable]:
        """State intervals of machines over [start, end) by uid, at the sources' cut."""
        if end - start < _SHORTEST:
            return _read(sources, twins, start, end)
        with ExitStack() as held:
            # Whoever asks for the same machine at the same time waits, and finds it. All take them in one order.
            for uid in sorted({t.uid for t in twins}):
                held.enter_context(self._busy.setdefault(uid, threading.Lock()))
            return self._tables(sources, twins, start, end)

    def _tables(self, sources: Sources, twins: Sequence[Twin], start: int, end: int) -> dict[str, TimeTable]:
        gaps = declared_gaps(sources, twins)
        with self._guard:
            known = {t.uid: kept for t in twins if (kept := self._take(t.uid, start)) is not None}
        changed = _changed(sources, known)
        missing: dict[int, list[Twin]] = {}  # from where on each machine has to be read
        for twin in twins:
            kept = known.get(twin.uid)
            if kept is not None and kept.signature == _signature(sources, twin, gaps, kept.start, kept.end):
                kept.end = min(kept.end, changed.get(twin.uid, kept.end))
                kept.cut, kept.signature = sources.cut, _signature(sources, twin, gaps, kept.start, kept.end)
                usable = kept.end >= start
            else:
                usable = False
            if not usable:
                known.pop(twin.uid, None)
            missing.setdefault(min(end, known[twin.uid].end) if twin.uid in known else start, []).append(twin)
        found: dict[str, TimeTable] = {}
        for since, some in missing.items():
            read = _read(sources, some, since, end) if since < end else {}
            for uid in (t.uid for t in some):
                past = [known[uid].table.clipped(start, since)] if uid in known else []
                found[uid] = reduce(TimeTable.then, [*past, *([read[uid]] if uid in read else [])])
        sealed = end - _FRESH
        keep = []
        for twin in twins:
            kept = known.get(twin.uid)
            if kept is None or kept.end < sealed:
                first = start if kept is None else kept.start
                before = [] if kept is None else [kept.table.clipped(first, start)]
                table = reduce(TimeTable.then, [*before, found[twin.uid].clipped(start, sealed)])
                kept = _Kept(first, sealed, sources.cut, _signature(sources, twin, gaps, first, sealed), table)
            keep.append((twin.uid, kept))
        with self._guard:
            self._kept |= {(uid, kept.start): kept for uid, kept in keep}
            self._forget()
        return found

    def _take(self, uid: str, start: int) -> _Kept | None:
        """What is kept of a machine at that time: a year up to now begins later each time that it is asked for."""
        held = [key for key, kept in self._kept.items() if key[0] == uid and kept.start <= start <= kept.end]
        return self._kept.pop(max(held, key=lambda key: self._kept[key].end)) if held else None

    def _forget(self) -> None:
        """Drop what was not asked for the longest time, but for the last one."""
        count = sum(len(kept.table.start) for kept in self._kept.values())
        for key in list(self._kept)[:-1]:
            if count <= _MOST_INTERVALS:
                break
            count -= len(self._kept.pop(key).table.start)


def _read(sources: Sources, twins: Sequence[Twin], start: int, end: int) -> dict[str, TimeTable]:
    read = read_machines(sources, twins, start, end)
    return {uid: TimeTable.of(machine.intervals) for uid, machine in read.items()}


def _changed(sources: Sources, known: Mapping[str, _Kept]) -> dict[str, int]:
    """The earliest event time of what arrived since the kept ones were read, by uid."""
    if not known:
        return {}
    cuts = [kept.cut for kept in known.values()]
    oldest = {shard: min(cut.get(shard, -1) for cut in cuts) for shard in {s for cut in cuts for s in cut}}
    return {uid: span[0] for uid, span in sources.history.changed_since(oldest).items()}


def _signature(
    sources: Sources, twin: Twin, gaps: Mapping[str, Sequence[Gap]], start: int, end: int
) -> tuple[object, ...]:
    """What decides a machine's past beside its observations: its types and the gaps that were declared."""
    stretches = type_stretches(sources.registry, twin, start, end) if end > start else []
    types = [(a, b, t.reference if t else "") for a, b, t in stretches]
    own = [msgspec.structs.astuple(g) for g in gaps.get(twin.uid, ()) if g.start < end and g.end > start]
    return (*types, *own)
