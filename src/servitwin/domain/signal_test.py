"""Tests on one signal: pure, three-valued, used by state rules, control modes and the effects of commands."""

from __future__ import annotations

from collections.abc import Mapping

from servitwin.domain.condition import Condition
from servitwin.domain.machine_type import Scalar, SignalTest

Value = float | int | str | bool


def holds(
    test: SignalTest,
    value: Value | None,
    *,
    active: Mapping[str, Condition] | None = None,
    parameters: Mapping[str, Scalar] | None = None,
    accuracy: float | None = None,
) -> bool | None:
    """Whether the test holds; None where it cannot be known.

    Args:
        test: what to look for. ``equals`` or the bounds; with both bounds the value must lie between them.
            A test that names nothing to compare with holds for any known value.
        value: the signal's value; None is UNAVAILABLE. Not looked at if ``active`` is given.
        active: active entries of a condition signal by native code (an empty mapping is "normal").
        parameters: parameters of the command, for tests that compare with one.
        accuracy: half-width inside which value and parameter cannot be told apart, in the signal's unit.
    """
    if active is not None:
        return _condition_holds(test, active)
    if value is None:
        return None
    if test.parameter:
        wanted = (parameters or {}).get(test.parameter)
        return None if wanted is None else _same(value, wanted, accuracy or 0.0)
    if any(_same(value, wanted, 0.0) for wanted in test.equals):
        return True
    if test.above is None and test.below is None:
        return not test.equals
    if isinstance(value, str | bool):
        return None
    return (test.above is None or value > test.above) and (test.below is None or value < test.below)


def _condition_holds(test: SignalTest, active: Mapping[str, Condition]) -> bool:
    levels = {c.level for c in active.values()} or {"normal"}
    return any(str(level).lower() in levels for level in test.equals)


def _same(value: Value, wanted: Scalar, tolerance: float) -> bool:
    """Equality that keeps kinds apart: True is not 1, and ``"1"`` is not 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) or isinstance(wanted, str):
        return value == wanted if type(value) is type(wanted) else False
    return abs(value - wanted) <= tolerance
