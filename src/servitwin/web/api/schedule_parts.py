"""Plans, comparisons and tasks as JSON."""

from __future__ import annotations

from functools import cache
from typing import Any

from servitwin.domain.instant import NS
from servitwin.domain.schedule.assistant import NextTask
from servitwin.domain.schedule.by_shift import ShiftMove
from servitwin.domain.schedule.change import Comparison
from servitwin.domain.schedule.measure import PlanFigures
from servitwin.domain.schedule.reason import Reasons
from servitwin.usecases.just_in_time import Needs
from servitwin.usecases.plan_production import ShownPlan
from servitwin.web.api.answers import at as instant_out
from servitwin.web.api.answers import full


def plan_out(plan: ShownPlan) -> dict[str, Any]:
    """A plan with its reasons."""
    at = cache(instant_out)  # of some ten thousand instants most are there several times: waits begin where others end
    problem, reasons = plan.problem, Reasons(plan.problem, plan.placements)
    late = {o.order: o for o in reasons.late()}
    ends = {o.order: o for o in plan.figures.orders}
    operations = {(o.id, s.id): (o, s) for o in problem.orders for s in o.operations}
    placed = []
    for p in plan.placements:
        order, operation = operations[p.key]
        placed.append(
            {
                "order": p.order, "operation": p.operation, "title": operation.title or p.operation,
                "product": order.product, "machine": p.machine, "crew": p.crew, "start": at(p.start), "end": at(p.end),
                "setup_s": p.setup / NS, "started": p.started, "family": operation.family,
                "machines": sorted({m.machine for m in operation.modes}),
                "waits": [
                    {
                        "kind": w.kind, "start": at(w.start), "end": at(w.end), "order": w.order,
                        "operation": w.operation, "words": w.words(),
                    }
                    for w in reasons.of(p.key).waits
                ],
            }
        )  # fmt: skip
    orders = []
    for o in problem.orders:
        outcome, why = ends[o.id], late.get(o.id)
        orders.append(
            {
                "order": o.id, "title": o.title, "product": o.product, "quantity": o.quantity, "customer": o.customer,
                "due": at(o.due), "end": at(outcome.end), "late_s": outcome.late / NS,
                "why": why.text if why else "", "hopeless": bool(why and why.hopeless),
            }
        )  # fmt: skip
    machines = [
        {
            "machine": m.id,
            "title": m.title,
            "windows": None if m.windows is None else [(at(s), at(e)) for s, e in m.windows],
            "blocked": [{**full(b), "start": at(b.start), "end": at(b.end)} for b in m.blocked],
        }
        for m in problem.machines
    ]
    return {
        **line_out(plan), "party": plan.party, "job": plan.job, "start": at(problem.start), "end": at(problem.end),
        "orders": sorted(orders, key=lambda o: (-o["late_s"], o["end"])), "operations": placed, "machines": machines,
    }  # fmt: skip


def line_out(plan: ShownPlan) -> dict[str, Any]:
    """A plan in a line."""
    return {
        "id": plan.id, "title": plan.title, "note": plan.note, "revision": plan.revision, "at": instant_out(plan.at),
        "why": list(plan.why), "figures": _figures(plan.figures),
    }  # fmt: skip


def compared_out(first: ShownPlan, second: ShownPlan, found: Comparison) -> dict[str, Any]:
    """What moves between two plans."""
    moved = [
        {**full(m), "start_before": instant_out(m.start_before), "start": instant_out(m.start), "later_s": m.later / NS}
        for m in found.moved
    ]
    return {
        "first": line_out(first), "second": line_out(second), "moved": moved, "added": list(found.added),
        "removed": list(found.removed), "kept": found.kept,
    }  # fmt: skip


def needs_out(needs: Needs) -> dict[str, Any]:
    """What a plan needs, and how words were kept."""
    return {
        "party": needs.party,
        "requirements": [
            {
                **full(r), "at": instant_out(r.at), "expected": instant_out(r.expected),
                "late_s": None if r.expected is None else max(0, r.expected - r.at) / NS,
            }
            for r in needs.requirements
        ],
        "pull": [{**full(s), "by": instant_out(s.by)} for s in needs.pull],
        "orders": [
            {
                "order": o.order, "product": o.product, "quantity": o.quantity, "customer": o.customer,
                "due": instant_out(o.due), "expected": instant_out(o.expected), "late_s": o.late / NS,
            }
            for o in needs.orders
        ],
        "otif": full(needs.otif),
        "suppliers": [{"party": p, **full(f)} for p, f in needs.suppliers.items()],
        "customers": [{"party": p, **full(f)} for p, f in needs.customers.items()],
    }  # fmt: skip


def task_out(task: NextTask) -> dict[str, Any]:
    """A task of a shift."""
    plain: dict[str, Any] = full(task)
    setup = plain.pop("setup")
    return {**plain, "start": instant_out(task.start), "end": instant_out(task.end), "setup_s": setup / NS}


def shift_move_out(move: ShiftMove, revision: int) -> dict[str, Any]:
    """What a move of the shift changes; ``revision`` of the plan that holds."""
    return {
        "machine": move.machine, "ahead": "/".join(move.ahead), "behind": "/".join(move.behind),
        "start": instant_out(move.start), "lines": list(move.lines), "allowed": not move.against,
        "against": [{"code": f.code, "message": f.message, "where": f.where} for f in move.against],
        "revision": revision,
    }  # fmt: skip


def _figures(f: PlanFigures) -> dict[str, Any]:
    return {
        "value": f.value, "makespan_s": f.makespan / NS, "late_orders": f.late_orders, "lateness_s": f.lateness / NS,
        "setup_s": f.setup / NS, "moved": f.moved, "moved_machine": f.moved_machine,
    }  # fmt: skip
