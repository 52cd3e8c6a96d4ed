"""Reads all that a production plan is made from: registers, machines with their calendars, agreed maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeVar

import msgspec

from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.instant import DAY, HOUR, parse_instant
from servitwin.domain.schedule.assemble import Shop, Windows
from servitwin.domain.schedule.delivery import arrivals_as_told, finder
from servitwin.domain.schedule.learned import lessons
from servitwin.domain.schedule.master_data import (
    BlockedTime,
    CrewEntry,
    ProductionOrder,
    Routing,
    ShiftAnswer,
    StockedMaterial,
    Workplace,
)
from servitwin.domain.schedule.problem import Blocked
from servitwin.domain.twin import Twin, value_at
from servitwin.domain.work_order import WorkOrder
from servitwin.usecases.delivery_book import DeliveryBook
from servitwin.usecases.machine_time import GROUPS, calendar_name
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

S = TypeVar("S", bound=msgspec.Struct)
EXPECTED_REPAIR = 2 * HOUR
"""How long a machine that is down counts as down where nobody has said until when."""

DOWN = frozenset({"failed", "repair"})


class ProductionShop:
    """Reads for one party; whoever calls has made sure of the right to its plans."""

    def __init__(self, records: Records, registry: Registry) -> None:
        self._records, self._registry = records, registry

    def bodies(self, kind: str, party: str, struct: type[S]) -> dict[str, S]:
        """All entries of a register of a party, in their shape."""
        return {e.id: msgspec.convert(e.body, struct) for e in self._records.register_entries(kind, [party])}

    def read(self, party: str, now: int, end: int, down: Mapping[str, int]) -> Shop:
        """The party's production between ``now`` and ``end`` (ns UTC).

        Args:
            party: whose machines and registers.
            now: start of the time that is planned.
            end: of it.
            down: machines that are down by their own state, with the instant since when.
        """
        bodies = self.bodies
        workplaces = bodies("workplaces", party, Workplace)
        crews = bodies("crews", party, CrewEntry)
        machines = {t.id: t for t in self.machines(party, now)}
        blocked = self._blocked(party, machines, now, end)
        for id, since in down.items():
            if id in machines and not any(b.kind == "down" and b.end > now for b in blocked.get(id, ())):
                why = "down by its own state; nobody has said until when"
                blocked[id] = (*blocked.get(id, ()), Blocked(since, now + EXPECTED_REPAIR, "down", why))
        open_ = cache(lambda name: self._windows(name, now, end))  # many machines share a calendar
        windows: dict[str, Windows] = {}
        for id, twin in machines.items():
            name = workplaces[id].calendar if id in workplaces else ""
            windows[id] = open_(name or calendar_name(self._registry, twin, now))
        named = {f"workplaces.{id}.calendar": w.calendar for id, w in workplaces.items() if w.calendar}
        named |= {f"crews.{id}.calendar": c.calendar for id, c in crews.items() if c.calendar}
        answers = bodies("shift_answers", party, ShiftAnswer)
        return Shop(
            bodies("orders", party, ProductionOrder),
            bodies("routings", party, Routing),
            self.stock(party),
            crews,
            workplaces,
            {id: t.title or id for id, t in machines.items()},
            windows,
            {id: open_(c.calendar) for id, c in crews.items()},
            blocked,
            lessons(answers.values()),
            tuple((place, name) for place, name in sorted(named.items()) if self._registry.calendar(name) is None),
        )

    def stock(self, party: str) -> dict[str, StockedMaterial]:
        """Materials with their arrivals as they are expected by all that was said of them."""
        find = finder(DeliveryBook(self._records).of(party))
        return arrivals_as_told(party, self.bodies("materials", party, StockedMaterial), find)

    def answers(self, party: str) -> list[ShiftAnswer]:
        """What operators answered so far."""
        return list(self.bodies("shift_answers", party, ShiftAnswer).values())

    def machines(self, party: str, now: int) -> list[Twin]:
        """Machines that the party owns now."""
        return [t for t in self._registry.twins() if t.kind not in GROUPS and value_at(t.owner, now) == party]

    def _windows(self, name: str, now: int, end: int) -> Windows:
        calendar = self._registry.calendar(name) if name else None
        if calendar is None:
            return None
        spans = planned_spans(shift_intervals(calendar, now, end), now, end)
        return tuple((int(s), int(e)) for s, e in spans.pairs())

    def _blocked(self, party: str, machines: Mapping[str, Twin], now: int, end: int) -> dict[str, tuple[Blocked, ...]]:
        found: dict[str, list[Blocked]] = {}
        for id, b in self.bodies("blocked_times", party, BlockedTime).items():
            start, until = parse_instant(b.start), parse_instant(b.end)
            if until > now and start < end:
                found.setdefault(b.machine, []).append(Blocked(start, until, b.kind, b.why, b.ref or id))
        last: dict[str, WorkOrder] = {}
        for step in self._records.work_orders(sorted(machines), now, end):
            last[step.id] = step
        for order in last.values():
            until = order.end if order.end is not None else max(now, order.start) + EXPECTED_REPAIR
            if order.status != "cancelled" and until > now and until - order.start < 30 * DAY:
                words = order.text or order.cause
                found.setdefault(order.twin, []).append(Blocked(order.start, until, "maintenance", words, order.id))
        return {id: tuple(sorted(b, key=lambda x: (x.start, x.end))) for id, b in found.items()}
