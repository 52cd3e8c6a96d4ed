"""Money: no binary fractions, no mixed currencies, and parts that make the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.money import Money, decimals, money, split, split_by_key, sum_money, zero

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False, allow_infinity=False)
SHARES = st.lists(st.decimals(min_value=0, max_value=100, places=3), min_size=1, max_size=9).filter(any)


def eur(text: str) -> Money:
    return money(text, "EUR")


def test_vat_oracle_is_rounded_half_away_from_zero() -> None:
    assert eur("7612.50").times(Decimal("0.19")).rounded() == eur("1446.38")
    assert eur("-0.005").rounded() == eur("-0.01")


@given(AMOUNTS, SHARES)
def test_parts_make_the_whole_and_lie_within_a_cent_of_their_share(amount: Decimal, shares: list[Decimal]) -> None:
    parts = split(Money(amount, "EUR"), shares)
    assert sum_money(parts, "EUR").amount == amount
    weight = sum(shares)
    for part, share in zip(parts, shares, strict=True):
        assert abs(part.amount - amount * share / weight) < Decimal("0.01")


def test_largest_remainder_is_served_first_and_equal_ones_in_order() -> None:
    assert [str(p.amount) for p in split(eur("100.00"), [Decimal(1)] * 3)] == ["33.34", "33.33", "33.33"]
    assert split_by_key(eur("0.05"), {"a": Decimal(70), "b": Decimal(30)}) == {"a": eur("0.04"), "b": eur("0.01")}
    assert split(money("-10", "JPY"), [Decimal(1)] * 3)[0] == money("-4", "JPY")


def test_currencies_are_not_mixed() -> None:
    with pytest.raises(InvalidInputError, match="money:currency-mixed"):
        eur("1") + money("1", "SEK")


@pytest.mark.parametrize("wrong", ["", "1,5", "NaN", "Infinity", "1e16", 0.1, True])
def test_what_is_no_amount_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInputError, match="money:amount-invalid"):
        money(wrong, "EUR")  # type: ignore[arg-type]


def test_units_of_currencies() -> None:
    assert (decimals("EUR"), decimals("JPY"), decimals("KWD")) == (2, 0, 3)
    with pytest.raises(InvalidInputError, match="money:currency-unknown"):
        zero("EURO") + zero("EURO").rounded()


def test_shares_that_cannot_be() -> None:
    for shares in ([Decimal(0)], [Decimal(-1), Decimal(2)]):
        with pytest.raises(InvalidInputError, match="money:shares-invalid"):
            split(eur("1"), shares)
