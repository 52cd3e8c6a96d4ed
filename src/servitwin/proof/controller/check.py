"""The model checker: one controller against its properties, and against what no model should have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from servitwin.domain.controller import Controller, Property
from servitwin.domain.controller_flat import flatten
from servitwin.proof.controller.budget import Budget, OutOfBudget
from servitwin.proof.controller.counterexample import Replay
from servitwin.proof.controller.defects import Defects
from servitwin.proof.controller.explore import explore, trigger_of
from servitwin.proof.controller.obligations import Obligation, of_depth, of_proof, of_violation
from servitwin.proof.controller.prove import Prover, Settled
from servitwin.proof.controller.report import MODEL_NOTE, Answer, Finding, Report
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.words import bits_of

DEPTH = 60
SECONDS = 60.0
_FOR_PROPERTIES = 0.75  # of the time; what they leave is for the questions about the model
_FOR_RUNS, _FOR_CLAUSES = 0.05, 0.25


class Check:
    """One check of a controller. ``system`` and ``goals`` serve the export of obligations."""

    def __init__(self, controller: Controller, properties: Sequence[Property] | None = None) -> None:
        """Prepare.

        Raises:
            InvalidInputError: ``controller:...`` as :func:`~servitwin.domain.controller_flat.flatten` says.
        """
        self.controller = controller
        self.properties = tuple(controller.properties if properties is None else properties)
        self.system = System(flatten(controller), self.properties)
        self.goals = [
            Goal(p.name, self.system.bad[p.name], p.within + 1 if p.kind == "response" else 0) for p in self.properties
        ]
        self._replay = Replay(self.system)

    def report(
        self,
        clock: Callable[[], float],
        *,
        seconds: float = SECONDS,
        depth: int = DEPTH,
        cancel: Callable[[], bool] = lambda: False,
        seed: int = 1,
        defects: bool = True,
    ) -> Report:
        """Answer every property as far as the time allows.

        Args:
            clock: seconds that only grow (``time.monotonic``).
            seconds: time for all of it.
            depth: steps of a complete search where there is no proof.
            cancel: asked again and again; true ends the search with what is known.
            seed: of the random runs that look for what can be reached.
            defects: also ask about the model itself.
        """
        budget = Budget(seconds, clock, cancel)
        triggers = {p.name: t for p in self.properties if (t := trigger_of(p)) is not None}
        explored = explore(self.controller, triggers, seed, budget.part(seconds * _FOR_RUNS))
        prover = Prover(self.system, seed)
        prover.prepare(explored.states, budget.part(seconds * _FOR_CLAUSES))
        share = budget.part(budget.left * (_FOR_PROPERTIES if defects else 1.0))
        settled = prover.settle(self.goals, depth, max(seconds / (4 * max(len(self.goals), 1)), 0.5), share)
        findings: list[Finding] = []
        unsettled: list[str] = []
        vacuous: dict[str, bool] = {}
        reached = None
        if defects:
            asked = Defects(self.system, self._replay, explored)
            found = prover.settle([q.goal for q in asked.open], depth, 1.0, budget)
            findings, vacuous = asked.findings(found.found, found.proven), asked.vacuous(found.found, found.proven)
            stops = asked.world_stops(int(min(max(budget.left, 1.0), 5.0) * 1000))
            findings += [stops] if stops is not None else []
            unsettled = asked.unsettled(found.found, found.proven, found.clear)
            reached = asked.reached(found.found)
        answers = tuple(self._answer(p, settled, vacuous.get(p.name)) for p in self.properties)
        return Report(
            self.controller.name, self.controller.version, answers, tuple(findings), tuple(unsettled),
            reached, sum(bits_of(r) for r in self.system.state.values()), round(budget.used, 3),
            (MODEL_NOTE, *self.controller.limits),
        )  # fmt: skip

    def _answer(self, p: Property, settled: Settled, vacuous: bool | None) -> Answer:
        base = (p.name, p.kind, p.text, p.formula, p.severity)
        run = settled.found.get(p.name)
        if run is not None:
            shown = self._replay.violation(p, run, shortest=True)
            steps = len(run) - 1
            note = f"Violated after {steps} step{'s' if steps != 1 else ''}; no shorter run does it; replayed"
            return Answer(*base, "violated", note, steps - 1, counterexample=shown, vacuous=vacuous)
        proof = settled.proven.get(p.name)
        if proof is not None:
            how = f"{proof.k}-induction" if proof.method == "k-induction" else "an inductive invariant"
            lean = f" with {len(proof.clauses)} clauses" if proof.clauses else ""
            warn = "; its trigger never happens, so it says nothing" if vacuous else ""
            note = (
                f"Proven for every run of the model by {how}{lean}, {proof.rechecked} obligations checked again{warn}"
            )
            return Answer(*base, "proven", note, -1, proof=proof, vacuous=vacuous)
        clear = max(settled.clear, settled.clear_of.get(p.name, -1))
        note = f"No violation in {clear} steps or fewer; longer runs are not covered; this is no proof"
        if clear < 0:
            note = "Nothing is known: the time was used up before the beginning was searched"
        if p.name in settled.reachable:
            note += ". A violation exists, but its run was not found in time: give it more"
        return Answer(*base, "no violation up to depth", note, clear, vacuous=vacuous)

    def obligations(self, report: Report) -> list[Obligation]:
        """What another solver has to confirm, for every answer of a report of this check."""
        found: list[Obligation] = []
        for goal, answer in zip(self.goals, report.answers, strict=True):
            if answer.proof is not None:
                found += of_proof(self.system, goal, answer.proof)
            elif answer.counterexample is not None:
                shown = answer.counterexample
                found += of_violation(self.system, goal, len(shown.steps) - 1, shortest=shown.shortest)
            elif answer.depth >= 0:
                found.append(of_depth(self.system, goal, answer.depth))
        return found


__all__ = ["DEPTH", "SECONDS", "Check", "OutOfBudget"]
