"""Planner visit_routes: which technician makes which visit when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.visit_problem import VisitProblem, read_visit_problem
from servitwin.sdk.service import Plan


def check(problem: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a problem at once."""
    try:
        read_visit_problem(problem)
    except InvalidInputError as e:
        return e.faults
    return ()


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
        value_of,
    )

    read = read_visit_problem(problem)
    bound, told = lower_bound(read), float("inf")
    for plan in search(read, budget, seed, cancel) if _plannable(read) else [nothing_to_do(read)]:
        value = value_of(read, plan)
        if value < told:
            told = value
            yield Plan(value, min(bound, value), msgspec.json.decode(msgspec.json.encode(plan)))


def _plannable(problem: VisitProblem) -> bool:
    return bool(problem.visits) and any(t.shifts for t in problem.technicians)
