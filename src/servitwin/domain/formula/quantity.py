"""Numbers of a formula with their units: what may be added, multiplied and compared, and in which unit.

A temperature in ``Cel`` or ``[degF]`` has a zero of its own, so a quantity counts how many such readings it sums
(``weight``): one reading has 1, the difference of two has 0, and only what has the same weight can be compared. A
constant takes the weight of what it stands beside in a comparison; in a sum it is a difference.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from servitwin.domain.formula.tree import Arithmetic, Expression, Magnitude, Measured, Number
from servitwin.domain.unit import Dimension, Unit, parse_unit

_KELVIN = parse_unit("K").dimension
_ONE = Unit((0, 0, 0, 0, 0, 0, 0), Fraction(1))

Operator = Literal["+", "-", "*", "/", "min", "max"]


class UnitError(Exception):
    """Two quantities do not go together; the message says why, ``hint`` what to do. Whoever asked knows the place."""

    def __init__(self, message: str, hint: str, code: str = "formula:unit-mismatch") -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


class Quantity(NamedTuple):
    """A number with its unit.

    Attributes:
        node: computes the value in ``unit``.
        unit: None for a bare number, which takes the unit of the other side.
        code: the unit as people write it.
        weight: readings with a zero of their own that it sums; None for a constant, which can be any.
    """

    node: Expression
    unit: Unit | None
    code: str = ""
    weight: Fraction | None = Fraction(0)

    @property
    def constant(self) -> float | None:
        """Its value if it is a constant."""
        return self.node.value if isinstance(self.node, Number) else None

    @property
    def named(self) -> str:
        """How faults name its unit."""
        return self.code or "no unit"


def reading(node: Measured, code: str) -> Quantity:
    """The quantity of a signal of that unit (empty: none is declared)."""
    if not code:
        return Quantity(node, None)
    unit = parse_unit(code)
    return Quantity(node, unit, code, Fraction(1 if unit.dimension == _KELVIN else 0))


def constant(node: Number) -> Quantity:
    """The quantity of a constant; its unit must be one (``check_unit``)."""
    bare = msgspec.structs.replace(node, unit="")
    return Quantity(bare, parse_unit(node.unit) if node.unit else None, node.unit, None)


def combined(operator: Operator, left: Quantity, right: Quantity, at: tuple[int, int]) -> Quantity:
    """Two quantities combined.

    Raises:
        UnitError: they cannot be.
    """
    if operator in ("*", "/"):
        return _folded(_product(operator, left, right, at), at)
    if operator in ("+", "-"):
        one, other = aligned(_difference(left, right), _difference(right, left), same_weight=False)
        sign = 1 if operator == "+" else -1
        both = one.weight is None and other.weight is None
        weight = None if both else (one.weight or Fraction(0)) + sign * (other.weight or Fraction(0))
    else:
        one, other = aligned(left, right)
        weight = one.weight if one.weight is not None else other.weight
    unit, code = (one.unit, one.code) if one.unit is not None else (other.unit, other.code)
    return _folded(Quantity(Arithmetic(operator, one.node, other.node, at=at), unit, code, weight), at)


def magnitude(of: Quantity, at: tuple[int, int]) -> Quantity:
    """The absolute value of a quantity."""
    if of.constant is not None:
        return of._replace(node=Number(abs(of.constant), at=at))
    return of._replace(node=Magnitude(of.node, at=at))


def aligned(left: Quantity, right: Quantity, *, same_weight: bool = True) -> tuple[Quantity, Quantity]:
    """Both in one unit: that of the left, or of the right where the left is a constant.

    Raises:
        UnitError: they measure different things.
    """
    if left.unit is None or right.unit is None:
        return _bare(left, right)
    if left.unit.dimension != right.unit.dimension or left.unit.scale != right.unit.scale:
        raise UnitError(
            f"{left.named} and {right.named} measure different things",
            "Use a unit of the same kind",
        )
    if same_weight:
        _check_weights(left, right)
    if left.constant is not None and right.constant is None:
        return _converted(left, right), right
    return left, _converted(right, left)


def in_seconds(of: Quantity) -> float:
    """A constant as a time in seconds; a bare number is one.

    Raises:
        UnitError: it is no constant, or no time.
    """
    return _as_unit(of, parse_unit("s"), "s", "Write it like 20min or 1h")


def as_count(of: Quantity) -> float:
    """A constant as a bare number.

    Raises:
        UnitError: it is no constant, or has a unit.
    """
    return _as_unit(of, _ONE, "a count", "Write a bare number")


def _as_unit(of: Quantity, unit: Unit, name: str, hint: str) -> float:
    if of.constant is None:
        raise UnitError("count and duration are compared with a constant", hint, "formula:count-place")
    if of.unit is None:
        return of.constant
    if of.unit.dimension != unit.dimension or of.unit.scale:
        raise UnitError(f"{of.named} cannot be compared with {name}", hint)
    return float(_exact(of.constant) * of.unit.factor / unit.factor)


def _bare(left: Quantity, right: Quantity) -> tuple[Quantity, Quantity]:
    for one, other in ((left, right), (right, left)):
        if (
            one.unit is None
            and one.constant is None
            and other.unit is not None
            and other.unit.dimension != _ONE.dimension
        ):
            raise UnitError(
                f"No unit is declared for one side, and the other is in {other.named}",
                "Declare the signal's unit, or write the constant without one",
            )
    return left, right


def _check_weights(left: Quantity, right: Quantity) -> None:
    a, b = left.weight, right.weight
    if a is None or b is None or abs(a - b) < Fraction(1, 10**9):
        return
    if left.unit != right.unit or a == 0 or b == 0:
        raise UnitError(
            "A temperature and a difference of temperatures cannot be compared",
            "Compare a reading with a reading, and a - b with a difference such as 5 K",
        )


def _difference(of: Quantity, other: Quantity) -> Quantity:
    """A constant in a sum is a difference, unless both are constants."""
    if of.weight is None and other.weight is not None:
        return of._replace(weight=Fraction(0))
    return of


def _converted(of: Quantity, target: Quantity) -> Quantity:
    if of.unit is None or target.unit is None or of.unit == target.unit:
        return of
    weight = of.weight if of.weight is not None else target.weight
    factor = of.unit.factor / target.unit.factor
    readings = weight if weight is not None else Fraction(1)
    offset = (of.unit.offset - target.unit.offset) / target.unit.factor * readings
    return Quantity(_scaled(of.node, factor, offset), target.unit, target.code, of.weight)


def _scaled(node: Expression, factor: Fraction, offset: Fraction) -> Expression:
    match node:
        case Number():
            return msgspec.structs.replace(node, value=_float(_exact(node.value) * factor + offset))
        case Measured():
            changed = _exact(node.offset) * factor + offset
            return msgspec.structs.replace(node, factor=_float(_exact(node.factor) * factor), offset=_float(changed))
        case _:
            if factor != 1:
                node = Arithmetic("*", node, Number(_float(factor), at=node.at), at=node.at)
            if offset != 0:
                node = Arithmetic("+", node, Number(_float(offset), at=node.at), at=node.at)
            return node


def _product(operator: Operator, left: Quantity, right: Quantity, at: tuple[int, int]) -> Quantity:
    node = Arithmetic(operator, left.node, right.node, at=at)
    if operator == "/" and right.constant == 0:
        raise UnitError("This divides by zero", "Divide by something else", "formula:division-by-zero")
    if right.unit is None and right.constant is not None:
        by = _exact(right.constant)
        weight = None if left.weight is None else left.weight * by if operator == "*" else left.weight / by
        return Quantity(node, left.unit, left.code, weight)
    if operator == "*" and left.unit is None and left.constant is not None:
        weight = None if right.weight is None else right.weight * _exact(left.constant)
        return Quantity(node, right.unit, right.code, weight)
    for one in (left, right):
        if one.unit is not None and one.unit.scale:
            hint = "Only a bare number can multiply it"
            raise UnitError(f"A level in {one.code} has no product with another quantity", hint)
        if one.unit is not None and one.unit.offset and one.weight:
            hint = "Use a difference of two temperatures, or a signal in K"
            raise UnitError(f"A temperature in {one.code} has no product with another quantity", hint)
    a, b = left.unit or _ONE, right.unit or _ONE
    power = 1 if operator == "*" else -1
    dimension = _times(a.dimension, b.dimension, power)
    code = f"{left.code or '1'}{'.' if power == 1 else '/'}{_bracketed(right.code or '1')}"
    weight = None if left.weight is None and right.weight is None else Fraction(0)
    return Quantity(node, Unit(dimension, a.factor * b.factor**power), code, weight)


def _times(a: Dimension, b: Dimension, power: int) -> Dimension:
    return tuple(x + power * y for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def _bracketed(code: str) -> str:
    return f"({code})" if "." in code or "/" in code else code


def _folded(of: Quantity, at: tuple[int, int]) -> Quantity:
    """Constants combined are one constant."""
    node = of.node
    if not (isinstance(node, Arithmetic) and isinstance(node.left, Number) and isinstance(node.right, Number)):
        return of
    a, b = _exact(node.left.value), _exact(node.right.value)
    match node.operator:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "/":
            value = a / b
        case "min":
            value = min(a, b)
        case _:
            value = max(a, b)
    return of._replace(node=Number(_float(value), at=at))


def _exact(value: float) -> Fraction:
    """A decimal as it was written, so that 353 K is 79.85 Cel and not the float beside it."""
    return Fraction(repr(float(value)))


def _float(value: Fraction) -> float:
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise UnitError("This number is too large", "Write it in a larger unit", "formula:number")
    return found
