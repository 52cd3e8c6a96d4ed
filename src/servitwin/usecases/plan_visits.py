"""Plan visits: what is accepted or scheduled, as visits to sites, and the routes of the technicians who make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from servitwin.domain.calendar_shift import shift_intervals
from servitwin.domain.error import Fault, NotFoundError
from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.job import Job
from servitwin.domain.party import Actor
from servitwin.domain.recommendation import Recommendation
from servitwin.domain.service_site import ServiceSite
from servitwin.domain.state_time_span import Spans
from servitwin.domain.technician import working_spans
from servitwin.domain.visit_problem import Traveller, Visit, VisitProblem
from servitwin.usecases.follow_recommendation import FollowRecommendation
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.list_due_tasks import ListDueTasks, Service

PLANNER, ABOUT = "visit_routes", "visits"
TO_VISIT = ("proposed", "countered", "accepted", "scheduled")
_PRIORITY = {"scheduled": 1, "accepted": 2, "countered": 4, "proposed": 4}
ROOM = 2 * HOUR  # before and after a time that was agreed: the work is within it, the hour is the technician's


class PlanVisits:
    """Builds the problem of some days and asks for routes."""

    def __init__(self, due: ListDueTasks, follow: FollowRecommendation, jobs: Jobs, now: Callable[[], int]) -> None:
        self._due = due
        self._follow = follow
        self._jobs = jobs
        self._now = now

    def prepare(self, actor: Actor, party: str = "", days: int = 7) -> tuple[VisitProblem, list[str]]:
        """The problem of the next days, with notes on what is not in it.

        Raises:
            NotFoundError: ``visits:nothing-to-do``.
        """
        now = self._now()
        service = self._due.service(actor, party)
        until = now + days * DAY
        visits, notes = list[Visit](), list[str]()
        for item in self._follow.all(actor):
            if item.provider != service.party or item.status not in TO_VISIT or item.window[0] >= until:
                continue
            site = service.sites.get(service.site_of(item.twin))
            if site is None:
                notes.append(f"{item.title}: {item.twin} stands at no service site")
                continue
            visit = _visit(item, service, site, now, until)
            if visit.windows:
                visits.append(visit)
            else:
                notes.append(f"{item.title}: nobody may come to {site.name} at its time")
        if not visits:
            message = f"Nothing is to be visited in the next {days} days"
            raise NotFoundError(Fault("visits:nothing-to-do", message, "Propose and accept maintenance first"))
        travellers = tuple(
            Traveller(
                id, t.skills, t.base, tuple(_whole_shifts(working_spans(t, now, until))), t.rate_per_hour,
                t.rate_per_km, t.van_capacity, t.name,
            )
            for id, t in service.technicians.items()
        )  # fmt: skip
        currencies = {t.currency for t in service.technicians.values()} | {s.currency for s in service.sites.values()}
        if len(currencies) > 1:
            notes.append(f"Rates are in {', '.join(sorted(currencies))}: they are taken as one currency")
        return VisitProblem(tuple(visits), travellers, min(currencies, default="EUR")), notes

    def ask(self, actor: Actor, party: str = "", days: int = 7, budget_s: float = 10.0, seed: int = 1) -> Job:
        """Let the service plan the routes; the job is found again by its subject ``visits``."""
        problem, _ = self.prepare(actor, party, days)
        plain: dict[str, Any] = msgspec.to_builtins(problem)
        mine = self._jobs.party_of(actor, party)
        return self._jobs.ask(PLANNER, plain, actor, budget_s=budget_s, seed=seed, about=ABOUT, party=mine)


def _visit(item: Recommendation, service: Service, site: ServiceSite, now: int, until: int) -> Visit:
    task = service.tasks.get(item.task)
    start, end = item.window
    length = round(task.duration_hours * HOUR) if task is not None else end - start
    wanted = Spans.of([(max(now, start - ROOM), max(end, start + length) + ROOM)])
    if site.access is not None:
        open_ = Spans.of((s.start, s.end) for s in shift_intervals(site.access, now - DAY, until + DAY))
        wanted = wanted.meet(open_)
    windows = tuple(wanted.pairs())
    skills = task.skills if task is not None else ()
    load = sum(n.quantity for n in task.parts) if task is not None else 0
    return Visit(
        item.id, site.place, length // 10**9, windows, skills, _PRIORITY[item.status], None, load, (item.task,),
        f"{item.title}, {item.twin}",
    )  # fmt: skip


def _whole_shifts(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches between breaks joined into days of work: a break is taken on the road."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start - joined[-1][1] <= HOUR:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
