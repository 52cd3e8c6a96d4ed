"""A placement from its first plan, which is there at once, to the exact search, which also gives the bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from servitwin.domain.instant import NS
from servitwin.domain.machine_occupation import LostCost
from servitwin.domain.maintenance_placement import LEAVING_OUT, PlacementPlan, PlacementProblem
from servitwin.services.maintenance.maintenance_plan.begins import Begins
from servitwin.services.maintenance.maintenance_plan.first import FirstPlans
from servitwin.services.maintenance.maintenance_plan.reasons import told

MOST_BETTER_S = 5.0


def place(
    problem: PlacementProblem, budget: int, seed: int, cancel: Callable[[], bool]
) -> Iterator[tuple[PlacementPlan, float]]:
    """Better and better plans, each with the bound known then; the last one again with the last bound."""
    until = time.monotonic() + budget / NS
    lost = {m.machine: LostCost(m) for m in problem.machines}
    begins = {t.id: Begins(problem, t, lost[t.machine]) for t in problem.tasks}
    least = sum(_least(b) for b in begins.values())
    plans = FirstPlans(problem, begins)
    yield told(problem, begins, plans.first()), least
    better = plans.better(min(MOST_BETTER_S, budget / NS / 4), seed, cancel)
    yield told(problem, begins, better), least
    if cancel() or time.monotonic() >= until:
        return
    # Takes a second to load on a quiet machine, and ten on a busy one: not before there is a plan.
    from servitwin.services.maintenance.maintenance_plan.exact import search  # noqa: PLC0415

    for chosen, bound in search(problem, begins, better, until, seed, cancel):
        yield told(problem, begins, chosen), max(least, bound)


def _least(begins: Begins) -> float:
    """What a task costs at least, whatever the others do."""
    return min([float(LEAVING_OUT), *(c.cost for c in begins.choices())]) - 0.01  # costs are rounded to the cent
