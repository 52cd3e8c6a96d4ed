"""What a missed or exceeded guarantee is worth: rounding, bands, caps and escalation, in exact decimals."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Context, Decimal

import msgspec

from servitwin.domain.contract import Band, Guarantee, LiquidatedBand, Rounding, StepBand, TableBand
from servitwin.domain.instant import NS
from servitwin.domain.money import Money

_MODES = {"half_away": ROUND_HALF_UP, "down": ROUND_DOWN, "up": ROUND_UP}
_EXACT = Context(prec=60)  # a ratio of nanoseconds of a century is not touched by this
HUNDRED = Decimal(100)
HOUR = 3600 * NS


class Credit(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value is worth; a credit goes to the customer, a bonus to the provider.

    Attributes:
        measured: percent, exact as far as decimals reach; None where nothing was measured.
        rounded: percent after the contract's rounding: what is compared with the level.
        missed: percent below the level, 0 where it was kept.
        percent: of the fee that is credited; None for liquidated damages, which are no share of the fee.
        capped: whether the cap cut it.
        escalation: what repeated misses multiplied it by.
    """

    measured: Decimal | None
    rounded: Decimal | None
    missed: Decimal
    percent: Decimal | None
    credit: Money
    bonus: Money
    capped: bool = False
    escalation: Decimal = Decimal(1)


def percent_of(numerator: int, denominator: int) -> Decimal | None:
    """Percent of two whole numbers of nanoseconds to sixty digits; None where the denominator is zero."""
    if denominator <= 0:
        return None
    return _EXACT.divide(Decimal(numerator) * 100, Decimal(denominator))


def rounded_value(numerator: int, denominator: int, rounding: Rounding) -> Decimal | None:
    """Availability in percent as the contract rounds it: of the exact ratio, not of a rounded one."""
    value = percent_of(numerator, denominator)
    if value is None or rounding.places is None:
        return value
    return value.quantize(Decimal(1).scaleb(-rounding.places), rounding=_MODES[rounding.mode], context=_EXACT)


def credit_of(
    guarantee: Guarantee,
    fee: Money,
    numerator: int,
    denominator: int,
    *,
    missed_before: int = 0,
    output: Decimal | None = None,
) -> Credit:
    """The credit or bonus of one machine and period.

    ``fee``: this machine's share of the period's fee. ``missed_before``: periods in a row that were missed just
    before this one. ``output``: of the period, where liquidated damages need it. Money is rounded once, at the end,
    to the currency's smallest unit, half away from zero.
    """
    measured = percent_of(numerator, denominator)
    rounded = rounded_value(numerator, denominator, guarantee.rounding)
    nothing = Money(Decimal(0), fee.currency)
    if rounded is None:
        return Credit(None, None, Decimal(0), Decimal(0), nothing, nothing)
    missed = max(Decimal(0), guarantee.level - rounded)
    if missed == 0:
        return Credit(measured, rounded, missed, Decimal(0), nothing, _bonus(guarantee, fee, rounded))
    band = guarantee.bands
    factor = _escalated(band, missed_before)
    if isinstance(band, LiquidatedBand):
        amount = _liquidated(guarantee.level, rounded, output or Decimal(0), band.rate) * factor
        most = None if band.cap is None else fee.amount * band.cap / HUNDRED
        capped = most is not None and amount > most
        paid = most if capped and most is not None else amount
        return Credit(measured, rounded, missed, None, Money(paid, fee.currency).rounded(), nothing, capped, factor)
    uncapped = percent_at(band, guarantee.level, rounded) * factor
    percent = min(uncapped, band.cap)
    credit = fee.times(percent / HUNDRED).rounded()
    return Credit(measured, rounded, missed, percent, credit, nothing, uncapped > band.cap, factor)


def percent_at(band: Band, level: Decimal, value: Decimal) -> Decimal:
    """Percent of the fee that a value in percent is worth by a band, before cap and escalation.

    Raises:
        TypeError: for liquidated damages, which depend on output and are no share of the fee.
    """
    missed = max(Decimal(0), level - value)
    if isinstance(band, LiquidatedBand):
        raise TypeError("liquidated damages are no share of the fee")
    if isinstance(band, TableBand):
        return max((r.credit for r in band.rungs if value < r.below), default=Decimal(0)) if missed else Decimal(0)
    steps = _EXACT.divide(missed, band.step)
    if isinstance(band, StepBand):
        steps = steps.to_integral_value(ROUND_FLOOR)
    return band.credit * steps


def worst_credit(guarantee: Guarantee, fee: Money) -> Money | None:
    """The most that one period of one machine can cost; None where nothing caps it."""
    cap = guarantee.bands.cap
    return None if cap is None else Money(fee.amount * cap / HUNDRED, fee.currency).rounded()


def credit_per_hour(
    guarantee: Guarantee,
    fee: Money,
    numerator: int,
    denominator: int,
    *,
    missed_before: int = 0,
    output: Decimal | None = None,
) -> Money | None:
    """What the next hour costs the provider if the machine stands for all of it; None where nothing is measured yet.

    The difference of :func:`credit_of` with one more hour in the denominator alone, so it follows the contract's own
    rounding and steps: zero inside a step, a whole step's worth where the hour crosses one, zero beyond the cap.
    A bonus that the hour takes away is not a credit and does not count. Arguments as of :func:`credit_of`.
    """
    if denominator <= 0:
        return None

    def credit(counted: int) -> Money:
        return credit_of(guarantee, fee, numerator, counted, missed_before=missed_before, output=output).credit

    return credit(denominator + HOUR) - credit(denominator)


def _bonus(guarantee: Guarantee, fee: Money, value: Decimal) -> Money:
    band = guarantee.bonus
    if band is None or isinstance(band, LiquidatedBand | TableBand):
        return Money(Decimal(0), fee.currency)
    steps = _EXACT.divide(value - guarantee.level, band.step)
    if isinstance(band, StepBand):
        steps = steps.to_integral_value(ROUND_FLOOR)
    return fee.times(min(band.credit * steps, band.cap) / HUNDRED).rounded()


def _escalated(band: Band, missed_before: int) -> Decimal:
    rule = band.escalation
    return Decimal(1) if rule is None else rule.factor ** min(missed_before, rule.times)


def _liquidated(level: Decimal, value: Decimal, output: Decimal, rate: Decimal) -> Decimal:
    """(G/M - 1) x output x rate, the form of wind power contracts (secondary); of M = 0 the whole output is owed."""
    if value <= 0:
        return output * rate
    return (_EXACT.divide(level, value) - 1) * output * rate
