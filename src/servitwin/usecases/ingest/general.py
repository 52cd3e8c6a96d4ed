"""The general way of a message into history: decoded by a connector, every value checked by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from servitwin.domain.error import Fault
from servitwin.domain.observation import CONNECTION, Quality, Quarantined
from servitwin.domain.signal import SignalDefinition
from servitwin.sdk.connector import ABSENT, Absent, Batch, DecodeFault
from servitwin.usecases.ingest.columns import RowBuilder, Scalar
from servitwin.usecases.ingest.sessions import Notes, Session
from servitwin.usecases.ingest.twins import TwinSlot
from servitwin.usecases.ingest.values import (
    Problem,
    check_name,
    check_numbers,
    check_untyped,
    check_value,
    definition_of,
    unit_factor,
)

FUTURE_NS = 300 * 10**9
_MAX_FAULTS_TOLD = 50


class Message(NamedTuple):
    """A message as it lies in a stream; ``topic`` in MQTT form."""

    shard: int
    seq: int
    topic: str
    payload: bytes
    received: int


class Verdict(NamedTuple):
    """What became of a message: rows made, values refused, and whether it was there before."""

    rows: int
    refused: int
    repeated: int


class _Faults:
    """All that is wrong with one message, and its quarantine entry."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.twin = ""
        self.values = 0

    def add(self, fault: Fault, twin: str, values: int = 1) -> None:
        self.found.append(fault)
        self.twin = self.twin or twin
        self.values += values

    def entry(self, m: Message) -> Quarantined:
        first = self.found[0]
        told = "; ".join(f"{f.where}: {f.message}" if f.where else f.message for f in self.found[:_MAX_FAULTS_TOLD])
        more = len(self.found) - _MAX_FAULTS_TOLD
        places = ",".join(dict.fromkeys(f.where for f in self.found if f.where))
        return Quarantined(
            m.shard,
            m.seq,
            0,
            m.received,
            m.topic,
            self.twin[:200],
            first.code,
            told + (f"; and {more} more" if more > 0 else "") + (f" ({first.hint})" if first.hint else ""),
            places[:4000],
            m.payload,
        )


