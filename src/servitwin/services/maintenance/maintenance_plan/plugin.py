"""Planner maintenance_plan: where maintenance costs least in the production schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.maintenance_placement import LEAVING_OUT, read_placement
from servitwin.sdk.service import Plan


def check(problem: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a problem at once."""
    try:
        read_placement(problem)
    except InvalidInputError as e:
        return e.faults
    return ()


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """Better and better plans until one is proved to be the best, the budget (ns) is used, or it is cancelled.

    Raises:
        InvalidInputError: all faults of the problem.
    """
    # The solver is loaded where a plan is made, never where plugins are merely listed.
    from servitwin.services.maintenance.maintenance_plan.placing import place  # noqa: PLC0415

    told: tuple[float, float] | None = None
    for plan, known in place(read_placement(problem), budget, seed, cancel):
        value = round(plan.cost + float(LEAVING_OUT) * len(plan.left_out), 2)
        bound = min(known, value)
        if told is None or (value, -bound) < (told[0], -told[1]):
            told = (value, bound)
            yield Plan(value, bound, msgspec.json.decode(msgspec.json.encode(plan)))
