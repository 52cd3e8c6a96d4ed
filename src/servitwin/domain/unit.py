"""Units: UCUM codes, what they measure, and conversion between those that measure the same.

The Unified Code for Units of Measure (UCUM 2.1, case sensitive) as far as machines need it: all its prefixes and
operators, annotations in braces, and the atoms of the tables below. Dimensions are UCUM's own: length, time, mass,
plane angle, temperature, electric charge, luminous intensity. Logarithmic units (``B``, ``Np``, ``[pH]``) are
known and convert into themselves alone. ``Cel`` and ``[degF]`` inside a product (``Cel/min``) are differences.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

import msgspec

from servitwin.domain.error import Fault, InvalidInputError
from servitwin.domain.unit_table import ATOMS, COMMON_MISTAKES, LOGARITHMIC, PREFIXES, TEMPERATURES

Dimension = tuple[int, int, int, int, int, int, int]
_NONE: Dimension = (0, 0, 0, 0, 0, 0, 0)
_MAX_CODE = 60
_TOKEN = re.compile(r"[./()]|\{[^{}]*\}|(?:\[[^\]\s]*\]|[^./(){}\[\]\s])+")
_EXPONENT = re.compile(r"[+-]?\d+\Z", re.ASCII)
_MAX_POWER = 9
_MAX_POWER_OF_TEN = 30


class Unit(msgspec.Struct, frozen=True):
    """A unit in base units: base value = ``factor`` x value + ``offset``; ``scale`` names a logarithmic scale."""

    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)
    scale: str = ""


def check_unit(code: str) -> Fault | None:
    """The fault of a unit code, or None if it is one."""
    try:
        parse_unit(code)
    except InvalidInputError as e:
        return e.fault
    return None


@lru_cache(maxsize=4096)
def parse_unit(code: str) -> Unit:
    """Read a UCUM code such as ``kW.h``, ``mm/s2``, ``Cel``, ``%`` or ``{parts}/min``.

    Raises:
        InvalidInputError: ``unit:unknown`` with the code that was probably meant.
    """
    try:
        return _read(code)
    except _NoUnitError as e:
        raise _unknown(code, e.part) from None


class _NoUnitError(Exception):
    """``part`` of a code is no unit."""

    def __init__(self, part: str) -> None:
        self.part = part


def _read(code: str) -> Unit:
    if not code or len(code) > _MAX_CODE or "".join(_TOKEN.findall(code)) != code:
        raise _NoUnitError(code)
    if code in LOGARITHMIC or (code[1:] in LOGARITHMIC and code[0] in PREFIXES):
        return Unit(_NONE, Fraction(1), scale=code)
    alone = _temperature(code)
    if alone is not None:
        return alone
    return _Parser(code).parse()


def conversion(source: str, target: str) -> tuple[float, float]:
    """Factor and offset with target value = factor x source value + offset (works on arrays too).

    Raises:
        InvalidInputError: ``unit:unknown``, or ``unit:not-convertible`` if they measure different things.
    """
    if source == target:
        return 1.0, 0.0
    return _conversion(source, target)


@lru_cache(maxsize=4096)
def _conversion(source: str, target: str) -> tuple[float, float]:
    a, b = parse_unit(source), parse_unit(target)
    if a.dimension != b.dimension or a.scale != b.scale:
        raise InvalidInputError(
            Fault(
                "unit:not-convertible",
                f"{source} cannot be converted to {target}: they measure different things",
                f"Send the value in {target} or a unit of the same kind",
            )
        )
    return float(a.factor / b.factor), float((a.offset - b.offset) / b.factor)


def convert(value: float, source: str, target: str) -> float:
    """A value in another unit; raises as :func:`conversion` does."""
    factor, offset = conversion(source, target)
    return value * factor + offset


def _temperature(code: str) -> Unit | None:
    for prefix, power in (("", 0), *PREFIXES.items()):
        name = code[len(prefix) :]
        if name in TEMPERATURES and code.startswith(prefix):
            factor, offset = TEMPERATURES[name]
            return Unit(_dimension("K"), factor * Fraction(10) ** power, offset)
    return None


def _dimension(base: str) -> Dimension:
    return _times(_NONE, ATOMS[base][0], 1)


def _times(a: Dimension, b: Dimension, power: int) -> Dimension:
    return (
        a[0] + power * b[0],
        a[1] + power * b[1],
        a[2] + power * b[2],
        a[3] + power * b[3],
        a[4] + power * b[4],
        a[5] + power * b[5],
        a[6] + power * b[6],
    )


class _Parser:
    """UCUM's grammar: ``/`` binds from left to right, an exponent stands behind its atom, braces mean nothing."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._tokens = _TOKEN.findall(code)
        self._at = 0

    def parse(self) -> Unit:
        unit = self._term()
        if self._at != len(self._tokens):
            raise _NoUnitError(self._tokens[self._at])
        return unit

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _term(self) -> Unit:
        if self._peek() == "/":
            dimension, factor = _NONE, Fraction(1)
        else:
            first = self._component()
            dimension, factor = first.dimension, first.factor
        while self._peek() in (".", "/"):
            power = 1 if self._peek() == "." else -1
            self._at += 1
            part = self._component()
            dimension, factor = _times(dimension, part.dimension, power), factor * part.factor**power
        return Unit(dimension, factor)

    def _component(self) -> Unit:
        piece = self._peek()
        self._at += 1
        if piece == "(":
            inside = self._term()
            if self._peek() != ")":
                raise _NoUnitError(self._code)
            self._at += 1
            return inside
        if piece.startswith("{"):
            return Unit(_NONE, Fraction(1))
        if piece in ("", ".", "/", ")"):
            raise _NoUnitError(self._code)
        if self._peek().startswith("{"):
            self._at += 1
        return _simple(piece)


