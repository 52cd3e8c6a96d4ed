"""List alarms of a machine or of all machines of a group, with the figures of ISA-18.2 (secondary)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from servitwin.domain.alarm import Alarm, alarms_of, is_alarm
from servitwin.domain.alarm_figure import AlarmFigures, alarm_figures
from servitwin.domain.observation import Cut
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Twin
from servitwin.usecases.machine_time import GROUPS, Basis, Pair, Sources, read_conditions
from servitwin.usecases.ports import HistoryReader, Records
from servitwin.usecases.registry import Registry

ALARM_RULE = "alarms"
VERSION = "1"


class TwinAlarm(msgspec.Struct, frozen=True):
    """An alarm and the machine that raised it."""

    twin: str
    alarm: Alarm


class AlarmsAnswer(msgspec.Struct, frozen=True):
    """Alarms that were active at any instant of [start, end), the newest first, and what they say about the system."""

    twin: str
    start: int
    end: int
    items: tuple[TwinAlarm, ...]
    figures: AlarmFigures
    basis: Basis


def list_alarms(
    history: HistoryReader,
    registry: Registry,
    records: Records,
    twin: Twin,
    start: int,
    end: int,
    active: bool | None = None,
    cut: Cut | None = None,
) -> AlarmsAnswer:
    """Alarms from condition signals and flag alarms.

    ``active`` True: only those still active at ``end``; False: only those that have ended. The figures count all.
    """
    sources = Sources(history, registry, records, history.cut() if cut is None else cut)
    twins = [twin]
    if twin.kind in GROUPS:
        twins = [t for t in registry.descendants(twin.id, start) if t.kind not in GROUPS]
    found, inputs = alarms_among(sources, twins, start, end)
    inside = [a for a in found if a.alarm.active_in(start, end)]
    figures = alarm_figures([a.alarm for a in inside], start, end)
    if active is not None:
        inside = [a for a in inside if (a.alarm.end is None) == active]
    inside.sort(key=lambda a: (-a.alarm.start, a.twin, a.alarm.signal, a.alarm.code))
    basis = Basis(ALARM_RULE, VERSION, inputs, start, end, sources.cut)
    return AlarmsAnswer(twin.id, start, end, tuple(inside), figures, basis)


def alarms_among(
    sources: Sources, twins: Sequence[Twin], start: int, end: int
) -> tuple[list[TwinAlarm], tuple[Pair, ...]]:
    """Alarms that the observations read for [start, end) tell of, some of them before it; and what was read."""
    definitions: dict[Pair, SignalDefinition] = {}
    ids: dict[str, str] = {}
    for one in twins:
        ids[one.uid] = one.id
        known = {
            **sources.registry.signals(one.uid, start),
            **sources.registry.signals(one.uid, max(start, end - 1)),
        }
        definitions.update({(one.uid, name): d for name, d in known.items() if is_alarm(d)})
    if not definitions:
        return [], ()
    series = sources.history.many_series(list(definitions), start, end, before=True, cut=sources.cut)
    conditions = [pair for pair, d in definitions.items() if d.type == "condition"]
    series = {**series, **read_conditions(sources, conditions, series, start, end)}
    found = [TwinAlarm(ids[pair[0]], a) for pair, d in definitions.items() for a in alarms_of(series[pair], d)]
    return found, tuple((ids[uid], name) for uid, name in definitions)
