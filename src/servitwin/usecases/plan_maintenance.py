"""Plan maintenance: the tasks that are due, placed into the production schedule by the service ``maintenance_plan``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from servitwin.domain.age_replacement import fails_within
from servitwin.domain.calendar_shift import planned_spans, shift_intervals
from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.job import Job
from servitwin.domain.machine_occupation import MachineOccupation, Taken, occupied
from servitwin.domain.maintenance_grouping import Grouping, GroupTask, group
from servitwin.domain.maintenance_interval import law_of, waiting_cost
from servitwin.domain.maintenance_placement import PlacementPart, PlacementProblem, PlacementTask, PlacementTechnician
from servitwin.domain.party import Actor
from servitwin.domain.spare_part import arrival
from servitwin.domain.state_time_span import Spans
from servitwin.domain.technician import working_spans
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.list_due_tasks import DueTask, ListDueTasks, Service
from servitwin.usecases.machine_time import calendar_name
from servitwin.usecases.registry import Registry

PLANNER, ABOUT = "maintenance_plan", "maintenance"
# Operations (machine, start, end, order) of the plan that an owner has published, as far as the caller may see it.
Production = Callable[[Actor, str], list[tuple[str, int, int, str]]]
DAYS = 35
CURVE = 25  # points of the cost of waiting


class Prepared(msgspec.Struct, frozen=True):
    """A problem with what had to be assumed or left out, and how tasks would share visits by their windows."""

    problem: PlacementProblem
    notes: tuple[str, ...]
    groupings: dict[str, Grouping]


class PlanMaintenance:
    """Builds the problem from the registers, the calendars and the production schedule, and asks for a plan."""

    def __init__(
        self, registry: Registry, production: Production, due: ListDueTasks, jobs: Jobs, now: Callable[[], int]
    ) -> None:
        self._registry = registry
        self._production = production
        self._due = due
        self._jobs = jobs
        self._now = now

    def prepare(self, actor: Actor, party: str = "", days: int = DAYS) -> Prepared:
        """The problem of the next days.

        Raises:
            NotFoundError: ``maintenance:nothing-due`` if no task is due within them.
        """
        now = self._now()
        until = now + days * DAY
        service = self._due.service(actor, party)
        notes: list[str] = []
        chosen = []
        for item in self._due.due(service):
            if item.due is None:
                notes.append(f"{item.id} is not planned: {item.unknown.message if item.unknown else 'not known when'}")
            elif item.unknown is None and item.due.earliest < until:
                chosen.append(item)
        if not chosen:
            message = f"No task of {service.party} is due in the next {days} days"
            raise NotFoundError(Fault("maintenance:nothing-due", message, "Look further ahead, or enter tasks"))
        machines = self._machines(actor, service, chosen, now, until, notes)
        problem = PlacementProblem(
            now,
            chosen[0].task.currency,
            tuple(machines),
            tuple(_task(item, service, now, until) for item in chosen),
            tuple(
                PlacementTechnician(id, t.skills, tuple(working_spans(t, now, until)), t.rate_per_hour)
                for id, t in service.technicians.items()
            ),
            tuple(PlacementPart(id, p.stock, arrival(p, p.stock + 1, now)) for id, p in service.parts.items()),
            site_cost={id: site.visit_cost for id, site in service.sites.items()},
            visit_s=1800,
        )
        return Prepared(problem, tuple(notes), _groupings(chosen, service))

    def ask(self, actor: Actor, party: str = "", days: int = DAYS, budget_s: float = 20.0, seed: int = 1) -> Job:
        """Let the service place what is due; the job is found again by its subject ``maintenance``.

        Raises:
            RefusedError: ``access:not-permitted``.
        """
        prepared = self.prepare(actor, party, days)
        problem: dict[str, Any] = msgspec.to_builtins(prepared.problem)
        mine = self._jobs.party_of(actor, party)
        return self._jobs.ask(PLANNER, problem, actor, budget_s=budget_s, seed=seed, about=ABOUT, party=mine)

    def _machines(
        self, actor: Actor, service: Service, chosen: Sequence[DueTask], now: int, until: int, notes: list[str]
    ) -> list[MachineOccupation]:
        currency = chosen[0].task.currency
        plain, owners = [], dict[str, str]()
        for twin_id in sorted({item.task.twin for item in chosen}):
            twin = self._registry.by_id(twin_id)
            assert twin is not None  # a task of a machine that is not known was left out
            owners[twin_id] = twin.owner_at(now) or ""
            name = calendar_name(self._registry, twin, now)
            calendar = self._registry.calendar(name) if name else None
            working = Spans.of([(now, until)])
            if calendar is None:
                notes.append(f"{twin_id} has no calendar: all time counts as planned working time")
            else:
                working = planned_spans(shift_intervals(calendar, now, until), now, until)
                if not working.total():
                    notes.append(f"The calendar of {twin_id} has no working time in these days: no stop costs anything")
                    working = Spans.of([(until, until + HOUR)])
            site = service.sites.get(service.site_of(twin_id))
            worth = site.machines[twin_id] if site is not None else None
            if worth is None:
                notes.append(f"What an hour of {twin_id} is worth is not known: name it in a service site")
            busy, idle = (worth.busy_per_hour, worth.idle_per_hour) if worth else (Decimal(0), Decimal(0))
            closed: tuple[Taken, ...] = ()
            if site is not None and site.access is not None:
                open_ = Spans.of((s.start, s.end) for s in shift_intervals(site.access, now, until))
                shut = Spans.of([(now, until)]).minus(open_)
                closed = tuple(Taken(a, b, "no access", Decimal(0), fixed=True) for a, b in shut.pairs())
            plain.append(MachineOccupation(twin_id, currency, busy, idle, tuple(working.pairs()), closed, now))
        return self._with_schedule(actor, plain, owners, until, notes)

    def _with_schedule(
        self, actor: Actor, plain: list[MachineOccupation], owners: Mapping[str, str], until: int, notes: list[str]
    ) -> list[MachineOccupation]:
        """The machines with the newest production schedule of each owner that the actor may see."""
        found = list(plain)
        for owner in sorted(set(owners.values())):
            operations = self._production(actor, owner) if owner else []
            mine = {t for t, o in owners.items() if o == owner}
            if not operations:
                notes.append(f"No production schedule of {owner or 'nobody'} is seen: all planned time counts as taken")
                continue
            known = max(end for _, _, end, _ in operations)
            late = [
                msgspec.structs.replace(m, known_until=min(known, until)) if m.machine in mine else m for m in found
            ]
            found = occupied([o for o in operations if o[0] in mine], late)
        return found


def window(item: DueTask, now: int, until: int) -> tuple[int, int]:
    """When a task may be done: its own window, and for what is overdue the next days."""
    assert item.due is not None
    length = round(item.task.duration_hours * HOUR)
    earliest, latest = max(now, item.due.earliest), item.due.latest
    if latest < now + length:
        latest = now + round(max(item.task.late_days, 3) * DAY) + length
    return earliest, max(earliest + length, min(latest, until + 7 * DAY))


def _task(item: DueTask, service: Service, now: int, until: int) -> PlacementTask:
    task = item.task
    earliest, latest = window(item, now, until)
    return PlacementTask(
        item.id, task.twin, round(task.duration_hours * 3600), earliest, latest, task.title, task.skills, task.parts,
        _waiting(item, now, earliest, latest), task.stops_machine, service.site_of(task.twin),
    )  # fmt: skip


def _waiting(item: DueTask, now: int, earliest: int, latest: int) -> tuple[tuple[int, float], ...]:
    """What the risk costs by the time of beginning; nothing where no life is known."""
    task, best = item.task, item.best
    if task.life is None or best is None or item.age_h is None:
        return ()
    times = np.unique(np.linspace(earliest, latest, CURVE).astype(np.int64))
    hours = (times - times[0]) / HOUR * task.life.hours_per_day / 24
    age = item.age_h + (earliest - now) / HOUR * task.life.hours_per_day / 24
    cost = waiting_cost(
        law_of(task.life), age, hours, float(task.planned_cost), float(task.failure_cost), best.cost_per_h
    )
    return tuple((int(t), float(c)) for t, c in zip(times, cost, strict=True))


def _groupings(chosen: Sequence[DueTask], service: Service) -> dict[str, Grouping]:
    """How tasks of each site would share visits by their windows alone, with what a day too early or too late costs."""
    by_site: dict[str, list[GroupTask]] = {}
    for item in chosen:
        assert item.due is not None
        site, days = service.site_of(item.task.twin), _interval_days(item)
        early = float(item.task.planned_cost) / days
        by_site.setdefault(site, []).append(
            GroupTask(item.id, item.due.earliest, item.due.due, item.due.latest, early, max(early, _risk_a_day(item)))
        )
    return {s: group(tasks, float(service.sites[s].visit_cost)) for s, tasks in by_site.items() if s}


def _interval_days(item: DueTask) -> float:
    interval = item.task.interval
    if interval.by == "condition":
        return 365.0
    return max(1.0, interval.every / (interval.per_day if interval.by == "count" else 1.0))


def _risk_a_day(item: DueTask) -> float:
    """What a day of waiting past the due time risks: the chance of a failure in it, and what it costs more."""
    task = item.task
    if task.life is None or item.age_h is None:
        return 0.0
    chance = fails_within(law_of(task.life), item.age_h, task.life.hours_per_day)
    return max(0.0, float(task.failure_cost - task.planned_cost)) * chance
