"""What the routes of maintenance share: the use cases joined over the parts, and how their nouns are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends

from servitwin.domain.error import NotFoundError, RefusedError
from servitwin.domain.job_sheet import JobSheet
from servitwin.domain.maintenance_placement import Choice
from servitwin.domain.party import Actor
from servitwin.domain.recommendation import Recommendation
from servitwin.usecases.count_visits import CountVisits
from servitwin.usecases.follow_recommendation import FollowRecommendation
from servitwin.usecases.keep_job_sheet import KeepJobSheet
from servitwin.usecases.list_due_tasks import DueTask, ListDueTasks, PartStanding, Service
from servitwin.usecases.plan_maintenance import PlanMaintenance, Production
from servitwin.usecases.plan_production import PUBLISHED
from servitwin.usecases.plan_visits import PlanVisits
from servitwin.web.api.answers import at, full
from servitwin.web.api.callers import Parts
from servitwin.web.api.contract_parts import Contracts
from servitwin.web.api.parts import WebParts
from servitwin.web.api.schedules import Desk


@dataclass(frozen=True, slots=True)
class MaintenanceParts:
    """Use cases of maintenance over one node's parts; ``told``: events that wait to be published."""

    due: ListDueTasks
    plan: PlanMaintenance
    sheets: KeepJobSheet
    follow: FollowRecommendation
    visits: PlanVisits
    count: CountVisits
    told: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, parts: WebParts) -> None:
        """Tell what happened to whoever listens."""
        for subject, payload in self.told:
            await parts.bus.publish(subject, payload)


def _joined(parts: Parts, contracts: Contracts) -> MaintenanceParts:
    told: list[tuple[str, bytes]] = []
    due = ListDueTasks(parts.records, parts.registry, parts.registers, parts.now)
    sheets = KeepJobSheet(parts.records, parts.authoriser, contracts.orders, parts.audit, parts.now)
    follow = FollowRecommendation(
        parts.records, parts.registry, parts.authoriser, parts.jobs, due, contracts.orders, sheets, parts.audit,
        parts.now, parts.new_id, lambda *m: told.append(m),
    )  # fmt: skip
    return MaintenanceParts(
        due,
        PlanMaintenance(parts.registry, _production(parts), due, parts.jobs, parts.now),
        sheets,
        follow,
        PlanVisits(due, follow, parts.jobs, parts.now),
        CountVisits(parts.records, parts.registry, contracts.access, parts.now),
        told,
    )


def _production(parts: WebParts) -> Production:
    """The published plan of an owner; none where there is none, or where the caller may not see it."""

    def operations(actor: Actor, owner: str) -> list[tuple[str, int, int, str]]:
        try:
            plan = Desk(parts).plans.one(actor, PUBLISHED, owner)
        except (NotFoundError, RefusedError):
            return []
        return [(p.machine, p.begin, p.end, p.order) for p in plan.placements]

    return operations


Maintenance = Annotated[MaintenanceParts, Depends(_joined)]


def due_out(item: DueTask, service: Service) -> dict[str, Any]:
    """A task as it stands, as JSON."""
    task, due = item.task, item.due
    return {
        "id": item.id, "twin": task.twin, "component": task.component, "title": task.title, "owner": item.owner,
        "site": service.site_of(task.twin), "earliest": at(due.earliest) if due else None,
        "due": at(due.due) if due else None, "latest": at(due.latest) if due else None, "why": due.why if due else "",
        "overdue": item.overdue, "unknown": full(item.unknown) if item.unknown else None, "skills": task.skills,
        "parts": [{"part": p.part, "quantity": p.quantity} for p in task.parts],
        "duration_hours": task.duration_hours, "stops_machine": task.stops_machine, "age_h": item.age_h,
        "best_age_h": item.best.age_h if item.best else None, "advice": item.advice, "remaining_h": item.remaining_h,
    }  # fmt: skip


