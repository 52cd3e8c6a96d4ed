"""Runs a controller at random: a cheap way to see what can be reached, and what cannot be an invariant."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from servitwin.domain.controller import Controller, Property
from servitwin.domain.controller_term import Term
from servitwin.proof.controller.budget import Budget
from servitwin.proof.controller.run import Interpreter, Values, evaluate

_RUN_LENGTH = 700
_KEPT_STATES = 4_000
_TRIES = 20
_QUIET, _HARDLY = 0.5, 0.98


class Explored(msgspec.Struct):
    """What random runs came through. Every bit of it is reachable; nothing follows for what is missing.

    Attributes:
        states: some of the states, different ones.
        leaves: (region, number of the leaf).
        transitions: numbers of transitions as written.
        triggers: names of properties whose trigger held.
        steps: steps that were made.
    """

    states: list[Values]
    leaves: set[tuple[str, int]]
    transitions: set[int]
    triggers: set[str]
    steps: int = 0


def explore(controller: Controller, triggers: dict[str, Term], seed: int, budget: Budget) -> Explored:
    """Random runs until the budget is used up. Inputs are kept for a random while, so that timers can run out."""
    interpreter = Interpreter(controller)
    random = Random(seed)
    starts = []
    for start in interpreter.starts():
        starts.append(start)
        if len(starts) >= 100:
            break
    found = Explored([], set(), set(), set())
    seen: set[tuple[int, ...]] = set()
    waiting = dict(triggers)
    while budget.left > 0:
        state = random.choice(starts)
        keep = random.choice((0.0, 0.5, 0.9, 0.98))
        # Each run has inputs that hardly ever come: an emergency stop at every other step would let nothing happen.
        quiet = {n for n in interpreter.inputs if random.random() < _QUIET}
        inputs: Values | None = None
        for step in range(_RUN_LENGTH):
            if step % 64 == 0 and budget.left <= 0:
                return found
            inputs = _inputs(interpreter, state, inputs, keep, quiet, random)
            if inputs is None:
                break
            _note(found, state, inputs, waiting, seen, interpreter, random)
            taken = [random.choice(ways) if ways else None for ways in interpreter.choices(state, inputs)]
            found.transitions.update(w.number for w in taken if w is not None)
            state = interpreter.step(state, inputs, taken).values
            found.steps += 1
    return found


def _note(
    found: Explored, state: Values, inputs: Values, waiting: dict[str, Term], seen: set[tuple[int, ...]],
    interpreter: Interpreter, random: Random,
) -> None:  # fmt: skip
    key = tuple(state.values())
    if key not in seen and len(seen) < _KEPT_STATES * 10:
        seen.add(key)
        found.leaves.update((r.name, state[r.name]) for r in interpreter.controller.regions)
        if len(found.states) < _KEPT_STATES:
            found.states.append(dict(state))
        else:  # a fair sample of all that is seen
            found.states[random.randrange(_KEPT_STATES)] = dict(state)
    if waiting:
        both = {**state, **inputs}
        held = [n for n, t in waiting.items() if evaluate(t, both)]
        for name in held:
            found.triggers.add(name)
            del waiting[name]


def _inputs(
    interpreter: Interpreter, state: Values, last: Values | None, keep: float, quiet: set[str], random: Random
) -> Values | None:
    """Inputs that the world may set, mostly those of the step before; None if none were found."""
    ranges = interpreter.inputs
    for attempt in range(_TRIES):
        fresh = last is None or attempt > 0
        given = {
            n: last[n] if not fresh and last is not None and random.random() < keep
            else r.low if n in quiet and random.random() < _HARDLY
            else random.randint(r.low, r.high)
            for n, r in ranges.items()
        }  # fmt: skip
        if interpreter.allowed(state, given):
            return given
    return None


def trigger_of(property: Property) -> Term | None:
    """What must happen before a property can say anything; None if it always speaks."""
    if property.kind == "response":
        return property.trigger
    holds = property.holds
    if property.kind == "always" and getattr(holds, "op", "") == "implies":
        parts: Sequence[Term] = holds.args  # type: ignore[union-attr]
        return parts[0]
    return None
