"""Planner visit_routes: which technician makes which visit when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from servitwin.domain.visit_problem import VisitProblem, read_visit_problem
from servitwin.sdk.service import Plan


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """Better and better routes until the budget (ns) is used, it is cancelled, or nothing better is to be expected.

    Raises:
        InvalidInputError: all faults of the problem.
    """
    # The solver is loaded where a plan is made, never where plugins are merely listed.
    from servitwin.services.maintenance.visit_routes.search import (  # noqa: PLC0415
        lower_bound,
        nothing_to_do,
        search,
        worth_of,
    )

    read = read_visit_problem(problem)
    bound = lower_bound(read)
    for plan in search(read, budget, seed, cancel) if _plannable(read) else [nothing_to_do(read)]:
        value = float(plan.cost) + worth_of(read, plan)
        yield Plan(value, min(bound, value), msgspec.to_builtins(plan))


def _plannable(problem: VisitProblem) -> bool:
    return bool(problem.visits) and any(t.shifts for t in problem.technicians)
