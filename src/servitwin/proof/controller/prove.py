"""Settles goals: bounded search, induction and reachability in turns until each is found, proven, or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

import msgspec
import z3

from servitwin.proof.controller.budget import Budget, OutOfBudget
from servitwin.proof.controller.candidates import candidates, kept_by_the_step, needed
from servitwin.proof.controller.clause import Clause, clause_term, written_clause
from servitwin.proof.controller.induction import Step
from servitwin.proof.controller.obligations import confirm, of_proof
from servitwin.proof.controller.reach import Reachability, Reached
from servitwin.proof.controller.report import Proof
from servitwin.proof.controller.run import Values
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.unroll import Position, Search, Unrolling

_FIRST_DEPTH = 12
_FIRST_K = (0, 1, 2, 3)
_LATER_K = (4, 6, 8, 12)
_LONGEST_K = 200
_GROWTH = 4.0


class Settled(msgspec.Struct):
    """What became of goals.

    Attributes:
        found: goals that can be reached, each with a shortest run.
        proven: goals that cannot.
        clear: the others are not reached in this many steps or fewer; -1: not even the beginning is known.
        clear_of: as ``clear`` for single goals, where a proof attempt came further.
        reachable: goals known to be reachable, for which no run was found in time.
    """

    found: dict[str, list[Position]]
    proven: dict[str, Proof]
    clear: int
    clear_of: dict[str, int]
    reachable: set[str]


class Prover:
    """Settles goals of one system. ``clauses`` are together an invariant; every proof adds to them."""

    def __init__(self, system: System, seed: int) -> None:
        self._system = system
        self._seed = seed
        self.clauses: list[Clause] = []

    def prepare(self, states: Sequence[Values], budget: Budget) -> None:
        """Find an auxiliary invariant that these reachable states do not contradict; none if time is too short."""
        with suppress(OutOfBudget):
            self.clauses = kept_by_the_step(self._system, candidates(self._system, states), self._seed, budget)

    def settle(self, goals: Sequence[Goal], depth: int, attempt_s: float, budget: Budget) -> Settled:
        """As far as the budget allows.

        Args:
            goals: what to reach or to prove unreachable.
            depth: a search without a proof ends here; where a goal is known to be reachable it goes on.
            attempt_s: seconds of the first attempt to prove one goal; later ones may take longer.
            budget: time for all of it.
        """
        turn = _Turn(self, Search(self._system, goals), budget)
        with suppress(OutOfBudget):
            turn.take(depth, attempt_s)
        search = turn.search
        reachable = {n for n in turn.reachable if n in search.open}
        return Settled(search.found, turn.proven, search.clear, turn.clear_of, reachable)

    def induct(self, goal: Goal, ks: Sequence[int], clear: int, budget: Budget) -> Proof | None:
        """A proof by k-induction for one of these k; ``clear``: up to where positions are known to be free of the goal.

        Raises:
            Reached: the base does not hold.
            OutOfBudget: no answer in time.
        """
        step = Step(self._system, goal, self.clauses)
        for k in ks:
            if not step.holds(k, budget):
                continue
            if k - 1 > clear:
                self._base(goal, k - 1, budget)
            used = needed(self._system, self.clauses, step.used, budget) if step.used else []
            return self._confirmed(goal, "k-induction", k, tuple(used), tuple(step.distinct), budget)
        return None

    def _base(self, goal: Goal, depth: int, budget: Budget) -> None:
        unrolling = Unrolling(self._system, cone=self._system.cone([goal.term]))
        for at in range(depth + 1):
            budget.go_on()
            if unrolling.depth < at:
                unrolling.extend()
            wanted = z3.Bool(f"wanted {at}", self._system.context)
            unrolling.solver.add(z3.Implies(wanted, unrolling.at(at, goal.term)))
            if budget.satisfiable(unrolling.solver, wanted):
                raise Reached(at)

    def reach(self, goal: Goal, budget: Budget, clear_of: dict[str, int]) -> Proof:
        """A proof by reachability.

        Raises:
            Reached: the goal can be reached.
            OutOfBudget: no answer in time; ``clear_of`` says how far it came.
        """
        attempt = Reachability(self._system, goal, budget, self.clauses)
        try:
            found = attempt.search()
        except OutOfBudget:
            clear_of[goal.name] = max(attempt.clear, clear_of.get(goal.name, -1))
            raise
        self.clauses += [c for c in found if c not in self.clauses]
        used = needed(self._system, self.clauses, self._against(goal, budget), budget)
        return self._confirmed(goal, "reachability", 0, tuple(used), (), budget)

    def _against(self, goal: Goal, budget: Budget) -> list[Clause]:
        """Clauses that exclude the goal together."""
        solver = self._system.solver()
        solver.add(self._system.assumed, goal.term)
        marks = {f"clause {i}": c for i, c in enumerate(self.clauses)}
        literals = [z3.Bool(name, self._system.context) for name in marks]
        for literal, clause in zip(literals, self.clauses, strict=True):
            solver.add(z3.Implies(literal, clause_term(self._system, clause)))
        if budget.answered(solver, literals):
            raise AssertionError("the invariant does not exclude the goal")
        return [marks[m.decl().name()] for m in solver.unsat_core()]

    def _confirmed(
        self, goal: Goal, method: Literal["k-induction", "reachability"], k: int, clauses: tuple[Clause, ...],
        distinct: tuple[tuple[int, int], ...], budget: Budget,
    ) -> Proof:  # fmt: skip
        texts = tuple(written_clause(c, self._system.state) for c in clauses)
        proof = Proof(method, k, texts, clauses, distinct, 0)
        confirmed = confirm(self._system, of_proof(self._system, goal, proof), budget)
        return msgspec.structs.replace(proof, rechecked=confirmed)


class _Turn:
    """One call of :meth:`Prover.settle`."""

    def __init__(self, prover: Prover, search: Search, budget: Budget) -> None:
        self._prover = prover
        self._budget = budget
        self.search = search
        self.proven: dict[str, Proof] = {}
        self.reachable: set[str] = set()
        self.clear_of: dict[str, int] = {}

    def take(self, depth: int, attempt_s: float) -> None:
        """Turns of all methods, each longer than the last."""
        search, budget = self.search, self._budget
        search.until(min(depth, _FIRST_DEPTH), budget)
        self._induct(_FIRST_K, attempt_s)
        deep = False  # deep searches cost most: first two rounds of attempts to prove
        while search.open:
            self._reach(attempt_s)
            self._to_the_reachable()
            if deep and search.open:
                try:
                    search.until(depth, budget.part(max(budget.left / 3, attempt_s)))
                except OutOfBudget:
                    budget.go_on()
            deep = True
            attempt_s *= _GROWTH
            self._induct(_LATER_K, attempt_s)

    def _to_the_reachable(self) -> None:
        """Where a goal is known to be reachable, its shortest run is only a matter of depth."""
        while any(n in self.search.open for n in self.reachable):
            self.search.until(self.search.clear + 1, self._budget)

    def _induct(self, ks: Sequence[int], seconds: float) -> None:
        for goal in list(self.search.open.values()):
            if goal.name not in self.reachable:
                tried = [*ks, goal.looks_back] if max(ks) < goal.looks_back <= _LONGEST_K else ks
                clear = self.search.clear
                self._try(goal, lambda b: self._prover.induct(goal, tried, clear, b), seconds)  # noqa: B023

    def _reach(self, seconds: float) -> None:
        for goal in list(self.search.open.values()):
            if goal.name not in self.reachable:
                self._try(goal, lambda b: self._prover.reach(goal, b, self.clear_of), seconds)  # noqa: B023

    def _try(self, goal: Goal, attempt: Callable[[Budget], Proof | None], seconds: float) -> None:
        try:
            proof = attempt(self._budget.part(seconds))
        except Reached:
            self.reachable.add(goal.name)
        except OutOfBudget:
            self._budget.go_on()
        else:
            if proof is not None:
                self.proven[goal.name] = proof
                self.search.drop(goal.name)
