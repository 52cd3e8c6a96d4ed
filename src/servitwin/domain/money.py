"""Money: a decimal amount with its currency; nothing is ever computed in binary fractions.

Rounding is half away from zero to the currency's smallest unit, as EN 16931 (BR-CO-17) computes VAT. A sum that is
shared out is shared by the largest remainder, so that the parts always make the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException

import msgspec

from servitwin.domain.error import Fault, InvalidInputError

# ISO 4217 list one: decimals of the smallest unit, where they are not two.
_DECIMALS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0,
    "XOF": 0, "XPF": 0,
}  # fmt: skip
_TWO_DECIMALS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_TWO_DECIMALS.split()) | _DECIMALS.keys()
_LARGEST = Decimal(10) ** 15  # beyond this a figure is a mistake, and exact cents would need more digits


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount in a currency (ISO 4217 code). Amounts of two currencies are never added."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        """The sum of two amounts of one currency."""
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        """The difference of two amounts of one currency."""
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        """The same amount the other way."""
        return Money(-self.amount, self.currency)

    def times(self, factor: Decimal | int) -> Money:
        """The exact product; round it once, at the end."""
        return Money(self.amount * factor, self.currency)

    def rounded(self) -> Money:
        """To the currency's smallest unit, half away from zero."""
        return Money(round_half_away(self.amount, decimals(self.currency)), self.currency)

    def __str__(self) -> str:
        """``1234.50 EUR``."""
        return f"{self.amount:f} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            message = f"{self.currency} and {other.currency} cannot be added"
            raise InvalidInputError(
                Fault("money:currency-mixed", message, "Settle each currency by itself, or convert at an agreed rate")
            )
        return other.amount


def decimals(currency: str) -> int:
    """Decimals of the currency's smallest unit.

    Raises:
        InvalidInputError: ``money:currency-unknown``.
    """
    if currency not in CURRENCIES:
        raise InvalidInputError(
            Fault("money:currency-unknown", f"There is no currency {currency!r}", "Use its ISO 4217 code, like EUR")
        )
    return _DECIMALS.get(currency, 2)


def money(amount: Decimal | int | str, currency: str) -> Money:
    """Money from outside: checked, never from a binary fraction.

    Raises:
        InvalidInputError: ``money:amount-invalid`` (no finite decimal, or beyond 10^15) or ``money:currency-unknown``.
    """
    decimals(currency)
    try:
        if isinstance(amount, (bool, float)):
            raise DecimalException
        value = Decimal(amount)
        if not value.is_finite() or abs(value) > _LARGEST:
            raise DecimalException
    except DecimalException:
        raise InvalidInputError(
            Fault("money:amount-invalid", f"{amount!r} is no amount of money", 'Write it as a decimal: "48000.00"')
        ) from None
    return Money(value, currency)


def zero(currency: str) -> Money:
    """Nothing, in that currency."""
    return Money(Decimal(0), currency)


def sum_money(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts that must all be of that currency; nothing makes zero."""
    total = zero(currency)
    for amount in amounts:
        total = total + amount
    return total


def round_half_away(value: Decimal, places: int) -> Decimal:
    """To that many decimals, a half away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def split(total: Money, shares: Sequence[Decimal]) -> list[Money]:
    """Share out a sum to the smallest unit by the largest remainder: the parts always make the whole.

    ``shares`` are weights of any scale, none negative. Of equal remainders the first share is served first, so the
    same question always has the same answer. A negative sum is shared like its opposite.

    Raises:
        InvalidInputError: ``money:shares-invalid`` where a share is negative or all are zero.
    """
    weight = sum(shares, Decimal(0))
    if weight <= 0 or any(s < 0 for s in shares):
        raise InvalidInputError(
            Fault("money:shares-invalid", "Shares must not be negative, nor all be zero", "Check the shares")
        )
    unit = Decimal(1).scaleb(-decimals(total.currency))
    whole = total.rounded().amount
    sign = -1 if whole < 0 else 1
    exact = [abs(whole) * s / weight for s in shares]
    parts = [(e / unit).to_integral_value(ROUND_FLOOR) * unit for e in exact]
    left = int((abs(whole) - sum(parts, Decimal(0))) / unit)
    order = sorted(range(len(shares)), key=lambda n: (parts[n] - exact[n], n))
    for n in order[:left]:
        parts[n] += unit
    return [Money(sign * p, total.currency) for p in parts]


def split_by_key(total: Money, shares: Mapping[str, Decimal]) -> dict[str, Money]:
    """:func:`split` by name, in the order of the names given."""
    return dict(zip(shares, split(total, list(shares.values())), strict=True))
