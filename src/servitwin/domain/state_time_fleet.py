"""Time in states of many machines of one type at once: the same sums as machine by machine, without the loop.

All machines are laid behind each other on one axis, each with its own stretch as long as the range, so that every
step over one machine's points is a step over those of all. A machine's time ``t`` is at ``place * span + t - start``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import CONNECTION, Int64s, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap, State
from servitwin.domain.state_time_derive import derive_on_tracks, signals_needed, sums_between, time_in_states
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import NO_DATA, Track, join_series, offline_spans, series_of, tracks_of

_AXIS = 2**62  # ns: how long the axis of one pass may be
Machine = tuple[Mapping[str, Series], Sequence[Gap]]


def time_in_states_of_many(
    machine_type: MachineType, machines: Sequence[Machine], edges: Sequence[int]
) -> list[list[dict[State, int]]]:
    """For each machine (its series and declared gaps) what :func:`time_in_states` gives, to the last nanosecond.

    Machines that were offline in what was read, or of which a signal was read as another kind than the type says, are
    derived one by one.
    """
    start, end = edges[0], edges[-1]
    definitions = {s.name: s for s in machine_type.signals}
    answer: list[list[dict[State, int]]] = [[] for _ in machines]
    together = []
    for place, (series, gaps) in enumerate(machines):
        lost = offline_spans(series.get(CONNECTION), end)
        if machine_type.states is None or len(lost.start) or not _as_declared(series, definitions):
            answer[place] = time_in_states(machine_type, series, gaps, edges)
        else:
            together.append(place)
    at_once = max(1, _AXIS // (end - start))
    for first in range(0, len(together), at_once):
        places = together[first : first + at_once]
        found = _on_one_axis(machine_type, [machines[p] for p in places], edges)
        for place, sums in zip(places, found, strict=True):
            answer[place] = sums
    return answer


def _as_declared(series: Mapping[str, Series], definitions: Mapping[str, SignalDefinition]) -> bool:
    for name, own in series.items():
        kind = definitions[name].type if name in definitions else "text"
        column = own.number if kind == "number" else own.flag if kind == "flag" else own.text
        if len(own) and column is None:
            return False
    return True


def _on_one_axis(
    machine_type: MachineType, machines: Sequence[Machine], edges: Sequence[int]
) -> list[list[dict[State, int]]]:
    start, end = edges[0], edges[-1]
    span, count, mapping = end - start, len(machines), machine_type.states
    assert mapping is not None
    begins: Int64s = np.arange(count, dtype=np.int64) * span
    definitions = {s.name: s for s in machine_type.signals}
    tracks: dict[str, Track] = {}
    for name in signals_needed(mapping):
        if name == CONNECTION:
            continue
        definition = definitions.get(name) or SignalDefinition(name, "text")
        silent = series_of([], definition)
        tracks[name] = _laid_out([own.get(name, silent) for own, _ in machines], definition, begins, start, end)
    declared = Spans.of(
        (place * span + max(gap.start, start) - start, place * span + min(gap.end, end) - start)
        for place, (_, gaps) in enumerate(machines)
        for gap in gaps
        if gap.start < end and gap.end > start
    )
    points = derive_on_tracks(mapping, tracks, declared, begins, count * span)
    inner: Int64s = (begins[:, None] + (np.array(edges[:-1], np.int64) - start)).ravel()
    sums, width = sums_between(points, inner, count * span), len(edges) - 1
    return [sums[place * width : (place + 1) * width] for place in range(count)]


def _laid_out(series: Sequence[Series], definition: SignalDefinition, begins: Int64s, start: int, end: int) -> Track:
    """One signal of all machines on the axis; what was said before the range counts at its start."""
    owner, joined = join_series(series, end)
    owner, track = tracks_of(owner, joined, definition, end)
    # A machine knows nothing of the one before it on the axis: each begins with no data.
    first = np.searchsorted(owner, np.arange(len(begins)))
    at = np.insert(begins[owner] + np.maximum(track.time - start, 0), first, begins)
    return Track(at, np.insert(track.code, first, NO_DATA), track.values)