class General:
    """Checks batches value by value and adds what passes to the rows."""

    def __init__(self, notes: Notes, rows: RowBuilder, quarantined: list[Quarantined]) -> None:
        self._notes, self._rows, self._quarantined = notes, rows, quarantined

    def take(
        self,
        m: Message,
        batches: Sequence[Batch],
        faults: Sequence[DecodeFault],
        slot_of: Mapping[str, TwinSlot | None],
        *,
        marked: bool = False,
    ) -> Verdict:
        """Check all of a message. ``marked``: its session and seq are marked already, by itself."""
        found = _Faults()
        rows = repeated = idx = 0
        sessions: list[Session] = []
        again = False
        for batch in batches:
            slot = slot_of.get(batch.twin)
            if slot is None:
                fault = Fault(
                    "twin:unknown", f"No twin is called {batch.twin[:80]!r}", "Register it, or correct the id", "topic"
                )
                found.add(fault, batch.twin, max(1, _count(batch)))
                continue
            session = slot.sessions.get(batch.session) if batch.seq is not None or batch.session else None
            if session is not None:
                sessions.append(session)
                session.messages += not marked
            if batch.seq is not None and not marked:
                first = self._notes.first_time(session, batch.seq)
                if first is False:
                    again = True
                    repeated += max(1, _count(batch))
                    if session is not None:
                        session.repeated += max(1, _count(batch))
                    continue
                if first is None:
                    fault = Fault(
                        "session:forgotten",
                        f"Whether seq {batch.seq} of session {batch.session[:40]!r} came before is forgotten",
                        "Use a new session at each start and count up in it",
                        "seq",
                    )
                    found.add(fault, batch.twin, max(1, _count(batch)))
                    continue
            made, idx = self._batch(m, batch, slot, found, idx)
            rows += made
            if session is not None:
                session.stored += made
        if not again:
            for f in faults:
                found.add(f.fault, f.twin)
        if found.found:
            self._quarantined.append(found.entry(m))
            for session in sessions[:1]:
                session.quarantined += found.values
        return Verdict(rows, found.values, repeated)

    def _batch(self, m: Message, batch: Batch, slot: TwinSlot, found: _Faults, idx: int) -> tuple[int, int]:
        """Rows made of a batch, and the next index."""
        good_times = [self._time(m, t, i, batch, slot, found) for i, t in enumerate(batch.times)]
        rows = 0
        # One type for all of it, as nearly always, is asked for once.
        steady = slot.fast_from <= min(batch.times, default=0) and max(batch.times, default=0) < slot.fast_until
        signals = slot.signals_at(batch.times[0]) if steady else None
        # In order of name: the place of a value must not depend on how the machine happened to order its members.
        for name, values in sorted(batch.columns.items()):
            if signals is not None and len(values) > 1 and all(good_times):
                made = self._numbers(m, batch, slot, signals.get(name), values, idx)
                if made:
                    idx, rows = idx + made, rows + made
                    continue
            for i, (time, value) in enumerate(zip(batch.times, values, strict=True)):
                idx += 1
                if isinstance(value, Absent) or not good_times[i]:
                    continue
                try:
                    checked = _checked(signals if steady else slot.signals_at(time), name, value, batch.units)
                except Problem as p:
                    where = f"values.{name}" if len(batch.times) == 1 else f"values.{name}[{i}]"
                    found.add(p.at(where), batch.twin)
                    continue
                self._add(m, batch, slot, name, time, checked, idx - 1)
                rows += 1
        return rows, idx

    def _numbers(
        self,
        m: Message,
        batch: Batch,
        slot: TwinSlot,
        definition: SignalDefinition | None,
        values: Sequence[object],
        idx: int,
    ) -> int:
        """Rows made of a whole column of numbers with which nothing is wrong; 0 where each has to be looked at."""
        if definition is None or definition.type != "number":
            return 0
        name = definition.name
        try:
            factor = unit_factor(definition, batch.units[name]) if name in batch.units else (1.0, 0.0)
        except Problem:
            return 0
        numbers = check_numbers(definition, values, factor)
        if numbers is None:
            return 0
        quality, code = int(batch.quality), self._rows.signals.code(name)
        self._rows.add_numbers(
            slot.code, code, batch.times, m.received, numbers, quality, batch.replayed, m.shard, m.seq, idx
        )
        time, latest = max((time, i) for i, time in enumerate(batch.times))
        slot.live.offer(name, ((time, m.shard, m.seq, idx + latest), numbers[latest], quality, m.received))
        return len(numbers)

    def _add(self, m: Message, batch: Batch, slot: TwinSlot, name: str, time: int, value: Scalar, idx: int) -> None:
        quality = int(Quality.BAD if value is None else batch.quality)
        builder = self._rows
        builder.add(
            slot.code, builder.signals.code(name), time, m.received, value, quality, batch.replayed, m.shard, m.seq, idx
        )
        take = slot.live.offer_condition if slot.is_condition(name, time) else slot.live.offer
        take(name, ((time, m.shard, m.seq, idx), value, quality, m.received))

    def _time(self, m: Message, time: int, i: int, batch: Batch, slot: TwinSlot, found: _Faults) -> bool:
        where = "time" if len(batch.times) == 1 else f"times[{i}]"
        fault = None
        if time > m.received + FUTURE_NS:
            ahead = (time - m.received) // 10**9
            fault = Fault("time:in-future", f"{ahead} s ahead of its receipt", "Set the machine's clock (NTP)", where)
        elif slot.twin.retired is not None and time >= slot.twin.retired:
            fault = Fault("twin:unknown", f"{batch.twin} was retired before that", "Register a new twin", where)
        elif time < slot.low:
            commissioned = slot.twin.commissioned is not None and time < slot.twin.commissioned
            fault = (
                Fault("time:before-commissioning", "Before the machine was commissioned", "Set its clock", where)
                if commissioned
                else Fault("time:out-of-range", "Before 1980: the clock was never set", "Set the clock (NTP)", where)
            )
        if fault is None:
            return True
        samples = sum(v[i] is not ABSENT for v in batch.columns.values())
        found.add(fault, batch.twin, max(1, samples))
        return False


def _checked(
    signals: Mapping[str, SignalDefinition] | None, name: str, value: object, units: Mapping[str, str]
) -> Scalar:
    if signals is None:
        if name != CONNECTION:
            check_name(name)
        return check_untyped(value)
    definition = definition_of(signals, name)
    return check_value(definition, value, unit_factor(definition, units[name]) if name in units else (1.0, 0.0))


def _count(batch: Batch) -> int:
    return sum(v is not ABSENT for column in batch.columns.values() for v in column)
