"""A problem in whole ticks, with working time prepared: what both the builder and the solver calculate on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from servitwin.domain.schedule.problem import (
    Machine,
    Mode,
    Operation,
    Order,
    Placement,
    ScheduleProblem,
    SetupTable,
    TransportTable,
    predecessors,
)


@dataclass(frozen=True)
class Candidate:
    """One machine and, where somebody has to attend, one crew for an operation; ``crew`` is -1 for nobody."""

    machine: int
    crew: int
    duration: int
    cost: int


@dataclass(frozen=True)
class Spot:
    """Where an operation is: candidate's machine and crew, and its ticks."""

    machine: int
    crew: int
    start: int
    end: int
    setup: int = 0

    @property
    def begin(self) -> int:
        """Start of the set-up."""
        return self.start - self.setup


@dataclass
class Step:
    """An operation in ticks. ``fixed`` is where it stays; ``needs`` are (material, amount)."""

    index: int
    key: tuple[str, str]
    order: int
    family: str
    pausable: bool
    release: int
    deadline: int
    candidates: list[Candidate]
    needs: list[tuple[int, int]]
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    fixed: Spot | None = None
    started: bool = False


class Openings:
    """Working time of a machine together with its crew, in ticks: windows apart, in segments between blocked time.

    An operation may pause from one window to the next of the same segment, never beyond it.
    """

    def __init__(self, windows: list[tuple[int, int]], walls: list[tuple[int, int]]) -> None:
        self.spans: list[tuple[int, int, int]] = []
        cuts = sorted(walls)
        for start, end in windows:
            at, segment = start, sum(1 for w in cuts if w[1] <= start)
            for low, high in cuts:
                if high <= at or low >= end:
                    continue
                if low > at:
                    self.spans.append((at, low, segment))
                at, segment = max(at, high), segment + 1
            if at < end:
                self.spans.append((at, end, segment))
        self._ends = [s[1] for s in self.spans]

    def earliest(self, at: int, duration: int, setup: int, pausable: bool) -> tuple[int, int] | None:
        """First (start, end) with start >= ``at``, its set-up uninterrupted right before it; None: it never fits."""
        spans = self.spans
        for i in range(bisect_right(self._ends, at), len(spans)):
            low, high, segment = spans[i]
            start = max(at, low + setup)
            if start + min(duration, 1) > high:
                continue
            left = duration - (high - start)
            if left <= 0:
                return start, start + duration
            if pausable:
                for j in range(i + 1, len(spans)):
                    if spans[j][2] != segment:
                        break
                    length = spans[j][1] - spans[j][0]
                    if left <= length:
                        return start, spans[j][0] + left
                    left -= length
        return None

    def starts(self, duration: int, setup: int, pausable: bool) -> dict[int, list[tuple[int, int]]]:
        """Possible starts as inclusive ranges, by the length of the pause that an operation started there takes."""
        found: dict[int, list[tuple[int, int]]] = {}
        spans = self.spans
        for i, (low, high, segment) in enumerate(spans):
            worked = 0  # in whole windows after this one
            for j in range(i, len(spans)):
                first, last, other = spans[j]
                if other != segment or (j > i and not pausable):
                    break
                if j == i:
                    a, b, pause = low + setup, high - max(duration, 1), 0
                else:
                    a = max(low + setup, high + worked - duration + 1)
                    worked += last - first
                    b = min(high - 1, high + worked - duration)
                    pause = first - high - (worked - (last - first))
                if a <= b:
                    found.setdefault(pause, []).append((a, b))
                if j > i and high + worked - duration >= high:
                    break
        return found


