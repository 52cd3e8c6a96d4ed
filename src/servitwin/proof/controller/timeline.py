"""A counterexample as time-stamped observations, to be drawn on a time line or replayed by a simulator."""

from __future__ import annotations

import msgspec

from servitwin.domain.controller import Controller, Observed
from servitwin.domain.controller_flat import input_ranges, region_ranges
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.proof.controller.report import Counterexample


class Shown(msgspec.Struct, frozen=True):
    """A value of a signal at a time, as the real machine would report it."""

    time: int
    signal: str
    value: float | str | bool


def observations(controller: Controller, found: Counterexample, start: int, tick: int | None = None) -> list[Shown]:
    """A counterexample as observations of the signals in ``observe``, changes alone, in the order of time.

    ``start`` is the time of the first position in ns; ``tick`` (ns) is needed where the controller declares none.

    Raises:
        InvalidInputError: ``controller:no-tick``.
    """
    length = controller.tick if controller.tick is not None else tick
    if length is None:
        raise InvalidInputError(Fault("controller:no-tick", "A time line needs the length of a step", "Give a tick"))
    told: list[Shown] = []
    last: dict[str, float | str | bool] = {}
    for step in found.steps:
        for seen in controller.observe:
            text = {**step.values, **step.inputs}.get(seen.name)
            value = None if text is None else _word(controller, seen, text)
            if value is not None and last.get(seen.signal) != value:
                last[seen.signal] = value
                told.append(Shown(start + step.index * length, seen.signal, value))
    return told


def _word(controller: Controller, seen: Observed, text: str) -> float | str | bool | None:
    """The signal's word for a value; None where it has none for it."""
    ranges = {**region_ranges(controller.regions), **input_ranges(controller)}
    ranges |= {v.name: v.range for v in controller.variables}
    range_ = ranges[seen.name]
    if seen.values:
        return next((word for word, value in seen.values if range_.shown(value) == text), None)
    if range_.kind == "integer":
        return float(text)
    return text == "true" if range_.kind == "flag" else text
