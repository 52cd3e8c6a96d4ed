"""Follow recommendations: proposed from a plan, answered by the customer, scheduled, done, and judged.

They are kept as revisions like the entries of a register, but no register of that kind is declared: nobody writes one
for the other side, each step goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.job import Job
from servitwin.domain.job_sheet import JobSheet
from servitwin.domain.maintenance_placement import PlacementPlan, PlacementProblem
from servitwin.domain.maintenance_task import MaintenanceTask
from servitwin.domain.party import Actor
from servitwin.domain.recommendation import (
    OPEN,
    Action,
    Followed,
    Found,
    Recommendation,
    RecommendationStep,
    follow,
    next_step,
)
from servitwin.domain.register import RegisterEntry
from servitwin.usecases.audit import Audit
from servitwin.usecases.authorise import Authoriser, not_permitted
from servitwin.usecases.jobs import Jobs
from servitwin.usecases.keep_job_sheet import KeepJobSheet
from servitwin.usecases.keep_work_order import KeepWorkOrder, NewOrder
from servitwin.usecases.list_due_tasks import ListDueTasks
from servitwin.usecases.plan_maintenance import PLANNER
from servitwin.usecases.ports import Records
from servitwin.usecases.registry import Registry

KIND = "recommendations"
CAUSE = "maintenance"
RULE = "least cost of lost production, risk of waiting, labour and visits within the task's window"


class Answer(msgspec.Struct, frozen=True):
    """A step that somebody takes; times in ns UTC, 0: as it was."""

    action: Action
    start: int = 0
    end: int = 0
    text: str = ""
    found: Found | None = None


class Proposed(msgspec.Struct, frozen=True):
    """What a plan brought: recommendations made, and tasks that have an open one already."""

    made: tuple[Recommendation, ...]
    open_already: tuple[str, ...]


class FollowRecommendation:
    """Recommendations of a provider, for its people and for the owners of the machines."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        authoriser: Authoriser,
        jobs: Jobs,
        due: ListDueTasks,
        orders: KeepWorkOrder,
        sheets: KeepJobSheet,
        audit: Audit,
        now: Callable[[], int],
        new_id: Callable[[], str],
        publish: Callable[[str, bytes], None],
    ) -> None:
        self._records = records
        self._registry = registry
        self._authoriser = authoriser
        self._jobs = jobs
        self._due = due
        self._orders = orders
        self._sheets = sheets
        self._audit = audit
        self._now = now
        self._new_id = new_id
        self._publish = publish

    def all(self, actor: Actor) -> list[Recommendation]:
        """Those of parties whose plans the caller may see, as provider or as customer, the newest first."""
        parties = [p.id for p in self._records.parties()]
        mine = {p for p in parties if self._authoriser.may_for_party(actor, "see_plan", p)}
        entries = self._records.register_entries(KIND, parties)
        found = [msgspec.convert(e.body, Recommendation) for e in entries]
        seen = [r for r in found if r.provider in mine or r.customer in mine]
        return sorted(seen, key=lambda r: (-r.steps[0].at, r.id))

    def one(self, actor: Actor, id: str) -> Recommendation:
        """One of them.

        Raises:
            NotFoundError: ``recommendation:unknown``.
        """
        return next((r for r in self.all(actor) if r.id == id), None) or _unknown(id)

    def followed(self, actor: Actor) -> Followed:
        """How they ended."""
        return follow(self.all(actor))

    def propose(self, actor: Actor, job_id: str) -> Proposed:
        """Recommendations from the plan of a job; a task with an open one keeps that.

        Raises:
            NotFoundError: ``job:unknown``.
            InvalidInputError: ``recommendation:no-plan`` if the job is none of ``maintenance_plan`` with a plan.
        """
        job = self._jobs.one(actor, job_id)
        self._authoriser.require_for_party(actor, "plan", job.party)
        plan, problem = self._plan(job)
        tasks, titles = self._due.service(actor, job.party).tasks, {t.id: t for t in problem.tasks}
        with self._records.together("recommendations"):
            self._end_those_that_passed(actor, job.party)
            waiting = {r.task for r in self.all(actor) if r.status in OPEN and r.provider == job.party}
            made = []
            for placed in plan.placed:
                task = tasks.get(placed.task)
                if task is None or placed.task in waiting:
                    continue
                now = self._now()
                step = RecommendationStep("propose", actor.id, job.party, now, placed.start, placed.end)
                item = Recommendation(
                    self._new_id(), task.twin, task.component, placed.task, task.title, job.party,
                    self._owner(task, now) or job.party, job.service, job.version, job.problem, RULE, placed.start,
                    titles[placed.task].latest, placed.technician, plan.currency, _money(placed.chosen.cost),
                    _money(placed.at_once.cost), _money(placed.at_last.cost), placed.why, (step,),
                )  # fmt: skip
                self._keep(item, actor, 1)
                made.append(item)
        return Proposed(tuple(made), tuple(sorted(waiting & {p.task for p in plan.placed})))

    def act(self, actor: Actor, id: str, answer: Answer) -> Recommendation:
        """Take a step for the party that the caller acts for.

        ``schedule`` opens a planned work order with its job sheet, as the person whom it is planned for will find it.

        Raises:
            NotFoundError: ``recommendation:unknown``.
            ConflictError, RefusedError, InvalidInputError: as :func:`servitwin.domain.recommendation.next_step`.
        """
        with self._records.together("recommendations"):
            item = self.one(actor, id)
            party = self._side(actor, item)
            step = RecommendationStep(
                answer.action, actor.id, party, self._now(), answer.start, answer.end, answer.text, "", answer.found
            )
            changed = next_step(item, step)
            if answer.action == "schedule":
                changed = self._schedule(item, step, actor)
            self._keep(changed, actor, self._revision(item) + 1)
        return changed

    def close_job(self, actor: Actor, order: str, case: str = "", proof: str = "", note: str = "") -> JobSheet:
        """The work of an order is done: its sheet and the order end, and the recommendation behind it is done.

        Raises:
            NotFoundError, ConflictError, InvalidInputError: as :meth:`KeepJobSheet.close`.
        """
        with self._records.together("recommendations"):
            sheet, provider = self._sheets.close(actor, order, case, proof, note)
            entry = self._records.register_entry(KIND, provider, sheet.recommendation)
            if entry is not None:
                item = msgspec.convert(entry.body, Recommendation)
                if item.status in ("accepted", "scheduled"):
                    step = RecommendationStep("done", actor.id, provider, self._now())
                    self._keep(next_step(item, step), actor, entry.revision + 1)
        return sheet

    def _schedule(self, item: Recommendation, step: RecommendationStep, actor: Actor) -> Recommendation:
        start, end = (step.start, step.end) if step.end else item.window
        said = NewOrder("planned", start, end, CAUSE, None, f"{item.title} ({item.component})")
        order = self._orders.open(item.twin, said, actor)[0]
        task = self._due.service(actor, item.provider).tasks.get(item.task)
        self._sheets.open(order.id, item, task, actor)
        fresh = msgspec.structs.replace(step, start=start, end=end, work_order=order.id)
        return next_step(item, fresh)

    def _end_those_that_passed(self, actor: Actor, provider: str) -> None:
        """Withdraw what nobody answered until its window was over: its task may be proposed again."""
        now = self._now()
        for item in self.all(actor):
            if item.provider == provider and item.waiting_for and item.window[1] <= now:
                step = RecommendationStep("withdraw", actor.id, provider, now, text="Its window is over")
                self._keep(next_step(item, step), actor, self._revision(item) + 1)

    def _plan(self, job: Job) -> tuple[PlacementPlan, PlacementProblem]:
        said: Any = self._jobs.result(job) if job.service == PLANNER else None
        if not isinstance(said, Mapping):
            message = f"Job {job.id} has no maintenance plan"
            raise InvalidInputError(Fault("recommendation:no-plan", message, f"Name a job of {PLANNER} with a plan"))
        problem = msgspec.convert(self._jobs.problem(job), PlacementProblem, strict=False)
        return msgspec.convert(said, PlacementPlan, strict=False), problem

    def _side(self, actor: Actor, item: Recommendation) -> str:
        """The party that the caller speaks for: its own. Nobody answers for the other side, not even the node."""
        mine = self._jobs.party_of(actor)
        if mine not in (item.provider, item.customer):
            raise not_permitted("plan", item.provider)
        self._authoriser.require_for_party(actor, "plan", mine)
        return mine

    def _owner(self, task: MaintenanceTask, now: int) -> str:
        twin = self._registry.by_id(task.twin)
        return (twin.owner_at(now) if twin is not None else None) or ""

    def _revision(self, item: Recommendation) -> int:
        entry = self._records.register_entry(KIND, item.provider, item.id)
        return entry.revision if entry is not None else 0

    def _keep(self, item: Recommendation, actor: Actor, revision: int) -> None:
        now, last = self._now(), item.steps[-1]
        body: dict[str, Any] = msgspec.to_builtins(item)
        self._records.add_register_entries([RegisterEntry(KIND, item.id, item.provider, revision, now, actor.id, body)])
        detail = {"twin": item.twin, "action": last.action, "party": last.by_party}
        self._audit.note(actor, "recommendation.step", item.id, detail)
        told = {"recommendation": item.id, "task": item.task, "status": item.status, "waiting_for": item.waiting_for}
        number = self._records.add_event("recommendation", item.twin, now, told)
        event = {"id": number, "kind": "recommendation", "subject": item.twin, "at": now, "data": told}
        self._publish("happened", msgspec.json.encode(event))


def _money(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


def _unknown(id: str) -> Recommendation:
    raise NotFoundError(Fault("recommendation:unknown", f"There is no recommendation {id[:80]!r}", "List them", "id"))