class Grid:
    """The problem in ticks: steps with their candidates, neighbours, openings, set-ups, transport, stock, crews."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self.problem = problem
        self.end = (problem.end - problem.start) // problem.tick
        self.machine_of = {m.id: n for n, m in enumerate(problem.machines)}
        self.crew_of = {c.id: n for n, c in enumerate(problem.crews)}
        self._material_of = {m.id: n for n, m in enumerate(problem.materials)}
        self._tables = [SetupTable(m) for m in problem.machines]
        self._setups: dict[tuple[int, str, str], int] = {}
        self._moves: dict[tuple[int, int], int] = {}
        self._transport = TransportTable(problem.transport)
        self._openings: dict[tuple[int, int], Openings] = {}
        self.steps: list[Step] = []
        self.index: dict[tuple[str, str], int] = {}
        skilled: dict[str, list[int]] = {}
        for n, crew in enumerate(problem.crews):
            for skill in crew.skills:
                skilled.setdefault(skill, []).append(n)
        for n, order in enumerate(problem.orders):
            for operation in order.operations:
                self._add(n, order, operation, skilled)
        for order in problem.orders:
            for name, before in predecessors(order).items():
                i = self.index[order.id, name]
                for b in before:
                    j = self.index[order.id, b]
                    self.steps[i].before.append(j)
                    self.steps[j].after.append(i)
        for p in problem.fixed:
            if p.key in self.index and p.machine in self.machine_of:
                self._fix(p)

    def _add(self, n: int, order: Order, operation: Operation, skilled: dict[str, list[int]]) -> None:
        problem = self.problem
        release = problem.start if order.release is None else max(problem.start, order.release)
        deadline = self.end if order.deadline is None else min(self.end, self.down(order.deadline))
        step = Step(
            len(self.steps),
            (order.id, operation.id),
            n,
            operation.family,
            operation.pausable,
            self.up(release),
            deadline,
            [c for m in operation.modes for c in self._ways(m, skilled)],
            [(self._material_of[x.material], x.amount) for x in operation.needs if x.material in self._material_of],
        )
        self.index[step.key] = step.index
        self.steps.append(step)

    def _ways(self, mode: Mode, skilled: dict[str, list[int]]) -> list[Candidate]:
        if mode.machine not in self.machine_of:
            return []
        length = -(-mode.duration // self.problem.tick)
        crews = skilled.get(mode.skill, []) if mode.skill else [-1]
        return [Candidate(self.machine_of[mode.machine], c, length, mode.cost) for c in crews]

    def _fix(self, p: Placement) -> None:
        start, end = self.down(p.start), self.up(p.end)
        step = self.steps[self.index[p.key]]
        setup = start - self.down(p.begin)
        step.fixed = Spot(self.machine_of[p.machine], self.crew_of.get(p.crew, -1), start, end, setup)
        step.started = p.started

    def down(self, at: int) -> int:
        """Tick at or before an instant."""
        return (at - self.problem.start) // self.problem.tick

    def up(self, at: int) -> int:
        """Tick at or after an instant."""
        return -((self.problem.start - at) // self.problem.tick)

    def setup(self, machine: int, before: str, after: str) -> int:
        """Ticks of set-up."""
        key = (machine, before, after)
        if key not in self._setups:
            self._setups[key] = -(-self._tables[machine].between(before, after) // self.problem.tick)
        return self._setups[key]

    def first_family(self, machine: int) -> str:
        """What the machine is set up for at the start."""
        return self._tables[machine].first

    def has_setups(self, machine: int) -> bool:
        """Whether anything takes set-up there."""
        return self._tables[machine].any

    def move(self, origin: int, target: int) -> int:
        """Ticks of transport."""
        key = (origin, target)
        if key not in self._moves:
            ids = self.problem.machines
            self._moves[key] = -(-self._transport.between(ids[origin].id, ids[target].id) // self.problem.tick)
        return self._moves[key]

    def openings(self, machine: int, crew: int) -> Openings:
        """Working time that a machine and a crew share."""
        key = (machine, crew)
        if key not in self._openings:
            spans = self._windows(self.problem.machines[machine])
            if crew >= 0 and self.problem.crews[crew].windows is not None:
                spans = _meet(spans, self._ticks(self.problem.crews[crew].windows or ()))
            self._openings[key] = Openings(spans, self.walls(machine))
        return self._openings[key]

    def walls(self, machine: int) -> list[tuple[int, int]]:
        """Blocked time of a machine from the start on."""
        spans = ((self.down(b.start), self.up(b.end)) for b in self.problem.machines[machine].blocked)
        return sorted((s, e) for s, e in spans if e > 0 and s < e)

    def _windows(self, machine: Machine) -> list[tuple[int, int]]:
        return [(0, self.end)] if machine.windows is None else self._ticks(machine.windows)

    def _ticks(self, windows: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
        joined: list[tuple[int, int]] = []
        for start, end in sorted(windows):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        spans = ((max(0, self.up(s)), min(self.end, self.down(e))) for s, e in joined)
        return [(s, e) for s, e in spans if s < e]

    def placements(self, spots: list[Spot]) -> tuple[Placement, ...]:
        """The plan in ns, in order of start; what is fixed exactly as it was given."""
        problem, found = self.problem, []
        fixed = {p.key: p for p in problem.fixed}
        for step, spot in zip(self.steps, spots, strict=True):
            start, end = (problem.start + t * problem.tick for t in (spot.start, spot.end))
            crew = problem.crews[spot.crew].id if spot.crew >= 0 else ""
            machine = problem.machines[spot.machine].id
            place = Placement(*step.key, machine, start, end, spot.setup * problem.tick, crew)
            found.append(fixed.get(step.key, place))
        return tuple(sorted(found, key=lambda p: (p.start, p.order, p.operation)))


def _meet(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low < high:
            found.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found
