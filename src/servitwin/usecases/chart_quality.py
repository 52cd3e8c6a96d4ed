"""Charts, capability and yield of a product's measured characteristics, from the trace events that may be seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from servitwin.domain.capability import Capability, Tolerance, Yield, capability, first_pass_yield, rolled_yield
from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import HOUR
from servitwin.domain.kept_trace import KeptTrace
from servitwin.domain.spc_chart import (
    ENOUGH_GROUPS,
    VARIABLE_KINDS,
    ChartKind,
    Judged,
    Limits,
    attribute_chart,
    judge,
    limits_of,
    location_of,
    spread_of,
)
from servitwin.domain.spc_constant import LARGEST_GROUP
from servitwin.domain.spc_rule import RULE_SETS, Rule
from servitwin.domain.trace_event import Measure
from servitwin.usecases.ports import Records
from servitwin.usecases.trace_sight import TraceSight

MOST_EVENTS = 20_000
USUAL_BASELINE = 25
SPREAD_RULES = 1  # of a chart of spread the first rule alone is judged: its points are not independent of their size


class ChartQuestion(msgspec.Struct, frozen=True):
    """What is asked: values of one characteristic of a product in [start, end), newest ones if there are too many.

    Attributes:
        kind: None: means with standard deviations where each part has several values or ``size`` says so, else
            single values.
        size: values in a subgroup; 0: as the parts have them.
        baseline: subgroups that the limits rest on, the first ones of the range.
    """

    product: str
    characteristic: str
    start: int
    end: int
    twin: str | None = None
    kind: ChartKind | None = None
    size: int = 0
    rules: str = "nelson"
    baseline: int = USUAL_BASELINE


class Sample(msgspec.Struct, frozen=True):
    """Where a point comes from: first and last time, and the parts measured."""

    start: int
    end: int
    parts: tuple[str, ...]


class QualityChart(msgspec.Struct, frozen=True):
    """A control chart with the capability of what it shows."""

    question: ChartQuestion
    unit: str
    tolerance: Tolerance
    limits: Limits
    samples: tuple[Sample, ...]
    location: tuple[Judged, ...]
    spread: tuple[Judged, ...]
    capability: Capability | None
    warnings: tuple[Fault, ...]
    measured: int


class Characteristic(msgspec.Struct, frozen=True):
    """Something that was measured of a product."""

    product: str
    name: str
    unit: str
    tolerance: Tolerance
    values: int
    last: int


class YieldChart(msgspec.Struct, frozen=True):
    """First pass yield of each machine (a step), rolled over them, and the shares of failed parts over time."""

    steps: dict[str, Yield]
    rolled: float | None
    every: int
    starts: tuple[int, ...]
    counts: tuple[tuple[int, int], ...]
    points: tuple[Judged, ...]
    reasons: dict[str, int]
    warnings: tuple[Fault, ...]


class ChartQuality:
    """Questions of one caller."""

    def __init__(self, records: Records, sight: TraceSight) -> None:
        self._records, self._sight = records, sight

    def characteristics(self, start: int, end: int) -> list[Characteristic]:
        """What was measured in [start, end), by product and name."""
        found: dict[tuple[str, str], Characteristic] = {}
        for product in sorted({p for p, _, _ in self._records.trace_products()}):
            for k in self._measured(product, None, start, end, 500):
                for m in k.event.measures:
                    known = found.get((product, m.name))
                    count = 1 if known is None else known.values + 1
                    found[product, m.name] = Characteristic(product, m.name, m.unit, m.tolerance, count, k.event.time)
        return [found[key] for key in sorted(found)]

    def chart(self, q: ChartQuestion) -> QualityChart:
        """The chart of a characteristic.

        Raises:
            NotFoundError: ``spc:nothing-measured``.
            InvalidInputError: faults of the question, ``spc:not-enough-data``, ``spc:no-variation``,
                ``spc:units-differ``.
        """
        rules = _rules(q.rules)
        _check(q)
        traces = [
            (k, values)
            for k in self._measured(q.product, q.twin, q.start, q.end, MOST_EVENTS)
            if (values := [m for m in k.event.measures if m.name == q.characteristic])
        ]
        if not traces:
            message = f"{q.characteristic!r} of {q.product!r} was not measured in that time"
            raise NotFoundError(Fault("spc:nothing-measured", message, "GET /api/v1/spc/characteristics", "product"))
        units = {m.unit for _, values in traces for m in values}
        if len(units) > 1:
            message = f"It was measured in {', '.join(sorted(units))}"
            raise InvalidInputError(Fault("spc:units-differ", message, "Ask for a range with one unit", "from"))
        kind, samples, groups = _groups(q, traces)
        limits = limits_of(kind, groups[: q.baseline] if len(groups) > q.baseline else groups)
        location = judge([(location_of(g), limits.location) for g in groups], rules, zones=True)
        spreads = [spread_of(kind, g, groups[i - 1][0] if i else None) for i, g in enumerate(groups)]
        spread = judge([(s, limits.spread) for s in spreads], rules[:SPREAD_RULES], zones=False)
        numbers = [v for g in groups for v in g]
        tolerance, differing = _tolerance(traces)
        return QualityChart(
            q, units.pop(), tolerance, limits, tuple(samples), tuple(location), tuple(spread),
            _capability(numbers, tolerance, limits), (*differing, *_warnings(len(groups), limits)), len(traces),
        )  # fmt: skip

    def yields(self, start: int, end: int, twin: str | None, every: int = HOUR) -> YieldChart:
        """First pass yield over [start, end): a part passes at once if nothing at that machine failed it.

        Raises:
            InvalidInputError: ``spc:too-many-windows``.
        """
        if (end - start) // every > 2_000:
            raise InvalidInputError(Fault("spc:too-many-windows", "Over 2000 points", "Longer windows", "every"))
        made = self._traces("made", twin, start, end)
        bad = self._failed(made, twin, start, end)
        entered: dict[tuple[str, str], int] = {}
        for k in made:
            for part in k.event.parts:
                entered.setdefault((k.event.place, part), k.event.time)
        failed = {key: reason for key, reason in bad.items() if key in entered}
        steps = {}
        for place in sorted({p for p, _ in entered}):
            count = sum(p == place for p, _ in entered)
            steps[place] = first_pass_yield(count - sum(p == place for p, _ in failed), count)
        windows: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for key, at in entered.items():
            window = windows[at // every * every]
            window[1] += 1
            window[0] += key in failed
        starts = sorted(windows)
        counts = [(windows[s][0], windows[s][1]) for s in starts]
        points: Iterable[Judged] = ()
        warnings: tuple[Fault, ...] = ()
        try:
            points = attribute_chart("p", counts, _rules("nelson"))
        except InvalidInputError as e:
            warnings = e.faults
        reasons = dict(Counter(r or "not told" for r in failed.values()).most_common())
        rolled = rolled_yield(list(steps.values()))
        return YieldChart(steps, rolled, every, tuple(starts), tuple(counts), tuple(points), reasons, warnings)

    # inside --------------------------------------------------------------------------------------------------
    def _failed(self, made: Sequence[KeptTrace], twin: str | None, start: int, end: int) -> dict[tuple[str, str], str]:
        """(place, part) of what failed, with the reason that was given."""
        bad: dict[tuple[str, str], str] = {}
        judging = (made, self._traces("measured", twin, start, end), self._traces("scrapped", twin, start, end))
        for k in (k for traces in judging for k in traces):
            if k.event.judged == "fail":
                for part in k.event.parts:
                    bad[k.event.place, part] = k.event.reason or bad.get((k.event.place, part), "")
        return bad

    def _traces(
        self, kind: Literal["made", "measured", "scrapped"], twin: str | None, start: int, end: int
    ) -> list[KeptTrace]:
        found = self._records.traces_between(start, end, twin=twin, kind=kind, newest=True, limit=MOST_EVENTS)
        return [k for k in found if self._sight.sees(k.twin, k.party, k.event.time)]

    def _measured(self, product: str, twin: str | None, start: int, end: int, most: int) -> list[KeptTrace]:
        found = self._records.traces_between(
            start, end, twin=twin, kind="measured", product=product, newest=True, limit=most
        )
        return [k for k in found if self._sight.sees(k.twin, k.party, k.event.time)]


def _rules(name: str) -> tuple[Rule, ...]:
    if name not in RULE_SETS:
        raise InvalidInputError(Fault("spc:rules-unknown", f"{name!r}", f"One of {', '.join(RULE_SETS)}", "rules"))
    return RULE_SETS[name]


def _check(q: ChartQuestion) -> None:
    faults = []
    if not 0 <= q.size <= LARGEST_GROUP:
        faults.append(
            Fault("spc:group-size", f"Subgroups of {q.size}", f"Up to {LARGEST_GROUP}; 0: as measured", "size")
        )
    if q.baseline < 2:
        faults.append(Fault("spc:baseline", "Limits need at least two subgroups", "25 are usual", "baseline"))
    if q.kind is not None and q.kind not in VARIABLE_KINDS:
        faults.append(Fault("spc:chart-unknown", f"{q.kind!r}", f"One of {', '.join(VARIABLE_KINDS)}", "kind"))
    if faults:
        raise InvalidInputError(faults)


def _groups(
    q: ChartQuestion, traces: Sequence[tuple[KeptTrace, Sequence[Measure]]]
) -> tuple[ChartKind, list[Sample], list[list[float]]]:
    """Subgroups: each part where it has several values, else consecutive parts; a last incomplete one is left out."""
    rows = [(k, [m.value for m in values]) for k, values in traces]
    counts = {len(v) for _, v in rows}
    several = len(counts) == 1 and counts != {1}
    if q.size == 0 and several and q.kind != "individuals":
        samples = [Sample(k.event.start or k.event.time, k.event.time, k.event.parts) for k, _ in rows]
        return q.kind or "xbar-s", samples, [v for _, v in rows]
    size = 1 if q.kind == "individuals" else q.size or (5 if q.kind is not None else 1)
    kind: ChartKind = "individuals" if size == 1 else q.kind or "xbar-s"
    if kind != "individuals" and size == 1:
        raise InvalidInputError(Fault("spc:group-size", "A mean of one value", "Give `size` from 2 on", "size"))
    flat = [(k, v) for k, values in rows for v in values]
    samples, groups = [], []
    for i in range(0, len(flat) - size + 1, size):
        lot = flat[i : i + size]
        parts = tuple(dict.fromkeys(p for k, _ in lot for p in k.event.parts))
        samples.append(Sample(lot[0][0].event.time, lot[-1][0].event.time, parts))
        groups.append([v for _, v in lot])
    return kind, samples, groups


def _tolerance(traces: Sequence[tuple[KeptTrace, Sequence[Measure]]]) -> tuple[Tolerance, tuple[Fault, ...]]:
    found = Counter(m.tolerance for _, values in traces for m in values)
    last = traces[-1][1][-1].tolerance
    if len(found) == 1:
        return last, ()
    fault = Fault("spc:tolerances-differ", "The tolerance changed in that time; the last one is used", "Ask for less")
    return last, (fault,)


def _capability(values: Sequence[float], tolerance: Tolerance, limits: Limits) -> Capability | None:
    freedom = limits.groups - 1 if limits.size == 1 else limits.groups * (limits.size - 1)
    try:
        return capability(values, tolerance, limits.sigma, freedom)
    except InvalidInputError:
        return None  # no tolerance, or values that do not differ


def _warnings(groups: int, limits: Limits) -> tuple[Fault, ...]:
    if limits.groups >= ENOUGH_GROUPS:
        return ()
    message = f"The limits rest on {groups} subgroups only"
    return (Fault("spc:few-groups", message, f"{ENOUGH_GROUPS} or more make them reliable"),)
