"""Settles goals: bounded search, induction and reachability in turns until each is found, proven, or time is up."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from servitwin.proof.controller.budget import Budget, OutOfBudget
from servitwin.proof.controller.clause import Clause, written_clause
from servitwin.proof.controller.induction import Step
from servitwin.proof.controller.obligations import confirm, of_proof
from servitwin.proof.controller.reach import Reachability, Reached
from servitwin.proof.controller.report import Proof
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.unroll import Position, Search

_FIRST_DEPTH = 12
_FIRST_K, _LATER_K = 3, 12
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
    """Settles goals of one system. Clauses that one proof found help the next."""

    def __init__(self, system: System, budget: Budget) -> None:
        self._system = system
        self._budget = budget
        self.clauses: list[Clause] = []

    def settle(self, goals: Sequence[Goal], depth: int, attempt_s: float) -> Settled:
        """As far as the budget allows.

        Args:
            goals: what to reach or to prove unreachable.
            depth: a search without a proof ends here; where a goal is known to be reachable it goes on.
            attempt_s: seconds of the first attempt to prove one goal; later ones may take longer.
        """
        turn = _Turn(self, Search(self._system, goals), self._budget)
        with contextlib.suppress(OutOfBudget):
            turn.take(depth, attempt_s)
        search = turn.search
        reachable = {n for n in turn.reachable if n in search.open}
        return Settled(search.found, turn.proven, search.clear, turn.clear_of, reachable)

    def induct(self, goal: Goal, ks: range, clear: int, budget: Budget) -> Proof | None:
        """A proof by k-induction for one of these k, if positions up to ``clear`` are known to be free of the goal.

        Raises:
            OutOfBudget: no answer in time.
        """
        for clauses in ([], self.clauses) if self.clauses else ([],):
            step = Step(self._system, goal, clauses)
            for k in ks:
                if k - 1 <= clear and step.holds(k, budget):
                    return self._confirmed(goal, "k-induction", k, tuple(clauses), tuple(step.distinct))
        return None

    def reach(self, goal: Goal, budget: Budget, clear_of: dict[str, int]) -> Proof:
        """A proof by reachability.

        Raises:
            Reached: the goal can be reached.
            OutOfBudget: no answer in time; ``clear_of`` says how far it came.
        """
        attempt = Reachability(self._system, goal, budget, self.clauses)
        try:
            clauses = attempt.search()
        except OutOfBudget:
            clear_of[goal.name] = max(attempt.clear, clear_of.get(goal.name, -1))
            raise
        proof = self._confirmed(goal, "reachability", 0, tuple(clauses), ())
        self.clauses += [c for c in clauses if c not in self.clauses]
        return proof

    def _confirmed(
        self,
        goal: Goal,
        method: Literal["k-induction", "reachability"],
        k: int,
        clauses: tuple[Clause, ...],
        distinct: tuple[tuple[int, int], ...],
    ) -> Proof:
        texts = tuple(written_clause(c, self._system.state) for c in clauses)
        proof = Proof(method, k, texts, clauses, distinct, 0)
        confirmed = confirm(self._system, of_proof(self._system, goal, proof), self._budget)
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
        search, budget = self.search, self._budget
        search.until(min(depth, _FIRST_DEPTH), budget)
        self._induct(range(_FIRST_K + 1), attempt_s)
        while search.open:
            self._reach(attempt_s)
            self._to_the_reachable()
            if not search.open:
                return
            try:
                search.until(depth, budget.part(max(budget.left / 3, attempt_s)))
            except OutOfBudget:
                budget.go_on()
            attempt_s *= _GROWTH
            self._induct(range(_FIRST_K + 1, _LATER_K + 1), attempt_s)
            if depth < _FIRST_DEPTH and not search.open:
                return

    def _to_the_reachable(self) -> None:
        """Where a goal is known to be reachable, its shortest run is only a matter of depth."""
        while any(n in self.search.open for n in self.reachable):
            self.search.until(self.search.clear + 1, self._budget)

    def _induct(self, ks: range, seconds: float) -> None:
        for goal in list(self.search.open.values()):
            try:
                proof = self._prover.induct(goal, ks, self.search.clear, self._budget.part(seconds))
            except OutOfBudget:
                self._budget.go_on()
                continue
            if proof is not None:
                self._settled(goal, proof)

    def _reach(self, seconds: float) -> None:
        for goal in list(self.search.open.values()):
            if goal.name in self.reachable:
                continue
            try:
                self._settled(goal, self._prover.reach(goal, self._budget.part(seconds), self.clear_of))
            except Reached:
                self.reachable.add(goal.name)
            except OutOfBudget:
                self._budget.go_on()

    def _settled(self, goal: Goal, proof: Proof) -> None:
        self.proven[goal.name] = proof
        self.search.drop(goal.name)
