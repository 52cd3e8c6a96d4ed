"""Answers of the model checker, as plain data for pages, files and people."""

from __future__ import annotations

from typing import Literal

import msgspec

from servitwin.domain.controller import PropertyKind, Severity
from servitwin.proof.controller.bound import Clause

Outcome = Literal["proven", "violated", "no violation up to depth"]
MODEL_NOTE = "The model is not the controller: what is shown here holds for the model as it is written."


class Step(msgspec.Struct, frozen=True):
    """One position of a run.

    Attributes:
        index: number of steps before it.
        time_ns: nanoseconds since the beginning; None where the controller declares no tick.
        values: regions, variables and timers by name, as people read them.
        inputs: what the world sets here.
        taken: transitions that lead to the next position; none at the last one.
    """

    index: int
    values: dict[str, str]
    inputs: dict[str, str]
    taken: tuple[str, ...]
    time_ns: int | None = None


class Counterexample(msgspec.Struct, frozen=True):
    """A run of the model that breaks a property at its last position.

    Attributes:
        steps: all positions, the first is a beginning.
        shortest: no shorter run breaks it (every smaller depth was searched completely).
        replayed: positions that the interpreter went through; always all of them.
    """

    steps: tuple[Step, ...]
    shortest: bool
    replayed: int


class Proof(msgspec.Struct, frozen=True):
    """Why a property holds in every run.

    Attributes:
        method: ``k-induction`` or ``reachability`` (an inductive invariant found by property-directed reachability).
        k: steps that the induction looks back.
        invariant: clauses that hold in every reachable state, readable; for k-induction those that it leans on.
        clauses: the same as data.
        distinct: pairs of positions of the inductive step that must differ (simple paths).
        rechecked: obligations that a fresh solver confirmed before this was said.
    """

    method: Literal["k-induction", "reachability"]
    k: int
    invariant: tuple[str, ...]
    clauses: tuple[Clause, ...]
    distinct: tuple[tuple[int, int], ...]
    rechecked: int


class Answer(msgspec.Struct, frozen=True):
    """What is known of one property.

    Attributes:
        outcome: ``proven``, ``violated`` or ``no violation up to depth``; never anything between.
        depth: complete search without a violation up to this number of steps; -1: not even the beginning.
        vacuous: the trigger can never happen, so that the property says nothing; None: not known.
        note: the outcome in a sentence.
    """

    name: str
    kind: PropertyKind
    text: str
    formula: str
    severity: Severity
    outcome: Outcome
    note: str
    depth: int
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    vacuous: bool | None = None


FindingKind = Literal[
    "state-unreachable", "state-without-exit", "transition-never-taken", "property-vacuous", "deadlock",
    "non-deterministic", "out-of-range", "world-stops",
]  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong with the model whatever the properties say. It is shown or proven, never guessed."""

    kind: FindingKind
    subject: str
    message: str
    hint: str = ""
    counterexample: Counterexample | None = None
    proof: Proof | None = None


class Reached(msgspec.Struct, frozen=True):
    """How much of the model's own states and transitions the search has seen taken."""

    states: int
    states_of: int
    transitions: int
    transitions_of: int


class Report(msgspec.Struct, frozen=True):
    """Everything that a check found.

    Attributes:
        answers: one for each property, in the order of the file.
        findings: defects of the model itself.
        unsettled: questions that the budget did not suffice for, in sentences.
        reached: states and transitions that the search reached; None where the model itself was not asked about.
        state_bits: bits of the state that the solver sees.
        limits: what the model leaves out, as its author and this checker say.
    """

    controller: str
    version: int
    answers: tuple[Answer, ...]
    findings: tuple[Finding, ...]
    unsettled: tuple[str, ...]
    reached: Reached | None
    state_bits: int
    seconds: float
    limits: tuple[str, ...] = (MODEL_NOTE,)

    @property
    def violated(self) -> tuple[Answer, ...]:
        """Answers of properties that are broken."""
        return tuple(a for a in self.answers if a.outcome == "violated")

    @property
    def all_proven(self) -> bool:
        """Every property is proven; true only where there is one."""
        return bool(self.answers) and all(a.outcome == "proven" for a in self.answers)
