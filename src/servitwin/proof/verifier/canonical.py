"""Canonical JSON (RFC 8785), read and written: a text that differs from its canonical form by one byte is refused."""

from __future__ import annotations

import hashlib
import json
import math
from json.encoder import encode_basestring
from typing import Any

from .refusal import RefusedError

LARGEST_FILE = 64 * 1024 * 1024
DEEPEST = 200
_LARGEST_WHOLE = 2**53 - 1  # beyond it JSON readers lose digits


def read(content: bytes) -> Any:
    """The value of a canonical JSON text.

    Raises:
        RefusedError: ``proof:too-large``, ``proof:not-json``, ``proof:too-deep`` or ``proof:not-canonical`` with the
            place of the first byte that differs.
    """
    if len(content) > LARGEST_FILE:
        raise RefusedError("proof:too-large", f"{len(content)} bytes are more than {LARGEST_FILE}")
    value = read_any(content)
    again = write(value)
    if again != content:
        at = next((i for i, (a, b) in enumerate(zip(content, again, strict=False)) if a != b), len(again))
        message = "the file is not canonical JSON (RFC 8785): it was changed or written by something else"
        raise RefusedError("proof:not-canonical", message, f"byte {at}")
    return value


def read_any(content: bytes) -> Any:
    """The value of a JSON text, canonical or not; NaN, infinities and absurd numbers are refused."""
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise RefusedError("proof:too-deep", f"parts are nested deeper than {DEEPEST}") from None
    except ValueError as e:  # not UTF-8, not JSON, a number of thousands of digits
        raise RefusedError("proof:not-json", f"this is no JSON: {e}") from None


def write(value: Any) -> bytes:
    """The canonical JSON of a value: keys by their UTF-16 code units, shortest numbers, no spaces."""
    parts: list[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError:
        raise RefusedError("proof:not-canonical", "a text holds half a character (a lone surrogate)") from None


def digest(value: Any) -> str:
    """``sha256:`` and the SHA-256 of the canonical JSON in hex."""
    return "sha256:" + hashlib.sha256(write(value)).hexdigest()


def _write(value: Any, parts: list[str], depth: int) -> None:
    if depth > DEEPEST:
        raise RefusedError("proof:too-deep", f"parts are nested deeper than {DEEPEST}")
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        parts.append(encode_basestring(value))  # escapes exactly what RFC 8785, 3.2.2.2 names
    elif isinstance(value, int | float):
        parts.append(number(value))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            parts.append("," if i else "[")
            _write(item, parts, depth + 1)
        parts.append("]" if value else "[]")
    else:
        for i, key in enumerate(sorted(value, key=_utf16)):
            parts.append("," if i else "{")
            parts.append(encode_basestring(key) + ":")
            _write(value[key], parts, depth + 1)
        parts.append("}" if value else "{}")


def number(value: float) -> str:
    """A number as ECMAScript writes it (RFC 8785, 3.2.2.3)."""
    if isinstance(value, int):
        if abs(value) > _LARGEST_WHOLE:
            return number(_double(value))
        return str(value)
    if not math.isfinite(value):
        raise RefusedError("proof:not-canonical", "a number is not finite")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)  # place of the decimal point, counted from the first of all digits
    point -= len(whole + fraction) - len((whole + fraction).lstrip("0"))
    digits = digits.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        return sign + digits + "0" * (point - n)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    text = digits[0] + ("." + digits[1:] if n > 1 else "")
    return f"{sign}{text}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _double(value: int) -> float:
    """What another reader takes a whole number beyond 2^53 for: the nearest double."""
    try:
        return float(value)
    except OverflowError:
        raise RefusedError("proof:not-canonical", "a number is not finite") from None


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
