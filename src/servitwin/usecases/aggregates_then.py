"""Aggregates of a group twin at an instant of the past, from what its machines were then as history knows it now."""

from __future__ import annotations

import math

from servitwin.domain.observation import Cut, Series
from servitwin.domain.twin import Twin
from servitwin.usecases.aggregate import GRACE, TICK, Aggregates, GroupValue, Heard
from servitwin.usecases.ports import HistoryReader
from servitwin.usecases.registry import Registry


def aggregates_then(
    history: HistoryReader, registry: Registry, group: Twin, moment: int, cut: Cut | None = None
) -> dict[str, GroupValue]:
    """Value and coverage of each aggregate of ``group`` at the last tick not after ``moment`` (ns UTC), by name.

    By the very rules of the live values (decision 0043). Empty for what is no group, or was none then.
    """
    if not group.aggregates:
        return {}
    tick = moment // TICK * TICK
    aggregates = Aggregates(registry)
    wanted = aggregates.wanted(group.id, tick)
    series = history.many_series(wanted, tick, tick + 1, before=True, cut=cut) if wanted else {}
    for (uid, name), found in series.items():
        if len(found):
            aggregates.heard(uid, {name: last_of(found)})
    aggregates.due(tick + GRACE)
    return aggregates.values(group.uid)


def last_of(series: Series) -> Heard:
    """The last observation of a series that has one, as live state would have it."""
    time, quality = int(series.time[-1]), int(series.quality[-1])
    value: float | str | bool | None
    if series.number is not None:
        number = float(series.number[-1])
        value = None if math.isnan(number) else number
    elif series.text is not None:
        value = series.text[-1]
    else:
        flag = int(series.flag[-1]) if series.flag is not None else -1
        value = None if flag < 0 else bool(flag)
    return time, value, quality, time
