"""Runs of the solver, gone through again by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from servitwin.domain.controller import Property
from servitwin.domain.controller_term import Range
from servitwin.domain.error import Fault, ServitwinError
from servitwin.proof.controller.report import Counterexample, Step
from servitwin.proof.controller.run import Interpreter, Values, Way, breaks
from servitwin.proof.controller.system import System
from servitwin.proof.controller.unroll import Position


class ReplayFailedError(ServitwinError):
    """The interpreter does not agree with the solver's run: the checker is at fault and claims nothing."""


class Replayed(msgspec.Struct, frozen=True):
    """A run that the interpreter agrees with: state, inputs, ways taken and what left its range, by position."""

    values: tuple[Values, ...]
    inputs: tuple[Values, ...]
    taken: tuple[tuple[Way | None, ...], ...]
    outside: tuple[tuple[str, ...], ...]


class Replay:
    """Goes through runs of one controller."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.interpreter = Interpreter(system.flat.controller)
        self._own = list(system.flat.state)

    def run(self, positions: Sequence[Position]) -> Replayed:
        """Step by step, from a beginning.

        Raises:
            ReplayFailedError: at the first position that the interpreter does not reach.
        """
        interpreter = self.interpreter
        states = [{n: p.state[n] for n in self._own} for p in positions]
        inputs = [{n: p.inputs[n] for n in interpreter.inputs} for p in positions]
        if not interpreter.is_start(states[0]):
            raise _failed(0, "it is no beginning")
        ways: list[tuple[Way | None, ...]] = []
        outside: list[tuple[str, ...]] = []
        for i, (state, given) in enumerate(zip(states, inputs, strict=True)):
            if not interpreter.allowed(state, given):
                raise _failed(i, "the world may not set these inputs")
            taken = self._ways(i, state, given, positions[i])
            after = interpreter.step(state, given, taken)
            if i + 1 < len(states) and after.values != states[i + 1]:
                differ = [n for n in self._own if after.values[n] != states[i + 1][n]]
                raise _failed(i + 1, f"another value of {', '.join(differ)}")
            ways.append(tuple(taken))
            outside.append(after.outside)
        return Replayed(tuple(states), tuple(inputs), tuple(ways), tuple(outside))

    def _ways(self, at: int, state: Values, inputs: Values, position: Position) -> list[Way | None]:
        flat = self._system.flat
        numbers = {flat.transitions[k].region: flat.transitions[k].number for k in position.taken}
        found: list[Way | None] = []
        regions = flat.controller.regions
        for region, choices in zip(regions, self.interpreter.choices(state, inputs), strict=True):
            number = numbers.get(region.name)
            way = next((c for c in choices if c.number == number), None)
            if (way is None) != (number is None) or (way is None and choices):
                raise _failed(at, f"another transition in {region.name}")
            found.append(way)
        return found

    def violation(self, property: Property, positions: Sequence[Position], *, shortest: bool) -> Counterexample:
        """The run as a counterexample of a property.

        Raises:
            ReplayFailedError: it is none, or breaks the property earlier than it claims.
        """
        replayed = self.run(positions)
        trace = [{**s, **i} for s, i in zip(replayed.values, replayed.inputs, strict=True)]
        broken = [i for i in range(len(trace)) if breaks(property, trace[: i + 1])]
        if not broken or broken[0] != len(trace) - 1:
            raise _failed(broken[0] if broken else len(trace) - 1, f"{property.name} is not broken there")
        return self.told(replayed, shortest=shortest)

    def told(self, replayed: Replayed, *, shortest: bool) -> Counterexample:
        """A replayed run for people."""
        flat = self._system.flat
        tick = flat.controller.tick
        last = len(replayed.values) - 1
        steps = tuple(
            Step(
                i,
                _shown(values, flat.state),
                _shown(inputs, self.interpreter.inputs),
                () if i == last else tuple(flat.labels[w.number] for w in taken if w is not None),
                None if tick is None else i * tick,
            )
            for i, (values, inputs, taken) in enumerate(
                zip(replayed.values, replayed.inputs, replayed.taken, strict=True)
            )
        )
        return Counterexample(steps, shortest, len(steps))

    def shown_by(self, positions: Sequence[Position], test: Callable[[Replayed], bool]) -> Counterexample:
        """A run that shows something else than a broken property; ``test`` looks for it.

        Raises:
            ReplayFailedError: the interpreter does not find it.
        """
        replayed = self.run(positions)
        if not test(replayed):
            raise _failed(len(positions) - 1, "what was looked for is not there")
        return self.told(replayed, shortest=True)


def _shown(values: Values, ranges: dict[str, Range]) -> dict[str, str]:
    return {n: ranges[n].shown(v) for n, v in values.items()}


def _failed(at: int, what: str) -> ReplayFailedError:
    message = f"Position {at} of a run does not replay: {what}"
    return ReplayFailedError(Fault("proof:replay-failed", message, "This is a fault of the checker: report it"))
