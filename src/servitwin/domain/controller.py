"""State machines of controllers, as they are written: regions, states, variables, timers, transitions, properties.

Their step is defined in ``docs/concepts/controller.md`` and made exact by :mod:`servitwin.domain.controller_flat`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from servitwin.domain.controller_meaning import Assignment
from servitwin.domain.controller_term import TRUE, Range, Term

EVENT = "event"  # the input that says which declared event comes with a step
NO_EVENT = "none"
Severity = Literal["low", "medium", "high", "safety"]
PropertyKind = Literal["always", "never", "response"]


class Variable(msgspec.Struct, frozen=True):
    """What the controller remembers. ``initial`` None: any value of its range. ``saturates``: leaving it is meant."""

    name: str
    range: Range
    initial: int | None
    saturates: bool = False
    title: str = ""


class Timer(msgspec.Struct, frozen=True):
    """Counts steps from its start up to ``limit`` and stays there; -1 while stopped."""

    name: str
    limit: int

    @property
    def range(self) -> Range:
        """-1 to the limit, in ticks."""
        return Range("integer", -1, self.limit)


class Input(msgspec.Struct, frozen=True):
    """What the world sets, anew in each step and freely within its range."""

    name: str
    range: Range
    title: str = ""


class Transition(msgspec.Struct, frozen=True):
    """A way out of a state.

    Attributes:
        target: name of the state that is entered; empty: nothing is left or entered (internal).
        event: declared event that must come with the step; empty: none is needed.
        guard: what must hold on the values before the step.
        actions: assignments in order; a later one sees the earlier ones of the same transition.
        priority: 1 goes first; equal ones compete and any of them may be taken.
        name: what people call it.
        line: line of the file that it stands in.
    """

    target: str
    event: str = ""
    guard: Term = TRUE
    actions: tuple[Assignment, ...] = ()
    priority: int = 1
    name: str = ""
    line: int | None = None


class State(msgspec.Struct, frozen=True):
    """A state; with ``states`` inside it is composite and always in exactly one of them.

    ``final``: to stay here for ever is meant.
    """

    name: str
    transitions: tuple[Transition, ...] = ()
    entry: tuple[Assignment, ...] = ()
    exit: tuple[Assignment, ...] = ()
    states: tuple[State, ...] = ()
    initial: str = ""
    final: bool = False
    title: str = ""


class Region(msgspec.Struct, frozen=True):
    """A part of the controller that is always in exactly one of its leaf states; regions step together."""

    name: str
    states: tuple[State, ...]
    initial: str


class Property(msgspec.Struct, frozen=True):
    """What must be true of every run.

    Attributes:
        kind: ``always``: ``holds`` in every step; ``never``: in none; ``response``: whenever ``trigger`` holds,
            ``holds`` holds in the same step or at most ``within`` steps later.
        text: the sentence that people agreed.
        formula: the property in the words of the language, from which the terms were read.
    """

    name: str
    kind: PropertyKind
    holds: Term
    trigger: Term = TRUE
    within: int = 0
    text: str = ""
    severity: Severity = "medium"
    formula: str = ""


class Observed(msgspec.Struct, frozen=True):
    """Which signal of the real machine shows a region, variable or input.

    ``values`` are pairs of the signal's word and the value it stands for. Without any, numbers and flags stand for
    themselves, and words for words.
    """

    name: str
    signal: str
    values: tuple[tuple[str, int], ...] = ()


class Controller(msgspec.Struct, frozen=True):
    """A controller's state machine, its properties, and where the real one can be watched.

    Attributes:
        tick: nanoseconds of one step; None where the model has no clock.
        assumptions: what the world never breaks: terms over inputs and state that hold in each step.
        limits: sentences for the reader about what the model leaves out.
    """

    name: str
    version: int
    regions: tuple[Region, ...]
    variables: tuple[Variable, ...] = ()
    timers: tuple[Timer, ...] = ()
    inputs: tuple[Input, ...] = ()
    events: tuple[str, ...] = ()
    assumptions: tuple[Term, ...] = ()
    properties: tuple[Property, ...] = ()
    observe: tuple[Observed, ...] = ()
    tick: int | None = None
    title: str = ""
    limits: tuple[str, ...] = ()


def leaves_of(states: tuple[State, ...]) -> Iterator[tuple[str, State]]:
    """(name, state) of every state that holds no other, in the order of the file."""
    for state in states:
        if state.states:
            yield from leaves_of(state.states)
        else:
            yield state.name, state


def composites_of(states: tuple[State, ...]) -> dict[str, tuple[str, ...]]:
    """For every composite state the names of the leaf states inside."""
    found: dict[str, tuple[str, ...]] = {}
    for state in states:
        if state.states:
            found[state.name] = tuple(name for name, _ in leaves_of(state.states))
            found |= composites_of(state.states)
    return found
