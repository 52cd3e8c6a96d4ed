"""Live state as history has it, for an ingest process that has just started; ends when it has told."""

from __future__ import annotations

import sys
import time

import msgspec

from servitwin.config import Settings
from servitwin.domain.condition import Condition, apply_condition, format_condition, parse_condition
from servitwin.domain.observation import Series
from servitwin.domain.signal import SignalDefinition
from servitwin.engines.history import DuckReader
from servitwin.engines.records import SqlRecords
from servitwin.usecases.live_mirror import ENTRY_SEPARATOR, LiveMessage
from servitwin.usecases.machine_time import Sources, read_conditions
from servitwin.usecases.registry import Registry


def run(settings: Settings) -> None:
    """Write all last values on standard output, condition signals with everything that is active."""
    records = SqlRecords(settings.records)
    registry = Registry(records)
    sys.stdout.buffer.write(msgspec.json.encode(recalled(settings, records, registry, time.time_ns())))
    sys.stdout.buffer.flush()
    records.close()


def recalled(settings: Settings, records: SqlRecords, registry: Registry, now: int) -> list[LiveMessage]:
    """Last values of every twin that is in use."""

    def define(uid: str, name: str) -> SignalDefinition | None:
        return registry.signals(uid, now).get(name)

    reader = DuckReader(settings.history, None, define=define)
    messages: dict[str, LiveMessage] = {}
    conditions: list[tuple[str, str]] = []
    for last in reader.last():
        twin = registry.by_uid(last.twin)
        if twin is None or twin.retired is not None:
            continue
        message = messages.setdefault(twin.uid, LiveMessage(twin.id, twin.uid, {}))
        message.values[last.signal] = (last.time, last.value, last.quality, last.received)
        definition = define(twin.uid, last.signal)
        if definition is not None and definition.type == "condition" and last.value is not None:
            conditions.append((twin.uid, last.signal))
    if conditions:
        sources = Sources(reader, registry, records, reader.cut())
        series = reader.many_series(conditions, now, now + 1, before=True)
        series |= read_conditions(sources, conditions, series, now, now + 1)
        for (uid, signal), entries in series.items():
            time_, _, quality, received = messages[uid].values[signal]
            messages[uid].values[signal] = (time_, active_at_end(entries), quality, received)
    return list(messages.values())


def active_at_end(entries: Series) -> str:
    """What is active after all entries of a condition signal, one a line."""
    active: dict[str, Condition] = {}
    for text in entries.text or ():
        new = None if text is None else parse_condition(text)
        active = {} if new is None else apply_condition(active, new)
    return ENTRY_SEPARATOR.join(format_condition(c) for c in active.values()) or "normal||||"
