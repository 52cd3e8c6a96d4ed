"""The canonical state of each machine now, from live values: the same rules as over history, at this instant."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Observation, Quality
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_derive import derive_states, signals_needed
from servitwin.domain.state_time_track import series_of
from servitwin.domain.twin import Twin
from servitwin.usecases.live_mirror import ENTRY_SEPARATOR, LiveMessage, LiveMirror, LiveValue, Value
from servitwin.usecases.registry import Registry

STATE_SIGNAL = "_state"
WORD_SIGNAL = "_word"
CAUSE_SIGNAL = "_cause"
REASON_SIGNAL = "_reason"


class _Known(msgspec.Struct):
    """What the last answer for a twin was made from, so that unchanged values cost nothing."""

    basis: tuple[object, ...]
    answer: tuple[str, str, str, str]
    since: int
    due: int | None


class TrackState:
    """Follows live values and says when a machine's state changes; a silent signal grows stale without any message."""

    def __init__(self, registry: Registry, mirror: LiveMirror) -> None:
        self._registry, self._mirror = registry, mirror
        self._known: dict[str, _Known] = {}

    def changed(self, uid: str, now: int) -> LiveMessage | None:
        """The new state of a twin of which something was heard; None if it is as before, or has no states."""
        twin = self._registry.by_uid(uid)
        machine_type = self._registry.type_at(twin, now) if twin is not None else None
        if twin is None or machine_type is None or machine_type.states is None:
            return None
        names = signals_needed(machine_type.states)
        values = self._mirror.values(uid)
        deadlines = _deadlines(machine_type, names, values)
        stale = frozenset(name for name, deadline in deadlines.items() if deadline <= now)
        basis = (machine_type.reference, stale, *(_content(values.get(n)) for n in names))
        due = min((deadline for deadline in deadlines.values() if deadline > now), default=None)
        known = self._known.get(uid)
        if known is not None and known.basis == basis:
            known.due = due
            return None
        state = state_now(machine_type, names, values, now)
        answer = (state.state.value, state.word, state.cause, state.reason)
        if known is not None and known.answer == answer:
            known.basis, known.due = basis, due
            return None
        turned_stale = [deadlines[n] for n in stale]
        since = max([*(values[n][0] for n in names if n in values), *turned_stale], default=now)
        self._known[uid] = _Known(basis, answer, min(since, now), due)
        return _message(twin, answer, min(since, now), now)

    def due(self, now: int) -> list[LiveMessage]:
        """State changes that come of silence alone."""
        late = [uid for uid, known in self._known.items() if known.due is not None and known.due <= now]
        return [m for uid in late if (m := self.changed(uid, now)) is not None]

    def all(self, now: int) -> list[LiveMessage]:
        """The state of every twin that has one, for who starts later than this."""
        messages = []
        for twin in self._registry.twins():
            changed = self.changed(twin.uid, now)
            known = self._known.get(twin.uid)
            if changed is not None:
                messages.append(changed)
            elif known is not None:
                messages.append(_message(twin, known.answer, known.since, now))
        return messages

    def held_since(self, uid: str, state: State, since: int, now: int) -> LiveMessage | None:
        """What history says about how long the present state has held; None if that is no news."""
        known, twin = self._known.get(uid), self._registry.by_uid(uid)
        if known is None or twin is None or known.answer[0] != state.value or since >= known.since:
            return None
        known.since = since
        return _message(twin, known.answer, since, now)

    def forget(self) -> None:
        """Types or twins have changed: everything is looked at afresh."""
        self._known.clear()


def state_now(
    machine_type: MachineType, names: tuple[str, ...], values: Mapping[str, LiveValue], now: int
) -> StateInterval:  # fmt: skip
    """The one state that holds in [now, now + 1 ns) by the type's mapping."""
    series = {}
    for name in names:
        definition = machine_type.signal(name)
        value = values.get(name)
        if value is None or (definition is None and not name.startswith("_")):
            continue
        time, content, quality, received = value
        entries: list[Value] = [content]
        if definition is not None and definition.type == "condition" and isinstance(content, str):
            entries = [*content.split(ENTRY_SEPARATOR)]
        observations = [
            Observation(min(time, now), e, Quality(quality), received, idx=i) for i, e in enumerate(entries)
        ]
        series[name] = series_of(observations, definition or SignalDefinition(name, "text"))
    return derive_states(machine_type, series, (), now, now + 1)[0]


def _content(value: LiveValue | None) -> tuple[Value, int] | None:
    return None if value is None else (value[1], value[2])


def _deadlines(
    machine_type: MachineType, names: tuple[str, ...], values: Mapping[str, LiveValue]
) -> dict[str, int]:  # fmt: skip
    """Until when each of the signals may be silent by its type (ns UTC)."""
    return {
        d.name: values[d.name][0] + d.reporting.max_gap
        for d in machine_type.signals
        if d.reporting.max_gap is not None and d.name in names and d.name in values
    }


def _message(twin: Twin, answer: tuple[str, str, str, str], since: int, now: int) -> LiveMessage:
    names = (STATE_SIGNAL, WORD_SIGNAL, CAUSE_SIGNAL, REASON_SIGNAL)
    values: dict[str, LiveValue] = {
        name: (since, word, Quality.GOOD, now) for name, word in zip(names, answer, strict=True)
    }
    return LiveMessage(twin.id, twin.uid, values)
