"""Service schedule: who does what when, on which machine; a first plan at once, better ones until the time is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.schedule.check import check_plan
from servitwin.domain.schedule.faults import problem_faults
from servitwin.domain.schedule.grid import Grid, Spot
from servitwin.domain.schedule.problem import SchedulePlan, ScheduleProblem
from servitwin.sdk.service import Plan
from servitwin.services.operation.schedule.search import built, improved

LEAST_WHY_S, LONGEST_WHY_S = 6.0, 60.0
"""Seconds to find out why there is no plan: what the budget has left, at least the first."""


def check(problem: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a problem that are seen without a search."""
    try:
        return problem_faults(msgspec.convert(problem, ScheduleProblem))
    except msgspec.ValidationError as e:
        return [Fault("schedule:shape", str(e), "See README.md of the service", "problem")]


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """Plans, each better than the one before; every one has passed the checks of ``domain.schedule.check``.

    Args:
        problem: a :class:`ScheduleProblem` as plain data.
        budget: ns to use.
        seed: of everything random.
        cancel: true ends the search.

    Raises:
        InvalidInputError: ``schedule:...`` with all that is wrong, or with the demands that contradict each other.
    """
    faults = check(problem)
    if faults:
        raise InvalidInputError(faults)
    yield from _solve(msgspec.convert(problem, ScheduleProblem), budget, seed, cancel)


def _solve(asked: ScheduleProblem, budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:

    until = time.monotonic_ns() + budget
    grid = Grid(asked)
    best: list[Spot] | None = None
    for value, bound, spots in built(grid, seed):
        best = spots
        yield _served(grid, value, bound, spots)
        if cancel():
            return
    served = best is not None
    for value, bound, spots in improved(grid, best, max(0, until - time.monotonic_ns()), seed, cancel):
        served = True
        yield _served(grid, value, bound, spots)
    if not served and not cancel():
        from servitwin.services.operation.schedule.conflict import conflicts  # noqa: PLC0415 (ortools, in a job alone)

        left = (until - time.monotonic_ns()) / 1e9
        raise InvalidInputError(conflicts(asked, min(LONGEST_WHY_S, max(LEAST_WHY_S, left))))


def _served(grid: Grid, value: int, bound: float, spots: list[Spot]) -> Plan:
    """A plan that was checked by what does not know how it was made."""
    placements = grid.placements(spots)
    faults = check_plan(grid.problem, placements)
    if faults:
        raise InvalidInputError(faults)
    plain = msgspec.json.decode(msgspec.json.encode(SchedulePlan(placements)))
    return Plan(float(value), float(bound), plain)
