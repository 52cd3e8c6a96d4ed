"""Keep the level of each twin, signal and command up to date, with its history and evidence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from servitwin.domain.error import UnavailableError
from servitwin.domain.instant import DAY, MINUTE, NS
from servitwin.domain.level import TWIN, Derived, derive
from servitwin.domain.twin import Twin
from servitwin.usecases.live_mirror import LiveMessage
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry
from servitwin.usecases.send_command import Publish

log = logging.getLogger("servitwin.levels")

WINDOW = DAY
SWEEP = MINUTE  # how often every twin is looked at again, so that what grows old is noticed
SETTLE = 20 * NS  # after a start no level falls before live state had time to come back
MAX_COMMANDS = 10_000
TWINS_A_TICK = 50  # one transaction; the rest waits for the next tick, so that commands and acknowledgements do not


class _Change(NamedTuple):
    """What is to be written of a twin: new levels by subject, and the one the twin as a whole had before."""

    twin: Twin
    before: str
    levels: dict[str, Derived]


class DeriveLevel:
    """Sees the flow and writes a level when it changes. ``window`` in ns."""

    def __init__(self, records: Records, registry: Registry, publish: Publish, window: int = WINDOW) -> None:
        self._records = records
        self._registry = registry
        self._publish = publish
        self._window = window
        self._flows: dict[str, dict[str, int]] = {}
        self._written: dict[str, dict[str, str]] = {}
        self._dirty: set[str] = set()
        self._swept = 0
        self._started = 0

    def heard(self, message: LiveMessage) -> None:
        """Note which signals came in by themselves; what servitwin derives itself (``_state``) is no flow."""
        flows = self._flows.setdefault(message.uid, {})
        for signal, value in message.values.items():
            if signal.startswith("_") or value[1] is None:
                continue
            before = flows.get(signal, -1)
            if before < 0 or before <= value[0] - self._window:
                self._dirty.add(message.uid)
            if value[0] > before:
                flows[signal] = value[0]

    def command_changed(self, uid: str) -> None:
        """A command of that twin came to an end: look again at the next tick."""
        self._dirty.add(uid)

    def tick(self, now: int) -> None:
        """Derive what may have changed."""
        self._started = self._started or now
        if now - self._swept >= SWEEP:
            self._swept = now
            self._dirty.update(t.uid for t in self._registry.twins())
        due = sorted(self._dirty)[:TWINS_A_TICK]
        self._dirty.difference_update(due)
        changes = [change for uid in due if (change := self._change(uid, now)) is not None]
        if changes:
            try:
                events = self._write(changes, now)
            except UnavailableError:
                self._dirty.update(due)
                raise
            for event in events:
                self._publish("happened", msgspec.json.encode(event))

    def _write(self, changes: Sequence[_Change], now: int) -> list[dict[str, object]]:
        """All changes in one transaction: a disk that has to be waited for is waited for once. Returns the events."""
        rows = [(c.twin.uid, s, d.level, {"why": d.why, **d.evidence}) for c in changes for s, d in c.levels.items()]
        with self._records.together():
            self._records.save_levels(now, rows)
            events = [self._event(c, now) for c in changes if TWIN in c.levels]
        for change in changes:
            self._written[change.twin.uid].update({s: d.level for s, d in change.levels.items()})
        return events

    def _change(self, uid: str, now: int) -> _Change | None:
        twin = self._registry.by_uid(uid)
        if twin is None or twin.retired is not None or twin.simulates:
            return None  # what runs a model mirrors no machine
        machine_type = self._registry.type_at(twin, now)
        declared = [c.name for c in machine_type.commands] if machine_type else []
        commands = self._records.commands(uid, limit=MAX_COMMANDS, since=now - self._window)
        found = derive(self._flows.get(uid, {}), commands, declared, now, self._window)
        written = self._written.get(uid)
        if written is None:
            written = self._written[uid] = self._read(uid)
        changed = {s: d for s, d in found.items() if self._changes(uid, s, d, written, now)}
        return _Change(twin, written.get(TWIN, ""), changed) if changed else None

    def _read(self, uid: str) -> dict[str, str]:
        """The latest level on record of each subject."""
        return {row["subject"]: row["level"] for row in self._records.level_history(uid, "*")}

    def _changes(self, uid: str, subject: str, derived: Derived, written: Mapping[str, str], now: int) -> bool:
        """Whether the level of a subject has to be written: it is another one, and not only for a fresh start."""
        before = written.get(subject)
        if before == derived.level or (before is None and derived.level == "model" and subject.startswith("signal:")):
            return False
        if now - self._started < SETTLE and before is not None and _rank(derived.level) < _rank(before):
            self._dirty.add(uid)
            return False
        return True

    def _event(self, change: _Change, now: int) -> dict[str, object]:
        """Put it into the event table and return it as it is told."""
        derived = change.levels[TWIN]
        log.info("%s is a digital %s now: %s", change.twin.id, derived.level, derived.why)
        data = {"level": derived.level, "before": change.before, "why": derived.why}
        number = self._records.add_event("level", change.twin.id, now, data)
        return {"id": number, "kind": "level", "subject": change.twin.id, "at": now, "data": data}


def _rank(level: str) -> int:
    return ("model", "shadow", "twin").index(level)
