"""Drives the inputs of a run into a controller's model, step by step: what a simulated machine shows meanwhile.

The model goes its own way by the interpreter; nothing but the beginning, the inputs and the choice among competing
transitions is taken from the run. So a run that was found for one version can be driven into another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from servitwin.domain.controller import Controller, Property
from servitwin.domain.controller_flat import flatten, input_ranges, region_ranges
from servitwin.domain.controller_term import Range
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.controller.report import Counterexample
from servitwin.proof.controller.run import Interpreter, Values, Way, breaks

STEP = "run.step"  # signal that numbers the positions
Shown = dict[str, float | str | bool]


class Position(msgspec.Struct, frozen=True):
    """A position that the model is in: its number, its values and inputs, and the same as signals."""

    index: int
    values: Values
    signals: Shown


class Signals:
    """How the names of a controller are told: grouped by what they are, and in the words of the real machine."""

    def __init__(self, controller: Controller) -> None:
        self.ranges: dict[str, Range] = {}
        self._signal: dict[str, str] = {}
        groups: list[tuple[str, dict[str, Range]]] = [
            ("state", region_ranges(controller.regions)),
            ("variable", {v.name: v.range for v in controller.variables}),
            ("timer", {t.name: t.range for t in controller.timers}),
            ("input", input_ranges(controller)),
        ]
        for group, ranges in groups:
            self.ranges |= ranges
            self._signal |= {name: f"{group}.{name}" for name in ranges}
        own = {STEP, *self._signal.values()}
        self._observed = [o for o in controller.observe if o.signal not in own]

    @property
    def names(self) -> list[str]:
        """Signals from which :meth:`trace` is read."""
        return [STEP, *self._signal.values()]

    def shown(self, index: int, values: Values) -> Shown:
        """A position as signals: a word, a flag or a number for each name, then what the real machine would say."""
        told: Shown = {STEP: float(index)}
        for name, signal in self._signal.items():
            told[signal] = _plain(self.ranges[name], values[name])
        for seen in self._observed:
            words = [word for word, value in seen.values if value == values[seen.name]]
            if words:
                told[seen.signal] = words[0]
            elif not seen.values:
                told[seen.signal] = _plain(self.ranges[seen.name], values[seen.name])
        return told

    def trace(self, rows: Mapping[int, Mapping[str, float | str | bool]]) -> list[Values]:
        """Positions 0, 1, ... as they were recorded, by position and signal; it ends at the first that is not whole."""
        found: list[Values] = []
        while (row := rows.get(len(found))) is not None:
            values: Values = {}
            for name, signal in self._signal.items():
                number = self._number(name, row.get(signal))
                if number is None:
                    return found
                values[name] = number
            found.append(values)
        return found

    def _number(self, name: str, value: float | str | bool | None) -> int | None:
        if isinstance(value, bool):
            return self.ranges[name].read("true" if value else "false")
        if isinstance(value, int | float):
            return self.ranges[name].read(str(int(value))) if value == int(value) else None
        return None if value is None else self.ranges[name].read(value)


def _plain(range: Range, value: int) -> float | str | bool:
    if range.kind == "flag":
        return bool(value)
    return range.shown(value) if range.kind == "word" else float(value)


class Drive:
    """One controller that is driven by the inputs of one run.

    Raises:
        InvalidInputError: ``controller:other-inputs``: the run sets other inputs than this controller has.
    """

    def __init__(self, controller: Controller, run: Counterexample) -> None:
        self.signals = Signals(controller)
        self._interpreter = Interpreter(controller)
        self._labels = flatten(controller).labels
        self._run = run
        first = run.steps[0].values
        free = {v.name: v.range.read(first.get(v.name, "")) for v in controller.variables}
        self._free = {v.name: v.range.low if free[v.name] is None else free[v.name] for v in controller.variables}
        self._inputs = [self._read(i, step.inputs) for i, step in enumerate(run.steps)]

    def _read(self, at: int, told: Mapping[str, str]) -> Values:
        ranges = self._interpreter.inputs
        values = {name: ranges[name].read(text) if name in ranges else None for name, text in told.items()}
        wrong = sorted({*ranges} ^ {*told} | {n for n, v in values.items() if v is None})
        if wrong:
            message = f"Position {at} of the run cannot be set here: {', '.join(wrong)}"
            hint = "Its inputs belong to another version; drive it into the version that it was found for"
            raise InvalidInputError(Fault("controller:other-inputs", message, hint, "inputs_of"))
        return {n: v for n, v in values.items() if v is not None}

    def positions(self) -> Iterator[Position]:
        """All positions, as many as the run has.

        Raises:
            InvalidInputError: ``controller:inputs-not-allowed``: in the state that is reached, the file's `assume`
                rules these inputs out.
        """
        state = self._interpreter.begin({n: v for n, v in self._free.items() if v is not None})
        for i, (inputs, step) in enumerate(zip(self._inputs, self._run.steps, strict=True)):
            if not self._interpreter.allowed(state, inputs):
                message = f"`assume` rules out the inputs of step {i} in the state that is reached there"
                hint = "In this version the world does not do so: the run has nothing to say about it"
                raise InvalidInputError(Fault("controller:inputs-not-allowed", message, hint, "inputs_of"))
            both = {**state, **inputs}
            yield Position(i, both, self.signals.shown(i, both))
            state = self._interpreter.step(state, inputs, self._ways(state, inputs, step.taken)).values

    def _ways(self, state: Values, inputs: Values, taken: Sequence[str]) -> list[Way | None]:
        """Of competing transitions the one that the run took, else the first."""
        return [
            next((w for w in ways if self._labels[w.number] in taken), ways[0] if ways else None)
            for ways in self._interpreter.choices(state, inputs)
        ]


def broken_at(property: Property, trace: Sequence[Values]) -> int | None:
    """First position at which a trace breaks a property for certain, by plain evaluation; None: at none."""
    seen: list[Values] = []
    for i, values in enumerate(trace):
        seen.append(values)
        if breaks(property, seen):
            return i
    return None
