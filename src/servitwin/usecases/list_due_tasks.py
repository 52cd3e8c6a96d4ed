"""List maintenance that is due: each task with its window, the age that would cost least, and the parts it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from servitwin.domain.age_replacement import Replacement
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.maintenance_interval import best_age
from servitwin.domain.maintenance_task import Due, MaintenanceTask, age_hours, due_of
from servitwin.domain.party import Actor
from servitwin.domain.service_site import ServiceSite
from servitwin.domain.spare_part import Reorder, SparePart, reorder
from servitwin.domain.technician import Technician
from servitwin.usecases.ports import Records
from servitwin.usecases.registers import Registers
from servitwin.usecases.registry import Registry

PREDICTION_AGE = 14 * DAY  # an older prediction says nothing of today


class DueTask(msgspec.Struct, frozen=True):
    """A task as it stands.

    Attributes:
        due: its window; None where that cannot be known, then ``unknown`` says why.
        overdue: its window is over.
        age_h: operating hours since it was done last; best: the age that costs least, where its life is known.
        advice: about the interval, in words; empty without a life.
        remaining_h: predicted remaining life (operating hours, lower end), where a prediction is at hand.
    """

    id: str
    task: MaintenanceTask
    owner: str
    due: Due | None
    overdue: bool
    unknown: Fault | None
    age_h: float | None
    best: Replacement | None
    advice: str
    remaining_h: float | None


class PartStanding(msgspec.Struct, frozen=True):
    """A part with what is to be done about it."""

    id: str
    part: SparePart
    reorder: Reorder


class Service(msgspec.Struct, frozen=True):
    """The registers that service is planned from, of one provider."""

    party: str
    tasks: dict[str, MaintenanceTask]
    parts: dict[str, SparePart]
    technicians: dict[str, Technician]
    sites: dict[str, ServiceSite]

    def site_of(self, twin: str) -> str:
        """The site where a machine stands, or nothing."""
        return next((id for id, site in self.sites.items() if twin in site.machines), "")


class ListDueTasks:
    """What is due, for those who may see a provider's plans."""

    def __init__(self, records: Records, registry: Registry, registers: Registers, now: Callable[[], int]) -> None:
        self._records = records
        self._registry = registry
        self._registers = registers
        self._now = now

    def service(self, actor: Actor, party: str = "") -> Service:
        """The registers of a provider (default: the caller's party).

        Raises:
            RefusedError: ``access:not-permitted``.
        """
        mine = self._registers.party_of(actor, party)
        self._registers.readable(actor, mine)
        return Service(
            mine,
            self._registers.bodies("maintenance-tasks", mine, MaintenanceTask),
            self._registers.bodies("spare-parts", mine, SparePart),
            self._registers.bodies("technicians", mine, Technician),
            self._registers.bodies("service-sites", mine, ServiceSite),
        )

    def due(self, service: Service) -> list[DueTask]:
        """Every task, the most urgent first; those whose due time is not known last."""
        found = [self._one(id, task) for id, task in service.tasks.items()]
        return sorted(found, key=lambda t: (t.due is None, t.due.latest if t.due else 0, t.id))

    def parts(self, service: Service) -> list[PartStanding]:
        """Every spare part with its reorder proposal; needs of tasks that are due are reserved."""
        planned: dict[str, list[tuple[int, int]]] = {}
        for item in self.due(service):
            if item.due is not None:
                for need in item.task.parts:
                    planned.setdefault(need.part, []).append((item.due.due, need.quantity))
        now = self._now()
        return [PartStanding(id, part, reorder(part, planned.get(id, ()), now)) for id, part in service.parts.items()]

    def _one(self, id: str, task: MaintenanceTask) -> DueTask:
        now = self._now()
        twin = self._registry.by_id(task.twin)
        remaining = self._remaining(twin.uid, task.component, now) if twin is not None else None
        due, unknown = None, None
        try:
            due = due_of(task, now, None, remaining)
        except InvalidInputError as e:
            unknown = e.fault
        if twin is None:
            hint = "Register it, or correct the task"
            unknown = Fault("task:twin-unknown", f"There is no machine {task.twin!r}", hint, "twin")
        best, advice = None, ""
        if task.life is not None and task.planned_cost > 0 and task.failure_cost > 0:
            best, advice = best_age(task.life, float(task.planned_cost), float(task.failure_cost))
        owner = (twin.owner_at(now) if twin is not None else None) or ""
        overdue = due is not None and due.latest < now
        return DueTask(id, task, owner, due, overdue, unknown, age_hours(task, now), best, advice, remaining)

    def _remaining(self, uid: str, component: str, now: int) -> float | None:
        """Operating hours left at the lower end of the newest prediction, by the service ``remaining_life``."""
        newest: tuple[int, float] | None = None
        for row in self._records.outcomes("remaining_life", uid, now - PREDICTION_AGE, now):
            outcome = msgspec.json.decode(row["outcome"])
            for result in outcome.get("results", ()) if isinstance(outcome, Mapping) else ():
                said: Any = result.get("remaining_life")
                if not isinstance(said, Mapping) or said.get("component") != component:
                    continue
                low, row_s = said.get("low"), said.get("row_s")
                if isinstance(low, int | float) and isinstance(row_s, int | float):
                    at = int(said.get("time") or row["to"])
                    if newest is None or at >= newest[0]:
                        newest = at, low * row_s * 1e9 / HOUR
        return None if newest is None else newest[1]
