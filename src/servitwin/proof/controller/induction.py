"""k-induction: a property that held for k steps holds in the next one, whatever the state was.

Runs need not repeat a state (simple paths): where one does, that is forbidden and the question asked again. Clauses
that are proven already (an auxiliary invariant) may be assumed in every position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import z3

from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.clause import Clause, clause_term
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.unroll import Unrolling


class Step:
    """The inductive step of one goal, for growing k.

    Attributes:
        cone: the part of the state that bears on the goal.
        distinct: pairs of positions that had to be told apart, for the written obligations.
        used: clauses that the last answer leaned on.
    """

    def __init__(self, system: System, goal: Goal, clauses: Sequence[Clause] = ()) -> None:
        self._system = system
        self._goal = goal
        self.cone = system.cone([goal.term])
        inside = set(self.cone)
        self._clauses = [c for c in clauses if all(b.name in inside for b in c)]
        self._marks = [z3.Bool(f"clause {i}", system.context) for i in range(len(self._clauses))]
        self._unrolling = Unrolling(system, anywhere=True, cone=self.cone)
        self._assume()
        self.distinct: list[tuple[int, int]] = []
        self.used: list[Clause] = []

    def _assume(self) -> None:
        unrolling = self._unrolling
        for mark, clause in zip(self._marks, self._clauses, strict=True):
            unrolling.solver.add(z3.Implies(mark, unrolling.at(unrolling.depth, clause_term(self._system, clause))))

    def holds(self, k: int, budget: Budget) -> bool:
        """Whether k positions without the goal are never followed by one with it. Call with growing k, from 0.

        Raises:
            OutOfBudget: before there was an answer.
        """
        unrolling = self._unrolling
        while unrolling.depth < k:
            budget.go_on()
            unrolling.solver.add(z3.Not(unrolling.at(unrolling.depth, self._goal.term)))
            unrolling.extend()
            self._assume()
        wanted = z3.Bool(f"wanted {k}", self._system.context)
        unrolling.solver.add(z3.Implies(wanted, unrolling.at(k, self._goal.term)))
        while budget.answered(unrolling.solver, [wanted, *self._marks]):
            run = unrolling.states()
            again = [(i, j) for j in range(len(run)) for i in range(j) if run[i] == run[j]]
            if not again:
                return False
            for i, j in again:
                unrolling.solver.add(different(self._system, unrolling, i, j))
            self.distinct += again
        core = {m.decl().name() for m in unrolling.solver.unsat_core()}
        marked = zip(self._marks, self._clauses, strict=True)
        self.used = [c for m, c in marked if m.decl().name() in core]
        return True


def different(system: System, unrolling: Unrolling, i: int, j: int) -> Any:
    """Two positions of a run have different states."""
    a, b = unrolling.positions[i], unrolling.positions[j]
    return system.words.one_of(*(a[n] != b[n] for n in unrolling.cone))
