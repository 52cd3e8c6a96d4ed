"""Alarms: when which alarm was active, from condition signals and from flags that are alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from servitwin.domain.condition import Condition, parse_condition
from servitwin.domain.observation import Quality, Series
from servitwin.domain.signal import SignalDefinition


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alarm [start, end); ``end`` None: still active.

    ``ended_by`` ``unavailable``: it is not known when it ended, only that nothing was known from ``end`` on.
    ``native`` is the controller's own severity; ``severity`` of a flag is ``fault``.
    """

    signal: str
    code: str
    text: str
    severity: Literal["warning", "fault"]
    start: int
    end: int | None = None
    ended_by: Literal["", "normal", "unavailable", "escalated"] = ""
    native: str = ""

    def active_in(self, start: int, end: int) -> bool:
        """Whether it was active at any instant of [start, end)."""
        return self.start < end and (self.end is None or self.end > start)


def is_alarm(definition: SignalDefinition) -> bool:
    """Whether the signal tells of alarms: a condition, or a flag that its semantic id or its name calls an alarm."""
    if definition.type == "condition":
        return True
    key = definition.name.rsplit(".", 1)[-1].lower().replace("-", "_")
    named = key == "alarm" or key.startswith("alarm_") or key.endswith("_alarm")
    return definition.type == "flag" and (named or definition.semantic.lower().endswith(":alarm"))


def alarms_of(series: Series, definition: SignalDefinition) -> list[Alarm]:
    """All alarms that the observations of one signal tell of, in order of their start.

    An entry that changes between warning and fault ends (``escalated``) and begins anew with its new severity;
    the same entry told again goes on.
    """
    if definition.type == "condition":
        return _of_condition(series)
    return _of_flag(series, definition)


def merge_alarms(lists: Iterable[list[Alarm]]) -> list[Alarm]:
    """Alarms of several signals in order of (start, signal, code)."""
    return sorted((a for one in lists for a in one), key=lambda a: (a.start, a.signal, a.code))


def _of_condition(series: Series) -> list[Alarm]:
    done: list[Alarm] = []
    active: dict[str, Alarm] = {}
    texts = series.text if series.text is not None else [None] * len(series)
    for at, text, quality in zip(series.time.tolist(), texts, series.quality.tolist(), strict=True):
        entry = parse_condition(text) if text is not None and quality != Quality.BAD else None
        if entry is None or entry.level == "unavailable":
            done += _ended(active, at, "unavailable")
            active = {}
        elif entry.level == "normal":
            codes = [entry.native_code] if entry.native_code else list(active)
            done += _ended({c: active[c] for c in codes if c in active}, at, "normal")
            active = {c: a for c, a in active.items() if c not in codes}
        else:
            known = active.get(entry.native_code)
            if known is None or known.severity != entry.level:
                done += _ended({entry.native_code: known} if known else {}, at, "escalated")
                active[entry.native_code] = _begin(series.signal, entry, at)
    return merge_alarms([done, list(active.values())])


def _begin(signal: str, entry: Condition, at: int) -> Alarm:
    severity: Literal["warning", "fault"] = "fault" if entry.level == "fault" else "warning"
    return Alarm(signal, entry.native_code, entry.text, severity, at, native=entry.native_severity)


def _ended(alarms: Mapping[str, Alarm], at: int, by: Literal["normal", "unavailable", "escalated"]) -> list[Alarm]:
    return [msgspec.structs.replace(a, end=at, ended_by=by) for a in alarms.values()]


def _of_flag(series: Series, definition: SignalDefinition) -> list[Alarm]:
    done: list[Alarm] = []
    active: Alarm | None = None
    flags = series.flag.tolist() if series.flag is not None else [-1] * len(series)
    for at, flag, quality in zip(series.time.tolist(), flags, series.quality.tolist(), strict=True):
        known = flag >= 0 and quality != Quality.BAD
        if active is not None and (not known or flag == 0):
            done.append(msgspec.structs.replace(active, end=at, ended_by="normal" if known else "unavailable"))
            active = None
        elif active is None and known and flag == 1:
            active = Alarm(series.signal, "", definition.title or definition.name, "fault", at)
    return [*done, active] if active is not None else done
