"""Is a value what its signal may be? Units are converted, limits and words checked, UNAVAILABLE recognised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from servitwin.domain.condition import parse_condition
from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.signal import SIGNAL_NAME, SignalDefinition
from servitwin.domain.unit import conversion
from servitwin.sdk.payload import UNAVAILABLE
from servitwin.usecases.ingest.columns import Scalar

MAX_TEXT = 8192
_NO_CONVERSION = (1.0, 0.0)


class Problem(Exception):  # noqa: N818 - not an error of the program: it is how a check says what it found
    """What is wrong with a value."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def at(self, where: str) -> Fault:
        """As a fault of that place."""
        return Fault(self.code, self.message, self.hint, where)


def unit_factor(definition: SignalDefinition | None, unit: str) -> tuple[float, float]:
    """Factor and offset that turn ``unit`` into the signal's; the two may be the same."""
    declared = definition.unit if definition is not None else ""
    if unit == declared or (definition is None and not unit):
        return _NO_CONVERSION
    if definition is not None and definition.type == "number":
        try:
            return conversion(unit, declared)
        except InvalidInputError as e:
            raise Problem("unit:not-convertible", e.fault.message, e.fault.hint) from e
    name = definition.name if definition is not None else "the signal"
    raise Problem("unit:not-convertible", f"{name} has no unit, {unit!r:.40} was sent", "Leave the unit out")


def check_name(name: str) -> None:
    """Names of signals of twins without a type are checked by form alone."""
    if not SIGNAL_NAME.match(name) or name.startswith("_"):
        raise Problem("signal:unknown", f"{name[:60]!r} cannot name a signal", "Use letters, digits, _ . - (up to 200)")


def check_untyped(value: Any) -> Scalar:
    """A value of a twin without a machine type: any finite number, text or flag."""
    if value is None or value == UNAVAILABLE or isinstance(value, bool):
        return None if value == UNAVAILABLE else value
    return _text(value, None) if isinstance(value, str) else _number(value, None, _NO_CONVERSION)


def check_value(definition: SignalDefinition, value: Any, factor: tuple[float, float]) -> Scalar:
    """The value as it goes into history.

    Raises:
        Problem: with a quarantine code.
    """
    if value is None or value == UNAVAILABLE:
        return None
    match definition.type:
        case "number":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return _number(value, definition, factor)
        case "flag":
            if isinstance(value, bool):
                return value
        case "text":
            if isinstance(value, str):
                return _text(value, definition)
        case "condition":
            if isinstance(value, str) and parse_condition(value) is not None:
                return _text(value, None)
    raise Problem(
        "value:wrong-type",
        f"{definition.name} is a {definition.type}, {value!r:.60} is none",
        "Send it as the machine type declares it",
    )


def check_numbers(
    definition: SignalDefinition, values: Sequence[Any], factor: tuple[float, float]
) -> list[float] | None:
    """Numbers as they go into history; None where one of them has to be looked at by itself."""
    if not {*map(type, values)} <= {float, int}:
        return None
    try:
        numbers = np.array(values, np.float64)
    except OverflowError:
        return None
    if factor != _NO_CONVERSION:
        numbers = numbers * factor[0] + factor[1]
    low, high = definition.limits or (-math.inf, math.inf)
    fit = np.isfinite(numbers).all() and numbers.min() >= low and numbers.max() <= high
    return numbers.tolist() if fit else None


def _number(value: Any, definition: SignalDefinition | None, factor: tuple[float, float]) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if factor != _NO_CONVERSION:
        number = number * factor[0] + factor[1]
    if not math.isfinite(number):
        raise Problem("value:not-finite", f"{value!r:.40} is no finite number", "Send null where there is no value")
    limits = definition.limits if definition is not None else None
    if definition is not None and limits is not None and not limits[0] <= number <= limits[1]:
        raise Problem(
            "value:impossible",
            f"{definition.name} = {number:g} {definition.unit} is outside [{limits[0]:g}, {limits[1]:g}]",
            "Check sensor and unit, or the limits in the machine type",
        )
    return number


def _text(value: str, definition: SignalDefinition | None) -> str:
    if len(value) > MAX_TEXT:
        raise Problem("payload:too-long", f"Text of {len(value)} characters", f"Send at most {MAX_TEXT}")
    if definition is not None and definition.values and value not in definition.values:
        raise Problem(
            "value:impossible",
            f"{definition.name} = {value!r:.60} is none of its words",
            "Use one of: " + ", ".join(definition.values[:12]),
        )
    return value


def definition_of(signals: Mapping[str, SignalDefinition], name: str) -> SignalDefinition:
    """The signal of that name.

    Raises:
        Problem: ``signal:unknown``.
    """
    definition = signals.get(name)
    if definition is None:
        raise Problem(
            "signal:unknown", f"The machine type has no signal {name[:60]!r}", "Correct the name, or add it to the type"
        )
    return definition
