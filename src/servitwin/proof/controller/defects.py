"""Questions about the model itself: what is never reached, where it is stuck, where it cannot decide."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec
import z3

from servitwin.proof.controller.counterexample import Replay, Replayed
from servitwin.proof.controller.explore import Explored, trigger_of
from servitwin.proof.controller.report import Finding, FindingKind, Reached
from servitwin.proof.controller.run import evaluate
from servitwin.proof.controller.system import Goal, System
from servitwin.proof.controller.unroll import Position

_MOST_INPUTS = 256  # combinations of inputs that are written out to ask whether any of them leads on


class Question(msgspec.Struct, frozen=True):
    """A goal and what it means when it is reached, or proven unreachable.

    ``expected``: reaching it is right; a finding arises only where that is impossible. Otherwise a finding arises
    where it is reached, and ``test`` looks for it in the replayed run.
    """

    goal: Goal
    kind: FindingKind
    subject: str
    message: str
    hint: str
    expected: bool
    test: Callable[[Replayed], bool]


class Defects:
    """All questions about one system."""

    def __init__(self, system: System, replay: Replay, explored: Explored) -> None:
        self._system = system
        self._replay = replay
        self._explored = explored
        self.notes: list[str] = []
        self.questions: list[Question] = []
        self._states()
        self._transitions()
        self._triggers()
        self._competing()
        self._outside()
        self._deadlock()

    def _add(
        self, name: str, term: Any, kind: FindingKind, subject: str, message: str, hint: str, *, expected: bool,
        test: Callable[[Replayed], bool],
    ) -> None:  # fmt: skip
        self.questions.append(Question(Goal(name, term), kind, subject, message, hint, expected, test))

    def _states(self) -> None:
        for region in self._system.flat.controller.regions:
            range_ = self._system.state[region.name]
            for leaf, word in enumerate(range_.words):
                name = f"{region.name}.{word}"
                self._add(
                    f"state {name}", self._system.in_state(region.name, leaf), "state-unreachable", name,
                    f"The state {name} is never reached", "Remove it, or mend the way there", expected=True,
                    test=_in(region.name, leaf),
                )  # fmt: skip

    def _transitions(self) -> None:
        flat = self._system.flat
        for number, label in enumerate(flat.labels):
            taken = [self._system.taken[k] for k, t in enumerate(flat.transitions) if t.number == number]
            self._add(
                f"transition {number}", self._system.words.one_of(*taken), "transition-never-taken", label,
                f"The transition {label} is never taken: its guard is never true there, or others go first",
                "Compare its guard with what is known in its state", expected=True, test=_takes(number),
            )  # fmt: skip

    def _triggers(self) -> None:
        for p in self._system.properties:
            trigger = trigger_of(p)
            if trigger is None:
                continue
            self._add(
                f"trigger {p.name}", self._system.words.truth(trigger, self._system.names), "property-vacuous", p.name,
                f"The trigger of {p.name} never happens: the property says nothing",
                "Check the trigger; a property that cannot fail protects nobody", expected=True,
                test=lambda r, term=trigger: bool(evaluate(term, {**r.values[-1], **r.inputs[-1]})),  # type: ignore[misc]
            )  # fmt: skip

    def _competing(self) -> None:
        flat = self._system.flat
        pairs: dict[tuple[int, int], list[Any]] = {}
        for a, b, both in self._system.competing:
            index = [k for k, t in enumerate(flat.transitions) if t is a or t is b]
            before = [
                self._system.enabled(t, k)
                for k, t in enumerate(flat.transitions)
                if t.region == a.region and t.source == a.source and t.rank < a.rank
            ]
            free = z3.And(both, z3.Not(z3.Or(*before))) if before else both
            pairs.setdefault((flat.transitions[index[0]].number, flat.transitions[index[1]].number), []).append(free)
        for (a_number, b_number), terms in pairs.items():
            first, second = flat.labels[a_number], flat.labels[b_number]
            self._add(
                f"competing {a_number} {b_number}", self._system.words.one_of(*terms), "non-deterministic",
                f"{first} | {second}", f"Two transitions can be taken at the same time: {first} and {second}",
                "Give one of them a smaller priority number, or make their guards exclude each other", expected=False,
                test=self._competes(a_number, b_number),
            )  # fmt: skip

    def _competes(self, a: int, b: int) -> Callable[[Replayed], bool]:
        def test(r: Replayed) -> bool:
            choices = self._replay.interpreter.choices(r.values[-1], r.inputs[-1])
            return any({a, b} <= {w.number for w in ways} for ways in choices)

        return test

    def _outside(self) -> None:
        for goal in self._system.outside():
            range_ = self._system.state[goal.name]
            self._add(
                f"outside {goal.name}", goal.term, "out-of-range", goal.name,
                f"An assignment takes {goal.name} out of {range_.low} to {range_.high}; the model stays at the bound",
                "Mend the guard or the range, or write `saturates: true` if that is meant", expected=False,
                test=lambda r, name=goal.name: name in r.outside[-1],  # type: ignore[misc]
            )  # fmt: skip

    def _deadlock(self) -> None:
        system = self._system
        flat = system.flat
        for region in flat.controller.regions:
            leaving = {t.source for t in flat.transitions if t.region == region.name}
            for leaf, word in enumerate(system.state[region.name].words):
                if leaf not in leaving and leaf not in flat.finals[region.name]:
                    self._exitless(region.name, leaf, word)
        open_guards = []
        for k, t in enumerate(flat.transitions):
            possible = self._possible(system.enabled(t, k))
            if possible is None:
                self.notes.append("Whether it can get stuck was not asked: a guard reads too many inputs")
                return
            open_guards.append(possible)
        moving = [
            z3.Not(system.words.one_of(*(
                system.words.compared(system.names[n], system.state[n], "==", v) for v in (-1, system.state[n].high)
            )))
            for n in flat.timers
        ]  # fmt: skip
        done = [
            system.words.one_of(*(system.in_state(r, leaf) for leaf in leaves)) for r, leaves in flat.finals.items()
        ]
        stuck = z3.And(z3.Not(system.words.one_of(*open_guards, *moving)), z3.Not(system.words.both(*done)))
        self._add(
            "deadlock", stuck, "deadlock", flat.controller.name,
            "It can get stuck: no input leads on, and no timer runs", "Add a way out, or mark the states `final: true`",
            expected=False, test=self._is_stuck,
        )  # fmt: skip

    def _exitless(self, region: str, leaf: int, word: str) -> None:
        self._add(
            f"exit {region}.{word}", self._system.in_state(region, leaf), "state-without-exit", f"{region}.{word}",
            f"The state {region}.{word} has no way out", "Add a transition, or mark it `final: true`", expected=False,
            test=_in(region, leaf),
        )  # fmt: skip

    def _is_stuck(self, r: Replayed) -> bool:
        sizes = [range_.size for range_ in self._replay.interpreter.inputs.values()]
        combinations = 1
        for size in sizes:
            combinations *= size
        if combinations > 20_000:
            return True  # the positions replay; trying every input would take too long
        interpreter = self._replay.interpreter
        return not any(any(interpreter.choices(r.values[-1], i)) for i in interpreter.all_inputs(r.values[-1]))

    def _possible(self, term: Any) -> Any | None:
        """Whether inputs that the world allows make a term true; None where there are too many to write out."""
        system = self._system
        asked = z3.And(term, system.world)
        read = [n for n in system.read_by(asked) if n in system.inputs]
        combinations = 1
        for n in read:
            combinations *= system.inputs[n].size
        if combinations > _MOST_INPUTS:
            return None
        parts = []
        for chosen in product(*(range(system.inputs[n].low, system.inputs[n].high + 1) for n in read)):
            given = {n: system.words.value(v, system.inputs[n]) for n, v in zip(read, chosen, strict=True)}
            parts.append(z3.simplify(system.moved(asked, given)) if given else asked)
        return system.words.one_of(*parts)

    @property
    def open(self) -> list[Question]:
        """Questions that the random runs have not answered."""
        return [q for q in self.questions if not self._seen(q)]

    def _seen(self, q: Question) -> bool:
        if not q.expected:
            return False
        kind, _, rest = q.goal.name.partition(" ")
        if kind == "state":
            region, _, word = rest.partition(".")
            return (region, self._system.state[region].words.index(word)) in self._explored.leaves
        if kind == "transition":
            return int(rest) in self._explored.transitions
        return kind == "trigger" and rest in self._explored.triggers

    def unsettled(self, found: dict[str, list[Position]], proven: dict[str, Any], clear: int) -> list[str]:
        """Questions without an answer, as sentences."""
        left = [q for q in self.open if q.goal.name not in found and q.goal.name not in proven]
        return [f"Not settled, and not seen in {clear} steps: {q.message}" for q in left] + self.notes

    def vacuous(self, found: dict[str, list[Position]], proven: dict[str, Any]) -> dict[str, bool]:
        """Properties with a trigger: whether it can never happen."""
        told = {}
        for q in self.questions:
            if q.kind == "property-vacuous":
                if q.goal.name in proven:
                    told[q.subject] = True
                elif self._seen(q) or q.goal.name in found:
                    told[q.subject] = False
        return told

    def findings(self, found: dict[str, list[Position]], proven: dict[str, Any]) -> list[Finding]:
        """What the answers to the questions mean."""
        told: list[Finding] = []
        dead = {q.subject for q in self.questions if q.kind == "state-unreachable" and q.goal.name in proven}
        for q in self.questions:
            name = q.goal.name
            if q.expected and name in proven and not self._follows(q, dead):
                told.append(Finding(q.kind, q.subject, q.message, q.hint, proof=proven[name]))
            elif not q.expected and name in found:
                shown = self._replay.shown_by(found[name], q.test)
                told.append(Finding(q.kind, q.subject, q.message, q.hint, counterexample=shown))
        return told

    def _follows(self, question: Question, dead: set[str]) -> bool:
        """A transition out of states that are never reached is no finding of its own."""
        if question.kind != "transition-never-taken":
            return False
        flat = self._system.flat
        number = int(question.goal.name.split()[-1])
        sources = {f"{t.region}.{flat.state[t.region].words[t.source]}" for t in flat.transitions if t.number == number}
        return bool(sources) and sources <= dead

    def reached(self, found: dict[str, list[Position]]) -> Reached:
        """How many states and transitions were reached."""
        states = [q for q in self.questions if q.kind == "state-unreachable"]
        transitions = [q for q in self.questions if q.kind == "transition-never-taken"]
        return Reached(
            sum(q.goal.name in found or self._seen(q) for q in states), len(states),
            sum(q.goal.name in found or self._seen(q) for q in transitions), len(transitions),
        )  # fmt: skip

    def world_stops(self, milliseconds: int) -> Finding | None:
        """Assumptions that leave the world no input in some state: runs would end there, and prove too much."""
        system = self._system
        if not system.flat.controller.assumptions:
            return None
        inputs = [system.names[n] for n in system.inputs]
        solver = z3.Solver(ctx=system.context)
        solver.set("timeout", milliseconds)
        ranges = [system.words.inside(system.names[n], r) for n, r in system.state.items()]
        allowed = system.words.both(
            system.world, *(system.words.inside(system.names[n], r) for n, r in system.inputs.items())
        )
        solver.add(*ranges, z3.ForAll(inputs, z3.Not(allowed)) if inputs else z3.Not(allowed))
        if str(solver.check()) == "unsat":
            return None
        return Finding(
            "world-stops", system.flat.controller.name,
            "The assumptions may leave the world no input at all in some state: runs end there and prove too much",
            "Write assumptions that some input always fulfils",
        )  # fmt: skip


def _in(region: str, leaf: int) -> Callable[[Replayed], bool]:
    return lambda r: r.values[-1][region] == leaf


def _takes(number: int) -> Callable[[Replayed], bool]:
    return lambda r: any(w is not None and w.number == number for w in r.taken[-1])
