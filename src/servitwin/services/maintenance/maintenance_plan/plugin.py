"""Planner maintenance_plan: where maintenance costs least in the production schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from servitwin.domain.maintenance_placement import LEAVING_OUT, read_placement
from servitwin.sdk.service import Plan


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """Better and better plans until one is proved to be the best, the budget (ns) is used, or it is cancelled.

    Raises:
        InvalidInputError: all faults of the problem.
    """
    # The solver is loaded where a plan is made, never where plugins are merely listed.
    from servitwin.services.maintenance.maintenance_plan.placing import place  # noqa: PLC0415

    for plan, bound in place(read_placement(problem), budget, seed, cancel):
        value = plan.cost + float(LEAVING_OUT) * len(plan.left_out)
        yield Plan(value, min(bound, value), msgspec.to_builtins(plan))