def part_out(item: PartStanding) -> dict[str, Any]:
    """A spare part as JSON."""
    part, order = item.part, item.reorder
    return {
        "id": item.id, "name": part.name, "stock": part.stock, "ordered": part.ordered,
        "lead_time_days": part.lead_time_days, "reorder_point": order.point, "order_quantity": order.quantity,
        "available": order.available, "order": order.order, "cost": f"{order.cost.amount:.2f}",
        "currency": part.currency, "why": order.why,
    }  # fmt: skip


def choice_out(choice: Choice) -> dict[str, Any]:
    """A begin as JSON."""
    return {
        "from": at(choice.start), "lost": choice.lost, "risk": choice.risk, "labour": choice.labour,
        "cost": choice.cost,
    }  # fmt: skip


def recommendation_out(parts: WebParts, me: Actor, item: Recommendation) -> dict[str, Any]:
    """A recommendation as JSON, with what the caller may do to it."""
    start, end = item.window
    return {
        "id": item.id, "twin": item.twin, "component": item.component, "task": item.task, "title": item.title,
        "provider": item.provider, "customer": item.customer, "service": item.service, "version": item.version,
        "basis": item.basis, "rule": item.rule, "status": item.status, "waiting_for": item.waiting_for,
        "from": at(start), "to": at(end), "latest": at(item.latest), "technician": item.technician,
        "currency": item.currency, "cost": str(item.cost), "cost_at_once": str(item.cost_at_once),
        "cost_at_last": str(item.cost_at_last), "why": item.why, "work_order": item.work_order,
        "steps": [
            {
                "action": s.action, "by": s.by, "by_party": s.by_party, "at": at(s.at), "text": s.text,
                "from": at(s.start) if s.end else None, "to": at(s.end) if s.end else None,
                "work_order": s.work_order, "found": s.found,
            }
            for s in item.steps
        ],
        "may": _may(parts, me, item),
    }  # fmt: skip


def _may(parts: WebParts, me: Actor, item: Recommendation) -> list[str]:
    mine = parts.jobs.party_of(me)
    if not parts.authoriser.may_for_party(me, "plan", mine):
        return []
    may = ["accept", "counter", "refuse"] if item.waiting_for == mine else []
    if mine == item.provider:
        may += {"accepted": ["schedule"], "done": ["judge"]}.get(item.status, [])
        may += ["withdraw"] if item.status in ("proposed", "countered", "accepted", "scheduled") else []
    return may


def sheet_out(parts: WebParts, sheet: JobSheet, service: Service | None = None) -> dict[str, Any]:
    """A job sheet as JSON, with its order's time and, where it is known, its site."""
    steps = [s for s in parts.records.work_orders([sheet.twin], -(2**62), 2**62) if s.id == sheet.order]
    last = steps[-1] if steps else None
    ticks = {t.step: t for t in sheet.ticks}
    site = service.sites.get(service.site_of(sheet.twin)) if service is not None else None
    return {
        "order": sheet.order, "twin": sheet.twin, "component": sheet.component, "title": sheet.title,
        "technician": sheet.technician, "task": sheet.task, "recommendation": sheet.recommendation,
        "from": at(last.start) if last else None, "to": at(last.end) if last else None,
        "site": site.name if site else "",
        "procedure": [
            {
                "step": n, "text": s.text, "critical": s.critical, "done": n in ticks,
                "by": ticks[n].by if n in ticks else None, "at": at(ticks[n].at) if n in ticks else None,
                "note": ticks[n].note if n in ticks else "",
            }
            for n, s in enumerate(sheet.procedure, 1)
        ],
        "planned_parts": [{"part": p.part, "quantity": p.quantity} for p in sheet.planned_parts],
        "documents": sheet.documents,
        "used": [{"part": u.part, "quantity": u.quantity, "by": u.by, "at": at(u.at)} for u in sheet.used],
        "case": sheet.case, "proof": sheet.proof, "note": sheet.note,
        "closed_at": at(sheet.closed_at) if sheet.closed_at else None, "closed_by": sheet.closed_by,
    }  # fmt: skip
