"""Time of state step by step: the same intervals as over history, whatever the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from servitwin.domain.condition import Condition, parse_condition
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import CONNECTION, Observation, Quality
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap, StateInterval
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_track import series_of


class Followed(msgspec.Struct):
    """What has to be remembered between steps: how far it came, and the observations that still count.

    ``position`` None: nothing was observed yet, so there is no beginning.
    """

    position: int | None = None
    rows: dict[str, list[Observation]] = {}


class StateFollower:
    """Derives the states of one machine up to each watermark in turn.

    Args:
        machine_type: the type in force.
        gaps: declared gaps.
        followed: where to go on; an empty one to begin.
        start: where the first interval begins (ns UTC); None: at the first observation.
    """

    def __init__(
        self, machine_type: MachineType, gaps: Sequence[Gap], followed: Followed, start: int | None = None
    ) -> None:
        self.followed = followed
        self._type, self._gaps, self._start = machine_type, gaps, start
        definitions = {s.name: s for s in machine_type.signals}
        names = signals_needed(machine_type.states) if machine_type.states else ()
        self._definitions = {n: definitions.get(n) or SignalDefinition(n, "text") for n in names}

    def advance(self, observations: Mapping[str, Sequence[Observation]], watermark: int) -> list[StateInterval]:
        """Intervals from the last watermark to this one; observations at or after it are kept for later steps."""
        f = self.followed
        for name in self._definitions:
            if observations.get(name):
                f.rows[name] = [*f.rows.get(name, ()), *observations[name]]
        begin = f.position
        if begin is None:
            begin = self._start
        if begin is None:
            begin = min((o.time for rows in f.rows.values() for o in rows), default=None)
        if begin is None or watermark <= begin:
            return []
        series = {n: series_of(rows, self._definitions[n]) for n, rows in f.rows.items()}
        intervals = derive_states(self._type, series, self._gaps, begin, watermark)
        f.position = watermark
        f.rows = {n: still_counting(self._definitions[n], rows, watermark) for n, rows in f.rows.items()}
        return intervals


def by_window(intervals: Sequence[StateInterval], every: int) -> Iterator[tuple[int, list[StateInterval]]]:
    """Consecutive intervals cut at multiples of ``every`` ns: (start of the window, its intervals) in order."""
    window: int | None = None
    inside: list[StateInterval] = []
    for interval in intervals:
        at = interval.start
        while at < interval.end:
            first = at // every * every
            if window is not None and first != window:
                yield window, inside
                inside = []
            window = first
            until = min(interval.end, first + every)
            inside.append(msgspec.structs.replace(interval, start=at, end=until))
            at = until
    if window is not None:
        yield window, inside


def still_counting(definition: SignalDefinition, rows: Sequence[Observation], watermark: int) -> list[Observation]:
    """The observations from which everything after the watermark still follows."""
    ordered = sorted(rows, key=lambda o: (o.time, o.shard, o.seq, o.idx))
    past = [o for o in ordered if o.time < watermark]
    later = ordered[len(past) :]
    if definition.name == CONNECTION:
        return [*_connection(past), *later]
    if definition.type == "condition":
        return [*_active(past), *later]
    return [*past[-1:], *later]


def _connection(past: Sequence[Observation]) -> list[Observation]:
    """The first ``offline`` that still holds, or the last ``online``; of one time the last observation holds."""
    held = [o for o, after in zip(past, [*past[1:], None], strict=False) if after is None or after.time != o.time]
    kept: list[Observation] = []
    for o in held:
        if o.value == "online" or (o.value == "offline" and (not kept or kept[0].value == "online")):
            kept = [o]
    return kept


def _active(past: Sequence[Observation]) -> list[Observation]:
    """The observations that set the entries which are still active, and the last of all."""
    kept: dict[str, Observation] = {}
    last: Observation | None = None
    for o in past:
        last = o
        entry: Condition | None = None
        if isinstance(o.value, str) and o.quality != Quality.BAD:
            entry = parse_condition(o.value)
        if entry is None or entry.level == "unavailable" or (entry.level == "normal" and not entry.native_code):
            kept = {}
        else:
            kept.pop(entry.native_code, None)
            if entry.level != "normal":
                kept[entry.native_code] = o
    rows = list(kept.values())
    return rows if last is None or last in rows else [*rows, last]
