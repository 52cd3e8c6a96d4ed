"""Look back at twins: the state each was in at an instant of the past, and the alarms that were active then."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.alarm import Alarm
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.state_time import StateInterval
from servitwin.domain.twin import Twin
from servitwin.usecases.list_alarms import alarms_among
from servitwin.usecases.machine_time import GROUPS, Sources, has_states, read_machines
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

# How far back the beginning of a state is looked for: an hour answers for most machines, a month for one that stands.
_WINDOWS = (HOUR, DAY, 30 * DAY)
_FEW = 20


class Then(msgspec.Struct, frozen=True):
    """A twin as it was at an instant (ns UTC).

    ``state`` None: its type told of no states then. ``since`` None: it was in that state for longer than we looked.
    """

    state: StateInterval | None
    since: int | None
    alarms: tuple[Alarm, ...]


def look_back(
    history: HistoryReader, registry: Registry, records: Records, twins: Sequence[Twin], moment: int
) -> dict[str, Then]:
    """How twins were at ``moment``, by uid; all of one cut, as known now. Groups have neither state nor alarms."""
    sources = Sources(history, registry, records, history.cut())
    single = [t for t in twins if t.kind not in GROUPS]
    held = _states(sources, [t for t in single if has_states(registry, t, moment)], moment)
    alarms: dict[str, list[Alarm]] = {}
    for found in alarms_among(sources, single, moment, moment + 1)[0]:
        if found.alarm.end is None and found.alarm.active_in(moment, moment + 1):
            alarms.setdefault(found.twin, []).append(found.alarm)
    then = {}
    for t in twins:
        state, since = held.get(t.uid, (None, None))
        then[t.uid] = Then(state, since, tuple(alarms.get(t.id, ())))
    return then


def _states(sources: Sources, twins: Sequence[Twin], moment: int) -> dict[str, tuple[StateInterval, int | None]]:
    held: dict[str, tuple[StateInterval, int | None]] = {}
    left = list(twins)
    for window in _WINDOWS:
        if not left or (window > DAY and len(left) > _FEW):
            break
        start = moment - window
        for uid, machine in read_machines(sources, left, start, moment + 1).items():
            last = machine.intervals[-1]
            held[uid] = (last, last.start if last.start > start else None)
        left = [t for t in left if held[t.uid][1] is None]
    return held
