"""Account for time by day over a whole fleet, fast."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import msgspec

from servitwin.domain.instant import DAY, utc_day
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import CONNECTION, Cut, Observation
from servitwin.domain.state_time import Gap, State
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Twin
from servitwin.usecases.machine_time import RULE, VERSION, Basis, Pair, Sources, declared_gaps, read_sums
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

Seconds = dict[State, int]
Buckets = list[tuple[int, dict[str, int]]]


class DailyAnswer(msgspec.Struct, frozen=True):
    """Nanoseconds per state and UTC day (of the part of it in [start, end)), per twin id, in the order of ``days``."""

    days: list[str]
    twins: dict[str, list[Seconds]]
    basis: Basis


def daily_states(
    history: HistoryReader,
    registry: Registry,
    records: Records,
    twins: Sequence[Twin],
    start: int,
    end: int,
    cut: Cut | None = None,
    *,
    now: int | None = None,
) -> DailyAnswer:
    """State times of many machines by day, up to ``now``.

    Where a mapping asks for one text signal only, and the machine had one type, no declared gap and no lost
    connection in the range, history sums the time per word; all others are derived exactly. Both give the same.
    """
    sources = Sources(history, registry, records, history.cut() if cut is None else cut)
    end = end if now is None else max(start, min(end, now))
    edges = [start, *range((start // DAY + 1) * DAY, end, DAY), end] if end > start else []
    days = [(a, b) for a, b in itertools.pairwise(edges)]
    simple: dict[str, tuple[str, MachineType]] = {}
    declared = declared_gaps(sources, twins) if days else {}
    for t in twins if days else ():
        word = _one_word(sources, t, declared.get(t.uid, ()), start, end)
        if word is not None:
            simple[t.uid] = word
    calm = _never_lost(sources, simple, start, end)
    quick = {t.uid: simple[t.uid] for t in twins if t.uid in calm}
    answer = _by_words(sources, quick, days)
    rest = [t for t in twins if t.uid not in quick]
    exact = read_sums(sources, rest, edges) if days else {}
    inputs: list[Pair] = []
    by_id: dict[str, list[Seconds]] = {}
    for t in twins:
        if t.uid in quick:
            by_id[t.id] = answer[t.uid]
            inputs += [(t.id, quick[t.uid][0]), (t.id, CONNECTION)]
        else:
            sums, read = exact.get(t.uid, ([], ()))
            by_id[t.id] = sums
            inputs += read
    basis = Basis(RULE, VERSION, tuple(inputs), start, end, sources.cut)
    return DailyAnswer([utc_day(a) for a, _ in days], by_id, basis)


def _one_word(
    sources: Sources, twin: Twin, declared: Sequence[Gap], start: int, end: int
) -> tuple[str, MachineType] | None:
    """The one text signal that decides the states of the twin all through the range, with its type; else None."""
    bounds = (at for entry in twin.type for at in (entry.start, entry.end) if at is not None)
    machine_type = sources.registry.type_at(twin, start)
    if machine_type is None or machine_type.states is None or any(start < at < end for at in bounds):
        return None
    names = [n for n in signals_needed(machine_type.states) if n != CONNECTION]
    definition = machine_type.signal(names[0]) if len(names) == 1 else None
    if definition is None or definition.type != "text":
        return None
    if any(g.start < end and g.end > start for g in declared):
        return None
    return names[0], machine_type


def _never_lost(sources: Sources, simple: Mapping[str, object], start: int, end: int) -> set[str]:
    pairs = [(uid, CONNECTION) for uid in simple]
    if not pairs:
        return set()
    series = sources.history.many_series(pairs, start, end, before=True, cut=sources.cut)
    return {uid for (uid, _), s in series.items() if "offline" not in (s.text or ())}


def _by_words(
    sources: Sources, quick: Mapping[str, tuple[str, MachineType]], days: Sequence[tuple[int, int]]
) -> dict[str, list[Seconds]]:
    """Time per state and day from time per word; the first and the last day may be parts of a day."""
    if not quick:
        return {}
    wanted = [(uid, signal) for uid, (signal, _) in quick.items()]
    history, cut = sources.history, sources.cut
    whole = [d for d in days if d[0] % DAY == 0 and d[1] - d[0] == DAY]
    buckets: dict[Pair, dict[int, dict[str, int]]] = {pair: {} for pair in wanted}
    reads = [history.durations(wanted, a, b, None, cut) for a, b in days if (a, b) not in whole]
    if whole:
        reads.append(history.durations(wanted, whole[0][0], whole[-1][1], DAY, cut))
    for read in reads:
        for pair, found in read.items():
            buckets[pair].update(found)
    states: dict[tuple[str, str], State] = {}
    return {
        uid: [_to_states(buckets[uid, signal].get(a, {}), machine_type, signal, states) for a, _ in days]
        for uid, (signal, machine_type) in quick.items()
    }


def _to_states(
    words: Mapping[str, int], machine_type: MachineType, signal: str, known: dict[tuple[str, str], State]
) -> Seconds:
    sums: Seconds = {}
    for word, ns in words.items():
        key = (machine_type.reference, word)
        if key not in known:
            known[key] = _state_of(machine_type, signal, word)
        if ns:
            sums[known[key]] = sums.get(known[key], 0) + ns
    return sums


def _state_of(machine_type: MachineType, signal: str, word: str) -> State:
    """The state in which the mapping puts that one word; ``""`` is time without a known value."""
    definition = machine_type.signal(signal)
    if definition is None:
        return State.UNKNOWN
    series = series_of([Observation(0, word or None)], definition)
    return derive_states(machine_type, {signal: series}, (), 0, 1)[0].state
