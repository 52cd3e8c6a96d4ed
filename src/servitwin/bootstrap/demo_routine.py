"""The demo's minutes of routine: what shifts at two mills say, made up from a seed, before and after the assistant."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from servitwin.domain.calendar_shift import shift_intervals
from servitwin.domain.instant import DAY, MINUTE, format_instant
from servitwin.domain.register import RegisterEntry
from servitwin.domain.schedule.routine import KINDS, STUDY, RoutineStudy, ShiftRoutine, entry_id
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.plan_production import plain
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

PARTY = "kivi"
SEED = 12
DAYS_AGO = 12
"""Since when the demo says that its assistant is used."""

_PLACES = ("mill-1", "mill-2")
_SPAN = 24 * DAY
_ANSWERED = 0.55  # of the shifts say something: a study never hears of all
# Mean minutes a shift before and after, by kind; the assistant tells what comes next, and helps little with tools.
_MEANS = {
    "what-next": (24.0, 8.0),
    "shift-log": (18.0, 11.0),
    "fault-information": (16.0, 9.0),
    "material-tools": (21.0, 19.0),
    "replanning": (12.0, 5.0),
    "other": (9.0, 9.0),
}
_PRODUCTS = ("bracket", "flange", "housing")
_NOTE = "These minutes are the demo's own: made up from a seed, so that the page has something to show."


def add_demo_routine(records: Records, now: int) -> list[str]:
    """Enter what shifts of the last weeks said, once; returns what to tell the visitor."""
    if records.register_entries("routine_study", [PARTY]):
        return []
    registry, random = Registry(records), np.random.default_rng(SEED)
    since = (date(1970, 1, 1) + timedelta(days=now // DAY - DAYS_AGO)).isoformat()
    study = RoutineStudy(since=since, rate="42.00", currency="EUR", note=_NOTE)
    entries = [RegisterEntry("routine_study", STUDY, PARTY, 1, now, "paula", plain(study))]
    for place in _PLACES:
        twin = registry.by_id(place)
        calendar = registry.calendar(calendar_name(registry, twin, now)) if twin else None
        if calendar is None:
            continue
        for shift in shift_intervals(calendar, now - _SPAN, now - DAY):
            if random.random() > _ANSWERED:
                continue
            side = 1 if shift.day >= since else 0
            # Shifts answer in steps of five minutes, as the page offers them.
            drawn = {k.id: int(5 * round(random.gamma(4, _MEANS[k.id][side] / 4) / 5)) for k in KINDS}
            said = ShiftRoutine(
                place, shift.day, shift.name, format_instant(shift.start), int((shift.end - shift.start) // MINUTE),
                drawn, products=(str(random.choice(_PRODUCTS)),),
            )  # fmt: skip
            id = entry_id(place, shift.day, shift.name)
            entries.append(RegisterEntry("shift_routine", id, PARTY, 1, shift.end, PARTY, plain(said)))
    records.add_register_entries(entries)
    return [f"demo routine: {len(entries) - 1} shifts said minutes of routine, made up (place Plan)"]