def _simple(token: str) -> Unit:
    if token.isascii() and token.isdigit():
        if not int(token):
            raise _NoUnitError(token)
        return Unit(_NONE, Fraction(int(token)))
    name, exponent = _split(token)
    power = int(exponent) if exponent else 1
    if abs(power) > (_MAX_POWER_OF_TEN if name in ("10*", "10^") else _MAX_POWER):
        raise _NoUnitError(token)
    found = _atom(name)
    if found is None:
        raise _NoUnitError(name)
    return Unit(_times(_NONE, found.dimension, power), found.factor**power)


def _split(token: str) -> tuple[str, str]:
    for ten in ("10*", "10^"):
        if token.startswith(ten):
            return ten, token[3:] if _EXPONENT.match(token[3:]) else ""
    m = _EXPONENT.search(token)
    return (token[: m.start()], m.group()) if m else (token, "")


def _atom(name: str) -> Unit | None:
    if name in ATOMS:
        dimension, factor, _ = ATOMS[name]
        return Unit(dimension, factor)
    if name in TEMPERATURES:
        return Unit(_dimension("K"), TEMPERATURES[name][0])
    for prefix, power in PREFIXES.items():
        rest = name[len(prefix) :]
        if name.startswith(prefix) and rest in ATOMS and ATOMS[rest][2]:
            return Unit(ATOMS[rest][0], ATOMS[rest][1] * Fraction(10) ** power)
        if name.startswith(prefix) and rest == "Cel":
            return Unit(_dimension("K"), Fraction(10) ** power)
    return None


def _is_unit(code: str) -> bool:
    try:
        _read(code)
    except _NoUnitError:
        return False
    return True


def _unknown(code: str, part: str) -> InvalidInputError:
    meant = COMMON_MISTAKES.get(code) or COMMON_MISTAKES.get(code.lower())
    if meant is None:
        near = get_close_matches(part, [*ATOMS, *TEMPERATURES, *LOGARITHMIC], 1, 0.6)
        meant = code.replace(part, near[0]) if near else ""
        if meant and not _is_unit(meant):
            meant = near[0]
    hint = f"Did you mean {meant!r}?" if meant else "Use a UCUM code such as Cel, kW, mm/min, %, or 1 for a bare number"
    return InvalidInputError(Fault("unit:unknown", f"{code[:_MAX_CODE]!r} is no UCUM unit", hint))
