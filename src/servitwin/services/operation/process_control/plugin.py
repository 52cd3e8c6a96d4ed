"""Service process_control: control chart of a measured signal, incremental."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from servitwin.domain.capability import Tolerance, capability
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.finding import FoundSignal
from servitwin.domain.observation import Observation
from servitwin.domain.spc_chart import VARIABLE_KINDS, ChartKind, Limits, limits_of, location_of, spread_of
from servitwin.domain.spc_constant import LARGEST_GROUP
from servitwin.domain.spc_rule import LONGEST_WINDOW, RULE_SETS, RULES, broken_rules
from servitwin.sdk.finding import LONGEST_TEXT, ServiceFinding
from servitwin.sdk.service import Outcome, Parameters, ServiceBatch, TwinView

NAMES = ("signal", "product", "chart", "size", "baseline", "rules", "lower", "upper")
PART, PRODUCT = "mtconnect:PART_UNIQUE_ID", "mtconnect:PART_KIND_ID"
USUAL_BASELINE, USUAL_SIZE, MOST_BASELINE = 25, 5, 500
TOLD_EVERY = 50
CALM_POINTS, MOST_PARTS = 9, 30
CODE = "process_control:out-of-control"
SPREAD, SPREAD_SAYS = "spread", "the spread within a subgroup is above its limit"


class Point(msgspec.Struct):
    """A subgroup that was judged: when, which parts, how many sigmas from the centre."""

    start: int
    end: int
    parts: list[str]
    sigmas: float


class OutOfControl(msgspec.Struct):
    """A stretch in which rules are broken: since when, by which rules, worst point, last broken point, calm since."""

    start: int
    rules: list[str] = []
    parts: list[str] = []
    place: float = 0.0
    sigmas: float = 0.0
    last: int = 0
    calm: int = 0


class Memory(msgspec.Struct):
    """What is kept between steps."""

    held: dict[str, float | str | bool | None] = {}
    last_part: str = ""
    gathering: list[tuple[int, str, float]] = []  # time, part, value of the subgroup that fills up
    learning: list[list[float]] = []
    limits: Limits | None = None
    window: list[Point] = []
    before: float | None = None  # last single value, for moving ranges
    stretch: OutOfControl | None = None
    over: int = -(2**63)  # end of the stretch before
    values: list[float] = []  # since the limits hold; the last thousand


def check(parameters: Parameters) -> Sequence[Fault]:
    """All faults of the parameters."""
    faults = [
        Fault("process_control:parameter-unknown", f"There is no parameter {n!r}", f"One of {', '.join(NAMES)}", n)
        for n in parameters
        if n not in NAMES
    ]

    def wrong(name: str, message: str, hint: str) -> None:
        faults.append(Fault(f"process_control:{name}", message, hint, name))

    if not isinstance(parameters.get("signal"), str) or not parameters.get("signal"):
        wrong("signal", "Which signal?", "Name the measured signal")
    if not isinstance(parameters.get("product", ""), str):
        wrong("product", "The product is no text", "Name one product")
    chart = parameters.get("chart", "individuals")
    if chart not in VARIABLE_KINDS:
        wrong("chart", f"There is no chart {chart!r}", f"One of {', '.join(VARIABLE_KINDS)}")
    if not _whole(parameters.get("size", USUAL_SIZE), 2, LARGEST_GROUP):
        wrong("size", "The size of a subgroup is out of range", f"From 2 to {LARGEST_GROUP}")
    if not _whole(parameters.get("baseline", USUAL_BASELINE), 2, MOST_BASELINE):
        wrong("baseline", "The baseline is out of range", f"From 2 to {MOST_BASELINE} subgroups")
    if parameters.get("rules", "nelson") not in RULE_SETS:
        wrong("rules", f"There are no rules {parameters.get('rules')!r}", f"One of {', '.join(RULE_SETS)}")
    limits = [parameters.get(n) for n in ("lower", "upper")]
    if not all(v is None or _number(v) is not None for v in limits):
        wrong("lower", "A limit is no number", "Give numbers in the signal's unit")
    elif limits[0] is not None and limits[1] is not None and limits[0] >= limits[1]:
        wrong("lower", "The lower limit is not below the upper one", "Exchange them")
    return faults


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e100:
        return None
    return float(value)


def open(view: TwinView, parameters: Parameters, snapshot: bytes | None) -> Evaluator:
    """An evaluator at its start or at a snapshot."""
    return Evaluator(view, parameters, msgspec.msgpack.decode(snapshot, type=Memory) if snapshot else Memory())


class Evaluator:
    """Gathers subgroups, learns limits from the first ones, judges the others."""

    def __init__(self, view: TwinView, parameters: Parameters, memory: Memory) -> None:
        signals = {s.semantic: s.name for s in (view.type.signals if view.type else ())}
        self._signal: str = parameters["signal"]
        self._part, self._product = signals.get(PART), signals.get(PRODUCT)
        self._wanted: str = parameters.get("product", "")
        self._kind = cast(ChartKind, parameters.get("chart", "individuals"))
        self._size = 1 if self._kind == "individuals" else int(parameters.get("size", USUAL_SIZE))
        self._baseline = int(parameters.get("baseline", USUAL_BASELINE))
        self._rules = RULE_SETS[parameters.get("rules", "nelson")]
        self._tolerance = Tolerance(_number(parameters.get("lower")), _number(parameters.get("upper")))
        self._memory = memory

    def step(self, batch: ServiceBatch, watermark: int) -> Outcome:
        """Limits, capability and broken rules that became certain by the watermark."""
        outcome = Outcome()
        for at, part, value in self._taken(batch.observations):
            m = self._memory
            m.gathering.append((at, part, value))
            if len(m.gathering) < self._size:
                continue
            group, m.gathering = m.gathering, []
            self._judge(group, outcome) if m.limits is not None else self._learn(group, outcome)
        return outcome

    def snapshot(self) -> bytes:
        """What the next step needs."""
        return msgspec.msgpack.encode(self._memory)

    def _taken(self, observations: Mapping[str, Sequence[Observation]]) -> Iterator[tuple[int, str, float]]:
        """Values that count, in order of time: with their part, or one an observation where no parts are named."""
        names = {n for n in (self._signal, self._part, self._product) if n}
        rows = [(o.time, o.shard, o.seq, o.idx, n, o.value) for n in names for o in observations.get(n, ())]
        rows.sort(key=lambda r: r[:5])
        for i, row in enumerate(rows):
            self._memory.held[row[4]] = row[5]
            if i + 1 == len(rows) or rows[i + 1][0] != row[0]:
                begun = i
                while begun and rows[begun - 1][0] == row[0]:
                    begun -= 1
                yield from self._value(row[0], {r[4] for r in rows[begun : i + 1]})

    def _value(self, at: int, said: set[str]) -> Iterator[tuple[int, str, float]]:
        m = self._memory
        part = ""
        if self._part is not None:
            named = m.held.get(self._part)
            if self._part not in said or not isinstance(named, str) or not named or named == m.last_part:
                return
            part = m.last_part = named
        elif self._signal not in said:
            return
        if self._wanted and self._product is not None and m.held.get(self._product) != self._wanted:
            return
        value = _number(m.held.get(self._signal))
        if value is not None:
            yield at, part, value

    def _learn(self, group: list[tuple[int, str, float]], outcome: Outcome) -> None:
        m = self._memory
        m.learning.append([v for _, _, v in group])
        if len(m.learning) < self._baseline:
            return
        at = group[-1][0]
        try:
            m.limits = limits_of(self._kind, m.learning)
        except InvalidInputError as e:
            outcome.results.append({"spc_limits": {"at": at, "failed": [msgspec.to_builtins(f) for f in e.faults]}})
        else:
            m.before = m.learning[-1][-1]
            outcome.results.append({"spc_limits": {"at": at, "signal": self._signal, **_told(m.limits)}})
        m.learning = []

    def _judge(self, group: list[tuple[int, str, float]], outcome: Outcome) -> None:
        m = self._memory
        if m.limits is None:
            return
        values = [v for _, _, v in group]
        place, spread = location_of(values), spread_of(self._kind, values, m.before)
        m.before = values[-1]
        sigmas = m.limits.location.sigmas(place)
        parts = [p for _, p, _ in group if p]
        m.window = [*m.window[-(LONGEST_WINDOW - 1) :], Point(group[0][0], group[-1][0], parts, sigmas)]
        broken = broken_rules([p.sigmas for p in m.window], self._rules, zones=True)
        wide = m.limits.spread.upper is not None and spread > m.limits.spread.upper
        self._follow(broken, wide, place, outcome)
        outcome.usage["subgroups"] = outcome.usage.get("subgroups", 0.0) + 1
        m.values = [*m.values, *values][-1000:]
        self._tell_capability(group[-1][0], len(values), outcome)

    def _follow(self, broken: tuple[str, ...], wide: bool, place: float, outcome: Outcome) -> None:
        """A stretch begins with the window that breaks a rule; it is over after some points that break none."""
        m = self._memory
        here = m.window[-1]
        if broken or wide:
            rules = [*broken, *([SPREAD] if wide else [])]
            begun = m.window[-max((RULES[n].length for n in broken), default=1) :]
            known = m.stretch
            if known is None:
                known = m.stretch = OutOfControl(max(begun[0].start, m.over), place=place, sigmas=here.sigmas)
                known.parts = [p for point in begun for p in point.parts]
            else:
                known.parts = [*known.parts, *here.parts][-MOST_PARTS:]
            if abs(here.sigmas) > abs(known.sigmas):
                known.place, known.sigmas = place, here.sigmas
            fresh = [r for r in rules if r not in known.rules]
            known.rules += fresh
            known.last, known.calm = here.end, 0
            if fresh:
                outcome.findings.append(self._finding(known, None))
        elif m.stretch is not None:
            m.stretch.calm += 1
            if m.stretch.calm >= CALM_POINTS:
                m.over = m.stretch.last + 1
                outcome.findings.append(self._finding(m.stretch, m.over))
                m.stretch = None

    def _finding(self, found: OutOfControl, end: int | None) -> ServiceFinding:
        line = self._memory.limits.location if self._memory.limits else None
        says = "; ".join(f"{RULES[r].says} ({r})" if r in RULES else SPREAD_SAYS for r in found.rules[:4])
        what = f"{self._signal} of {self._wanted}" if self._wanted else self._signal
        signal = FoundSignal(
            self._signal, 1.0, found.start, found.sigmas if math.isfinite(found.sigmas) else None, found.place,
            line.centre if line else None,
        )  # fmt: skip
        beyond = any(r in ("nelson-1", "western-electric-1", SPREAD) for r in found.rules)
        parts = ", ".join(found.parts[:10])
        about = f"{self._signal} {self._wanted}".strip()
        return ServiceFinding(
            CODE, found.start, f"{what} is out of control: {says}"[:LONGEST_TEXT], (signal,), end,
            severity="medium" if beyond else "low", group=about,
            hints=(f"Parts that show it: {parts}"[:LONGEST_TEXT],) if parts else (), about=about,
        )  # fmt: skip

    def _tell_capability(self, at: int, fresh: int, outcome: Outcome) -> None:
        """After every fifty values: a function of the values alone, so that any split of the data tells the same."""
        m = self._memory
        count = len(m.values)
        if m.limits is None or count // TOLD_EVERY == (count - fresh) // TOLD_EVERY:
            return
        limits = m.limits
        freedom = limits.groups - 1 if limits.size == 1 else limits.groups * (limits.size - 1)
        try:
            found = capability(m.values, self._tolerance, limits.sigma, freedom)
        except InvalidInputError:
            return  # no tolerance, or values that do not differ
        told = {k: v for k, v in msgspec.to_builtins(found).items() if not isinstance(v, float) or math.isfinite(v)}
        outcome.results.append({"spc_capability": {"at": at, "signal": self._signal, **told}})


def _told(limits: Limits) -> dict[str, Any]:
    return {
        "chart": limits.kind, "size": limits.size, "groups": limits.groups, "sigma": limits.sigma,
        "location": msgspec.to_builtins(limits.location), "spread": msgspec.to_builtins(limits.spread),
    }  # fmt: skip
