"""Bounded model checking: runs of growing length from the beginning, so that what is found first is shortest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import z3

from servitwin.domain.controller_term import Range
from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.system import Goal, System


class Position(msgspec.Struct, frozen=True):
    """One position of a run: the state, the inputs there, and the flat transitions that are taken from it."""

    state: dict[str, int]
    inputs: dict[str, int]
    taken: tuple[int, ...]


class Unrolling:
    """Copies of the step, one after the other. ``depth`` is the number of steps that are there."""

    def __init__(self, system: System, *, anywhere: bool = False, cone: Sequence[str] | None = None) -> None:
        self.system = system
        self.cone = list(system.state) if cone is None else list(cone)
        self.solver = system.solver()
        self.terms: list[Any] = []  # all that was asserted: the solver does not give it back
        self.positions: list[dict[str, Any]] = []
        self._open()
        if not anywhere:
            self._assert(self.at(0, system.first))

    @property
    def depth(self) -> int:
        """Steps that have been added."""
        return len(self.positions) - 1

    def _open(self) -> None:
        i = len(self.positions)
        system = self.system
        ranges = {**{n: system.state[n] for n in self.cone}, **system.inputs}
        self.positions.append({n: _copy(system, n, r, i) for n, r in ranges.items()})
        for name, range_ in ranges.items():
            self._assert(system.words.inside(self.positions[i][name], range_))
        self._assert(self.at(i, system.world))

    def _assert(self, term: Any) -> None:
        if not z3.is_true(term):
            self.terms.append(term)
            self.solver.add(term)

    def extend(self) -> None:
        """One more step."""
        last = self.depth
        self._open()
        for name in self.cone:
            self._assert(self.positions[last + 1][name] == self.at(last, self.system.next[name]))

    def at(self, position: int, term: Any) -> Any:
        """A term at a position of the run."""
        return self.system.moved(term, self.positions[position])

    def states(self) -> list[dict[str, int]]:
        """The states alone of the run of the last answer."""
        model = self.solver.model()
        ranges = self.system.state
        return [{n: self._value(model, i, n, ranges[n]) for n in self.cone} for i in range(len(self.positions))]

    def run(self, goals: Sequence[Goal] = ()) -> tuple[list[Position], list[str]]:
        """The run of the last answer, and the goals that hold at its end."""
        model = self.solver.model()
        system = self.system
        found: list[Position] = []
        for i in range(self.depth + 1):
            state = {n: self._value(model, i, n, system.state[n]) for n in self.cone}
            inputs = {n: self._value(model, i, n, r) for n, r in system.inputs.items()}
            kept = {n: system.words.value(v, r) for n, v, r in self._kept(state, inputs)}
            taken = tuple(k for k, t in enumerate(system.taken) if z3.is_true(z3.simplify(system.moved(t, kept))))
            found.append(Position(state, inputs, taken))
        kept = {n: system.words.value(v, r) for n, v, r in self._kept(found[-1].state, found[-1].inputs)}
        reached = [g.name for g in goals if z3.is_true(z3.simplify(system.moved(g.term, kept)))]
        return found, reached

    def _kept(self, state: dict[str, int], inputs: dict[str, int]) -> list[tuple[str, int, Range]]:
        ranges = {**self.system.state, **self.system.inputs}
        return [(n, v, ranges[n]) for n, v in {**state, **inputs}.items()]

    def _value(self, model: Any, i: int, name: str, range_: Range) -> int:
        return self.system.words.number_of(model.eval(self.positions[i][name], model_completion=True), range_)


def _copy(system: System, name: str, range_: Range, i: int) -> Any:
    return system.words.constant(f"{name}@{i}", range_)


class Search:
    """Looks for several goals at once at growing depth. ``found`` maps goals to their shortest runs.

    Attributes:
        clear: no goal that is still open holds at any position up to here; -1: nothing is known yet.
    """

    def __init__(self, system: System, goals: Sequence[Goal]) -> None:
        self.system = system
        self.open = {g.name: g for g in goals}
        self.found: dict[str, list[Position]] = {}
        self.clear = -1
        self._unrolling = Unrolling(system)

    def until(self, depth: int, budget: Budget) -> None:
        """Search up to a depth.

        Raises:
            OutOfBudget: ``clear`` says how far it came.
        """
        while self.clear < depth and self.open:
            at = self.clear + 1
            if self._unrolling.depth < at:
                self._unrolling.extend()
            self._at(at, budget)
            self.clear = at

    def _at(self, at: int, budget: Budget) -> None:
        unrolling = self._unrolling
        while self.open:
            goals = list(self.open.values())
            wanted = z3.Bool(f"wanted {at} {len(goals)}", self.system.context)
            unrolling.solver.add(z3.Implies(wanted, z3.Or(*(unrolling.at(at, g.term) for g in goals))))
            if not budget.satisfiable(unrolling.solver, wanted):
                return
            run, reached = unrolling.run(goals)
            if not reached:
                raise AssertionError("the solver's run reaches nothing: the encoding is at fault")
            for name in reached:
                self.found[name] = run
                del self.open[name]

    def drop(self, name: str) -> None:
        """A goal that is proven unreachable needs no search."""
        self.open.pop(name, None)
