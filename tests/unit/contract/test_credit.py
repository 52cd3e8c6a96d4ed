"""Bands: the oracles of real contracts, and properties that hold for any."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.contract import (
    Band,
    Escalation,
    Guarantee,
    LinearBand,
    LiquidatedBand,
    Rounding,
    Rung,
    StepBand,
    TableBand,
)
from servitwin.domain.guarantee_credit import HOUR, Credit, credit_of, credit_per_hour
from servitwin.domain.money import Money, money

FEE = money("48000", "EUR")
STEPPED = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))
LINEAR = LinearBand(Decimal("0.1"), Decimal("0.5"), Decimal(10))


def credit(bands: Band, percent: str, level: str = "98", **other: object) -> Credit:
    numerator = int(Decimal(percent) * 1_000_000)
    guarantee = Guarantee(Decimal(level), bands, bonus=other.pop("bonus", None))  # type: ignore[arg-type]
    return credit_of(guarantee, FEE, numerator, 100_000_000, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("band", "value", "percent", "amount"),
    [
        (STEPPED, "97.3", "3.5", "1680.00"),
        (STEPPED, "95.9", "10", "4800.00"),
        (STEPPED, "97.95", "0", "0.00"),
        (LINEAR, "97.95", "0.25", "120.00"),
        (LINEAR, "97.3", "3.5", "1680.00"),
        (STEPPED, "98", "0", "0.00"),
        (STEPPED, "0", "10", "4800.00"),
    ],
)
def test_a_compressor_makers_form(band: Band, value: str, percent: str, amount: str) -> None:
    found = credit(band, value)
    assert found.percent == Decimal(percent)
    assert found.credit.amount == Decimal(amount)
    assert found.capped is (value in {"95.9", "0"})


def test_wind_form_of_liquidated_damages() -> None:
    band = LiquidatedBand(rate=Decimal(50), meter="output", unit="MWh")
    found = credit(band, "94", "97", output=Decimal(10_000))
    assert found.credit == money("15957.45", "EUR")
    assert credit(band, "0", "97", output=Decimal(10)).credit == money("500", "EUR")


def test_a_table_pays_the_lowest_rung_that_was_missed() -> None:
    band = TableBand((Rung(Decimal(98), Decimal(2)), Rung(Decimal(97), Decimal(5))))
    assert [credit(band, v).percent for v in ("98", "97.99", "97", "96.99")] == [0, 2, 2, 5]


def test_a_repeated_miss_doubles_the_points_up_to_the_cap() -> None:
    band = StepBand(Decimal("0.1"), Decimal("0.5"), Decimal(10), Escalation(Decimal(2)))
    assert [credit(band, "97.8", missed_before=n).percent for n in range(5)] == [1, 2, 4, 8, 10]


def test_a_bonus_is_paid_above_the_level_alone() -> None:
    bonus = StepBand(Decimal("0.5"), Decimal(1), Decimal(3))
    assert [credit(STEPPED, v, bonus=bonus).bonus.amount for v in ("97", "98.4", "99.1", "100")] == [0, 0, 960, 1440]


def test_the_contract_says_how_the_value_is_rounded() -> None:
    def with_rounding(rounding: Rounding) -> Credit:
        return credit_of(Guarantee(Decimal(98), STEPPED, rounding=rounding), FEE, 97_896, 100_000)

    assert with_rounding(Rounding(2)).percent == Decimal("0.5")  # 97.90 %
    assert with_rounding(Rounding(1, "up")).rounded == Decimal("97.9")
    assert with_rounding(Rounding(None)).percent == Decimal("0.5")  # 97.896 %: one whole step
    assert with_rounding(Rounding(1, "down")).percent == Decimal("1.0")  # 97.8 %


def test_nothing_measured_is_worth_nothing_and_says_so() -> None:
    found = credit_of(Guarantee(Decimal(98), STEPPED), FEE, 0, 0)
    assert (found.measured, found.credit.amount) == (None, 0)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([STEPPED, LINEAR]))
def test_less_available_time_never_costs_the_provider_less(a: int, b: int, band: Band) -> None:
    guarantee = Guarantee(Decimal(98), band)
    worse, better = (credit_of(guarantee, FEE, n, 10**9) for n in sorted((a, b)))
    assert worse.credit.amount >= better.credit.amount
    assert Decimal(0) <= worse.credit.amount <= Money(Decimal(4800), "EUR").amount
    assert worse.percent == min(worse.percent or 0, Decimal(10))


@pytest.mark.parametrize(
    ("band", "available", "counted", "cost"),
    [
        (STEPPED, 9780, 10_000, "0.00"),  # 97.79 after the hour: the same step as 97.8
        (STEPPED, 978, 1000, "240.00"),  # 97.70: one step more
        (STEPPED, 98, 100, "2160.00"),  # 97.03: nine steps from nothing
        (STEPPED, 990, 1000, "0.00"),  # 98.90: the guarantee is still kept
        (STEPPED, 500, 1000, "0.00"),  # beyond the cap nothing more is owed
        (LINEAR, 9780, 10_000, "24.00"),  # 97.79: a tenth of a step
        (LiquidatedBand(rate=Decimal(50), meter="output", unit="MWh"), 970, 1000, "521.31"),
    ],
)
def test_what_one_more_hour_of_stop_costs(band: Band, available: int, counted: int, cost: str) -> None:
    guarantee = Guarantee(Decimal(98), band)
    found = credit_per_hour(guarantee, FEE, available * HOUR, counted * HOUR, output=Decimal(10_000))
    assert found == money(cost, "EUR")


def test_an_hour_costs_nothing_known_where_nothing_is_measured_yet() -> None:
    assert credit_per_hour(Guarantee(Decimal(98), STEPPED), FEE, 0, 0) is None
