"""Simulates a line: compares scenarios with intervals, and predicts what its history measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.line_change import Scenario, changed, decimal_of, worth
from servitwin.domain.line_model import WEEK_S, LineModel, check_line
from servitwin.domain.line_result import FIGURES, Estimate, LineRun, difference, estimate, spread
from servitwin.sdk.service import Plan
from servitwin.services.operation.line_simulation.limits import Stopped
from servitwin.services.operation.line_simulation.run import simulate

FIRST, BATCH = 5, 5
MOST_RUNS, LONGEST_S, MOST_SCENARIOS = 2000, 10 * 366 * 86400.0, 20
COMPILED_FROM = 30 * 10**9  # ns of budget: the loop may have to be compiled first, which takes seven seconds
Run = Callable[[LineModel, int, int], LineRun]  # of a model, number of the replication, how many runs are wanted


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked, see README.md.

    ``half_width`` is a share of the base's good parts per hour; ``week_s`` the second of the week at which what is
    counted begins.
    """

    do: Literal["compare", "validate"]
    model: LineModel
    seconds: float
    warm_up_s: float = 0.0
    week_s: float = 0.0
    scenarios: tuple[Scenario, ...] = ()
    half_width: float = 0.005
    most: int = 60
    confidence: float = 0.95
    worth_per_part: str = ""
    currency: str = ""
    measured: dict[str, float] = {}
    runs: int = 39


def check(problem: Mapping[str, Any]) -> Sequence[Fault]:
    """All faults of a problem at once."""
    try:
        _read(problem)
    except InvalidInputError as e:
        return e.faults
    return []


def solve(problem: Mapping[str, Any], budget: int, seed: int, cancel: Callable[[], bool]) -> Iterator[Plan]:
    """See :class:`servitwin.sdk.service.PlannerPlugin`.

    A plan's value is half its widest interval (share of the good parts per hour): the smaller, the better known.
    """
    asked, models = _read(problem)
    until = time.monotonic_ns() + budget

    def over() -> bool:
        return cancel() or time.monotonic_ns() > until

    def run(model: LineModel, replication: int, wanted: int) -> LineRun:
        return simulate(
            model,
            asked.seconds,
            seed,
            warm_up=asked.warm_up_s,
            replication=replication,
            week_s=asked.week_s - asked.warm_up_s,
            stop=over,
            runs=wanted if budget >= COMPILED_FROM else 0,
        )

    try:
        if over():
            return
        if asked.do == "validate":
            yield from _validate(asked, run)
        else:
            yield from _compare(asked, models, run)
    except Stopped:
        return


def _read(problem: Mapping[str, Any]) -> tuple[Problem, list[LineModel]]:
    try:
        asked = msgspec.convert(dict(problem), Problem, strict=False)
    except msgspec.ValidationError as e:
        hint = "See README.md of line_simulation"
        raise InvalidInputError(Fault("line:problem", f"This is no problem: {e}", hint, "problem")) from None
    faults = check_line(asked.model)
    numbers = (
        (asked.seconds, 0 < asked.seconds <= LONGEST_S, "seconds", "above 0, at most ten years"),
        (asked.warm_up_s, 0 <= asked.warm_up_s <= LONGEST_S, "warm_up_s", "0 or more, at most ten years"),
        (asked.week_s, 0 <= asked.week_s <= WEEK_S, "week_s", "0 to a week"),
        (asked.half_width, 0 < asked.half_width < 1, "half_width", "a share above 0 and below 1"),
        (asked.most, 2 <= asked.most <= MOST_RUNS, "most", f"2 to {MOST_RUNS}"),
        (asked.runs, 2 <= asked.runs <= MOST_RUNS, "runs", f"2 to {MOST_RUNS}"),
        (asked.confidence, 0.5 <= asked.confidence < 1, "confidence", "0.5 to below 1"),
    )
    faults += [
        Fault("line:problem", f"{name} is {value}", f"It is {hint}", name)
        for value, ok, name, hint in numbers
        if not ok
    ]
    names = [s.name for s in asked.scenarios]
    if asked.do == "compare" and (not 0 < len(names) <= MOST_SCENARIOS or len(set(names)) < len(names)):
        hint = f"Name 1 to {MOST_SCENARIOS} scenarios, each once"
        faults.append(Fault("line:scenarios", f"{len(names)} scenarios are named", hint, "scenarios"))
    models = []
    for scenario in asked.scenarios if not faults else ():
        try:
            models.append(changed(asked.model, scenario))
            decimal_of(scenario.cost_per_year, f"{scenario.name}.cost_per_year")
        except InvalidInputError as e:
            faults += e.faults
    if asked.worth_per_part:
        try:
            decimal_of(asked.worth_per_part, "worth_per_part")
        except InvalidInputError as e:
            faults += e.faults
    if faults:
        raise InvalidInputError(faults)
    return asked, models


