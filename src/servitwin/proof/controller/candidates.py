"""Auxiliary invariants: simple clauses that no random run contradicts, cut down to those that the step keeps.

Candidates say that two things never go together: two leaves of different regions, a leaf and the value of a flag or
word, a leaf and one side of a number that the controller compares with. The largest set that holds in the beginning
and is kept by a step (Flanagan and Leino's Houdini, 2001) is an invariant; it helps induction and reachability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from random import Random
from typing import Any

import z3

from servitwin.domain.controller_term import names_in
from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.clause import Bound, Clause, clause_term, cube_term, holds_bound, holds_in
from servitwin.proof.controller.run import Interpreter, Values
from servitwin.proof.controller.system import System

_MOST = 6_000
_MOST_SIDES = 20
_WALK = 10  # steps at random after each answer of the solver


def candidates(system: System, states: Sequence[Values]) -> list[Clause]:
    """Clauses that none of these states contradicts."""
    masks: dict[Bound, int] = {}  # a bit for each state

    def mask(bound: Bound) -> int:
        if bound not in masks:
            masks[bound] = sum(1 << i for i, s in enumerate(states) if holds_bound(bound, s[bound.name]))
        return masks[bound]

    found: list[Clause] = []
    for clause in _all(system):
        together = -1
        for bound in clause:
            together &= mask(bound)
        if not together or not states:
            found.append(clause)
            if len(found) >= _MOST:
                break
    return found


def _all(system: System) -> Iterator[Clause]:
    regions = [r.name for r in system.flat.controller.regions]
    leaves = {r: [Bound(r, "==", i) for i in range(system.state[r].size)] for r in regions}
    for a, b in combinations(regions, 2):
        for first in leaves[a]:
            for second in leaves[b]:
                yield (first, second)
    for region, bounds in leaves.items():
        for name in sorted(_touched(system, region) - leaves.keys()):
            for leaf in bounds:
                for bound in _sides(system, name):
                    yield (leaf, bound)


def _touched(system: System, region: str) -> set[str]:
    """Names of the state that transitions of a region read or write."""
    found: set[str] = set()
    for t in system.flat.transitions:
        if t.region == region:
            found.update(names_in(t.guard))
            found.update(name for name, _ in t.assigns)
    return found & system.flat.state.keys()


def _sides(system: System, name: str) -> Iterator[Bound]:
    range_ = system.state[name]
    if range_.kind != "integer":
        yield from (Bound(name, "==", v) for v in range(range_.low, min(range_.high, range_.low + 40) + 1))
        return
    values = system.thresholds[name]
    if len(values) > _MOST_SIDES:
        values = values[: _MOST_SIDES // 2] + values[-_MOST_SIDES // 2 :]
    yield from (Bound(name, ">=", v) for v in values if v > range_.low)
    yield from (Bound(name, "<=", v) for v in values if v < range_.high)


def kept_by_the_step(system: System, clauses: Sequence[Clause], seed: int, budget: Budget) -> list[Clause]:
    """The largest part of the clauses that holds in the beginning and that a step keeps.

    Raises:
        OutOfBudget: no answer in time.
    """
    first = system.solver()
    first.add(system.first, system.ranges)
    alive = _Weeding(system, first, clauses, system.names, seed, budget).run()
    solver = system.solver()
    solver.add(system.assumed, system.step(list(system.state)))
    weeding = _Weeding(system, solver, alive, system.primed, seed, budget)
    weeding.assume_them()
    return weeding.run()


class _Weeding:
    """Takes out clauses that an answer of the solver contradicts, until none does."""

    def __init__(
        self,
        system: System,
        solver: Any,
        clauses: Sequence[Clause],
        names: Mapping[str, Any],
        seed: int,
        budget: Budget,
    ) -> None:
        self._system = system
        self._solver = solver
        self._names = names
        self._budget = budget
        self._random = Random(seed)
        self._interpreter = Interpreter(system.flat.controller)
        self._alive = list(clauses)
        self._assumed: dict[Clause, Any] = {}
        self._broken = {c: z3.Bool(f"broken {i}", system.context) for i, c in enumerate(clauses)}
        for clause, mark in self._broken.items():
            solver.add(z3.Implies(mark, cube_term(system, clause, names)))

    def assume_them(self) -> None:
        """The clauses that are left hold before the step: what is asked is whether they hold after it."""
        for i, clause in enumerate(self._alive):
            self._assumed[clause] = z3.Bool(f"clause {i}", self._system.context)
            self._solver.add(z3.Implies(self._assumed[clause], clause_term(self._system, clause)))

    def run(self) -> list[Clause]:
        turn = 0
        while self._alive:
            turn += 1
            one = z3.Bool(f"turn {turn}", self._system.context)
            self._solver.add(z3.Implies(one, z3.Or(*(self._broken[c] for c in self._alive))))
            if not self._budget.answered(
                self._solver, [one, *(self._assumed[c] for c in self._alive if self._assumed)]
            ):
                break
            model = self._solver.model()
            system = self._system
            state = {
                n: system.words.number_of(model.eval(self._names[n], model_completion=True), system.state[n])
                for n in system.flat.state
            }
            self._take_out(state)
            if self._assumed:
                self._walk(state)
        return self._alive

    def _take_out(self, state: Values) -> None:
        self._alive = [c for c in self._alive if not holds_in(c, state)]

    def _walk(self, state: Values) -> None:
        """On from a state that fulfils all that is left: what follows it contradicts more, without a question."""
        interpreter, random = self._interpreter, self._random
        for _ in range(_WALK):
            inputs = {n: random.randint(r.low, r.high) for n, r in interpreter.inputs.items()}
            if not interpreter.allowed(state, inputs):
                continue
            taken = [random.choice(ways) if ways else None for ways in interpreter.choices(state, inputs)]
            state = interpreter.step(state, inputs, taken).values
            self._take_out(state)


def needed(system: System, clauses: Sequence[Clause], wanted: Sequence[Clause], budget: Budget) -> list[Clause]:
    """A part of an invariant that holds the wanted clauses and is an invariant by itself.

    Raises:
        OutOfBudget: no answer in time.
    """
    solver = system.solver()
    solver.add(system.assumed, system.step(list(system.state)))
    marks = {c: z3.Bool(f"clause {i}", system.context) for i, c in enumerate(clauses)}
    by_name = {m.decl().name(): c for c, m in marks.items()}
    for clause, mark in marks.items():
        solver.add(z3.Implies(mark, clause_term(system, clause)))
    kept: list[Clause] = []
    open_ = list(wanted)
    while open_:
        clause = open_.pop()
        if clause in kept:
            continue
        kept.append(clause)
        broken = z3.Bool(f"broken {len(kept)}", system.context)
        solver.add(z3.Implies(broken, cube_term(system, clause, system.primed)))
        others = [marks[c] for c in clauses if c != clause]
        if budget.answered(solver, [broken, marks[clause], *others]):
            raise AssertionError("the clauses are no invariant")
        open_ += [by_name[m.decl().name()] for m in solver.unsat_core() if m.decl().name() in by_name]
    return sorted(kept)
