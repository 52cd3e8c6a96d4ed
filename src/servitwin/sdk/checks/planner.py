"""Checks of planners and trainers: inputs untouched, reproducible, better and better, cancelled cleanly."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec

from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import NS
from servitwin.sdk.service import Plan, PlannerPlugin, TrainerPlugin

_ABSURD: tuple[dict[str, Any], ...] = ({}, {"": None}, {"x": [1, "two", {"three": []}]})
_GRACE_S = 5.0


class PlannerCase(msgspec.Struct, omit_defaults=True):
    """A small problem, seconds enough to solve it, and what is known of it.

    ``value``: worth of the best plan, where it is known and reached; ``faults``: codes that ``check`` or, where there
    is no plan, ``solve`` has to report; ``maximise``: a larger value is better.
    """

    problem: dict[str, Any]
    seconds: float = 5.0
    seed: int = 1
    value: float | None = None
    faults: list[str] = []
    maximise: bool = False


def _solved(plugin: PlannerPlugin, case: PlannerCase, cancel: Callable[[], bool] = lambda: False) -> list[Plan]:
    return list(plugin.solve(case.problem, int(case.seconds * NS), case.seed, cancel))


def finds_its_faults(plugin: PlannerPlugin, case: PlannerCase) -> None:
    """What is wrong with a problem is told by its codes, and a good problem has no fault."""
    found = [f.code for f in plugin.check(case.problem)]
    if case.faults and not found:
        try:
            _solved(plugin, case)
        except InvalidInputError as e:
            found = [f.code for f in e.faults]
    assert sorted(set(found)) == sorted(set(case.faults)), f"found {found}, the case says {case.faults}"


def gets_better(plugin: PlannerPlugin, case: PlannerCase) -> None:
    """Each plan is better than the one before, or says a better bound; none beats it, and the known best is reached."""
    if case.faults:
        return
    plans = _solved(plugin, case)
    assert plans, "no plan at all"
    sign = -1 if case.maximise else 1
    worths = [sign * p.value for p in plans]
    said = [(sign * p.value, -sign * p.bound) for p in plans]
    assert all(a > b for a, b in pairwise(said)), f"not better and better: {worths}"
    for plan, worth in zip(plans, worths, strict=True):
        slack = 1e-6 * max(1.0, abs(worth))
        assert sign * plan.bound <= worth + slack, f"a plan of {plan.value} beats its bound {plan.bound}"
    if case.value is not None:
        slack = 1e-6 * max(1.0, abs(case.value))
        assert abs(plans[-1].value - case.value) <= slack, f"found {plans[-1].value}, known is {case.value}"


def leaves_the_problem_alone(plugin: PlannerPlugin, case: PlannerCase) -> None:
    """Neither checking nor solving changes what it was given."""
    before = copy.deepcopy(case.problem)
    plugin.check(case.problem)
    if not case.faults:
        _solved(plugin, case)
    assert case.problem == before


def ends_when_cancelled(plugin: PlannerPlugin, case: PlannerCase) -> None:
    """With ``cancel()`` true from the start it ends within seconds, whatever its budget."""
    if case.faults:
        return
    began = time.monotonic()
    list(plugin.solve(case.problem, 600 * NS, case.seed, lambda: True))
    assert time.monotonic() - began < _GRACE_S, "it went on although nobody wants the answer"


def survives_absurd_problems(plugin: PlannerPlugin | TrainerPlugin, _: object) -> None:
    """Problems that are no problems at all have faults; nothing is raised."""
    for problem in _ABSURD:
        assert plugin.check(problem), f"{problem} is taken as a problem"


def plans_are_plain_data(plugin: PlannerPlugin, case: PlannerCase) -> None:
    """A plan goes through JSON unchanged."""
    if case.faults:
        return
    for plan in _solved(plugin, case):
        assert msgspec.json.decode(msgspec.json.encode(plan.plan)) == plan.plan


PLANNER_CHECKS: tuple[Callable[[PlannerPlugin, PlannerCase], None], ...] = (
    finds_its_faults,
    gets_better,
    leaves_the_problem_alone,
    ends_when_cancelled,
    survives_absurd_problems,
    plans_are_plain_data,
)


class TrainerCase(msgspec.Struct, omit_defaults=True):
    """A small data set; ``faults``: codes that ``check`` has to report; ``least``: score that is reached at least."""

    dataset: dict[str, Any]
    seed: int = 1
    faults: list[str] = []
    least: float | None = None


def tells_faults_of_data(plugin: TrainerPlugin, case: TrainerCase) -> None:
    """What is wrong with a data set is told by its codes, and a good one has no fault."""
    found = sorted({f.code for f in plugin.check(case.dataset)})
    assert found == sorted(set(case.faults)), f"found {found}, the case says {case.faults}"


def learns_the_same_again(plugin: TrainerPlugin, case: TrainerCase) -> None:
    """The same data and seed give the same bytes; the data stay as they are; what was learnt is described."""
    if case.faults:
        return
    before = copy.deepcopy(case.dataset)
    artefact = plugin.fit(case.dataset, case.seed)
    assert case.dataset == before
    assert plugin.fit(case.dataset, case.seed) == artefact, "the same data and seed gave something else"
    told = plugin.describe(artefact)
    assert msgspec.json.decode(msgspec.json.encode(told)) == told
    assert isinstance(told.get("score"), (int, float)), "without a score it can never replace the one in use"
    if case.least is not None:
        assert told["score"] >= case.least, f"score {told['score']}, at least {case.least} is known to be reached"


TRAINER_CHECKS: tuple[Callable[[TrainerPlugin, TrainerCase], None], ...] = (
    tells_faults_of_data,
    learns_the_same_again,
    survives_absurd_problems,
)