def _compare(asked: Problem, models: Sequence[LineModel], run: Run) -> Iterator[Plan]:
    runs: list[list[LineRun]] = [[] for _ in (asked.model, *models)]
    known = math.inf
    while True:
        wanted = min(asked.most, len(runs[0]) + (BATCH if runs[0] else FIRST))
        for replication in range(len(runs[0]), wanted):
            for found, model in zip(runs, (asked.model, *models), strict=True):
                found.append(run(model, replication, wanted * len(runs)))
        plan = _shown(asked, runs)
        half = plan["half_width"]
        last = plan["enough"] or wanted >= asked.most
        if half is not None and half < known:  # a plan is better where it is known better
            known = half
            yield Plan(half, 0.0, plan)
        elif last and known == math.inf:
            yield Plan(0.0, 0.0, plan)  # no part was made at all: that is certain
        if last:
            return


def _of(runs: Sequence[LineRun], figure: str, asked: Problem) -> Estimate:
    return estimate([r.figure(figure) for r in runs], asked.confidence)


def _shown(asked: Problem, runs: Sequence[Sequence[LineRun]]) -> dict[str, Any]:
    base = runs[0]
    rows = []
    widest = 0.0
    for scenario, own in zip(asked.scenarios, runs[1:], strict=True):
        differences = {
            f: difference([r.figure(f) for r in base], [r.figure(f) for r in own], asked.confidence) for f in FIGURES
        }
        gain = differences["parts_per_hour"]
        widest = max(widest, gain.half)
        row: dict[str, Any] = {
            "name": scenario.name,
            "figures": {f: _plain(_of(own, f, asked)) for f in FIGURES},
            "differences": {f: _plain(d) for f, d in differences.items()},
            "stations": _stations(own),
        }
        if asked.worth_per_part:
            per_part, cost = Decimal(asked.worth_per_part), Decimal(scenario.cost_per_year)
            money = worth((gain.mean, gain.low, gain.high), per_part, cost, asked.currency)
            row["worth"] = {
                "per_year": str(money.per_year), "low": str(money.low), "high": str(money.high),
                "currency": money.currency, "cost_per_year": scenario.cost_per_year,
            }  # fmt: skip
        rows.append(row)
    level = _of(base, "parts_per_hour", asked).mean
    half = widest / level if level > 0 else math.inf
    return {
        "do": "compare",
        "base": {"figures": {f: _plain(_of(base, f, asked)) for f in FIGURES}, "stations": _stations(base)},
        "scenarios": rows,
        "replications": len(base),
        "half_width": half if math.isfinite(half) else None,
        "enough": half <= asked.half_width,
        "seconds": asked.seconds,
        "confidence": asked.confidence,
        "assumed": list(asked.model.assumed),
    }


def _stations(runs: Sequence[LineRun]) -> list[dict[str, Any]]:
    """Mean shares of each station's time."""
    names = ("working", "failed", "setup", "paused", "starved", "blocked", "closed", "waiting", "availability")
    return [
        {"id": s.id, **{n: sum(getattr(r.stations[i], n) for r in runs) / len(runs) for n in names}}
        for i, s in enumerate(runs[0].stations)
    ]


def _plain(e: Estimate) -> dict[str, Any]:
    return {"mean": e.mean, "low": e.low, "high": e.high, "half": e.half, "count": e.count, "clear": e.clear}


def _validate(asked: Problem, run: Run) -> Iterator[Plan]:
    figures = {*FIGURES, *(f"{s.id}.{n}" for s in asked.model.stations for n in ("made", "availability", "waiting"))}
    unknown = sorted(asked.measured.keys() - figures)
    if unknown or not asked.measured:
        said = f"{', '.join(unknown)} is no figure of a run" if unknown else "Nothing was measured"
        raise InvalidInputError(Fault("line:measured", said, f"Figures are {', '.join(sorted(figures))}", "measured"))
    runs: list[LineRun] = []
    known = math.inf
    for replication in range(asked.runs):
        runs.append(run(asked.model, replication, asked.runs))
        if len(runs) in (FIRST, asked.runs) or (len(runs) > FIRST and len(runs) % (2 * BATCH) == 0):
            plan = {
                "do": "validate",
                "figures": [_met(name, value, runs, asked.confidence) for name, value in asked.measured.items()],
                "runs": len(runs),
                "seconds": asked.seconds,
                "confidence": asked.confidence,
                "assumed": list(asked.model.assumed),
            }
            sure = estimate([r.parts_per_hour for r in runs], asked.confidence)
            half = sure.half / sure.mean if sure.mean > 0 else 0.0
            if half < known:
                known = half
                yield Plan(half, 0.0, plan)


def _met(name: str, value: float, runs: Sequence[LineRun], confidence: float) -> dict[str, Any]:
    """One figure: predicted, where a run of that length lies, measured, and the error (predicted less measured)."""
    values = [r.figure(name) for r in runs]
    mean = sum(values) / len(values)
    low, high = spread(values, confidence)
    return {
        "figure": name, "measured": value, "predicted": mean, "low": low, "high": high, "error": mean - value,
        "relative": (mean - value) / value if value else None, "inside": low <= value <= high,
    }  # fmt: skip
