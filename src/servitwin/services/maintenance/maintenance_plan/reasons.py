"""A placement in words: what each task costs there, at once and later, and why it is there."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.instant import NS
from servitwin.domain.maintenance_placement import (
    Choice,
    PlacedTask,
    PlacedVisit,
    PlacementPlan,
    PlacementProblem,
    PlacementTask,
    parts_ready,
    reason_not_placed,
    site_of,
)
from servitwin.services.maintenance.maintenance_plan.begins import Begins


def told(
    problem: PlacementProblem, begins: Mapping[str, Begins], chosen: Mapping[str, tuple[str, int]]
) -> PlacementPlan:
    """The plan of the begins chosen: task -> technician and place among the begins."""
    by_id = {t.id: t for t in problem.tasks}
    visits: dict[tuple[str, str, int], list[str]] = {}
    for id, (who, n) in sorted(chosen.items(), key=lambda c: int(begins[c[0]].start[c[1][1]])):
        visits.setdefault((who, site_of(by_id[id]), begins[id].shifts[int(begins[id].shift[n])][0][0]), []).append(id)
    company = {id: [o for o in ids if o != id] for ids in visits.values() for id in ids}
    placed = sorted(
        (_placed(problem, by_id[id], begins, who, n, company[id]) for id, (who, n) in chosen.items()),
        key=lambda p: (p.start, p.task),
    )
    made = tuple(
        PlacedVisit(who, site, shift, tuple(ids), float(problem.fee(site)))
        for (who, site, shift), ids in sorted(visits.items())
    )
    alone = sum(p.at_once.cost + float(problem.fee(site_of(by_id[p.task]))) for p in placed)
    left = tuple(reason_not_placed(problem, t) for t in problem.tasks if t.id not in chosen)
    return PlacementPlan(
        tuple(placed), made, left, round(sum(p.chosen.cost for p in placed) + sum(v.cost for v in made), 2),
        round(alone, 2), problem.currency,
    )  # fmt: skip


def _placed(
    problem: PlacementProblem, task: PlacementTask, begins: Mapping[str, Begins], who: str, place: int,
    company: list[str],
) -> PlacedTask:  # fmt: skip
    here, every = begins[task.id].choice(place, who), begins[task.id].choices()
    at_once = min(every, key=lambda c: (c.start, c.cost))
    at_last = max(every, key=lambda c: (c.start, -c.cost))
    cheapest = min(every, key=lambda c: (c.cost, c.start))
    why = _why(problem, task, here, at_once, at_last, cheapest, company)
    end = here.start + task.duration_s * NS
    return PlacedTask(task.id, who, here.start, end, here, at_once, at_last, cheapest, tuple(why))


def _why(
    problem: PlacementProblem, task: PlacementTask, here: Choice, at_once: Choice, at_last: Choice, cheapest: Choice,
    company: list[str],
) -> list[str]:  # fmt: skip
    """Reasons in plain words, the weightiest first."""
    unit, why = problem.currency, list[str]()
    if not task.stops_machine:
        why.append(f"{task.machine} goes on producing meanwhile")
    elif here.lost == 0:
        why.append(f"{task.machine} is not needed then: no production is lost")
    elif here.lost <= cheapest.lost:
        why.append(f"It stops {task.machine} in any case; here that loses {here.lost:.2f} {unit}")
    else:
        why.append(f"The stop loses {here.lost:.2f} {unit} of production")
    for other, name in ((at_once, "At once"), (at_last, "At the last moment")):
        if other.start != here.start and other.cost >= here.cost + 0.01:
            why.append(f"{name} it would cost {other.cost - here.cost:.2f} {unit} more{_because(other, here)}")
    if company:
        fee = problem.fee(site_of(task))
        more = f", saving {fee:.2f} {unit}" if fee else ""
        why.append(f"Shares the visit of {', '.join(company)}{more}")
    if here.cost > cheapest.cost + 0.01:
        reason = "to share the visit" if company else "because other tasks need the technician, the machine or the part"
        why.append(
            f"By itself it would be {here.cost - cheapest.cost:.2f} {unit} cheaper at another time: put off {reason}"
        )
    ready = parts_ready(problem, task)
    if ready is not None and ready > problem.now:
        why.append("Not before its parts arrive" if here.start >= ready else "With parts from the shelf")
    if not task.waiting:
        why.append("What waiting risks is not counted: no life of the component is known")
    return why


def _because(other: Choice, here: Choice) -> str:
    lost, risk = other.lost - here.lost, other.risk - here.risk
    if max(lost, risk) < 0.01:
        return ""
    return (
        " in lost production"
        if lost >= risk
        else " in risk of failure"
        if other.start > here.start
        else " in unused life"
    )
