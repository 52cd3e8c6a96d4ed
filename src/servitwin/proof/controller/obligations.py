"""What has to be unsatisfiable (or satisfiable) for an answer to be right: questions that any solver can check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import z3

from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.clause import Clause, clause_term
from servitwin.proof.controller.induction import different
from servitwin.proof.controller.report import Proof
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.unroll import Unrolling


class Obligation(msgspec.Struct, frozen=True):
    """A question for a solver.

    Attributes:
        name: of the property and the part of the argument, fit for a file name.
        meaning: what the answer says.
        expected: the answer that the argument needs.
        terms: what is asserted.
    """

    name: str
    meaning: str
    expected: Literal["sat", "unsat"]
    terms: tuple[Any, ...]


def of_invariant(system: System, clauses: Sequence[Clause], name: str) -> list[Obligation]:
    """The clauses hold in the beginning, and a step keeps them."""
    if not clauses:
        return []
    named = sorted({b.name for c in clauses for b in c})
    cone = system.cone([system.names[n] for n in named])
    invariant = system.words.both(*(clause_term(system, c) for c in clauses))
    after = system.words.both(*(clause_term(system, c, system.primed) for c in clauses))
    return [
        Obligation(
            f"{name}-invariant-start", "No beginning is outside the invariant", "unsat",
            (system.ranges, system.first, z3.Not(invariant)),
        ),
        Obligation(
            f"{name}-invariant-step", "No step leads out of the invariant", "unsat",
            (system.assumed, invariant, system.step(cone), z3.Not(after)),
        ),
    ]  # fmt: skip


def of_proof(system: System, goal: Goal, proof: Proof) -> list[Obligation]:
    """Everything that together shows that the goal is unreachable."""
    found = of_invariant(system, proof.clauses, goal.name)
    if proof.method == "reachability":
        invariant = system.words.both(*(clause_term(system, c) for c in proof.clauses))
        meaning = "No state of the invariant breaks the property"
        return [
            *found,
            Obligation(f"{goal.name}-invariant-safe", meaning, "unsat", (system.assumed, invariant, goal.term)),
        ]
    if proof.k:
        found.append(of_depth(system, goal, proof.k - 1))
    return [*found, _step(system, goal, proof)]


def of_depth(system: System, goal: Goal, depth: int) -> Obligation:
    """No run of at most ``depth`` steps reaches the goal."""
    unrolling = Unrolling(system, cone=system.cone([goal.term]))
    while unrolling.depth < depth:
        unrolling.extend()
    reached = system.words.one_of(*(unrolling.at(i, goal.term) for i in range(depth + 1)))
    terms = (*unrolling.terms, reached)
    return Obligation(f"{goal.name}-base", f"No run of at most {depth} steps breaks the property", "unsat", terms)


def of_violation(system: System, goal: Goal, depth: int, *, shortest: bool) -> list[Obligation]:
    """A run of ``depth`` steps reaches the goal, and no shorter one does."""
    unrolling = Unrolling(system)
    while unrolling.depth < depth:
        unrolling.extend()
    terms = (*unrolling.terms, unrolling.at(depth, goal.term))
    meaning = f"A run of {depth} steps breaks the property"
    found = [Obligation(f"{goal.name}-violation", meaning, "sat", terms)]
    if shortest and depth:
        found.append(of_depth(system, goal, depth - 1))
    return found


def _step(system: System, goal: Goal, proof: Proof) -> Obligation:
    invariant = system.words.both(*(clause_term(system, c) for c in proof.clauses))
    unrolling = Unrolling(system, anywhere=True, cone=system.cone([goal.term, invariant]))
    while unrolling.depth < proof.k:
        unrolling.extend()
    terms = list(unrolling.terms)
    terms += [unrolling.at(i, invariant) for i in range(proof.k + 1)]
    terms += [z3.Not(unrolling.at(i, goal.term)) for i in range(proof.k)]
    terms += [different(system, unrolling, i, j) for i, j in proof.distinct]
    terms.append(unrolling.at(proof.k, goal.term))
    different_text = ", no two of them alike," if proof.distinct else ""
    meaning = f"{proof.k} positions{different_text} without a violation are never followed by one with it"
    return Obligation(f"{goal.name}-step", meaning, "unsat", tuple(terms))


def confirm(system: System, obligations: Sequence[Obligation], budget: Budget) -> int:
    """Ask each question again of a fresh general solver; how many were confirmed.

    Raises:
        OutOfBudget: not all could be asked in time.
        AssertionError: an answer differs: the search is at fault, and nothing may be claimed.
    """
    for obligation in obligations:
        solver = z3.SolverFor("QF_BV", ctx=system.context)
        solver.add(*obligation.terms)
        if budget.satisfiable(solver) != (obligation.expected == "sat"):
            raise AssertionError(f"{obligation.name}: {obligation.meaning}: a second look denies it")
    return len(obligations)


def smt_lib(system: System, obligation: Obligation) -> str:
    """The question in SMT-LIB 2.6, logic QF_BV, for any other solver."""
    solver = z3.Solver(ctx=system.context)
    solver.add(*obligation.terms)
    lines = [
        f"; {obligation.name}: {obligation.meaning}",
        f"; Controller {system.flat.controller.name}, version {system.flat.controller.version}. "
        f"The argument needs the answer {obligation.expected}.",
        "(set-logic QF_BV)",
        f"(set-info :status {obligation.expected})",
        solver.sexpr().rstrip(),
        "(check-sat)",
        "",
    ]
    return "\n".join(lines)
