"""Decimals as people wrote them in YAML, whose reader makes doubles of them."""

from __future__ import annotations

from decimal import Decimal

from servitwin.domain.canonical_json import decimal_text


def decimal_of(value: float | str) -> Decimal:
    """The decimal that was written: the shortest text of a double is what people wrote, up to 15 digits."""
    return Decimal(decimal_text(Decimal(str(value))))


def maybe_decimal(value: float | None) -> Decimal | None:
    """:func:`decimal_of`, or None where nothing was written."""
    return None if value is None else decimal_of(value)
