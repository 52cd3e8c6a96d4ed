"""Checks of evaluators: the same data in any split give identical outcomes, live and over history."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from servitwin.domain.observation import Observation
from servitwin.sdk.finding import FindingKey, ServiceFinding, finding_faults
from servitwin.sdk.service import EvaluatorPlugin, Outcome, Parameters, ServiceBatch, TwinView


class EvaluatorCase(msgspec.Struct, omit_defaults=True):
    """A twin, parameters and its observations per signal (any order), and the outcome at ``end`` (watermark).

    ``results``: what all results together have to be, in order, where the case pins them; ``parameter_faults``:
    codes that ``check`` has to report (such a case has no observations). ``findings``: likewise, where pinned.
    """

    view: TwinView
    parameters: dict[str, Any]
    observations: dict[str, list[Observation]] = {}
    end: int = 0
    results: list[dict[str, Any]] | None = None
    parameter_faults: list[str] = []
    findings: list[ServiceFinding] | None = None


def _in_order(observations: Mapping[str, Sequence[Observation]]) -> list[tuple[str, Observation]]:
    rows = [(name, o) for name, series in observations.items() for o in series]
    return sorted(rows, key=lambda r: (r[1].time, r[1].shard, r[1].seq, r[1].idx))


def run_in_steps(
    plugin: EvaluatorPlugin,
    view: TwinView,
    parameters: Parameters,
    observations: Mapping[str, Sequence[Observation]],
    watermarks: Sequence[int],
    reopen: bool = False,
) -> Outcome:
    """Feed an evaluator up to each watermark in turn; ``reopen`` goes through a snapshot between all steps."""
    total = Outcome()
    for _, outcome in _steps(plugin, view, parameters, observations, watermarks, reopen):
        total.results += outcome.results
        total.findings += outcome.findings
        for meter, amount in outcome.usage.items():
            total.usage[meter] = total.usage.get(meter, 0.0) + amount
    return total


def _steps(
    plugin: EvaluatorPlugin,
    view: TwinView,
    parameters: Parameters,
    observations: Mapping[str, Sequence[Observation]],
    watermarks: Sequence[int],
    reopen: bool = False,
) -> Iterator[tuple[int, Outcome]]:
    """Watermark and outcome of each step."""
    rows, position = _in_order(observations), 0
    evaluator = plugin.open(view, parameters, None)
    for watermark in watermarks:
        batch: dict[str, list[Observation]] = {}
        while position < len(rows) and rows[position][1].time < watermark:
            batch.setdefault(rows[position][0], []).append(rows[position][1])
            position += 1
        yield watermark, evaluator.step(ServiceBatch(batch), watermark)
        if reopen:
            evaluator = plugin.open(view, parameters, evaluator.snapshot())


def _whole(plugin: EvaluatorPlugin, case: EvaluatorCase) -> Outcome:
    return run_in_steps(plugin, case.view, case.parameters, case.observations, [case.end])


def _same(a: Outcome, b: Outcome, why: str) -> None:
    encode = msgspec.json.Encoder(order="deterministic").encode
    assert encode(a.results) == encode(b.results), f"{why}: results differ\n{a.results}\n{b.results}"
    assert encode(a.findings) == encode(b.findings), f"{why}: findings differ"
    assert a.usage.keys() == b.usage.keys(), f"{why}: meters differ"
    for meter, amount in a.usage.items():
        assert abs(amount - b.usage[meter]) <= 1e-9 * max(1.0, abs(amount)), f"{why}: meter {meter} differs"


def reports_all_faults_of_parameters(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """``check`` finds what the case expects and says how to mend it."""
    faults = plugin.check(case.parameters)
    assert sorted(f.code for f in faults) == sorted(case.parameter_faults), f"faults found: {[str(f) for f in faults]}"
    assert all(f.message and f.hint for f in faults)


def gives_the_recorded_results(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """Results and findings are those recorded with the case."""
    if case.parameter_faults or (case.results is None and case.findings is None):
        return
    whole = _whole(plugin, case)
    assert case.results is None or msgspec.to_builtins(whole.results) == case.results
    assert case.findings is None or whole.findings == case.findings


def leaves_its_inputs_untouched_and_repeats(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """Two runs are equal, and neither view, parameters nor observations change."""
    if case.parameter_faults:
        return
    before = msgspec.json.encode([case.view, case.parameters, case.observations])
    first = _whole(plugin, case)
    assert msgspec.json.encode([case.view, case.parameters, case.observations]) == before, "inputs were changed"
    _same(first, _whole(plugin, case), "second run")


def any_split_gives_the_same(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """One step, many steps, and steps through snapshots give identical outcomes."""
    if case.parameter_faults:
        return
    whole = _whole(plugin, case)
    times = sorted({o.time for series in case.observations.values() for o in series if o.time < case.end})
    rng = random.Random(7)
    for share in (0.05, 0.3, 1.0):
        cuts = sorted(rng.sample(times, max(1, int(len(times) * share)))) if times else []
        marks = [*cuts, case.end]
        args = (plugin, case.view, case.parameters, case.observations, marks)
        _same(whole, run_in_steps(*args), f"{len(marks)} steps")
        _same(whole, run_in_steps(*args, reopen=True), f"{len(marks)} steps through snapshots")


def survives_gaps_and_absurd_data(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """No data, missing signals, UNAVAILABLE, wrong types and huge numbers give outcomes, not exceptions."""
    if case.parameter_faults:
        return
    names = list(case.observations)
    step = max(1, case.end // 50)
    start = case.end - 40 * step
    absurd: list[float | str | bool | None] = [None, 1e308, -1e308, "", "UNAVAILABLE", True, 0.0, "\u0000", None]
    wild = {n: [Observation(start + i * step, v, seq=i) for i, v in enumerate(absurd)] for n in names}
    inputs: list[dict[str, list[Observation]]] = [
        {},
        {n: [] for n in names},
        {n: case.observations[n] for n in names[:1]},
        wild,
    ]
    for observations in inputs:
        run_in_steps(plugin, case.view, case.parameters, observations, [case.end])


def tells_findings_that_become_cases(plugin: EvaluatorPlugin, case: EvaluatorCase) -> None:
    """Each finding has code, begin, text and signals of the machine, and is told as going on until it is over once.

    The steps are small, so that a finding is seen between its begin and its end.
    """
    if case.parameter_faults:
        return
    known = [s.name for s in case.view.type.signals] if case.view.type is not None else None
    marks = [case.end * n // 200 for n in range(1, 201)]
    ended: dict[FindingKey, int] = {}
    service = ""
    steps = _steps(plugin, case.view, case.parameters, case.observations, marks)
    for mark, told in ((mark, f) for mark, outcome in steps for f in outcome.findings):
        service = service or told.code.partition(":")[0]
        faults = finding_faults(told, service, known, mark)
        assert not faults, f"finding {told}: {[str(f) for f in faults]}"
        assert told.key not in ended, f"{told.key} is told again after its end"
        if told.end is not None:
            ended[told.key] = told.end


EVALUATOR_CHECKS: tuple[Callable[[EvaluatorPlugin, EvaluatorCase], None], ...] = (
    reports_all_faults_of_parameters,
    gives_the_recorded_results,
    leaves_its_inputs_untouched_and_repeats,
    any_split_gives_the_same,
    survives_gaps_and_absurd_data,
    tells_findings_that_become_cases,
)
