"""Value against a baseline: the textbook's figure, and what must hold for any."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.money import money
from servitwin.domain.savings import Baseline, Estimate, check_estimate, net_present_value, payback_years, savings


def exactly(value: int) -> Estimate:
    return Estimate(*[Decimal(value)] * 3)


def baseline(**other: Estimate) -> Baseline:
    known = {
        "down_hours": exactly(300),
        "cost_per_hour": exactly(250),
        "visits": exactly(12),
        "cost_per_visit": exactly(900),
    }
    return Baseline("c", 1, "EUR", **{**known, **other}, source="last year")


def test_net_present_value_of_the_textbook() -> None:
    flows = [Decimal(-100), Decimal(60), Decimal(60)]
    assert round(net_present_value(flows, Decimal("0.1")), 2) == Decimal("4.13")
    assert round(payback_years(flows) or Decimal(0), 3) == Decimal("1.667")
    assert payback_years([Decimal(-100), Decimal(10)]) is None
    with pytest.raises(InvalidInputError, match="value:rate-invalid"):
        net_present_value(flows, Decimal(-1))


def test_hours_and_visits_saved_are_money_and_the_fee_is_paid_for_it() -> None:
    found = savings(baseline(), Decimal(180), Decimal(7), money("24000", "EUR"), seed=1)
    assert found.hours == 120
    assert found.money == money("34500", "EUR")  # 120 h at 250 and 5 visits at 900
    assert found.after_fee == money("10500", "EUR")
    assert (found.low, found.high) == (found.money, found.money), "what is certain has no range"


def test_uncertainty_widens_the_range_and_the_tornado_names_what_moves_most() -> None:
    wide = baseline(cost_per_hour=Estimate(Decimal(100), Decimal(250), Decimal(400)))
    found = savings(wide, Decimal(180), Decimal(7), money("0", "EUR"), seed=1)
    assert found.low.amount < found.money.amount < found.high.amount
    widths = {name: abs(b.amount - a.amount) for name, (a, b) in found.tornado.items()}
    assert max(widths, key=lambda n: widths[n]) == "cost_per_hour"
    assert savings(wide, Decimal(180), Decimal(7), money("0", "EUR"), seed=1) == found


@given(st.integers(0, 8760), st.integers(0, 8760))
def test_fewer_hours_down_never_save_less(a: int, b: int) -> None:
    fee = money("0", "EUR")
    fewer, more = (savings(baseline(), Decimal(h), Decimal(0), fee, seed=1, draws=10) for h in sorted((a, b)))
    assert fewer.money.amount >= more.money.amount


def test_an_estimate_has_an_order() -> None:
    assert check_estimate(Estimate(Decimal(2), Decimal(1), Decimal(3)), "x") is not None
    assert check_estimate(Estimate(Decimal(-1), Decimal(1), Decimal(3)), "x") is not None
    assert check_estimate(Estimate(Decimal(0), Decimal(1), Decimal(3)), "x") is None
